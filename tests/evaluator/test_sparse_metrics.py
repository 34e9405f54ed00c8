"""The metrics of groups, which are computed from what is not zero, some users at a time, against the dense formula."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from recbole.evaluator.collector import DataStruct

from collected_lists import collected_of
from recbole_decrs.causal import calibration_kl, euclidean, hellinger
from recbole_decrs.evaluator import list_groups
from recbole_decrs.evaluator.by_group import results_by_drift
from recbole_decrs.evaluator.evaluator import DecRSEvaluator
from recbole_decrs.evaluator.metrics import CKL, Euclidean, Hellinger

DISTANCES = {CKL: calibration_kl, Hellinger: hellinger, Euclidean: euclidean}
CONFIG = {
    "metric_decimal_place": 12,
    "topk": [3, 1, 5],
    "metrics": ["Recall", "CKL", "Hit", "ItemCoverage", "Precision"],
}


def dense(collected, distance, k):
    """The obvious formula: all users' lists by items by groups."""
    items, ranked = collected.get("rec.items").numpy()[:, :k], collected.get("rec.ranked").numpy()[:, :k, None]
    confounder = collected.get("data.confounder")
    history = confounder.user_distribution[collected.get("rec.users").numpy()]
    recommended = (confounder.membership[items] * ranked).sum(axis=1) / np.maximum(ranked.sum(axis=1), 1)
    return np.where(history.any(axis=1), distance(history, recommended), np.nan)


@settings(deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 14))
def test_values_are_those_of_the_dense_formula(seed, users_at_once):
    collected, before = collected_of(seed), list_groups.USERS_AT_ONCE
    list_groups.USERS_AT_ONCE = users_at_once
    try:
        for kind, distance in DISTANCES.items():
            values = kind(CONFIG).by_user(collected)
            assert sorted(values) == [1, 3, 5]
            for k, found in values.items():
                np.testing.assert_allclose(found, dense(collected, distance, k), rtol=0, atol=1e-12)
    finally:
        list_groups.USERS_AT_ONCE = before


@settings(deadline=None)
@given(st.integers(0, 10**6))
def test_groups_by_drift_are_those_of_their_users_alone(seed):
    collected, evaluator = collected_of(seed), DecRSEvaluator(CONFIG)
    users = collected.get("rec.users").numpy()
    for threshold, row in results_by_drift(evaluator, {"a": collected}, [0, 1.5, 3, 5]).items():
        of_group = collected.get("data.user_drift")[users] > threshold
        assert row["users"] == len(set(users[of_group]))
        alone = DataStruct()
        for key, value in collected._data_dict.items():
            alone.set(key, value[torch.from_numpy(of_group)] if key.startswith("rec.") else value)
        expected = evaluator.evaluate(alone) if of_group.any() else {}
        assert list(row["a"]) == list(expected)
        assert row["a"] == pytest.approx(expected, abs=1e-12, nan_ok=True)


def test_a_metric_is_computed_once_for_all_groups(monkeypatch):
    called, by_user = [], CKL.by_user
    monkeypatch.setattr(CKL, "by_user", lambda self, collected: called.append(1) or by_user(self, collected))
    results_by_drift(DecRSEvaluator(CONFIG), {"a": collected_of(0)}, [0, 1, 2, 3])
    assert len(called) == 1


def test_what_a_metric_makes_of_its_averages_is_made_of_each_group(monkeypatch):
    evaluator, collected = DecRSEvaluator(CONFIG), collected_of(0)
    hit = evaluator.metric_class["hit"]
    calculate = hit.calculate_metric
    monkeypatch.setattr(hit, "calculate_metric", lambda data: {**calculate(data), "hits": len(data.get("rec.users"))})
    of_group = collected.get("rec.users").numpy() > 5
    assert evaluator.evaluate_groups(collected, [of_group])[0]["hits"] == of_group.sum()
