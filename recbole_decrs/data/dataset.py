"""Hooks on to RecBole's Dataset classes, so that they hand out a Confounder after the split."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from recbole.data import dataset as recbole_datasets

from recbole_decrs.data.clicks import Clicks, clicks_of, count_clicks_of_the_unknown
from recbole_decrs.data.demands import check_features_for_full_sort, check_samples
from recbole_decrs.data.estimation import estimate
from recbole_decrs.data.fingerprint import fingerprint_of
from recbole_decrs.data.labels import leave_out_label_0_of_parts
from recbole_decrs.data.loading import CheckedFilesMixin
from recbole_decrs.data.processing import CountedLossesMixin
from recbole_decrs.data.splitting import SplitMixin
from recbole_decrs.data.time_order import add_click_order, settled_order, take_click_order, with_order
from recbole_decrs.data.user_groups import user_groups_of
from recbole_decrs.errors import DecRSError, did_you_mean


class ConfounderMixin(CheckedFilesMixin, CountedLossesMixin, SplitMixin):
    """Adds to a RecBole Dataset what DecRS needs of it; nothing it does for other models changes.

    Beside those of its bases it goes over these methods of RecBole's:

    - ``build``, to split in the order of float64 time, and to estimate the Confounder of the training part;
    - ``token2id``, which raises a bare ValueError at a token that is not there, and knows ``[PAD]``.

    Attributes, set by :meth:`build` on the dataset and on each part of it:
        confounder: estimated from the training part; None where no ``group_field`` is set and none is needed.
        user_groups: the groups of users that are evaluated by themselves; None where they are those by drift.
        fingerprint: a hash of the ids, groups and training clicks, by which a checkpoint knows its data.
        training_part: the part of the dataset that models are trained on.
        trained_on: of the training part in a run, a hash of all rows in their order, by which a training goes on.

    And on each part alone:
        clicks: the users and items of its clicks.
        click_order: the places of these in the order of time of the clicks of all parts; None where they have no time.
    """

    trained_on: str | None = None

    def token2id(self, field: str, tokens: str | Sequence[str]) -> int | np.ndarray:
        """Look up the ids of a token, or of several, as RecBole does.

        Raises:
            DecRSError: there is no such token, or it is RecBole's padding, which is nobody.
        """
        if isinstance(tokens, str) and not self.field2token_id[field].get(tokens):
            known = [token for token, number in self.field2token_id[field].items() if number]
            raise DecRSError(
                f"{field}: {self.dataset_name} has no {tokens!r} left after its filters"
                + (did_you_mean(tokens, known) or f"; take a {field} of its files")
            )
        return super().token2id(field, tokens)

    def settle_order(self) -> None:
        """Settle the order in which clicks are split, which depends on whether they have times.

        Where it is not that of the configuration, ``config`` of the dataset becomes a copy with the other order.

        Raises:
            DecRSError: the user asks for an order that the clicks do not have.
        """
        self.config = with_order(self.config, settled_order(self))

    def build(self) -> list:
        """Split as RecBole does, but by float64 time, and estimate the Confounder of the training part.

        Raises:
            DecRSError: the groups or the time that the configuration needs are not in the data.
        """
        has_time = self.time_field in self.inter_feat
        self.settle_order()
        check_samples(self)
        parts, clicks, orders = self._split(has_time)
        check_features_for_full_sort(self)
        count_clicks_of_the_unknown(self, clicks)

        confounder = estimate(self, clicks, orders if has_time else None)
        fingerprint, user_groups = fingerprint_of(self, clicks), user_groups_of(self, clicks)
        for part in [self, *parts]:
            part.confounder, part.fingerprint, part.training_part = confounder, fingerprint, parts[0]
            part.user_groups = user_groups
        for part, clicks_of_part, order in zip(parts, clicks, orders, strict=True):
            part.clicks, part.click_order = clicks_of_part, order if has_time else None
        return parts

    def _split(self, has_time: bool) -> tuple[list, list[Clicks], list[np.ndarray]]:
        """Split histories as RecBole, in the order of float64 time: the parts, and the clicks and order of each."""
        add_click_order(self, has_time)
        parts = super().build()
        leave_out_label_0_of_parts(parts)
        orders = take_click_order(self, parts)
        return parts, [clicks_of(part) for part in parts], orders

    def item_clicks(self) -> np.ndarray:
        """Count how often each item is clicked in this part, shape [n_items]."""
        users, items = clicks_of(self)
        return np.bincount(items[users > 0], minlength=self.item_num)


class DecRSDataset(ConfounderMixin, recbole_datasets.Dataset):
    """Gives RecBole's Dataset a Confounder."""


class DecRSKnowledgeBasedDataset(ConfounderMixin, recbole_datasets.KnowledgeBasedDataset):
    """Gives RecBole's KnowledgeBasedDataset a Confounder, and counts the clicks that it leaves out as well.

    It goes over ``_filter_link``, which leaves out clicks on items without an entity in silence.
    """

    def _filter_link(self) -> None:
        n_clicks = len(self.inter_feat)
        super()._filter_link()
        if self.inter_feat.empty:
            raise DecRSError(
                f"no item of {self.dataset_name}.inter has an entity of {self.dataset_name}.kg by "
                f"{self.dataset_name}.link; write ids in the same way in all three"
            )
        if without := n_clicks - len(self.inter_feat):
            self.logger.warning(
                f"{without} of {n_clicks} clicks are on items without an entity in {self.dataset_name}.link: they are "
                "left out, as RecBole's knowledge-based models need one"
            )
