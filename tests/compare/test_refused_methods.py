"""Methods of one's own that cannot be, by their names, their fields, or by what their functions return."""

import numpy as np
import pytest

from recbole_decrs import DecRSError
from recbole_decrs.compare import Method, register_method, run_comparison
from recbole_decrs.compare.weights import check_weights, drift_weights
from recbole_decrs.config import DecRSConfig
from registries import registries_as_before


@pytest.fixture(autouse=True)
def _as_before():
    """Takes out again what a test has registered."""
    with registries_as_before():
        yield


@pytest.mark.parametrize(
    ("weights", "said"),
    [
        ({}, "has no weights to choose from"),
        (None, "must be a dictionary, from each value .*, not a NoneType"),
        (np.zeros(4), "must be a dictionary, .*, not a ndarray"),
        ([0.5], "must be a dictionary, .*, not a list"),
        ({0.5: list("abcd")}, "those for 0.5 are of the type <U1"),
        ({0.5: [None] * 4}, "those for 0.5 are of the type object"),
        ({0.5: [[1], [1, 2], [1], [1]]}, "for 0.5 are no array of numbers"),
        ({(0.5, 1): np.zeros(4)}, r"a value of the weights of mine must be a number, or a text .*, not \(0.5, 1\)"),
        ({0.5: np.zeros(3)}, r"one in \[0, 1\] for each of 4 user ids, .* those for 0.5 have shape \(3,\)"),
        ({0.5: np.array([0, 1, 2, 0.5])}, r"those for 0.5 lie in \[0, 2\]"),
        ({0.5: np.array([0, 1, np.nan, 0.5])}, r"those for 0.5 lie in \[nan, nan\]"),
    ],
)
def test_weights_that_cannot_be_those_of_eq_11(weights, said):
    with pytest.raises(DecRSError, match=f"methods: (.*the weights of )?mine.*{said}|methods: {said}"):
        check_weights("mine", weights, 4)


@pytest.mark.parametrize("name", ["", "a b", "a/b", "a,b", "fairco", "DecRS", "all"])
def test_names_of_methods_that_cannot_be(name):
    with pytest.raises(DecRSError, match="is taken; take another|letters, digits and underscores"):
        register_method(name, Method("Mine", role="control"))
    with pytest.raises(DecRSError, match="the name FairCo is taken"):
        register_method("mine", Method("FairCo", role="control"))


def test_methods_that_cannot_be():
    with pytest.raises(DecRSError, match="the role of the method Mine is 'best'; take one of backbone, competitor"):
        Method("Mine", role="best")
    with pytest.raises(DecRSError, match="weights for one model, and 2 models in grid; leave one of them"):
        Method("Mine", role="control", weights=drift_weights, grid=((1, {}), (2, {})))
    with pytest.raises(DecRSError, match="has the re-ranker calibratoin, and .*; did you mean calibration"):
        Method("Mine", role="control", reranker="calibratoin")
    with pytest.raises(DecRSError, match="mine trains the models of dcrs, and .*; did you mean decrs"):
        register_method("mine", Method("Mine", role="control", trains="dcrs"))
    with pytest.raises(DecRSError, match="the models of zzz, and there is no such method; take one of backbone, un"):
        register_method("mine", Method("Mine", role="control", trains="zzz"))


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"reranker": "fairco", "weights": drift_weights}, "the method Mine has reranker and weights"),
        ({"grid": ()}, "the grid of the method Mine is empty"),
        ({"grid": ((1, {"ips_cap": 2}), (1.0, {"ips_cap": 3}))}, "the grid of the method Mine has the value 1.0 twice"),
        ({"grid": ((1, {"ips_cap": 2}), ("1", {}))}, "the grid of the method Mine has the value 1 twice"),
        ({"grid": (1, 2)}, "each model in the grid of the method Mine must be a value and a dictionary .*, not 1"),
        ({"grid": ((1, None),)}, "each model in the grid of the method Mine must be a value and a dictionary"),
        ({"grid": 5}, "each model in the grid of the method Mine must be a value and a dictionary .*, not 5"),
        ({"grid": (("a/b", {}),)}, "a value in the grid of the method Mine must be a number, or a text without / and"),
        ({"grid": (((8, 4), {}),)}, "a value in the grid of the method Mine must be a number, or a text without / and"),
        ({"title": 5}, "the title of a method must be a text, not 5"),
        ({"seed_shift": "1"}, "seed_shift of the method Mine must be a whole number >= 0, not '1'"),
        ({"title": "Mine {x}"}, "the title of the method Mine {x} has braces other than those of {backbone}"),
        ({"title": "{backbone} {"}, "the title of the method {backbone} { has braces"),
        ({"title": "{backbone:{x}}"}, "the title of the method .* has braces"),
        ({"title": "{backbone.name}"}, "the title of the method .* has braces"),
    ],
)
def test_fields_of_methods_that_cannot_be(fields, said):
    with pytest.raises(DecRSError, match=said):
        Method(**{"title": "Mine", "role": "control", **fields})


def test_a_comparison_has_one_backbone():
    with pytest.raises(DecRSError, match="methods: the role of mine is 'backbone', .*; take competitor, decrs or"):
        register_method("mine", Method("Mine", role="backbone"))


def test_what_is_no_method_is_not_registered():
    for other in (None, {"title": "Mine"}, Method):
        with pytest.raises(DecRSError, match="register_method takes a Method, such as .*, not "):
            register_method("mine", other)
    with pytest.raises(DecRSError, match="methods: 5 is no name of a method"):
        register_method(5, Method("Mine", role="control"))


@pytest.mark.parametrize("returned", [None, ["embedding_size"], {5: 1}])
def test_settings_of_that_are_none(settings, returned):
    register_method("mine", Method("Mine", role="control", settings_of=lambda config: returned))
    with pytest.raises(DecRSError, match="what settings_of of mine returns must be a dictionary of settings by key"):
        run_comparison(["FM"], "tiny", ["mine"], 1, "out", config_dict=settings)


def test_a_remark_that_is_none_leaves_its_method_out(settings, caplog):
    register_method("mine", Method("Mine", role="control", trains="backbone", remark=lambda chosen, confounder: None))
    results = run_comparison(["FM"], "tiny", ["mine"], 1, "out", config_dict=settings | {"epochs": 1})
    assert list(results.methods["FM"]) == ["backbone"]
    assert "FM-2020-mine is left out: methods: what remark of mine returns must be a dictionary" in caplog.text


@pytest.mark.parametrize("nothing", [None, "", False])
def test_a_method_with_nothing_against_a_backbone_goes_with_it(settings, nothing):
    method = Method("Mine", role="control", why_not=lambda config: nothing)
    assert method.left_out_because(DecRSConfig("FM", "tiny", config_dict=settings), None) is None


def test_a_value_that_a_grid_has_twice_counts_once():
    models = ((1, {"ips_cap": 2}), (2, {"ips_cap": 3}))
    assert Method("Mine", role="control", grid=(*models, *models)).grid == models
    assert len(Method("Mine", role="control", weights=drift_weights, grid=((None, {}), (None, {}))).grid) == 1


@pytest.mark.parametrize("key", ["train_batch_size", "val_interval", "load_col", "test_candidates"])
def test_a_method_cannot_set_what_shapes_the_data(settings, key):
    register_method("mine", Method("Mine", role="control", settings_of=lambda config: {key: config[key]}))
    with pytest.raises(DecRSError, match=f"methods: mine sets {key}, which shapes the data"):
        run_comparison(["FM"], "tiny", ["mine"], 1, "out", config_dict=settings | {"epochs": 1})
