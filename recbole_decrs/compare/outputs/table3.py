"""Makes Table 3 of the paper: every method by every metric."""

from __future__ import annotations

import numpy as np
import pandas as pd

from recbole_decrs.compare.methods import METHODS, title
from recbole_decrs.compare.outputs.output import Output, register_output
from recbole_decrs.compare.outputs.spread import deviation
from recbole_decrs.compare.outputs.table3_tests import differences_frame, differences_text
from recbole_decrs.compare.outputs.text import listed
from recbole_decrs.compare.results import Results
from recbole_decrs.evaluator.report import improvement, is_better, is_smaller_better, title_of
from recbole_decrs.tables import as_markdown, percent


def overall_frame(results: Results) -> pd.DataFrame:
    """Compute mean and standard deviation over seeds of each method, list and metric, and mark the best of a backbone.

    A list made elsewhere has no seeds; its row counts one.
    """
    rows = []
    for backbone, names in results.methods.items():
        roles = {name: METHODS[name].role for name in names} | dict.fromkeys(results.lists, "list")
        for metric in results.metrics:
            values = {name: results.values(backbone, name, metric) for name in names}
            values |= {name: [outcome.info["test"][metric]] for name, outcome in results.lists.items()}
            means = {name: float(np.mean(found)) for name, found in values.items()}
            best = names[0]
            for name in means:
                best = name if is_better(metric, means[name] - means[best]) else best
            for name, found in values.items():
                std = deviation(found)
                is_best = means[name] == means[best]  # with what ties
                rows.append([backbone, name, roles[name], metric, means[name], std, len(found), is_best])
    return pd.DataFrame(rows, columns=["backbone", "method", "role", "metric", "mean", "std", "seeds", "best"])


def overall_text(results: Results, overall: pd.DataFrame) -> str:
    """Write a table for each backbone, methods by metrics, best in bold, controls last, and the tests below."""
    parts = []
    for backbone, names in results.methods.items():
        cells = overall[overall["backbone"] == backbone].set_index(["method", "metric"])
        rows, controls = [], []
        for name in names:
            row = [title(backbone, name), *(_cell(cells.loc[(name, metric)]) for metric in results.metrics)]
            row.append(chosen_text(results, backbone, name))
            (controls if METHODS[name].role == "control" else rows).append(row)
            if name == "decrs":
                changes = (
                    improvement(
                        metric, results.mean(backbone, "backbone", metric), results.mean(backbone, name, metric)
                    )
                    for metric in results.metrics
                )
                controls.insert(0, ["%improv.", *(percent(change) for change in changes), ""])
        for name in results.lists:
            controls.append([name, *(_cell(cells.loc[(name, metric)]) for metric in results.metrics), "list"])
        parts.append(as_markdown(rows + controls, [backbone, *map(title_of, results.metrics), "chosen on validation"]))
    several = len(results.seeds) > 1
    seeds = f"{'Mean ± standard deviation over seeds' if several else 'With seed'} {listed(results.seeds)}; "
    if results.has("decrs"):
        controls = any(METHODS[name].role == "control" for names in results.methods.values() for name in names)
        below = " and ".join(["controls"] * controls + ["lists"] * bool(results.lists))
        seeds += "%improv. of DecRS over the backbone, positive where better"
        seeds += f", with {below} below it; " if below else "; "
    smaller = metrics_where_less_is_better(results)
    of_these = f" ({', '.join(smaller)}: smaller is better)" if smaller else ""
    parts.append(f"{seeds}best of all rows in bold{of_these}.")
    return "\n\n".join([*parts, *differences_text(results, differences_frame(results))]) + "\n"


def metrics_where_less_is_better(results: Results) -> list[str]:
    """Name the metrics, without their K, of which less is better: ``CKL``."""
    names = (title_of(metric).partition("@")[0] for metric in results.metrics if is_smaller_better(metric))
    return list(dict.fromkeys(names))


def _cell(row: pd.Series) -> str:
    if np.isnan(row["mean"]):
        return ""
    text = f"{row['mean']:.4f}" + ("" if np.isnan(row["std"]) else f" ± {row['std']:.4f}")
    return f"**{text}**" if row["best"] else text


def chosen_text(results: Results, backbone: str, name: str) -> str:
    """Write the values that were chosen on validation, and the remarks on them."""
    method, infos = METHODS[name], [outcome.info for outcome in results.all_seeds(backbone, name)]
    chosen = [info["chosen"] for info in infos]
    if not method.parameter or None in chosen:
        return ""
    return f"{method.parameter} {listed(chosen)}{method.remark_text(infos)}"


register_output(
    Output(
        "table3",
        about="every method by every metric, with tests of DecRS against others",
        numbers=overall_frame,
        text=overall_text,
    )
)
