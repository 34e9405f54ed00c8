"""What M sees in training, and what when ranking."""

from pathlib import Path

import numpy as np
import pytest
import torch
from test_full_sort import shake

from recbole_decrs import DecFM, DecNFM, DecRSError, run_recbole_decrs
from recbole_decrs.causal.history_before import history_before, recent_distribution
from recbole_decrs.data.id_loader import CLICK_ROW, IdLoader
from tiny_data import tiny_tables, write_tables

HISTORY = {"confounder_training": "history", "confounder_periods": 3, "confounder_smoothing": 2.0}


def clicks_by_time(part, tables):
    """Users, items and times of the training clicks, by their time in the files."""
    when = {
        (row["user_id:token"], row["item_id:token"]): row["timestamp:float"] for _, row in tables["inter"].iterrows()
    }
    pairs = list(zip(part.inter_feat["user_id"].tolist(), part.inter_feat["item_id"].tolist(), strict=True))
    times = [when[part.id2token("user_id", user), part.id2token("item_id", item)] for user, item in pairs]
    order = sorted(range(len(pairs)), key=lambda place: times[place])
    return order, np.array([pairs[place][0] for place in order]), np.array([pairs[place][1] for place in order])


def test_each_click_brings_the_distribution_of_those_before_it(prepared):
    """The rows that batches bring are those of the literal computation from the files."""
    config, train_data, *_ = prepared("DecFM", **HISTORY)
    part = train_data.dataset
    model = DecFM(config, part)
    order, users, items = clicks_by_time(part, tiny_tables())
    confounder = part.confounder
    before, period = history_before(users, items, confounder.membership, confounder.prior, part.user_num, 3, 2.0)
    expected = {(int(u), int(i)): before[p, u] for u, i, p in zip(users, items, period, strict=True)}
    n_rows = 0
    for batch in IdLoader(train_data, click_rows=model.click_rows):
        positives = batch["item_id"].view(-1, len(batch["user_id"]))[0]
        for user, item, row in zip(batch["user_id"], positives, batch[CLICK_ROW], strict=True):
            found = model.backdoor.prior_of_training[row].numpy()
            np.testing.assert_allclose(found, expected[int(user), int(item)], atol=1e-6)
            n_rows += 1
    assert n_rows == len(order)


@pytest.mark.parametrize("model_class", [DecFM, DecNFM])
@pytest.mark.parametrize("training", ["user", "history"])
def test_a_loss_is_that_of_a_model_with_these_distributions(prepared, model_class, training):
    """Each sample of a batch by itself, under a model whose one prior is the d that goes with it."""
    settings = {"confounder_training": training, "loss_reduction": "sum", "embedding_norm_weight": 0}
    settings |= {"dropout_prob": 0.0, "mlp_dropout_prob": None, "bi_batch_norm": False}
    config, train_data, *_ = prepared(model_class.__name__, **settings)
    model = shake(model_class(config, train_data.dataset)).train()
    for module in model.modules():
        if isinstance(module, torch.nn.BatchNorm1d):
            module.eval()
    batch = next(iter(IdLoader(train_data, click_rows=model.click_rows)))
    users, items = batch["user_id"], batch["item_id"].view(-1, len(batch["user_id"]))
    rows = batch.interaction.get(CLICK_ROW, users)
    distributions = model.backdoor.prior_of_training
    together = model.forward_ids(users, items, batch.interaction.get(CLICK_ROW))
    model.backdoor.prior_of_training = None
    for place in range(0, len(users), 7):
        model.backdoor.prior = distributions[rows[place]]
        alone = model.forward_ids(users[place : place + 1], items[:, place : place + 1])
        torch.testing.assert_close(together[:, place], alone[:, 0], rtol=1e-4, atol=1e-5)


def test_ranking_sets_d(prepared):
    config, train_data, *_ = prepared("DecFM", **HISTORY)
    model = shake(DecFM(config, train_data.dataset)).eval()
    plain_config, plain_data, *_ = prepared("DecFM")
    plain = DecFM(plain_config, plain_data.dataset).eval()
    plain.load_state_dict(model.state_dict())
    users = train_data.dataset.get_user_feature()[1:]
    assert torch.equal(model.full_sort_predict(users), plain.full_sort_predict(users))


def test_the_recent_distribution_is_that_of_the_later_half(prepared):
    config, train_data, *_ = prepared("DecFM", confounder_prior="recent", confounder_smoothing=2.0)
    part = train_data.dataset
    _, users, items = clicks_by_time(part, tiny_tables())
    expected = recent_distribution(
        users, items, part.confounder.membership, part.confounder.prior, part.user_num, smoothing=2.0
    )
    np.testing.assert_allclose(DecFM(config, part).backdoor.prior.numpy(), expected, atol=1e-6)


@pytest.mark.parametrize("model", ["DecFM", "DecNFM"])
def test_runs_and_resumes(settings, model):
    result = run_recbole_decrs(model, "tiny", config_dict=settings | HISTORY)
    assert 0 < result["test_result"]["recall@10"] <= 1
    other = run_recbole_decrs(model, "tiny", config_dict=settings)
    assert other["deconfounded_test_result"] != result["deconfounded_test_result"]
    again = run_recbole_decrs(model, "tiny", config_dict=settings | HISTORY | {"resume": "auto"})
    assert again["test_result"] == result["test_result"]


@pytest.mark.parametrize("model", ["DecBPR", "DecDeepFM"])
def test_models_that_do_not_train_by_ids(settings, model):
    with pytest.raises(DecRSError, match=f"of FM's and NFM's twins its d, and {model} is not trained by single clicks"):
        run_recbole_decrs(model, "tiny", config_dict=settings | HISTORY)
    result = run_recbole_decrs(model, "tiny", config_dict=settings | {"confounder_training": "user", "epochs": 1})
    assert 0 < result["test_result"]["recall@10"] <= 1


def test_batches_without_rows(settings):
    others = HISTORY | {"train_neg_sample_args": {"distribution": "popularity", "sample_num": 1}}
    with pytest.raises(DecRSError, match="history goes with training by ids, and train_neg_sample_args is"):
        run_recbole_decrs("DecFM", "tiny", config_dict=settings | others)
    assert not list(Path().glob("saved/*.pth"))  # the conventional recommender has not been trained for nothing


def test_clicks_without_a_time(tmp_path, settings):
    tables = tiny_tables()
    tables["inter"] = tables["inter"].drop(columns="timestamp:float")
    write_tables(tmp_path / "data", tables)
    untimed = {"fusion_weight": 0.5, "load_col": {"inter": ["user_id", "item_id"], "item": ["item_id", "genre"]}}
    untimed |= {"numerical_features": []}
    for key in ("confounder_training: history", "confounder_prior: recent"):
        name, value = key.split(": ")
        with pytest.raises(DecRSError, match=f"^{key} needs the order of the clicks, and tiny has no times"):
            run_recbole_decrs("DecFM", "tiny", config_dict=settings | untimed | {name: value})


def test_one_free_vector_has_no_distributions(settings):
    others = {"confounder_prior": "learned", "confounder_training": "user"}
    with pytest.raises(DecRSError, match="learned is one vector in training and ranking alike, so confounder_training"):
        run_recbole_decrs("DecFM", "tiny", config_dict=settings | others)
