"""RecBole metrics of bias amplification, what collects the data for them, and the results by user."""

from recbole_decrs.evaluator.metrics import CKL, Euclidean, Hellinger
from recbole_decrs.evaluator.registry import UserMetric, metric

__all__ = ["CKL", "Euclidean", "Hellinger", "UserMetric", "metric"]
