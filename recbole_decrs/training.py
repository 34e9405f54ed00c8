"""Trains a model, from the seed anew or on from where a checkpoint has put its trainer."""

from __future__ import annotations

from typing import Any

from recbole_decrs.model.training_options import PaperTrainingOptions
from recbole_decrs.randomness import start_anew


def train(
    trainer, train_data, valid_data, as_in_recbole: bool = False, **options: Any
) -> tuple[float | None, dict[str, float] | None]:
    """Train the model of a trainer; one that was given a checkpoint by ``resume_checkpoint`` goes on from there.

    A training begins with every random generator at the seed, so that it does not depend on what ran before it. In
    RecBole it begins where making the model has left them. A checkpoint brings its own states, which ``fit`` puts back.

    Args:
        trainer: a SingleTrainer or a DecRSTrainer, which starts each of its halves anew.
        train_data, valid_data: the loaders.
        as_in_recbole: True to begin as in RecBole, so that a model of RecBole's has its numbers. FM and NFM, as the
            plugin trains them, begin at the seed even so, as they do as half of a deconfounded recommender.
        options: of the trainer's ``fit``.

    Returns:
        The best validation score and the result that it is part of, as ``fit`` returns them.
    """
    if not as_in_recbole or isinstance(trainer.model, PaperTrainingOptions):
        start_anew(trainer.config, train_data)
    return trainer.fit(train_data, valid_data, **options)
