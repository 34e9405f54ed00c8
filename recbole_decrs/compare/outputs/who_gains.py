"""Tests who gains more by DecRS than other users: those with more drift, fewer clicks, more drift at like length."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from recbole_decrs.compare.methods import title
from recbole_decrs.compare.outputs.drift_bins import THIRDS, groups_of
from recbole_decrs.compare.outputs.output import Output, register_output
from recbole_decrs.compare.paired import differences_by_user
from recbole_decrs.compare.results import Results
from recbole_decrs.compare.significance import group_difference, holm
from recbole_decrs.evaluator.report import title_of
from recbole_decrs.tables import as_markdown

PAIRS = (("decrs", "backbone"), ("ensemble", "backbone"), ("decrs", "ensemble"))
"""The gains: of DecRS, of two conventional models fused in the same way, and of the one over the other."""


def opposed_groups(drifts: pd.DataFrame, thresholds: list[float]) -> Iterator[tuple[str, pd.Series, pd.Series]]:
    """Set some users against others: who they are in words, and the ids of both.

    Args:
        drifts: see :func:`~recbole_decrs.compare.drifts.drifts_of`; of the test users alone.
        thresholds: of eta_u, above which users are set against the rest, as Table 4 of the paper parts them.
    """
    users = drifts["user"]
    for threshold in sorted(thresholds):
        above = drifts["eta"] > threshold
        yield f"drift over {threshold:g} - at most {threshold:g}", users[above], users[~above]
    parts = {(split, name): part["user"] for split, name, part in groups_of(drifts, thresholds)}
    by_length = [(name, members) for (split, name), members in parts.items() if split == "clicks"]
    if by_length:
        name, fewest = by_length[0]
        yield f"{name} clicks, the fewest - more", fewest, users[~users.isin(fewest)]
    like = (parts.get(("eta at like length", name)) for name in (THIRDS[-1], THIRDS[0]))
    yield "high drift - low, at like history length", *like
    beyond = (parts["beyond chance", answer] for answer in ("yes", "no"))
    yield "drift beyond chance - not", *beyond


def who_gains_frame(results: Results) -> pd.DataFrame:
    """Test in each metric of the longest list if gains are larger among some users than among others.

    Returns:
        A row for each backbone, metric, opposed groups and pair of methods: ``users`` and ``others``, how many they
        are; ``difference``, the mean gain of the former less that of the latter, its 95% interval ``low`` and ``high``,
        ``p``, and ``p_holm``, corrected over all rows. Groups with fewer than two users are left out.
    """
    rows = []
    metrics = [metric for metric in results.metrics if metric.endswith(f"@{results.longest_list}")]
    for backbone, names in results.methods.items():
        for metric in metrics:
            for name, opponent in (pair for pair in PAIRS if set(pair) <= set(names)):
                users, differences = differences_by_user(results, backbone, name, opponent, metric)
                if not len(differences):
                    continue
                tested = results.drifts[results.drifts["user"].isin(users)]
                for group, *members in opposed_groups(tested, results.thresholds):
                    inside = [np.isin(users, one) for one in members]
                    found = group_difference(differences, *inside)
                    if not np.isnan(found.mean):
                        counts = [int(one.sum()) for one in inside]
                        rows.append([backbone, metric, group, name, opponent, *counts, *found[:4]])
    columns = ["backbone", "metric", "group", "method", "against", "users", "others", "difference", "low", "high", "p"]
    frame = pd.DataFrame(rows, columns=columns)
    return frame.assign(p_holm=holm(frame["p"].tolist()))


def who_gains_text(results: Results, frame: pd.DataFrame) -> str:
    """Write a table for each backbone and metric, a row for each pair of groups, and what is left once corrected."""
    tables = []
    for (backbone, metric), part in frame.groupby(["backbone", "metric"], sort=False):
        pairs = part[["method", "against"]].drop_duplicates().itertuples(index=False, name=None)
        of_pairs = {pair: part[(part["method"] == pair[0]) & (part["against"] == pair[1])] for pair in pairs}
        rows = []
        for group, of_group in part.groupby("group", sort=False):
            cells = [str(count) for count in of_group.iloc[0][["users", "others"]]]
            for of_pair in of_pairs.values():
                row = of_pair.set_index("group").loc[group]
                p = "" if np.isnan(row["p"]) else f" p {row['p']:.3f}"
                cells.append(f"{row['difference']:+.4f} [{row['low']:+.4f}, {row['high']:+.4f}]{p}")
            rows.append([group, *cells])
        gains = [f"{title(backbone, name)} - {title(backbone, against)}" for name, against in of_pairs]
        head = f"{title_of(metric)}, {backbone}: the gain of some users less that of others"
        tables.append(f"{head}\n\n{as_markdown(rows, ['', 'users', 'others', *gains])}")
    said = ["Mean gains, with 95% intervals over users and seeds."]
    left = frame["p_holm"].dropna()
    if len(left):
        below = f"{(left < 0.05).sum()} of {len(left)} p-values of all metrics are below 0.05 once corrected by Holm"
        said.append(f"{below} (who_gains.csv).")
    return "\n\n".join([*tables, " ".join(said)]) + "\n"


def _lacks(results: Results) -> str | None:
    if results.drifts is None:
        return "there is no drift without groups and times, and nothing to compare in one method"
    if not any(set(pair) <= set(names) for pair in PAIRS for names in results.methods.values()):
        return "it holds DecRS and the ensemble against the backbone, and neither is there"
    return None


register_output(
    Output(
        "who_gains",
        about="tests if gains are larger with more drift, fewer clicks, more drift at like history length",
        numbers=who_gains_frame,
        text=who_gains_text,
        lacks=_lacks,
    )
)
