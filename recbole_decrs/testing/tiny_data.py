"""Makes small datasets in RecBole's atomic files for a test."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

GENRES = ["Action", "Comedy", "Drama", "Horror"]


def tiny_tables(seed: int = 0, n_users: int = 24, n_items: int = 30, n_clicks: int = 12) -> dict[str, pd.DataFrame]:
    """Make tables of clicks, users and items, with features of each type that RecBole has.

    Args:
        seed: of the random clicks and features.
        n_users, n_items: how many there are.
        n_clicks: how many different items each user has clicked, at most ``n_items``.

    Returns:
        The tables by the ending of their files, ``inter``, ``user`` and ``item``; columns are named ``name:type``.
    """
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


def write_tables(folder: Path, tables: dict[str, pd.DataFrame], name: str = "tiny") -> Path:
    """Write tables as ``folder/name/name.*``, and return the folder, which is RecBole's ``data_path``."""
    (folder / name).mkdir(parents=True, exist_ok=True)
    for ending, table in tables.items():
        table.to_csv(folder / name / f"{name}.{ending}", sep="\t", index=False)
    return folder


LOAD_COL = {
    "inter": ["user_id", "item_id", "rating", "timestamp"],
    "user": ["user_id", "gender", "jobs", "height"],
    "item": ["item_id", "genre", "price"],
}
"""The columns that :func:`tiny_settings` loads."""

SHORT_SEQUENCES = {"MAX_ITEM_LIST_LENGTH": 12, "hidden_size": 8, "inner_size": 8, "n_layers": 1}
"""Settings of a small sequential model."""


def tiny_settings(folder: Path, **others: Any) -> dict[str, Any]:
    """Collect the settings of a fast run on :func:`tiny_tables`, written to a folder; others go over them."""
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
        "report": False,
        **others,
    }
