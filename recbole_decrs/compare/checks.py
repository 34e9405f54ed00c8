"""Refuses, before the first training of a comparison, settings, ranking lists and data that it cannot use."""

from __future__ import annotations

from collections.abc import Collection
from logging import getLogger

from recbole.evaluator import metrics_dict
from recbole.utils import ModelType

from recbole_decrs.checks import text
from recbole_decrs.compare.data_cache import Data
from recbole_decrs.compare.methods import METHODS
from recbole_decrs.config import DecRSConfig
from recbole_decrs.data.estimation import one_drift_remark
from recbole_decrs.errors import DecRSError
from recbole_decrs.key_facts import LEFT_BY_COMPARE


def check_settings(config: DecRSConfig) -> None:
    """See that a comparison can be made with the configuration of a backbone.

    Raises:
        DecRSError: it cannot.
    """
    for key, allowed in LEFT_BY_COMPARE.items():
        if config[key] not in allowed:
            raise DecRSError(f"{key}: compare runs every method by itself; leave {key} out")
    if config["eval_step"] < 1:
        raise DecRSError("compare chooses on validation during training; eval_step must be at least 1")
    if config["group_field"] in ((config["unused_col"] or {}).get("item") or ()):
        raise DecRSError(f"unused_col: {config['group_field']} is the group_field; unawareness leaves it out by itself")
    if "drift_alpha" in config.external_config_dict:
        raise DecRSError("drift_alpha: compare chooses alpha on validation, from drift_alpha_grid; leave it out")
    if config["MODEL_TYPE"] == ModelType.SEQUENTIAL and "LS" not in config["eval_args"]["split"]:
        raise DecRSError(
            f"eval_args: the tests of compare take a list for a user, and with this split {config.model} makes one "
            "before each evaluated click; take split: {'LS': 'valid_and_test'}"
        )
    for metric in config["metrics"]:
        if "rec.meanrank" in metrics_dict[metric.lower()].metric_need:
            raise DecRSError(f"metrics: {metric} ranks all items, and re-rankers a user's top ones; leave it out")
    known = {metric.lower() for metric in config["metrics"]}
    for metric in ("Recall", "NDCG", "CKL"):
        if metric.lower() not in known:
            raise DecRSError(f"compare's tables and figures need {metric} among the metrics; add it")


def check_lists(lists: dict[str, str], backbones: list[str]) -> None:
    """See that ranking lists made elsewhere have names of their own.

    Args:
        lists: files by the name that they get in the tables.
        backbones: names of models, which the tables have as well.

    Raises:
        DecRSError: they are no dictionary, or a name is taken.
    """
    if not isinstance(lists, dict):
        raise DecRSError(f"lists must be CSV files by the names that they get in the tables, not {lists!r}")
    taken = {name.lower() for name in (*METHODS, *(method.title for method in METHODS.values()), *backbones)}
    for name in lists:
        text("a text").require("lists: a name", name)
        if name.lower() in taken:
            raise DecRSError(f"lists: the name {name} is taken; take another")
        taken.add(name.lower())


def check_data(data: Data, config: DecRSConfig, methods: Collection[str]) -> None:
    """See that the data have groups, drift and validation clicks, and warn where all users have the same drift.

    Args:
        data: the loaders of a backbone.
        config: its configuration.
        methods: names of the methods that are compared.

    Raises:
        DecRSError: something is missing.
    """
    confounder = data.part.confounder
    if confounder is None:
        raise DecRSError("group_field is not set, and compare needs item groups; set it to a column of the .item file")
    if confounder.drift is None:
        raise DecRSError("compare needs the drift of each user, and the clicks have no time; set TIME_FIELD, load_col")
    if not len(data.valid._dataset):
        raise DecRSError("compare chooses on validation, and the validation part is empty; change eval_args")
    weighed = [method.title for name, method in METHODS.items() if name in methods and method.by_drift]
    if weighed and confounder.one_drift:
        remark = one_drift_remark(data.part.dataset_name, config["drift_alpha_grid"])
        getLogger().warning(f"{remark} ({', '.join(weighed)})")
