"""Gathers the result of a run: metrics by recommender and user group, tables, and the files that were written."""

from __future__ import annotations

import os
from logging import getLogger
from typing import Any

from recbole.utils import EvaluatorType

from recbole_decrs.counts import counted, have
from recbole_decrs.distributed.group import is_first
from recbole_decrs.evaluator.by_group import NO_GROUPS, by_drift_or_group, results_by_drift
from recbole_decrs.evaluator.report import (
    compared_of,
    labels_of,
    results_by_user,
    short_table_of,
    table_of,
    top_lists,
    without_history,
)
from recbole_decrs.evaluator.short_lists import count_short_lists, tell_of_short_lists
from recbole_decrs.run_lines import Files
from recbole_decrs.single_trainer import SingleTrainer
from recbole_decrs.trainer import DecRSTrainer


def result_of(
    config,
    trainer: DecRSTrainer | SingleTrainer,
    part,
    best_valid_score: float | None,
    best_valid_result: dict[str, float] | None,
    test_result: dict[str, float],
    files: Files,
) -> dict[str, Any]:
    """Gather what ``run_recbole_decrs`` returns, and write the lists that keys ask for.

    Args:
        config: the configuration.
        trainer: has been fitted, and has evaluated the test part last.
        part: the training part of the dataset.
        best_valid_score, best_valid_result: as the trainer's ``fit`` returns them.
        test_result: as its ``evaluate`` returns it.
        files: what has been written so far; the lists are added.

    Returns:
        The result, with ``files`` and ``full_table``, the longer tables that the log file has, which are not the
        caller's.
    """
    result = {
        "best_valid_score": best_valid_score,
        "valid_score_bigger": config["valid_metric_bigger"],
        "best_valid_result": best_valid_result,
        "test_result": test_result,
        "saved_model_file": dict(files).get("checkpoint"),
        "files": files,
    }
    results, collected, ranked = recommenders_of(config, trainer, test_result)
    compared = None
    if config.deconfounded:
        result["conventional_test_result"] = results["conventional"]
        result["deconfounded_test_result"] = results["deconfounded"]
        result["drift_alpha"] = trainer.drift_alpha
        compared = compared_of(results, ranked)
    result["by_drift"], by_group = {}, NO_GROUPS
    if config["eval_type"] == EvaluatorType.RANKING:
        result["by_drift"] = results_by_drift(trainer.evaluator, collected, config["drift_thresholds"])
        by_group = by_drift_or_group(trainer.evaluator, collected, result["by_drift"], part.user_groups)
        tell_of_short_lists(count_short_lists(collected[ranked]), config["metrics"])
        if missing := without_history(collected[ranked]):
            getLogger().warning(
                f"{counted(missing, 'user')} {have(missing)} no click on a grouped item in training: left out of C_KL "
                "and its kin"
            )
        if is_first():
            files += _written_lists(config, trainer, collected, ranked, part)
    result["by_group"] = by_group.groups
    labels = labels_of(config, result.get("drift_alpha"))
    tables = results, by_group, labels, compared
    result["full_table"] = table_of(*tables)
    result["table"] = result["full_table"] if config["verbose"] else short_table_of(*tables)
    return result


def recommenders_of(
    config, trainer: DecRSTrainer | SingleTrainer, test_result: dict[str, float]
) -> tuple[dict[str, dict[str, float]], dict[str, Any], str]:
    """Give the metrics on test and the lists of each recommender of a run by name, and which one is the result."""
    if config.deconfounded:
        return trainer.evaluations, trainer.collected, trainer.model.ranking.name
    name = config["model"]
    return {name: test_result}, {name: trainer.evaluator.collected}, name


def _written_lists(
    config, trainer: DecRSTrainer | SingleTrainer, collected: dict[str, Any], ranked: str, part
) -> Files:
    users, items = part.field2id_token[part.uid_field], part.field2id_token[part.iid_field]
    stem = os.path.splitext(trainer.saved_model_file)[0]
    files = []
    if config["save_user_metrics"]:
        path = f"{stem}-user-metrics.csv"
        results_by_user(trainer.evaluator, collected, users, part.user_groups).to_csv(path, index=False)
        getLogger().info(f"Every metric per user: {path}")
        files.append(("metrics per user", path))
    if config["save_topk"]:
        path = f"{stem}-top{config['save_topk']}.csv"
        top_lists(collected[ranked], users, items).to_csv(path, index=False)
        getLogger().info(f"Each user's list: {path}")
        files.append(("lists per user", path))
    return files
