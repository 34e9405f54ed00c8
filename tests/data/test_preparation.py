import logging

import numpy as np
import pytest

from recbole_decrs import DecRSError
from recbole_decrs.config import DecRSConfig
from recbole_decrs.data.preparation import create_dataset
from tiny_data import tiny_tables, write_tables


def test_saved_datasets_are_not_unpickled_unasked(tmp_path, prepared):
    (tmp_path / "saved").mkdir()
    for name in ("tiny-Dataset.pth", "tiny-DecRSDataset.pth", "tiny-for-DecFM-dataloader.pth"):
        (tmp_path / "saved" / name).write_bytes(b"cos\nsystem\n(S'touch unpickled'\ntR.")
    prepared()
    assert not (tmp_path / "unpickled").exists()


def test_saved_dataset_is_used_when_asked(tmp_path, prepared):
    prepared(save_dataset=True)
    path = tmp_path / "saved" / "tiny-DecRSDataset.pth"
    assert path.is_file()
    first = prepared()[1].dataset.confounder
    again = prepared(dataset_save_path=str(path))[1].dataset.confounder
    np.testing.assert_array_equal(first.drift, again.drift)


def test_a_saved_dataset_with_other_settings_is_passed_over(tmp_path, settings, prepared, caplog):
    write_tables(tmp_path / "data", tiny_tables(n_users=30), name="other")
    prepared(save_dataset=True)
    path = tmp_path / "saved" / "tiny-DecRSDataset.pth"
    others = {"dataset_save_path": str(path)}
    assert create_dataset(DecRSConfig("DecFM", "other", config_dict=settings | others)).user_num == 31
    assert "tiny-DecRSDataset.pth was made with another dataset, and is passed over" in caplog.text
    prepared(**others, numerical_features=["height"])
    assert "was made with another numerical_features, and is passed over" in caplog.text


def test_saved_loaders_are_whole(tmp_path, prepared):
    prepared(save_dataloaders=True)
    saved = tmp_path / "saved" / "tiny-for-DecFM-dataloader.pth"
    train_data = prepared(dataloaders_save_path=str(saved))[1]
    assert train_data.dataset.confounder.drift is not None
    assert prepared(save_dataloaders=True)[1].generator is not None
    (tmp_path / "bad").write_bytes(b"bad")
    with pytest.raises(DecRSError, match="dataloaders_save_path: bad does not hold loaders"):
        prepared(dataloaders_save_path="bad")
    with pytest.raises(DecRSError, match="dataset_save_path: bad is not a dataset"):
        prepared(dataset_save_path="bad")


def test_what_the_data_change_of_a_configuration_keeps_no_saved_data_from_use(tmp_path, prepared, caplog):
    """Values of tokens that are numbers, and a random order where there is no time."""
    tables = tiny_tables()
    tables["user"]["gender:token"] = (np.arange(24) % 2).astype(str)
    del tables["inter"]["timestamp:float"]
    write_tables(tmp_path / "data", tables)
    others = {"load_col": None, "val_interval": {"gender": [0]}}
    first = prepared("BPR", save_dataset=True, save_dataloaders=True, **others)[1].dataset.fingerprint
    names = {"dataset_save_path": "DecRSDataset", "dataloaders_save_path": "for-BPR-dataloader"}
    saved = {key: f"saved/tiny-{name}.pth" for key, name in names.items()}
    with caplog.at_level(logging.INFO):
        assert prepared("BPR", **saved, **others)[1].dataset.fingerprint == first
    assert "Load filtered dataset from" in caplog.text
    assert "Load split dataloaders from" in caplog.text


def test_untrained_candidates(prepared):
    _, train_data, valid_data, test_data = prepared(test_candidates="untrained")
    unseen = prepared(test_candidates="unseen")[3]
    trained = train_data.dataset.inter_matrix(form="csr")
    for user in test_data.uid_list.tolist():
        masked = set(test_data.uid2history_item[user].tolist())
        assert masked == set(trained[user].indices.tolist()) - set(test_data.uid2positive_item[user].tolist())
        assert set(unseen.uid2history_item[user].tolist()) == masked | set(valid_data.uid2positive_item[user].tolist())
