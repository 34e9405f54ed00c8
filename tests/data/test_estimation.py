"""The Confounder of a dataset, computed again by loops over tokens, and what it lacks where the data lack it."""

import logging

import numpy as np
import pandas as pd
import pytest

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
