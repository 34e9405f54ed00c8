"""Measures one trained recommender on validation by every setting that needs no training of its own."""

from __future__ import annotations

import json
from typing import Any

from recbole_decrs.evaluator.reranking import Reranker
from recbole_decrs.quick_start import Run
from recbole_decrs.randomness import restore_random_state
from recbole_decrs.single_trainer import SingleTrainer
from recbole_decrs.trainer import DecRSTrainer


def ranked_by(config, run: Run) -> tuple[DecRSTrainer | SingleTrainer, float]:
    """Rank by a configuration with the parameters of a trained model, and measure that on validation as a run does.

    Args:
        config: as that of the training, but for keys that change none.
        run: its trainer has been fitted, or its model loaded.

    Returns:
        what evaluates by that configuration, and the score.
    """
    trainer, valid, metric = run.trainer, run.data.valid, config["valid_metric"].lower()
    if isinstance(trainer, SingleTrainer):
        trainer.reranker = Reranker(config, trainer.model) if config["reranker"] else None
        if trainer.reranker is None:
            return trainer, trainer.best_valid_score
        return trainer, trainer.evaluate(valid, load_best_model=False)[metric]
    trainer.model.rank_by(config)
    judge = DecRSTrainer(config, trainer.model)
    judge.saved_model_file = trainer.saved_model_file
    score, _ = judge.weigh(run.data.part.confounder, valid)
    if config["reranker"]:
        score = judge.evaluate(valid, load_best_model=False)[metric]
    return judge, score


def scores_of(settings: list[dict[str, Any]], run: Run, random_state: dict[str, Any]) -> list[float]:
    """Measure a trained model by many settings.

    Args:
        settings: of keys that need no training.
        run: its trainer has been fitted.
        random_state: of the random generators at the end of the training, where a run measures, too.

    Returns:
        the score of each setting; those that differ in alpha alone are measured in one pass over the users.
    """
    scores: dict[int, float] = {}
    for others, places in _but_for_alpha(settings).items():
        config = run.config.with_values(**json.loads(others))
        alphas = [settings[place].get("drift_alpha", config["drift_alpha"]) for place in places]
        if not config.needs_drift:  # and so no alpha
            score = _score(config, run, random_state)
            scores |= dict.fromkeys(places, score)
        elif config["reranker"] or len(places) == 1 or "auto" in alphas:
            for place, alpha in zip(places, alphas, strict=True):
                scores[place] = _score(config.with_values(drift_alpha=alpha), run, random_state)
        else:
            restore_random_state(random_state)
            judge, _ = ranked_by(config.with_values(drift_alpha="auto", drift_alpha_grid=alphas), run)
            scores |= {place: score for place, (_, score) in zip(places, judge.alpha_scores, strict=True)}
    return [float(scores[place]) for place in range(len(settings))]


def _but_for_alpha(settings: list[dict[str, Any]]) -> dict[str, list[int]]:
    """Group the places of settings that differ in alpha alone, by the text of the others."""
    groups: dict[str, list[int]] = {}
    for place, setting in enumerate(settings):
        others = {key: value for key, value in setting.items() if key != "drift_alpha"}
        groups.setdefault(json.dumps(others), []).append(place)
    return groups


def _score(config, run: Run, random_state: dict[str, Any]) -> float:
    restore_random_state(random_state)
    return ranked_by(config, run)[1]
