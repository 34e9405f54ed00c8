"""The feature fields of a context-aware model, by side."""

from __future__ import annotations

from recbole.model.abstract_recommender import ContextRecommender
from recbole.utils import FeatureSource


def user_and_item_fields(model: ContextRecommender, dataset) -> tuple[list[int], list[int]]:
    """Places of the user's and of the item's fields among those of RecBole's ``concat_embed_input_fields``."""
    in_order = (
        model.token_seq_field_names + model.token_field_names + model.float_seq_field_names + model.float_field_names
    )
    of_user = set(dataset.fields(source=[FeatureSource.USER, FeatureSource.USER_ID]))
    of_item = set(dataset.fields(source=[FeatureSource.ITEM, FeatureSource.ITEM_ID]))
    return (
        [place for place, name in enumerate(in_order) if name in of_user],
        [place for place, name in enumerate(in_order) if name in of_item],
    )
