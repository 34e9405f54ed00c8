"""Every deconfounded model on one dataset: conventional, deconfounded and fused, and the run time, as a table.

Finished models are kept in a CSV file beside the table; the same command goes on where it was. So several of it, each
with its own --models, may share the work.
"""

import argparse
import logging
import shlex
import sys
import time
import warnings
from pathlib import Path

import torch
from common import environment, finished, keep

warnings.simplefilter("ignore")
METRICS = ["recall@20", "ndcg@20", "ckl@20"]
COLUMNS = ["model", "ranking", *METRICS, "seconds"]


def main() -> None:
    """Run what is missing, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dataset", default="ml-100k")
    parser.add_argument("--data_path", default="dataset")
    parser.add_argument("--output", default="results/ml-100k/models.md")
    parser.add_argument("--models", nargs="*")
    parser.add_argument("--epochs", type=int, default=300)
    parser.add_argument("--eval_step", type=int, default=1)
    parser.add_argument("--stopping_step", type=int, default=10)
    parser.add_argument("--seed", type=int, default=2020)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--remark", default="", help="on the machine, for the table")
    chosen = parser.parse_args()
    torch.set_num_threads(chosen.threads)
    logging.disable(logging.WARNING)
    from recbole_decrs import run_recbole_decrs
    from recbole_decrs.model.catalogue import deconfounded_names

    output = Path(chosen.output)
    output.parent.mkdir(parents=True, exist_ok=True)
    kept = output.with_suffix(".csv")
    settings = {key: getattr(chosen, key) for key in ("data_path", "epochs", "eval_step", "stopping_step", "seed")}
    for name in chosen.models or deconfounded_names():
        if any(row["model"] == name for row in finished(kept)):
            continue
        start = time.perf_counter()
        result = run_recbole_decrs(name, chosen.dataset, config_dict={**settings, "show_progress": False})
        keep(kept, COLUMNS, rankings(name, result, time.perf_counter() - start))
    write_table(output, finished(kept), chosen)


def rankings(name: str, result: dict, seconds: float) -> list[list[str]]:
    """The rows of the three rankings of a model."""
    rows = []
    for ranking in ("conventional", "deconfounded", "fused"):
        metrics = result["test_result" if ranking == "fused" else f"{ranking}_test_result"]
        rows.append([name, ranking, *(f"{metrics[key]:.4f}" for key in METRICS), f"{seconds:.0f}"])
    return rows


def write_table(output: Path, rows: list[dict[str, str]], chosen: argparse.Namespace) -> None:
    """One line a model: each metric of the conventional, the deconfounded and the fused ranking."""
    lines = [
        f"# Deconfounded models on {chosen.dataset}",
        "",
        "Conventional / deconfounded / fused (alpha as by default), one seed, the backbones with RecBole's defaults",
        "(FM and NFM with the paper's), nothing tuned: the table does not compare the models with each other.",
        f"At most {chosen.epochs} epochs, validated every {chosen.eval_step}; a run stops after",
        f"{chosen.stopping_step + 1} validations in a row without a gain. Run times are of both models and the test.",
        *([chosen.remark] if chosen.remark else []),
        "",
        "| model | Recall@20 | NDCG@20 | CKL@20 | run time [s] |",
        "|---|---|---|---|---|",
    ]
    for name in sorted({row["model"] for row in rows}, key=str.lower):
        of_model = [row for row in rows if row["model"] == name]
        cells = [" / ".join(row[metric] for row in of_model) for metric in METRICS]
        lines.append(f"| {name} | {' | '.join(cells)} | {of_model[0]['seconds']} |")
    lines += ["", better_than_conventional(rows), "", environment(), "", f"command: python {shlex.join(sys.argv)}", ""]
    output.write_text("\n".join(lines), encoding="utf-8")


def better_than_conventional(rows: list[dict[str, str]]) -> str:
    """In how many models a ranking has the better metric."""
    of = {(row["model"], row["ranking"]): row for row in rows}
    names = {row["model"] for row in rows}
    counts = {"fused": [], "deconfounded": []}
    for ranking, cells in counts.items():
        for metric in METRICS:
            gains = [float(of[name, ranking][metric]) - float(of[name, "conventional"][metric]) for name in names]
            better = sum(gain < 0 if metric.startswith("ckl") else gain > 0 for gain in gains)
            cells.append(f"{metric} {better}")
    lists = "; ".join(f"{ranking}: {', '.join(cells)}" for ranking, cells in counts.items())
    return f"Better than the conventional ranking, of {len(names)} models: {lists}."


if __name__ == "__main__":
    main()
