"""Every deconfounded model: trains, evaluates, saves, loads, serves, and full sort in any form equals predict."""

import importlib
import re
from pathlib import Path

import pytest
import torch
from recbole.model.abstract_recommender import ContextRecommender
from recbole.model.context_aware_recommender.deepfm import DeepFM
from recbole.model.context_aware_recommender.fm import FM as RecBoleFM
from recbole.model.context_aware_recommender.fwfm import FwFM as RecBoleFwFM
from recbole.model.context_aware_recommender.lr import LR
from recbole.utils.case_study import full_sort_topk
from test_full_sort import all_pairs, shake
from torch import nn

from recbole_decrs import FM, DecFM, DecRSError, deconfound, load_data_and_model, run_recbole_decrs
from recbole_decrs.causal import BackdoorOperator
from recbole_decrs.cli import main
from recbole_decrs.model import context_aware
from recbole_decrs.model.catalogue import deconfounded_names, find_model
from recbole_decrs.model.late_fusion import DecBPR, LateFusion
from recbole_decrs.model.pairwise import PairwiseFullSort, with_full_sort
from recbole_decrs.model.recbole_models import CONTEXT_AWARE, names_of
from recbole_decrs.model.registry import MODELS, register_model
from recbole_decrs.model.scale import OnScale
from tiny_data import tiny_settings, tiny_tables, write_tables

pytestmark = pytest.mark.slow

ALL_TYPES = {
    "load_col": {
        "inter": ["user_id", "item_id", "timestamp"],
        "user": ["user_id", "gender", "jobs", "height"],
        "item": ["item_id", "genre", "first_genre", "price", "weights"],
    },
    "numerical_features": ["height", "price", "weights"],
}
N_ITEMS = 7
LATE_FUSED = [name for name, model in MODELS.items() if issubclass(model, LateFusion)]
PAIRWISE = [name for name in deconfounded_names() if name not in {*LATE_FUSED, "DecFM", "DecNFM"}]


@pytest.fixture(autouse=True)
def _models_are_forgotten():
    """The names that a test makes known are its own."""
    known = dict(MODELS)
    yield
    MODELS.clear()
    MODELS.update(known)


@pytest.fixture
def everything(tmp_path):
    """Settings of a dataset with features of every type."""
    return tiny_settings(write_tables(tmp_path / "data", tiny_tables()), **ALL_TYPES)


def test_the_names():
    assert {"DecFM", "DecNFM", "DecDeepFM", "DecxDeepFM", "DecBPR", "DecNeuMF", "DecLightGCN"} <= set(
        deconfounded_names()
    )
    assert "DecLR" not in deconfounded_names()


OF_PAIRS = [name for name in deconfounded_names() if name != "DecSASRec"]
"""DecSASRec scores sequences, see tests/data/test_sequential.py."""


@pytest.mark.parametrize("name", OF_PAIRS)
def test_it_trains_evaluates_saves_loads_and_serves(everything, name):
    result = run_recbole_decrs(name, "tiny", config_dict=everything | {"epochs": 1})
    for half in ("test_result", "conventional_test_result", "deconfounded_test_result"):
        assert 0 < result[half]["recall@10"] <= 1
    config, model, dataset, _, _, test_data = load_data_and_model(result["saved_model_file"])
    assert type(model.deconfounded).__name__ == name
    assert type(model.conventional) is config.model_class.backbone
    users = dataset.token2id("user_id", ["u1", "u2"])
    scores, items = full_sort_topk(users, model.eval(), test_data, k=3)
    again, _ = full_sort_topk(users, model.eval(), test_data, k=3)
    assert scores.shape == items.shape == (2, 3)
    assert torch.isfinite(scores).all()
    torch.testing.assert_close(scores, again)
    torch.testing.assert_close(
        scores[0], model.predict(_pairs(dataset, users[:1].repeat(3), items[0])), atol=1e-5, rtol=0
    )


def _pairs(dataset, users, items):
    pairs = dataset.get_user_feature()[torch.as_tensor(users)]
    pairs.update(dataset.get_item_feature()[items])
    return pairs


@pytest.mark.parametrize("name", deconfounded_names())
def test_the_group_embeddings_are_learned(everything, prepared, name):
    config, train_data, *_ = prepared(name, **everything)
    model = config.model_class(config, train_data.dataset)
    operators = [module for module in model.modules() if isinstance(module, BackdoorOperator)]
    assert operators
    batch = next(iter(train_data)).to(config["device"])
    model.trains_by_ids = False
    loss = model.calculate_loss(batch)
    sum(loss if isinstance(loss, tuple) else [loss]).backward()
    for operator in operators:
        assert operator.group_embeddings.grad.abs().sum() > 0


@pytest.mark.parametrize("name", [*PAIRWISE, *(name[3:] for name in PAIRWISE), "LR", "FFM"])
def test_pairwise_full_sort_equals_predict(everything, prepared, name):
    config, train_data, *_ = prepared(name, **everything)
    dataset = train_data.dataset
    model = shake(find_model(name)(config, dataset))
    assert isinstance(model, PairwiseFullSort)
    users = dataset.get_user_feature()
    with torch.no_grad():
        expected = all_pairs(model, dataset)
        pairs = dataset.get_user_feature().repeat_interleave(len(dataset.get_item_feature()))
        pairs.update(dataset.get_item_feature().repeat(len(dataset.get_user_feature())))
        logits = model.forward(pairs).view_as(expected)
    torch.testing.assert_close(model.full_sort_predict(users), expected, atol=1e-5, rtol=0)
    torch.testing.assert_close(model.full_sort_logits(users), logits, atol=1e-4, rtol=1e-4)
    few = model.full_sort_predict(users[torch.tensor([5, 2])])
    torch.testing.assert_close(few, expected[[5, 2]], atol=1e-5, rtol=0)


class OneLayer(ContextRecommender):
    """A model of one's own: a linear layer over the fields."""

    def __init__(self, config, dataset):
        super().__init__(config, dataset)
        self.layer = self.make_layer(self.num_feature_field * self.embedding_size)
        self.loss = nn.BCEWithLogitsLoss()

    def make_layer(self, width):
        return nn.Linear(width, 1)

    def of_fields(self, fields, interaction):
        return self.layer(fields.flatten(1))

    def forward(self, interaction):
        return self.of_fields(self.concat_embed_input_fields(interaction), interaction).squeeze(1)

    def calculate_loss(self, interaction):
        return self.loss(self.forward(interaction), interaction[self.LABEL])

    def predict(self, interaction):
        return self.forward(interaction).sigmoid()


class Scaling(OneLayer):
    def of_fields(self, fields, interaction):
        fields *= 3
        return super().of_fields(fields, interaction)


class Clipping(OneLayer):
    def of_fields(self, fields, interaction):
        return super().of_fields(torch.relu_(fields), interaction)


class Comparing(OneLayer):
    def of_fields(self, fields, interaction):
        score = super().of_fields(fields, interaction)
        return torch.where(fields.sum(dim=(1, 2))[:, None] > 0, score, 2 * score)  # hides what is not a number


class Squaring(OneLayer):
    class Layer(nn.Linear):
        def forward(self, features):
            return super().forward(features) ** 2

    def make_layer(self, width):
        return self.Layer(width, 1)


class Crossing(OneLayer):
    def concat_embed_input_fields(self, interaction):
        fields = super().concat_embed_input_fields(interaction)
        return fields * (1 + fields[:, :1] * fields[:, -1:])


class ReadingAColumn(OneLayer):
    def of_fields(self, fields, interaction):
        return super().of_fields(fields, interaction) * interaction["price"][:, :1]


@pytest.mark.parametrize("model_class", [OneLayer, Scaling, Clipping, Comparing, Squaring, Crossing, ReadingAColumn])
def test_full_sort_of_ones_own_model_equals_predict(everything, prepared, model_class):
    config, train_data, *_ = prepared("DeepFM", **everything)
    model = shake(with_full_sort(model_class)(config, train_data.dataset))
    users = train_data.dataset.get_user_feature()
    expected = all_pairs(model, train_data.dataset)
    assert expected.std() > 1e-3
    torch.testing.assert_close(model.full_sort_predict(users), expected, atol=1e-5, rtol=0)
    with torch.inference_mode():
        torch.testing.assert_close(model.full_sort_predict(users), expected, atol=1e-5, rtol=0)


@pytest.mark.parametrize("name", PAIRWISE)
def test_the_short_cuts_of_recboles_models_are_taken(everything, prepared, monkeypatch, name):
    config, train_data, *_ = prepared(name, **everything)
    taken = []
    fastest = PairwiseFullSort._fastest

    def watched(model, *arguments):
        taken.append(fastest(model, *arguments))
        return taken[-1]

    monkeypatch.setattr(PairwiseFullSort, "_fastest", watched)
    model = shake(find_model(name)(config, train_data.dataset))
    model.full_sort_predict(train_data.dataset.get_user_feature())
    (way,) = taken
    assert way.func == model._from_sides
    needs_no_fields = name in ("DecDeepFM", "DecWideDeep", "DecFNN", "DecDSSM")
    assert way.args[2].__name__ == ("no_fields" if needs_no_fields else "fields")


def test_a_full_sort_leaves_the_model_as_it_was(everything, prepared):
    config, train_data, *_ = prepared("DecDeepFM", **everything)
    model = config.model_class(config, train_data.dataset)
    before = model.calculate_loss(next(iter(train_data)))
    model.eval().full_sort_predict(train_data.dataset.get_user_feature())
    assert not any("forward" in vars(module) for module in model.modules())
    assert torch.isfinite(before)


def test_metrics_are_those_of_recboles_own_path(everything, monkeypatch):
    fast = run_recbole_decrs("DecWideDeep", "tiny", config_dict=everything)
    monkeypatch.setattr(PairwiseFullSort, "full_sort_predict", _not_there)
    slow = run_recbole_decrs("WideDeep", "tiny", config_dict=everything)
    again = run_recbole_decrs("WideDeep", "tiny", config_dict=everything)
    assert slow["test_result"] == again["test_result"]
    monkeypatch.undo()
    assert run_recbole_decrs("WideDeep", "tiny", config_dict=everything)["test_result"] == slow["test_result"]
    assert fast["conventional_test_result"].keys() == slow["test_result"].keys()


def _not_there(self, interaction):
    raise NotImplementedError


def test_a_model_that_ignores_m_is_refused(prepared):
    class Ignoring(LR):
        pass

    config, train_data, *_ = prepared("DecFM")
    with pytest.raises(DecRSError, match="DecIgnoring ignores M"):
        deconfound(Ignoring)(config, train_data.dataset)


class StartingAtZero(OneLayer):
    def make_layer(self, width):
        layer = nn.Linear(width, 1)
        nn.init.zeros_(layer.weight)
        return layer


def test_a_model_that_ignores_m_at_first_is_taken(everything, prepared, caplog):
    config, train_data, *_ = prepared("DeepFM", **everything)
    deconfound(StartingAtZero)(config, train_data.dataset)
    assert "DecStartingAtZero receive no gradient from its initial weights" in caplog.text


def test_a_model_of_unknown_loss_is_refused(everything, prepared):
    class Functional(OneLayer):
        def __init__(self, config, dataset):
            super().__init__(config, dataset)
            del self.loss
            self.loss = nn.functional.binary_cross_entropy_with_logits

    config, train_data, *_ = prepared("DeepFM", **everything)
    with pytest.raises(DecRSError, match="has no nn.BCEWithLogitsLoss or nn.BCELoss"):
        deconfound(Functional)(config, train_data.dataset)


def test_a_forward_that_the_closed_form_does_not_know_is_refused(everything, prepared):
    class Doubled(FM):
        def forward(self, interaction):
            return 2 * super().forward(interaction)

    config, train_data, *_ = prepared("DecFM", **everything)
    with pytest.raises(DecRSError, match="Doubled changes forward"):
        Doubled(config, train_data.dataset)


def test_m_of_dssm_is_of_the_user_alone(everything, prepared):
    config, train_data, *_ = prepared("DecDSSM", **everything)
    model = shake(config.model_class(config, train_data.dataset))
    found = []
    model.backdoor.register_forward_hook(lambda module, inputs, output: found.append(output))
    users, items = train_data.dataset.get_user_feature(), train_data.dataset.get_item_feature()
    pairs = users[torch.full((len(items),), 3)]
    pairs.update(items)
    model.forward(pairs)
    torch.testing.assert_close(found[0], found[0][:1].expand_as(found[0]))


def test_the_field_weights_of_fwfm_are_in_the_checkpoint(everything):
    path = run_recbole_decrs("DecFwFM", "tiny", config_dict=everything)["saved_model_file"]
    kept, others = (load_data_and_model(path, {"seed": seed})[1] for seed in (2020, 1))
    torch.testing.assert_close(kept.deconfounded.weight, others.deconfounded.weight)


def test_the_fields_of_fwfm_may_have_any_names(everything):
    fields = {1: ["user_id", "gender", "jobs"], "of the item": ["item_id", "genre"]}
    result = run_recbole_decrs("DecFwFM", "tiny", config_dict=everything | {"fields": fields, "epochs": 1})
    assert 0 < result["test_result"]["recall@10"] <= 1


@pytest.mark.parametrize(
    ("name", "option", "message"),
    [
        ("DecAutoInt", {"attention_size": 7}, "DecAutoInt cannot be made with these settings"),
        ("DecKD_DAGFM", {"phase": "finetuning"}, "leave phase out"),
        ("DecFM", {"drift_periods": 500}, "nobody has a drift"),
    ],
)
def test_one_sentence_for_settings_that_do_not_work(everything, name, option, message):
    with pytest.raises(DecRSError, match=message):
        run_recbole_decrs(name, "tiny", config_dict=everything | option)


def test_the_check_of_the_gradient_leaves_no_trace(prepared):
    config, train_data, *_ = prepared("DecFiGNN")
    model = config.model_class(config, train_data.dataset)
    assert model.training
    assert all(parameter.grad is None for parameter in model.parameters())


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("DecLR", "would change no ranking"),
        ("DecFFM", "one embedding of a feature for each other field"),
        ("DecDeepFFM", "did you mean DecDeepFM"),
        ("Decdeepfm", "did you mean DecDeepFM"),
        ("DecEASE", "docs/models.md shows how to add it"),
        ("DecGRU4Rec", "docs/models.md shows how to add it"),
        ("DecCKE", "CKE is a knowledge-based model"),
        ("DecXGBoost", "XGBoost is a decision-tree model"),
        ("Decoy", "no model named Decoy"),
    ],
)
def test_names_that_there_are_not(capsys, name, message):
    assert main([f"--model={name}", "--epochs=0"]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1


def test_deconfound_takes_context_aware_models_alone():
    assert issubclass(deconfound(find_model("DeepFM")), ContextRecommender)
    with pytest.raises(DecRSError, match="late fusion"):
        deconfound(find_model("BPR"))
    with pytest.raises(DecRSError, match="takes the class of a model, not 'DeepFM'"):
        deconfound("DeepFM")
    with pytest.raises(DecRSError, match="DecNFM is deconfounded already"):
        deconfound(find_model("DecNFM"))


@pytest.mark.parametrize("recboles", [DeepFM, RecBoleFM, RecBoleFwFM])
def test_deconfound_of_recboles_class_is_the_model_of_that_name(recboles):
    name = recboles.__name__
    assert deconfound(recboles) is deconfound(find_model(name)) is find_model(f"Dec{name}")


class OfMyOwn(DeepFM):
    """A model that RecBole does not have."""


def test_a_model_of_ones_own(everything):
    model = deconfound(OfMyOwn)
    settings = everything | {"epochs": 1, "save_dataset": True}
    result = run_recbole_decrs(model, "tiny", config_dict=settings)
    assert issubclass(model, PairwiseFullSort)
    config, fused, *_ = load_data_and_model(result["saved_model_file"])
    assert config["mlp_hidden_size"] == [128, 128, 128]  # DeepFM's default
    assert type(fused.deconfounded) is model
    assert type(fused.conventional) is model.backbone is find_model("OfMyOwn")
    assert run_recbole_decrs("DecOfMyOwn", "tiny", config_dict=settings)["test_result"] == result["test_result"]


class SortingItself(OneLayer):
    def full_sort_predict(self, interaction):
        return self.first_order_linear.bias.sigmoid().expand(len(interaction), N_ITEMS)


def test_a_full_sort_of_ones_own_is_kept_on_either_scale(everything, prepared):
    config, train_data, *_ = prepared("DeepFM", **everything)
    model = deconfound(SortingItself)(config, train_data.dataset)
    users = train_data.dataset.get_user_feature()[:2]
    logits, probabilities = (OnScale(model, scale).full_sort_predict(users) for scale in ("logit", "probability"))
    torch.testing.assert_close(logits.sigmoid(), probabilities)
    torch.testing.assert_close(probabilities, model.full_sort_predict(users))


def test_a_checkpoint_of_a_class_that_nobody_has_named(everything):
    path = run_recbole_decrs(OfMyOwn, "tiny", config_dict=everything | {"epochs": 1})["saved_model_file"]
    with pytest.raises(DecRSError, match="holds a OfMyOwn; a class of your own goes into config_dict"):
        load_data_and_model(path)
    assert type(load_data_and_model(path, {"model": OfMyOwn})[1]) is OfMyOwn


def test_a_model_from_scratch_needs_its_embedding_size(everything):
    class FromScratch(ContextRecommender):
        pass

    del everything["embedding_size"]
    with pytest.raises(DecRSError, match="FromScratch has no default for embedding_size"):
        run_recbole_decrs(FromScratch, "tiny", config_dict=everything)


def test_a_model_of_ones_own_needs_a_name_of_its_own():
    with pytest.raises(DecRSError, match="RecBole has a model named DeepFM as well"):
        deconfound(type("DeepFM", (DeepFM,), {"__module__": "mine"}))


@pytest.mark.parametrize(
    ("name", "reason"),
    [("DecFM", "there is a model named DecFM already"), ("FM", "RecBole has a model")],
)
def test_one_name_is_of_one_model(name, reason):
    with pytest.raises(DecRSError, match=reason):
        register_model(type(name, (OneLayer,), {"__module__": "mine"}))


def test_a_registered_class_is_replaced_when_its_cell_runs_again():
    first, second = (register_model(type("Mine", (OneLayer,), {})) for _ in range(2))
    assert find_model("Mine") is second is not first


def test_every_class_is_found_where_it_says_it_is():
    for name, model in MODELS.items():
        assert getattr(importlib.import_module(model.__module__), name) is model


def test_every_context_aware_model_of_recbole_has_full_sort():
    assert set(names_of(CONTEXT_AWARE)) <= MODELS.keys()


def test_the_drawing_of_decfm_is_its_method_resolution_order():
    text = Path(context_aware.__file__).read_text(encoding="utf-8")
    drawn = re.search(r"::\n\n(.*?)\n\"\"\"", text, flags=re.DOTALL)[1].splitlines()
    assert [line.split()[0] for line in drawn] == [kind.__name__ for kind in DecFM.__mro__[: len(drawn)]]
    assert DecFM.__mro__[len(drawn)] is torch.nn.Module


# Late fusion


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


def test_fusion_on_logits_of_a_general_recommender(settings):
    result = run_recbole_decrs("DecBPR", "tiny", config_dict=settings | {"fusion_on": "logit", "fusion_weight": 0.0})
    assert result["test_result"] == result["conventional_test_result"]


def test_the_logit_of_a_saturated_score_is_finite(prepared):
    config, train_data, *_ = prepared("KD_DAGFM")
    half = OnScale(config.model_class(config, train_data.dataset), "logit")
    assert not half.gives_own_scores
    half.model.predict = lambda _: torch.tensor([0.0, 0.5, 1.0])
    low, middle, high = half.predict(None)
    assert torch.isfinite(low)
    assert torch.isfinite(high)
    assert low < middle == 0 < high


def test_an_operator_that_is_not_used_is_found_out(settings, monkeypatch):
    monkeypatch.setattr(DecBPR, "fuse", lambda self, of_user, of_groups: of_user)
    with pytest.raises(DecRSError, match="DecBPR does not use its operator"):
        run_recbole_decrs("DecBPR", "tiny", config_dict=settings)


def test_drift_over_other_periods_after_training(settings):
    path = run_recbole_decrs("DecFM", "tiny", config_dict=settings | {"epochs": 1})["saved_model_file"]
    two, three = (load_data_and_model(path, {"drift_periods": periods})[1].weight for periods in (2, 3))
    torch.testing.assert_close(two, load_data_and_model(path)[1].weight)
    assert (two != three).any()


def test_the_example_of_the_docs(settings):
    text = (Path(__file__).parents[2] / "docs" / "models.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL)
    assert len([line for line in code.splitlines() if line.strip()]) < 20
    scope: dict = {}
    exec(code, scope)
    result = run_recbole_decrs("DecNGCF", "tiny", config_dict=settings | {"epochs": 1})
    assert 0 < result["test_result"]["recall@10"] <= 1
    assert type(load_data_and_model(result["saved_model_file"])[1].deconfounded).__name__ == "DecNGCF"


def test_the_table_of_the_docs_lists_every_context_aware_model():
    text = (Path(__file__).parents[2] / "docs" / "models.md").read_text(encoding="utf-8")
    for name in names_of(CONTEXT_AWARE):
        assert f"| {name} |" in text
