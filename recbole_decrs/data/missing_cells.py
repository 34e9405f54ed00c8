"""Tells of cells that are missing, for which RecBole makes up a value; a time or a rating is never made up."""

from __future__ import annotations

from logging import getLogger

from recbole.utils import FeatureType

from recbole_decrs.counts import counted, have
from recbole_decrs.errors import DecRSError


def check_times(dataset) -> None:
    """See that each click has a time, where the clicks have any.

    Raises:
        DecRSError: one has none.
    """
    field = dataset.time_field
    missing = int(dataset.inter_feat[field].isna().sum()) if field in dataset.inter_feat else 0
    if missing:
        raise DecRSError(
            f"{counted(missing, 'row')} of the .inter file of {dataset.dataset_name} {have(missing)} no {field}; fill "
            "it in, drop them, or leave the column out of load_col"
        )


def tell_missing_cells(dataset) -> None:
    """Warn of the cells that RecBole fills: of numbers with the mean, of text with the padding.

    Args:
        dataset: a RecBole Dataset whose tokens are ids already, 0 where one is missing.
    """
    told, rating = [], dataset.config["RATING_FIELD"]
    for name in dataset.feat_name_list:
        feat = getattr(dataset, name)
        padding = 1 if name in ("user_feat", "item_feat") else 0  # the row of id 0
        for field in feat.columns:
            kind, cells = dataset.field2type[field], feat[field].iloc[padding:]
            if kind == FeatureType.TOKEN and (missing := int((cells == 0).sum())):
                told.append(f"{field} in {counted(missing, 'row')}")
            elif kind == FeatureType.FLOAT and field != rating and (missing := int(cells.isna().sum())):
                told.append(f"{field} in {counted(missing, 'row')}, for which RecBole takes the mean")
    if told:
        getLogger().warning(f"missing values in {dataset.dataset_name}: {', '.join(told)}")


def check_unrated(dataset, n_unrated: int) -> None:
    """See that nothing asks for the ratings of clicks that have none, and count these clicks.

    Args:
        dataset: a RecBole Dataset.
        n_unrated: how many clicks have no rating.

    Raises:
        DecRSError: a key asks for ratings.
    """
    config, rating = dataset.config, dataset.config["RATING_FIELD"]
    keys = [key for key in ("threshold", "numerical_features", "normalize_field") if rating in (config[key] or ())]
    if keys or config["normalize_all"]:
        raise DecRSError(
            f"{counted(n_unrated, 'row')} of the .inter file of {dataset.dataset_name} {have(n_unrated)} no {rating}, "
            f"which {keys[0] if keys else 'normalize_all'} asks for; fill it in, or drop them by val_interval"
        )
    getLogger().warning(
        f"{n_unrated} of {len(dataset.inter_feat)} clicks have no {rating}; they count as clicks (val_interval on "
        f"{rating} would leave them out)"
    )
