"""The examples of docs/scale.md run as they stand there, and give what one machine gives."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from recbole_decrs import load_data_and_model, run_recbole_decrs
from recbole_decrs.causal import estimate_confounder, membership_from_labels

PAGE = (Path(__file__).parent.parent / "docs" / "scale.md").read_text(encoding="utf-8")
SCRIPTS = dict(re.findall(r"Save as `(\w+\.py)`:\n\n```python\n(.*?)```", PAGE, re.DOTALL))
SCRIPTS["parts.py"] = SCRIPTS["parts.py"].replace("N_PARTS = 64", "N_PARTS = 4")
N_USERS, N_ITEMS, N_GROUPS = 40, 30, 5


def test_every_script_is_found():
    assert len(SCRIPTS) == PAGE.count("```python") == 4


def run(script: str, *arguments: str) -> str:
    for name, text in SCRIPTS.items():
        Path(name).write_text(text, encoding="utf-8")
    command = [sys.executable, "-W", "ignore", script, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def whole(tmp_path):
    """Writes clicks, and gives the Confounder of all of them; ids are from 0 in the files, where nothing is padding."""
    polars = pytest.importorskip("polars")
    rng = np.random.default_rng(0)
    users, items = rng.integers(N_USERS, size=600), rng.integers(N_ITEMS, size=600)
    labels = [sorted(set(rng.integers(N_GROUPS, size=rng.integers(4)).tolist())) for _ in range(N_ITEMS)]
    labels[0] = list(range(N_GROUPS))
    times = rng.permutation(600)
    Path("clicks.parquet").mkdir()
    clicks = polars.DataFrame({"user": users, "item": 1000 + items, "timestamp": times})
    for part, rows in enumerate((slice(0, 250), slice(250, 600))):
        clicks[rows].write_parquet(f"clicks.parquet/{part}.parquet")
    names = [[f"g{group}" for group in groups] for groups in labels]
    polars.DataFrame({"item": 1000 + np.arange(N_ITEMS), "groups": names}).write_parquet("items.parquet")
    labelled = np.repeat(np.arange(N_ITEMS), [len(groups) for groups in labels])
    membership = membership_from_labels(labelled, np.concatenate(labels).astype(int), N_ITEMS, N_GROUPS)
    order = np.argsort(times)
    history = users[order], items[order]
    return estimate_confounder(tuple("abcde"), membership, users, items, N_USERS, history)


def check(output: str, whole) -> None:
    import polars

    prior = ast.literal_eval(output.partition("d-bar ")[2].strip())
    np.testing.assert_allclose(prior, whole.prior, rtol=0, atol=1e-12)
    assert len(list(Path("users").glob("*-users.parquet"))) > 1
    users = polars.read_parquet("users/*-users.parquet").sort("user")
    np.testing.assert_array_equal(users["user"], np.arange(N_USERS))
    np.testing.assert_array_equal(users["clicks"], whole.n_clicks)
    np.testing.assert_allclose(users["drift"], whole.drift, rtol=0, atol=1e-12)
    history = polars.read_parquet("users/*-history.parquet")
    distribution = np.zeros((N_USERS, N_GROUPS))
    distribution[history["user"], history["group"]] = history["share"]
    np.testing.assert_allclose(distribution, whole.user_distribution, rtol=0, atol=1e-12)


def test_polars_gives_what_one_machine_gives(whole):
    import polars

    check(run("by_polars.py"), whole)
    users = polars.read_parquet("users/*-users.parquet").sort("user")
    weight = whole.normalized_drift(0.2)
    np.testing.assert_allclose(users["weight"][1:], weight[1:], rtol=0, atol=1e-12)  # row 0 is padding there


@pytest.mark.slow
def test_ray_gives_what_one_machine_gives(whole):
    pytest.importorskip("ray.data", exc_type=ImportError)
    check(run("by_ray.py"), whole)


def test_search_gives_the_lists_of_full_sort(settings):
    pytest.importorskip("faiss")
    path = run_recbole_decrs("DecFM", "tiny", config_dict=settings)["saved_model_file"]
    found = [line.split("\t") for line in run("search.py", path).splitlines() if "\t" in line]
    _, model, dataset, *_ = load_data_and_model(path)
    logits = model.deconfounded.full_sort_logits(dataset.get_user_feature())[1:, 1:]
    best = dataset.id2token(dataset.iid_field, 1 + logits.topk(20).indices.numpy())
    assert [names for _, *names in found] == best.tolist()
