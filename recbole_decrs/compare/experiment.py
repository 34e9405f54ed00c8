"""Measures the rankings of all methods over one backbone with one seed, each a piece."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from recbole.evaluator.collector import DataStruct

from recbole_decrs.causal import Confounder
from recbole_decrs.compare.data_cache import Data, DataCache
from recbole_decrs.compare.job import Job
from recbole_decrs.compare.method import SETTINGS, TAKES, Method, Settings
from recbole_decrs.compare.methods import METHODS
from recbole_decrs.compare.models import Model, Models
from recbole_decrs.compare.pieces import Pieces
from recbole_decrs.compare.ratings import curves_of_pairs, rated_pairs
from recbole_decrs.compare.reranking import curve_weights, reranked
from recbole_decrs.compare.results import Outcome
from recbole_decrs.compare.wanted import Configure, Tell
from recbole_decrs.compare.weights import check_weights
from recbole_decrs.errors import DecRSError
from recbole_decrs.evaluator.by_group import results_by_drift
from recbole_decrs.evaluator.evaluator import DecRSEvaluator
from recbole_decrs.evaluator.rankings import Ranking, fused_by, score_of_model
from recbole_decrs.evaluator.reranking import Candidates
from recbole_decrs.evaluator.scoring import collect_rankings
from recbole_decrs.evaluator.short_lists import count_short_lists
from recbole_decrs.model.scale import OnScale
from recbole_decrs.randomness import start_anew
from recbole_decrs.rerank import RERANKERS
from recbole_decrs.signatures import call


@dataclass
class Choice:
    """Holds the ranking of a method with the value that is best on validation."""

    chosen: Any
    valid_scores: dict[Any, float]
    test: DataStruct
    """The lists on test, as collected."""


class Experiment:
    """Trains and measures all methods over one backbone with one seed.

    Args:
        backbone: name of the conventional model.
        seed: the seed of the models.
        configure: makes the configuration of a model; see :data:`~recbole_decrs.compare.wanted.Configure`.
        pieces: where results are kept.
        cache: holds the data, which experiments share.
    """

    def __init__(self, backbone: str, seed: int, configure: Configure, pieces: Pieces, cache: DataCache) -> None:
        self.backbone, self.seed, self.pieces = backbone, seed, pieces
        self.models = Models(backbone, seed, configure, pieces, cache)
        self.config = self.models.config
        self.evaluator = DecRSEvaluator(self.config)
        self.metric = self.config["valid_metric"].lower()
        self._candidates: dict[str, DataStruct] = {}

    @property
    def data(self) -> Data:
        """Give the dataset and the loaders of the backbone."""
        return self.models.data_of(self.models.conventional)

    def jobs(self, methods: list[str]) -> Iterator[Job]:
        """Name everything to be trained and measured, in order; models that methods share come once.

        What is measured needs its models no more, so that they are not trained again where their checkpoints are gone.
        """
        measured = {name: self.outcome(name) for name in methods}
        models = {name: self._ranks_by(name) for name in methods}
        open_ones = {model.name for name in methods if not measured[name] for model in models[name]}
        listed = set()
        for name, outcome in measured.items():
            for model in models[name]:
                if model.name in listed:
                    continue
                listed.add(model.name)
                is_open = model.name in open_ones
                done = self.models.trained(model) if is_open else self.models.note(model)
                if done or is_open:
                    seconds, needed, wanted = done and done["seconds"], model is self.models.conventional, model.wanted
                    of_model = {"subject": wanted.model, "wanted": wanted, "seconds": seconds, "needed": needed}
                    yield Job("train", wanted.name, self.backbone, self.seed, **of_model)
            needs = tuple(f"train {model.name}" for model in models[name])
            seconds, needed = outcome and outcome.info["seconds"], METHODS[name].role == "backbone"
            of_method = {"subject": name, "needs": needs, "seconds": seconds, "needed": needed}
            yield Job("measure", f"{self.backbone}-{self.seed}-{name}", self.backbone, self.seed, **of_method)

    def make(self, job: Job, tell: Tell) -> float:
        """Make a piece of this experiment; returns the seconds it took.

        Raises:
            DecRSError: it cannot be made.
        """
        if job.wanted:
            return self.models.train(self.models.configured(job.wanted), tell)
        return self._measure(job.subject)

    def _ranks_by(self, name: str) -> list[Model]:
        """List the models that a method ranks by; that of the backbone comes first if it is one of them."""
        models = [model for _, model in self.models.of_method(name)]
        return [self.models.conventional, *models] if METHODS[name].ranks_by_backbone else models

    def outcome(self, name: str) -> Outcome | None:
        """Read what came of a method; None if it could not be measured."""
        return Outcome.of_piece(self.pieces.read(self.path(name)))

    def path(self, name: str) -> Path:
        """Give the file of what is measured of a method."""
        models = [self.models.conventional, *(model for _, model in self.models.of_method(name))]
        depends_on = {"method": name, "models": [self.models.depends_on(model) for model in models]}
        return self.pieces.path(f"{self.backbone}-{self.seed}-{name}", depends_on, "npz")

    def _measure(self, name: str) -> float:
        started, method = time.time(), METHODS[name]
        choice = self.choice_of(name)
        remark = method.remark(choice.chosen, self.data.part.confounder)
        SETTINGS.require(f"methods: what remark of {name} returns", remark)
        outcome = self.outcome_of(choice.test)
        info = {
            **outcome.info,
            "chosen": choice.chosen,
            "valid_scores": [[value, score] for value, score in choice.valid_scores.items()],
            **(self._curve(method) if method.reranker else {}),
            **remark,
            "threads": self._threads(name),
            "seconds": time.time() - started,
        }
        self.pieces.write(self.path(name), info, outcome.by_user)
        return info["seconds"]

    def choice_of(self, name: str) -> Choice:
        """Rank the test users by a method whose models are trained, with the value that is best on validation.

        Raises:
            DecRSError: none of its models could be trained, or one's own weights cannot be used.
        """
        method = METHODS[name]
        if method.reranker:
            return self._reranked(method)
        return self._fused(name, method) if method.weights else self.best_of(name)

    def _threads(self, name: str) -> list[int]:
        """Tell how many threads have computed a method: those of its trainings, and those that measure now."""
        notes = filter(None, map(self.models.note, self._ranks_by(name)))
        return sorted({torch.get_num_threads(), *(done["threads"] for done in notes)})

    def outcome_of(self, struct: DataStruct) -> Outcome:
        """Compute the metrics of lists that were collected on test: overall, by drift group, and per user."""
        by_drift = results_by_drift(self.evaluator, {"": struct}, self.config["drift_thresholds"])
        info = {
            "test": dict(self.evaluator.evaluate(struct)),
            "by_drift": [[threshold, group["users"], dict(group[""])] for threshold, group in by_drift.items()],
        }
        if n_short := count_short_lists(struct):
            info["short_lists"] = n_short
        users = {"users": struct.get("rec.users").numpy()}
        return Outcome(info, users | self.evaluator.evaluate_users(struct))

    def _collect(self, models: list, rankings: dict[Any, Ranking], eval_data, **options) -> dict[Any, DataStruct]:
        # Where candidates are sampled, all methods and seeds are to rank the same ones.
        start_anew(eval_data._dataset.config, eval_data)
        return collect_rankings(self.config, models, rankings, eval_data, **options)

    def _best(self, scores: dict[Any, float]) -> Any:
        return (max if self.config["valid_metric_bigger"] else min)(scores, key=scores.get)

    def best_of(self, name: str) -> Choice:
        """Rank by one model: the one of the method's grid that is best on validation.

        Raises:
            DecRSError: none of its models could be trained.
        """
        models = dict(self.models.of_method(name)) or {None: self.models.conventional}
        trained = {value: self.models.note(model) for value, model in models.items()}
        scores = {value: done["valid_score"] for value, done in trained.items() if done}
        if not scores:
            raise DecRSError(f"no model of {name} could be trained")
        best = self._best(scores)
        data = self.models.data_of(models[best])
        struct = self._collect([self.models.load(models[best])], {"": score_of_model(0)}, data.test)[""]
        return Choice(best, scores, struct)

    def _fused(self, name: str, method: Method) -> Choice:
        """Rank by Eq. 11, with the weights that are best on validation."""
        (_, second), *_ = self.models.of_method(name)
        data, to_choose_on = self.models.data_of(second), self.models.data_to_choose_on(second)
        scale = self.config["fusion_on"]
        halves = [OnScale(self.models.load(model), scale) for model in (self.models.conventional, second)]
        alphas = [float(alpha) for alpha in self.config["drift_alpha_grid"]]

        def rankings(confounder: Confounder) -> dict[Any, Ranking]:
            given = confounder, alphas, self.seed
            weights = call(f"weights of the method {method.title}", method.weights, TAKES["weights"], given)
            check_weights(name, weights, len(confounder.n_clicks))
            return {value: fused_by(torch.as_tensor(one, dtype=torch.float32)) for value, one in weights.items()}

        on_valid = rankings(to_choose_on.part.confounder)
        valid = self._collect(halves, on_valid, to_choose_on.valid)
        scores = {value: self.evaluator.evaluate(struct)[self.metric] for value, struct in valid.items()}
        best = self._best(scores)
        at_test = on_valid if to_choose_on is data else rankings(data.part.confounder)
        if best not in at_test:
            raise DecRSError(
                f"methods: the weights of {name} have other values with the drift of {self.config['drift_history']} "
                f"than with that of the training clicks, by which {best} is chosen; make the values not depend on it"
            )
        return Choice(best, scores, self._collect(halves, {best: at_test[best]}, data.test)[best])

    def _reranked(self, method: Method) -> Choice:
        """Rank the backbone's candidates by a re-ranker, with the weight that is best on validation."""
        scores = {
            weight: self.evaluator.evaluate(self._rerank("valid", method, weight))[self.metric]
            for weight in RERANKERS[method.reranker].grid
        }
        best = self._best(scores)
        return Choice(best, scores, self._rerank("test", method, best))

    def _curve(self, method: Method) -> Settings:
        """Give the metrics on test of a re-ranker with each weight, as what the outcome says beside its own."""
        weights = curve_weights(method.reranker)
        return {"curve": [[one, dict(self.evaluator.evaluate(self._rerank("test", method, one)))] for one in weights]}

    def _rerank(self, part: str, method: Method, weight: float) -> DataStruct:
        length, conventional = max(self.config["topk"]), self.models.conventional
        data = self.models.data_to_choose_on(conventional) if part == "valid" else self.data
        return reranked(method.reranker, self._candidates_of(part), data.part.confounder, weight, length)

    def _candidates_of(self, part: str) -> DataStruct:
        """Collect the candidates of the backbone, which all re-rankers share."""
        if part not in self._candidates:
            model = self.models.load(self.models.conventional)
            candidates = Candidates(self.config, model)
            length = min(candidates.n, self.data.part.item_num)

            def ranking(scores: torch.Tensor, users: torch.Tensor) -> torch.Tensor:
                candidates.look_at(scores)
                return scores

            struct = self._collect([model], {"": ranking}, getattr(self.data, part), length=length)[""]
            struct.set("rec.list_scores", candidates.scores(struct.get("rec.list_scores")))
            self._candidates[part] = struct
        return self._candidates[part]

    def forget_candidates(self) -> None:
        """Forget what re-rankers share, which is of all users: it is collected again where it is asked for."""
        self._candidates.clear()

    def test_users(self) -> DataStruct:
        """Collect what the evaluator needs of the test users, with lists that no model has made: items by their ids."""
        models = [_ById(self.data.part.item_num, self.config["device"])]
        return self._collect(models, {"": score_of_model(0)}, self.data.test)[""]

    def share_curves(self) -> pd.DataFrame | None:
        """Let the backbone score rated pairs, for Figure 1(b); the curves are kept as a piece. None without ratings."""
        part = self.data.part
        pairs = rated_pairs(self.config, part)
        if pairs is None:
            return None
        digest = hashlib.sha256(b"".join(pairs[column].to_numpy().tobytes() for column in pairs))
        depends_on = {"pairs": digest.hexdigest(), "model": self.models.depends_on(self.models.conventional)}
        path = self.pieces.path(f"{self.backbone}-{self.seed}-rated", depends_on, "npz")
        if (kept := self.pieces.read(path, "columns")) is None:
            curves = curves_of_pairs(pairs, part, self._scores)
            kept = {"columns": list(curves)}, {column: curves[column].to_numpy() for column in curves}
            self.pieces.write(path, *kept)
        return pd.DataFrame(kept[1], columns=kept[0]["columns"])

    def _scores(self, users: np.ndarray, items: np.ndarray) -> np.ndarray:
        part, model = self.data.part, self.models.load(self.models.conventional)
        scores = []
        for start in range(0, len(users), 1 << 15):
            rows = slice(start, start + (1 << 15))
            pairs = part.get_user_feature()[torch.as_tensor(users[rows])]
            pairs.update(part.get_item_feature()[torch.as_tensor(items[rows])])
            with torch.no_grad():
                scores.append(model.predict(pairs.to(self.config["device"])).flatten().cpu().numpy())
        return np.concatenate(scores) if scores else np.empty(0)


class _ById:
    """Scores each item by its id."""

    def __init__(self, n_items: int, device: torch.device) -> None:
        self.scores = torch.arange(n_items, dtype=torch.float32, device=device)

    def full_sort_predict(self, interaction) -> torch.Tensor:
        return self.scores.repeat(len(interaction))
