import copy

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from recbole.utils import init_seed
from recbole.utils.case_study import full_sort_topk

from recbole_decrs import FM, NFM, DecFM, DecNFM, DecRSError, FusedRecommender
from recbole_decrs.causal import OPERATORS
from recbole_decrs.config import DecRSConfig
from recbole_decrs.data.id_loader import IdLoader
from recbole_decrs.data.preparation import create_dataset, data_preparation
from tiny_data import tiny_settings, tiny_tables, write_tables

MODELS = {model.__name__: model for model in (FM, NFM, DecFM, DecNFM)}


def shake(model, seed=0):
    """Random parameters and BatchNorm statistics, so that nothing cancels by being 0 or 1."""
    torch.manual_seed(seed)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_(std=0.3)
        for name, buffer in model.named_buffers():
            if name.endswith("running_mean"):
                buffer.normal_()
            elif name.endswith("running_var"):
                buffer.uniform_(0.5, 2)
    return model.eval()


def all_pairs(model, dataset):
    """``predict`` on every (user, item) pair."""
    users, items = dataset.get_user_feature(), dataset.get_item_feature()
    pairs = users.repeat_interleave(len(items))
    pairs.update(items.repeat(len(users)))
    return model.predict(pairs).view(len(users), len(items))


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("operator", ["fm", "product"])
@torch.no_grad()
def test_closed_form_equals_predict(prepared, name, operator):
    config, train_data, *_ = prepared(name, backdoor_operator=operator, bi_batch_norm=True)
    dataset = train_data.dataset
    model = shake(MODELS[name](config, dataset))
    scores = model.full_sort_predict(dataset.get_user_feature())
    torch.testing.assert_close(scores, all_pairs(model, dataset), atol=1e-5, rtol=0)


@pytest.mark.parametrize("scale", ["probability", "logit"])
@pytest.mark.parametrize("inference", ["fused", "deconfounded", "conventional"])
@torch.no_grad()
def test_fused_closed_form_equals_predict(prepared, scale, inference):
    config, train_data, *_ = prepared("DecFM", fusion_on=scale, inference=inference)
    dataset = train_data.dataset
    model = shake(FusedRecommender(config, dataset))
    model.set_weight(dataset.confounder.normalized_drift(0.5))
    scores = model.full_sort_predict(dataset.get_user_feature())
    torch.testing.assert_close(scores, all_pairs(model, dataset), atol=1e-5, rtol=1e-5)


@st.composite
def schemas(draw):
    """Which columns of each type the users and the items have, and which of them RecBole embeds."""
    columns = {
        "user": {"gender": "token", "jobs": "token_seq", "height": "float", "taste": "float_seq"},
        "item": {"genre": "token_seq", "first_genre": "token", "price": "float", "weights": "float_seq"},
    }
    return {side: draw(st.sets(st.sampled_from(sorted(fields)))) for side, fields in columns.items()}


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    schema=schemas(),
    name=st.sampled_from(sorted(MODELS)),
    operator=st.sampled_from(OPERATORS),
    group_features=st.sampled_from(["pooled", "separate"]),
    seed=st.integers(0, 99),
)
def test_closed_form_and_training_by_ids_on_random_schemas(tmp_path, schema, name, operator, group_features, seed):
    tables = tiny_tables(seed, n_users=6, n_items=8, n_clicks=5)
    rng = np.random.default_rng(seed)
    tables["user"]["taste:float_seq"] = [
        " ".join(map(str, rng.uniform(size=rng.integers(1, 4)).round(3))) for _ in range(6)
    ]
    tables["user"].loc[0, "jobs:token_seq"] = ""
    write_tables(tmp_path / "data", tables)
    chosen = tiny_settings(
        tmp_path / "data",
        load_col={
            "inter": ["user_id", "item_id", "timestamp"],
            "user": ["user_id", *sorted(schema["user"])],
            "item": ["item_id", *sorted(schema["item"])],
        },
        numerical_features=sorted((schema["user"] | schema["item"]) & {"height", "taste", "price", "weights"}),
        topk=[3],
        valid_metric="Recall@3",
        backdoor_operator=operator,
        group_features=group_features,
        dropout_prob=0.0,
        mlp_dropout_prob=None,
    )
    config = DecRSConfig(name, "tiny", config_dict=chosen)
    train_data = data_preparation(config, create_dataset(config))[0]
    dataset = train_data.dataset
    model = shake(MODELS[name](config, dataset), seed)
    with torch.no_grad():
        scores, expected = model.full_sort_predict(dataset.get_user_feature()), all_pairs(model, dataset)
    torch.testing.assert_close(scores, expected, atol=1e-5, rtol=0)
    torch.testing.assert_close(scores.topk(3).values, expected.topk(3).values, atol=1e-5, rtol=0)
    assert_same_training(model.train(), train_data)


def assert_same_training(model, train_data):
    """Loss and gradients of a batch by ids are those of the features of the same pairs."""
    batch = next(iter(IdLoader(train_data)))
    users, items, labels = batch["user_id"], batch["item_id"].view(2, -1), batch["label"]
    pairs = train_data.dataset.join(copy.deepcopy(batch))
    pairs["user_id"] = users.repeat(2)
    pairs.update(train_data.dataset.get_user_feature()[pairs["user_id"]])
    by_features, by_ids = model.forward(pairs), model.forward_ids(users, items)
    torch.testing.assert_close(by_ids.flatten(), by_features, atol=1e-5, rtol=1e-5)
    expected, found = gradients(model, by_features, labels), gradients(model, by_ids, labels)
    assert expected.keys() == found.keys()
    for parameter in expected:
        torch.testing.assert_close(found[parameter], expected[parameter], atol=2e-4, rtol=1e-4, msg=parameter)


def gradients(model, logits, labels):
    model.zero_grad()
    model.loss(logits.flatten(), labels).backward()
    return {name: parameter.grad.clone() for name, parameter in model.named_parameters() if parameter.grad is not None}


@torch.no_grad()
def test_a_changed_parameter_is_seen(prepared):
    config, train_data, *_ = prepared("DecFM")
    dataset = train_data.dataset
    model = shake(MODELS["DecFM"](config, dataset))
    users = dataset.get_user_feature()
    before = model.full_sort_predict(users)
    model.token_embedding_table.embedding.weight.add_(0.1)
    after = model.full_sort_predict(users)
    assert not torch.allclose(before, after)
    torch.testing.assert_close(after, all_pairs(model, dataset), atol=1e-5, rtol=0)


@torch.no_grad()
def test_metrics_are_those_of_recboles_own_path(prepared, monkeypatch):
    from recbole_decrs.single_trainer import trainer_for

    config, train_data, _, test_data = prepared("DecNFM", metrics=["Recall", "NDCG", "CKL", "MRR"])
    init_seed(3, True)
    model = shake(DecNFM(config, train_data.dataset))
    trainer = trainer_for(config)(config, model)
    ours = trainer.evaluate(test_data, load_best_model=False)
    lists = full_sort_topk([1, 5], model, test_data, 5)[1]
    for users in ([0], [99], [-1], [], ["u1"]):
        with pytest.raises(DecRSError, match="full_sort_scores takes ids of users, 1 to 24 of tiny"):
            full_sort_topk(users, model, test_data, 5)

    def not_implemented(self, interaction):
        raise NotImplementedError

    monkeypatch.setattr(DecNFM, "full_sort_predict", not_implemented)
    assert trainer.evaluate(test_data, load_best_model=False) == ours
    assert torch.equal(full_sort_topk([1, 5], model, test_data, 5)[1], lists)


def test_features_are_not_in_the_checkpoint(prepared):
    config, train_data, *_ = prepared("DecFM")
    assert not [
        name for name in DecFM(config, train_data.dataset).state_dict() if "feature" in name or "no_user" in name
    ]
