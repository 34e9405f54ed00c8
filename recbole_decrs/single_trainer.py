"""Trains a single model, by whichever Trainer RecBole has for it."""

from __future__ import annotations

import math
import os
import time
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from recbole.trainer import Trainer
from recbole.utils import get_trainer, set_color

from recbole_decrs.causal import BackdoorOperator
from recbole_decrs.checkpoint import Checkpoint, header_of
from recbole_decrs.checkpoint_file import OF_DATA, damage_in_words, new_checkpoint_path, write_checkpoint
from recbole_decrs.console import Bar
from recbole_decrs.curves import RememberedCurves, closed_at_the_end, drawn_by_first, writer_of_half
from recbole_decrs.data.id_loader import IdLoader, check_loader, why_not_by_ids
from recbole_decrs.distributed.gradients import gradients_for
from recbole_decrs.distributed.group import is_first, place
from recbole_decrs.distributed.users import share_of
from recbole_decrs.epoch import train_epoch
from recbole_decrs.errors import DecRSError, told_of_recboles_model
from recbole_decrs.evaluator.collector import DecRSCollector
from recbole_decrs.evaluator.evaluator import DecRSEvaluator
from recbole_decrs.evaluator.reranking import Reranker
from recbole_decrs.files import remove
from recbole_decrs.finite import REMEDY, infinities, not_finite
from recbole_decrs.model.compiled_sides import loops
from recbole_decrs.model.deconfound import is_deconfounded
from recbole_decrs.model.recbole_models import is_pre_trained
from recbole_decrs.model.training_options import PaperTrainingOptions
from recbole_decrs.optimizer import fitted_optimizer
from recbole_decrs.randomness import random_state, restore_loader_states, restore_random_state
from recbole_decrs.resume import SavedTraining, claim, claimed_for_later, last_path
from recbole_decrs.training_state import HiddenState, restore_state, state_of


class SingleTrainer:
    """Goes over whichever Trainer RecBole has for a model: the plugin's evaluation, and checkpoints of plain data.

    It goes over RecBole's ``fit``, ``evaluate``, ``_train_epoch``, ``_valid_epoch``, ``_save_checkpoint`` and
    ``resume_checkpoint``, and leaves the training itself to them.

    Args:
        config: the configuration.
        model: what to train.
        half: ``conventional`` or ``deconfounded`` where the model is one of two; names its place in the checkpoint
            and its TensorBoard folder.
        content: what the checkpoint holds beside the training state of this model.

    Attributes:
        has_trained: False if :meth:`fit` has found a resumed training at its end.
    """

    def __init__(self, config, model, half: str | None = None, content: dict[str, Any] | None = None) -> None:
        os.makedirs(config["checkpoint_dir"], exist_ok=True)
        with drawn_by_first():
            super().__init__(config, model)
        # RecBole's TraditionalTrainer shortens the epochs to one after this, and would never evaluate, nor save.
        self.eval_step = min(self.eval_step, self.epochs)
        self.half = half
        self.content = content
        self.saved_model_file = new_checkpoint_path(config)
        self.eval_collector = DecRSCollector(config, name=type(model).__name__)
        self.reranker = Reranker(config, model) if config["reranker"] else None
        self.evaluator = DecRSEvaluator(config)
        self.train_data = None
        self._resumed: Checkpoint | None = None
        self._claim: AbstractContextManager | None = None
        self.hidden_state = HiddenState(model)
        self._saves_last = False
        self.started, self.seconds_before = time.time(), 0.0
        self.has_trained = False
        self._valid_result = None
        self._set_gradients = gradients_for(model, config)
        self._infinite_by_design = infinities(model)
        self.tensorboard = RememberedCurves(writer_of_half(self.tensorboard, half))

    def _build_optimizer(self, **kwargs) -> torch.optim.Optimizer:
        return fitted_optimizer(super()._build_optimizer(**kwargs), self.model, self.config)

    def fit(self, train_data, valid_data=None, **kwargs) -> tuple[float, dict[str, float]]:
        """Train as RecBole does, or go on where a resumed checkpoint was; what is saved is then loaded at its best.

        Raises:
            DecRSError: the resumed checkpoint was made for other data.
        """
        self.fit_to_best(train_data, valid_data, **kwargs)
        return self.best_valid_score, self.best_valid_result

    def fit_to_best(self, train_data, valid_data=None, **kwargs) -> dict[str, Any] | None:
        """Train as :meth:`fit`; returns the training state that was best on validation, None where nothing is saved."""
        slow = why_not_by_ids(self.model, train_data, self.config)
        check_loader(self.model, slow, several=place() is not None)
        if slow is None:
            train_data = IdLoader(train_data, self.device, getattr(self.model, "click_rows", None))
            if self.device.type == "cpu" and torch.get_num_threads() == 1 and loops() is None:
                self.logger.info("numba, of the extra scale, does not compile here: training takes somewhat longer")
        elif isinstance(self.model, PaperTrainingOptions):
            self.logger.info(f"Training takes RecBole's own loader: {slow}")
        self.train_data = train_data
        if self.content is None:
            self.content = header_of(self.config, train_data._dataset)
        saved = kwargs.get("saved", True)
        # Of two halves, DecRSTrainer claims the file.
        claimed = nullcontext() if self.half or not saved else self._claim or claim(self.saved_model_file)
        best = self._resumed
        with claimed, closed_at_the_end(self.tensorboard):
            if not self._is_resumed_at_its_end(train_data):
                self.started = time.time()
                self._saves_last = saved and self.config["save_last"] and not is_pre_trained(self.model)
                # A resumed training may have stopped, and have been killed before it could say so.
                if self._resumed is None or not self._has_stopped():
                    with told_of_recboles_model(self.model, "trained"):
                        super().fit(train_data, valid_data, **kwargs)
                self.has_trained = True
                best = self._marked_as_finished() if saved else None
            if not saved:
                return None
            if is_first():
                remove(last_path(self.saved_model_file))
        return self._load(best)

    def _is_resumed_at_its_end(self, train_data) -> bool:
        """Put the random generators where the resumed training, if there is one, left them; True if it had ended.

        Raises:
            DecRSError: it was a training on other data.
        """
        if self._resumed is None:
            return False
        self._resumed.check_training(train_data._dataset)
        state = self._resumed.state(self.half)
        at_end = state.get("finished", False) and (state.get("stopped_early", True) or state["n_epochs"] >= self.epochs)
        with damage_in_words(self._resumed.path):
            restore_random_state(state.get("random_state_at_end" if at_end else "random_state", state["random_state"]))
            restore_loader_states(train_data, state["loader_states"])
        if at_end:
            self.logger.info(f"{self.saved_model_file} is trained to its end, and not trained again")
        return at_end

    def _has_stopped(self) -> bool:
        """Tell if a resumed training has nothing left to do: it was stopped early, or has had its epochs."""
        return self.cur_step > self.stopping_step or self.start_epoch >= self.epochs

    @property
    def seconds(self) -> float:
        """Count the seconds that the training has taken so far, with those before it was killed."""
        return self.seconds_before + time.time() - self.started

    def _marked_as_finished(self) -> Checkpoint:
        """Say so in the checkpoint: one of a training that was killed holds parameters like any other."""
        checkpoint = Checkpoint.read(self.saved_model_file)
        checkpoint.state(self.half).update(
            finished=True,
            stopped_early=self.cur_step > self.stopping_step,
            n_epochs=self.epochs,
            seconds=self.seconds,
            curves=self.tensorboard.points,
            random_state_at_end=random_state(),
        )
        write_checkpoint(self.saved_model_file, checkpoint.content)
        return checkpoint

    def _train_epoch(self, train_data, epoch_idx: int, *args, **kwargs):
        if self._saves_last and epoch_idx > self.start_epoch:
            self._save_last(epoch_idx - 1)
        try:
            if isinstance(train_data, IdLoader) and not (self.enable_amp or self.enable_scaler):
                loss = self._train_epoch_by_ids(train_data, epoch_idx, *args, **kwargs)
            else:
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
        has_none = is_deconfounded(type(self.model)) and not operators
        if has_none or any(operator.group_embeddings.grad is None for operator in operators):
            raise DecRSError(f"{type(self.model).__name__} does not use its operator: fuse M with its users")
        if name := not_finite(self.model.state_dict(), self._infinite_by_design):
            raise DecRSError(
                f"training has made {name} of {type(self.model).__name__} infinite or not a number; {REMEDY}"
            )
        return loss

    def _train_epoch_by_ids(self, train_data: IdLoader, epoch_idx: int, show_progress: bool = False) -> float:
        batches = train_data
        if show_progress:
            batches = Bar(train_data, ncols=100, desc=set_color(f"Train {epoch_idx:>5}", "pink"))
        self.model.train()
        loss = train_epoch(self.model, self.optimizer, batches, self.clip_grad_norm, self._set_gradients)
        self._check_nan(loss)
        return loss.item()

    def _check_nan(self, loss: torch.Tensor) -> None:
        if not torch.isfinite(loss):
            raise DecRSError(f"the training loss of {type(self.model).__name__} is infinite or not a number; {REMEDY}")

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
        write_checkpoint(path, self.content | self._as_part(state_of(self, epoch, self._valid_result)))
        if verbose:
            self.logger.info(set_color("Saving current", "blue") + f": {path}")

    def _save_last(self, epoch: int) -> None:
        header = {key: self.content[key] for key in ("config", *OF_DATA) if key in self.content} | {"confounder": None}
        write_checkpoint(
            last_path(self.saved_model_file), header | self._as_part(state_of(self, epoch, self.best_valid_result))
        )

    def _as_part(self, state: dict[str, Any]) -> dict[str, Any]:
        return {self.half: state} if self.half else state

    def save_pretrained_model(self, epoch: int, saved_model_file: str) -> None:
        """Save the model of a stage of pre-training, as RecBole does, but in plain data."""
        self._save_checkpoint(epoch, verbose=False, saved_model_file=saved_model_file)
        self.saved_model_file = saved_model_file

    def resume_checkpoint(self, resume_file: str | SavedTraining) -> None:
        """Continue with :meth:`fit` after the epoch finished last, with the random numbers that would have come.

        Args:
            resume_file: the checkpoint; where its last state lies beside it, that is taken. Or both as they were read,
                by whoever has claimed them.

        Raises:
            DecRSError: neither can be read, they hold another model, or a training that cannot go on.
        """
        if is_pre_trained(self.model):
            raise DecRSError(
                f"resume: {self.config['model']} is pre-trained here (train_stage), of which each stage is saved by "
                "itself (save_step); leave resume out"
            )
        if isinstance(resume_file, SavedTraining):
            self._resume(resume_file)
            return
        with claimed_for_later(str(resume_file)) as self._claim:
            self._resume(SavedTraining.read(str(resume_file)))

    def _resume(self, saved: SavedTraining) -> None:
        checkpoint = saved.latest(self.half)
        checkpoint.check_model(self.config["model"])
        self.saved_model_file = saved.path
        checkpoint.load_into(self.model, self.half)
        state = checkpoint.state(self.half)
        with damage_in_words(checkpoint.path):
            restore_state(self, state)
        self._resumed = checkpoint
        threads = state.get("threads", torch.get_num_threads())
        if threads != torch.get_num_threads():
            self.logger.warning(
                f"{saved.path} was trained with {threads} threads, and goes on with {torch.get_num_threads()}: the "
                f"last digits may not be those of an undisturbed training; set OMP_NUM_THREADS={threads}"
            )
        self.logger.info(f"Checkpoint loaded. Resume training from epoch {self.start_epoch}")

    def evaluate(
        self, eval_data, load_best_model: bool = True, model_file: str | None = None, show_progress: bool = False
    ) -> dict[str, float] | None:
        """Evaluate as RecBole does, None where there is no data; a loaded model can be evaluated too."""
        if not eval_data:
            return None
        eval_data = share_of(eval_data)
        self.eval_collector.begin(eval_data)
        self.eval_collector.reranker = self.reranker
        if load_best_model:
            self._load(Checkpoint.read(model_file or self.saved_model_file))
        with told_of_recboles_model(self.model, "evaluated"):
            return super().evaluate(eval_data, load_best_model=False, show_progress=show_progress)

    def _load(self, checkpoint: Checkpoint) -> dict[str, Any]:
        """Load the parameters of a checkpoint; returns their training state."""
        checkpoint.load_into(self.model, self.half)
        self.logger.info(f"Loading model structure and parameters from {checkpoint.path}")
        return checkpoint.state(self.half)


def trainer_for(config) -> type[Trainer]:
    """Make RecBole's Trainer class for the model of the configuration, with :class:`SingleTrainer` over it."""
    recbole_class = get_trainer(config["MODEL_TYPE"], config.backbone_class.__name__)
    return type(recbole_class.__name__, (SingleTrainer, recbole_class), {})
