"""Trains models with many settings, side by side, and keeps their curves on the validation part; no test part is read.

    python benchmarks/trials.py --trials=results/ml-1m/trials.yaml --output=results/ml-1m/trials --jobs=2

The file of trials is a list of settings, each with ``model`` and perhaps ``seed``. A trial writes a CSV file with a row
for each evaluation. What is killed, or stopped by ``--seconds``, goes on from its last epoch when the command is given
again. The command ends with a table: each trial, its best epoch and its score there, the best first.
"""

import argparse
import csv
import subprocess
import sys
import time
from pathlib import Path

import torch
import yaml

COLUMNS = ["epoch", "seconds", "recall@10", "recall@20", "ndcg@10", "ndcg@20", "ckl@20"]


class TimeIsUp(Exception):
    """Ends a trial that is to go on later."""


def name_of(trial: dict) -> str:
    """Name the files of a trial by its settings."""
    others = [f"{key}={value}" for key, value in sorted(trial.items()) if key != "model"]
    return "-".join([trial["model"], *others]).replace("/", "_").replace(" ", "").replace("'", "")


def train(trial: dict, chosen: argparse.Namespace) -> None:
    """Train a model, or go on, and write a row after each evaluation."""
    from common import quiet

    from recbole_decrs.config import DecRSConfig
    from recbole_decrs.making import make_data, make_model, make_trainer
    from recbole_decrs.randomness import start_anew
    from recbole_decrs.resume import last_path

    quiet()
    began = time.time()
    path, curve = (Path(chosen.output) / f"{name_of(trial)}.{ending}" for ending in ("pth", "csv"))
    settings = {
        "data_path": chosen.data_path,
        "benchmark_filename": ["train", "valid", "test"],
        "val_interval": None,
        "show_progress": False,
        "stopping_step": chosen.patience,
        "epochs": chosen.epochs,
        "checkpoint_dir": chosen.output,
        **{key: value for key, value in trial.items() if key != "model"},
    }
    config = DecRSConfig(trial["model"], "ml-1m", config_dict=settings)
    data = make_data(config)
    trainer = make_trainer(config, make_model(config, data.part, both=False))
    trainer.saved_model_file = str(path)
    if path.exists() or Path(last_path(str(path))).exists():
        trainer.resume_checkpoint(str(path))
    elif curve.exists():
        return

    def row(epoch: int, score: float) -> None:
        found = [f"{trainer._valid_result[name]:.6f}" for name in COLUMNS[2:]]
        with curve.open("a", newline="", encoding="utf-8") as file:
            lines = [] if file.tell() else [COLUMNS]
            csv.writer(file, lineterminator="\n").writerows([*lines, [epoch, round(trainer.seconds), *found]])
        if chosen.seconds and time.time() - began > chosen.seconds:
            raise TimeIsUp

    start_anew(config, data.train)
    try:
        trainer.fit(data.train, data.valid, callback_fn=row)
    except TimeIsUp:
        return
    path.unlink()  # a finished trial is its curve


def table(trials: list[dict], output: Path) -> str:
    """Make the table of the trials."""
    found = []
    for trial in trials:
        curve = output / f"{name_of(trial)}.csv"
        if not curve.exists():
            continue
        with curve.open(newline="", encoding="utf-8") as file:
            rows = {int(row["epoch"]): row for row in csv.DictReader(file)}  # of an epoch trained twice, the later
        best = max(rows.values(), key=lambda row: float(row["recall@10"]))
        under_way = "yes" if (output / f"{name_of(trial)}.pth").exists() else ""
        found.append((float(best["recall@10"]), name_of(trial), best, max(rows), under_way))
    lines = ["| trial | R@10 | R@20 | N@10 | N@20 | C_KL@20 | best epoch | epochs | under way |"]
    lines += ["|---|---|---|---|---|---|---|---|---|"]
    for _, name, best, last, under_way in sorted(found, reverse=True, key=lambda one: one[0]):
        numbers = " | ".join(f"{float(best[key]):.4f}" for key in COLUMNS[2:])
        lines.append(f"| {name} | {numbers} | {int(best['epoch']) + 1} | {last + 1} | {under_way} |")
    return "\n".join(lines)


def main() -> None:
    """Run the trials that are not finished, then print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", required=True, help="a YAML file")
    parser.add_argument("--output", required=True, help="the folder of the curves")
    parser.add_argument("--data_path", default="dataset")
    parser.add_argument("--jobs", type=int, default=1, help="trials at a time, one thread each")
    parser.add_argument("--seconds", type=float, default=0, help="stop a trial after so many seconds")
    parser.add_argument("--epochs", type=int, default=600)
    parser.add_argument("--patience", type=int, default=60)
    parser.add_argument("--only", type=int, help="train this one trial, by its place")
    chosen = parser.parse_args()
    trials = yaml.safe_load(Path(chosen.trials).read_text(encoding="utf-8"))
    if chosen.only is not None:
        torch.set_num_threads(1)
        train(trials[chosen.only], chosen)
        return
    Path(chosen.output).mkdir(parents=True, exist_ok=True)
    waiting, running = list(range(len(trials))), []
    while waiting or running:
        running = [process for process in running if process.poll() is None]
        while waiting and len(running) < chosen.jobs:
            command = [sys.executable, *sys.argv, f"--only={waiting.pop(0)}"]
            running.append(subprocess.Popen(command))
        time.sleep(0.5)
    print(table(trials, Path(chosen.output)))


if __name__ == "__main__":
    main()
