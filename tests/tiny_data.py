"""Small datasets in RecBole's atomic files, made for a test."""

from pathlib import Path

import numpy as np
import pandas as pd

GENRES = ["Action", "Comedy", "Drama", "Horror"]


def tiny_tables(seed=0, n_users=24, n_items=30, n_clicks=12):
    """Tables of clicks, users and items with every feature type; users drift from some genres to others."""
    rng = np.random.default_rng(seed)
    items = [f"i{number}" for number in range(n_items)]
    users = [f"u{number}" for number in range(n_users)]
    inter = []
    for user in users:
        picked = rng.choice(n_items, size=n_clicks, replace=False)
        for place, item in enumerate(picked):
            inter.append((user, items[item], 4 + rng.integers(2), 1_000_000_000 + 10 * place + int(rng.integers(9))))
    genres = [" ".join(rng.choice(GENRES, size=rng.integers(1, 3), replace=False)) for _ in items]
    return {
        "inter": pd.DataFrame(inter, columns=["user_id:token", "item_id:token", "rating:float", "timestamp:float"]),
        "user": pd.DataFrame(
            {
                "user_id:token": users,
                "gender:token": rng.choice(["F", "M"], n_users),
                "jobs:token_seq": [
                    " ".join(rng.choice(["a", "b", "c"], rng.integers(1, 3), replace=False)) for _ in users
                ],
                "height:float": rng.uniform(1.5, 2, n_users).round(2),
            }
        ),
        "item": pd.DataFrame(
            {
                "item_id:token": items,
                "genre:token_seq": genres,
                "first_genre:token": [names.split()[0] for names in genres],
                "price:float": rng.uniform(1, 9, n_items).round(2),
                "weights:float_seq": [" ".join(map(str, rng.uniform(0, 1, 3).round(3))) for _ in items],
            }
        ),
    }


def write_tables(folder: Path, tables, name="tiny"):
    """Write tables as ``folder/name/name.*``; returns the folder."""
    (folder / name).mkdir(parents=True, exist_ok=True)
    for ending, table in tables.items():
        table.to_csv(folder / name / f"{name}.{ending}", sep="\t", index=False)
    return folder


LOAD_COL = {
    "inter": ["user_id", "item_id", "rating", "timestamp"],
    "user": ["user_id", "gender", "jobs", "height"],
    "item": ["item_id", "genre", "price"],
}


SHORT_SEQUENCES = {"MAX_ITEM_LIST_LENGTH": 12, "hidden_size": 8, "inner_size": 8, "n_layers": 1}
"""Settings of a small sequential model."""


def tiny_settings(folder: Path, **others):
    """Settings of a fast run on :func:`tiny_tables`."""
    return {
        "data_path": str(folder),
        "load_col": LOAD_COL,
        "numerical_features": ["height", "price"],
        "group_field": "genre",
        "epochs": 2,
        "embedding_size": 8,
        "train_batch_size": 64,
        "topk": [5, 10],
        "valid_metric": "Recall@10",
        "show_progress": False,
        **others,
    }


LABELLED = {"inter": ["user_id", "item_id", "timestamp", "label"], "item": ["item_id", "genre"]}
"""``load_col`` of :func:`labelled_tables`."""


def labelled_tables():
    """The tables of :func:`tiny_tables`, with a quarter of the interactions of label 0."""
    tables = tiny_tables()
    tables["inter"]["label:float"] = (np.random.default_rng(0).permutation(288) >= 72).astype(int)
    return tables


def clicks_in(loaders):
    """(user, item) of the clicks of all loaders, as tokens, sorted."""
    found = []
    for loader in loaders:
        part = loader._dataset
        tokens = [part.id2token(field, part.inter_feat[field].numpy()) for field in ("user_id", "item_id")]
        found += zip(*map(list, tokens), strict=True)
    return sorted(found)


def rows_of(table):
    """(user, item) of the rows of an .inter table, sorted."""
    return sorted(zip(table["user_id:token"], table["item_id:token"], strict=True))
