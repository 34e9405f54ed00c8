"""Holds what the page of a run is made from, whether the run has just ended or its checkpoint was loaded."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from recbole.evaluator.collector import DataStruct
from scipy import sparse

from recbole_decrs.causal import Confounder
from recbole_decrs.causal.lists import list_distributions
from recbole_decrs.evaluator.evaluator import DecRSEvaluator
from recbole_decrs.evaluator.rankings import ranking_of_result
from recbole_decrs.evaluator.report import compared_of, labels_of

Curve = dict[str, list[list[float]]]
"""The points (epoch, value) of a training by RecBole's names: ``Loss/Train`` and ``Vaild_score``."""
STYLES = {"conventional": 0, "deconfounded": 1, "fused": 2}
"""The number of the style in which each recommender is drawn."""


@dataclass(frozen=True)
class FinishedRun:
    """Holds a run that has been tested."""

    config: Any
    checkpoint: str
    """The path of its checkpoint."""
    part: Any
    """The training part of its dataset."""
    test: Any
    """The test part."""
    evaluator: DecRSEvaluator
    collected: dict[str, DataStruct]
    """The data that were collected on test of each recommender."""
    results: dict[str, dict[str, float]]
    """The metrics of each recommender."""
    curves: dict[str, Curve] = field(default_factory=dict)
    """The curves of each half, or of the one model by its name."""
    alpha_scores: list[list[float]] = field(default_factory=list)
    """The candidates of alpha with their score on validation; empty where alpha was not chosen."""
    alpha: float | None = None
    weight: np.ndarray | None = None
    """The weight of each user's deconfounded scores, shape [n_users]; None where nothing is fused."""
    files: dict[str, str] = field(default_factory=dict)
    """The paths of the files of the run beside the checkpoint, by what they are."""
    settings: dict[str, Any] | None = None
    """The settings that the run was given and that are not the defaults; None where they are those of ``config``."""

    @cached_property
    def labels(self) -> dict[str, str]:
        """Name the recommenders as tables do."""
        return labels_of(self.config, self.alpha)

    @property
    def compared(self) -> tuple[str, str] | None:
        """Give the recommenders before and after, of which a difference is told; None of a single model."""
        if not self.config.deconfounded:
            return None
        return compared_of(self.results, ranking_of_result(self.config).name)

    @property
    def result(self) -> dict[str, float]:
        """Give the metrics that count as the result of the run."""
        counts = ranking_of_result(self.config).name if self.config.deconfounded else None
        return self.results.get(counts, next(iter(self.results.values())))

    @property
    def confounder(self) -> Confounder | None:
        """Give the groups, and what follows from them; None where the data have none."""
        return self.part.confounder

    @property
    def any_collected(self) -> DataStruct:
        """Give what was collected of one of the recommenders, whose users are those of all."""
        return next(iter(self.collected.values()))

    @property
    def users(self) -> np.ndarray:
        """Give the user of each evaluated list, shape [n_lists]."""
        return self.any_collected.get("rec.users").numpy()

    @property
    def has_lists(self) -> bool:
        """Tell if lists were ranked, as they are for metrics of lists."""
        return all("rec.items" in struct for struct in self.collected.values())

    @property
    def length(self) -> int:
        """Give the length of the lists."""
        return self.any_collected.get("rec.items").shape[1]

    @cached_property
    def by_user(self) -> dict[str, dict[str, np.ndarray]]:
        """Measure each list by recommender and metric, shape [n_lists] each; empty where none were ranked."""
        if not self.has_lists:
            return {}
        return {name: self.evaluator.evaluate_users(struct) for name, struct in self.collected.items()}

    def lists(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        """Give the items of a recommender's lists, and where they are listed, shape [n_lists, length] each."""
        struct = self.collected[name]
        return struct.get("rec.items").numpy(), struct.get("rec.ranked").numpy()

    def groups_of_lists(self, name: str) -> sparse.csr_matrix:
        """Average q^i over each of a recommender's lists: CSR, shape [n_lists, N]."""
        (_, means), *_ = list_distributions(*self.lists(name), self.confounder.sparse_membership, [self.length])
        return means

    def style(self, name: str) -> int:
        """Give the number of the style in which a recommender is drawn."""
        return STYLES.get(name, 0)
