"""Splits FM-like models into two sides, so that they train by ids and sort in closed form, as ``forward`` would."""

from __future__ import annotations

import torch
from recbole.data.interaction import Interaction
from recbole.model.abstract_recommender import ContextRecommender
from recbole.utils import FeatureSource

from recbole_decrs.errors import DecRSError
from recbole_decrs.model.lookups import separate_rows, weights_of_table
from recbole_decrs.model.sides import Side, SideFeatures, mean_weights, once_each

PAIRS_AT_ONCE = 1 << 14
"""So many pairs have their vectors held at once in full sort; more of them leave the processor's cache."""


class TwoSided(ContextRecommender):
    """Extends a context-aware model that sees its fields by their bi-interaction vector and first order alone.

    The model implements :meth:`logits_of`, has RecBole's factorization machine as ``fm``, not summed over dimensions,
    and calls :meth:`_keep_features` at the end of its constructor.

    Key: ``group_features``: ``pooled`` as RecBole, the group column of the items is one field, the mean of its values'
    embeddings, whose first-order weights are summed; ``separate`` as the authors of DecRS, each group is a feature of
    its own with the value q^i.

    Attributes:
        separate: the group column whose values are features of their own; None if there is none.
        trains_by_ids: true if ids tell all features; not if there are features of the interaction, or a ``transform``.
    """

    def _keep_features(self, config, dataset) -> None:
        latest = next(vars(kind) for kind in type(self).__mro__ if {"forward", "pair_logits"} & vars(kind).keys())
        if "pair_logits" not in latest:
            raise DecRSError(
                f"{type(self).__name__} changes forward, which training by ids and full sort do not use: change "
                "logits_of and pair_logits with it, or extend RecBole's model instead"
            )
        self.USER_ID, self.ITEM_ID = config["USER_ID_FIELD"], config["ITEM_ID_FIELD"]
        self.separate = self._separate_column(config, dataset.get_item_feature())
        self.users = SideFeatures(self, dataset.get_user_feature())
        self.items = SideFeatures(self, dataset.get_item_feature(), self.separate)
        self._item_side_of: tuple | None = None
        embedded = {*self.token_field_names, *self.token_seq_field_names, *self.float_field_names}
        embedded |= set(self.float_seq_field_names)
        of_interaction = embedded & set(dataset.fields(source=[FeatureSource.INTERACTION]))
        self.trains_by_ids = not of_interaction and config["transform"] is None

    def _separate_column(self, config, of_items: Interaction) -> str | None:
        column = config["group_field"]
        if config["group_features"] != "separate" or column not in of_items:
            return None
        if column in self.float_seq_field_names:
            raise DecRSError(
                f"group_features: separate needs an embedding of each group, and RecBole has one for all places of "
                f"the float_seq column {column}; set group_features: pooled or take it out of numerical_features"
            )
        return column if column in self.token_seq_field_names else None

    def user_side(self, users: torch.Tensor, rows: torch.Tensor | None = None) -> Side:
        """Compute what users of these ids add to pairs; a deconfounded model has M(d-bar, u) among their fields.

        Args:
            users: ids, shape [P].
            rows: of the distributions that a deconfounded model is trained with; see :class:`BackdoorOperator`.
        """
        return self.with_group_level(self.users(self, users), users, rows)

    def with_group_level(self, side: Side, users: torch.Tensor, rows: torch.Tensor | None = None) -> Side:
        """Add M(d-bar, u) to the side of users, as one more of their fields; a conventional model has none.

        Args:
            side: of the users without M.
            users, rows: as in :meth:`user_side`.
        """
        if not hasattr(self, "backdoor"):
            return side
        group_level = self.backdoor.of_sums(side.total, side.within, users, rows)
        return Side(side.total + group_level, side.within + side.total * group_level, side.first_order)

    def item_side(self) -> Side:
        """Compute what all items add to pairs, once as long as no parameter changes; not for training."""
        state = tuple((parameter.data_ptr(), parameter._version) for parameter in self.parameters())
        if self._item_side_of is None or self._item_side_of[0] != state:
            everything = torch.arange(len(self.items.tokens), device=self.items.tokens.device)
            self._item_side_of = (state, self.items(self, everything))
        return self._item_side_of[1]

    def train(self, mode: bool = True) -> TwoSided:
        """Switch between training and evaluation as torch does, and forget the item side."""
        self._item_side_of = None
        return super().train(mode)

    def forward(self, interaction: Interaction) -> torch.Tensor:
        """Compute the logits of the rows, shape [B]."""
        if self.separate is None:
            bi_interaction = self.fm(self.concat_embed_input_fields(interaction))
            return self.first_order_linear(interaction).squeeze(-1) + self.logits_of(bi_interaction)
        # RecBole's mean is the sum of the groups with their values, so pairs within it are what it lacks; its first
        # order has the value 1 for each.
        groups = once_each(interaction[self.separate])
        interaction = Interaction({**interaction.interaction, self.separate: groups})
        used = (groups != 0).float()
        value = mean_weights(used)
        place = self.token_seq_field_names.index(self.separate)
        tables = (weights_of_table(tables, "token_seq", place) for tables in (self, self.first_order_linear))
        _, excess, pairs = separate_rows(*tables, groups, value, used - value)
        bi_interaction = self.fm(self.concat_embed_input_fields(interaction)) + pairs
        first_order = self.first_order_linear(interaction) - excess
        return first_order.squeeze(-1) + self.logits_of(bi_interaction)

    def forward_ids(self, users: torch.Tensor, items: torch.Tensor, rows: torch.Tensor | None = None) -> torch.Tensor:
        """Compute by ids the logits that ``forward`` computes by features.

        Args:
            users: ids, shape [P].
            items: ids, shape [T, P]: of T pairs with each user.
            rows: as in :meth:`user_side`.

        Returns:
            [T, P].
        """
        of_user, of_item = self.user_side(users, rows), self.items(self, items.flatten())
        shape = (*items.shape, -1)
        of_item = Side(of_item.total.view(shape), of_item.within.view(shape), of_item.first_order.view_as(items))
        return self.logits_of_sides(of_user, of_item)

    def logits_of_sides(self, users: Side, items: Side) -> torch.Tensor:
        """Compute the logits of users with items, whose sides are broadcast to shape [..., P, H]: shape [..., P]."""
        bi_interaction = torch.addcmul(users.within + items.within, users.total, items.total)
        first_order = users.first_order + items.first_order + self.first_order_linear.bias
        return first_order + self.logits_of(bi_interaction.flatten(0, -2)).view_as(first_order)

    def logits_of(self, bi_interaction: torch.Tensor) -> torch.Tensor:
        """Make logits of bi-interaction vectors, without the first order: [B, H] -> [B]."""
        raise NotImplementedError

    def pair_logits(self, users: Side, items: Side) -> torch.Tensor:
        """Compute what :meth:`logits_of` gives of all pairs, one by one: [n users, n items].

        A model that knows a shorter way overrides this.
        """
        logits = users.total.new_empty(len(users.total), len(items.total))
        step = max(1, PAIRS_AT_ONCE // len(items.total))
        for start in range(0, len(logits), step):
            chunk = slice(start, start + step)
            pairs = torch.addcmul(items.within, users.total[chunk, None], items.total).add_(users.within[chunk, None])
            logits[chunk] = self.logits_of(pairs.flatten(0, 1)).view(-1, len(items.total))
        return logits

    @torch.no_grad()
    def full_sort_logits(self, interaction: Interaction) -> torch.Tensor:
        """Compute the logits of every item for the users of the interaction, shape [B, n_items]."""
        users, items = self.user_side(interaction[self.USER_ID]), self.item_side()
        of_user = (users.first_order + self.first_order_linear.bias).unsqueeze(1)
        return self.pair_logits(users, items).add_(items.first_order).add_(of_user)

    def full_sort_predict(self, interaction: Interaction) -> torch.Tensor:
        """Compute the probabilities of every item for the users of the interaction, shape [B, n_items]."""
        return self.full_sort_logits(interaction).sigmoid_()
