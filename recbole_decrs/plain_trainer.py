"""Over RecBole's Trainer of any model: the plugin's evaluation, and checkpoints of plain data."""

from __future__ import annotations

import glob
import math
import os
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from functools import partial
from typing import Any

import torch
from recbole.trainer import Trainer
from recbole.utils import get_local_time, get_trainer, set_color
from torch.utils.tensorboard import SummaryWriter

from recbole_decrs.causal import BackdoorOperator
from recbole_decrs.checkpoint import (
    damage_in_words,
    decode,
    encode,
    encode_confounder,
    read_checkpoint,
    write_checkpoint,
)
from recbole_decrs.config import as_plain
from recbole_decrs.data.id_loader import IdLoader, why_not_by_ids
from recbole_decrs.errors import DecRSError
from recbole_decrs.evaluator.collector import DecRSCollector
from recbole_decrs.evaluator.evaluator import DecRSEvaluator
from recbole_decrs.evaluator.reranking import Reranker
from recbole_decrs.files import Claim, remove
from recbole_decrs.finite import REMEDY, infinities, not_finite
from recbole_decrs.model.backbone import BackboneOptions
from recbole_decrs.randomness import loader_states, random_state, restore_loader_states, restore_random_state
from recbole_decrs.resume import HiddenState, claim, claimed_for_later, last_path


class CheckpointMixin:
    """Over whichever Trainer RecBole has for a model: the plugin's evaluation, and checkpoints of plain data.

    Args:
        config: the configuration.
        model: what to train.
        half: ``conventional`` or ``deconfounded`` where the model is one of two; names its place in the checkpoint
            and its TensorBoard folder.
        content: what the checkpoint holds beside the training state of this model.

    Attributes:
        seconds: that the training has taken, with those before it was killed.
    """

    def __init__(self, config, model, half: str | None = None, content: dict[str, Any] | None = None) -> None:
        os.makedirs(config["checkpoint_dir"], exist_ok=True)
        super().__init__(config, model)
        # RecBole's TraditionalTrainer shortens the epochs to one after this, and would never evaluate, nor save.
        self.eval_step = min(self.eval_step, self.epochs)
        self.half = half
        self.content = content
        self.saved_model_file = new_checkpoint_path(config)
        self.eval_collector = DecRSCollector(config)
        self.reranker = Reranker(config, model) if config["reranker"] else None
        self.evaluator = DecRSEvaluator(config)
        self._train_data = None
        self._resumed: dict[str, Any] | None = None
        self._claim: Claim | None = None
        self._hidden = HiddenState(model)
        self._saves_last = False
        self._started, self._seconds_before = time.time(), 0.0
        self._valid_result = None
        self._infinite_by_design = infinities(model)
        if half is not None:
            self._move_tensorboard(half)

    def _move_tensorboard(self, half: str) -> None:
        """RecBole opens one folder for a run, in which the curves of the two halves would mix."""
        folder = self.tensorboard.log_dir
        self.tensorboard.close()
        for empty in glob.glob(os.path.join(glob.escape(folder), "events.out.tfevents.*")):
            os.remove(empty)
        self.tensorboard = SummaryWriter(os.path.join(folder, half))

    def _build_optimizer(self, **kwargs) -> torch.optim.Optimizer:
        optimizer = super()._build_optimizer(**kwargs)
        ours = isinstance(self.model, BackboneOptions)
        if isinstance(optimizer, torch.optim.Adagrad):
            group = optimizer.param_groups[0]
            on_cpu = all(parameter.device.type == "cpu" for parameter in group["params"])
            optimizer = torch.optim.Adagrad(
                group["params"],
                lr=group["lr"],
                weight_decay=group["weight_decay"],
                initial_accumulator_value=self.config["adagrad_initial_accumulator"] or 0,
                fused=ours and on_cpu,  # the same update in one pass
            )
        if ours:  # gradients are added in place, see model/sides.py
            optimizer.zero_grad = partial(optimizer.zero_grad, set_to_none=False)
        return optimizer

    def fit(self, train_data, valid_data=None, **kwargs) -> tuple[float, dict[str, float]]:
        """As RecBole's; goes on where a resumed checkpoint was.

        Raises:
            DecRSError: the resumed checkpoint was made for other data.
        """
        dataset = train_data._dataset
        slow = why_not_by_ids(self.model, train_data, self.config)
        if slow is None:
            train_data = IdLoader(train_data)
        elif isinstance(self.model, BackboneOptions):
            self.logger.info(f"Training takes RecBole's own loader: {slow}")
        self._train_data = train_data
        if self.content is None:
            self.content = checkpoint_header(self.config, dataset)
        saved = kwargs.get("saved", True)
        # Of two halves, DecRSTrainer claims the file.
        claimed = nullcontext() if self.half or not saved else self._claim or claim(self.saved_model_file)
        with claimed, self._curves_closed():
            if not self._is_resumed_at_its_end(train_data):
                self._started = time.time()
                self._saves_last = saved and self.config["save_last"] and not _is_pre_trained(self.model)
                # A resumed training may have stopped, and have been killed before it could say so.
                if self._resumed is None or not self._has_stopped():
                    super().fit(train_data, valid_data, **kwargs)
                if saved:
                    self._mark_as_finished()
            if saved:
                remove(last_path(self.saved_model_file))
        return self.best_valid_score, self.best_valid_result

    @contextmanager
    def _curves_closed(self) -> Iterator[None]:
        """Close TensorBoard's files, of which RecBole leaves the thread that writes them to write on."""
        try:
            yield
        except BaseException:
            with suppress(OSError):
                self.tensorboard.close()
            raise
        self.tensorboard.close()

    def _is_resumed_at_its_end(self, train_data) -> bool:
        """Put the random generators where the resumed training, if there is one, left them; whether it had ended.

        Raises:
            DecRSError: it was a training on other data.
        """
        if self._resumed is None:
            return False
        check_data(self._resumed, train_data._dataset, self.saved_model_file)
        state = self._state_in(self._resumed)
        at_end = state.get("finished", False) and (state.get("stopped_early", True) or state["n_epochs"] >= self.epochs)
        with damage_in_words(self.saved_model_file):
            restore_random_state(state.get("random_state_at_end" if at_end else "random_state", state["random_state"]))
            restore_loader_states(train_data, state["loader_states"])
        if at_end:
            self.logger.info(f"{self.saved_model_file} is trained to its end, and not trained again")
        return at_end

    def _has_stopped(self) -> bool:
        """Whether a resumed training has nothing left to do: it was stopped early, or has had its epochs."""
        return self.cur_step > self.stopping_step or self.start_epoch >= self.epochs

    @property
    def seconds(self) -> float:
        """What the training has taken so far."""
        return self._seconds_before + time.time() - self._started

    def _mark_as_finished(self) -> None:
        """Say so in the checkpoint: one of a training that was killed holds parameters like any other."""
        if os.path.isfile(self.saved_model_file):  # no validation may have had a result
            content = read_checkpoint(self.saved_model_file)
            self._state_in(content).update(
                finished=True,
                stopped_early=self.cur_step > self.stopping_step,
                n_epochs=self.epochs,
                seconds=self.seconds,
                random_state_at_end=random_state(),
            )
            write_checkpoint(self.saved_model_file, content)

    def _train_epoch(self, train_data, epoch_idx: int, *args, **kwargs):
        if self._saves_last and epoch_idx > self.start_epoch:
            self._save_last(epoch_idx - 1)
        try:
            loss = super()._train_epoch(train_data, epoch_idx, *args, **kwargs)
        except KeyError as error:
            needed = (self.config["LABEL_FIELD"], f"{self.config['NEG_PREFIX']}{self.config['ITEM_ID_FIELD']}")
            if error.args[0] not in needed or self.config["train_neg_sample_args"]["distribution"] != "none":
                raise
            raise DecRSError(
                f"train_neg_sample_args: {type(self.model).__name__} learns from negative samples, and gets none; "
                "leave the key out"
            ) from error
        operators = [module for module in self.model.modules() if isinstance(module, BackdoorOperator)]
        if any(operator.group_embeddings.grad is None for operator in operators):
            raise DecRSError(f"{type(self.model).__name__} does not use its operator: fuse M with its users")
        if name := not_finite(self.model.state_dict(), self._infinite_by_design):
            raise DecRSError(
                f"training has made {name} of {type(self.model).__name__} infinite or not a number; {REMEDY}"
            )
        return loss

    def _check_nan(self, loss: torch.Tensor) -> None:
        if not torch.isfinite(loss):
            raise DecRSError(f"the training loss is infinite or not a number; {REMEDY}")

    def _valid_epoch(self, valid_data, show_progress: bool = False):
        reranker, self.reranker = self.reranker, None  # it changes a ranking, and not when training stops
        score, self._valid_result = super()._valid_epoch(valid_data, show_progress=show_progress)
        self.reranker = reranker
        if math.isnan(score):  # which is never better than the best, so that nothing would ever be saved
            raise DecRSError(
                f"valid_metric: {self.config['valid_metric']} is not a number on the validation part, so no epoch is "
                "best (of labels it needs both kinds); take another valid_metric, or other data"
            )
        return score, self._valid_result

    def _save_checkpoint(self, epoch: int, verbose: bool = True, **kwargs) -> None:
        path = kwargs.pop("saved_model_file", self.saved_model_file)
        write_checkpoint(path, self.content | self._as_part(self._state(epoch, self._valid_result)))
        if verbose:
            self.logger.info(set_color("Saving current", "blue") + f": {path}")

    def _save_last(self, epoch: int) -> None:
        header = {"config": self.content["config"], "fingerprint": self.content["fingerprint"], "confounder": None}
        write_checkpoint(
            last_path(self.saved_model_file), header | self._as_part(self._state(epoch, self.best_valid_result))
        )

    def _state(self, epoch: int, valid_result: dict[str, float] | None) -> dict[str, Any]:
        """Everything by which training goes on after an epoch as if nothing had been between."""
        optimizers = {name: value for name, value in vars(self).items() if isinstance(value, torch.optim.Optimizer)}
        others = [optimizer for name, optimizer in optimizers.items() if name != "optimizer"]
        if any(optimizer is self.optimizer for optimizer in others):  # RecVAE has two, in turns under this name
            del optimizers["optimizer"]
        return {
            "epoch": epoch,
            "cur_step": self.cur_step,
            "best_valid_score": as_plain(self.best_valid_score),
            "best_valid_result": as_plain(dict(valid_result or {})),
            "state_dict": self.model.state_dict(),
            # Some of RecBole's sequential models name a layer of theirs, which is in the state_dict.
            "other_parameter": encode(
                {
                    name: value
                    for name, value in self.model.other_parameter().items()
                    if not isinstance(value, torch.nn.Module)
                }
            ),
            "hidden_state": encode(self._hidden.changed()),
            "optimizer": {name: optimizer.state_dict() for name, optimizer in optimizers.items()},
            "random_state": random_state(),
            "loader_states": loader_states(self._train_data),
            "seconds": self.seconds,
            "threads": torch.get_num_threads(),
        }

    def _as_part(self, state: dict[str, Any]) -> dict[str, Any]:
        return {self.half: state} if self.half else state

    def save_pretrained_model(self, epoch: int, saved_model_file: str) -> None:
        """As RecBole's trainers that pre-train, in plain data."""
        self._save_checkpoint(epoch, verbose=False, saved_model_file=saved_model_file)
        self.saved_model_file = saved_model_file

    def resume_checkpoint(self, resume_file: str) -> None:
        """Continue with :meth:`fit` after the epoch finished last, with the random numbers that would have come.

        Args:
            resume_file: the checkpoint; where its last state lies beside it, that is taken.

        Raises:
            DecRSError: neither can be read, they hold another model, or a training that cannot go on.
        """
        path = str(resume_file)
        if _is_pre_trained(self.model):
            raise DecRSError(
                f"resume: {self.config['model']} is pre-trained here (train_stage), of which each stage is saved by "
                "itself (save_step); leave resume out"
            )
        if self.half is not None:  # DecRSTrainer has claimed the file
            self._resume(path)
            return
        with claimed_for_later(path) as self._claim:
            self._resume(path)

    def _resume(self, path: str) -> None:
        content = self._content_to_resume(path)
        if content["config"]["model"] != self.config["model"]:
            raise DecRSError(f"{path} holds a {content['config']['model']}, not a {self.config['model']}")
        state = self._state_in(content)
        self.saved_model_file = path
        self.start_epoch = state["epoch"] + 1
        self.cur_step = state["cur_step"]
        self.best_valid_score = state["best_valid_score"]
        self.best_valid_result = state["best_valid_result"]
        load_state(self.model, state, path)
        with damage_in_words(path):
            self._seconds_before = float(state.get("seconds", 0.0))
            self._hidden.restore(decode(state.get("hidden_state", {})))
            optimizers = state["optimizer"]
            if "param_groups" in optimizers:  # of an older version
                optimizers = {"optimizer": optimizers}
            for name, its_state in optimizers.items():
                _load_optimizer(getattr(self, name), its_state)
        self._resumed = content
        threads = state.get("threads", torch.get_num_threads())
        if threads != torch.get_num_threads():
            self.logger.warning(
                f"{path} was trained with {threads} threads, and goes on with {torch.get_num_threads()}: the last "
                f"digits may not be those of an undisturbed training; set OMP_NUM_THREADS={threads}"
            )
        self.logger.info(f"Checkpoint loaded. Resume training from epoch {self.start_epoch}")

    def _content_to_resume(self, path: str) -> dict[str, Any]:
        """The checkpoint where its training is finished or there is no later state, else that state."""
        last = last_path(path)
        best = read_checkpoint(path, self.device) if os.path.isfile(path) or not os.path.isfile(last) else {}
        its_state = self._state_in(best, {})
        if its_state.get("finished") or not os.path.isfile(last):
            return best
        try:
            later = read_checkpoint(last, self.device)
        except DecRSError as error:
            if not its_state:
                raise
            self.logger.warning(f"{error}; training goes on from its best epoch, {path}")
            return best
        state = self._state_in(later, {})
        return later if state.get("epoch", -1) >= its_state.get("epoch", -1) else best

    def _state_in(self, content: dict[str, Any], default: dict[str, Any] | None = None) -> dict[str, Any]:
        return content.get(self.half, default) if self.half else content

    def evaluate(
        self, eval_data, load_best_model: bool = True, model_file: str | None = None, show_progress: bool = False
    ) -> dict[str, float]:
        """As RecBole's; a model that was loaded instead of trained can be evaluated too."""
        if not eval_data:
            return None
        self.eval_collector.collect_from_training_part(eval_data._dataset)
        self.eval_collector.reranker = self.reranker
        if load_best_model:
            self.load_best(model_file)
        return super().evaluate(eval_data, load_best_model=False, show_progress=show_progress)

    def load_best(self, model_file: str | None = None) -> dict[str, Any]:
        """Load the parameters that were best on validation; returns their training state."""
        path = model_file or self.saved_model_file
        state = self._state_in(read_checkpoint(path, self.device))
        load_state(self.model, state, path)
        self.logger.info(f"Loading model structure and parameters from {path}")
        return state


def _load_optimizer(optimizer: torch.optim.Optimizer, state: dict[str, Any]) -> None:
    """Load the state of an optimizer, which torch does not hold against the parameters.

    Raises:
        ValueError: it is none of this optimizer.
    """
    if not isinstance(optimizer, torch.optim.Optimizer):
        raise ValueError("the state of an optimizer that there is none of")
    kinds = [{key: isinstance(value, int | float) for key, value in group.items()} for group in optimizer.param_groups]
    optimizer.load_state_dict(state)
    for group, numbers in zip(optimizer.param_groups, kinds, strict=True):
        if any(is_number and not isinstance(group.get(key), int | float) for key, is_number in numbers.items()):
            raise ValueError("a setting of the optimizer is no number")
        for parameter in group["params"]:
            for value in optimizer.state[parameter].values():
                if isinstance(value, torch.Tensor) and value.dim() and value.shape != parameter.shape:
                    raise ValueError("a state of the optimizer is not of the shape of its parameter")


def _is_pre_trained(model) -> bool:
    """Whether this training is a stage before the training, as S3Rec and RaCT have them."""
    return "pretrain" in getattr(model, "train_stage", "")


def trainer_for(config) -> type[Trainer]:
    """RecBole's Trainer class for the model of the configuration, with :class:`CheckpointMixin` over it."""
    recbole_class = get_trainer(config["MODEL_TYPE"], config.backbone_class.__name__)
    return type(recbole_class.__name__, (CheckpointMixin, recbole_class), {})


def new_checkpoint_path(config) -> str:
    """Where RecBole would save, with a few random letters: two runs may start in the same second."""
    name = f"{config['model']}-{get_local_time()}-{uuid.uuid4().hex[:6]}.pth"
    return os.path.join(config["checkpoint_dir"], name)


def checkpoint_header(config, dataset) -> dict[str, Any]:
    """What a checkpoint holds beside training states."""
    return {
        "config": config.settings,
        "fingerprint": dataset.fingerprint,
        "confounder": encode_confounder(dataset.confounder),
    }


def check_data(content: dict[str, Any], dataset, path: str) -> None:
    """See that a checkpoint was made for these data.

    Raises:
        DecRSError: its users, items, groups or training clicks are others.
    """
    if content["fingerprint"] != dataset.fingerprint:
        raise DecRSError(
            f"the checkpoint {path} was made for other data: its users, items, groups or training clicks are not "
            f"those of {dataset.dataset_name} as configured; take the same data, split and seed, or train again"
        )


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
    # Embeddings that RecBole's graph models keep for prediction, of the parameters before these.
    for name in [name for name in vars(model) if name.startswith("restore_")]:
        setattr(model, name, None)
    with damage_in_words(path):
        if unknown := state["other_parameter"].keys() - set(getattr(model, "other_parameter_name", ())):
            raise ValueError(f"{min(unknown)} is no parameter of this model")
        model.load_other_parameter(decode(state["other_parameter"]))
