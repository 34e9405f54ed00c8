import copy
import logging

import numpy as np
import pytest
from recbole.config import Config
from recbole.data import create_dataset as recbole_create_dataset
from recbole.data import data_preparation as recbole_data_preparation

from recbole_decrs.config import DecRSConfig
from recbole_decrs.data.preparation import create_dataset, data_preparation
from recbole_decrs.errors import DecRSError
from tiny_data import SHORT_SEQUENCES, tiny_tables, write_tables


def test_the_split_is_recboles(settings, monkeypatch, prepared):
    """With order RO, and whatever else the hook does, the parts are those of RecBole."""
    monkeypatch.setattr("sys.argv", ["test"])
    eval_args = {"split": {"RS": [0.8, 0.1, 0.1]}, "order": "RO", "group_by": "user", "mode": "full"}
    plain = {key: value for key, value in settings.items() if key != "group_field"}
    config = Config("BPR", "tiny", config_dict=plain | {"eval_args": eval_args, "metrics": ["Recall"]})
    from recbole.utils import init_seed

    init_seed(5, True)
    theirs = recbole_data_preparation(config, recbole_create_dataset(config))
    init_seed(5, True)
    ours = prepared("BPR", eval_args=eval_args)[1:]
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(a.dataset.inter_feat["item_id"], b.dataset.inter_feat["item_id"])


def test_benchmark_files(tmp_path, prepared, caplog):
    tables = tiny_tables()
    inter = tables.pop("inter")
    for name, part in (("train", inter[:200]), ("valid", inter[200:240]), ("test", inter[240:])):
        tables[f"{name}.inter"] = part.sample(frac=1, random_state=0)
    write_tables(tmp_path / "data", tables)
    with caplog.at_level(logging.WARNING):
        _, train_data, *_ = prepared(benchmark_filename=["train", "valid", "test"], val_interval={"rating": "[4,inf)"})
    assert "val_interval, rm_dup_inter, user_inter_num_interval and item_inter_num_interval do not apply" in caplog.text
    assert len(train_data.dataset) == 200
    shuffled = train_data.dataset.confounder
    tables["train.inter"] = inter[:200]
    write_tables(tmp_path / "data", tables)
    _, train_data, *_ = prepared(benchmark_filename=["train", "valid", "test"])
    in_order = train_data.dataset.confounder
    np.testing.assert_allclose(np.sort(shuffled.drift), np.sort(in_order.drift))
    with pytest.raises(DecRSError, match=r"there is no file .*tiny\.tset\.inter; did you mean test\?"):
        prepared(benchmark_filename=["train", "valid", "tset"])


def test_the_fingerprint_knows_features_and_every_part(tmp_path, prepared):
    first = prepared()[1].dataset.fingerprint
    assert prepared()[1].dataset.fingerprint == first
    tables = tiny_tables()
    write_tables(tmp_path / "data", tables | {"user": tables["user"].iloc[::-1]})
    assert prepared()[1].dataset.fingerprint != first
    last = tables["inter"].groupby("user_id:token")["timestamp:float"].idxmax().iloc[0]
    write_tables(tmp_path / "data", tables | {"inter": tables["inter"].drop(index=last)})
    assert prepared()[1].dataset.fingerprint != first


@pytest.mark.parametrize(
    ("model", "has_time"), [("BPR", True), ("BPR", False), ("DecFM", True), ("DecFM", False), ("SASRec", True)]
)
def test_a_configuration_does_not_change_after_it_is_made(tmp_path, settings, model, has_time):
    tables = tiny_tables()
    tables["user"]["gender:token"] = (np.arange(24) % 2).astype(str)
    if not has_time:
        del tables["inter"]["timestamp:float"]
    write_tables(tmp_path / "data", tables)
    others = {"load_col": None, "val_interval": {"gender": [0]}, "inference": "deconfounded", "loss_type": "CE"}
    config = DecRSConfig(model, "tiny", config_dict=settings | SHORT_SEQUENCES | others)
    before = copy.deepcopy([config.settings, config.final_config_dict])
    train_data, *_ = data_preparation(config, create_dataset(config))
    assert train_data.dataset.user_num == 13
    assert [config.settings, config.final_config_dict] == before
