"""C_KL, the table by drift group and the size of q^i and d_u, dense and as they are, at 1, 4 and 16 times the users."""

import sys
import tempfile
import time
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch
from common import arguments, environment, quiet
from recbole.evaluator.collector import DataStruct

CONFIG = {"metrics": ["Recall", "CKL"], "topk": [10, 20], "metric_decimal_place": 12}
CLICKS_PER_USER, EMBEDDING_SIZE = 58, 64
THRESHOLDS = [0, 0.5, 1, 2, 3, 4]
MATRICES = ("membership", "user_distribution")


def main() -> None:
    """Print both tables."""
    chosen = arguments(__doc__, rounds=1, users=6000, items=16845, groups=253)
    quiet()
    print("| users | what | dense [s] | now [s] | times faster | dense [MB] | now [MB] | largest difference |")
    print("|---|---|---|---|---|---|---|---|")
    sizes = []
    for times in (1, 4, 16):
        collected = made_data(times * chosen.users, chosen.items, chosen.groups)
        for row in compared(collected):
            print(f"| {times * chosen.users:,} {row}", flush=True)
        sizes.append(row_of_sizes(collected.get("data.confounder")))
    print("\n| users | dense [MB] | with int32 places [MB] | now [MB] | share of a DecFM's checkpoint, before | now |")
    print("|---|---|---|---|---|---|")
    print("\n".join(sizes))
    print(f"\n{environment()}\ncommand: python {' '.join(sys.argv)}")


def made_data(n_users: int, n_items: int, n_groups: int) -> DataStruct:
    """What is collected of random lists; clicks and groups are Zipf distributed, an item is in one to three groups."""
    from recbole_decrs.causal import estimate_confounder
    from recbole_decrs.causal.groups import sparse_membership

    rng = np.random.default_rng(0)
    in_groups, popularity = (1 / np.arange(1, n + 1) for n in (n_groups, n_items - 1))
    groups = rng.choice(n_groups, (n_items - 1) * 3, p=in_groups / in_groups.sum())
    membership = sparse_membership(np.repeat(np.arange(1, n_items), 3), groups, n_items, n_groups)
    users = rng.integers(1, n_users, n_users * CLICKS_PER_USER)
    items = rng.choice(n_items - 1, len(users), p=popularity / popularity.sum()) + 1
    names = tuple(map(str, range(n_groups)))
    confounder = estimate_confounder(names, membership, users, items, n_users, (users, items))
    shape = n_users - 1, max(CONFIG["topk"])
    hits = rng.integers(0, 2, shape)
    collected = DataStruct()
    collected.set("data.confounder", confounder)
    collected.set("data.user_drift", confounder.drift)
    collected.set("rec.users", torch.arange(1, n_users))
    collected.set("rec.items", torch.from_numpy(rng.integers(1, n_items, shape)))
    collected.set("rec.ranked", torch.ones(shape, dtype=torch.bool))
    collected.set("rec.topk", torch.from_numpy(np.column_stack([hits, hits.sum(axis=1) + 1])))
    return collected


def compared(collected: DataStruct) -> Iterator[str]:
    """Rows of the first table, without the number of users."""
    from recbole_decrs.evaluator.by_group import results_by_drift
    from recbole_decrs.evaluator.evaluator import DecRSEvaluator

    confounder, evaluator = collected.get("data.confounder"), DecRSEvaluator(CONFIG)
    recall, ckl = evaluator.metric_class["recall"], evaluator.metric_class["ckl"]
    matrices = confounder.user_distribution, confounder.membership  # made before the clock runs

    def dense_table() -> list[dict[str, float]]:
        drift = confounder.drift[collected.get("rec.users").numpy()]
        parts = (part_of(collected, drift > threshold) for threshold in THRESHOLDS if (drift > threshold).any())
        return [{**recall.calculate_metric(part), **ckl.average(dense_ckl(part, *matrices))} for part in parts]

    def table() -> list[dict[str, float]]:
        return [row[""] for row in results_by_drift(evaluator, {"": collected}, THRESHOLDS).values() if row["users"]]

    for what, dense, now in (
        ("C_KL@10 and @20", lambda: [dense_ckl(collected, *matrices)], lambda: [ckl.by_user(collected)]),
        ("table by drift group", dense_table, table),
    ):
        (expected, seconds_dense, peak_dense), (found, seconds, peak) = measured(dense), measured(now)
        differences = (np.abs(one[key] - other[key]) for one, other in zip(expected, found, strict=True) for key in one)
        yield (
            f"| {what} | {seconds_dense:.2f} | {seconds:.3f} | {seconds_dense / seconds:.1f} | {peak_dense / 1e6:,.0f} "
            f"| {peak / 1e6:.1f} | {max(np.nanmax(difference) for difference in differences):.0e} |"
        )


def dense_ckl(collected: DataStruct, history: np.ndarray, membership: np.ndarray) -> dict[int, np.ndarray]:
    """C_KL at each k by the obvious formula, over an array of users by items by groups."""
    from recbole_decrs.causal import calibration_kl

    of_users = history[collected.get("rec.users").numpy()]
    values = {}
    for k in CONFIG["topk"]:
        in_list = collected.get("rec.ranked").numpy()[:, :k, None]
        totals = (membership[collected.get("rec.items").numpy()[:, :k]] * in_list).sum(axis=1)
        distances = calibration_kl(of_users, totals / np.maximum(in_list.sum(axis=1), 1))
        values[k] = np.where(of_users.any(axis=1), distances, np.nan)
    return values


def part_of(collected: DataStruct, of_group: np.ndarray) -> DataStruct:
    """What was collected of a group of users, each of which was evaluated by itself."""
    part = DataStruct()
    for key, value in collected._data_dict.items():
        part.set(key, value[torch.from_numpy(of_group)] if key.startswith("rec.") else value)
    return part


def measured(run: Callable) -> tuple:
    """What a run gives, the seconds of the processor that it takes, and the peak of what it allocates."""
    tracemalloc.start()
    start = time.process_time()
    result = run()
    seconds, peak = time.process_time() - start, tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return result, seconds, peak


def row_of_sizes(confounder) -> str:
    """What q^i and d_u take in a checkpoint, whose rest is parameters and Adagrad's sums of two halves, in float32."""
    from recbole_decrs.plain_data import encode, encode_confounder

    n_users, n_items = len(confounder.n_clicks), confounder.sparse_membership.shape[0]
    dense = megabytes([torch.from_numpy(getattr(confounder, name)) for name in MATRICES])
    before = megabytes([encode(getattr(confounder, f"sparse_{name}")) for name in MATRICES])
    now = megabytes([encode_confounder(confounder)[name] for name in MATRICES])
    halves = 2 * 2 * 4 * (EMBEDDING_SIZE + 1) * (n_users + n_items) / 1e6
    shares = " | ".join(f"{size / (size + halves):.0%}" for size in (before, now))
    return f"| {n_users:,} | {dense:.1f} | {before:.1f} | {now:.1f} | {shares} |"


def megabytes(content) -> float:
    """The size of a file of plain data."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "content"
        torch.save(content, path)
        return path.stat().st_size / 1e6


if __name__ == "__main__":
    main()
