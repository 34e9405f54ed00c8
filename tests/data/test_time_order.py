"""Clicks are in the order of time, whatever their times are as float32; or in none where they have no times."""

import logging
from functools import partial
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from recbole_decrs import DecRSError, load_data_and_model, run_recbole_decrs
from recbole_decrs.data.time_order import places_by_time
from tiny_data import tiny_tables, write_tables


def test_close_times_are_told_apart(data_folder, prepared):
    """Times 1 s apart are one and the same in float32; the last click in time must be in the test part."""
    tables = tiny_tables()
    test_data = prepared()[3]
    last = tables["inter"].sort_values("timestamp:float").groupby("user_id:token")["item_id:token"].last()
    part = test_data.dataset
    for user, item in last.items():
        row = part.field2token_id["user_id"][user]
        assert part.field2token_id["item_id"][item] in test_data.uid2positive_item[row]


def test_a_moment_parts_close_times(prepared):
    """With split TS the test has what is later than the moment, be it by a second."""
    clicks = tiny_tables()["inter"]
    moment = np.percentile(clicks["timestamp:float"], 75)
    loaders = prepared(eval_args={"split": {"TS": [0.5, 0.25, 0.25]}})[1:]
    of_parts = []
    for loader in loaders:
        part = loader.dataset
        ids = [part.id2token(name, part.inter_feat[name].numpy()) for name in ("user_id", "item_id")]
        of_parts.append(set(zip(*map(list, ids), strict=True)))
    users, items = clicks["user_id:token"], clicks["item_id:token"]
    is_late = clicks["timestamp:float"] > moment
    assert of_parts[2] == set(zip(users[is_late], items[is_late], strict=True))
    for _, rows in clicks[~is_late].sort_values("timestamp:float").groupby("user_id:token"):
        pairs = list(zip(rows["user_id:token"], rows["item_id:token"], strict=True))
        n_training = int(len(pairs) * (0.5 / 0.75))
        assert set(pairs[:n_training]) <= of_parts[0]
        assert set(pairs[n_training:]) <= of_parts[1]


def test_the_helper_column_is_gone(prepared):
    for loader in prepared()[1:]:
        assert set(loader.dataset.inter_feat.columns) == {"user_id", "item_id", "rating", "timestamp"}
        assert not [field for field in loader.dataset.field2type if field.startswith("decrs")]


def test_without_time_a_plain_model_is_split_at_random(tmp_path, prepared, caplog):
    tables = tiny_tables()
    del tables["inter"]["timestamp:float"]
    write_tables(tmp_path / "data", tables)
    with pytest.raises(DecRSError, match=r"load_col: .*tiny\.inter has no column timestamp"):
        prepared("BPR")
    prepared = partial(prepared, load_col=None)
    with caplog.at_level(logging.WARNING):
        _, train_data, *_ = prepared("BPR")
    assert "split at random, not by time" in caplog.text
    assert train_data.dataset.confounder.drift is None
    for config in (train_data.config, train_data.dataset.config):
        assert (config["eval_args"]["order"], config.settings["eval_args"]["order"]) == ("RO", "RO")
    with pytest.raises(DecRSError, match="fused inference needs the drift"):
        prepared("DecFM")
    assert prepared("DecFM", fusion_weight=0.5)[1].dataset.confounder.drift is None
    assert prepared("DecFM", inference="deconfounded")[1].dataset.confounder.drift is None


def without_time():
    tables = tiny_tables()
    del tables["inter"]["timestamp:float"]
    return tables


def test_a_checkpoint_knows_that_its_clicks_have_no_time(tmp_path, settings):
    """It is read and resumed by the order of clicks that it was trained with, and not by that of the configuration."""
    write_tables(tmp_path / "data", without_time())
    settings |= {"load_col": None}
    first = run_recbole_decrs("BPR", "tiny", config_dict=settings)
    config, _, _, train_data, *_ = load_data_and_model(first["saved_model_file"])
    assert config.settings["eval_args"]["order"] == train_data.config["eval_args"]["order"] == "RO"
    again = run_recbole_decrs("BPR", "tiny", config_dict=settings | {"resume": "auto"})
    assert (again["saved_model_file"], again["test_result"]) == (first["saved_model_file"], first["test_result"])


def test_the_order_of_time_that_a_user_asks_for_and_there_is_none(tmp_path, prepared):
    write_tables(tmp_path / "data", without_time())
    with pytest.raises(DecRSError, match=r"eval_args asks for the order of time \(TO\), but the .inter file of tiny"):
        prepared("BPR", load_col=None, eval_args={"order": "TO"})


@pytest.mark.parametrize("buckets", [False, True])
def test_places_by_time(buckets):
    """As a numerical feature that is made discrete, a time is an array with the number of its bucket."""
    times = [3e9, 1e9 + 1, 1e9, 3e9, 2]
    cells = [np.array([time, 1.0]) for time in times] if buckets else times
    dataset = SimpleNamespace(inter_feat=pd.DataFrame({"time": cells}), time_field="time")
    assert places_by_time(dataset).tolist() == [4, 2, 1, 0, 3]
