import copy
import shutil

import pytest
import torch
from test_full_sort import assert_same_training, shake

from recbole_decrs import FM, NFM, DecFM, DecNFM
from recbole_decrs.causal import OPERATORS
from recbole_decrs.data.id_loader import IdLoader
from recbole_decrs.single_trainer import trainer_for

MODELS = {model.__name__: model for model in (FM, NFM, DecFM, DecNFM)}


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("operator", OPERATORS)
@pytest.mark.parametrize("prior", ["interaction", "user"])
@pytest.mark.parametrize("group_features", ["pooled", "separate"])
def test_loss_and_gradient_by_ids_are_those_of_the_forward_pass(prepared, name, operator, prior, group_features):
    settings = {"backdoor_operator": operator, "confounder_prior": prior, "loss_reduction": "sum"}
    settings |= {"group_features": group_features, "dropout_prob": 0.0, "mlp_dropout_prob": None}
    config, train_data, *_ = prepared(name, **settings)
    model = shake(MODELS[name](config, train_data.dataset)).train()
    assert_same_training(model, train_data)


def test_fused_adagrad_is_adagrad(prepared):
    config, train_data, *_ = prepared("FM", adagrad_initial_accumulator=0.1, weight_decay=0.01)
    model = FM(config, train_data.dataset)
    twin = copy.deepcopy(model)
    fused = trainer_for(config)(config, model).optimizer
    assert fused.defaults["fused"]
    plain = torch.optim.Adagrad(
        twin.parameters(), lr=config["learning_rate"], weight_decay=0.01, initial_accumulator_value=0.1
    )
    for seed in range(3):
        for one, other in zip(model.parameters(), twin.parameters(), strict=True):
            torch.manual_seed(seed)
            one.grad = torch.randn_like(one)
            other.grad = one.grad.clone()
        fused.step()
        plain.step()
    for one, other in zip(model.parameters(), twin.parameters(), strict=True):
        torch.testing.assert_close(one, other, atol=1e-6, rtol=1e-5)


@pytest.mark.skipif(shutil.which("c++") is None and shutil.which("g++") is None, reason="needs a C++ compiler")
@pytest.mark.parametrize("group_features", ["pooled", "separate"])
def test_compiled_training_gives_the_same_loss_and_gradient(prepared, group_features):
    settings = {"dropout_prob": 0.0, "bi_batch_norm": True, "embedding_norm_weight": 0.1}
    settings |= {"group_features": group_features}
    config, train_data, *_ = prepared("DecFM", **settings)
    compiled_config, *_ = prepared("DecFM", torch_compile=True, **settings)
    model = shake(DecFM(config, train_data.dataset)).train()
    compiled = shake(DecFM(compiled_config, train_data.dataset)).train()
    batch = next(iter(IdLoader(train_data)))
    loss, other = model.calculate_loss(batch), compiled.calculate_loss(batch)
    assert other.item() == pytest.approx(loss.item(), rel=1e-5)
    loss.backward()
    other.backward()
    for one, two in zip(model.parameters(), compiled.parameters(), strict=True):
        torch.testing.assert_close(two.grad, one.grad, atol=1e-4, rtol=1e-4)
