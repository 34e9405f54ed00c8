"""Counts rows that are left out, so that nobody loses data unawares, and refuses to leave out all."""

from __future__ import annotations

import os
from logging import getLogger
from typing import Any

import pandas as pd
from recbole.utils import FeatureType, ModelType

from recbole_decrs.counts import are, counted, have
from recbole_decrs.data.atomic_files import atomic_file
from recbole_decrs.errors import DecRSError, did_you_mean


def check_ids_of_split_files(dataset) -> None:
    """See that each row of .inter files that are split already has a user and an item, since RecBole keeps it.

    Raises:
        DecRSError: one has none.
    """
    for field in (dataset.uid_field, dataset.iid_field):
        if missing := int(dataset.inter_feat[field].isna().sum()):
            raise DecRSError(
                f"{counted(missing, 'row')} of the .inter files of {dataset.dataset_name} {have(missing)} no {field}; "
                "fill it in, or drop them"
            )


def leave_out_rows_without_id(dataset) -> None:
    """Take rows without a user or an item out of the tables of a dataset, and count them."""
    ids = {
        "inter": (dataset.uid_field, dataset.iid_field),
        "user": (dataset.uid_field,),
        "item": (dataset.iid_field,),
    }
    for source, fields in ids.items():
        feat = getattr(dataset, f"{source}_feat")
        for field in fields if feat is not None else ():
            missing = feat[field].isna()
            if missing.any():
                name = f"{dataset.dataset_name}.{source}"
                file = atomic_file(dataset.config, os.path.join(dataset.dataset_path, name))
                getLogger().warning(
                    f"{counted(n := int(missing.sum()), 'row')} of {name} {have(n)} no {field} and {are(n)} left out, "
                    f"the first in {file.place(int(feat.index[missing][0]))}"
                )
                feat.drop(index=feat.index[missing], inplace=True)


def without_row(clicked: pd.Series, known: pd.Series, field: str, clicks: str, rows: str) -> pd.Series:
    """Find the clicks whose user or item has no row of its own.

    Args:
        clicked: the users or items of the clicks.
        known: those that have a row.
        field: what they are called, for the message.
        clicks, rows: names of the two files.

    Returns:
        whether a click is one of them, shape [n clicks].

    Raises:
        DecRSError: all are, as where ids are written in two ways.
    """
    without = ~clicked.isin(known)
    if len(without) and without.all():
        raise DecRSError(
            f"no {field} of {clicks}, such as {clicked.iloc[0]!r}, has a row in {rows}, which has such as "
            f"{known.iloc[0]!r}; write ids in the same way in both"
        )
    return without


def count_clicks_without_rows(dataset, what: str) -> None:
    """Count clicks of users or on items that the .user or .item file does not have.

    Args:
        dataset: a RecBole Dataset before its ids are numbers.
        what: becomes of them, for the warning.

    Raises:
        DecRSError: it has none of them, as where ids are written in two ways.
    """
    for source, field, who in (("user", dataset.uid_field, "by users"), ("item", dataset.iid_field, "on items")):
        feat = getattr(dataset, f"{source}_feat")
        if feat is None:
            continue
        clicked, file = dataset.inter_feat[field], f"{dataset.dataset_name}.{source}"
        without = without_row(clicked, feat[field], field, f"{dataset.dataset_name}.inter", file)
        if not without.any():
            continue
        one = clicked[without].iloc[0]
        getLogger().warning(
            f"{int(without.sum())} of {len(clicked)} clicks are {who} without a row in {file}, such as {one}: {what}"
        )


def count_ids_without_additional_rows(dataset) -> None:
    """Count users, items, ... of which an additional file, such as one of pre-trained embeddings, knows nothing.

    Raises:
        DecRSError: it knows nothing of all of them.
    """
    config, name = dataset.config, dataset.dataset_name
    ids = {"alias_of_user_id": ("inter", [dataset.uid_field]), "alias_of_item_id": ("inter", [dataset.iid_field])}
    if config["MODEL_TYPE"] == ModelType.KNOWLEDGE:
        ids["alias_of_entity_id"] = ("kg", [dataset.head_entity_field, dataset.tail_entity_field])
        ids["alias_of_relation_id"] = ("kg", [dataset.relation_field])
    for ending in config["additional_feat_suffix"] or ():
        feat, file = getattr(dataset, f"{ending}_feat"), f"{name}.{ending}"
        for key, (source, fields) in ids.items():
            known = pd.concat([getattr(dataset, f"{source}_feat")[field] for field in fields]).dropna()
            known = known.drop_duplicates()
            for column in set(config[key] or ()) & set(feat.columns):
                without = known[~known.isin(feat[column])]
                if without.empty:
                    continue
                whose = f"{fields[0]} of {name}.{source}"
                if len(without) == len(known):
                    raise DecRSError(
                        f"{key}: no {whose}, such as {without.iloc[0]!r}, has a row in {file}, whose {column} has "
                        f"such as {feat[column].iloc[0]!r}; write ids in the same way in both"
                    )
                getLogger().warning(
                    f"{len(without)} of {len(known)} {whose}, such as {without.iloc[0]}, have no row in {file}, "
                    "and are 0 in what is preloaded"
                )


def intervals_as_read(dataset) -> dict[str, Any]:
    """Put the values that ``val_interval`` keeps into the types in which their columns are read.

    Rows without a number are counted, since they are left out.

    Args:
        dataset: a RecBole Dataset before its ids are numbers.

    Returns:
        field -> an interval as text where its type is ``float``, a list of text where it is ``token``.

    Raises:
        DecRSError: a column is not loaded, or is of a type that the values do not go with.
    """
    intervals = dict(dataset.config["val_interval"] or {})
    for field, interval in intervals.items():
        if field not in dataset.field2type:
            raise DecRSError(
                f"val_interval: {dataset.dataset_name} has no loaded column {field}; name it in load_col, or leave it "
                f"out{did_you_mean(field, dataset.field2type)}"
            )
        kind = dataset.field2type[field]
        if kind == FeatureType.FLOAT and isinstance(interval, str):
            _count_without_value(dataset, field)
        elif kind == FeatureType.TOKEN and isinstance(interval, list):
            intervals[field] = list(map(str, interval))
            _tell_values_without_row(dataset, field, intervals[field])
        else:
            takes = {FeatureType.FLOAT: "an interval such as '[4,inf)'", FeatureType.TOKEN: "a list of values"}
            raise DecRSError(
                f"val_interval: {field} of {dataset.dataset_name} is {kind.value} and takes "
                f"{takes.get(kind, 'no values')}, not {interval!r}"
            )
    return intervals


def _tell_values_without_row(dataset, field: str, values: list[str]) -> None:
    there = {str(value) for feat in dataset.field2feats(field) for value in feat[field].dropna().unique()}
    missing = [value for value in values if value not in there]
    if missing:
        getLogger().warning(
            f"val_interval: no row of {dataset.dataset_name} has the {field} {missing[0]}"
            + (f", nor {len(missing) - 1} others of the list" if len(missing) > 1 else "")
            + (did_you_mean(missing[0], there) or "; check the list")
        )


def _count_without_value(dataset, field: str) -> None:
    for feat in dataset.field2feats(field):
        if missing := int(feat[field].isna().sum()):
            getLogger().warning(
                f"{counted(missing, 'row')} of {dataset.dataset_name} {have(missing)} no {field}, so val_interval "
                f"leaves {'it' if missing == 1 else 'them'} out"
            )


def check_rows_are_left(dataset) -> None:
    """See that filters have left a row in each table of a dataset.

    Raises:
        DecRSError: they have not.
    """
    for name in dataset.feat_name_list:
        if getattr(dataset, name).empty:
            raise DecRSError(
                f"no row of {dataset.dataset_name}.{name.removesuffix('_feat')} is left after filtering; loosen "
                "val_interval, user_inter_num_interval and item_inter_num_interval"
            )
