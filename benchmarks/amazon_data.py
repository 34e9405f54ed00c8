"""Writes clicks and items of Amazon-Book's size, in the cells of RecBole's converter, for benchmarks/amazon.py."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np

N_GROUPS = 253
NAMES = ("Books", "Children's Books", "Literature & Fiction", "Health, Fitness & Dieting", "Sports & Outdoors")
"""Names as the converter quotes them: with apostrophes, commas and signs."""
MOST_GROUPS, MORE_GROUPS = 9, 1.71
"""An item has 1 to 9 groups, 2.71 on average."""
LEAST = 24
"""Clicks that each user and item of the 20-core is given; a few of them fall on the same pair."""
BELOW_4 = 0.2
"""The share of raw ratings that ``val_interval`` leaves out."""
DAY, FIRST_DAY, N_DAYS = 86_400, 11_000, 5_500


class Size(NamedTuple):
    """Counts what a set has; ``core`` is the part of it that is a 20-core by itself."""

    users: int
    items: int
    rows: int
    core: Size | None = None

    def times(self, factor: float) -> Size:
        """Multiply every count."""
        core = self.core and self.core.times(factor)
        return Size(*(max(1, round(factor * count)) for count in self[:3]), core)


TABLE2 = Size(29_115, 16_845, 1_712_409)
SIZES = {
    "small": TABLE2.times(1 / 16),
    "table2": TABLE2,
    "raw": Size(8_026_324, 2_330_066, 22_507_155, TABLE2),
}
"""The paper's Table 2, and the files that RecBole offers for download."""


def zipf_counts(n: int, total: int, least: int, exponent: float) -> np.ndarray:
    """Share ``total`` among n, ``least`` to each and the rest by rank ** -exponent, shape [n]."""
    weights = np.arange(1, n + 1) ** -exponent
    counts = least + np.floor((total - n * least) * weights / weights.sum()).astype(np.int64)
    counts[: total - counts.sum()] += 1
    return counts


def distinct_pairs(rng: np.random.Generator, size: Size, least: int) -> np.ndarray:
    """Draw clicks, each pair of user and item once, as user * items + item, in random order, shape [rows]."""
    users = np.repeat(np.arange(size.users), zipf_counts(size.users, size.rows, least, 0.5))
    items = np.repeat(np.arange(size.items), zipf_counts(size.items, size.rows, least, 0.6))
    codes = np.unique(users * size.items + rng.permutation(items))
    while (missing := size.rows - len(codes)) > 0:
        again = rng.choice(users, missing) * size.items + rng.choice(items, missing)
        codes = np.unique(np.concatenate([codes, again]))
    return rng.permutation(codes)


def write(folder: Path, size: Size, seed: int = 0) -> None:
    """Write ``amazon-books.inter`` and ``.item`` into a folder."""
    import polars

    rng = np.random.default_rng(seed)
    folder.mkdir(parents=True, exist_ok=True)
    core = size.core or size
    codes = distinct_pairs(rng, core, LEAST)
    users, items, ratings = codes // core.items, codes % core.items, rng.integers(4, 6, len(codes))
    if size.core:
        # Users beyond the core click once or a few times, on items of the whole catalogue.
        codes = distinct_pairs(rng, Size(size.users - core.users, size.items, size.rows - core.rows), 1)
        users = np.concatenate([users, core.users + codes // size.items])
        items = np.concatenate([items, codes % size.items])
        below = rng.random(len(codes)) < BELOW_4
        ratings = np.concatenate([ratings, np.where(below, rng.integers(1, 4, len(codes)), 5)])
        order = rng.permutation(len(users))
        users, items, ratings = users[order], items[order], ratings[order]
    clicks = polars.DataFrame(
        {"user": users, "item": items, "rating": ratings, "day": FIRST_DAY + rng.integers(0, N_DAYS, len(users))}
    ).lazy()
    clicks.select(
        ("A" + polars.col("user").cast(str).str.zfill(13)).alias("user_id:token"),
        polars.col("item").cast(str).str.zfill(10).alias("item_id:token"),
        polars.col("rating").cast(float).alias("rating:float"),
        (DAY * polars.col("day")).alias("timestamp:float"),
    ).sink_csv(folder / "amazon-books.inter", separator="\t", quote_style="never")
    item_table(rng, size.items).write_csv(folder / "amazon-books.item", separator="\t", quote_style="never")


def item_table(rng: np.random.Generator, n_items: int):
    """Give each item the group Books and up to eight others, quoted and separated as the converter does."""
    import polars

    names = [*NAMES, *(f"Group {number}, Sub & Co" for number in range(len(NAMES), N_GROUPS))]
    quoted = [f'"{name}"' if "'" in name else f"'{name}'" for name in names]
    n_more = np.minimum(rng.poisson(MORE_GROUPS, n_items), MOST_GROUPS - 1)
    items = np.concatenate([np.arange(n_items), np.repeat(np.arange(n_items), n_more)])
    weights = np.arange(1, N_GROUPS) ** -0.5
    more = 1 + rng.choice(N_GROUPS - 1, n_more.sum(), p=weights / weights.sum())
    n_named = min(N_GROUPS - 1, len(more))
    more[:n_named] = 1 + np.arange(n_named)  # so that every group has an item
    groups = np.concatenate([np.zeros(n_items, np.int64), more])
    labels = polars.DataFrame({"item": items, "group": groups}).unique(maintain_order=True)
    cells = labels.with_columns(polars.Series("name", quoted)[labels["group"]]).group_by("item", maintain_order=True)
    return cells.agg(polars.col("name").str.join(", ")).select(
        polars.col("item").cast(str).str.zfill(10).alias("item_id:token"),
        polars.format("A Book of Number {}", "item").alias("title:token"),
        (polars.col("item") % 40 + 0.99).alias("price:float"),
        polars.col("name").alias("categories:token_seq"),
    )
