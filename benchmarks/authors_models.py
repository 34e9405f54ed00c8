"""What the authors' FM and NFM change against the same setting with RecBole's features and dropout, over some seeds.

Finished runs are kept in a CSV file beside the table; the same command goes on where it was.
"""

import argparse
import itertools
import logging
import shlex
import statistics
import sys
import time
import warnings
from pathlib import Path

import torch
from common import environment, finished, keep

warnings.simplefilter("ignore")
METRICS = [f"{metric}@{k}" for metric in ("recall", "ndcg", "ckl") for k in (10, 20)]
COLUMNS = ["model", "options", "seed", "ranking", *METRICS, "seconds"]
AUTHORS, RECBOLES = "the authors'", "RecBole's"
OPTIONS = {
    AUTHORS: {"group_features": "separate", "mlp_dropout_prob": 0.3},
    RECBOLES: {"group_features": "pooled", "mlp_dropout_prob": None},
}
MODELS = ("DecFM", "DecNFM")


def main() -> None:
    """Run what is missing, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dataset", default="ml-100k")
    parser.add_argument("--data_path", default="dataset")
    parser.add_argument("--output", default="results/ml-100k/authors-models.md")
    parser.add_argument("--seeds", nargs="*", type=int, default=[2020, 2021, 2022])
    parser.add_argument("--stopping_step", type=int, default=10)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--remark", default="", help="on what came out, for the table")
    chosen = parser.parse_args()
    torch.set_num_threads(chosen.threads)
    logging.disable(logging.WARNING)
    from recbole_decrs import run_recbole_decrs

    output = Path(chosen.output)
    output.parent.mkdir(parents=True, exist_ok=True)
    kept = output.with_suffix(".csv")
    done = {(row["model"], row["options"], row["seed"]) for row in finished(kept)}
    for model, seed, options in itertools.product(MODELS, chosen.seeds, OPTIONS):
        if (model, options, str(seed)) in done:
            continue
        start = time.perf_counter()
        settings = {key: getattr(chosen, key) for key in ("data_path", "stopping_step")}
        settings |= {**OPTIONS[options], "seed": seed, "show_progress": False}
        result = run_recbole_decrs(model, chosen.dataset, config_dict=settings)
        keep(kept, COLUMNS, rankings(model, options, seed, result, time.perf_counter() - start))
    write_table(output, finished(kept), chosen)


def rankings(model: str, options: str, seed: int, result: dict, seconds: float) -> list[list[str]]:
    """The rows of the three rankings of a run; the conventional one is the backbone by itself."""
    backbone = model.removeprefix("Dec")
    names = {backbone: "conventional_test_result", f"{model} w/o inference": "deconfounded_test_result"}
    rows = []
    for name, key in {**names, f"{model} fused": "test_result"}.items():
        metrics = [f"{result[key][metric]:.6f}" for metric in METRICS]
        rows.append([model, options, str(seed), name, *metrics, f"{seconds:.0f}"])
    return rows


def write_table(output: Path, rows: list[dict[str, str]], chosen: argparse.Namespace) -> None:
    """One line for each ranking and options, and the differences that the options make."""
    lines = [
        f"# FM and NFM as the authors have them, on {chosen.dataset}",
        "",
        "The paper's setting with `group_features: separate` and, for NFM, `mlp_dropout_prob: 0.3` (the authors'),",
        "and with `pooled` and none (RecBole's); the rest is the same. Mean ± standard deviation over seeds",
        f"{', '.join(map(str, chosen.seeds))}; smaller CKL is better. A difference is of the runs of one seed,",
        f"the authors' less RecBole's. Training ends after {chosen.stopping_step} evaluations without a gain.",
        "",
        f"| ranking | options | {' | '.join(METRICS)} |",
        f"|---|---|{'---|' * len(METRICS)}",
    ]
    for ranking in dict.fromkeys(row["ranking"] for row in rows):
        of_seed = {
            (row["options"], row["seed"]): [float(row[metric]) for metric in METRICS]
            for row in rows
            if row["ranking"] == ranking
        }
        seeds = [seed for options, seed in of_seed if options == AUTHORS]
        values = {options: [of_seed[options, seed] for seed in seeds] for options in OPTIONS}
        values["difference"] = [
            [one - other for one, other in zip(*pair, strict=True)] for pair in zip(*values.values(), strict=True)
        ]
        for label, found in values.items():
            lines.append(f"| {ranking} | {label} | {cells(found, '+' if label == 'difference' else '')} |")
    lines += ["", *([chosen.remark, ""] if chosen.remark else []), environment(), ""]
    lines += [f"command: python {shlex.join(sys.argv)}", ""]
    output.write_text("\n".join(lines), encoding="utf-8")


def cells(values: list[list[float]], sign: str) -> str:
    """Mean and standard deviation of each metric over the seeds."""
    return " | ".join(
        f"{statistics.mean(column):{sign}.4f} ± {statistics.stdev(column):.4f}" for column in zip(*values, strict=True)
    )


if __name__ == "__main__":
    main()
