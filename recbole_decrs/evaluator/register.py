"""Makes RecBole know the plugin's metrics and the keys that shape its dataset."""

from __future__ import annotations

from recbole.evaluator import register as recbole_register
from recbole.utils.argument_list import dataset_arguments

from recbole_decrs.evaluator.metrics import CKL, Euclidean, Hellinger

DATASET_KEYS = ("group_field", "group_format", "drift_history", "drift_smoothing", "drift_periods", "test_candidates")


def register_metrics() -> None:
    """Enter the metrics and keys in RecBole's dictionaries; to be called before a Config is made. Repeatable."""
    for metric in (CKL, Hellinger, Euclidean):
        name = metric.__name__.lower()
        recbole_register.metrics_dict[name] = metric
        recbole_register.metric_information[name] = metric.metric_need
        recbole_register.metric_types[name] = metric.metric_type
        if name not in recbole_register.smaller_metrics:
            recbole_register.smaller_metrics.append(name)
    dataset_arguments.extend(key for key in DATASET_KEYS if key not in dataset_arguments)
