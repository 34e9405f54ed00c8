"""The metrics of groups, which are computed from what is not zero, some users at a time, against the dense formula."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from recbole.evaluator.collector import DataStruct

from confounders import confounder_of
from recbole_decrs.causal import calibration_kl, euclidean, hellinger
from recbole_decrs.evaluator import metrics
from recbole_decrs.evaluator.evaluator import DecRSEvaluator
from recbole_decrs.evaluator.metrics import CKL, Euclidean, Hellinger
from recbole_decrs.evaluator.report import results_by_drift

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


def shares(rng, n_rows, n_groups):
    """Distributions with many zeros; the first and some other rows are 0."""
    weights = rng.random((n_rows, n_groups)) * (rng.random((n_rows, n_groups)) < 0.4)
    weights[0] = 0
    sums = weights.sum(axis=1, keepdims=True)
    return np.divide(weights, sums, out=np.zeros_like(weights), where=sums > 0)


def collected_of(seed, n_users=12, n_items=9, n_groups=4):
    rng = np.random.default_rng(seed)
    struct = DataStruct()
    struct.set("data.confounder", confounder_of(shares(rng, n_items, n_groups), shares(rng, n_users, n_groups)))
    struct.set("data.user_drift", rng.random(n_users) * 4)
    struct.set("data.num_items", n_items)
    users = np.sort(rng.integers(1, n_users, size=n_users))  # a sequential model makes a user several lists
    lists = np.stack([rng.permutation(np.arange(1, n_items))[:5] for _ in users])
    length = rng.integers(0, 6, size=(len(users), 1))
    hits = rng.integers(0, 2, size=lists.shape)
    struct.set("rec.users", torch.from_numpy(users))
    struct.set("rec.items", torch.from_numpy(lists))
    struct.set("rec.ranked", torch.from_numpy(np.arange(5) < length))
    struct.set("rec.topk", torch.from_numpy(np.column_stack([hits, hits.sum(axis=1) + 1])))
    return struct


@settings(deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 14))
def test_values_are_those_of_the_dense_formula(seed, users_at_once):
    collected, before = collected_of(seed), metrics.USERS_AT_ONCE
    metrics.USERS_AT_ONCE = users_at_once
    try:
        for kind, distance in DISTANCES.items():
            values = kind(CONFIG).by_user(collected)
            assert sorted(values) == [1, 3, 5]
            for k, found in values.items():
                np.testing.assert_allclose(found, dense(collected, distance, k), rtol=0, atol=1e-12)
    finally:
        metrics.USERS_AT_ONCE = before


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
