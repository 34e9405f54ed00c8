"""Orders clicks by their times as float64: RecBole's float32 is 64 s apart for Unix times."""

from __future__ import annotations

from logging import getLogger

import numpy as np
from recbole.utils import FeatureSource, FeatureType

from recbole_decrs.errors import DecRSError

CLICK_ORDER = "decrs_click_order"
"""A column that travels through RecBole's split and is gone after it: the place of a click in the order of time."""


def settled_order(dataset) -> str:
    """Settle the order of a dataset's clicks: that of the configuration, or at random where they have no time.

    Args:
        dataset: a RecBole Dataset that is not split yet.

    Returns:
        ``TO``, the order of time, or ``RO``, a random one; as in RecBole's ``eval_args``.

    Raises:
        DecRSError: the user asks for that of time, and the clicks have no time.
    """
    config, order = dataset.config, dataset.config["eval_args"]["order"]
    if order != "TO" or dataset.time_field in dataset.inter_feat or dataset.benchmark_filename_list is not None:
        return order
    if "eval_args" in config.external_config_dict:
        raise DecRSError(
            f"eval_args asks for the order of time (TO), but the .inter file of {dataset.dataset_name} has no loaded "
            f"column {dataset.time_field}; set TIME_FIELD and load_col, or order: RO"
        )
    getLogger().warning(
        f"{dataset.dataset_name} has no loaded column {dataset.time_field}, so it is split at random, not by time"
    )
    return "RO"


def with_order(config, order: str):
    """Give the configuration with this order of clicks: itself where it has it, else a copy."""
    arguments = config["eval_args"]
    return config if arguments["order"] == order else config.with_values(eval_args={**arguments, "order": order})


def times_of(dataset) -> np.ndarray:
    """Give the times of the clicks as float64, shape [n_clicks], of a RecBole Dataset whose times are its file's."""
    times = dataset.inter_feat[dataset.time_field].to_numpy()
    if times.dtype == object:  # as a numerical feature a time comes with the number of its bucket
        times = np.array([np.ravel(time)[0] for time in times], dtype=np.float64)
    return times


def places_by_time(dataset) -> np.ndarray:
    """List the rows of the clicks in the order of time, shape [n_clicks]; at the same time in the order of the file."""
    return np.argsort(times_of(dataset), kind="stable")


def add_click_order(dataset, has_time: bool) -> None:
    """Write down the place of each click in the order of time, and sort the clicks by it where they are split so.

    Args:
        dataset: a RecBole Dataset whose times are still those of the file.
        has_time: whether the clicks have times; else their order is that of the file.
    """
    times = times_of(dataset) if has_time else np.zeros(len(dataset.inter_feat))
    if has_time and len(times) > 1 and (times == times[0]).all():
        getLogger().warning(
            f"all clicks of {dataset.dataset_name} have the same {dataset.time_field}, so their order, by which they "
            "are split and drift is measured, is that of the file"
        )
    by_time = np.argsort(times, kind="stable")
    place = np.empty(len(by_time), dtype=np.int64)
    place[by_time] = np.arange(len(by_time))
    dataset.inter_feat[CLICK_ORDER] = place
    if dataset.config["eval_args"]["order"] == "TO" and dataset.benchmark_filename_list is None:
        if "TS" in dataset.config["eval_args"]["split"]:
            dataset.times_in_order = times[by_time]
        dataset.inter_feat = dataset.inter_feat.iloc[by_time].reset_index(drop=True)
    dataset.set_field_property(CLICK_ORDER, FeatureType.TOKEN, FeatureSource.INTERACTION, 1)


def take_click_order(dataset, parts: list) -> list[np.ndarray]:
    """Take what :func:`add_click_order` wrote down out of a dataset and its parts.

    Returns:
        the places of the clicks of each part, shape [n_clicks] each.
    """
    orders = [part.inter_feat[CLICK_ORDER].numpy() for part in parts]
    for part in [dataset, *parts]:
        part.inter_feat.drop(CLICK_ORDER)
        part.times_in_order = None
    for properties in (dataset.field2type, dataset.field2source, dataset.field2seqlen):
        del properties[CLICK_ORDER]
    return orders
