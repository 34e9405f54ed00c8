"""Late fusion, of models without features."""

import re
from pathlib import Path

import pytest
import torch
from recbole.model.general_recommender.bpr import BPR

from recbole_decrs import DecRSError, load_data_and_model, run_recbole_decrs
from recbole_decrs.model.late_fusion import DecBPR, LateFusion
from recbole_decrs.model.registry import MODELS, register_model

pytestmark = pytest.mark.slow
LATE_FUSED = [name for name, model in MODELS.items() if issubclass(model, LateFusion)]


def test_dec_bpr_is_the_two_products(prepared):
    config, train_data, *_ = prepared("DecBPR", delta=0.3, group_init_std=1.0)
    model = DecBPR(config, train_data.dataset)
    users, items = torch.tensor([1, 2]), torch.tensor([3, 4])
    user, item = model.user_embedding(users), model.item_embedding(items)
    through_groups = model.backdoor(user.unsqueeze(1))
    expected = 0.3 * (user * item).sum(dim=1) + 0.7 * (through_groups * item).sum(dim=1)
    interaction = {"user_id": users, "item_id": items}
    torch.testing.assert_close(model.predict(interaction), expected)
    full = model.full_sort_predict(interaction).view(2, -1)
    torch.testing.assert_close(full[[0, 1], items], expected)


def test_dec_neumf_is_the_two_passes(prepared):
    config, train_data, *_ = prepared("DecNeuMF", delta=0.3, group_init_std=1.0, dropout_prob=0.0)
    model = config.model_class(config, train_data.dataset).eval()
    users, items = torch.tensor([1, 2]), torch.tensor([3, 4])
    logits = model.forward(users, items)
    backbone = model.backbone.forward
    direct = backbone(model, users, items)
    with torch.no_grad():
        for table, operator in (
            (model.user_mf_embedding, model.mf_backdoor),
            (model.user_mlp_embedding, model.mlp_backdoor),
        ):
            table.weight.copy_(operator(table.weight.unsqueeze(1)))
    torch.testing.assert_close(logits, 0.3 * direct + 0.7 * backbone(model, users, items))


@pytest.mark.parametrize("name", LATE_FUSED)
def test_delta_1_is_the_backbone(prepared, name):
    config, train_data, *_ = prepared(name, delta=1.0, MAX_ITEM_LIST_LENGTH=3)
    torch.manual_seed(0)
    deconfounded = config.model_class(config, train_data.dataset).eval()
    torch.manual_seed(0)
    conventional = config.model_class.backbone(config, train_data.dataset).eval()
    interaction = {"user_id": torch.tensor([1, 2]), "item_id": torch.tensor([3, 4])}
    interaction |= {"item_id_list": torch.tensor([[5, 6, 0], [7, 0, 0]]), "item_length": torch.tensor([2, 1])}
    torch.testing.assert_close(deconfounded.predict(interaction), conventional.predict(interaction))


@pytest.mark.parametrize("prior", ["user", "learned", "item"])
@pytest.mark.parametrize("name", LATE_FUSED)
def test_every_prior_of_late_fusion(settings, name, prior):
    result = run_recbole_decrs(name, "tiny", config_dict=settings | {"confounder_prior": prior, "epochs": 1})
    assert 0 < result["test_result"]["recall@10"] <= 1


def test_an_operator_that_is_not_used_is_found_out(settings, monkeypatch):
    monkeypatch.setattr(DecBPR, "fuse", lambda self, of_user, of_groups: of_user)
    with pytest.raises(DecRSError, match="DecBPR does not use its operator"):
        run_recbole_decrs("DecBPR", "tiny", config_dict=settings)


def keep_contract(contract):
    """Run the tests of a contract, as pytest does."""
    contract.setup_class()
    try:
        for name in [name for name in dir(contract) if name.startswith("test_")]:
            getattr(contract(), name)()
    finally:
        contract.teardown_class()


def test_the_example_of_the_docs(settings):
    text = (Path(__file__).parents[2] / "docs" / "models.md").read_text(encoding="utf-8")
    code, contract = re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL)
    assert len([line for line in code.splitlines() if line.strip()]) < 20
    scope: dict = {}
    exec(code, scope)
    result = run_recbole_decrs("DecNGCF", "tiny", config_dict=settings | {"epochs": 1})
    assert 0 < result["test_result"]["recall@10"] <= 1
    assert type(load_data_and_model(result["saved_model_file"])[1].deconfounded).__name__ == "DecNGCF"
    exec(contract, scope)
    keep_contract(scope["TestDecNGCF"])


def test_a_twin_must_name_its_backbone():
    with pytest.raises(DecRSError, match="Nameless does not name its conventional half"):
        type("Nameless", (LateFusion, BPR), {})


def test_a_twin_without_an_operator_is_found_out(settings):
    @register_model
    class DecForgotten(LateFusion, BPR):
        backbone = BPR

    with pytest.raises(DecRSError, match="DecForgotten does not use its operator"):
        run_recbole_decrs("DecForgotten", "tiny", config_dict=settings)
