"""Trains any RecBole model with checkpoints of plain data; and DecRS: both recommenders, then their fusion."""

from __future__ import annotations

import glob
import os
from collections.abc import Callable
from functools import partial
from logging import getLogger
from typing import Any

import numpy as np
import torch
from recbole.data.dataloader import FullSortEvalDataLoader
from recbole.trainer import Trainer
from recbole.utils import (
    ensure_dir,
    get_local_time,
    get_trainer,
    init_seed,
    set_color,
)
from torch.utils.tensorboard import SummaryWriter
from tqdm import tqdm

from recbole_decrs.causal import fuse_scores
from recbole_decrs.checkpoint import (
    decode,
    decode_confounder,
    encode,
    encode_confounder,
    random_state,
    read_checkpoint,
    restore_random_state,
    write_checkpoint,
)
from recbole_decrs.config import as_plain
from recbole_decrs.data.id_loader import IdLoader, why_not_by_ids
from recbole_decrs.errors import DecRSError
from recbole_decrs.evaluator.collector import DecRSCollector, users_of
from recbole_decrs.evaluator.evaluator import DecRSEvaluator
from recbole_decrs.model.backbone import BackboneOptions
from recbole_decrs.model.fused import FusedRecommender, Half

HALVES = ("conventional", "deconfounded")


class CheckpointMixin:
    """Over whichever Trainer RecBole has for a model: the plugin's evaluation, and checkpoints of plain data.

    Args:
        config: the configuration.
        model: what to train.
        half: ``conventional`` or ``deconfounded`` where the model is one of two; names its place in the checkpoint
            and its TensorBoard folder.
        content: what the checkpoint holds beside the training state of this model.
    """

    def __init__(self, config, model, half: str | None = None, content: dict[str, Any] | None = None) -> None:
        super().__init__(config, model)
        # RecBole's TraditionalTrainer shortens the epochs to one after this, and would never evaluate, nor save.
        self.eval_step = min(self.eval_step, self.epochs)
        self.half = half
        self.content = content
        self.saved_model_file = unused_path(self.saved_model_file)
        self.eval_collector = DecRSCollector(config)
        self.evaluator = DecRSEvaluator(config)
        self._train_data = None
        self._resumed: dict[str, Any] | None = None
        self._valid_result = None
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
        if self._resumed is not None:
            check_data(self._resumed, dataset, self.saved_model_file)
            state = self._state_in(self._resumed)
            restore_random_state(state["random_state"])
            for generator, its_state in zip(shuffle_generators(train_data), state["loader_states"], strict=True):
                generator.set_state(its_state.cpu())
        return super().fit(train_data, valid_data, **kwargs)

    def _valid_epoch(self, valid_data, show_progress: bool = False):
        score, self._valid_result = super()._valid_epoch(valid_data, show_progress=show_progress)
        return score, self._valid_result

    def _save_checkpoint(self, epoch: int, verbose: bool = True, **kwargs) -> None:
        path = kwargs.pop("saved_model_file", self.saved_model_file)
        state = {
            "epoch": epoch,
            "cur_step": self.cur_step,
            "best_valid_score": as_plain(self.best_valid_score),
            "best_valid_result": as_plain(dict(self._valid_result or {})),
            "state_dict": self.model.state_dict(),
            "other_parameter": encode(self.model.other_parameter()),
            "optimizer": self.optimizer.state_dict(),
            "random_state": random_state(),
            "loader_states": [generator.get_state() for generator in shuffle_generators(self._train_data)],
        }
        write_checkpoint(path, self.content | ({self.half: state} if self.half else state))
        if verbose:
            self.logger.info(set_color("Saving current", "blue") + f": {path}")

    def save_pretrained_model(self, epoch: int, saved_model_file: str) -> None:
        """As RecBole's trainers that pre-train, in plain data."""
        self._save_checkpoint(epoch, verbose=False, saved_model_file=saved_model_file)
        self.saved_model_file = saved_model_file

    def resume_checkpoint(self, resume_file: str) -> None:
        """Continue with :meth:`fit` from a checkpoint, with the random numbers that would have come.

        Raises:
            DecRSError: the checkpoint cannot be read, or holds another model.
        """
        content = read_checkpoint(str(resume_file), self.device)
        if content["config"]["model"] != self.config["model"]:
            raise DecRSError(f"{resume_file} holds a {content['config']['model']}, not a {self.config['model']}")
        state = self._state_in(content)
        self.saved_model_file = str(resume_file)
        self.start_epoch = state["epoch"] + 1
        self.cur_step = state["cur_step"]
        self.best_valid_score = state["best_valid_score"]
        self.best_valid_result = state["best_valid_result"]
        load_state(self.model, state, str(resume_file))
        self.optimizer.load_state_dict(state["optimizer"])
        self._resumed = content
        self.logger.info(f"Checkpoint loaded. Resume training from epoch {self.start_epoch}")

    def _state_in(self, content: dict[str, Any]) -> dict[str, Any]:
        return content[self.half] if self.half else content

    def evaluate(
        self, eval_data, load_best_model: bool = True, model_file: str | None = None, show_progress: bool = False
    ) -> dict[str, float]:
        """As RecBole's; a model that was loaded instead of trained can be evaluated too."""
        if not eval_data:
            return None
        self.eval_collector.collect_from_training_part(eval_data._dataset)
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

    def masked_scores(self, half: Half, eval_data, batch) -> torch.Tensor:
        """The scores that RecBole would rank for a batch, from the given half, shape [B, n_items]."""
        full_sort = isinstance(eval_data, FullSortEvalDataLoader)
        if full_sort and self.item_tensor is None:
            self.item_tensor = eval_data._dataset.get_item_feature().to(self.device)
        self.tot_item_num = eval_data._dataset.item_num
        model, self.model = self.model, half
        try:
            return (self._full_sort_batch_eval if full_sort else self._neg_sample_batch_eval)(batch)[1]
        finally:
            self.model = model


def trainer_for(config) -> type[Trainer]:
    """RecBole's Trainer class for the model of the configuration, with :class:`CheckpointMixin` over it."""
    recbole_class = get_trainer(config["MODEL_TYPE"], config["model"])
    return type(recbole_class.__name__, (CheckpointMixin, recbole_class), {})


def unused_path(path: str) -> str:
    """``path``, or the first of ``path-2``, ``path-3``, ... (before the ending) that does not exist."""
    stem, ending = os.path.splitext(path)
    number = 1
    while os.path.exists(path):
        number += 1
        path = f"{stem}-{number}{ending}"
    return path


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
        DecRSError: they are of another shape or another model.
    """
    try:
        model.load_state_dict(state["state_dict"])
    except RuntimeError as error:
        reason = str(error).splitlines()[-1].strip()
        raise DecRSError(
            f"the checkpoint {path} does not fit this {type(model).__name__} ({reason}); "
            "take the settings it was trained with"
        ) from error
    # Embeddings that RecBole's graph models keep for prediction, of the parameters before these.
    for name in [name for name in vars(model) if name.startswith("restore_")]:
        setattr(model, name, None)
    model.load_other_parameter(decode(state["other_parameter"]))


def shuffle_generators(train_data) -> list[torch.Generator]:
    """The generators by which a training loader shuffles; RecBole's knowledge-based loader is made of two loaders."""
    loaders = [train_data, *(getattr(train_data, name, None) for name in ("general_dataloader", "kg_dataloader"))]
    return [loader.generator for loader in loaders if hasattr(loader, "generator")]


def start_anew(config, train_data) -> None:
    """Put every random generator at the seed, so that a fit does not depend on what ran before it."""
    init_seed(config["seed"], config["reproducibility"])
    for generator in shuffle_generators(train_data):
        generator.manual_seed(config["seed"])


def load_backbone(model: FusedRecommender, path: str, dataset) -> dict[str, Any]:
    """Load the conventional recommender from a checkpoint of the backbone, or of a deconfounded recommender over it.

    Returns:
        its training state.

    Raises:
        DecRSError: the checkpoint cannot be read, holds another model, or was made for other data.
    """
    content = read_checkpoint(path, model.device)
    check_data(content, dataset, path)
    wanted = type(model.conventional).__name__
    state = content.get("conventional", content)
    if content["config"]["model"] not in (wanted, type(model.deconfounded).__name__) or "state_dict" not in state:
        raise DecRSError(f"backbone_checkpoint: {path} holds a {content['config']['model']}, not a {wanted}")
    load_state(model.conventional, state, path)
    return state


class DecRSTrainer:
    """Trains the conventional and the deconfounded recommender, each with early stopping, and weighs them.

    Args:
        config: the configuration.
        model: both recommenders in one; see :class:`~recbole_decrs.model.fused.FusedRecommender`.
        backbone_state: the training state of a conventional recommender that is already loaded into ``model``;
            without it that one is trained.

    Attributes:
        saved_model_file: the one checkpoint of both.
        drift_alpha: alpha of Eq. 12, chosen by :meth:`fit` if the key is ``auto``; None without drift.
        evaluations: results of the last :meth:`evaluate` by recommender: conventional, deconfounded, fused.
    """

    def __init__(self, config, model: FusedRecommender, backbone_state: dict[str, Any] | None = None) -> None:
        self.config = config
        self.model = model
        self.backbone_state = backbone_state
        self.logger = getLogger()
        ensure_dir(config["checkpoint_dir"])
        self.saved_model_file = unused_path(
            os.path.join(config["checkpoint_dir"], f"{config['model']}-{get_local_time()}.pth")
        )
        self.evaluator = DecRSEvaluator(config)
        self.trainers: dict[str, CheckpointMixin] = {}
        self.collected: dict[str, Any] = {}
        self.evaluations: dict[str, dict[str, float]] = {}
        self.drift_alpha: float | None = None
        self._resume_file: str | None = None

    def resume_checkpoint(self, resume_file: str) -> None:
        """Continue with :meth:`fit` from a checkpoint of this trainer: a finished half is not trained again."""
        content = read_checkpoint(str(resume_file), self.model.device)
        if content["config"]["model"] != self.config["model"]:
            raise DecRSError(f"{resume_file} holds a {content['config']['model']}, not a {self.config['model']}")
        self._resume_file = self.saved_model_file = str(resume_file)
        if "deconfounded" in content:
            load_state(self.model.conventional, content["conventional"], str(resume_file))
            self.backbone_state = content["conventional"]

    def fit(
        self,
        train_data,
        valid_data=None,
        verbose: bool = True,
        saved: bool = True,
        show_progress: bool = False,
        callback_fn: Callable | None = None,
    ) -> tuple[float | None, dict[str, float] | None]:
        """Train both, then choose alpha if it is to be chosen.

        Returns:
            The validation score and result of the ranking that ``inference`` names.
        """
        content = checkpoint_header(self.config, train_data._dataset)
        options = {"verbose": verbose, "saved": saved, "show_progress": show_progress, "callback_fn": callback_fn}
        resumed = read_checkpoint(self._resume_file, self.model.device) if self._resume_file else {}
        if resumed:
            check_data(resumed, train_data._dataset, self._resume_file)
        for half in HALVES:
            if half == "conventional" and self.backbone_state is not None:
                self.logger.info(set_color("The conventional recommender is loaded, not trained", "green"))
                content[half] = self.backbone_state
                continue
            trainer = self._trainer(half, content)
            self.logger.info(
                set_color(f"Training the {half} recommender", "green") + f": {type(trainer.model).__name__}"
            )
            if half in resumed:
                trainer.resume_checkpoint(self._resume_file)
            start_anew(self.config, train_data)
            trainer.fit(train_data, valid_data, **options)
            if saved:
                content[half] = trainer.load_best()
        score, result = self._weigh(train_data._dataset.confounder, valid_data, show_progress)
        if saved:
            write_checkpoint(self.saved_model_file, content | {"drift_alpha": self.drift_alpha})
        return score, result

    def _trainer(self, half: str, content: dict[str, Any] | None = None) -> CheckpointMixin:
        model = getattr(self.model, half)
        trainer = trainer_for(self.config)(self.config, model, half=half, content=content)
        trainer.saved_model_file = self.saved_model_file
        self.trainers[half] = trainer
        return trainer

    def _weigh(self, confounder, valid_data, show_progress: bool) -> tuple[float | None, dict[str, float] | None]:
        """Set the weights of Eq. 11, choosing alpha on validation where it is ``auto``; score that ranking."""
        metric = self.config["valid_metric"].lower()
        bigger = self.config["valid_metric_bigger"]
        alphas = candidate_alphas(self.config, confounder)
        weights = {alpha: fusion_weights(self.config, confounder, alpha) for alpha in alphas}
        if not valid_data:
            self.drift_alpha = alphas[0]
            self.model.set_weight(weights[self.drift_alpha])
            return None, None
        rankings = {str(alpha): self._ranking(self.config["inference"], weights[alpha]) for alpha in alphas}
        results = list(self._evaluate_rankings(valid_data, rankings, show_progress).values())
        best = int((np.argmax if bigger else np.argmin)([result[metric] for result in results]))
        if len(alphas) > 1:
            listed = ", ".join(
                f"{alpha:g}: {result[metric]:.4f}" for alpha, result in zip(alphas, results, strict=True)
            )
            self.logger.info(f"drift_alpha: {alphas[best]:g} is best on validation ({metric} by alpha: {listed})")
        self.drift_alpha = alphas[best]
        self.model.set_weight(weights[self.drift_alpha])
        return results[best][metric], results[best]

    def _ranking(self, kind: str, weight: torch.Tensor | None) -> Callable:
        if kind == "conventional":
            return lambda conventional, deconfounded, users: conventional
        if kind == "deconfounded":
            return lambda conventional, deconfounded, users: deconfounded

        def fused(conventional: torch.Tensor, deconfounded: torch.Tensor, users: torch.Tensor) -> torch.Tensor:
            shape = (len(users), -1)  # scores of labelled pairs come flat
            scores = fuse_scores(conventional.view(shape), deconfounded.view(shape), weight.to(users.device)[users])
            return scores.view_as(conventional).masked_fill(conventional == -np.inf, -np.inf)

        return fused

    @torch.no_grad()
    def _evaluate_rankings(
        self, eval_data, rankings: dict[str, Callable], show_progress: bool
    ) -> dict[str, dict[str, float]]:
        """Metrics of several rankings made from the scores of both halves, which are computed once."""
        self.model.eval()
        trainer = self.trainers.get("deconfounded") or self._trainer("deconfounded")
        collectors = {name: DecRSCollector(self.config) for name in rankings}
        for collector in collectors.values():
            collector.collect_from_training_part(eval_data._dataset)
        batches = tqdm(eval_data, ncols=100, desc=set_color("Evaluate   ", "pink")) if show_progress else eval_data
        for batch in batches:
            interaction, _, positive_u, positive_i = batch
            conventional, deconfounded = (trainer.masked_scores(half, eval_data, batch) for half in self.model.halves)
            users = users_of(interaction[self.config["USER_ID_FIELD"]], conventional).to(conventional.device)
            for name, ranking in rankings.items():
                scores = ranking(conventional, deconfounded, users)
                collectors[name].eval_batch_collect(scores, interaction, positive_u, positive_i)
        self.collected = {name: collector.get_data_struct() for name, collector in collectors.items()}
        return {name: self.evaluator.evaluate(struct) for name, struct in self.collected.items()}

    def evaluate(
        self, eval_data, load_best_model: bool = True, model_file: str | None = None, show_progress: bool = False
    ) -> dict[str, float] | None:
        """Metrics of the ranking that ``inference`` names; those of the others are in ``evaluations``.

        Args:
            eval_data: a validation or test loader.
            load_best_model: whether to load the checkpoint first.
            model_file: of another checkpoint than the one just trained.
            show_progress: whether to show a progress bar.
        """
        if not eval_data:
            return None
        if load_best_model:
            self.drift_alpha = load_fused(
                self.config, self.model, model_file or self.saved_model_file, eval_data._dataset
            )
        kinds = [*HALVES, "fused"] if self.model.weight is not None else HALVES
        rankings = {kind: self._ranking(kind, self.model.weight) for kind in kinds}
        self.evaluations = self._evaluate_rankings(eval_data, rankings, show_progress)
        result = self.evaluations[self.config["inference"]]
        self.trainers["deconfounded"].wandblogger.log_eval_metrics(result, head="eval")
        return result


def candidate_alphas(config, confounder) -> list[float | None]:
    """The exponents of Eq. 12 to choose from; None alone where nothing is raised to it."""
    if config["fusion_weight"] is not None or confounder.drift is None:
        return [None]
    return (
        [float(alpha) for alpha in config["drift_alpha_grid"]]
        if config["drift_alpha"] == "auto"
        else [float(config["drift_alpha"])]
    )


def fusion_weights(config, confounder, alpha: float | None) -> torch.Tensor | None:
    """The weight of each user's deconfounded scores: ``fusion_weight``, else eta-hat_u; None without drift."""
    if config["fusion_weight"] is not None:
        return torch.full((len(confounder.user_distribution),), float(config["fusion_weight"]))
    return None if alpha is None else torch.as_tensor(confounder.normalized_drift(alpha), dtype=torch.float32)


def load_fused(config, model: FusedRecommender, path: str, dataset) -> float | None:
    """Load both recommenders and their weights from a checkpoint; returns alpha.

    Raises:
        DecRSError: the checkpoint cannot be read, is unfinished, or was made for other data.
    """
    content = read_checkpoint(path, model.device)
    check_data(content, dataset, path)
    if "drift_alpha" not in content:
        raise DecRSError(f"the checkpoint {path} is of an unfinished training; resume it, or train again")
    for half in HALVES:
        load_state(getattr(model, half), content[half], path)
    confounder = decode_confounder(content["confounder"])
    alpha = content["drift_alpha"]
    model.set_weight(fusion_weights(config, confounder, alpha))
    return alpha
