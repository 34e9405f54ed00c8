"""Evaluates metrics as RecBole's Evaluator does, also by user and by group of users."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Sequence

import numpy as np
import torch
from recbole.evaluator import Evaluator
from recbole.evaluator.collector import DataStruct

from recbole_decrs.distributed.group import told_by_first
from recbole_decrs.evaluator.user_values import values_by_user


class DecRSEvaluator(Evaluator):
    """Evaluates metrics as RecBole does, and keeps what the last evaluation was made from.

    Attributes:
        collected: the DataStruct of the last evaluation.
    """

    def __init__(self, config) -> None:
        super().__init__(config)
        self.collected: DataStruct | None = None

    def evaluate(self, dataobject: DataStruct) -> dict[str, float]:
        """Average each metric over the users, as RecBole does, in Python's own numbers.

        Of several processes the first one does, so that all of them stop and choose by the same numbers.
        """
        self.collected = dataobject
        return told_by_first(lambda: _in_pythons_numbers([super(DecRSEvaluator, self).evaluate(dataobject)]))

    def evaluate_groups(self, dataobject: DataStruct, of_groups: Sequence[np.ndarray]) -> list[dict[str, float]]:
        """Evaluate several groups of users; what a metric has a value of for each user is computed once for all.

        Args:
            dataobject: the data of all users.
            of_groups: true for the users of a group, of whom there is one at least, shape [n_evaluated_users] each.

        Returns:
            The metrics of each group.
        """
        found: dict[str, list[dict[str, float]]] = {}
        for name, metric in self.metric_class.items():
            values = values_by_user(metric, dataobject)
            if values.average is not None:
                found[name] = [values.average(of_group) for of_group in of_groups]
        others = {name: metric for name, metric in self.metric_class.items() if name not in found}
        parts = (_part_of(dataobject, of_group) for of_group in (of_groups if others else ()))
        of_others = [{name: metric.calculate_metric(part) for name, metric in others.items()} for part in parts]
        return [
            _in_pythons_numbers(
                found[name][number] if name in found else of_others[number][name] for name in self.metrics
            )
            for number in range(len(of_groups))
        ]

    def evaluate_users(self, dataobject: DataStruct) -> dict[str, np.ndarray]:
        """Measure each user by every metric that has a value for one: ``name@k`` -> shape [n_evaluated_users]."""
        columns: dict[str, np.ndarray] = {}
        for metric in self.metric_class.values():
            columns |= values_by_user(metric, dataobject).columns
        return columns


def _part_of(dataobject: DataStruct, of_group: np.ndarray) -> DataStruct:
    """Take what was collected of some users."""
    rows, part = torch.as_tensor(of_group), DataStruct()
    for key, value in dataobject._data_dict.items():
        part.set(key, value[rows] if key.startswith("rec.") else value)
    return part


def _in_pythons_numbers(results: Iterable[dict[str, float]]) -> dict[str, float]:
    """Join the results of metrics; numpy 2 shows its own numbers as np.float64(0.1) in every log line."""
    return OrderedDict((name, float(value)) for result in results for name, value in result.items())
