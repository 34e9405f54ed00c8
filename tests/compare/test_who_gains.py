"""Whose gain is larger than that of others."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from recbole_decrs.compare.outputs import OUTPUTS
from recbole_decrs.compare.outputs.who_gains import PAIRS, opposed_groups, who_gains_frame, who_gains_text


def drawn(n=300):
    rng = np.random.default_rng(2)
    columns = {"user": rng.permutation(n), "clicks": rng.integers(2, 90, n), "eta": rng.exponential(1, n)}
    return pd.DataFrame({**columns, "p": rng.random(n)})


def test_groups_are_what_their_names_say():
    drifts = drawn()
    found = opposed_groups(drifts, [1.0, 0.5])
    assert list(found)[:2] == ["drift over 0.5 - at most 0.5", "drift over 1 - at most 1"]
    by_user = drifts.set_index("user")
    for name, (some, others) in found.items():
        assert not set(some) & set(others)
        if "like history length" not in name:
            assert set(some) | set(others) == set(drifts["user"])
    some, others = found["drift over 1 - at most 1"]
    assert by_user.loc[some, "eta"].min() > 1 >= by_user.loc[others, "eta"].max()
    name = next(name for name in found if "the fewest" in name)
    some, others = found[name]
    assert by_user.loc[some, "clicks"].max() < by_user.loc[others, "clicks"].min()
    some, others = found["high drift - low, at like history length"]
    assert by_user.loc[some, "clicks"].mean() == pytest.approx(by_user.loc[others, "clicks"].mean(), rel=0.05)
    assert by_user.loc[some, "eta"].mean() > by_user.loc[others, "eta"].mean()
    some, others = found["drift beyond chance - not"]
    assert by_user.loc[some, "p"].max() < 0.05 <= by_user.loc[others, "p"].min()


def test_groups_with_too_few_users_are_not_set_against_others():
    drifts = drawn(299)
    assert "high drift - low, at like history length" not in opposed_groups(drifts, [1.0])
    assert "high drift - low, at like history length" not in opposed_groups(drawn().assign(eta=1.0), [1.0])
    close = opposed_groups(drifts, [1.0, 1.0000001, 1.0000001])
    assert [name for name in close if "over 1" in name] == [
        "drift over 1 - at most 1",
        "drift over 1.0000001 - at most 1.0000001",
    ]


def test_differences_are_those_of_the_groups_means(whole):
    results, folder = whole
    frame = who_gains_frame(results)
    assert len(pd.read_csv(folder / "who_gains.csv")) == len(frame) > 0
    opposed = opposed_groups(results.drifts, results.thresholds)
    assert set(frame["group"]) <= set(opposed)
    assert set(frame[["method", "against"]].itertuples(index=False, name=None)) == set(PAIRS)
    for row in frame.itertuples():
        means = []
        for members in opposed[row.group]:
            gains = []
            for seed in results.seeds:
                ours, theirs = (results.outcomes["FM", name, seed].by_user for name in (row.method, row.against))
                values = dict(zip(theirs["users"], theirs[row.metric], strict=True))
                gains += [
                    value - values[user]
                    for user, value in zip(ours["users"], ours[row.metric], strict=True)
                    if user in set(members)
                ]
            means.append(np.mean(gains))
        assert row.difference == pytest.approx(means[0] - means[1])
        assert min(row.users, row.others) >= 10
    text = who_gains_text(results, frame)
    assert (folder / "who_gains.md").read_text(encoding="utf-8") == text
    assert "nan" not in text
    assert "p-values of all metrics at 10, " in text


def test_what_it_lacks(whole):
    results, _ = whole
    lacks = OUTPUTS["who_gains"].lacks
    assert lacks(results) is None
    assert "there is no drift" in lacks(replace(results, drifts=None))
    assert "neither is there" in lacks(replace(results, methods={"FM": ["backbone", "calibration"]}))
    alone = replace(results, methods={"FM": ["backbone", "decrs"]}, seeds=results.seeds[:1])
    text = who_gains_text(alone, who_gains_frame(alone))
    assert "Ensemble" not in text
    assert " p " not in text
