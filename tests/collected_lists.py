"""Makes what is collected of lists at random: short ones, users with several, items and users without groups."""

import numpy as np
import torch
from recbole.evaluator.collector import DataStruct

from confounders import confounder_of


def shares(rng, n_rows, n_groups):
    """Distributions with many zeros; the first and some other rows are 0."""
    weights = rng.random((n_rows, n_groups)) * (rng.random((n_rows, n_groups)) < 0.4)
    weights[0] = 0
    sums = weights.sum(axis=1, keepdims=True)
    return np.divide(weights, sums, out=np.zeros_like(weights), where=sums > 0)


def collected_of(seed, n_users=12, n_items=9, n_groups=4):
    rng = np.random.default_rng(seed)
    struct = DataStruct()
    struct.set("data.confounder", confounder_of(shares(rng, n_items, n_groups), shares(rng, n_users, n_groups)))
    struct.set("data.user_drift", rng.random(n_users) * 4)
    struct.set("data.num_items", n_items)
    users = np.sort(rng.integers(1, n_users, size=n_users))  # a sequential model makes a user several lists
    lists = np.stack([rng.permutation(np.arange(1, n_items))[:5] for _ in users])
    length = rng.integers(0, 6, size=(len(users), 1))
    hits = rng.integers(0, 2, size=lists.shape)
    struct.set("rec.users", torch.from_numpy(users))
    struct.set("rec.items", torch.from_numpy(lists))
    struct.set("rec.ranked", torch.from_numpy(np.arange(5) < length))
    struct.set("rec.topk", torch.from_numpy(np.column_stack([hits, hits.sum(axis=1) + 1])))
    return struct
