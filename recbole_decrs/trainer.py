"""Trains DecRS: the conventional recommender, then the deconfounded one, then weighs them."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from logging import getLogger
from typing import Any

import numpy as np
import torch
from recbole.utils import set_color

from recbole_decrs.causal import Confounder
from recbole_decrs.checkpoint import HALVES, Checkpoint, header_of
from recbole_decrs.checkpoint_file import new_checkpoint_path, write_checkpoint
from recbole_decrs.console import tell
from recbole_decrs.data.id_loader import check_loader, why_not_by_ids
from recbole_decrs.distributed.group import place
from recbole_decrs.errors import DecRSError
from recbole_decrs.evaluator.evaluator import DecRSEvaluator
from recbole_decrs.evaluator.rankings import Ranking, fused_by
from recbole_decrs.evaluator.recommenders import rankings_in, with_rerankers
from recbole_decrs.evaluator.scoring import collect_rankings
from recbole_decrs.model.fused import FusedRecommender
from recbole_decrs.model.nfm import NFM
from recbole_decrs.model.two_sided import TwoSided
from recbole_decrs.randomness import start_anew
from recbole_decrs.recbole_keys import keys_of_model
from recbole_decrs.resume import SavedTraining, claim, claimed_for_later
from recbole_decrs.run_lines import tell_training
from recbole_decrs.single_trainer import SingleTrainer, trainer_for

IN_TRAINING_ALONE = "drop|reg_weight|init|pretrain|^alpha$|^beta$"
"""Names of a model's settings that make no difference to the scores of one that is trained; a pattern."""


def load_backbone(config, model: FusedRecommender, path: str, dataset) -> dict[str, Any]:
    """Load the conventional recommender from a checkpoint of the backbone, or of a deconfounded recommender over it.

    Its training must have come to its end.

    Returns:
        its training state.

    Raises:
        DecRSError: the checkpoint cannot be read, holds another model or an unfinished one, or was made for other data
            or with another setting of the model, such as ``group_features``, which its parameters need not show.
    """
    checkpoint = Checkpoint.read(path)
    checkpoint.check_data(dataset)
    wanted = type(model.conventional).__name__
    half = "conventional" if "conventional" in checkpoint.halves else None
    state = checkpoint.state(half)
    if checkpoint.model not in (wanted, type(model.deconfounded).__name__) or "state_dict" not in state:
        raise DecRSError(f"backbone_checkpoint: {path} holds a {checkpoint.model}, not a {wanted}")
    own = ["group_features"] if isinstance(model.conventional, TwoSided) else []
    own += ["mlp_activation"] if isinstance(model.conventional, NFM) else []
    for key in (*own, *sorted(keys_of_model(type(model.conventional)))):
        trained = checkpoint.settings.get(key)
        if trained != config.settings.get(key) and not re.search(IN_TRAINING_ALONE, key):
            raise DecRSError(f"backbone_checkpoint: {path} was trained with {key}: {trained}; set it so here")
    if not checkpoint.is_finished(half):
        raise DecRSError(
            f"backbone_checkpoint: {path} is of an unfinished training of {wanted}, or of an older version; train that "
            "to its end, or leave backbone_checkpoint out and this run trains it"
        )
    checkpoint.load_into(model.conventional, half)
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
        alpha_scores: the candidates of alpha with their scores on validation; empty if it was not chosen.
        evaluations: results of the last :meth:`evaluate` by recommender: conventional, deconfounded, fused.
    """

    def __init__(self, config, model: FusedRecommender, backbone_state: dict[str, Any] | None = None) -> None:
        self.config = config
        self.model = model
        self.backbone_state = backbone_state
        self.logger = getLogger()
        os.makedirs(config["checkpoint_dir"], exist_ok=True)
        self.saved_model_file = new_checkpoint_path(config)
        self.evaluator = DecRSEvaluator(config)
        self.trainers: dict[str, SingleTrainer] = {}
        self.collected: dict[str, Any] = {}
        self.evaluations: dict[str, dict[str, float]] = {}
        self.drift_alpha: float | None = None
        self.alpha_scores: list[list[float]] = []
        self._resumed: SavedTraining | None = None
        self._claim: AbstractContextManager | None = None

    def resume_checkpoint(self, resume_file: str) -> None:
        """Continue with :meth:`fit` from a checkpoint of this trainer: a finished half is not trained again.

        Raises:
            DecRSError: it cannot be read, or holds another model.
        """
        path = str(resume_file)
        with claimed_for_later(path) as self._claim:
            saved = SavedTraining.read(path)
            for checkpoint in saved.checkpoints:
                checkpoint.check_model(self.config["model"])
            self._resumed, self.saved_model_file = saved, path
            if saved.best is not None and saved.best.is_finished("conventional"):
                saved.best.load_into(self.model.conventional, "conventional")
                self.backbone_state = saved.best.state("conventional")

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
        options = {"verbose": verbose, "saved": saved, "show_progress": show_progress, "callback_fn": callback_fn}
        with (self._claim or claim(self.saved_model_file)) if saved else nullcontext():
            return self._fit(train_data, valid_data, options)

    def _fit(self, train_data, valid_data, options: dict[str, Any]) -> tuple[float | None, dict[str, float] | None]:
        content = header_of(self.config, train_data._dataset)
        for half in self.model.halves:  # before the first of them is trained
            check_loader(half.model, why_not_by_ids(half.model, train_data, self.config), several=place() is not None)
        begun, is_complete = self._what_is_resumed(train_data._dataset)
        for half in HALVES:
            if half == "conventional" and self.backbone_state is not None:
                tell(set_color("The conventional recommender is loaded, not trained", "green"))
                content[half] = self.backbone_state
                continue
            trainer = self._trainer(half, content)
            self.logger.info(
                set_color(f"Training the {half} recommender", "green") + f": {type(trainer.model).__name__}"
            )
            if half in begun:
                trainer.resume_checkpoint(self._resumed)
            start_anew(self.config, train_data)
            state = trainer.fit_to_best(train_data, valid_data, **options)
            tell_training(trainer)
            if state is not None:
                content[half] = state
        score, result = self.weigh(train_data._dataset.confounder, valid_data, options["show_progress"])
        if options["saved"] and not (is_complete and not any(one.has_trained for one in self.trainers.values())):
            write_checkpoint(
                self.saved_model_file, content | {"drift_alpha": self.drift_alpha, "alpha_scores": self.alpha_scores}
            )
        return score, result

    def _what_is_resumed(self, dataset) -> tuple[set[str], bool]:
        """See that a resumed training is of these data; name the halves it has begun, and tell if it was complete."""
        checkpoints = self._resumed.checkpoints if self._resumed else []
        for checkpoint in checkpoints:
            checkpoint.check_training(dataset)
        begun = set().union(*(checkpoint.halves for checkpoint in checkpoints))
        return begun, any(checkpoint.is_complete for checkpoint in checkpoints)

    @property
    def curves(self) -> dict[str, dict[str, list[list[float]]]]:
        """Give the points of the curves of each half whose training is known."""
        loaded = {} if self.backbone_state is None else {"conventional": self.backbone_state.get("curves", {})}
        return loaded | {half: trainer.tensorboard.points for half, trainer in self.trainers.items()}

    def _trainer(self, half: str, content: dict[str, Any] | None = None) -> SingleTrainer:
        model = getattr(self.model, half)
        trainer = trainer_for(self.config)(self.config, model, half=half, content=content)
        trainer.saved_model_file = self.saved_model_file
        self.trainers[half] = trainer
        return trainer

    def weigh(
        self, confounder: Confounder, valid_data, show_progress: bool = False
    ) -> tuple[float | None, dict[str, float] | None]:
        """Set the weights of Eq. 11, choosing alpha on validation where it is ``auto``; score that ranking."""
        metric = self.config["valid_metric"].lower()
        bigger = self.config["valid_metric_bigger"]
        alphas = candidate_alphas(self.config, confounder)
        weights = {alpha: fusion_weights(self.config, confounder, alpha) for alpha in alphas}
        if not valid_data:
            self.drift_alpha = alphas[0]
            self.model.set_weight(weights[self.drift_alpha])
            return None, None
        rankings = {str(alpha): fused_by(weights[alpha]) for alpha in alphas if weights[alpha] is not None}
        ranked = self.model.ranking
        if not ranked.is_weighed:
            rankings[ranked.name] = ranked.make(None)
        results = self._evaluate_rankings(valid_data, rankings, show_progress)
        scores = [results[str(alpha)][metric] for alpha in alphas if str(alpha) in results]
        best = int((np.argmax if bigger else np.argmin)(scores)) if scores else 0
        if len(alphas) > 1:
            self.alpha_scores = [[alpha, float(score)] for alpha, score in zip(alphas, scores, strict=True)]
            listed = ", ".join(f"{alpha:g}: {score:.4f}" for alpha, score in zip(alphas, scores, strict=True))
            self.logger.info(f"drift_alpha: {alphas[best]:g} is best on validation ({metric} by alpha: {listed})")
        self.drift_alpha = alphas[best]
        self.model.set_weight(weights[self.drift_alpha])
        result = results[str(alphas[best]) if ranked.is_weighed else ranked.name]
        return result[metric], result

    def _evaluate_rankings(
        self, eval_data, rankings: dict[str, Ranking], show_progress: bool, reranked: bool = False
    ) -> dict[str, dict[str, float]]:
        """Measure several rankings made from the scores of both halves, which are computed once."""
        self.model.eval()
        models, rerankers = list(self.model.halves), {}
        if reranked:
            models, rankings, rerankers = with_rerankers(self.config, self.model, rankings)
        self.collected = collect_rankings(self.config, models, rankings, eval_data, show_progress, rerankers)
        return {name: self.evaluator.evaluate(struct) for name, struct in self.collected.items()}

    def evaluate(
        self, eval_data, load_best_model: bool = True, model_file: str | None = None, show_progress: bool = False
    ) -> dict[str, float] | None:
        """Measure the ranking that ``inference`` names; the metrics of the others are in ``evaluations``.

        Args:
            eval_data: a validation or test loader.
            load_best_model: whether to load the checkpoint first.
            model_file: of another checkpoint than the one just trained.
            show_progress: whether to show a progress bar.
        """
        if not eval_data:
            return None
        if load_best_model:
            checkpoint = Checkpoint.read(model_file or self.saved_model_file)
            self.drift_alpha = load_fused(self.config, self.model, checkpoint, eval_data._dataset)
        reranked = self.config["reranker"] is not None
        self.evaluations = self._evaluate_rankings(eval_data, rankings_in(self.model), show_progress, reranked)
        result = self.evaluations[self.model.ranking.name]
        if "deconfounded" in self.trainers:
            self.trainers["deconfounded"].wandblogger.log_eval_metrics(result, head="eval")
        return result


def candidate_alphas(config, confounder: Confounder) -> list[float | None]:
    """List the exponents of Eq. 12 to choose from; None alone where nothing is raised to it."""
    if config["fusion_weight"] is not None or confounder.drift is None:
        return [None]
    return (
        [float(alpha) for alpha in config["drift_alpha_grid"]]
        if config["drift_alpha"] == "auto"
        else [float(config["drift_alpha"])]
    )


def fusion_weights(config, confounder: Confounder, alpha: float | None) -> torch.Tensor | None:
    """Give the weight of each user's deconfounded scores: ``fusion_weight``, else eta-hat_u; None without drift."""
    if config["fusion_weight"] is not None:
        return torch.full((len(confounder.n_clicks),), float(config["fusion_weight"]))
    return None if alpha is None else torch.as_tensor(confounder.normalized_drift(alpha), dtype=torch.float32)


def load_fused(
    config, model: FusedRecommender, checkpoint: Checkpoint, dataset, alpha: float | None = None
) -> float | None:
    """Load both recommenders and their weights from a checkpoint, with another alpha if one is given; returns alpha.

    Raises:
        DecRSError: the checkpoint is unfinished, damaged, holds one of both, or was made for other data.
    """
    checkpoint.check_data(dataset)
    if not checkpoint.halves and checkpoint.is_finished():
        raise DecRSError(
            f"{checkpoint.path} holds a {checkpoint.model} by itself, as a comparison trains it, without the "
            "conventional recommender that it is fused with; mechanism and jensen-gap take it; for lists train both by "
            f"recbole-decrs --model={checkpoint.model} --dataset={checkpoint.settings['dataset']}"
        )
    if not checkpoint.is_complete:
        raise DecRSError(
            f"the checkpoint {checkpoint.path} is of an unfinished training; train again, "
            "or go on by the same command, with resume: auto where it is a run"
        )
    confounder = checkpoint.confounder_of(dataset)
    for half in HALVES:
        checkpoint.load_into(getattr(model, half), half)
    alpha = checkpoint.drift_alpha if alpha is None else alpha
    model.set_weight(fusion_weights(config, confounder, alpha))
    return alpha
