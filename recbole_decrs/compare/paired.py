"""Sets two methods against each other, user by user and seed by seed."""

from __future__ import annotations

import numpy as np

from recbole_decrs.compare.results import Results
from recbole_decrs.errors import DecRSError


def differences_by_user(
    results: Results, backbone: str, name: str, opponent: str, metric: str
) -> tuple[np.ndarray, np.ndarray]:
    """Subtract the opponent from a method.

    Args:
        results: the results of the comparison.
        backbone: the backbone of both.
        name, opponent: names of methods; the opponent may be a list as well.
        metric: such as ``recall@10``.

    Returns:
        The ids of the test users in ascending order, shape [n_users], and the differences, shape [n_seeds, n_users];
        both empty where the metric has no value per user.

    Raises:
        DecRSError: the two were measured on different users.
    """
    rows, users = [], np.empty(0, dtype=np.int64)
    for seed in results.seeds:
        other = results.lists.get(opponent) or results.outcomes[backbone, opponent, seed]
        ours, theirs = results.outcomes[backbone, name, seed].by_user, other.by_user
        if metric not in ours:
            return users, np.empty((0, 0))
        # Lists have the order of the first backbone, and the users of a sequential one may be in another.
        our_order, their_order = np.argsort(ours["users"]), np.argsort(theirs["users"])
        users = ours["users"][our_order]
        if not np.array_equal(users, theirs["users"][their_order]):
            raise DecRSError(
                f"output: {name} and {opponent} over {backbone} were measured on other users with seed {seed}; delete "
                f"the files {backbone}-{seed}-{name}-*.npz and {backbone}-{seed}-{opponent}-*.npz in pieces/, and give "
                "the command again, which measures anew"
            )
        rows.append(ours[metric][our_order] - theirs[metric][their_order])
    return users, np.array(rows)


def means_by_user(results: Results, backbone: str, name: str, metric: str) -> np.ndarray:
    """Take the mean over the seeds of each test user's value, in the order of their ids: shape [n_users]."""
    each = [outcome.by_user for outcome in results.all_seeds(backbone, name)]
    return np.mean([by_user[metric][np.argsort(by_user["users"])] for by_user in each], axis=0)
