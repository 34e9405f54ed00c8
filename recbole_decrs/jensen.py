"""Measures the Jensen gap of a trained model: what the approximation of Eq. 6 costs, in scores and in lists."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from recbole.data.interaction import Interaction
from recbole.utils import ModelType, set_color

from recbole_decrs.causal.jensen_gap import JensenGap, expected_scores, jensen_gap
from recbole_decrs.checks import whole_number
from recbole_decrs.console import Bar, shows_bars
from recbole_decrs.data.demands import check_pairs_have_all_features
from recbole_decrs.errors import DecRSError
from recbole_decrs.finite import check_scores
from recbole_decrs.model.other_distribution import in_place_of_d
from recbole_decrs.model.scale import OnScale
from recbole_decrs.saved_model import load_deconfounded
from recbole_decrs.tables import as_markdown
from recbole_decrs.training_state import forget_kept_embeddings


def measure_jensen_gap(
    model_file: str, n_users: int = 100, seed: int = 0, k: int = 20, config_dict: dict[str, Any] | None = None
) -> dict[str, JensenGap]:
    """Measure the error of Eq. 6 in the deconfounded recommender of a checkpoint.

    The expectation runs over the distributions d_u of all users, weighted by P(d_u), for a sample of users and all
    items that they have not clicked in training; it is compared with the scores at the d-bar that the model has
    (``confounder_prior``). That takes one full sort for each distinct distribution. A sequential model scores the last
    sequence that each user has in the test part, and all items, as RecBole ranks them for it.

    Args:
        model_file: a checkpoint of a deconfounded model, or the ``.pth`` of one among the pieces of a comparison.
        n_users: how many users are drawn.
        seed: of the draw.
        k: length of the lists that are compared.
        config_dict: settings over the saved ones, such as a new ``data_path``.

    Returns:
        the gap of the ``logit`` and of the ``probability``. Scores of a model without log loss, such as DecBPR, are
        taken for logits, and of one with a softmax over all items, such as DecSASRec, for logits of that softmax.

    Raises:
        DecRSError: the checkpoint cannot be read, or holds no model with d-bar; or a number is none that can be used.
    """
    for name, value, least in (("n_users", n_users, 1), ("seed", seed, 0), ("k", k, 1)):
        whole_number(least).require(name, value)
    config, model, _, train_data, _, test_data = load_deconfounded(model_file, config_dict)
    if config["confounder_prior"] in ("user", "learned", "recent"):
        raise DecRSError(
            f"confounder_prior: {config['confounder_prior']} takes no expectation over distributions; measure a model "
            "with interaction, item or uniform"
        )
    part = train_data._dataset
    check_pairs_have_all_features(part, "jensen-gap")
    confounder = part.confounder
    known = np.flatnonzero(confounder.n_clicks)
    sequences = _last_sequences(test_data) if config["MODEL_TYPE"] == ModelType.SEQUENTIAL else None
    drawn_from = known if sequences is None else np.intersect1d(known, sequences[part.uid_field].numpy())
    users = np.sort(np.random.default_rng(seed).choice(drawn_from, min(n_users, len(drawn_from)), replace=False))
    if sequences is None:
        asked = Interaction({part.uid_field: torch.as_tensor(users)})
    else:
        asked = sequences[np.searchsorted(sequences[part.uid_field].numpy(), users)]
    asked = asked.to(model.device)
    half = OnScale(model, "logit")
    distributions = confounder.distribution_of(known)
    bar = Bar(
        total=len(np.unique(distributions, axis=0)) + 1,
        ncols=100,
        desc=set_color("Distributions", "pink"),
        disable=not shows_bars(config),
    )

    def scores_under(distribution: np.ndarray) -> torch.Tensor:
        with in_place_of_d(model, distribution):
            forget_kept_embeddings(model)
            logits = _of_all_items(half, asked, part)
        check_scores(logits.abs(), config["model"])
        bar.update()
        return torch.stack([logits, half.of_all_items.probabilities_of(logits)])

    with torch.no_grad(), bar:
        expected = expected_scores(scores_under, distributions, confounder.n_clicks[known] / confounder.n_clicks.sum())
        at_prior = scores_under(confounder.prior_for(config["confounder_prior"]))
    if sequences is None:
        candidates = torch.as_tensor(part.inter_matrix(form="csr")[users].toarray() == 0)
    else:
        candidates = torch.ones(len(users), part.item_num, dtype=torch.bool)
    candidates[:, 0] = False
    return {
        scale: jensen_gap(expected[number], at_prior[number], candidates, k)
        for number, scale in enumerate(("logit", "probability"))
    }


def _last_sequences(loader) -> Interaction:
    """Find the last sequence that each user has in the part of a loader, in the order of users."""
    part = loader._dataset
    of_users = part.inter_feat[part.uid_field].numpy()
    from_the_end = np.unique(of_users[::-1], return_index=True)[1]
    return loader.transform(part, part.inter_feat[len(of_users) - 1 - from_the_end])


def _of_all_items(half: OnScale, users: Interaction, part) -> torch.Tensor:
    """Score every item, shape [n users, n_items]; by pairs where the model has no full sort."""
    try:
        return half.full_sort_predict(users)
    except NotImplementedError:
        items = torch.arange(part.item_num, device=half.model.device)
        asked = users[part.uid_field]
        columns = {part.uid_field: asked.repeat_interleave(len(items)), part.iid_field: items.repeat(len(asked))}
        return half.predict(Interaction(columns)).view(len(asked), -1)


def table_of_gaps(gaps: dict[str, JensenGap]) -> str:
    """Write the gaps as a table."""
    first = next(iter(gaps.values()))
    shares = list(first.quantiles)
    headers = ["score", "mean gap", *(f"abs gap, {share:.0%}" for share in shares), "mean abs gap of spread"]
    headers += [f"top-{first.k} changed", "items changed"]
    rows = [
        [
            scale,
            f"{gap.mean:+.2e}",
            *(f"{gap.quantiles[share]:.2e}" for share in shares),
            f"{gap.relative:.2%}",
            f"{gap.changed_lists:.1%} of users",
            f"{gap.changed_items:.2f}",
        ]
        for scale, gap in gaps.items()
    ]
    return as_markdown(rows, headers)
