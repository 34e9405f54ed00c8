"""Each mend of RecBole: it is needed with today's packages, does its work, and does it where RecBole needs it."""

import inspect
import re
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import recbole
import scipy.sparse
from recbole.config import Config
from recbole.data.dataset import Dataset, KnowledgeBasedDataset, SequentialDataset
from recbole.trainer import hyper_tuning

from recbole_decrs import recbole_compat, run_recbole_decrs
from recbole_decrs.recbole_compat import MENDS, changed_source, mend_recbole
from tiny_data import tiny_tables, write_tables

ROOT = Path(__file__).parent.parent
RECBOLE = Path(recbole.__file__).parent
NEW_PACKAGES = not hasattr(np, "float_")


def test_the_mends_are_applied_once():
    assert mend_recbole() is mend_recbole()
    if NEW_PACKAGES:
        assert mend_recbole() == MENDS


def test_names_of_numpy():
    mend_recbole()
    Config.compatibility_settings(None)
    assert np.float(1.5) == 1.5
    assert np.zeros(2, dtype=np.bool).dtype == bool
    assert np.array([1], dtype=np.long).dtype == np.int64
    assert np.str("a") == np.unicode("a") == "a"


@pytest.mark.parametrize("missing", [None, "gender:token", "jobs:token_seq", "height:float"])
def test_missing_cells_are_filled_as_recbole_means_them(tmp_path, prepared, missing):
    """Padding for tokens, an empty sequence, the mean of numbers."""
    tables = tiny_tables()
    if missing:
        tables["user"].loc[tables["user"]["user_id:token"] == "u3", missing] = np.nan
    write_tables(tmp_path / "data", tables)
    _, train_data, *_ = prepared()
    part = train_data.dataset
    row = part.user_feat[part.field2token_id["user_id"]["u3"]]
    heights = tables["user"]["height:float"]
    assert (int(row["gender"]) == 0) == (missing == "gender:token")
    assert bool((row["jobs"] == 0).all()) == (missing == "jobs:token_seq")
    of_u3 = heights[tables["user"]["user_id:token"] == "u3"].item()
    expected = heights.mean() if missing == "height:float" else of_u3
    assert float(row["height"][0]) == pytest.approx(expected)  # a numerical feature stands beside its index


def test_lengths_of_sequences_row_by_row(prepared):
    _, train_data, *_ = prepared(normalize_all=True)
    part, listed = train_data.dataset, tiny_tables()["item"].set_index("item_id:token")["genre:token_seq"]
    for item, genres in listed.items():
        row = part.item_feat[part.field2token_id["item_id"][item]]
        tokens = [part.field2id_token["genre"][number] for number in row["genre"].tolist() if number]
        assert tokens == genres.split()


def test_tensors_may_be_written_to(prepared):
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        _, train_data, *_ = prepared()
    part = train_data.dataset
    part.user_feat["gender"][0] = 1
    assert all(tensor.numpy().flags.writeable for tensor in part.item_feat.interaction.values())


def test_of_clicks_at_the_same_time_the_first_in_the_file_stays(tmp_path, prepared):
    tables = tiny_tables()
    once = tables["inter"].assign(**{"timestamp:float": 5.0, "rating:float": 1.0})
    tables["inter"] = pd.concat([once, once.assign(**{"rating:float": 99.0})], ignore_index=True)
    write_tables(tmp_path / "data", tables)
    _, train_data, *_ = prepared("BPR", rm_dup_inter="first")
    part = train_data.dataset
    assert (part.inter_feat["rating"] < 99).all()
    users = part.field2id_token["user_id"][part.inter_feat["user_id"].numpy()]
    of_u0 = part.field2id_token["item_id"][part.inter_feat["item_id"].numpy()[users == "u0"]]
    in_file = list(once[once["user_id:token"] == "u0"]["item_id:token"])
    assert list(of_u0) == in_file[: len(of_u0)]


def test_a_dok_matrix_takes_a_dictionary():
    mend_recbole()
    matrix = scipy.sparse.dok_matrix((3, 3), dtype=np.float32)
    matrix._update({(0, 1): 2.0, (2, 2): 5.0})
    np.testing.assert_array_equal(matrix.toarray(), [[0, 2, 0], [0, 0, 0], [0, 0, 5]])


def test_exhaustive_search_tries_every_choice_once():
    mend_recbole()
    tried = []

    def objective(trial, files):
        tried.append(trial["a"])
        return {
            "model": "m",
            "best_valid_score": trial["a"],
            "valid_score_bigger": True,
            "best_valid_result": {},
            "test_result": {},
        }

    search = hyper_tuning.HyperTuning(objective, params_dict={"choice": {"a": [1, 2, 3, 4]}}, algo="exhaustive")
    search.run()
    assert sorted(tried) == [1, 2, 3, 4]
    assert search.best_params == {"a": 4}


SITES = {
    r"\.agg\(len\)": {
        "data/dataset/dataset.py": 4,
        "data/dataset/kg_dataset.py": 1,
        "data/dataset/sequential_dataset.py": 1,
    },
    r"\]\.fillna\(.*inplace=True": {"data/dataset/dataset.py": 3},
    r"np\.random\.RandomState\(seed\)": {"trainer/hyper_tuning.py": 1},
    r"\b_update\(data_dict\)": {
        f"model/{file}.py": 1
        for file in (
            "general_recommender/gcmc",
            "general_recommender/lightgcn",
            "general_recommender/ncl",
            "general_recommender/ngcf",
            "general_recommender/spectralcf",
            "knowledge_aware_recommender/kgin",
            "knowledge_aware_recommender/mcclk",
        )
    },
    r"^(import|from) ray\b": {"quick_start/quick_start.py": 1},
}


@pytest.mark.parametrize("pattern", SITES)
def test_the_places_in_recbole_that_need_a_mend(pattern):
    """Another release of RecBole may have more of them, or fewer."""
    found = {}
    for file in RECBOLE.rglob("*.py"):
        if number := len(re.findall(pattern, file.read_text(encoding="utf-8"), flags=re.MULTILINE)):
            found[file.relative_to(RECBOLE).as_posix()] = number
    assert found == SITES[pattern]


@pytest.mark.skipif(not NEW_PACKAGES, reason="these packages broke nothing")
def test_no_place_is_left():
    """What stands in RecBole's files is not what runs."""
    mend_recbole()
    for owner in (Dataset, KnowledgeBasedDataset, SequentialDataset):
        for name, function in vars(owner).items():
            if inspect.isfunction(function) and "agg" in function.__code__.co_names:
                assert "len" not in function.__code__.co_names or "map" in function.__code__.co_names, (owner, name)
    assert "RandomState" not in hyper_tuning.exhaustive_search.__code__.co_names


def test_a_changed_source_keeps_its_lines(tmp_path, monkeypatch):
    """Tracebacks show RecBole's own file and line; what is not there is passed over."""
    text = "class Owner:\n    factor = 2\n\n    @staticmethod\n    def double(x):\n        return x * 2\n\n\n"
    text += "def fails(x):\n    y = x.agg(len)\n    raise ValueError(y)\n"
    (tmp_path / "theirs.py").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    import theirs

    before = theirs.fails
    changed_source("theirs:fails", {"not there": "anything"})()
    assert theirs.fails is before
    changed_source("theirs:fails", {"x.agg(len)": "len(x)"})()
    with pytest.raises(ValueError, match="3") as caught:
        theirs.fails([1, 2, 3])
    assert caught.traceback[-1].lineno + 1 == 11
    assert caught.traceback[-1].path == tmp_path / "theirs.py"
    del sys.modules["theirs"]


def test_nothing_is_touched_where_nothing_is_broken(monkeypatch):
    touched = []
    sound = [recbole_compat.Mend("x 1.0", "nothing", lambda: False, lambda: touched.append(1))]
    monkeypatch.setattr(recbole_compat, "MENDS", sound)
    assert mend_recbole.__wrapped__() == ()
    assert not touched


def test_the_table_in_the_docs_has_them_all():
    text = (ROOT / "docs" / "recbole.md").read_text(encoding="utf-8")
    for mend in MENDS:
        assert f"| {mend.broken_by} | {mend.what} |" in text


def test_ray_is_not_needed(settings, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    monkeypatch.delitem(sys.modules, "recbole.quick_start", raising=False)
    run_recbole_decrs("Pop", "tiny", config_dict=settings)
    assert "recbole.quick_start" not in sys.modules


def test_frames_with_text_in_pyarrow(prepared):
    """With pyarrow, pandas 3 keeps text in its arrays; numbers and tokens are the same."""
    pytest.importorskip("pyarrow")
    _, train_data, *_ = prepared()
    with pd.option_context("mode.string_storage", "python"):
        _, in_python, *_ = prepared()
    one, other = train_data.dataset, in_python.dataset
    assert one.fingerprint == other.fingerprint


def test_no_model_turns_on_the_detection_of_anomalies():
    """In a process of its own, since RecBole's SINE turns it on when it is imported first."""
    code = (
        "import torch; from recbole_decrs.model.catalogue import find_model;"
        "[find_model(name) for name in ('DecFM', 'DecSASRec', 'SINE')]; assert not torch.is_anomaly_enabled()"
    )
    subprocess.run([sys.executable, "-W", "ignore", "-c", code], check=True)
