"""A search space: what needs a training, what does not, and what Optuna is given and gives."""

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recbole_decrs import DecRSError
from recbole_decrs.key_facts import DRIFT_KEYS
from recbole_decrs.search_space import draws, whole_numbers
from recbole_decrs.tuning.space import check_keys, distributions, measured_settings, params_of, setting_of, split

CHOICES = st.lists(st.sampled_from([None, True, 0.1, 1.0, 3, "a", "[1]", [1, 2], [1, 2.5]]), min_size=1, max_size=4)
BOUNDS = st.tuples(st.floats(-4, 4), st.floats(0.1, 4)).map(lambda pair: [pair[0], pair[0] + pair[1]])
KEYS = st.one_of(
    st.tuples(st.just("choice"), CHOICES),
    st.tuples(st.sampled_from(["uniform", "loguniform"]), BOUNDS),
    st.tuples(st.just("quniform"), st.tuples(BOUNDS, st.floats(0.01, 2)).map(lambda pair: [*pair[0], pair[1]])),
)
SPACES = st.dictionaries(st.sampled_from("abcd"), KEYS, max_size=4)


@given(SPACES, st.integers(0, 1000))
def test_what_is_drawn_is_known_again_from_what_optuna_keeps(space, seed):
    known = distributions(space)
    for setting in draws(space, 5, seed):
        params = params_of(setting, space)
        for key, value in params.items():
            assert known[key]._contains(known[key].to_internal_repr(value))
        again = setting_of(params, space)
        for key, value in whole_numbers(setting).items():
            exact = space[key][0] != "quniform" or isinstance(value, int)
            assert again[key] == (value if exact else pytest.approx(value))
            assert isinstance(again[key], type(value))


@given(st.dictionaries(st.sampled_from(["drift_alpha", "reranker_lambda", "fusion_on"]), CHOICES, max_size=3))
def test_choices_that_need_no_training_are_all_combined(after):
    values = [[v for place, v in enumerate(values) if v not in values[:place]] for _, values in _named(after).values()]
    expected = [whole_numbers(dict(zip(after, each, strict=True))) for each in itertools.product(*values)]
    assert measured_settings(_named(after)) == expected


def _named(after):
    return {key: ("choice", values) for key, values in after.items()}


def test_a_range_that_needs_no_training_stands_for_its_values():
    def values(kind, given):
        return [setting["drift_alpha"] for setting in measured_settings({"drift_alpha": (kind, given)})]

    assert values("uniform", [0, 1]) == [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1]
    assert values("quniform", [1, 4, 1.5]) == [1.5, 3, 4.5]
    with pytest.raises(DecRSError, match="drift_alpha need no training, .* and these are more than 1000"):
        values("quniform", [0, 1, 1e-7])
    logarithmic = values("loguniform", [-1, 1])
    assert len(logarithmic) == 11
    assert [math.log(value) for value in logarithmic] == pytest.approx([-1 + place / 5 for place in range(11)])


def test_keys_are_split_by_whether_they_need_a_training():
    space = {key: ("choice", [1]) for key in ("learning_rate", "drift_alpha", "fusion_on", "delta", "reranker", "seed")}
    trained, after = split(space)
    assert list(trained) == ["learning_rate", "delta", "seed"]
    assert list(after) == ["drift_alpha", "fusion_on", "reranker"]


@pytest.mark.parametrize(
    ("key", "deconfounded", "said"),
    [
        ("test_candidates", True, "test_candidates changes no score on validation, by which tune chooses; leave it"),
        ("drift_thresholds", True, "drift_thresholds changes no score on validation"),
        ("show_progress", False, "show_progress changes no score on validation"),
        ("valid_metric", False, "valid_metric changes what a score on validation means, so that those of two trials"),
        ("eval_args", True, "eval_args changes what a score on validation means"),
        ("val_interval", True, "val_interval changes what"),
        ("drift_alpha", False, "drift_alpha is about two recommenders that are fused, and FM is one; leave it out"),
        ("inference", False, "inference is about two recommenders"),
    ],
)
def test_keys_that_cannot_change_the_score(key, deconfounded, said):
    with pytest.raises(DecRSError, match=said):
        check_keys({"learning_rate": ("choice", [1]), key: ("choice", [1, 2])}, "FM", deconfounded)


def test_what_shapes_the_drift_is_no_matter_of_after_training():
    space = {"drift_history": None, "drift_periods": None, "drift_smoothing": None, "drift_alpha": None}
    before, after = split(space)
    assert set(before) == DRIFT_KEYS
    assert set(after) == {"drift_alpha"}
