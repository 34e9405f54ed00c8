"""Tells of a checkpoint that has been read: its model, data and settings, and what its trainings came to."""

from __future__ import annotations

import dataclasses
import os
from typing import Any

import numpy as np
import torch

from recbole_decrs.causal import Confounder
from recbole_decrs.checkpoint_file import damage_in_words, read_checkpoint
from recbole_decrs.distributed.group import told_by_first
from recbole_decrs.errors import DecRSError
from recbole_decrs.finite import not_finite
from recbole_decrs.key_facts import NOT_KEPT_IN_CHECKPOINTS
from recbole_decrs.plain_data import decode_confounder, encode_confounder
from recbole_decrs.training_state import load_state

HALVES = ("conventional", "deconfounded")
"""The two recommenders of a deconfounded one, in the order in which they are trained."""


class Checkpoint:
    """Gives what the file of a checkpoint holds, which is read once.

    It holds the training state of one model, or, of a deconfounded recommender, those of its ``conventional`` and
    ``deconfounded`` half by these names, the latter two as far as they have come.

    Args:
        path: of its file, for messages.
        content: what :func:`~recbole_decrs.checkpoint_file.read_checkpoint` gives.
    """

    def __init__(self, path: str, content: dict[str, Any]) -> None:
        self.path, self.content = path, content

    @classmethod
    def read(cls, path: str) -> Checkpoint:
        """Read the file at ``path``, of several processes by the first one for all; runs no code of it.

        Raises:
            DecRSError: it is missing, damaged, or was not written by this plugin.
        """
        return cls(path, told_by_first(lambda: read_checkpoint(path)))

    @property
    def settings(self) -> dict[str, Any]:
        """Give the configuration of the training, as plain data."""
        return self.content["config"]

    @property
    def data_seed(self) -> int | None:
        """Give the seed that has split the data and sampled from them; None where it is that of the settings."""
        return self.content.get("data_seed")

    @property
    def model(self) -> str:
        """Name the model."""
        return self.settings["model"]

    @property
    def halves(self) -> set[str]:
        """Name the halves of which there is a training state; none where the model is a single one."""
        return self.content.keys() & set(HALVES)

    @property
    def is_complete(self) -> bool:
        """Tell if both halves of a deconfounded recommender are trained and weighed."""
        return "drift_alpha" in self.content

    @property
    def drift_alpha(self) -> float | None:
        """Give the alpha of Eq. 12 by which the halves were weighed; None where they are weighed without drift."""
        return self.content["drift_alpha"]

    @property
    def alpha_scores(self) -> list[list[float]]:
        """Give the candidates of alpha with their scores on validation; empty where it was not chosen there."""
        return self.content.get("alpha_scores", [])

    @property
    def curves(self) -> dict[str, dict[str, list[list[float]]]]:
        """Give the points of the training curves by half, or by the name of the only model."""
        names = {half: half for half in HALVES if half in self.halves} or {self.model: None}
        return {name: self.state(half).get("curves", {}) for name, half in names.items()}

    def state(self, half: str | None = None) -> dict[str, Any] | None:
        """Give the training state of the model, or of a half; None where that has not begun."""
        return self.content if half is None else self.content.get(half)

    def is_finished(self, half: str | None = None) -> bool:
        """Tell if a training has come to its end: its state says so, or what comes after it was begun."""
        state = self.state(half)
        if state is None:
            return False
        return state.get("finished", False) or "deconfounded" in self.content or self.is_complete

    def check_model(self, name: str) -> None:
        """See that the checkpoint holds the model of that name.

        Raises:
            DecRSError: it holds another.
        """
        if self.model != name:
            raise DecRSError(f"{self.path} holds a {self.model}, not a {name}")

    def check_data(self, dataset) -> None:
        """See that the checkpoint was made for these data.

        Raises:
            DecRSError: its users, items, groups or training clicks are others.
        """
        if self.content["fingerprint"] != dataset.fingerprint:
            raise DecRSError(
                f"the checkpoint {self.path} was made for other data: its users, items, groups or training clicks are "
                f"not those of {dataset.dataset_name} as configured; take the same data, split and seed, or train again"
            )

    def check_training(self, dataset) -> None:
        """See that a training that was begun can go on with these data.

        Raises:
            DecRSError: they are others, be it in the order of clicks or in groups that are no feature.
        """
        self.check_data(dataset)
        if not trained_on_same(self.content, dataset):
            raise DecRSError(
                f"the checkpoint {self.path} was made for other data: rows of {dataset.dataset_name} have another "
                "order or other values than when its training began; take the same files, or train anew"
            )

    def load_into(self, model: torch.nn.Module, half: str | None = None) -> None:
        """Give a model the parameters of the checkpoint, or of a half; see :func:`load_state`."""
        load_state(model, self.state(half), self.path)

    def confounder_of(self, dataset) -> Confounder:
        """Give the Confounder by which the halves were weighed; drift may be measured otherwise by now.

        Raises:
            DecRSError: it is damaged, or of other groups than those of ``dataset``.
        """
        if name := not_finite(self.content["confounder"]):
            raise DecRSError(
                f"the checkpoint {self.path} holds what is infinite or not a number in {name}; train again"
            )
        now = dataset.confounder
        with damage_in_words(self.path):
            then = decode_confounder(self.content["confounder"])
            same, fitting = same_groups(then, now), _same_shapes(then, now)
        if same and not fitting:
            raise DecRSError(
                f"the checkpoint {self.path} is damaged: its distributions are not those of its users; train again"
            )
        if not same:
            raise DecRSError(
                f"the checkpoint {self.path} was made for other item groups; set group_field as it was then"
            )
        return then

    def settings_to_trust(self) -> dict[str, Any]:
        """Leave out the settings that would have files read as code, or files and folders written.

        Whoever loads the checkpoint gives these anew. Data are read from where they lay in training, if they are there.
        """
        trusted = {key: value for key, value in self.settings.items() if key not in NOT_KEPT_IN_CHECKPOINTS}
        data_path, dataset = self.settings.get("data_path"), self.settings.get("dataset")
        if isinstance(data_path, str) and isinstance(dataset, str):
            folder = os.path.join(data_path, dataset)
            # RecBole downloads into it what is not there.
            if os.path.isdir(folder) and any(name.startswith(f"{dataset}.") for name in os.listdir(folder)):
                trusted["data_path"] = data_path
        return trusted


def header_of(config, dataset) -> dict[str, Any]:
    """Gather what a checkpoint holds beside training states: settings, fingerprint of the data, and Confounder.

    In a comparison one seed splits the data for the models of all seeds; where that is not the model's own seed, it is
    written down as ``data_seed``.
    """
    seed = dataset.config["seed"]
    return {
        "config": config.settings,
        "fingerprint": dataset.fingerprint,
        "confounder": encode_confounder(dataset.confounder),
        **({"trained_on": dataset.trained_on} if dataset.trained_on else {}),
        **({} if seed == config["seed"] else {"data_seed": seed}),
    }


def trained_on_same(content: dict[str, Any], dataset) -> bool:
    """Tell if a training was on these data to the last row and its place, where the checkpoint knows that.

    Ranking needs less: what gives parameters their meaning, which is the fingerprint.
    """
    known = content.get("trained_on"), dataset.trained_on
    return None in known or known[0] == known[1]


def same_groups(one: Confounder, other: Confounder) -> bool:
    """Tell if two Confounders have the same groups of the same items."""
    q, of_other = one.sparse_membership, other.sparse_membership
    return one.group_names == other.group_names and q.shape == of_other.shape and not (q != of_other).nnz


def _same_shapes(one: Confounder, other: Confounder) -> bool:
    fields = dataclasses.fields(other)
    return all(np.shape(getattr(one, field.name)) == np.shape(getattr(other, field.name)) for field in fields)
