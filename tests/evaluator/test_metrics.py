import numpy as np
import pytest
import torch
from recbole.evaluator.collector import DataStruct

from confounders import confounder_of
from recbole_decrs import DecRSError
from recbole_decrs.causal import calibration_kl, euclidean, hellinger
from recbole_decrs.evaluator.metrics import CKL, Euclidean, Hellinger

CONFIG = {"metric_decimal_place": 6, "topk": [1, 3]}


@pytest.fixture
def collected():
    rng = np.random.default_rng(0)
    membership = rng.dirichlet(np.ones(3), size=8)
    membership[0] = 0
    history = rng.dirichlet(np.ones(3), size=5)
    history[[0, 3]] = 0
    struct = DataStruct()
    struct.set("data.confounder", confounder_of(membership, history))
    struct.set("rec.users", torch.tensor([2, 3, 4]))
    struct.set("rec.ranked", torch.ones(3, 3, dtype=torch.bool))
    struct.set("rec.items", torch.tensor([[1, 2, 3], [4, 5, 6], [7, 1, 5]]))
    return struct


@pytest.mark.parametrize(
    ("metric", "distance"), [(CKL, calibration_kl), (Hellinger, hellinger), (Euclidean, euclidean)]
)
def test_mean_over_users_with_a_history(collected, metric, distance):
    result = metric(CONFIG).calculate_metric(collected)
    confounder = collected.get("data.confounder")
    membership, history = confounder.membership, confounder.user_distribution
    for k in (1, 3):
        values = []
        for user, items in ((2, [1, 2, 3]), (4, [7, 1, 5])):  # user 3 has no history
            recommended = sum(membership[item] for item in items[:k]) / k
            values.append(distance(history[user], recommended))
        assert result[f"{metric.__name__.lower()}@{k}"] == pytest.approx(np.mean(values), abs=1e-6)


def test_users_without_a_history_have_no_value(collected):
    values = CKL(CONFIG).by_user(collected)[3]
    assert np.isnan(values).tolist() == [False, True, False]


def test_what_is_no_candidate_is_no_part_of_a_list(collected):
    """Where the candidates run out, top-k has items of score -inf."""
    collected.set("rec.ranked", torch.tensor([[True, False, False]] * 3))
    values = CKL(CONFIG).by_user(collected)
    np.testing.assert_allclose(values[3], values[1])


def test_nobody_with_a_history(collected):
    confounder = collected.get("data.confounder")
    collected.set("data.confounder", confounder_of(confounder.membership, np.zeros((5, 3))))
    assert np.isnan(CKL(CONFIG).calculate_metric(collected)["ckl@3"])


def test_recboles_collector_does_not_do():
    struct = DataStruct()
    struct.set("rec.ranked", torch.ones(3, 3, dtype=torch.bool))
    struct.set("rec.items", torch.tensor([[1]]))
    with pytest.raises(DecRSError, match="the metric CKL needs the item groups"):
        CKL(CONFIG).calculate_metric(struct)
