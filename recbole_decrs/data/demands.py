"""Sees that the data have what the configuration demands, and that it demands no more than a memory holds."""

from __future__ import annotations

import os

from recbole.utils import FeatureSource, ModelType

from recbole_decrs.data.atomic_files import atomic_file
from recbole_decrs.errors import DecRSError

MOST_SAMPLES = 1000
"""How many items may be sampled for a click of data that have fewer."""


def item_path(dataset) -> str:
    """Give the path of the .item file of a dataset, whether it is there or not."""
    return os.path.join(dataset.dataset_path, f"{dataset.dataset_name}.item")


def check_samples(dataset) -> None:
    """See that not many times more items are sampled for a click than there are, which would fill any memory.

    Raises:
        DecRSError: they are; the message names the key.
    """
    config = dataset.config
    training = config["train_neg_sample_args"]
    wanted = {f"train_neg_sample_args, {key}": training[key] for key in ("sample_num", "candidate_num")}
    for phase, mode in config["eval_args"]["mode"].items():
        wanted[f"eval_args, mode of {phase}"] = mode[3:]  # of uni100
    for where, number in wanted.items():
        if str(number).isdigit() and int(number) > max(MOST_SAMPLES, dataset.item_num):
            raise DecRSError(
                f"{where}: {number} items are to be sampled for a click, and {dataset.dataset_name} has "
                f"{dataset.item_num - 1}; take fewer"
            )


def check_features_for_full_sort(dataset) -> None:
    """See that a run which ranks all items needs no feature that pairs which never met do not have.

    Raises:
        DecRSError: it does.
    """
    if "full" in dataset.config["eval_args"]["mode"].values():
        check_pairs_have_all_features(dataset, "full sort")


def check_pairs_have_all_features(dataset, what: str) -> None:
    """See that a context-aware model needs no feature that pairs which never met do not have.

    Args:
        dataset: a RecBole Dataset whose files are loaded.
        what: ranks such pairs, for the message.

    Raises:
        DecRSError: it does.
    """
    config, types = dataset.config, dataset.field2type
    embedded = [
        field
        for field in dataset.fields(source=[FeatureSource.INTERACTION])
        if field != dataset.label_field and ("token" in types[field].value or field in config["numerical_features"])
    ]
    if config["MODEL_TYPE"] == ModelType.CONTEXT and embedded:
        raise DecRSError(
            f"the .inter columns {', '.join(embedded)} are features of an interaction, which {what} cannot "
            "give to pairs that never met; leave them out of load_col and numerical_features"
        )


def check_groups_and_time(dataset, has_time: bool) -> None:
    """See that groups are configured and clicks have times where a model, a metric or a re-ranker needs them.

    Raises:
        DecRSError: they are not; with the columns that may be groups.
    """
    config = dataset.config
    if config["group_field"] is None and config.needs_groups:
        path = item_path(dataset)
        columns = atomic_file(config, path).columns if os.path.isfile(path) else ()
        others = [column for column in columns if column != dataset.iid_field]
        raise DecRSError(
            f"group_field is not set, and {config.needs_groups} needs item groups; set it to a column of {path}"
            + (f" ({', '.join(others)})" if others else "")
            + ", or to popularity for head, middle and tail"
        )
    if not has_time and config.needs_drift:
        raise DecRSError(
            f"fused inference needs the drift of each user, and the .inter file of {dataset.dataset_name} has no "
            f"loaded column {dataset.time_field}; set TIME_FIELD and load_col, or fusion_weight, or "
            "inference: deconfounded"
        )
