"""Tests who gains more by DecRS than other users: those with more drift, fewer clicks, more drift at like length."""

from __future__ import annotations

import numpy as np
import pandas as pd

from recbole_decrs.compare.methods import title
from recbole_decrs.compare.outputs.drift_bins import LIKE, PAIRS, THIRDS, groups_of
from recbole_decrs.compare.outputs.output import Output, register_output
from recbole_decrs.compare.outputs.pairs import left_once_corrected, tested
from recbole_decrs.compare.paired import differences_by_user
from recbole_decrs.compare.results import Results
from recbole_decrs.compare.significance import FEWEST_USERS, group_difference, holm
from recbole_decrs.evaluator.report import is_smaller_better, title_of
from recbole_decrs.tables import as_markdown


def opposed_groups(drifts: pd.DataFrame, thresholds: list[float]) -> dict[str, tuple[pd.Series, pd.Series]]:
    """Set some users against others: the ids of both, by who they are in words.

    Args:
        drifts: see :func:`~recbole_decrs.compare.drifts.drifts_of`; of the test users alone.
        thresholds: of eta_u, above which users are set against the rest, as Table 4 of the paper parts them.
    """
    users, opposed = drifts["user"], {}
    for threshold in sorted(thresholds):
        above = drifts["eta"] > threshold
        opposed[f"drift over {threshold:.12g} - at most {threshold:.12g}"] = users[above], users[~above]
    parts = {(split, name): part for split, name, part in groups_of(drifts, thresholds)}
    by_length = [(name, part["user"]) for (split, name), part in parts.items() if split == "clicks"]
    if by_length:
        name, fewest = by_length[0]
        opposed[f"{name} clicks (the fewest) - more"] = fewest, users[~users.isin(fewest)]
    high, low = (parts.get(("eta at like length", name)) for name in (THIRDS[-1], THIRDS[0]))
    # Of fewer users the thirds of each length are too unlike in number, so that lengths would not be alike.
    if len(drifts) >= LIKE * len(THIRDS) * FEWEST_USERS and high["eta"].mean() > low["eta"].mean():
        opposed["high drift - low, at like history length"] = high["user"], low["user"]
    beyond = (parts["beyond chance", answer]["user"] for answer in ("yes", "no"))
    opposed["drift beyond chance - not"] = tuple(beyond)
    return opposed


def who_gains_frame(results: Results) -> pd.DataFrame:
    """Test in each metric of the longest list if gains are larger among some users than among others.

    Returns:
        A row for each backbone, metric, opposed groups and pair of methods: ``users`` and ``others``, how many they
        are; ``difference``, the mean gain of the former less that of the latter, its 95% interval ``low`` and ``high``,
        ``p``, and ``p_holm``, corrected over all rows. Users without a value are left out, and so are groups with too
        few users; see :func:`~recbole_decrs.compare.significance.group_difference`.
    """
    rows = []
    metrics = results.longest_metrics
    for backbone, names in results.methods.items():
        users = np.sort(results.all_seeds(backbone, "backbone")[0].by_user["users"])
        drifts = results.drifts[results.drifts["user"].isin(users)]
        opposed = {
            group: [np.isin(users, one) for one in members]
            for group, members in opposed_groups(drifts, results.thresholds).items()
        }
        for metric in metrics:
            for name, opponent in (pair for pair in PAIRS if set(pair) <= set(names)):
                _, differences = differences_by_user(results, backbone, name, opponent, metric)
                if not len(differences):
                    continue
                known = ~np.isnan(differences).any(axis=0)
                for group, members in opposed.items():
                    inside = [one & known for one in members]
                    found = group_difference(differences, *inside)
                    if not np.isnan(found.mean):
                        counts = [int(one.sum()) for one in inside]
                        rows.append([backbone, metric, group, name, opponent, *counts, *found[:4]])
    columns = ["backbone", "metric", "group", "method", "against", "users", "others", "difference", "low", "high", "p"]
    frame = pd.DataFrame(rows, columns=columns)
    return frame.assign(p_holm=holm(frame["p"].tolist()))


def who_gains_text(results: Results, frame: pd.DataFrame) -> str | None:
    """Write a table for each backbone and metric, a row for each pair of groups, and what is left once corrected.

    None where all groups have too few users.
    """
    if frame.empty:
        return None
    tables = []
    for (backbone, metric), part in frame.groupby(["backbone", "metric"], sort=False):
        pairs = [pair for pair, _ in part.groupby(["method", "against"], sort=False)]
        rows = []
        for group, of_group in part.groupby("group", sort=False):
            by_pair = of_group.set_index(["method", "against"])
            counts = by_pair.iloc[0][["users", "others"]]
            rows.append([group, *map(str, counts), *(tested(by_pair.loc[pair]) for pair in pairs)])
        gains = [f"{title(backbone, name)} - {title(backbone, against)}" for name, against in pairs]
        smaller = ", where less is better" if is_smaller_better(metric) else ""
        head = f"{title_of(metric)}{smaller}, {backbone}: what some users gain less what others gain"
        tables.append(f"{head}\n\n{as_markdown(rows, ['', 'users', 'others', *gains])}")
    several = len(results.seeds) > 1
    said = ["Mean differences, with 95% intervals" + (" and p-values" if several else " over users") + "."]
    said += left_once_corrected(frame, f" of all metrics at {results.longest_list}", "who_gains.csv")
    return "\n\n".join([*tables, " ".join(said)]) + "\n"


def _lacks(results: Results) -> str | None:
    if results.why_no_drifts:
        return results.why_no_drifts
    if not any(set(pair) <= set(names) for pair in PAIRS for names in results.methods.values()):
        return "it holds DecRS and two models averaged against the backbone, and neither is there"
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
