"""The authors' models written down from their definition: features f of a pair, each with a value x_f, v_f and w_f."""

import shutil

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from test_full_sort import all_pairs, gradients, shake

from recbole_decrs import FM, NFM, DecFM, DecNFM, DecRSError, load_data_and_model, run_recbole_decrs
from recbole_decrs.checkpoint_file import read_checkpoint, write_checkpoint
from recbole_decrs.config import DecRSConfig
from recbole_decrs.data.preparation import create_dataset, data_preparation
from recbole_decrs.dropout import QuickDropout
from tiny_data import tiny_settings, tiny_tables, write_tables

MODELS = {model.__name__: model for model in (FM, NFM, DecFM, DecNFM)}
AUTHORS = {"group_features": "separate", "embedding_norm_weight": 0.0, "bi_batch_norm": True}
NO_DROPOUT = {"dropout_prob": 0.0, "mlp_dropout_prob": 0.0}


def of_token(model, column, token_id):
    """(v, w) of the feature that a token column has in one row."""
    row = model.token_field_offsets[model.token_field_names.index(column)] + token_id
    tables = model.token_embedding_table, model.first_order_linear.token_embedding_table
    return tuple(table.embedding.weight[row] for table in tables)


def features_of(model, dataset, user, item):
    """(x, v, w) of every feature of a user, and of an item; all groups, those the item is not in with value 0."""
    column = dataset.config["group_field"]
    place = model.token_seq_field_names.index(column)
    tables = model.token_seq_embedding_table[place].weight, model.first_order_linear.token_seq_embedding_table[place]
    confounder = dataset.confounder
    of_user = [(1.0, *of_token(model, "user_id", user))]
    of_user.append((1.0, *of_token(model, "gender", int(dataset.user_feat["gender"][user]))))
    of_item = [(1.0, *of_token(model, "item_id", item))]
    for name, share in zip(confounder.group_names, confounder.membership[item], strict=True):
        token_id = dataset.token2id(column, name)
        of_item.append((float(share), tables[0][token_id], tables[1].weight[token_id]))
    return of_user, of_item


def bi_interaction(vectors):
    """Sum over pairs a < b of the products of their dimensions."""
    pairs = [one * other for place, one in enumerate(vectors) for other in vectors[:place]]
    return sum(pairs, torch.zeros_like(vectors[0]))


def batch_norm(model, layer, values):
    mean, variance = layer.running_mean, layer.running_var
    if model.training:
        mean, variance = values.mean(dim=0), values.var(dim=0, correction=0)
    return (values - mean) / torch.sqrt(variance + layer.eps) * layer.weight + layer.bias


def literal(model, dataset, config, users, items):
    """Logits of the pairs."""
    vectors, first_order = [], []
    for user, item in zip(users, items, strict=True):
        of_user, of_item = features_of(model, dataset, user, item)
        weighted = [x * v for x, v, _ in of_user + of_item]
        if hasattr(model, "backdoor"):  # M(d-bar, u): the same of the user's features and the groups
            groups = zip(model.backdoor.prior, model.backdoor.group_embeddings, strict=True)
            weighted.append(bi_interaction([x * v for x, v, _ in of_user] + [share * v for share, v in groups]))
        vectors.append(bi_interaction(weighted))
        first_order.append(model.first_order_linear.bias[0] + sum(x * w[0] for x, _, w in of_user + of_item))

    def dropout(values, probability):
        return QuickDropout(probability).train(model.training)(values)

    values = dropout(batch_norm(model, model.bn, torch.stack(vectors)), config["dropout_prob"])
    if not isinstance(model, NFM):
        return torch.stack(first_order) + values.sum(dim=1)
    layers = list(model.mlp_layers.modules())
    linear = [layer for layer in layers if isinstance(layer, torch.nn.Linear)]
    norms = [layer for layer in layers if isinstance(layer, torch.nn.BatchNorm1d)]
    for layer, norm in zip(linear, norms, strict=True):
        values = batch_norm(model, norm, values @ layer.weight.T + layer.bias).clamp_min(0)
        values = dropout(values, config["mlp_dropout_prob"])
    assert model.predict_layer.bias is None
    return torch.stack(first_order) + values @ model.predict_layer.weight[0]


def features_by_name(dataset, users, items):
    """The features of pairs, as RecBole's loader has them."""
    pairs = dataset.get_user_feature()[users]
    pairs.update(dataset.get_item_feature()[items])
    return pairs


def tables_with_odd_cells(seed):
    """One item without a group, and some that name a group twice or in another order."""
    tables = tiny_tables(seed, n_users=6, n_items=8, n_clicks=5)
    genre = tables["item"].columns.get_loc("genre:token_seq")
    tables["item"].iloc[0, genre] = ""
    tables["item"].iloc[1, genre] = "Drama Comedy Drama"
    tables["item"].iloc[2, genre] = "Horror Horror"
    return tables


def prepare(folder, seed, name, **others):
    shutil.rmtree(folder / "tiny", ignore_errors=True)
    columns = {"inter": ["user_id", "item_id", "timestamp"], "user": ["user_id", "gender"]}
    columns["item"] = ["item_id", "genre"]
    chosen = {"load_col": columns, "numerical_features": [], "topk": [3], "valid_metric": "Recall@3"}
    chosen = tiny_settings(write_tables(folder, tables_with_odd_cells(seed)), **chosen, **AUTHORS, **others)
    config = DecRSConfig(name, "tiny", config_dict=chosen)
    dataset = data_preparation(config, create_dataset(config))[0].dataset
    return config, dataset, shake(MODELS[name](config, dataset), seed)


def some_pairs(dataset, seed, n_users=4, n_each=3):
    rng = np.random.default_rng(seed)
    users = torch.as_tensor(rng.integers(1, dataset.user_num, n_users))
    return users, torch.as_tensor(rng.integers(1, dataset.item_num, (n_each, n_users)))


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    name=st.sampled_from(sorted(MODELS)),
    layers=st.sampled_from([[8], [8, 5]]),
    training=st.booleans(),
    seed=st.integers(0, 99),
)
def test_scores_and_gradients_are_those_of_the_literal_model(tmp_path, name, layers, training, seed):
    config, dataset, model = prepare(tmp_path, seed, name, mlp_hidden_size=layers, **NO_DROPOUT)
    model.train(training)
    users, items = some_pairs(dataset, seed)
    flat_users, flat_items = users.repeat(len(items)), items.flatten()
    expected = literal(model, dataset, config, flat_users.tolist(), flat_items.tolist())
    labels = (torch.arange(len(expected)) % 2).float()
    slopes = gradients(model, expected, labels)
    ways = {
        "forward": lambda: model.forward(features_by_name(dataset, flat_users, flat_items)),
        "by ids": lambda: model.forward_ids(users, items).flatten(),
    }
    for way, score in ways.items():
        logits = score()
        torch.testing.assert_close(logits, expected, atol=1e-5, rtol=1e-5, msg=lambda text, way=way: f"{way}: {text}")
        found = gradients(model, logits, labels)
        assert slopes.keys() <= found.keys()
        for parameter, gradient in found.items():
            zero = torch.zeros_like(gradient)
            torch.testing.assert_close(gradient, slopes.get(parameter, zero), atol=1e-4, rtol=1e-4, msg=parameter)


@pytest.mark.parametrize("name", MODELS)
@torch.no_grad()
def test_full_sort_is_that_of_the_literal_model(tmp_path, name):
    config, dataset, model = prepare(tmp_path, 3, name, dropout_prob=0.3, mlp_dropout_prob=0.3)
    scores = model.full_sort_predict(dataset.get_user_feature())
    torch.testing.assert_close(scores, all_pairs(model, dataset), atol=1e-5, rtol=0)
    for user in (1, 4):
        n_items = scores.shape[1]
        expected = literal(model, dataset, config, [user] * (n_items - 1), range(1, n_items)).sigmoid()
        torch.testing.assert_close(scores[user, 1:], expected, atol=1e-5, rtol=0)


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("layers", [[8], [8, 5]])
def test_dropout_is_where_the_authors_have_it(tmp_path, name, layers):
    others = {"mlp_hidden_size": layers, "dropout_prob": 0.5, "mlp_dropout_prob": 0.2}
    config, dataset, model = prepare(tmp_path, 5, name, **others)
    users, items = some_pairs(dataset, 5)
    model.train()
    torch.manual_seed(1)
    logits = model.forward_ids(users, items).flatten()
    torch.manual_seed(1)
    expected = literal(model, dataset, config, users.repeat(len(items)).tolist(), items.flatten().tolist())
    torch.testing.assert_close(logits, expected, atol=1e-5, rtol=1e-5)


def test_without_mlp_dropout_it_is_before_each_layer_as_in_recbole(prepared):
    config, train_data, *_ = prepared("NFM", mlp_hidden_size=[8, 5], dropout_prob=0.5, mlp_dropout_prob=None)
    layers = NFM(config, train_data.dataset).mlp_layers.mlp_layers
    assert [type(layer).__name__ for layer in layers] == ["QuickDropout", "Linear", "BatchNorm1d", "ReLU"] * 2
    assert {layer.p for layer in layers if isinstance(layer, torch.nn.Dropout)} == {0.5}


@pytest.mark.parametrize(
    "others",
    [
        {"group_field": "first_genre", "load_col": {"inter": "*", "user": "*", "item": ["item_id", "first_genre"]}},
        {"unused_col": {"item": ["genre"]}},
        {"load_col": {"inter": "*", "user": "*", "item": ["item_id", "first_genre"]}},
        {"group_field": "weights", "load_col": {"inter": "*", "user": "*", "item": ["item_id", "genre", "weights"]}},
    ],
    ids=["token column", "hidden", "not loaded", "weights that are no feature"],
)
def test_where_the_groups_are_no_field_of_several_values_both_are_the_same(prepared, others):
    scores = []
    for group_features in ("pooled", "separate"):
        settings = {"group_features": group_features, "numerical_features": ["height"], **others}
        config, train_data, *_ = prepared("FM", **settings)
        model = shake(FM(config, train_data.dataset))
        scores.append(model.full_sort_predict(train_data.dataset.get_user_feature()))
    assert torch.equal(*scores)


def test_the_two_differ(prepared):
    scores = []
    for group_features in ("pooled", "separate"):
        config, train_data, *_ = prepared("FM", group_features=group_features)
        model = shake(FM(config, train_data.dataset))
        scores.append(model.full_sort_predict(train_data.dataset.get_user_feature()))
    assert not torch.allclose(*scores, atol=1e-2)


def test_weights_have_no_embedding_a_group(prepared):
    settings = {"group_field": "weights", "numerical_features": ["weights"]}
    settings["load_col"] = {"inter": "*", "user": "*", "item": ["item_id", "weights"]}
    config, train_data, *_ = prepared("FM", group_features="separate", **settings)
    with pytest.raises(DecRSError, match=r"one for all places of the float_seq column weights; set group_features"):
        FM(config, train_data.dataset)
    config, train_data, *_ = prepared("FM", group_features="pooled", **settings)
    FM(config, train_data.dataset)


def test_a_checkpoint_of_before_the_keys_is_scored_as_it_was_trained(settings):
    result = run_recbole_decrs("FM", "tiny", config_dict=settings | {"group_features": "pooled"})
    path = result["saved_model_file"]
    content = read_checkpoint(path)
    for key in ("group_features", "mlp_dropout_prob"):
        del content["config"][key]
    write_checkpoint(path, content)
    config, model, *_ = load_data_and_model(path)
    assert (config["group_features"], config["mlp_dropout_prob"], model.separate) == ("pooled", None, None)
