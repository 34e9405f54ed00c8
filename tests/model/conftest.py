import pytest
import torch

from registries import registries_as_before
from tiny_data import ALL_TYPES, tiny_settings, tiny_tables, write_tables


@pytest.fixture(autouse=True)
def _models_are_forgotten():
    """The names that a test makes known are its own."""
    with registries_as_before():
        yield


@pytest.fixture
def everything(tmp_path):
    """Settings of a dataset with features of every type."""
    return tiny_settings(write_tables(tmp_path / "data", tiny_tables()), **ALL_TYPES)


@pytest.fixture
def one_thread():
    """Let torch have one thread, with which compiled loops are taken."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
