"""Trains the models of one backbone with one seed, each as a piece."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from logging import getLogger
from pathlib import Path
from typing import Any

import torch

from recbole_decrs.checkpoint import Checkpoint
from recbole_decrs.compare.data_cache import DataCache
from recbole_decrs.compare.method import Settings
from recbole_decrs.compare.pieces import Pieces
from recbole_decrs.compare.wanted import Configure, Tell, Wanted, conventional, wanted_by
from recbole_decrs.config import DecRSConfig
from recbole_decrs.errors import DecRSError
from recbole_decrs.key_facts import CHANGE_NO_TRAINING, change_numbers
from recbole_decrs.log import RunLog
from recbole_decrs.making import Data, make_model, make_trainer
from recbole_decrs.resume import last_path
from recbole_decrs.single_trainer import SingleTrainer
from recbole_decrs.training import train


@dataclass(frozen=True)
class Model:
    """Describes a model that is to be trained."""

    wanted: Wanted
    config: DecRSConfig

    @property
    def name(self) -> str:
        """Give the name of its piece."""
        return self.wanted.name


class Models:
    """Trains the models of one backbone with one seed, and keeps each as a piece.

    Args:
        backbone: name of the conventional model.
        seed: the seed of the models. The data are split by that of ``configure(backbone, {})``, for all seeds alike.
        configure: makes the configuration of a model: ``configure(model name, settings over all others)``.
        pieces: where the models are kept.
        cache: holds the data.
    """

    def __init__(self, backbone: str, seed: int, configure: Configure, pieces: Pieces, cache: DataCache) -> None:
        self.backbone, self.seed = backbone, seed
        self.configure, self.pieces, self.cache = configure, pieces, cache
        self.conventional = self.configured(conventional(backbone, seed))
        self.config = self.conventional.config

    def of_method(self, name: str) -> list[tuple[Any, Model]]:
        """Name the models that a method trains beside the backbone's, each with the value that stands for it."""
        wanted = wanted_by(name, self.backbone, self.seed, self.config)
        return [(value, self.configured(model)) for value, model in wanted]

    def configured(self, wanted: Wanted) -> Model:
        """Make the configuration of a model that is wanted."""
        return Model(wanted, self.configure(wanted.model, wanted.settings))

    def _shaping(self, model: Model, **more: Any) -> tuple[str, DecRSConfig]:
        """Give what shapes the data of a model: a key and a configuration. Methods that differ elsewhere share them."""
        settings = {key: model.config[key] for key in ("unused_col", "drift_history")} | more
        return json.dumps([self.backbone, settings], sort_keys=True), self.configure(self.backbone, settings)

    def data_of(self, model: Model) -> Data:
        """Give the loaders of a model."""
        return self.cache.data(*self._shaping(model))

    def data_to_choose_on(self, model: Model) -> Data:
        """Give the loaders of a model, with the users' drift in the training clicks alone: validation's are to come."""
        return self.cache.data(*self._shaping(model, drift_history="train"))

    def depends_on(self, model: Model) -> Settings:
        """Give everything that what is measured of a model depends on."""
        return {**change_numbers(model.config.settings), "data": self.cache.fingerprint(*self._shaping(model))}

    def path(self, model: Model, ending: str) -> Path:
        """Give a file of a model by its ending: its checkpoint (``pth``), or the note that it is done (``trained``).

        Whatever ``drift_history`` is, a training sees the drift in the training clicks alone, and is the same.
        """
        depends_on = {key: value for key, value in self.depends_on(model).items() if key not in CHANGE_NO_TRAINING}
        seen = {"drift_history": "train"}
        depends_on |= {**seen, "data": self.cache.fingerprint(*self._shaping(model, **seen))}
        return self.pieces.path(model.name, depends_on, ending)

    def train(self, model: Model, tell: Tell | None = None) -> float:
        """Train a model and keep it; returns the seconds it took.

        Args:
            model: the model.
            tell: is told of each epoch.

        Raises:
            DecRSError: the training failed.
        """
        data = self.data_to_choose_on(model)
        self.pieces.folder.mkdir(parents=True, exist_ok=True)
        # With the note of an earlier training, whose checkpoint is gone, half of this one would be taken for the whole.
        self.path(model, "trained").unlink(missing_ok=True)
        with RunLog(console=False) as log:
            log.start(model.config)
            trainer = self._trainer_where_it_was(model)

            def at_epoch(epoch: int, score: float) -> None:
                tell(epoch + 1, trainer.epochs, trainer.seconds)

            options = {"saved": True, "show_progress": False, "callback_fn": at_epoch if tell else None}
            score, result = train(trainer, data.train, data.valid, **options)
        info = {"valid_score": score, "valid_result": dict(result), "seconds": trainer.seconds}
        info["threads"] = torch.get_num_threads()
        self.pieces.write(self.path(model, "trained"), info)
        return info["seconds"]

    def _trainer_where_it_was(self, model: Model) -> SingleTrainer:
        """Make the trainer of a model, where a run that was killed in the middle of it has left it, if it can go on."""
        trainer, path = self._trainer(model), str(self.path(model, "pth"))
        begun = [file for file in (path, last_path(path)) if os.path.isfile(file)]
        if not begun:
            return trainer
        try:
            trainer.resume_checkpoint(path)
        except DecRSError as error:
            getLogger().warning(f"{error}; {model.name} is trained anew")
            for file in begun:
                os.remove(file)
            trainer.tensorboard.close()
            return self._trainer(model)
        return trainer

    def _trainer(self, model: Model) -> SingleTrainer:
        trainer = make_trainer(model.config, self._untrained(model))
        trainer.saved_model_file = str(self.path(model, "pth"))
        return trainer

    def _untrained(self, model: Model) -> torch.nn.Module:
        return make_model(model.config, self.data_to_choose_on(model).part, both=False)

    def trained(self, model: Model) -> dict[str, Any] | None:
        """Read the note of a model whose checkpoint is there; None where it is to be trained."""
        return self.note(model) if self.path(model, "pth").is_file() else None

    def note(self, model: Model) -> dict[str, Any] | None:
        """Read ``valid_score``, ``seconds`` and ``threads`` of a training; None where it has not come to its end."""
        done = self.pieces.read(self.path(model, "trained"), "valid_score", "seconds", "threads")
        return done[0] if done else None

    def load(self, model: Model) -> torch.nn.Module:
        """Load a trained model, to be evaluated; one whose checkpoint turns out to be damaged is trained again.

        Raises:
            DecRSError: it is not trained.
        """
        if self.note(model) is None:
            raise DecRSError(f"{model.name} could not be trained")
        try:
            return self._load(model)
        except DecRSError as error:
            getLogger().warning(f"{error}; {model.name} is trained anew")
            self.path(model, "pth").unlink(missing_ok=True)
            self.train(model)
            return self._load(model)

    def _load(self, model: Model) -> torch.nn.Module:
        with RunLog(console=False):
            recommender = self._untrained(model)
        checkpoint = Checkpoint.read(str(self.path(model, "pth")))
        checkpoint.check_model(model.config["model"])
        checkpoint.check_data(self.data_to_choose_on(model).part)
        if not checkpoint.is_finished():  # copied, as in this folder a training takes the note away that it is done
            raise DecRSError(f"{checkpoint.path} is of a training that has not come to its end")
        checkpoint.load_into(recommender)
        return recommender.eval()
