"""What the benchmarks share: ML-1M with the paper's split, one process, both sides in turn, medians."""

from __future__ import annotations

import argparse
import csv
import logging
import platform
import statistics
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import torch

warnings.simplefilter("ignore")
SETTINGS = {
    "benchmark_filename": ["train", "valid", "test"],
    "embedding_size": 64,
    "train_batch_size": 2048,
    "learner": "adagrad",
    "learning_rate": 0.05,
    "show_progress": False,
    "val_interval": None,
    "checkpoint_dir": "/tmp/recbole_decrs_benchmarks",
}
PLAIN = {
    "group_features": "pooled",
    "bi_batch_norm": False,
    "dropout_prob": 0.0,
    "mlp_dropout_prob": None,
    "embedding_norm_weight": 0,
    "loss_reduction": "mean",
    "embedding_init_std": None,
    "adagrad_initial_accumulator": 0,
}
"""RecBole's FM and NFM: the paper's options off."""


def arguments(description: str, **defaults) -> argparse.Namespace:
    """Command line: where ML-1M is, how many rounds, how many threads."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--data_path", default=defaults.pop("data_path", "dataset"))
    parser.add_argument("--rounds", type=int, default=defaults.pop("rounds", 5))
    parser.add_argument("--threads", type=int, default=2)
    for name, value in defaults.items():
        parser.add_argument(f"--{name}", type=type(value), default=value)
    chosen = parser.parse_args()
    torch.set_num_threads(chosen.threads)
    return chosen


def quiet() -> None:
    """No log lines of RecBole between those of the benchmark."""
    logging.disable(logging.WARNING)


def prepare(model: str, data_path: str, **settings):
    """Configuration and loaders of a model on ML-1M with the paper's split."""
    from recbole_decrs.config import DecRSConfig
    from recbole_decrs.data.preparation import create_dataset, data_preparation

    config = DecRSConfig(model, "ml-1m", config_dict={**SETTINGS, "data_path": data_path, **settings})
    return config, *data_preparation(config, create_dataset(config))


def interleave(
    sides: dict[str, Callable[[], object]], rounds: int, clock: Callable[[], float] = time.perf_counter
) -> dict[str, list[float]]:
    """Seconds of each side, measured in turn, ``rounds`` times after one round that does not count."""
    seconds: dict[str, list[float]] = {name: [] for name in sides}
    for number in range(rounds + 1):
        for name, run in sides.items():
            start = clock()
            run()
            if number:
                seconds[name].append(clock() - start)
    return seconds


def report(seconds: dict[str, list[float]], baseline: str, unit: str = "s") -> None:
    """A table of medians, and how many times faster than the baseline each side is (median of the rounds' ratios)."""
    scale = 1000 if unit == "ms" else 1
    print(f"\n| side | median [{unit}] | times faster than {baseline} | rounds |")
    print("|---|---|---|---|")
    for name, values in seconds.items():
        ratio = statistics.median(base / value for base, value in zip(seconds[baseline], values, strict=True))
        print(f"| {name} | {scale * statistics.median(values):.3f} | {ratio:.2f} | {len(values)} |")
    print(f"\n{environment()}\ncommand: python {' '.join(sys.argv)}")


def finished(kept: Path) -> list[dict[str, str]]:
    """The rows that are in the file of what is done."""
    if not kept.exists():
        return []
    with kept.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def keep(kept: Path, columns: list[str], rows: list[list[str]]) -> None:
    """Add rows to the file of what is done."""
    heading = [] if kept.exists() else [columns]
    with kept.open("a", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\n").writerows(heading + rows)


def environment() -> str:
    """Machine and versions, for the record."""
    import recbole

    cpu = next((line.partition(":")[2].strip() for line in _lines("/proc/cpuinfo") if "model name" in line), "")
    memory = next((int(line.split()[1]) >> 20 for line in _lines("/proc/meminfo") if "MemTotal" in line), 0)
    card = f"{torch.cuda.get_device_name()}, " if torch.cuda.is_available() else ""
    return (
        f"{card}{cpu or platform.machine()}, {memory} GiB, {torch.get_num_threads()} threads, "
        f"Python {platform.python_version()}, torch {torch.__version__}, recbole {recbole.__version__}"
    )


def _lines(path: str) -> list[str]:
    return Path(path).read_text(encoding="utf-8").splitlines() if Path(path).is_file() else []
