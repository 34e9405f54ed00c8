"""Measures bias amplification by RecBole metrics, collects the data for them, and gives the results by user."""

from recbole_decrs.evaluator.metrics import CKL, Euclidean, Hellinger
from recbole_decrs.evaluator.registry import UserMetric, metric

__all__ = ["CKL", "Euclidean", "Hellinger", "UserMetric", "metric"]
