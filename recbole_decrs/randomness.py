"""Puts the random generators of a run at their seed, reads them off for a checkpoint, and puts them back."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import torch
from recbole.utils import init_seed


def at_seed(config) -> None:
    """Put Python's, numpy's and torch's generators at a seed, so that what comes does not depend on what was before.

    Args:
        config: its keys ``seed`` and ``reproducibility``.
    """
    init_seed(config["seed"], config["reproducibility"])


def start_anew(config, loader) -> None:
    """Put every random generator at the seed, those of the loader too, which shuffles or samples by them.

    So neither a fit nor the candidates of an evaluation depend on what ran before.
    """
    at_seed(config)
    for generator in shuffle_generators(loader):
        generator.manual_seed(config["seed"])


def shuffle_generators(train_data) -> list[torch.Generator]:
    """List the generators by which a training loader shuffles; RecBole's knowledge-based loader is made of two."""
    loaders = [train_data, *(getattr(train_data, name, None) for name in ("general_dataloader", "kg_dataloader"))]
    return [loader.generator for loader in loaders if hasattr(loader, "generator")]


def loader_states(train_data) -> list[torch.Tensor]:
    """Read off where the shuffling of a training loader is."""
    return [generator.get_state() for generator in shuffle_generators(train_data)]


def restore_loader_states(train_data, states: list[torch.Tensor]) -> None:
    """Put the shuffling of a training loader where :func:`loader_states` found it."""
    for generator, state in zip(shuffle_generators(train_data), states, strict=True):
        generator.set_state(state.cpu())


def random_state() -> dict[str, Any]:
    """Read off the states of Python's, numpy's and torch's generators, as plain data."""
    name, keys, *rest = np.random.get_state()
    return {
        "python": random.getstate(),
        "numpy": (name, torch.from_numpy(keys.astype(np.int64)), *rest),
        "torch": torch.get_rng_state(),
        # Of the device that computes: of several processes each has another, all in the same state.
        # To ask for it would occupy a GPU that nothing has been computed on.
        "cuda": [torch.cuda.get_rng_state()] if torch.cuda.is_initialized() else [],
    }


def restore_random_state(state: dict[str, Any]) -> None:
    """Put the generators where :func:`random_state` found them."""
    random.setstate(state["python"])
    name, keys, *rest = state["numpy"]
    np.random.set_state((name, keys.cpu().numpy().astype(np.uint32), *rest))
    torch.set_rng_state(state["torch"].cpu())
    if torch.cuda.is_available() and state["cuda"]:
        torch.cuda.set_rng_state(state["cuda"][0].cpu())
