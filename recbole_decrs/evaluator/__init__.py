"""Measures bias amplification and exposure by RecBole metrics, collects their data, and gives results by user."""

from recbole_decrs.evaluator.exposure import AggregateGroupCoverage, GroupCoverage, GroupEntropy, PopularityLift
from recbole_decrs.evaluator.metrics import CKL, Euclidean, Hellinger
from recbole_decrs.evaluator.registry import UserMetric, metric

__all__ = [
    "CKL",
    "AggregateGroupCoverage",
    "Euclidean",
    "GroupCoverage",
    "GroupEntropy",
    "Hellinger",
    "PopularityLift",
    "UserMetric",
    "metric",
]
