"""Evaluates metrics as RecBole's Evaluator does, also by user and by group of users."""

from __future__ import annotations

from collections import OrderedDict

import numpy as np
import torch
from recbole.evaluator import Evaluator
from recbole.evaluator.collector import DataStruct

from recbole_decrs.evaluator.registry import UserMetric


class DecRSEvaluator(Evaluator):
    """Evaluates metrics as RecBole does, and keeps what the last evaluation was made from.

    Attributes:
        collected: the DataStruct of the last evaluation.
    """

    def __init__(self, config) -> None:
        super().__init__(config)
        self.collected: DataStruct | None = None

    def evaluate(self, dataobject: DataStruct) -> dict[str, float]:
        """Average each metric over the users, as RecBole does, in Python's own numbers."""
        self.collected = dataobject
        return self._evaluate(dataobject)

    def _evaluate(self, dataobject: DataStruct) -> dict[str, float]:
        # numpy 2 shows its own as np.float64(0.1) in every log line.
        return OrderedDict((name, float(value)) for name, value in super().evaluate(dataobject).items())

    def evaluate_group(self, dataobject: DataStruct, of_group: np.ndarray) -> dict[str, float]:
        """Evaluate the users where ``of_group``, shape [n_evaluated_users], is true."""
        rows = torch.as_tensor(of_group)
        group = DataStruct()
        for key, value in dataobject._data_dict.items():
            group.set(key, value[rows] if key.startswith("rec.") else value)
        return self._evaluate(group)

    def evaluate_users(self, dataobject: DataStruct) -> dict[str, np.ndarray]:
        """Measure each user by every metric that has a value for one: ``name@k`` -> shape [n_evaluated_users]."""
        columns: dict[str, np.ndarray] = {}
        for metric in self.metric_class.values():
            if isinstance(metric, UserMetric):
                name = type(metric).__name__.lower()
                columns |= {f"{name}@{k}": values for k, values in metric.by_user(dataobject).items()}
            else:
                columns |= _intercepted(metric, dataobject)
        return columns


def _intercepted(metric, dataobject: DataStruct) -> dict[str, np.ndarray]:
    """Catch the values per user that a top-k metric of RecBole's hands to ``topk_result`` to have them averaged."""
    columns: dict[str, np.ndarray] = {}
    average = getattr(metric, "topk_result", None)
    if average is None:
        return columns

    def intercept(name: str, values: np.ndarray) -> dict[str, float]:
        if getattr(values, "ndim", 0) == 2 and len(values) == len(dataobject.get("rec.users")):
            columns.update({f"{name}@{k}": values[:, k - 1] for k in metric.topk})
        return average(name, values)

    metric.topk_result = intercept
    try:
        metric.calculate_metric(dataobject)
    finally:
        del metric.topk_result
    return columns
