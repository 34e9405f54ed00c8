"""Makes the data, the model and the trainer of a configuration, each from the seed anew."""

from __future__ import annotations

import hashlib
import os
import pickle
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from recbole.data.dataset import Dataset
from recbole.model.abstract_recommender import AbstractRecommender

from recbole_decrs.causal.parts import in_parts
from recbole_decrs.data.fingerprint import digest_of_rows
from recbole_decrs.data.preparation import create_dataset, data_preparation
from recbole_decrs.distributed.group import one_before_others
from recbole_decrs.errors import DecRSError, told_as
from recbole_decrs.model.fused import FusedRecommender
from recbole_decrs.randomness import at_seed
from recbole_decrs.single_trainer import SingleTrainer, trainer_for
from recbole_decrs.trainer import DecRSTrainer


@dataclass(frozen=True)
class Data:
    """Holds a dataset and its three loaders."""

    dataset: Any
    """Its ``config`` is that of the run, with the order of clicks that the data have."""
    train: Any
    valid: Any
    test: Any

    @property
    def part(self) -> Dataset:
        """Give the training part of the dataset, which has the Confounder."""
        return self.train._dataset

    @property
    def fingerprint(self) -> str:
        """Hash everything that the numbers depend on: clicks and their order, features, groups and drift."""
        digest = hashlib.sha256(self.part.fingerprint.encode())
        digest.update(digest_of_rows(loader._dataset for loader in (self.train, self.valid, self.test)))
        confounder = self.part.confounder
        if confounder is not None:
            digest.update(chr(0).join(confounder.group_names).encode())
            for rows in in_parts(*confounder.sparse_membership.shape):
                digest.update(confounder.sparse_membership[rows].toarray().tobytes())
            digest.update(b"" if confounder.drift is None else confounder.drift.tobytes())
        return digest.hexdigest()


def make_data(config, tell: Callable[[Any], None] = lambda dataset: None) -> Data:
    """Read the dataset of a configuration and split it.

    Args:
        config: the configuration.
        tell: is given the dataset before its split.

    Raises:
        DecRSError: it cannot be read, or lacks what the configuration needs.
    """
    is_written = not os.path.isdir(config["data_path"]) or config["save_dataset"] or config["save_dataloaders"]
    with one_before_others(is_written):
        at_seed(config)
        dataset = create_dataset(config)
        tell(dataset)
        return Data(dataset, *data_preparation(config, dataset))


def make_model(config, part, both: bool = True) -> AbstractRecommender:
    """Make the model of a configuration: both in one, if it is deconfounded.

    Args:
        config: the configuration.
        part: the training part of its dataset.
        both: whether a deconfounded model comes with its conventional half.

    Raises:
        DecRSError: RecBole refuses a setting, or a file of pre-trained parameters holds more than plain data.
    """
    at_seed(config)
    make = FusedRecommender if both and config.deconfounded else config.model_class
    try:
        with told_as(f"{config['model']} cannot be made with these settings"):
            return make(config, part).to(config["device"])
    except pickle.UnpicklingError as error:
        raise DecRSError(
            f"the pre-trained parameters of {config['model']} are not plain data, so they are not read; save them by "
            "recbole_decrs, or as a dictionary of tensors"
        ) from error


def make_trainer(
    config, model: AbstractRecommender, backbone_state: dict[str, Any] | None = None
) -> DecRSTrainer | SingleTrainer:
    """Make what trains and evaluates a model.

    Args:
        config: the configuration.
        model: as :func:`make_model` makes it.
        backbone_state: of a deconfounded one, the training state of its conventional half, which is not trained then.
    """
    if isinstance(model, FusedRecommender):
        return DecRSTrainer(config, model, backbone_state)
    return trainer_for(config)(config, model)
