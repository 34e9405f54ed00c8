"""Makes a data frame of lists, with the dataset's own ids, titles and groups."""

from __future__ import annotations

import numpy as np
import pandas as pd

from recbole_decrs.causal import Confounder
from recbole_decrs.data.titles import read_titles
from recbole_decrs.evaluator.report import count_lists
from recbole_decrs.serving.ranking import Lists

BETWEEN_GROUPS = "|"


class ItemNames:
    """Names the items of a dataset: by token, by title and groups where it has them.

    Args:
        config: the configuration.
        part: a part of the dataset.
    """

    def __init__(self, config, part) -> None:
        self.columns = {"item_id": np.asarray(part.field2id_token[part.iid_field]).astype(object)}
        if (titles := read_titles(config, part)) is not None:
            self.columns["title"] = titles
        if part.confounder is not None:
            self.columns["groups"] = groups_of_items(part.confounder)


def groups_of_items(confounder: Confounder) -> np.ndarray:
    """Name the groups of each item in one text, shape [n_items]; the text is empty where an item has none."""
    names, q = confounder.group_names, confounder.sparse_membership
    texts = [
        BETWEEN_GROUPS.join(names[place] for place in sorted(q.indices[start:end]))
        for start, end in zip(q.indptr[:-1], q.indptr[1:], strict=True)
    ]
    return np.array(texts, dtype=object)


def frame_of_lists(lists: Lists, users: np.ndarray, items: ItemNames, weight: np.ndarray | None) -> pd.DataFrame:
    """Make a row for each user and rank.

    Args:
        lists: with user and item ids.
        users: the names of users by id.
        items: the names of items by id.
        weight: of the deconfounded scores by user id, shape [n_users]; None where nothing is fused.

    Returns:
        The columns user_id, list (where a sequential model has several of a user), rank (from 1), item_id, title,
        groups, a score of each recommender (``score`` where it is the only one), and weight. A user with fewer
        candidates than places has fewer rows.
    """
    n_lists, length = lists.items.shape
    of_row, places = np.repeat(lists.users, length), lists.items.ravel()
    columns = {"user_id": users[of_row], "rank": np.tile(np.arange(1, length + 1), n_lists)}
    columns |= {name: names[places] for name, names in items.columns.items()}
    alone = len(lists.scores) == 1
    columns |= {"score" if alone else f"score_{name}": scores.ravel() for name, scores in lists.scores.items()}
    if weight is not None:
        columns["weight"] = weight[of_row]
    frame = pd.DataFrame(columns)
    count_lists(frame, lists.users)
    listed = np.isfinite(next(iter(lists.scores.values()))).ravel()
    return frame if listed.all() else frame[listed].reset_index(drop=True)
