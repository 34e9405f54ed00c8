"""Takes the state of a model and its optimizer in the middle of a training, and puts it back."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import torch

from recbole_decrs.checkpoint_file import damage_in_words
from recbole_decrs.errors import DecRSError
from recbole_decrs.finite import infinities, not_finite
from recbole_decrs.optimizer import load_optimizer
from recbole_decrs.plain_data import decode, encode, moved_to
from recbole_decrs.plain_values import as_plain
from recbole_decrs.randomness import loader_states, random_state

KEPT_FOR_PREDICTION = "restore_"
"""What begins the names of attributes in which RecBole's graph models keep the embeddings that they predict from."""

NO_STATE = ("_", KEPT_FOR_PREDICTION)
"""What begins the names of attributes that are no state: torch's own, and caches of the plugin and of RecBole."""
Plain = bool | int | float | torch.Tensor | np.ndarray
"""What a model keeps beside parameters and buffers, as a checkpoint can hold it."""


def forget_kept_embeddings(model: torch.nn.Module) -> None:
    """Let one of RecBole's graph models compute its embeddings anew: those it keeps are of other parameters by now."""
    for name in [name for name in vars(model) if name.startswith(KEPT_FOR_PREDICTION)]:
        setattr(model, name, None)


def load_state(model: torch.nn.Module, state: dict[str, Any], path: str) -> None:
    """Load parameters into a model.

    Raises:
        DecRSError: they are of another shape or another model, or not finite where those of a new model are.
    """
    by_design = infinities(model)
    try:
        for name, value in model.state_dict().items():
            if name in state["state_dict"] and state["state_dict"][name].is_complex() != value.is_complex():
                raise TypeError(f"{name} holds complex numbers")
        model.load_state_dict(state["state_dict"])
    except (RuntimeError, TypeError, AttributeError, ValueError) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[-1].strip()
        raise DecRSError(
            f"the checkpoint {path} does not fit this {type(model).__name__} ({reason}); "
            "take the settings it was trained with"
        ) from error
    if name := not_finite(state["state_dict"], by_design) or not_finite(state["other_parameter"]):
        raise DecRSError(
            f"the checkpoint {path} holds what is infinite or not a number in {name} of {type(model).__name__}; "
            "train again with a lower learning_rate, or with clip_grad_norm"
        )
    forget_kept_embeddings(model)
    with damage_in_words(path):
        if unknown := state["other_parameter"].keys() - set(getattr(model, "other_parameter_name", ())):
            raise ValueError(f"{min(unknown)} is no parameter of this model")
        kept = moved_to(state["other_parameter"], getattr(model, "device", "cpu"))
        model.load_other_parameter(decode(kept))


def state_of(trainer, epoch: int, valid_result: dict[str, float] | None) -> dict[str, Any]:
    """Gather everything by which training goes on after an epoch as if nothing had been between, as plain data.

    Args:
        trainer: a :class:`~recbole_decrs.single_trainer.SingleTrainer` in its training.
        epoch: that was finished last.
        valid_result: of the validation that goes with it.
    """
    optimizers = {name: value for name, value in vars(trainer).items() if isinstance(value, torch.optim.Optimizer)}
    others = [optimizer for name, optimizer in optimizers.items() if name != "optimizer"]
    if any(optimizer is trainer.optimizer for optimizer in others):  # RecVAE has two, in turns under this name
        del optimizers["optimizer"]
    kept = trainer.model.other_parameter()
    return {
        "epoch": epoch,
        "cur_step": trainer.cur_step,
        "best_valid_score": as_plain(trainer.best_valid_score),
        "best_valid_result": as_plain(dict(valid_result or {})),
        "state_dict": trainer.model.state_dict(),
        # Some of RecBole's sequential models name a layer of theirs, which is in the state_dict.
        "other_parameter": encode({name: part for name, part in kept.items() if not isinstance(part, torch.nn.Module)}),
        "hidden_state": encode(trainer.hidden_state.changed()),
        "optimizer": {name: optimizer.state_dict() for name, optimizer in optimizers.items()},
        "random_state": random_state(),
        "loader_states": loader_states(trainer.train_data),
        "seconds": trainer.seconds,
        "curves": trainer.tensorboard.points,
        "threads": torch.get_num_threads(),
    }


def restore_state(trainer, state: dict[str, Any]) -> None:
    """Put a trainer where :func:`state_of` found it, but for the model's parameters and the random generators."""
    trainer.start_epoch = state["epoch"] + 1
    trainer.cur_step = state["cur_step"]
    trainer.best_valid_score = state["best_valid_score"]
    trainer.best_valid_result = state["best_valid_result"]
    trainer.seconds_before = float(state.get("seconds", 0.0))
    trainer.tensorboard.points = {name: list(points) for name, points in state.get("curves", {}).items()}
    trainer.hidden_state.restore(decode(state.get("hidden_state", {})))
    optimizers = state["optimizer"]
    if "param_groups" in optimizers:  # of an older version
        optimizers = {"optimizer": optimizers}
    for name, its_state in optimizers.items():
        load_optimizer(getattr(trainer, name), its_state)


class HiddenState:
    """Watches what a model keeps beside parameters and buffers, such as RecBole's annealing counters.

    Args:
        model: as it is before training.
    """

    def __init__(self, model: torch.nn.Module) -> None:
        self.model = model
        self.before = dict(_plain_attributes(model))

    def changed(self) -> dict[str, Any]:
        """Find the attributes that training has changed, by module and name."""
        found = {}
        for name, value in _plain_attributes(self.model):
            old = self.before.get(name)
            if value is not old and not (isinstance(value, bool | int | float) and value == old):
                found[name] = value
        return found

    def restore(self, changed: dict[str, Any]) -> None:
        """Put back what :meth:`changed` gave."""
        modules = dict(self.model.named_modules())
        for name, value in changed.items():
            place, _, attribute = name.rpartition(":")
            if not (isinstance(value, Plain) and _may_be_set(modules.get(place), attribute)):
                raise ValueError(f"{name} is no state of this model")
            setattr(modules[place], attribute, moved_to(value, getattr(self.model, "device", "cpu")))


def _may_be_set(module: torch.nn.Module | None, attribute: str) -> bool:
    """Tell if training can have set an attribute: one that is plain or None in a new model, or is not there yet."""
    if attribute.startswith(NO_STATE) or attribute == "training" or hasattr(type(module), attribute):
        return False
    if attribute in vars(module):
        return isinstance(vars(module)[attribute], Plain | None)
    return not hasattr(module, attribute)


def _plain_attributes(model: torch.nn.Module) -> Iterable[tuple[str, Any]]:
    for place, module in model.named_modules():
        for name, value in vars(module).items():
            if name.startswith(NO_STATE) or name == "training":
                continue
            if isinstance(value, Plain):
                yield f"{place}:{name}", value
