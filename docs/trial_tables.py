"""The tables of trials on validation, for results/ml-1m/trials.md: `python docs/write_results.py` writes them."""

from pathlib import Path
from runpy import run_path

import pandas as pd
import yaml

from recbole_decrs.evaluator.report import title_of
from recbole_decrs.tables import as_markdown

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "results" / "ml-1m"
METRICS = ["recall@10", "recall@20", "ndcg@10", "ndcg@20", "ckl@20"]
ROWS = {"unused_col": "Unawareness", "ips": "IPS"}
"""What a backbone with such a setting is called."""

OF_THE_TRAINING = ("model", "seed", "eval_step", "stopping_step", "epochs", "ips_cap", *ROWS)
"""What is no setting that is searched."""


def search(folder: str, backbone: str) -> str:
    """Tabulate Recall@10 on validation of the first seed, a line for each setting, a column for each model.

    At the right is what a patience of 30, that of the comparison, would have kept of the same trainings.
    """
    best = _of_backbone(folder, "best", backbone).set_index("training")
    label = run_path(str(ROOT / "benchmarks" / "trials.py"))["label_of"]
    cells: dict[str, dict[tuple[str, str], float]] = {}
    for trial in yaml.safe_load((FOLDER / f"{folder}.yaml").read_text(encoding="utf-8")):
        if trial["seed"] == 2020 and label(trial) in best.index:
            model = next((name for key, name in ROWS.items() if key in trial), trial["model"])
            setting = ", ".join(f"{key}={value}" for key, value in trial.items() if key not in OF_THE_TRAINING)
            found = best.loc[label(trial)]
            of_setting = cells.setdefault(setting, {})
            of_setting |= {("", model): found["recall@10"], ("at 30: ", model): found["recall@10_30"]}
    frame = pd.DataFrame.from_dict(cells, orient="index")
    models = [name for name in (backbone, f"Dec{backbone}", *ROWS.values()) if ("", name) in frame]
    frame = frame[[(rule, name) for rule in ("", "at 30: ") for name in models]]
    texts = frame.map("{:.4f}".format, na_action="ignore").fillna("")
    texts = texts.mask(frame == frame.max(), "**" + texts + "**").reset_index().values.tolist()
    return as_markdown(texts, ["Recall@10", *map("".join, frame.columns)])


def trials(folder: str, backbone: str) -> str:
    """Tabulate the best epochs of trials on validation, the best first, of a backbone and its deconfounded model.

    At the right are the epochs that less patience would have kept, with their Recall@10. Trainings of the comparison,
    of which the best epoch alone is known, or its score alone, have a file of their own.
    """
    found = [_of_backbone(folder, name, backbone) for name in ("best", "of-the-comparison")]
    frame = pd.concat(found).sort_values("recall@10", ascending=False)
    columns = [frame["training"], *(frame[metric].map("{:.4f}".format) for metric in METRICS)]
    columns += [
        frame[column].map("{:.0f}".format, na_action="ignore").fillna("") for column in ("best_epoch", "epochs")
    ]
    patiences = [name.removeprefix("patience_") for name in frame if name.startswith("patience_")]
    for patience in patiences:
        pairs = zip(frame[f"patience_{patience}"], frame[f"recall@10_{patience}"], strict=True)
        columns.append([f"{epoch:.0f}: {score:.4f}" if epoch >= 0 else "" for epoch, score in pairs])
    heads = ["best epoch", "epochs", *(f"patience {patience}" for patience in patiences)]
    rows = [list(row) for row in zip(*columns, strict=True)]
    return as_markdown(rows, ["on validation", *map(title_of, METRICS), *heads])


def rules(folder: str, backbone: str) -> str:
    """Tabulate what rules of patience on means over a few evaluations keep, as means over the trials."""
    frame = _of_backbone(folder, "rules", backbone)
    rows = []
    for (window, patience), part in frame.groupby(["window", "patience"]):
        means = part[["recall@10", "level"]].mean()
        least = part["level"].min()
        rows.append(
            [str(window), str(patience), f"{part['epoch'].mean():.0f}", *(f"{one:.4f}" for one in (*means, least))]
        )
    heads = ["evaluations in a mean", "patience", "epoch kept", "Recall@10", "level", "lowest level"]
    return as_markdown(rows, heads)


def _of_backbone(folder: str, name: str, backbone: str) -> pd.DataFrame:
    frame = pd.read_csv(FOLDER / folder / f"{name}.csv")
    return frame[frame["training"].str.partition(",")[0].isin([backbone, f"Dec{backbone}"])]
