"""Parts the users into groups by their activity or by a column of the .user file, in which they are evaluated."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from recbole_decrs.data.atomic_files import AtomicFile, atomic_file
from recbole_decrs.data.clicks import Clicks
from recbole_decrs.data.group_field import check_one_row_an_id
from recbole_decrs.errors import DecRSError, did_you_mean

DRIFT, ACTIVITY = "drift", "activity"
"""The values of the key ``user_groups`` that are no column."""
MOST_GROUPS = 10
"""So many values of a column have a group each; the rest are together in one."""
NO_VALUE = "no value"
"""The group of users of whom the .user file says nothing."""
Groups = list[tuple[str, np.ndarray]]
"""Names of groups, and who is in each, shape [n_users]."""


@dataclass(frozen=True)
class UserGroups:
    """Holds groups of which each user is in exactly one."""

    title: str
    """What users are parted by, as the heading of a column of names."""
    names: tuple[str, ...]
    place: np.ndarray
    """The place of each user's group among the names, shape [n_users]; that of a user without a click means nothing."""

    @classmethod
    def of(cls, title: str, groups: Groups) -> UserGroups:
        """Make them from their names and who is in each."""
        place = np.argmax([members for _, members in groups], axis=0)
        return cls(title, tuple(name for name, _ in groups), place)

    def __iter__(self) -> Iterator[tuple[str, np.ndarray]]:
        """Give the name of each group, and who is in it, shape [n_users]."""
        return ((name, self.place == number) for number, name in enumerate(self.names))


def user_groups_of(dataset, clicks: list[Clicks]) -> UserGroups | None:
    """Part the users of a dataset as the key ``user_groups`` says.

    Users who have a row in the .user file and no click are not counted, as nobody evaluates them.

    Args:
        dataset: a RecBole Dataset.
        clicks: of its parts, of which the first is for training.

    Returns:
        None for ``drift``: its groups, the users above each threshold, have users in common.

    Raises:
        DecRSError: there is no such column, or it does not part the users.
    """
    by = dataset.config["user_groups"]
    if by == DRIFT:
        return None
    clicking = np.zeros(dataset.user_num, dtype=bool)
    clicking[np.concatenate([users for users, _ in clicks])] = True
    clicking[0] = False
    if by == ACTIVITY:
        return by_activity(clicks[0][0], clicking)
    path = os.path.join(dataset.dataset_path, f"{dataset.dataset_name}.user")
    if not os.path.isfile(path):
        raise DecRSError(
            f"user_groups: {by} is neither {DRIFT} nor {ACTIVITY}, and there is no file {path} to have such a column"
            f"{did_you_mean(by, (DRIFT, ACTIVITY)) or '; take one of the two'}"
        )
    user_field = dataset.uid_field
    return by_column(atomic_file(dataset.config, path), user_field, by, dataset.field2token_id[user_field], clicking)


def by_activity(users: np.ndarray, clicking: np.ndarray) -> UserGroups:
    """Part users into thirds by how many clicks they have; those with the same number are in the same group.

    Args:
        users: of the training clicks, shape [n_clicks]; 0 marks what is no click.
        clicking: who is parted, as all with a click in any part are, shape [n_users], False for the padding user 0.

    Example:
        >>> groups = by_activity(np.array([1, 2, 2, 3, 3, 3]), np.array([False, True, True, True]))
        >>> groups.title, groups.names, groups.place[1:].tolist()
        ('training clicks', ('1', '2', '3'), [0, 1, 2])
    """
    counts = np.bincount(users, minlength=len(clicking)).astype(np.float64)
    counts[~clicking] = np.nan
    return UserGroups.of("training clicks", thirds(counts))


def by_column(
    file: AtomicFile, user_field: str, column: str, user_ids: dict[str, int], clicking: np.ndarray
) -> UserGroups:
    """Part users by a column of the .user file, which the model need not load.

    Of a ``token`` column each value is a group, the one with most users first, of which the first
    :data:`MOST_GROUPS` stand by themselves; a ``float`` column is parted into thirds.

    Args:
        file: the .user file.
        user_field: its column of ids.
        column: by which users are parted.
        user_ids: id of each user token, the padding token at 0.
        clicking: who is parted, as all with a click in any part are, shape [n_users], False for the padding user 0.

    Raises:
        DecRSError: a column is missing, is of another type, or has no value for any of these users.
    """
    file.check_columns([user_field], "USER_ID_FIELD")
    if column not in file.columns or column == user_field:
        others = [name for name in file.columns if name != user_field]
        raise DecRSError(
            f"user_groups: {column} is no column of {file.path} that parts users; take {DRIFT}, {ACTIVITY}"
            f"{''.join(f', {name}' for name in others)}{did_you_mean(column, [DRIFT, ACTIVITY, *others])}"
        )
    kind = file.columns[column]
    if kind not in ("token", "float"):
        raise DecRSError(
            f"user_groups: column {column} of {file.path} is {kind}, and a user must have one value; take a column of "
            f"type token or float, {DRIFT} or {ACTIVITY}"
        )
    table = file.read([user_field, column])
    check_one_row_an_id(table, user_field, file.path, file.place)
    table = table.drop_duplicates(subset=[user_field], keep="first")
    ids = table[user_field].map(user_ids)
    known = ids.notna().to_numpy()
    values = pd.Series(np.nan, index=range(len(user_ids)), dtype=object)
    values.iloc[ids[known].to_numpy(dtype=np.int64)] = table.loc[known, column].to_numpy(dtype=object)
    values[~clicking] = np.nan
    if values.isna().all():
        raise DecRSError(
            f"user_groups: column {column} of {file.path} has no value for any user of the clicks; write ids in the "
            "same way in both, or take another column"
        )
    groups = thirds(values.to_numpy(dtype=np.float64)) if kind == "float" else largest_first(values)
    nothing = values.isna().to_numpy() & clicking
    if nothing.any():
        groups.append((_unlike(NO_VALUE, groups), nothing))
    return UserGroups.of(column, groups)


def thirds(values: np.ndarray) -> Groups:
    """Part users into three groups of about the same size, from low to high values; equal values stay together.

    The bounds are the least values that a third, and two thirds, of the users do not exceed. Groups without users are
    left out.

    Args:
        values: of the users, shape [n_users], at least one of which is a number; NaN where there is none.

    Example:
        >>> [(name, members.tolist()) for name, members in thirds(np.array([5.0, 1.0, 5.0, np.nan]))]
        [('1', [False, True, False, False]), ('5', [True, False, True, False])]
    """
    known = np.isfinite(values)
    bounds = np.unique(np.quantile(values[known], [1 / 3, 2 / 3], method="inverted_cdf"))
    place = np.where(known, np.searchsorted(bounds, values), -1)
    groups = []
    for number in np.unique(place[known]):
        members = place == number
        ends = dict.fromkeys(f"{end:.10g}" for end in (values[members].min(), values[members].max()))
        groups.append((" to ".join(ends), members))
    return groups


def largest_first(values: pd.Series) -> Groups:
    """Make a group of each value, the one with most users first; those beyond :data:`MOST_GROUPS` share the last.

    Args:
        values: texts of the users, shape [n_users]; NaN where there is none.

    Example:
        >>> [(name, members.tolist()) for name, members in largest_first(pd.Series(["b", "a", "a"]))]
        [('a', [False, True, True]), ('b', [True, False, False])]
    """
    counts = values.value_counts()
    in_order = sorted(counts.index, key=lambda value: (-counts[value], value))
    kept, rest = in_order[:MOST_GROUPS], in_order[MOST_GROUPS:]
    groups = [(str(value), (values == value).to_numpy()) for value in kept]
    if rest:
        groups.append((_unlike(f"other ({len(rest)} values)", groups), values.isin(rest).to_numpy()))
    return groups


def _unlike(name: str, groups: Groups) -> str:
    """Mark a name that is a value of the column as well."""
    return f"{name} *" if name in dict(groups) else name
