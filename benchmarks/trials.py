"""Trains models with many settings, side by side, and keeps their curves on the validation part; no test part is read.

    python benchmarks/trials.py --trials=results/ml-1m/trials.yaml --output=results/ml-1m/trials --jobs=2

The file of trials is a list of settings, each with ``model`` and perhaps ``seed``. A trial writes a CSV file with a row
for each evaluation. What is killed, or stopped by ``--seconds``, goes on from its last epoch when the command is given
again. The command ends with ``best.csv``, the best epoch of each trial beside those that RecBole's rule would have kept
with less patience; ``means.csv``, means over 25 evaluations, which leave most of their luck out; and ``rules.csv``,
what rules of patience would have kept that look at means over the last few evaluations.
"""

import argparse
import csv
import re
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pandas as pd
import torch
import yaml
from recbole.utils import early_stopping

from recbole_decrs.errors import DecRSError, sentence_of
from recbole_decrs.tables import as_markdown

METRICS = ["recall@10", "recall@20", "ndcg@10", "ndcg@20", "ckl@20"]
COLUMNS = ["epoch", "seconds", *METRICS]
PATIENCES = (10, 15, 30)
BLOCK = 25
WINDOWS = (1, 5, 10)


class TimeIsUp(Exception):
    """Ends a trial that is to go on later."""


def name_of(trial: dict) -> str:
    """Name the files of a trial by its settings, without what some file systems do not allow in a name."""
    others = [f"{key}={value}" for key, value in sorted(trial.items()) if key != "model"]
    return re.sub(r"[^\w.=,-]", "", "-".join([trial["model"], *others]).replace("/", "_"))


def label_of(trial: dict) -> str:
    """Name a trial by its settings, as they stand in its file."""
    return ", ".join([trial["model"], *(f"{key}={value}" for key, value in trial.items() if key != "model")])


def files_of(trial: dict, output: str | Path) -> tuple[Path, Path]:
    """Name the checkpoint of a trial, which is there until it is finished, and its curve."""
    return Path(output) / f"{name_of(trial)}.pth", Path(output) / f"{name_of(trial)}.csv"


def train(trial: dict, chosen: argparse.Namespace) -> None:
    """Train a model, or go on, and write a row after each evaluation."""
    from common import quiet

    from recbole_decrs.config import DecRSConfig
    from recbole_decrs.making import make_data, make_model, make_trainer
    from recbole_decrs.randomness import start_anew
    from recbole_decrs.resume import last_path

    quiet()
    began = time.time()
    path, curve = files_of(trial, chosen.output)
    papers_split = {"benchmark_filename": ["train", "valid", "test"], "val_interval": None}
    settings = {
        "data_path": chosen.data_path,
        **(papers_split if chosen.dataset == "ml-1m" else {}),
        "show_progress": False,
        "stopping_step": chosen.patience,
        "epochs": chosen.epochs,
        "checkpoint_dir": chosen.output,
        **{key: value for key, value in trial.items() if key != "model"},
    }
    config = DecRSConfig(trial["model"], chosen.dataset, config_dict=settings)
    data = make_data(config)
    trainer = make_trainer(config, make_model(config, data.part, both=False))
    trainer.saved_model_file = str(path)
    if path.exists() or Path(last_path(str(path))).exists():
        trainer.resume_checkpoint(str(path))

    def row(epoch: int, score: float) -> None:
        found = [f"{trainer._valid_result[name]:.6f}" for name in METRICS]
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


def kept(scores: pd.Series, patience: float) -> int:
    """Find the evaluation, by its place, whose model a training keeps that RecBole's rule of patience ends."""
    best, waited, place = float("-inf"), 0, 0
    for at, score in enumerate(scores):
        best, waited, stop, better = early_stopping(score, best, waited, patience)
        place = at if better else place
        if stop:
            break
    return place


def best_of(name: str, curve: pd.DataFrame) -> dict:
    """Summarise a curve: its best epoch, and the one kept, with its score, for each patience."""
    scores = curve["recall@10"]
    best = curve.iloc[kept(scores, float("inf"))]
    found = {"training": name, "best_epoch": int(best["epoch"]), "epochs": curve["epoch"].max() + 1, **best[METRICS]}
    for patience in PATIENCES:
        at = kept(scores, patience)
        found |= {f"patience_{patience}": curve["epoch"].iloc[at], f"recall@10_{patience}": scores.iloc[at]}
    return found


def means_of(name: str, curve: pd.DataFrame) -> pd.DataFrame:
    """Take the means over each 25 evaluations; ``epoch`` is in their middle, and what is left over is left out."""
    whole = curve.iloc[: len(curve) // BLOCK * BLOCK].reset_index(drop=True)
    means = whole.groupby(whole.index // BLOCK)[["epoch", *METRICS]].mean()
    return means.assign(training=name)[["training", "epoch", *METRICS]]


def rules_of(name: str, curve: pd.DataFrame) -> pd.DataFrame:
    """Find what a training keeps that waits for a gain in the mean of the last ``window`` evaluations.

    ``recall@10`` is that of the epoch it keeps, ``level`` the mean over the 25 evaluations around it, as far as there
    are so many: what the epoch has by luck is left out of it. No rule is seen to go on beyond the end of the trial.
    """
    scores = curve["recall@10"].reset_index(drop=True)
    levels = scores.rolling(BLOCK, center=True, min_periods=1).mean()
    rows = []
    for window in WINDOWS:
        smoothed = scores.rolling(window, min_periods=1).mean()
        for patience in PATIENCES:
            at = kept(smoothed, patience)
            rows.append([name, window, patience, int(curve["epoch"].iloc[at]), scores[at], levels[at]])
    return pd.DataFrame(rows, columns=["training", "window", "patience", "epoch", "recall@10", "level"])


def summarise(trials: list[dict], output: str | Path) -> pd.DataFrame:
    """Write ``best.csv``, ``means.csv`` and ``rules.csv`` of the finished trials, and give the first."""
    best, means, rules = [], [], []
    for trial in trials:
        path, file = files_of(trial, output)
        if not file.exists() or path.exists():
            continue
        curve = pd.read_csv(file).drop_duplicates("epoch", keep="last")  # an epoch is trained twice after a kill
        name = label_of(trial)
        best.append(best_of(name, curve))
        means.append(means_of(name, curve))
        rules.append(rules_of(name, curve))
    frame = pd.DataFrame(best).sort_values("recall@10", ascending=False)
    for name, table in (("best", frame), ("means", pd.concat(means)), ("rules", pd.concat(rules))):
        table.round(6).to_csv(Path(output) / f"{name}.csv", index=False, lineterminator="\n")
    return frame


def train_all(trials: list[dict], chosen: argparse.Namespace) -> bool:
    """Train each trial that is not finished in a process of its own, and say whether all went well."""
    Path(chosen.output).mkdir(parents=True, exist_ok=True)
    files = [files_of(trial, chosen.output) for trial in trials]
    left = [place for place, (path, curve) in enumerate(files) if path.exists() or not curve.exists()]
    with ThreadPoolExecutor(chosen.jobs) as pool:
        ended = pool.map(lambda place: subprocess.run([sys.executable, *sys.argv, f"--only={place}"]), left)
        return not any(process.returncode for process in ended)


def main() -> None:
    """Run the trials that are not finished, then print the table of the finished ones."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", required=True, help="a YAML file")
    parser.add_argument("--output", required=True, help="the folder of the curves")
    parser.add_argument("--dataset", default="ml-1m", help="that has the paper's split")
    parser.add_argument("--data_path", default="dataset")
    parser.add_argument("--jobs", type=int, default=1, help="trials at a time, one thread each")
    parser.add_argument("--seconds", type=float, default=0, help="stop a trial after so many seconds")
    parser.add_argument("--epochs", type=int, default=600)
    parser.add_argument("--patience", type=int, default=60)
    parser.add_argument("--only", type=int, help="train this one trial, by its place")
    chosen = parser.parse_args()
    try:
        if not Path(chosen.trials).is_file():
            raise DecRSError("the file is not there; name one of trials, such as results/ml-1m/trials.yaml")
        trials = yaml.safe_load(Path(chosen.trials).read_text(encoding="utf-8"))
        if not (isinstance(trials, list) and all(isinstance(trial, dict) and "model" in trial for trial in trials)):
            raise DecRSError("a line of it is not a trial; write each as - {model: FM, seed: 2020}, with a model")
        if chosen.only is not None:
            torch.set_num_threads(1)
            train(trials[chosen.only], chosen)
            return
        if not train_all(trials, chosen):
            sys.exit("a trial was not made; what is wrong with it stands above")
        frame = summarise(trials, chosen.output)
        print(as_markdown(frame.round(4).astype(str).values.tolist(), list(frame.columns)))
    except Exception as error:
        sys.exit(f"{chosen.trials}: {sentence_of(error)}")


if __name__ == "__main__":
    main()
