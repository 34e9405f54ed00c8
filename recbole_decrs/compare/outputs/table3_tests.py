"""Makes the tests below Table 3: is DecRS better than the others by more than chance?"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from recbole_decrs.compare.methods import title
from recbole_decrs.compare.outputs.output import Output, register_output
from recbole_decrs.compare.paired import differences_by_user
from recbole_decrs.compare.results import Results
from recbole_decrs.compare.significance import few_seeds, holm, p_in_words, paired_difference
from recbole_decrs.evaluator.report import title_of
from recbole_decrs.tables import as_markdown


def differences_frame(results: Results) -> pd.DataFrame:
    """Test DecRS against backbone, best competitor, ``ensemble`` and each list.

    Returns:
        A row for each backbone, metric and opponent; empty without DecRS. The p-values are corrected over all rows
        that have one.

    Raises:
        DecRSError: two methods were measured on different users.
    """
    rows = []
    for backbone, names in results.methods.items():
        if "decrs" not in names:
            continue
        opponents = [("backbone", "backbone"), ("best competitor", results.best_competitor(backbone))]
        opponents += [("ensemble", "ensemble" if "ensemble" in names else None)]
        opponents += [("list", name) for name in results.lists]
        for metric in results.metrics:
            for kind, opponent in opponents:
                if opponent is None:
                    continue
                _, pairs = differences_by_user(results, backbone, "decrs", opponent, metric)
                if len(pairs):
                    rows.append([backbone, metric, kind, opponent, *paired_difference(pairs)])
    columns = ["backbone", "metric", "against", "method", "difference", "low", "high", "p", "seed_share"]
    frame = pd.DataFrame(rows, columns=columns)
    frame.insert(columns.index("p") + 1, "p_holm", holm(frame["p"].tolist()))
    return frame


def differences_text(results: Results, tests: pd.DataFrame) -> list[str]:
    """Write the paragraphs on the tests that stand below Table 3; none without DecRS."""
    if not len(tests):
        return []
    warning = few_seeds(len(results.seeds))
    return [_table(results, tests), _explained(results, tests), *([warning] if warning else [])]


def _table(results: Results, tests: pd.DataFrame) -> str:
    several = len(results.seeds) > 1
    remarks = {"best competitor": " (best competitor)", "list": " (list)"}
    rows = [
        [
            row.backbone,
            title_of(row.metric),
            title(row.backbone, row.method) + remarks.get(row.against, ""),
            f"{row.difference:+.4f}",
            "" if np.isnan(row.low) else f"[{row.low:+.4f}, {row.high:+.4f}]",
            *(_p_cells(row) if several else []),
        ]
        for row in tests.itertuples()
    ]
    headers = ["", "metric", "DecRS against", "difference", "95% interval" if several else "95% interval over users"]
    headers += ["p", "p (Holm)", "seeds' share"] if several else []
    return as_markdown(rows, headers)


def _p_cells(row: Any) -> list[str]:
    share = "-" if np.isnan(row.seed_share) else f"{row.seed_share:.0%}"
    return [*("-" if np.isnan(p) else p_in_words(p, 4) for p in (row.p, row.p_holm)), share]


def _explained(results: Results, tests: pd.DataFrame) -> str:
    """Tell what was tested, and against whom."""
    sentences = []
    if n_tests := tests["p"].notna().sum():
        sentences.append(
            "Two-sided paired tests over users and seeds, both drawn at random, corrected by Holm over the "
            f"{n_tests} p-values of this table; seeds' share: how much of the variance of the "
            "difference is that of training."
        )
    if "list" in tests["against"].tolist():
        sentences.append("A list has no seeds: those of DecRS alone vary.")
    competitors = tests[tests["against"] == "best competitor"].drop_duplicates("backbone")
    if len(competitors):
        chosen = [
            f"{title(row.backbone, row.method)} over {row.backbone} (by {title_of(results.chosen_by[row.backbone][0])})"
            for row in competitors.itertuples()
        ]
        sentences.append(f"The best competitor is the one with the best mean on validation: {', '.join(chosen)}.")
    return " ".join(sentences)


register_output(Output("table3-tests", about="these tests as numbers", numbers=differences_frame))
