import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from test_full_sort import shake

from recbole_decrs import FM, NFM, DecFM, DecRSError, FusedRecommender
from recbole_decrs.model.vectors import inner_product_vectors


def differences(users, items, logits):
    """By how much the inner products of each user lie below the logits, the padding item left out."""
    return (logits - users @ items.T)[:, 1:]


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    name=st.sampled_from(["FM", "DecFM"]),
    bi_batch_norm=st.booleans(),
    operator=st.sampled_from(["fm", "fm_all_pairs", "product"]),
    prior=st.sampled_from(["interaction", "user"]),
    group_features=st.sampled_from(["pooled", "separate"]),
    seed=st.integers(0, 99),
)
def test_inner_products_are_the_logits_but_for_a_constant_of_the_user(prepared, name, seed, **options):
    chosen = {"backdoor_operator": options.pop("operator"), "confounder_prior": options.pop("prior"), **options}
    config, train_data, *_ = prepared(name, **chosen)
    dataset = train_data.dataset
    model = shake({"FM": FM, "DecFM": DecFM}[name](config, dataset), seed)
    users, items = inner_product_vectors(model)
    logits = model.full_sort_logits(dataset.get_user_feature())
    assert users.shape == (dataset.user_num, model.embedding_size + 1)
    assert items.shape == (dataset.item_num, model.embedding_size + 1)
    found = differences(users, items, logits)
    torch.testing.assert_close(found, found[:, :1].expand_as(found), atol=1e-5, rtol=0)


def test_each_half_ranks_as_its_logits_do(prepared):
    config, train_data, *_ = prepared("DecFM")
    dataset = train_data.dataset
    fused = shake(FusedRecommender(config, dataset))
    for half in (fused.conventional, fused.deconfounded):
        users, items = inner_product_vectors(half)
        logits = half.full_sort_logits(dataset.get_user_feature())
        ranked, expected = ((scores[1:, 1:]).topk(10).indices for scores in (users @ items.T, logits))
        torch.testing.assert_close(ranked, expected)


def test_some_users_have_the_vectors_that_they_have_among_all(prepared):
    config, train_data, *_ = prepared("DecFM")
    model = shake(DecFM(config, train_data.dataset))
    some = torch.tensor([3, 1])
    torch.testing.assert_close(inner_product_vectors(model, some)[0], inner_product_vectors(model)[0][some])


@pytest.mark.parametrize("kind", [NFM, FusedRecommender])
def test_what_is_no_inner_product_is_refused(prepared, kind):
    config, train_data, *_ = prepared("NFM" if kind is NFM else "DecFM")
    with pytest.raises(DecRSError, match=f"{kind.__name__} has no vectors"):
        inner_product_vectors(kind(config, train_data.dataset))
    with pytest.raises(DecRSError, match="str has no vectors"):
        inner_product_vectors("saved/DecFM.pth")


def test_the_logits_of_both_halves_fuse_by_vectors_put_side_by_side(prepared):
    config, train_data, *_ = prepared("DecFM", fusion_on="logit")
    dataset = train_data.dataset
    fused = shake(FusedRecommender(config, dataset))
    weight = torch.linspace(0, 1, dataset.user_num).unsqueeze(1)
    (of_rs, items_rs), (of_de, items_de) = map(inner_product_vectors, (fused.conventional, fused.deconfounded))
    halves = [half.full_sort_logits(dataset.get_user_feature()) for half in (fused.conventional, fused.deconfounded)]
    users, items = torch.cat([(1 - weight) * of_rs, weight * of_de], dim=1), torch.cat([items_rs, items_de], dim=1)
    found = differences(users, items, (1 - weight) * halves[0] + weight * halves[1])
    torch.testing.assert_close(found, found[:, :1].expand_as(found), atol=1e-5, rtol=0)


def test_a_model_in_training_mode_has_the_vectors_by_which_it_ranks(prepared):
    config, train_data, *_ = prepared("DecFM", confounder_training="user")
    model = shake(DecFM(config, train_data.dataset))
    expected = inner_product_vectors(model)
    found = inner_product_vectors(model.train())
    assert model.training
    for of_training, of_ranking in zip(found, expected, strict=True):
        torch.testing.assert_close(of_training, of_ranking, rtol=0, atol=0)
