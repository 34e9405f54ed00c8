"""Models are shared by what is trained: the same class with the same settings."""

import json
from pathlib import Path

import pytest

from recbole_decrs import DecRSError
from recbole_decrs.compare import METHODS, Method, register_method, run_comparison
from recbole_decrs.compare.plan import plan_of
from recbole_decrs.compare.wanted import wanted_by
from recbole_decrs.compare.weights import drift_weights
from recbole_decrs.config import DecRSConfig
from registries import registries_as_before


@pytest.fixture(autouse=True)
def _as_before():
    with registries_as_before():
        yield


@pytest.fixture
def configure(settings):
    return lambda model, own: DecRSConfig(model, "tiny", config_dict=settings | own)


def of_decrs(**fields) -> Method:
    """A control that says that its models are those of decrs."""
    return Method(**{"title": "Mine", "role": "control", "twin": True, "trains": "decrs", **fields})


OTHERS = [
    ({"twin": False}, "model"),
    ({"grid": ((None, {"backdoor_operator": "product"}),)}, "backdoor_operator"),
    ({"settings_of": lambda config: {"embedding_size": 4}, "weights": drift_weights}, "embedding_size"),
    ({"seed_shift": 1}, "seed"),
    ({"trains": "backbone", "twin": False, "settings_of": lambda config: {"embedding_size": 4}}, "embedding_size"),
]


@pytest.mark.parametrize("methods", [["mine"], ["decrs", "mine"], ["decrs_wo", "mine"]])
@pytest.mark.parametrize(("fields", "keys"), OTHERS)
def test_another_model_under_a_shared_name_is_refused(configure, fields, keys, methods):
    """It is, whatever else is compared: the next comparison would find it in the folder."""
    register_method("mine", of_decrs(**fields))
    owner = fields.get("trains", "decrs")
    said = f"trains lets mine share the model FM-2020-{owner} with {owner}, and the two differ in .*{keys}.*; leave"
    with pytest.raises(DecRSError, match=said):
        plan_of(["FM"], methods, 1, configure)


def test_two_methods_that_want_different_models_under_a_value(configure):
    for name, width in (("narrow", 4), ("wider", 16)):
        grid = (("own", {"embedding_size": width}),)
        register_method(name, of_decrs(title=name.title(), grid=grid))
        plan_of(["FM"], [name], 1, configure)
    with pytest.raises(DecRSError, match="wider share the model FM-2020-decrs-own with narrow, .* in embedding_size"):
        plan_of(["FM"], ["narrow", "wider"], 1, configure)


def test_the_same_model_said_in_other_words_is_shared(configure):
    register_method("mine", of_decrs(settings_of=lambda config: {"embedding_size": config["embedding_size"]}))
    register_method("alone", Method("Alone", role="control", trains="backbone"))
    assert "mine" in plan_of(["FM"], ["decrs", "mine", "alone"], 1, configure).methods["FM"]


def test_an_owner_that_does_not_go_with_a_backbone_shares_nothing(configure):
    register_method("mine", of_decrs(twin=False))
    assert plan_of(["EASE"], ["mine"], 1, configure).methods == {"EASE": ["backbone", "mine"]}


def test_methods_that_share_are_measured_on_one_training(settings):
    values = ((None, {}), ("product", {"backdoor_operator": "product"}))
    register_method("mine", of_decrs(grid=(*values, *values)))
    register_method("alone", Method("Alone", role="control", trains="backbone"))
    methods = ["decrs_wo", "mine", "alone"]
    results = run_comparison(["FM"], "tiny", methods, 1, "out", config_dict=settings | {"epochs": 1})
    assert results.methods["FM"] == ["backbone", *methods]
    record = json.loads(Path("out/run.json").read_text())
    trained = [job.partition(" ")[2] for job in record["seconds"] if job.startswith("train")]
    assert trained == ["FM-2020-backbone", "FM-2020-decrs", "FM-2020-decrs-product"]
    backbone, alone = (results.outcomes["FM", name, 2020] for name in ("backbone", "alone"))
    assert backbone.info["test"] == alone.info["test"]


def test_the_names_of_the_pieces_of_the_package(configure):
    """Earlier results are found by them."""
    config = configure("FM", {"seed": 7})
    names = {name: [wanted.name for _, wanted in wanted_by(name, "FM", 7, config)] for name in METHODS}
    own = ("unawareness", "decrs", "decrs_product", "decrs_authors", "intervention", "by_user", "ensemble")
    own += ("confounded", "free", "wide")
    floors = (0.1, 0.3, 0.5, 0.7, 0.9)
    assert {name: found for name, found in names.items() if found} == {
        **{name: [f"FM-7-{name}"] for name in own},
        **{name: ["FM-7-decrs"] for name in ("decrs_wo", "constant", "equal", "shuffled")},
        "confounded_wo": ["FM-7-confounded"],
        **{name: ["FM-7-ensemble"] for name in ("ensemble_constant", "ensemble_equal", "other_seed")},
        "ips_user": [f"FM-7-ips_user-{cap}" for cap in range(2, 11)],
        "ips_item": [f"FM-7-ips_item-{floor}" for floor in floors],
    }
