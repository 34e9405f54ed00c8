"""Reads ranking lists made elsewhere, to be scored like one's own."""

from __future__ import annotations

from dataclasses import replace
from logging import getLogger

import numpy as np
import pandas as pd
import torch
from recbole.evaluator.collector import DataStruct

from recbole_decrs.compare.results import Outcome
from recbole_decrs.errors import DecRSError
from recbole_decrs.evaluator.registry import counts_places
from recbole_decrs.importing.cells import ids_of, texts_of
from recbole_decrs.importing.files import read_table

COLUMNS = ["user_id", "item_id", "rank"]
REMEDY = f"give the path of a CSV file in UTF-8, or of a Parquet file, with the columns {', '.join(COLUMNS)}"
LONGEST = 10**9


def read_lists(path: str) -> pd.DataFrame:
    """Read a file with the columns user_id, item_id, rank (1, 2, ...), sorted by user and rank.

    Args:
        path: of a file as ``recbole-decrs import`` reads them: CSV in UTF-8 with any usual separator, packed by gzip or
            not, or Parquet.

    Raises:
        DecRSError: the file cannot be read, lacks a column, or a user has an item or a rank twice, or not all ranks
            from 1 on.
    """
    try:
        given = read_table(path, has=COLUMNS)
    except DecRSError as error:  # it advises options of import, which lists do not have
        what = str(error).removeprefix("separator: ").partition("; ")[0]
        raise DecRSError(f"lists: {what}; {REMEDY}") from error
    if missing := [column for column in COLUMNS if column not in given.frame]:
        raise DecRSError(f"lists: {path} has no column {missing[0]}; {REMEDY}")
    if given.frame.empty:
        raise DecRSError(f"lists: {path} has no rows; {REMEDY}")
    given = replace(given, name=path)  # as several files of one name may be given
    ids = {column: ids_of(given, column, stripped=False) for column in COLUMNS[:2]}
    rank = pd.to_numeric(texts_of(given.frame["rank"]), errors="coerce")
    table = pd.DataFrame({**ids, "rank": rank})
    wrong = ~rank.between(1, LONGEST) | (rank % 1 != 0) | table.isna().any(axis=1)
    if wrong.any():
        place = given.first(wrong.to_numpy())
        raise DecRSError(f"lists: {place} of {path} must hold a user, an item and a rank 1, 2, ...")
    for column in ("item_id", "rank"):
        if (twice := table.duplicated(["user_id", column])).any():
            row = table[twice].iloc[0]
            value = row[column] if column == "item_id" else int(row[column])
            raise DecRSError(f"lists: {path} gives user {row['user_id']} the {column} {value} twice; keep one")
    table = table.sort_values(["user_id", "rank"])
    gaps = table["rank"].to_numpy() != table.groupby("user_id").cumcount().to_numpy() + 1
    if gaps.any():
        row = table[gaps].iloc[0]
        raise DecRSError(f"lists: {path} gives user {row['user_id']} rank {int(row['rank'])}, but not those before it")
    return table


def as_collected(table: pd.DataFrame, name: str, like: DataStruct, test_data, length: int) -> DataStruct:
    """Make what the evaluator needs of these lists, for the test users in the order of another ranking.

    An item that the dataset does not have is a miss without a group. A user without a list has an empty one.

    Args:
        table: see :func:`read_lists`.
        name: of the lists, for messages.
        like: what was collected of a model on the same test data.
        test_data: the test loader, of full sort.
        length: how many items of a list count.

    Raises:
        DecRSError: none of the users is a test user.
    """
    logger, dataset = getLogger(), test_data._dataset
    users, items = (dataset.field2token_id[field] for field in (dataset.uid_field, dataset.iid_field))
    evaluated = like.get("rec.users").numpy()
    row_of = np.full(dataset.user_num, -1)
    row_of[evaluated] = np.arange(len(evaluated))
    rows = row_of[table["user_id"].map(users).fillna(0).astype(int)]
    others = table["user_id"][rows < 0].unique()
    table = table[rows >= 0].assign(row=rows[rows >= 0])
    if table.empty:
        raise DecRSError(f"lists: none of the users of {name} is in the test part of {dataset.dataset_name}")
    table["item"] = table["item_id"].map(items).fillna(0).astype(int)
    if not table["item"].any():
        raise DecRSError(
            f"lists: none of the items of {name}, such as {table['item_id'].iloc[0]!r}, is in {dataset.dataset_name}; "
            "write ids as its files do"
        )
    table["place"] = table.groupby("row").cumcount()
    table = table[table["place"] < length]
    row, place, item = (table[column].to_numpy() for column in ("row", "place", "item"))
    listed = np.zeros((len(evaluated), length), dtype=np.int64)
    ranked = np.zeros(listed.shape, dtype=bool)
    listed[row, place], ranked[row, place] = item, True
    keys = evaluated[row] * dataset.item_num + item
    hits = np.zeros(listed.shape, dtype=bool)
    hits[row, place] = np.isin(keys, _pairs(dataset))
    masked = [
        dataset.item_num * int(user) + test_data.uid2history_item[int(user)].numpy()
        for user in (() if test_data.is_sequential else evaluated)  # of a sequential model every item is a candidate
    ]
    masked = np.concatenate([np.empty(0, dtype=np.int64), *masked])
    known = np.isin(keys, masked)
    for count, what in (
        (len(others), f"listed users, such as {next(iter(others), None)}, are not in the test part and are left out"),
        (int((~ranked.any(axis=1)).sum()), "test users have no list and are scored as if it were empty"),
        (
            int((ranked.any(axis=1) & ~ranked[:, -1]).sum()),
            f"test users have lists of fewer than {length} items; the places after them count as misses",
        ),
        (int((item == 0).sum()), "listed items are not in the dataset and count as misses"),
        (
            int(known.sum()),
            "listed items were clicked by their user before the test and count as misses",
        ),
    ):
        if count:
            logger.warning(f"lists {name}: {count} {what}")
    struct = DataStruct()
    for key, value in like._data_dict.items():
        struct.set(key, value)
    n_positive = like.get("rec.topk")[:, -1:]
    struct.set("rec.items", torch.from_numpy(listed))
    struct.set("rec.ranked", torch.from_numpy(ranked))
    struct.set("rec.topk", torch.cat([torch.from_numpy(hits).int(), n_positive], dim=1))
    return struct


def without_exposure(outcome: Outcome, collected: DataStruct, name: str) -> Outcome:
    """Leave out, as NaN, metrics for which RecBole counts what is in each place, where in some there is no item.

    Args:
        outcome: of the lists.
        collected: see :func:`as_collected`; RecBole's metrics would take its zeros for one more item.
        name: of the lists, for the message.
    """
    places = collected.get("rec.items")
    by_place = set()
    for metric in outcome.info["test"]:
        name_of_class, _, length = metric.partition("@")
        if counts_places(name_of_class) and (places[:, : int(length or LONGEST)] == 0).any():
            by_place.add(metric)
    if not by_place:
        return outcome
    getLogger().warning(
        f"lists {name}: {', '.join(sorted(by_place))} are left out, which count what is in each place of a list"
    )
    gone = dict.fromkeys(by_place, float("nan"))
    by_drift = [[*about, found | gone if found else {}] for *about, found in outcome.info["by_drift"]]
    info = {**outcome.info, "test": outcome.info["test"] | gone, "by_drift": by_drift}
    of_nobody = {metric: np.full(len(values), np.nan) for metric, values in outcome.by_user.items() if metric in gone}
    return Outcome(info, outcome.by_user | of_nobody)


def _pairs(part) -> np.ndarray:
    """Give the (user, item) pairs of a part of a dataset, as one number each."""
    users, items = part.inter_feat[part.uid_field].numpy(), part.inter_feat[part.iid_field].numpy()
    return users.astype(np.int64) * part.item_num + items
