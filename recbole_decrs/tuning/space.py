"""Splits a search space into keys that need a training each and keys that do not, and puts the former to Optuna."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution

from recbole_decrs.errors import DecRSError
from recbole_decrs.key_facts import CHANGE_NO_NUMBER, CHANGE_NO_TRAINING
from recbole_decrs.plain_values import UNDO
from recbole_decrs.search_space import Space, whole, whole_numbers

MOST_MEASURED = 1000
"""Settings of keys that need no training, each of which is measured with each trained model."""
OF_TEST = frozenset({"test_candidates", "drift_thresholds"})
"""Keys that change what is shown of the test part, and no score on validation."""
OF_SCORES = frozenset(
    {
        *("valid_metric", "metrics", "topk", "eval_args", "repeatable"),
        *("dataset", "benchmark_filename", "val_interval", "user_inter_num_interval", "item_inter_num_interval"),
        *("filter_inter_by_user_or_item", "rm_dup_inter", "threshold"),
        *("USER_ID_FIELD", "ITEM_ID_FIELD", "LABEL_FIELD", "TIME_FIELD"),
    }
)
"""Keys that change what a score on validation means: its metric, its candidates, or the clicks that it is about."""
OF_FUSION = frozenset({"drift_alpha", "drift_alpha_grid", "fusion_weight", "fusion_on", "inference"})
"""Keys by which two trained recommenders are ranked."""
OF_RERANKING = frozenset({"reranker", "reranker_lambda", "reranker_candidates"})
"""Keys by which the ranking of any trained recommender is put in another order."""
AFTER_TRAINING = (CHANGE_NO_TRAINING | OF_FUSION | OF_RERANKING) - OF_TEST
"""Keys of which every value is measured with one trained model.

They are more than ``compare`` shares trained models by, since it sets some of them by itself.
"""
VALUES_OF_A_RANGE = 11
"""How many values of a range are measured where its key needs no training."""


def check_keys(space: Space, model: str, deconfounded: bool) -> None:
    """See that every key of a search space can change the score that settings are chosen by, and not what it means.

    Args:
        space: the search space.
        model: the name of the model.
        deconfounded: True if it is two recommenders, which are fused.

    Raises:
        DecRSError: a key cannot.
    """
    for key in space:
        if key in OF_TEST or key in CHANGE_NO_NUMBER:
            raise DecRSError(
                f"params_file: {key} changes no score on validation, by which tune chooses; leave it out, and set it "
                f"by --{key}"
            )
        if key in OF_SCORES:
            raise DecRSError(
                f"params_file: {key} changes what a score on validation means, so that those of two trials cannot be "
                f"compared; leave it out, and set it by --{key}"
            )
        if key in OF_FUSION and not deconfounded and "model" not in space:
            raise DecRSError(
                f"params_file: {key} is about two recommenders that are fused, and {model} is one; leave it out, or "
                "take a deconfounded model"
            )


def split(space: Space) -> tuple[Space, Space]:
    """Split a search space into the keys that change a training, and those that change what is done after it."""
    after = {key: values for key, values in space.items() if key in AFTER_TRAINING}
    return {key: values for key, values in space.items() if key not in after}, after


def measured_settings(after: Space) -> list[dict[str, Any]]:
    """List all settings of the keys that need no training, which are measured with each trained model.

    Args:
        after: their part of the space; a range stands for :data:`VALUES_OF_A_RANGE` values at like distances, and
            ``quniform`` for all of its values.

    Returns:
        every combination, the last key's fastest; one without a key where the space has none.

    Raises:
        DecRSError: there are more than :data:`MOST_MEASURED`.
    """
    n_steps = {key: (given[1] - given[0]) / given[2] for key, (kind, given) in after.items() if kind == "quniform"}
    n_others = (len(_values(kind, given)) for kind, given in after.values() if kind != "quniform")
    if math.prod([*n_steps.values(), *n_others]) > MOST_MEASURED:
        raise DecRSError(
            f"params_file: {', '.join(after)} need no training, so that all of their values are measured with each "
            f"trained model, and these are more than {MOST_MEASURED}; give fewer, or larger steps"
        )
    values = [_values(kind, given) for kind, given in after.values()]
    return [whole_numbers(dict(zip(after, combination, strict=True))) for combination in itertools.product(*values)]


def _values(kind: str, given: list[Any]) -> list[Any]:
    if kind == "choice":
        given = [None if isinstance(value, str) and value.lower() in UNDO else value for value in given]
        return [value for place, value in enumerate(given) if value not in given[:place]]
    if kind == "quniform":
        low, high, step = given
        return [float(place * step) for place in range(round(low / step), round(high / step) + 1)]
    spread = [round(float(value), 12) for value in np.linspace(*given, VALUES_OF_A_RANGE)]
    return [math.exp(value) for value in spread] if kind == "loguniform" else spread


def distributions(space: Space) -> dict[str, BaseDistribution]:
    """Make Optuna's distributions, of choices by their text (it keeps no lists), of ``quniform`` by the multiple."""
    return {key: _distribution(*of_key) for key, of_key in space.items()}


def _distribution(kind: str, values: list[Any]) -> BaseDistribution:
    if kind == "choice":
        return CategoricalDistribution(tuple(dict.fromkeys(map(repr, values))))
    if kind == "quniform":
        low, high, step = values
        return IntDistribution(round(low / step), round(high / step))
    if kind == "loguniform":
        return FloatDistribution(*map(math.exp, values), log=True)
    return FloatDistribution(*values)


def params_of(setting: dict[str, Any], space: Space) -> dict[str, Any]:
    """Put a setting into the terms of :func:`distributions`."""
    params = {}
    for key, (kind, values) in space.items():
        value = setting[key]
        params[key] = repr(value) if kind == "choice" else round(value / values[2]) if kind == "quniform" else value
    return params


def setting_of(params: dict[str, Any], space: Space) -> dict[str, Any]:
    """Read a setting off what :func:`distributions` have given: whole numbers are integers, as sizes must be."""
    setting = {}
    for key, (kind, values) in space.items():
        if kind == "choice":
            setting[key] = next(value for value in values if repr(value) == params[key])
        else:
            setting[key] = params[key] * values[2] if kind == "quniform" else params[key]
        setting[key] = whole(setting[key])
    return setting
