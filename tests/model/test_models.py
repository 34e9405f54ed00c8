import copy

import numpy as np
import pytest
import torch
from recbole.data.interaction import Interaction
from recbole.model.context_aware_recommender.fm import FM as RecBoleFM
from recbole.model.context_aware_recommender.nfm import NFM as RecBoleNFM
from recbole.utils import init_seed

from recbole_decrs import FM, NFM, DecFM, DecNFM
from recbole_decrs.causal import OPERATORS

OFF = {
    "group_features": "pooled",
    "bi_batch_norm": False,
    "dropout_prob": 0.0,
    "mlp_dropout_prob": None,
    "embedding_init_std": None,
    "loss_reduction": "mean",
    "embedding_norm_weight": 0,
    "mlp_activation": "sigmoid",
}


def make(model_class, config, dataset, seed=1):
    init_seed(seed, True)
    return model_class(config, dataset)


def batch_of(train_data):
    np.random.seed(0)
    return train_data.collate_fn(list(range(20)))


@pytest.mark.parametrize(("ours", "theirs"), [(FM, RecBoleFM), (NFM, RecBoleNFM)])
def test_with_the_options_off_the_backbone_is_recboles(prepared, ours, theirs):
    config, train_data, *_ = prepared(ours.__name__, **OFF)
    batch = batch_of(train_data)
    a, b = make(ours, config, train_data.dataset), make(theirs, config, train_data.dataset)
    torch.testing.assert_close(a.calculate_loss(batch), b.calculate_loss(batch))
    torch.testing.assert_close(a.eval().predict(batch), b.eval().predict(batch))


@pytest.mark.parametrize(("deconfounded", "backbone"), [(DecFM, FM), (DecNFM, NFM)])
def test_zero_group_embeddings_under_product_give_the_backbone(prepared, deconfounded, backbone):
    config, train_data, *_ = prepared(deconfounded.__name__, backdoor_operator="product")
    batch = batch_of(train_data)
    model, twin = make(deconfounded, config, train_data.dataset), make(backbone, config, train_data.dataset)
    with torch.no_grad():
        model.backdoor.group_embeddings.zero_()
    missing = model.load_state_dict(twin.state_dict(), strict=False)
    assert missing.missing_keys == ["backdoor.group_embeddings"]
    assert missing.unexpected_keys == []
    torch.testing.assert_close(model.eval().forward(batch), twin.eval().forward(batch))


@pytest.mark.parametrize("deconfounded", [DecFM, DecNFM])
@pytest.mark.parametrize("operator", OPERATORS)
def test_gradient_reaches_groups_and_users(prepared, deconfounded, operator):
    config, train_data, *_ = prepared(deconfounded.__name__, backdoor_operator=operator, dropout_prob=0.0)
    model = make(deconfounded, config, train_data.dataset)
    model.calculate_loss(batch_of(train_data)).backward()
    assert model.backdoor.group_embeddings.grad.abs().sum() > 0
    assert model.token_embedding_table.embedding.weight.grad[1:25].abs().sum() > 0  # rows of user_id


@pytest.mark.parametrize("operator", OPERATORS)
def test_decfm_is_the_fm_of_its_fields_and_m(prepared, operator):
    """The score by loops over fields: first order + pairs of (fields, M), M from the user's fields alone."""
    config, train_data, *_ = prepared("DecFM", **OFF, backdoor_operator=operator, group_init_std=0.5)
    model = make(DecFM, config, train_data.dataset).eval()
    batch = batch_of(train_data)
    logits = model.forward(batch)
    dataset, tables = train_data.dataset, model.token_embedding_table.embedding.weight
    offsets = dict(zip(model.token_field_names, model.token_field_offsets, strict=True))
    prior, groups = model.backdoor.prior, model.backdoor.group_embeddings
    for row in range(5):
        user, item = int(batch["user_id"][row]), int(batch["item_id"][row])
        jobs = [job for job in dataset.user_feat["jobs"][user].tolist() if job]
        genres = [genre for genre in dataset.item_feat["genre"][item].tolist() if genre]
        float_table = model.float_embedding_table.embedding.weight
        float_offsets = dict(zip(model.float_field_names, model.float_field_offsets, strict=True))
        of_user = [
            tables[offsets["user_id"] + user],
            tables[offsets["gender"] + int(dataset.user_feat["gender"][user])],
            sum(model.token_seq_embedding_table[model.token_seq_field_names.index("jobs")].weight[j] for j in jobs)
            / len(jobs),
            dataset.user_feat["height"][user][0] * float_table[float_offsets["height"] + 1],
        ]
        of_item = [
            tables[offsets["item_id"] + item],
            sum(model.token_seq_embedding_table[model.token_seq_field_names.index("genre")].weight[g] for g in genres)
            / len(genres),
            dataset.item_feat["price"][item][0] * float_table[float_offsets["price"] + 1],
        ]
        weighted = [prior[a] * groups[a] for a in range(len(prior))]
        if operator == "product":
            m = sum(v * u for v in weighted for u in of_user)
        else:
            c = weighted + of_user
            m = sum(c[a] * c[b] for a in range(len(c)) for b in range(len(c)) if operator != "fm" or a < b)
        fields = [*of_user, *of_item, m]
        pairs = sum((fields[a] * fields[b]).sum() for a in range(len(fields)) for b in range(a + 1, len(fields)))
        first_order = model.first_order_linear(Interaction({k: batch[k][row : row + 1] for k in batch}))
        torch.testing.assert_close(logits[row], first_order.squeeze() + pairs, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("model_class", [FM, NFM, DecFM, DecNFM])
def test_initial_values_are_as_configured(prepared, model_class):
    config, train_data, *_ = prepared(
        model_class.__name__, embedding_init_std=0.03, group_init_std=0.5, embedding_size=200
    )
    model = make(model_class, config, train_data.dataset)
    for table in model.feature_embeddings():
        assert table.std().item() == pytest.approx(0.03, rel=0.15)
    first_order = [p for name, p in model.first_order_linear.named_parameters() if "bias" not in name]
    assert all(not weight.any() for weight in first_order)
    if hasattr(model, "backdoor"):
        assert model.backdoor.group_embeddings.std().item() == pytest.approx(0.5, rel=0.15)


def test_recboles_initial_values_without_the_key(prepared):
    config, train_data, *_ = prepared("DecFM", embedding_init_std=None, group_init_std=0.01)
    model = make(DecFM, config, train_data.dataset)
    table = model.token_embedding_table.embedding.weight
    assert table.std().item() == pytest.approx((2 / sum(table.shape)) ** 0.5, rel=0.15)  # Xavier
    assert model.backdoor.group_embeddings.std().item() == pytest.approx(0.01, rel=0.5)


def test_loss_is_the_sum_plus_lambda_times_the_norm(prepared):
    config, train_data, *_ = prepared("DecFM", loss_reduction="sum", embedding_norm_weight=0.7, dropout_prob=0.0)
    model = make(DecFM, config, train_data.dataset).eval()
    batch = batch_of(train_data)
    p, y = model.predict(batch).double(), batch["label"].double()
    log_loss = -(y * p.log() + (1 - y) * (1 - p).log()).sum()
    tables = [
        model.token_embedding_table.embedding,
        *model.token_seq_embedding_table,
        model.float_embedding_table.embedding,
    ]
    norm = sum((table.weight**2).sum().item() for table in tables) ** 0.5
    assert model.calculate_loss(batch).item() == pytest.approx(log_loss.item() + 0.7 * norm, rel=1e-4)


def test_the_two_halves_differ_in_the_operator_alone(prepared):
    config, train_data, *_ = prepared("DecNFM")
    conventional, deconfounded = make(NFM, config, train_data.dataset), make(DecNFM, config, train_data.dataset)
    shapes = {name: value.shape for name, value in deconfounded.state_dict().items()}
    group_embeddings = shapes.pop("backdoor.group_embeddings")
    assert shapes == {name: value.shape for name, value in conventional.state_dict().items()}
    assert group_embeddings == (len(train_data.dataset.confounder.group_names), config["embedding_size"])


@pytest.mark.parametrize("prior", ["interaction", "item", "uniform", "user", "learned"])
def test_every_prior_trains(prepared, prior):
    config, train_data, *_ = prepared("DecFM", confounder_prior=prior)
    model = make(DecFM, config, train_data.dataset)
    before = copy.deepcopy(model.backdoor.group_embeddings.data)
    optimizer = torch.optim.SGD(model.parameters(), lr=1.0)
    model.calculate_loss(batch_of(train_data)).backward()
    optimizer.step()
    assert not torch.equal(before, model.backdoor.group_embeddings)


def test_a_prior_of_users_is_the_same_by_what_is_not_zero(prepared, monkeypatch):
    config, train_data, *_ = prepared("DecFM", confounder_prior="user", dropout_prob=0.0)
    batch, losses = batch_of(train_data), []
    for is_sparse in (True, False):
        home = "recbole_decrs.causal.confounder.is_mostly_zeros"
        monkeypatch.setattr(home, lambda matrix, answer=is_sparse: answer)
        model = make(DecFM, config, train_data.dataset)
        assert (model.backdoor.prior is None) == is_sparse
        losses.append(model.calculate_loss(batch))
    assert torch.equal(*losses)
