"""Finds rated pairs outside training, and averages their scores by rating and share, for Figure 1(b) of the paper."""

from __future__ import annotations

import os
from collections.abc import Callable

import numpy as np
import pandas as pd

from recbole_decrs.causal import Confounder
from recbole_decrs.causal.history import has_group
from recbole_decrs.causal.parts import in_parts
from recbole_decrs.data.atomic_files import atomic_file

MOST_RATINGS = 10


def curves_of_pairs(pairs: pd.DataFrame, part, score: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> pd.DataFrame:
    """Score the pairs of :func:`rated_pairs`, and average the scores as :func:`share_curves` does.

    Args:
        pairs: columns user, item (ids) and rating.
        part: the training part of the dataset.
        score: gives the scores of users and items (ids), shape [n] each -> [n].
    """
    users, items = (pairs[column].to_numpy(copy=True) for column in ("user", "item"))  # torch must be able to write
    shares = _shares_in_history(part.confounder, users, items)
    return share_curves(pairs["rating"].to_numpy(), shares, score(users, items))


def _shares_in_history(confounder: Confounder, users: np.ndarray, items: np.ndarray) -> np.ndarray:
    """Sum q^i_g d_u(g) over the groups g for each pair, some pairs at a time."""
    q, d = confounder.sparse_membership, confounder.sparse_user_distribution
    shares = [q[items[rows]].multiply(d[users[rows]]).sum(axis=1) for rows in in_parts(len(users), q.shape[1])]
    return np.concatenate([np.empty(0), *(np.asarray(of_pairs).ravel() for of_pairs in shares)])


def rated_pairs(config, part) -> pd.DataFrame | None:
    """Read users, items and ratings of the .inter file, without the pairs that the models are trained on.

    Ratings that ``val_interval`` keeps out of the clicks are among them. With ``benchmark_filename`` and no whole
    .inter file, the files of validation and test are read.

    Items without a group, and users without d_u, are left out.

    Args:
        config: the configuration.
        part: the training part of the dataset.

    Returns:
        Columns user, item (ids) and rating; None where the data has no ratings.
    """
    folder, name = config["data_path"], config["dataset"]
    files = [os.path.join(folder, f"{name}.inter")]
    if not os.path.isfile(files[0]):
        files = [os.path.join(folder, f"{name}.{ending}.inter") for ending in (config["benchmark_filename"] or [])[1:]]
    fields = [part.uid_field, part.iid_field, config["RATING_FIELD"]]
    tables = []
    for file in files:
        read = atomic_file(config, file)
        if read.columns.get(config["RATING_FIELD"]) != "float":
            return None
        tables.append(read.read(fields)[fields].set_axis(["user", "item", "rating"], axis=1))
    if not tables:
        return None
    pairs = pd.concat(tables, ignore_index=True)
    for column, field in (("user", part.uid_field), ("item", part.iid_field)):
        pairs[column] = pairs[column].map(part.field2token_id[field])
    pairs = pairs.dropna().astype({"user": np.int64, "item": np.int64}).drop_duplicates(["user", "item"])
    trained = part.inter_feat[part.uid_field].numpy() * part.item_num + part.inter_feat[part.iid_field].numpy()
    kept = ~np.isin(pairs["user"] * part.item_num + pairs["item"], trained)
    kept &= has_group(part.confounder.sparse_membership)[pairs["item"]]
    kept &= (part.confounder.n_clicks > 0)[pairs["user"]]
    return pairs[kept].reset_index(drop=True) if kept.any() else None


def share_curves(ratings: np.ndarray, shares: np.ndarray, scores: np.ndarray, n_bins: int = 5) -> pd.DataFrame:
    """Compute the mean score by the share of an item's groups in its user's history, among items of equal rating.

    ``error`` is the standard error of the mean, as if the pairs were drawn one by one; NaN of a single pair.

    Args:
        ratings, shares, scores: of rated pairs, shape [n] each; shares are sum over groups g of q^i_g d_u(g). More
            than ten different ratings are put into bins, too.
        n_bins: the number of bins, of as many pairs each.
    """
    if len(np.unique(ratings)) > MOST_RATINGS:
        levels = _quantile_bins(ratings, n_bins)
        ratings = pd.Series(ratings).groupby(levels).transform("mean").to_numpy()
    bins = _quantile_bins(shares, n_bins)
    frame = pd.DataFrame({"rating": ratings, "bin": bins, "share": shares, "score": scores})
    grouped = frame.groupby(["rating", "bin"]).agg(
        pairs=("score", "size"), share=("share", "mean"), score=("score", "mean"), error=("score", "sem")
    )
    return grouped.reset_index().drop(columns="bin")


def _quantile_bins(values: np.ndarray, n_bins: int) -> np.ndarray:
    edges = np.unique(np.quantile(values, np.linspace(0, 1, n_bins + 1)))
    return np.clip(np.searchsorted(edges, values, side="right") - 1, 0, max(len(edges) - 2, 0))
