"""Trains DecRS: the conventional recommender, then the deconfounded one, then weighs them."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable
from contextlib import nullcontext
from logging import getLogger
from typing import Any

import numpy as np
import torch
from recbole.utils import set_color

from recbole_decrs.checkpoint import damage_in_words, decode_confounder, read_checkpoint, write_checkpoint
from recbole_decrs.errors import DecRSError
from recbole_decrs.evaluator.evaluator import DecRSEvaluator
from recbole_decrs.evaluator.rankings import RANKINGS, Ranking, score_of_model
from recbole_decrs.evaluator.reranking import Reranker
from recbole_decrs.evaluator.scoring import collect_rankings
from recbole_decrs.files import Claim
from recbole_decrs.finite import not_finite
from recbole_decrs.model.fused import FusedRecommender
from recbole_decrs.model.two_sided import TwoSided
from recbole_decrs.plain_trainer import (
    CheckpointMixin,
    check_data,
    checkpoint_header,
    load_state,
    new_checkpoint_path,
    trainer_for,
)
from recbole_decrs.randomness import start_anew
from recbole_decrs.resume import claim, claimed_for_later, last_path

HALVES = ("conventional", "deconfounded")


def load_backbone(config, model: FusedRecommender, path: str, dataset) -> dict[str, Any]:
    """Load the conventional recommender from a checkpoint of the backbone, or of a deconfounded recommender over it.

    Its training must have come to its end.

    Returns:
        its training state.

    Raises:
        DecRSError: the checkpoint cannot be read, holds another model or an unfinished one, or was made for other data
            or with another ``group_features``, which its parameters do not show.
    """
    content = read_checkpoint(path, model.device)
    check_data(content, dataset, path)
    wanted = type(model.conventional).__name__
    state = content.get("conventional", content)
    if content["config"]["model"] not in (wanted, type(model.deconfounded).__name__) or "state_dict" not in state:
        raise DecRSError(f"backbone_checkpoint: {path} holds a {content['config']['model']}, not a {wanted}")
    trained = content["config"]["group_features"]
    if isinstance(model.conventional, TwoSided) and trained != config["group_features"]:
        raise DecRSError(f"backbone_checkpoint: {path} was trained with group_features: {trained}; set it so here")
    if not _is_finished(state, content):
        raise DecRSError(
            f"backbone_checkpoint: {path} is of an unfinished training of {wanted}, or of an older version; train that "
            "to its end, or leave backbone_checkpoint out and this run trains it"
        )
    load_state(model.conventional, state, path)
    return state


def _is_finished(conventional: dict[str, Any], content: dict[str, Any]) -> bool:
    """Whether a conventional recommender was trained to its end: as it says, or since what comes after was begun."""
    return conventional.get("finished", False) or "deconfounded" in content or "drift_alpha" in content


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
        os.makedirs(config["checkpoint_dir"], exist_ok=True)
        self.saved_model_file = new_checkpoint_path(config)
        self.evaluator = DecRSEvaluator(config)
        self.trainers: dict[str, CheckpointMixin] = {}
        self.collected: dict[str, Any] = {}
        self.evaluations: dict[str, dict[str, float]] = {}
        self.drift_alpha: float | None = None
        self._resume_file: str | None = None
        self._claim: Claim | None = None

    def resume_checkpoint(self, resume_file: str) -> None:
        """Continue with :meth:`fit` from a checkpoint of this trainer: a finished half is not trained again.

        Raises:
            DecRSError: it cannot be read, or holds another model.
        """
        path = str(resume_file)
        with claimed_for_later(path) as self._claim:
            self._resume(path)

    def _resume(self, path: str) -> None:
        if not os.path.isfile(path) and os.path.isfile(last_path(path)):  # killed before the first validation
            content = {"config": read_checkpoint(last_path(path))["config"]}
        else:
            content = read_checkpoint(path, self.model.device)
        if content["config"]["model"] != self.config["model"]:
            raise DecRSError(f"{path} holds a {content['config']['model']}, not a {self.config['model']}")
        self._resume_file = self.saved_model_file = path
        if "conventional" in content and _is_finished(content["conventional"], content):
            load_state(self.model.conventional, content["conventional"], path)
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
        options = {"verbose": verbose, "saved": saved, "show_progress": show_progress, "callback_fn": callback_fn}
        with (self._claim or claim(self.saved_model_file)) if saved else nullcontext():
            return self._fit(train_data, valid_data, options)

    def _fit(self, train_data, valid_data, options: dict[str, Any]) -> tuple[float | None, dict[str, float] | None]:
        content = checkpoint_header(self.config, train_data._dataset)
        resumed = self._halves_begun(train_data._dataset) if self._resume_file else set()
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
            if options["saved"]:
                content[half] = trainer.load_best()
        score, result = self._weigh(train_data._dataset.confounder, valid_data, options["show_progress"])
        if options["saved"] and not (resumed and "drift_alpha" in read_checkpoint(self.saved_model_file)):
            write_checkpoint(self.saved_model_file, content | {"drift_alpha": self.drift_alpha})
        return score, result

    def _halves_begun(self, dataset) -> set[str]:
        """The halves of which the resumed checkpoint, or the last state beside it, holds a state."""
        halves: set[str] = set()
        for path in (self._resume_file, last_path(self._resume_file)):
            if os.path.isfile(path):
                content = read_checkpoint(path)
                check_data(content, dataset, path)
                halves |= content.keys() & set(HALVES)
        return halves

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
        rankings = {str(alpha): RANKINGS["fused"](weights[alpha]) for alpha in alphas if weights[alpha] is not None}
        inference = self.config["inference"]
        if inference != "fused":
            rankings[inference] = RANKINGS[inference](None)
        results = self._evaluate_rankings(valid_data, rankings, show_progress)
        scores = [results[str(alpha)][metric] for alpha in alphas if str(alpha) in results]
        best = int((np.argmax if bigger else np.argmin)(scores)) if scores else 0
        if len(alphas) > 1:
            listed = ", ".join(f"{alpha:g}: {score:.4f}" for alpha, score in zip(alphas, scores, strict=True))
            self.logger.info(f"drift_alpha: {alphas[best]:g} is best on validation ({metric} by alpha: {listed})")
        self.drift_alpha = alphas[best]
        self.model.set_weight(weights[self.drift_alpha])
        result = results[inference if inference != "fused" else str(alphas[best])]
        return result[metric], result

    def _evaluate_rankings(
        self, eval_data, rankings: dict[str, Ranking], show_progress: bool, reranked: bool = False
    ) -> dict[str, dict[str, float]]:
        """Metrics of several rankings made from the scores of both halves, which are computed once.

        A re-ranker is given a half's own scores, as if the half were alone: what Eq. 11 makes of scores that are no
        probabilities would be scaled once more.
        """
        self.model.eval()
        models, rerankers = list(self.model.halves), {}
        if reranked:
            rerankers["fused"] = Reranker(self.config, self.model)
            for kind, half in zip(HALVES, self.model.halves, strict=True):
                rerankers[kind] = Reranker(self.config, half.model)
                if not half.gives_own_scores:
                    rankings = {**rankings, kind: score_of_model(len(models))}
                    models.append(half.model)
        self.collected = collect_rankings(self.config, models, rankings, eval_data, show_progress, rerankers)
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
        rankings = {kind: RANKINGS[kind](self.model.weight) for kind in kinds}
        reranked = self.config["reranker"] is not None
        self.evaluations = self._evaluate_rankings(eval_data, rankings, show_progress, reranked)
        result = self.evaluations[self.config["inference"]]
        if "deconfounded" in self.trainers:
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


def load_fused(config, model: FusedRecommender, path: str, dataset, alpha: float | None = None) -> float | None:
    """Load both recommenders and their weights from a checkpoint, with another alpha if one is given; returns alpha.

    Raises:
        DecRSError: the checkpoint cannot be read, is unfinished, or was made for other data.
    """
    content = read_checkpoint(path, model.device)
    check_data(content, dataset, path)
    if "drift_alpha" not in content:
        raise DecRSError(
            f"the checkpoint {path} is of an unfinished training; train again, "
            "or go on by DecRSTrainer.resume_checkpoint"
        )
    if name := not_finite(content["confounder"]):
        raise DecRSError(f"the checkpoint {path} holds what is infinite or not a number in {name}; train again")
    with damage_in_words(path):
        confounder = decode_confounder(content["confounder"])
        same, fitting = same_groups(confounder, dataset.confounder), _same_shapes(confounder, dataset.confounder)
    if same and not fitting:
        raise DecRSError(f"the checkpoint {path} is damaged: its distributions are not those of its users; train again")
    if not same:
        raise DecRSError(f"the checkpoint {path} was made for other item groups; set group_field as it was then")
    for half in HALVES:
        load_state(getattr(model, half), content[half], path)
    alpha = content["drift_alpha"] if alpha is None else alpha
    model.set_weight(fusion_weights(config, confounder, alpha))
    return alpha


def _same_shapes(one, other) -> bool:
    return all(
        np.shape(getattr(one, field.name)) == np.shape(getattr(other, field.name))
        for field in dataclasses.fields(other)
    )


def same_groups(one, other) -> bool:
    """Whether two Confounders have the same groups of the same items."""
    return one.group_names == other.group_names and np.array_equal(one.membership, other.membership)
