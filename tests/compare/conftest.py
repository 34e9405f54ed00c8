"""The data and the comparison that several tests look at."""

import pytest

from recbole_decrs.compare import run_comparison
from tiny_data import tiny_settings, tiny_tables, write_tables


@pytest.fixture(scope="session")
def tiny(tmp_path_factory):
    folder = write_tables(tmp_path_factory.mktemp("compare"), tiny_tables(n_users=30, n_items=40, n_clicks=20))
    return tiny_settings(folder, drift_alpha_grid=[0.2, 1.0], epochs=2)


@pytest.fixture(scope="session")
def whole(tiny, tmp_path_factory):
    """The comparison of everything over FM, with two seeds."""
    folder = tmp_path_factory.mktemp("whole")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        results = run_comparison(["FM"], "tiny", "all", 2, "out", config_dict=tiny)
    return results, folder / "out"
