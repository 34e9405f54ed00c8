"""Inverse propensity scoring in the backbones' loss."""

import copy
import logging

import numpy as np
import pytest
import torch
from test_full_sort import shake

from recbole_decrs import FM, NFM, DecFM, DecRSError
from recbole_decrs.causal.propensity import item_propensity, unbiased_log_loss, user_weights
from recbole_decrs.data.id_loader import IdLoader


@pytest.mark.parametrize("model_class", [FM, NFM, DecFM])
@pytest.mark.parametrize("ips", ["user", "item"])
@pytest.mark.parametrize("reduction", ["sum", "mean"])
def test_the_loss_by_hand_and_by_ids(prepared, model_class, ips, reduction):
    settings = {"ips": ips, "ips_cap": 3, "ips_floor": 0.4, "loss_reduction": reduction}
    config, train_data, *_ = prepared(
        model_class.__name__, dropout_prob=0.0, embedding_norm_weight=0, bi_batch_norm=False, **settings
    )
    part = train_data.dataset
    model = shake(model_class(config, part))
    batch = next(iter(IdLoader(train_data)))
    users, items, labels = batch["user_id"].repeat(2), batch["item_id"], batch["label"]
    by_ids = model.calculate_loss(copy.deepcopy(batch))

    pairs = part.join(copy.deepcopy(batch))
    pairs["user_id"] = users
    pairs.update(part.get_user_feature()[users])
    logits = model.forward(pairs)
    if ips == "user":
        n_clicks = part.confounder.n_clicks
        expected = [
            user_weights(n_clicks[1:], 3)[user - 1] * torch.nn.functional.binary_cross_entropy_with_logits(logit, label)
            for user, logit, label in zip(users, logits, labels, strict=True)
        ]
    else:
        clicks = np.zeros(part.item_num)
        for item in part.inter_feat["item_id"]:
            clicks[item] += 1
        theta = torch.tensor(item_propensity(clicks, 0.4), dtype=torch.float32)
        expected = list(unbiased_log_loss(logits, labels, theta[items]))
    expected = torch.stack(expected).double()
    torch.testing.assert_close(by_ids.double(), getattr(expected, reduction)(), rtol=1e-4, atol=1e-4)

    model.trains_by_ids = False
    pairs["label"] = labels
    torch.testing.assert_close(model.calculate_loss(pairs), by_ids, rtol=1e-4, atol=1e-4)


def test_how_many_users_hit_the_cap_is_logged(prepared, caplog):
    config, train_data, *_ = prepared("FM", ips="user", ips_cap=2)
    confounder = train_data.dataset.confounder
    capped = (confounder.n_clicks[1:] * 2 <= confounder.n_clicks.max()).sum()
    with caplog.at_level(logging.INFO):
        FM(config, train_data.dataset)
    assert f"{capped} of {len(confounder.n_clicks) - 1} users have the greatest weight, ips_cap 2" in caplog.text


def test_weights_of_the_propensity_are_not_in_the_checkpoint(prepared):
    config, train_data, *_ = prepared("FM", ips="item")
    assert "ips_of" not in FM(config, train_data.dataset).state_dict()


def test_the_groups_are_needed(prepared):
    with pytest.raises(DecRSError, match="ips: user needs item groups"):
        prepared("FM", ips="user", group_field=None, metrics=["Recall"])
    with pytest.raises(DecRSError, match="reranker: fairco needs item groups"):
        prepared("BPR", reranker="fairco", group_field=None, metrics=["Recall"])
