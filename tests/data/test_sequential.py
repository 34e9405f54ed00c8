"""The Confounder of sequential models: each click before the evaluated ones counts once."""

import logging

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import settings as settings_of_hypothesis
from hypothesis import strategies as st
from recbole.utils.case_study import full_sort_topk

from recbole_decrs import DecRSError, load_data_and_model, run_recbole_decrs
from recbole_decrs.causal.drift import symmetric_kl
from recbole_decrs.config import DecRSConfig
from recbole_decrs.data.preparation import create_dataset, data_preparation
from tiny_data import SHORT_SEQUENCES, tiny_settings, tiny_tables, write_tables


@pytest.fixture
def settings(settings):
    return settings | SHORT_SEQUENCES


def histories_of(tables):
    """The clicks of each user in the order of time but for the last two, which are evaluated.

    RecBole evaluates nothing before the third click, so of three clicks one.
    """
    clicks = tables["inter"].sort_values("timestamp:float", kind="stable")
    histories = {user: list(rows["item_id:token"]) for user, rows in clicks.groupby("user_id:token")}
    return {user: items[: max(len(items) - 2, 2)] for user, items in histories.items()}


def check(confounder, dataset, tables, histories):
    groups = {name: place for place, name in enumerate(confounder.group_names)}
    q = {}
    for item, names in tables["item"].set_index("item_id:token")["genre:token_seq"].items():
        q[item] = np.zeros(len(groups))
        for name in names.split():
            if name in groups:
                q[item][groups[name]] = 1 / len(names.split())
    totals = []
    for user, items in histories.items():
        row = dataset.field2token_id["user_id"][user]
        once = list(dict.fromkeys(items))
        rows = [q[item] for item in once]
        totals += rows
        np.testing.assert_allclose(confounder.user_distribution[row], np.mean(rows, axis=0))
        half = len(rows) // 2
        eta = symmetric_kl(np.mean(rows[:half], axis=0), np.mean(rows[half:], axis=0)) if half else 0
        assert confounder.drift[row] == pytest.approx(eta)
    np.testing.assert_allclose(confounder.prior, np.mean(totals, axis=0))


@pytest.mark.parametrize("longest", [50, 3, 1])
def test_each_click_before_the_evaluated_ones_counts_once(prepared, longest):
    tables = tiny_tables()
    _, train_data, *_ = prepared("SASRec", MAX_ITEM_LIST_LENGTH=longest)
    check(train_data.dataset.confounder, train_data.dataset, tables, histories_of(tables))


LENGTHS = st.lists(st.integers(1, 9), min_size=6, max_size=9).map(lambda lengths: [9, *lengths])


@settings_of_hypothesis(deadline=None, max_examples=30)
@given(seed=st.integers(0, 1000), lengths=LENGTHS)
def test_users_of_any_length_and_times_a_second_apart(tmp_path_factory, seed, lengths):
    """Histories of a user in the order of float64 time, where RecBole's float32 has them at the same moment."""
    rng = np.random.default_rng(seed)
    tables = tiny_tables(seed)
    rows = [
        (f"u{user}", f"i{item}", 4, 1_000_000_000 + place)
        for user, length in enumerate(lengths)
        for place, item in enumerate(rng.choice(30, size=length, replace=False))
    ]
    tables["inter"] = pd.DataFrame(rows, columns=tables["inter"].columns).sample(frac=1, random_state=seed)
    folder = write_tables(tmp_path_factory.mktemp("data"), tables)
    config = DecRSConfig("SASRec", "tiny", config_dict=tiny_settings(folder))
    train_data, *_ = data_preparation(config, create_dataset(config))
    check(train_data.dataset.confounder, train_data.dataset, tables, histories_of(tables))


def test_a_user_with_one_click_has_a_history_too(tmp_path, prepared):
    tables = tiny_tables()
    kept = (tables["inter"]["user_id:token"] != "u5") | ~tables["inter"].duplicated("user_id:token")
    tables["inter"] = tables["inter"][kept]
    write_tables(tmp_path / "data", tables)
    _, train_data, *_ = prepared("SASRec")
    histories = histories_of(tables)
    assert len(histories["u5"]) == 1
    check(train_data.dataset.confounder, train_data.dataset, tables, histories)


def test_files_with_sequences(tmp_path, settings):
    """A benchmark's rows are its author's: one a user here, where RecBole would make one a click."""
    tables = tiny_tables()
    folder = write_tables(tmp_path / "data", {key: tables[key] for key in ("user", "item")})
    clicks = tables["inter"].sort_values("timestamp:float", kind="stable")
    for part, last in (("train", 3), ("valid", 2), ("test", 1)):
        rows = []
        for user, of_user in clicks.groupby("user_id:token"):
            items = list(of_user["item_id:token"])
            rows.append((user, " ".join(items[:-last]), items[-last]))
        table = pd.DataFrame(rows, columns=["user_id:token", "item_id_list:token_seq", "item_id:token"])
        table.to_csv(folder / "tiny" / f"tiny.{part}.inter", sep="\t", index=False)
    files = {
        "benchmark_filename": ["train", "valid", "test"],
        "alias_of_item_id": ["item_id_list"],
        "load_col": {"inter": ["user_id", "item_id_list", "item_id"], "item": ["item_id", "genre"]},
        "numerical_features": [],
    }
    config = DecRSConfig("SASRec", "tiny", config_dict=settings | files)
    train_data, *_ = data_preparation(config, create_dataset(config))
    confounder, dataset = train_data.dataset.confounder, train_data.dataset
    assert confounder.n_clicks[1:].sum() == sum(map(len, histories_of(tables).values()))
    for user, items in histories_of(tables).items():
        assert confounder.n_clicks[dataset.field2token_id["user_id"][user]] == len(items)
    result = run_recbole_decrs("SASRec", "tiny", config_dict=settings | files)
    assert np.isfinite(result["test_result"]["ckl@10"])


def test_files_without_sequences_are_one_sentence(tmp_path, settings):
    clicks = tiny_tables()["inter"]
    for part, rows in (("train", clicks[::2]), ("valid", clicks[1::4]), ("test", clicks[3::4])):
        rows.to_csv(tmp_path / "data" / "tiny" / f"tiny.{part}.inter", sep="\t", index=False)
    with pytest.raises(DecRSError, match="SASRec is sequential, and the files have no column item_id_list:token_seq"):
        run_recbole_decrs("SASRec", "tiny", config_dict=settings | {"benchmark_filename": ["train", "valid", "test"]})


def test_a_run_with_everything_and_its_checkpoint(settings):
    everything = {"save_topk": 5, "save_user_metrics": True, "reranker": "calibration", "reranker_lambda": 0.5}
    result = run_recbole_decrs("GRU4Rec", "tiny", config_dict=settings | everything)
    assert result["by_drift"][0]["users"] > 0
    stem = result["saved_model_file"].removesuffix(".pth")
    lists = pd.read_csv(f"{stem}-top5.csv")
    assert list(lists.columns) == ["user_id", "item_id", "rank", "score"]
    assert len(lists) == 24 * 5
    assert pd.read_csv(f"{stem}-user-metrics.csv")["ckl@10"].mean() == pytest.approx(
        result["test_result"]["ckl@10"], abs=1e-6
    )
    config, model, _, *_, test_data = load_data_and_model(result["saved_model_file"])
    from recbole_decrs.single_trainer import trainer_for

    again = trainer_for(config)(config, model).evaluate(test_data, load_best_model=False)
    assert again == result["test_result"]


def test_several_evaluated_clicks_of_a_user_are_several_lists(settings):
    split = {"eval_args": {"split": {"RS": [0.6, 0.2, 0.2]}}, "save_topk": 5, "save_user_metrics": True}
    result = run_recbole_decrs("SASRec", "tiny", config_dict=settings | split)
    assert result["by_drift"][0]["users"] <= 24
    stem = result["saved_model_file"].removesuffix(".pth")
    lists, metrics = pd.read_csv(f"{stem}-top5.csv"), pd.read_csv(f"{stem}-user-metrics.csv")
    assert set(lists["list"]) == set(metrics["list"]) == {1, 2}
    assert not lists.duplicated(["user_id", "list", "rank"]).any()
    assert metrics["recall@10"].mean() == pytest.approx(result["test_result"]["recall@10"], abs=1e-6)


@pytest.mark.parametrize("changed", [{}, {"confounder_prior": "user"}, {"backdoor_operator": "product"}])
def test_decsasrec(settings, changed):
    result = run_recbole_decrs("DecSASRec", "tiny", config_dict=settings | changed)
    assert {"conventional_test_result", "deconfounded_test_result"} <= result.keys()
    config, model, *_, test_data = load_data_and_model(result["saved_model_file"])
    interaction = next(iter(test_data))[0]
    items = interaction[config["ITEM_ID_FIELD"]]
    half = model.deconfounded.eval()
    scores = half.full_sort_predict(interaction)[range(len(items)), items]
    np.testing.assert_allclose(scores.detach(), half.predict(interaction).detach(), atol=1e-5)
    sequence = super(type(half), half).forward(interaction["item_id_list"], interaction["item_length"])
    group_level = half.backdoor(sequence.unsqueeze(1), interaction["user_id"])
    by_hand = (0.5 * sequence + 0.5 * group_level) @ half.item_embedding.weight.T
    np.testing.assert_allclose(half.full_sort_predict(interaction).detach(), by_hand.detach(), atol=1e-5)


def test_lists_by_recboles_case_study(settings):
    result = run_recbole_decrs("DecSASRec", "tiny", config_dict=settings | {"save_topk": 5})
    _, model, dataset, *_, test_data = load_data_and_model(result["saved_model_file"])
    users = dataset.token2id("user_id", ["u1", "u2"])
    _, items = full_sort_topk(users, model.eval(), test_data, k=5)
    lists = pd.read_csv(result["saved_model_file"].removesuffix(".pth") + "-top5.csv")
    for user, row in zip(["u1", "u2"], items.tolist(), strict=True):
        assert list(lists[lists["user_id"] == user]["item_id"]) == list(dataset.id2token("item_id", row))


def test_scores_of_a_softmax_are_fused_as_its_probabilities(settings):
    result = run_recbole_decrs("DecSASRec", "tiny", config_dict=settings)
    _, model, *_, test_data = load_data_and_model(result["saved_model_file"])
    model.eval()
    interaction = next(iter(test_data))[0]
    one, other = (half.model.full_sort_predict(interaction).softmax(dim=1) for half in model.halves)
    weight = model.weight[interaction["user_id"]].unsqueeze(1)
    expected = (1 - weight) * one + weight * other
    np.testing.assert_allclose(model.full_sort_predict(interaction).detach(), expected.detach(), rtol=1e-5)


@pytest.mark.parametrize("model", ["DIN", "DIEN"])
def test_full_sort_of_pairs(settings, model):
    """RecBole's path repeats every sequence for every item; ours gives the same scores."""
    full_sort = {"epochs": 1, "eval_args": {"mode": "full"}}
    result = run_recbole_decrs(model, "tiny", config_dict=settings | full_sort)
    _, loaded, dataset, *_, test_data = load_data_and_model(result["saved_model_file"])
    loaded.eval()
    interaction = next(iter(test_data))[0]
    scores = loaded.full_sort_predict(interaction)
    assert scores.shape == (len(interaction), dataset.item_num)
    for item in (1, dataset.item_num - 1):
        interaction.interaction["item_id"][:] = item
        np.testing.assert_allclose(scores[:, item].detach(), loaded.predict(interaction).detach(), atol=1e-6)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"TIME_FIELD": "clock"}, "TIME_FIELD: .* has no column clock"),
        ({"eval_args": {"order": "RO"}}, "SASRec is sequential, so order must be TO"),
        (
            {"model": "DecSASRec", "eval_args": {"mode": "uni10"}},
            "need full sort, and eval_args samples candidates; set fusion_on: logit",
        ),
        ({"MAX_ITEM_LIST_LENGTH": 0}, "MAX_ITEM_LIST_LENGTH must be a whole number >= 1, not 0"),
        ({"model": "GRU4RecF", "selected_features": ["gender"]}, "selected_features: GRU4RecF takes the item feature"),
        ({"model": "FDSA"}, "takes the item feature class, which load_col does not load .* .genre, price."),
        (
            {"model": "S3Rec", "item_attribute": "genre", "train_stage": "finetune"},
            "pre_model_path: there is no file",
        ),
        ({"model": "DecGRU4Rec"}, "there is no DecGRU4Rec: .* none of those with late fusion"),
    ],
)
def test_what_does_not_go_is_one_sentence(settings, changed, message):
    with pytest.raises(DecRSError, match=message):
        run_recbole_decrs(changed.pop("model", "SASRec"), "tiny", config_dict=settings | changed)


def test_users_without_a_group_are_counted_once(tmp_path, settings, caplog):
    tables = tiny_tables()
    shown = set(tables["inter"][tables["inter"]["user_id:token"] == "u0"]["item_id:token"])
    tables["item"].loc[tables["item"]["item_id:token"].isin(shown), "genre:token_seq"] = ""
    write_tables(tmp_path / "data", tables)
    with caplog.at_level(logging.WARNING):
        run_recbole_decrs("SASRec", "tiny", config_dict=settings | {"eval_args": {"split": {"RS": [0.6, 0.2, 0.2]}}})
    assert "1 user has no click on a grouped item in training" in caplog.text
