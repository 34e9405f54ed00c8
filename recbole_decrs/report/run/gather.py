"""Gathers a run that has just ended."""

from __future__ import annotations

import numpy as np
from recbole.evaluator.collector import DataStruct

from recbole_decrs.making import Data
from recbole_decrs.model import FusedRecommender
from recbole_decrs.report.run.finished import FinishedRun
from recbole_decrs.single_trainer import SingleTrainer
from recbole_decrs.trainer import DecRSTrainer


def finished_run(
    config,
    trainer: DecRSTrainer | SingleTrainer,
    data: Data,
    results: dict[str, dict[str, float]],
    collected: dict[str, DataStruct],
    files: dict[str, str],
) -> FinishedRun:
    """Gather a run whose test has just ended.

    Args:
        config: the configuration.
        trainer: of the run.
        data: its data.
        results: the metrics of each recommender.
        collected: the data that they were made from.
        files: the paths of its files, by what they are.
    """
    both = isinstance(trainer, DecRSTrainer)
    return FinishedRun(
        config=config,
        checkpoint=trainer.saved_model_file,
        part=data.part,
        test=data.test._dataset,
        evaluator=trainer.evaluator,
        collected=collected,
        results=results,
        curves=trainer.curves if both else {config["model"]: trainer.tensorboard.points},
        alpha_scores=trainer.alpha_scores if both else [],
        alpha=trainer.drift_alpha if both else None,
        weight=weights_of(trainer.model),
        files=files,
    )


def weights_of(model) -> np.ndarray | None:
    """Give the weights by which a model fuses its halves, shape [n_users]; None where it does not."""
    weight = model.weight if isinstance(model, FusedRecommender) else None
    return None if weight is None else weight.cpu().numpy()
