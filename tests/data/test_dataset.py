import logging
from functools import partial

import numpy as np
import pandas as pd
import pytest
from recbole.config import Config
from recbole.data import create_dataset as recbole_create_dataset
from recbole.data import data_preparation as recbole_data_preparation

from recbole_decrs import DecRSError
from recbole_decrs.config import DecRSConfig
from recbole_decrs.data.preparation import create_dataset, data_preparation
from tiny_data import GENRES, tiny_tables, write_tables


def part_tables(train_data, tables):
    """The training clicks as tokens, in the order of time."""
    part = train_data.dataset
    users = part.field2id_token["user_id"][part.inter_feat["user_id"].numpy()]
    items = part.field2id_token["item_id"][part.inter_feat["item_id"].numpy()]
    clicks = pd.DataFrame({"user_id:token": users, "item_id:token": items})
    return clicks.merge(tables["inter"]).sort_values("timestamp:float", kind="stable")


def q_of(tables):
    listed = tables["item"].set_index("item_id:token")["genre:token_seq"].str.split()
    return {item: np.array([(g in names) / len(names) for g in GENRES]) for item, names in listed.items()}


def test_confounder_by_hand(prepared):
    """d_u, d-bar and eta_u from the tables, by loops over tokens."""
    tables = tiny_tables()
    _, train_data, *_ = prepared()
    confounder = train_data.dataset.confounder
    order = [confounder.group_names.index(genre) for genre in GENRES]
    q, clicks = q_of(tables), part_tables(train_data, tables)
    user_ids = train_data.dataset.field2token_id["user_id"]
    np.testing.assert_allclose(confounder.prior[order], np.mean([q[i] for i in clicks["item_id:token"]], axis=0))
    for user, history in clicks.groupby("user_id:token")["item_id:token"]:
        rows = [q[item] for item in history]
        row = user_ids[user]
        np.testing.assert_allclose(confounder.user_distribution[row][order], np.mean(rows, axis=0))
        half = len(rows) // 2
        first, second = np.mean(rows[:half], axis=0), np.mean(rows[half:], axis=0)
        eta = sum(
            p * np.log(p / (0.99 * r + 0.01 * p))
            for a, b in ((first, second), (second, first))
            for p, r in zip(a, b, strict=True)
            if p >= 1e-5
        )
        assert confounder.drift[row] == pytest.approx(eta)
    assert not confounder.membership[0].any()
    assert not confounder.user_distribution[0].any()
    assert confounder.drift[0] == 0


ONE_DRIFT = "all users of tiny have the same drift eta_u, as they do where all items have one group, so that by Eq. 12 "
CONVENTIONAL = "every weight is 0, and the fused ranking equals the conventional one"


@pytest.mark.parametrize(
    ("others", "what"),
    [
        ({}, CONVENTIONAL),
        ({"drift_alpha": 0}, "every weight is 1 where alpha is 0, and the fused ranking equals the deconfounded one"),
        (
            {"drift_alpha": "auto", "drift_alpha_grid": [0, 1]},
            f"{CONVENTIONAL}; it is 1 where alpha is 0, and the fused ranking equals the deconfounded one",
        ),
        ({"fusion_weight": 0.5}, None),
        ({"inference": "deconfounded"}, None),
        ({"model": "FM"}, None),
    ],
)
def test_items_of_one_group_give_everyone_the_same_weight(tmp_path, prepared, caplog, others, what):
    tables = tiny_tables()
    tables["item"]["genre:token_seq"] = "Drama"
    write_tables(tmp_path / "data", tables)
    with caplog.at_level(logging.WARNING):
        _, train_data, *_ = prepared(**others)
    said = [record.getMessage() for record in caplog.records if "drift" in record.getMessage()]
    assert said == ([] if what is None else [ONE_DRIFT + what])
    confounder = train_data.dataset.confounder
    assert confounder.one_drift
    assert set(confounder.normalized_drift(0.2)[1:]) == {0}
    assert set(confounder.normalized_drift(0)[1:]) == {1}


def test_several_groups_are_no_matter_for_a_warning(prepared, caplog):
    with caplog.at_level(logging.WARNING):
        assert not prepared()[1].dataset.confounder.one_drift
    assert "drift" not in caplog.text


def test_drift_history_with_validation(prepared):
    alone = prepared()[1].dataset.confounder
    both = prepared(drift_history="train+valid")[1].dataset.confounder
    np.testing.assert_array_equal(alone.user_distribution, both.user_distribution)
    assert not np.allclose(alone.drift, both.drift)


def test_close_times_are_told_apart(data_folder, prepared):
    """Times 1 s apart are one and the same in float32; the last click in time must be in the test part."""
    tables = tiny_tables()
    test_data = prepared()[3]
    last = tables["inter"].sort_values("timestamp:float").groupby("user_id:token")["item_id:token"].last()
    part = test_data.dataset
    for user, item in last.items():
        row = part.field2token_id["user_id"][user]
        assert part.field2token_id["item_id"][item] in test_data.uid2positive_item[row]


def test_the_helper_column_is_gone(prepared):
    for loader in prepared()[1:]:
        assert set(loader.dataset.inter_feat.columns) == {"user_id", "item_id", "rating", "timestamp"}
        assert not [field for field in loader.dataset.field2type if field.startswith("decrs")]


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


@pytest.mark.parametrize("field", ["first_genre", "weights"])
def test_other_types_of_group_field(prepared, field):
    """The field need not be among the loaded features."""
    confounder = prepared(group_field=field)[1].dataset.confounder
    assert len(confounder.group_names) == (4 if field == "first_genre" else 3)
    np.testing.assert_allclose(confounder.membership[1:].sum(axis=1), 1)


def test_groups_are_read_even_if_recbole_drops_the_column(prepared):
    kept = prepared()[1].dataset.confounder
    dropped = prepared(unused_col={"item": ["genre"]})[1].dataset
    assert "genre" not in dropped.field2type
    np.testing.assert_array_equal(kept.membership, dropped.confounder.membership)


def test_group_names_are_recboles_tokens(prepared):
    dataset = prepared()[1].dataset
    assert list(dataset.confounder.group_names) == list(dataset.field2id_token["genre"][1:])


def test_groupless_items_are_counted(tmp_path, settings, prepared, caplog):
    tables = tiny_tables()
    tables["item"].loc[:2, "genre:token_seq"] = ""
    write_tables(tmp_path / "data", tables)
    with caplog.at_level(logging.WARNING):
        confounder = prepared()[1].dataset.confounder
    assert "3 of 30 items have no value in the group field genre" in caplog.text
    assert (confounder.membership[1:].sum(axis=1) == 0).sum() == 3


def test_benchmark_files(tmp_path, prepared, caplog):
    tables = tiny_tables()
    inter = tables.pop("inter")
    for name, part in (("train", inter[:200]), ("valid", inter[200:240]), ("test", inter[240:])):
        tables[f"{name}.inter"] = part.sample(frac=1, random_state=0)
    write_tables(tmp_path / "data", tables)
    with caplog.at_level(logging.WARNING):
        _, train_data, *_ = prepared(benchmark_filename=["train", "valid", "test"], val_interval={"rating": "[4,inf)"})
    assert "val_interval, user_inter_num_interval and item_inter_num_interval do not apply" in caplog.text
    assert len(train_data.dataset) == 200
    shuffled = train_data.dataset.confounder
    tables["train.inter"] = inter[:200]
    write_tables(tmp_path / "data", tables)
    _, train_data, *_ = prepared(benchmark_filename=["train", "valid", "test"])
    in_order = train_data.dataset.confounder
    np.testing.assert_allclose(np.sort(shuffled.drift), np.sort(in_order.drift))


def test_without_time_a_plain_model_is_split_at_random(tmp_path, prepared, caplog):
    tables = tiny_tables()
    del tables["inter"]["timestamp:float"]
    write_tables(tmp_path / "data", tables)
    with pytest.raises(DecRSError, match=r"load_col: .*tiny\.inter has no column timestamp"):
        prepared("BPR")
    prepared = partial(prepared, load_col=None)
    with caplog.at_level(logging.WARNING):
        config, train_data, *_ = prepared("BPR")
    assert "split at random, not by time" in caplog.text
    assert train_data.dataset.confounder.drift is None
    assert config.settings["eval_args"]["order"] == "RO"
    with pytest.raises(DecRSError, match="fused inference needs the drift"):
        prepared("DecFM")
    assert prepared("DecFM", fusion_weight=0.5)[1].dataset.confounder.drift is None
    assert prepared("DecFM", inference="deconfounded")[1].dataset.confounder.drift is None


def test_untrained_candidates(prepared):
    _, train_data, valid_data, test_data = prepared(test_candidates="untrained")
    unseen = prepared(test_candidates="unseen")[3]
    trained = train_data.dataset.inter_matrix(form="csr")
    for user in test_data.uid_list.tolist():
        masked = set(test_data.uid2history_item[user].tolist())
        assert masked == set(trained[user].indices.tolist()) - set(test_data.uid2positive_item[user].tolist())
        assert set(unseen.uid2history_item[user].tolist()) == masked | set(valid_data.uid2positive_item[user].tolist())


def test_labels_below_the_threshold_are_no_clicks(tmp_path, prepared):
    tables = tiny_tables()
    tables["inter"]["rating:float"] = np.arange(len(tables["inter"])) % 2
    write_tables(tmp_path / "data", tables)
    eval_args = {"order": "RO", "mode": "labeled"}
    labelled = {"threshold": {"rating": 1}, "metrics": ["AUC"], "valid_metric": "AUC", "eval_args": eval_args}
    dataset = prepared("FM", train_neg_sample_args=None, **labelled)[1].dataset
    assert dataset.confounder.n_clicks.sum() == dataset.inter_feat["label"].sum()


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


def test_rows_without_a_time(tmp_path, prepared):
    tables = tiny_tables()
    tables["inter"].loc[3:5, "timestamp:float"] = None
    write_tables(tmp_path / "data", tables)
    with pytest.raises(DecRSError, match="3 rows of the .inter file of tiny have no timestamp"):
        prepared()


def test_the_fingerprint_knows_features_and_every_part(tmp_path, prepared):
    first = prepared()[1].dataset.fingerprint
    assert prepared()[1].dataset.fingerprint == first
    tables = tiny_tables()
    write_tables(tmp_path / "data", tables | {"user": tables["user"].iloc[::-1]})
    assert prepared()[1].dataset.fingerprint != first
    last = tables["inter"].groupby("user_id:token")["timestamp:float"].idxmax().iloc[0]
    write_tables(tmp_path / "data", tables | {"inter": tables["inter"].drop(index=last)})
    assert prepared()[1].dataset.fingerprint != first


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


@pytest.mark.parametrize("model", ["BPR", "DecFM"])
def test_files_that_are_split_may_lack_the_columns_that_chose_their_clicks(tmp_path, model):
    """As the paper's split of ML-1M does, whose whole file has ratings, which the plugin's YAML of it names."""
    tables = tiny_tables()
    inter = tables["inter"].drop(columns="rating:float")
    parts = {
        f"{name}.inter": inter[inter.index % 12 // 4 == place] for place, name in enumerate(("train", "valid", "test"))
    }
    user = tables["user"][["user_id:token"]].assign(
        **{f"{name}:token": "a" for name in ("age", "gender", "occupation")}
    )
    whole = {**parts, "user": user.assign(**{"zip_code:token": "z"}), "item": tables["item"]}
    write_tables(tmp_path / "data", whole, "ml-1m")
    config = DecRSConfig(
        model,
        "ml-1m",
        config_dict={"data_path": str(tmp_path / "data"), "benchmark_filename": ["train", "valid", "test"]},
    )
    train_data, *_ = data_preparation(config, create_dataset(config))
    assert train_data._dataset.field2type.keys() >= {"user_id", "item_id", "timestamp", "genre", "age"}
    assert "rating" not in train_data._dataset.field2type
