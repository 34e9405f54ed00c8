"""Tells on the console, in a few lines, what a run reads and trains, where its files lie, and what to type next."""

from __future__ import annotations

import os

from recbole.utils import ModelType

from recbole_decrs.console import tell
from recbole_decrs.curves import SCORE, chosen_epoch
from recbole_decrs.evaluator.registry import title_of
from recbole_decrs.single_trainer import SingleTrainer

Files = list[tuple[str, str]]
"""The files that a run has written: what each is, in a word or two, and its path."""


def tell_what_runs(config, dataset) -> None:
    """Tell the model, how large the dataset is once filtered, and where it is computed."""
    counts = {"users": dataset.user_num - 1, "items": dataset.item_num - 1, "clicks": dataset.inter_num}
    sizes = ", ".join(f"{number} {name}" for name, number in counts.items())
    tell(f"{config['model']} on {config['dataset']}: {sizes}; seed {config['seed']}, {config['device']}")


def tell_training(trainer: SingleTrainer) -> None:
    """Tell how a training that has just ended went: its seconds, its epochs, and the one that was best on validation.

    Epochs are counted from 0, as RecBole's log counts them.
    """
    name = type(trainer.model).__name__
    if not trainer.has_trained or not trainer.train_loss_dict:
        tell(f"{name}: loaded, not trained")
        return
    last = max(trainer.train_loss_dict)
    text = f"{name}: trained in {trainer.seconds:.0f} s"
    points = trainer.tensorboard.points.get(SCORE)
    if points and trainer.best_valid_result and trainer.config["MODEL_TYPE"] != ModelType.TRADITIONAL:
        best = chosen_epoch(points, trainer.config["valid_metric_bigger"])
        score = f"{title_of(trainer.config['valid_metric'].lower())} {trainer.best_valid_score:.4f}"
        text += f" to epoch {last}, best on validation in epoch {best} ({score})"
    tell(text)


def tell_files(config, files: Files) -> None:
    """Tell where the files lie that a run has written, and what to type next."""
    width = max((len(what) for what, _ in files), default=0)
    for what, file in files:
        tell(f"{what:{width}}  {file}")
    if checkpoint := dict(files).get("checkpoint"):
        tell(f"next: recbole-decrs table {os.path.dirname(checkpoint)}{os.sep}")
        if config.deconfounded:
            tell(f"      recbole-decrs mechanism {checkpoint}")
        tell(f"      recbole-decrs recommend {checkpoint} --all=True --output=lists.csv")
