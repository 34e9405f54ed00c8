"""Gathers the run of a checkpoint, which is loaded and tested anew."""

from __future__ import annotations

import os
from typing import Any

from recbole_decrs.checkpoint import Checkpoint
from recbole_decrs.console import shows_bars
from recbole_decrs.errors import DecRSError
from recbole_decrs.evaluator.evaluator import DecRSEvaluator
from recbole_decrs.evaluator.rankings import score_of_model
from recbole_decrs.evaluator.reranking import Reranker
from recbole_decrs.evaluator.scoring import collect_rankings
from recbole_decrs.model import FusedRecommender
from recbole_decrs.randomness import at_seed
from recbole_decrs.report.run.finished import FinishedRun
from recbole_decrs.report.run.gather import weights_of
from recbole_decrs.runs.table import read_record
from recbole_decrs.runs.write import files_of_run
from recbole_decrs.saved_model import load_data_and_model
from recbole_decrs.trainer import DecRSTrainer


def run_of_checkpoint(path: str, changed: dict[str, Any]) -> FinishedRun:
    """Load a checkpoint and test it anew.

    Where candidates are sampled, they are others than in the run.

    Args:
        path: of the checkpoint.
        changed: settings over the saved ones.

    Raises:
        DecRSError: it cannot be read, or was made for other data.
    """
    checkpoint = Checkpoint.read(path)
    record = _record_beside(path)
    config, model, _, train, _, test = load_data_and_model(path, changed)
    at_seed(config)
    model.eval()
    if isinstance(model, FusedRecommender):
        trainer = DecRSTrainer(config.with_values(checkpoint_dir=os.path.dirname(path) or "."), model)
        trainer.evaluate(test, load_best_model=False, show_progress=shows_bars(config))
        results, collected = trainer.evaluations, trainer.collected
    else:
        rerankers = {config["model"]: Reranker(config, model)} if config["reranker"] else {}
        rankings = {config["model"]: score_of_model(0)}
        collected = collect_rankings(config, [model], rankings, test, shows_bars(config), rerankers)
        evaluator = DecRSEvaluator(config)
        results = {name: evaluator.evaluate(struct) for name, struct in collected.items()}
    return FinishedRun(
        config=config,
        checkpoint=path,
        part=train._dataset,
        test=test._dataset,
        evaluator=DecRSEvaluator(config),
        collected=collected,
        results=results,
        curves=checkpoint.curves,
        alpha_scores=checkpoint.alpha_scores,
        alpha=checkpoint.drift_alpha if checkpoint.is_complete else None,
        weight=weights_of(model),
        files={what: file for what, file in record.get("files", {}).items() if os.path.isfile(file)},
        settings={**record["settings"], **changed} if record else None,
    )


def _record_beside(checkpoint: str) -> dict[str, Any]:
    """Read the record that the run has written beside its checkpoint; nothing where there is none."""
    (_, path), _ = files_of_run(checkpoint)
    try:
        return read_record(path)
    except DecRSError:
        return {}
