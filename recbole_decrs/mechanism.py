"""Measures what M(d, u) does in a trained model: how much of the scores it carries, and what another d changes."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import torch
from recbole.utils import EvaluatorType

from recbole_decrs.causal import Confounder
from recbole_decrs.causal.history_before import recent_distribution
from recbole_decrs.checks import one_of, whole_number
from recbole_decrs.data.clicks import clicks_in_order_of_time
from recbole_decrs.errors import DecRSError
from recbole_decrs.evaluator.evaluator import DecRSEvaluator
from recbole_decrs.evaluator.rankings import score_of_model
from recbole_decrs.evaluator.registry import title_of
from recbole_decrs.evaluator.scoring import Scorer, collect_rankings
from recbole_decrs.model.other_distribution import in_place_of_d
from recbole_decrs.model.scale import OnScale
from recbole_decrs.randomness import start_anew
from recbole_decrs.saved_model import load_deconfounded
from recbole_decrs.serving.candidates import check_length
from recbole_decrs.tables import as_markdown
from recbole_decrs.training_state import forget_kept_embeddings

WITHOUT = "no M: zeros"
"""The name of the ranking in which M is left out."""


class Effect(NamedTuple):
    """Holds what a model does with another d in M, or without M, beside what it does as it ranks."""

    metrics: dict[str, float]
    """RecBole's metrics and C_KL of the deconfounded model alone."""
    share: float
    """The mean over users of Var(change of the logits) / Var(logits), both over the user's candidate items."""
    changed: float
    """The mean share of a user's top k that are other items."""


def measure_mechanism(
    model_file: str, part: str = "valid", k: int = 20, seed: int = 0, config_dict: dict[str, Any] | None = None
) -> dict[str, Effect]:
    """Measure what M does in the deconfounded recommender of a checkpoint, alone and not fused.

    In training M(d-bar, u) is a function of the user, so what is learned may have nothing to do with groups. Here d-bar
    is replaced by what else a user's d could be, and M by zeros; if lists hardly change, M does hardly anything.

    Args:
        model_file: a checkpoint of a deconfounded model, or the ``.pth`` of one among the pieces of a comparison.
        part: ``valid`` or ``test``, whose users are ranked for.
        k: length of the lists that are compared.
        seed: of the draw of other users.
        config_dict: settings over the saved ones, such as a new ``data_path``.

    Returns:
        The effects by what is in M: as it ranks first, then the user's own d_u, the later half of the history (where
        clicks have times), the uniform distribution, another user's d_u, and no M at all. With ``confounder_prior:
        learned`` M has no d that could be another: how the model ranks, and no M.

    Raises:
        DecRSError: the checkpoint cannot be read, or holds no model with d; or ``part`` or ``k`` is of no use.
    """
    one_of("valid", "test").require("part", part)
    for name, value, least in (("k", k, 1), ("seed", seed, 0)):
        whole_number(least).require(name, value)
    config, model, _, train_data, valid_data, test_data = load_deconfounded(model_file, config_dict)
    if config["eval_type"] == EvaluatorType.VALUE:
        raise DecRSError(
            f"mechanism compares ranked lists, and {model_file} is evaluated on labelled pairs; take a checkpoint of a "
            "run with metrics such as Recall"
        )
    loader = valid_data if part == "valid" else test_data
    if not loader:
        raise DecRSError(
            f"part: the split of {config['dataset']} leaves no {'validation' if part == 'valid' else 'test'} part; "
            f"take --part={'test' if part == 'valid' else 'valid'}"
        )
    check_length(k, train_data._dataset)
    half = OnScale(model, "logit")
    effects = {"as it ranks": Effect(_metrics(config, half, loader), 0.0, 0.0)}
    for name, d in _other_distributions(train_data._dataset, seed).items():
        with in_place_of_d(model, d):
            metrics = _metrics(config, half, loader)
        effects[name] = Effect(metrics, *_changes(config, half, loader, d, k))
    return effects


def _metrics(config, half: OnScale, loader) -> dict[str, float]:
    forget_kept_embeddings(half.model)
    start_anew(loader._dataset.config, loader)  # where candidates are sampled, all rank those that a run has ranked
    (struct,) = collect_rankings(config, [half], {"": score_of_model(0)}, loader).values()
    return DecRSEvaluator(config).evaluate(struct)


@torch.no_grad()
def _changes(config, half: OnScale, loader, d: np.ndarray | None, k: int) -> tuple[float, float]:
    """Compare the scores as it ranks with those under another d: ``share`` and ``changed`` of :class:`Effect`."""
    scorer, shares, stays = Scorer(config, loader), [], []
    for batch in loader:
        forget_kept_embeddings(half.model)
        before = scorer(half, batch)
        with in_place_of_d(half.model, d):
            forget_kept_embeddings(half.model)
            after = scorer(half, batch)
        candidate = torch.isfinite(before)
        shares.append(_variance(after - before, candidate) / _variance(before, candidate))
        top, others = (scores.topk(k).indices for scores in (before, after))
        stays.append((top.unsqueeze(2) == others.unsqueeze(1)).any(dim=2).double().mean(dim=1))
    return torch.cat(shares).nanmean().item(), 1 - torch.cat(stays).mean().item()


def _variance(values: torch.Tensor, counted: torch.Tensor) -> torch.Tensor:
    """Take the variance of each row over the places that count, shape [n rows]."""
    values, n = torch.where(counted, values, 0.0).double(), counted.sum(dim=1)
    mean = values.sum(dim=1) / n
    return torch.where(counted, (values - mean.unsqueeze(1)) ** 2, 0.0).sum(dim=1) / n


def _other_distributions(dataset, seed: int) -> dict[str, np.ndarray | None]:
    """List what is put in the place of d: [N], [n_users, N], or None for no M at all."""
    if dataset.config["confounder_prior"] == "learned":
        return {WITHOUT: None}
    confounder: Confounder = dataset.confounder
    known = np.flatnonzero(confounder.n_clicks)
    has_d = confounder.n_clicks[:, None] > 0
    own = np.where(has_d, confounder.user_distribution, confounder.prior)  # d-bar stays where a user has no d_u
    other = own.copy()
    other[known] = own[np.random.default_rng(seed).permutation(known)]
    found = {"d_u, the user's own": own}
    if dataset.click_order is not None:
        users, items, _ = clicks_in_order_of_time(dataset, "recent")
        about = confounder.sparse_membership, confounder.prior, dataset.user_num, dataset.config["confounder_smoothing"]
        found["the later half of the history"] = recent_distribution(users, items, *about)
    found["uniform"] = confounder.prior_for("uniform")
    return found | {"d_u of another user": other, WITHOUT: None}


def table_of_effects(effects: dict[str, Effect], k: int = 20) -> str:
    """Write the effects as a table."""
    names = list(next(iter(effects.values())).metrics)
    headers = ["in M", *map(title_of, names), "share of the scores' variance", f"top-{k} changed"]
    rows = [
        [name, *(f"{effect.metrics[metric]:.4f}" for metric in names), f"{effect.share:.2%}", f"{effect.changed:.1%}"]
        for name, effect in effects.items()
    ]
    return as_markdown(rows, headers)
