"""Recommends items by the model of a checkpoint."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from logging import getLogger
from typing import Any

import numpy as np
import pandas as pd

from recbole_decrs.checks import one_of, whole_number
from recbole_decrs.data.demands import check_pairs_have_all_features
from recbole_decrs.errors import DecRSError
from recbole_decrs.evaluator.recommenders import recommenders_in
from recbole_decrs.evaluator.scoring import Scorer
from recbole_decrs.log import quiet_libraries
from recbole_decrs.model import FusedRecommender
from recbole_decrs.randomness import at_seed
from recbole_decrs.saved_model import load_data_and_model
from recbole_decrs.serving.batches import EXCLUDE, KnownUsers, batches_of_new_users, step_of
from recbole_decrs.serving.candidates import check_length, chosen_items
from recbole_decrs.serving.frame import ItemNames, frame_of_lists
from recbole_decrs.serving.new_clicks import check_reading, read_new_clicks
from recbole_decrs.serving.new_users import standing_in
from recbole_decrs.serving.ranking import Lists, rank


class Recommender:
    """Holds the model of a checkpoint with its data, to be asked for lists many times.

    Args:
        checkpoint: written by this plugin, of any model.
        config_dict: settings over the saved ones, such as a new ``data_path`` or another ``drift_alpha``.

    Raises:
        DecRSError: the checkpoint cannot be read, or was made for other data.
    """

    def __init__(self, checkpoint: str | os.PathLike, config_dict: dict[str, Any] | None = None) -> None:
        loaded = load_data_and_model(checkpoint, config_dict)
        self.config, self.model, self.dataset, train, valid, test = loaded
        self.model.eval()
        self.part = train._dataset
        check_pairs_have_all_features(self.part, "recommend")
        self.known = KnownUsers(train, valid, test)
        self.names = ItemNames(self.config, self.part)
        self.scorer = Scorer(self.config, test, full_sort=True)
        self.step = step_of(self.config, test)

    def recommend(
        self,
        users: Iterable[object] | None = None,
        k: int = 20,
        exclude: str = "history",
        items: Iterable[object] | None = None,
        groups: Iterable[str] | None = None,
        clicks: Any = None,
        seed: int = 0,
        **reading: str,
    ) -> pd.DataFrame:
        """Rank items for users that the model was trained on, or for new ones.

        Args:
            users: ids of the dataset's own; None for all.
            k: length of the lists.
            exclude: ``history`` leaves out the items that the test leaves out, so that the lists are those of
                ``save_topk``: the user's training and validation items, and none of a sequential model; ``clicked``
                leaves out all that the user has clicked in the data; ``none`` leaves out nothing. Of new users both of
                the first leave out their clicks.
            items, groups: choose among these items, and among those of these groups.
            clicks: a table or a file of clicks of users that the model has never seen, who are ranked for in place of
                known ones; see :func:`~recbole_decrs.serving.new_clicks.read_new_clicks`.
            seed: of the draw of negatives by which new users are folded in.
            reading: how clicks are read, such as ``user="customer"`` or ``time_format="%d.%m.%Y"``.

        Returns:
            A row for each user and rank; see :func:`~recbole_decrs.serving.frame.frame_of_lists`.

        Raises:
            DecRSError: there is no such user, item or group, or the model cannot rank for new users.
        """
        whole_number(1).require("k", k)
        one_of(*EXCLUDE).require("exclude", exclude)
        whole_number(0).require("seed", seed)
        for name, value in (("items", items), ("groups", groups)):
            if value is not None and not _is_list(value):
                raise DecRSError(f"{name} must be a list, such as [{value!r}], not {value!r}")
        check_reading(reading, ("users", "k", "exclude", "items", "groups", "clicks", "seed", "config_dict"))
        if reading and clicks is None:
            raise DecRSError(
                f"{next(iter(reading))} says how clicks of new users are read, and there are none; give them"
            )
        users = list(users) if isinstance(users, Iterator) else users
        chosen = chosen_items(self.part, items, groups)
        check_length(k, self.part)
        at_seed(self.config)
        with quiet_libraries():
            if clicks is None:
                ids = self.known.ids(users if users is None or _is_list(users) else [users])
                batches = self.known.batches(ids, exclude, self.step)
                lists = self._rank(batches, k, chosen, self.part.confounder)
                return self._frame(lists, self.dataset.field2id_token[self.dataset.uid_field])
            if users is not None:
                raise DecRSError("users are known to the model and clicks are of new ones; leave one of the two out")
            new = read_new_clicks(clicks, self.part, **reading)
            with standing_in(self.config, self.model, self.part, new, seed) as confounder:
                by_id = isinstance(self.model, FusedRecommender)
                batches = batches_of_new_users(self.config, new, exclude, self.step, by_id)
                try:
                    lists = self._rank(batches, k, chosen, confounder)
                except KeyError as error:
                    if not self.known.is_sequential:  # which may ask for a field that an interaction does not have
                        raise
                    raise DecRSError(
                        f"{self.config['model']} scores a user by {error.args[0]} too, which new users do not bring; "
                        "take a model that ranks by the sequence of items alone, such as SASRec"
                    ) from error
                return self._frame(lists, new.tokens)

    def _rank(self, batches, k: int, chosen, confounder) -> Lists:
        """Rank as the test does, whose lists may be longer: equal scores may come in another order in shorter ones."""
        longest = max(k, *self.config["topk"], self.config["save_topk"] or 0)
        lists = rank(recommenders_in(self.config, self.model), self.scorer, batches, longest, chosen, confounder)
        scores = {name: scores[:, :k] for name, scores in lists.scores.items()}
        return Lists(lists.users, lists.items[:, :k], scores)

    def _frame(self, lists: Lists, users: np.ndarray) -> pd.DataFrame:
        has_none = ~np.isfinite(lists.scores[next(iter(lists.scores))]).any(axis=1)
        if has_none.any():
            getLogger().warning(
                f"{int(has_none.sum())} of {len(has_none)} lists have no item, such as that of "
                f"{users[lists.users[has_none][0]]}: exclude, items and groups leave nothing to choose from"
            )
        weight = self.model.weight if isinstance(self.model, FusedRecommender) else None
        return frame_of_lists(lists, users, self.names, None if weight is None else weight.cpu().numpy())


def recommend(
    checkpoint: str | os.PathLike,
    users: Iterable[object] | None = None,
    k: int = 20,
    exclude: str = "history",
    items: Iterable[object] | None = None,
    groups: Iterable[str] | None = None,
    clicks: Any = None,
    seed: int = 0,
    config_dict: dict[str, Any] | None = None,
    **reading: str,
) -> pd.DataFrame:
    """Load a checkpoint and recommend once; :class:`Recommender` loads it once for many questions.

    Args:
        checkpoint, config_dict: as of :class:`Recommender`.
        users, k, exclude, items, groups, clicks, seed, reading: as of :meth:`Recommender.recommend`.

    Returns:
        A row for each user and rank; see :func:`~recbole_decrs.serving.frame.frame_of_lists`.

    Raises:
        DecRSError: the checkpoint cannot be read, or the question has no answer.
    """
    return Recommender(checkpoint, config_dict).recommend(users, k, exclude, items, groups, clicks, seed, **reading)


def _is_list(value: object) -> bool:
    return isinstance(value, Iterable) and not isinstance(value, str | bytes) and np.ndim(value) > 0
