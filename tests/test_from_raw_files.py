"""What a run exports, computed again from the files alone, by loops and without RecBole: one thing odd at a time."""

import ast
import csv
import math
from pathlib import Path

import numpy as np
import pytest

from recbole_decrs import run_recbole_decrs
from tiny_data import tiny_settings, tiny_tables, write_tables


def split_of(n):
    """RecBole's 80/10/10 of n clicks: how many of each part."""
    counts = [n - 2 * int(0.1 * n), int(0.1 * n), int(0.1 * n)]
    for place in (2, 1):
        if counts[0] > 1 and 0 < 0.1 * n < 1:
            counts[place] += 1
            counts[0] -= 1
    return counts


def divergence(p, q):
    return sum(a * math.log(a / (0.99 * b + 0.01 * a)) for a, b in zip(p, q, strict=True) if a >= 1e-5)


def rows_of(path, **options):
    with open(path, newline="", **options) as file:
        rows = list(csv.reader(file, delimiter="\t"))
    names = [name.split(":")[0] for name in rows[0]]
    return [dict(zip(names, row, strict=True)) for row in rows[1:]]


def mean_of(items, q):
    grouped = [q[item] for item in items if item in q]
    return np.mean(grouped, axis=0) if grouped else None


def check(folder, read_groups, encoding="utf-8", is_click=lambda row: True):
    """Recall, NDCG, C_KL and drift of each user, from the lists and the files."""
    files = folder / "data" / "tiny"
    groups_of = {row["item_id"]: read_groups(row) for row in rows_of(files / "tiny.item", encoding=encoding)}
    names = sorted({name for some in groups_of.values() for name in some})
    q = {item: np.array([(name in some) / len(some) for name in names]) for item, some in groups_of.items() if some}
    clicks = [row for row in rows_of(files / "tiny.inter", encoding=encoding) if is_click(row)]
    clicks = [row for row in clicks if row["item_id"] in groups_of]
    history = {}
    for row in sorted(clicks, key=lambda row: float(row["timestamp"])):
        history.setdefault(row["user_id"], []).append(row["item_id"])
    (metrics_file,), (lists_file,) = (list(Path("saved").glob(name)) for name in ("*-user-metrics.csv", "*-top10.csv"))
    lists = {}
    with open(lists_file, newline="") as file:
        for row in csv.DictReader(file):
            lists.setdefault(row["user_id"], []).append(row["item_id"])
    with open(metrics_file, newline="") as file:
        found = {row["user_id"]: row for row in csv.DictReader(file)}
    assert set(found) == {user for user, items in history.items() if split_of(len(items))[2]}
    for user, row in found.items():
        n_train, n_valid, n_test = split_of(len(history[user]))
        trained, tested = history[user][:n_train], set(history[user][n_train + n_valid :])
        ranked = lists[user]
        assert not set(ranked) & set(history[user][: n_train + n_valid])
        hits = [item in tested for item in ranked]
        assert float(row["recall@10"]) == pytest.approx(sum(hits) / n_test, abs=1e-5)
        gain = sum(1 / math.log2(place + 2) for place, hit in enumerate(hits) if hit)
        ideal = sum(1 / math.log2(place + 2) for place in range(min(n_test, 10)))
        assert float(row["ndcg@10"]) == pytest.approx(gain / ideal, abs=1e-5)
        grouped = [item for item in trained if item in q]
        listed = np.sum([q.get(item, np.zeros(len(names))) for item in ranked], axis=0) / len(ranked)
        assert float(row["ckl@10"]) == pytest.approx(divergence(mean_of(trained, q), listed), abs=1e-5)
        first, second = (mean_of(half, q) for half in (grouped[: len(grouped) // 2], grouped[len(grouped) // 2 :]))
        assert float(row["drift"]) == pytest.approx(divergence(first, second) + divergence(second, first), abs=1e-5)


def genres(table, write):
    table["genre:token_seq"] = table["genre:token_seq"].str.split().map(write)


def named(table, names):
    """Groups of other names, in the order of the tiny dataset's."""
    for genre, name in zip(["Action", "Comedy", "Drama", "Horror"], names, strict=True):
        table["genre:token_seq"] = table["genre:token_seq"].str.replace(genre, name)


CASES = {
    "as it is": (lambda tables: None, str.split),
    "pipes": (lambda tables: genres(tables["item"], "|".join), lambda cell: cell.split("|")),
    "lists": (lambda tables: genres(tables["item"], repr), ast.literal_eval),
    "sets": (lambda tables: genres(tables["item"], lambda some: str(set(some))), ast.literal_eval),
    "quoted": (
        lambda tables: genres(tables["item"], lambda some: ", ".join(f"'{name}, etc.'" for name in some)),
        lambda cell: ast.literal_eval(f"[{cell}]"),
    ),
    "names of what is missing": (lambda tables: named(tables["item"], ["NA", "None", "null", "nan"]), str.split),
    "items without a row": (lambda tables: tables["item"].drop(index=range(4), inplace=True), str.split),
    "empty cells": (lambda tables: genres(tables["item"], lambda some: "" if "Horror" in some else some[0]), str.split),
}


def run(folder, **others):
    settings = tiny_settings(folder / "data", epochs=1, save_topk=10, save_user_metrics=True) | others
    run_recbole_decrs("BPR", "tiny", config_dict=settings)


@pytest.mark.parametrize("case", CASES)
def test_what_is_exported_is_what_the_files_say(tmp_path, case):
    change, read = CASES[case]
    tables = tiny_tables()
    change(tables)
    write_tables(tmp_path / "data", tables)
    run(tmp_path)
    check(tmp_path, lambda row: list(read(row["genre"])) if row["genre"] else [])


def test_labels(tmp_path):
    tables = tiny_tables()
    tables["inter"]["label:float"] = (np.random.default_rng(1).permutation(288) >= 60).astype(int)
    write_tables(tmp_path / "data", tables)
    columns = {"inter": ["user_id", "item_id", "timestamp", "label"], "item": ["item_id", "genre"]}
    run(tmp_path, load_col=columns, numerical_features=[])
    check(tmp_path, lambda row: row["genre"].split(), is_click=lambda row: float(row["label"]) > 0)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "latin-1"])
def test_encodings(tmp_path, encoding):
    tables = tiny_tables()
    named(tables["item"], ["Comédie", "Ä", "Drama", "ß"])
    write_tables(tmp_path / "data", tables)
    for file in (tmp_path / "data" / "tiny").iterdir():
        file.write_bytes(file.read_text(encoding="utf-8").encode(encoding))
    run(tmp_path, **({"encoding": "latin-1"} if encoding == "latin-1" else {}))
    check(tmp_path, lambda row: row["genre"].split(), encoding)
