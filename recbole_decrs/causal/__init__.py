"""Holds the paper's mathematics on plain arrays: no RecBole in here, one equation or idea per file.

Section and equation numbers refer to Wang et al., "Deconfounded Recommendation for Alleviating Bias
Amplification", KDD 2021. Row 0 of every user and item axis is RecBole's padding.
"""

from recbole_decrs.causal.backdoor import OPERATORS, BackdoorOperator
from recbole_decrs.causal.calibration import calibration_kl, euclidean, hellinger
from recbole_decrs.causal.confounder import (
    PRIORS,
    Confounder,
    estimate_confounder,
    expected_distribution,
)
from recbole_decrs.causal.divergence import kl_divergence
from recbole_decrs.causal.drift import interest_drift, normalized_drift, symmetric_kl
from recbole_decrs.causal.fusion import fuse_scores
from recbole_decrs.causal.groups import membership_from_labels, membership_from_weights
from recbole_decrs.causal.history import user_history_distribution
from recbole_decrs.causal.jensen_gap import expected_scores, jensen_gap
from recbole_decrs.causal.list_diversity import aggregate_group_coverage, group_coverage, group_entropy
from recbole_decrs.causal.partitions import Summary, UserStatistics, combine, statistics_of_users
from recbole_decrs.causal.popularity_lift import item_popularity, list_popularity, popularity_lift, profile_popularity

__all__ = [
    "OPERATORS",
    "PRIORS",
    "BackdoorOperator",
    "Confounder",
    "Summary",
    "UserStatistics",
    "aggregate_group_coverage",
    "calibration_kl",
    "combine",
    "estimate_confounder",
    "euclidean",
    "expected_distribution",
    "expected_scores",
    "fuse_scores",
    "group_coverage",
    "group_entropy",
    "hellinger",
    "interest_drift",
    "item_popularity",
    "jensen_gap",
    "kl_divergence",
    "list_popularity",
    "membership_from_labels",
    "membership_from_weights",
    "normalized_drift",
    "popularity_lift",
    "profile_popularity",
    "statistics_of_users",
    "symmetric_kl",
    "user_history_distribution",
]
