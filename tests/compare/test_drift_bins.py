"""The groups of users in which methods are compared, and the differences within them."""

import copy
from collections import Counter
from dataclasses import replace
from itertools import groupby

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recbole_decrs.causal.drift import interest_drift
from recbole_decrs.causal.drift_by_chance import drift_by_chance
from recbole_decrs.compare.drifts import drifts_of
from recbole_decrs.compare.outputs.drift_bins import drift_bins_frame, drift_bins_text, groups_of
from recbole_decrs.making import Data


@settings(deadline=None, max_examples=25)
@given(st.integers(1, 80), st.integers(0, 999))
def test_each_split_has_every_user_once(n, seed):
    rng = np.random.default_rng(seed)
    columns = {"user": rng.permutation(n), "clicks": rng.integers(2, 30, n), "eta": rng.exponential(1, n)}
    drifts = pd.DataFrame({**columns, "p": rng.random(n)})
    for _, groups in groupby(groups_of(drifts, [0.0, 0.5, 1.0]), key=lambda group: group[0]):
        users = pd.concat([part for *_, part in groups])["user"]
        assert sorted(users) == list(range(n))


def test_users_of_a_group_are_what_its_name_says():
    rng = np.random.default_rng(1)
    columns = {"user": np.arange(200), "clicks": rng.integers(2, 90, 200), "eta": rng.exponential(1, 200)}
    drifts = pd.DataFrame({**columns, "p": rng.random(200)})
    found = {(split, name): part for split, name, part in groups_of(drifts, [0.5, 1.0])}
    assert found["eta", "at most 0.5"]["eta"].max() <= 0.5
    assert found["eta", "over 0.5 to 1"]["eta"].between(0.5, 1.0).all()
    assert found["eta", "over 1"]["eta"].min() > 1
    assert found["beyond chance", "yes"]["p"].max() < 0.05
    low, high = (found["eta at like length", name] for name in ("low", "high"))
    assert low["clicks"].mean() == pytest.approx(high["clicks"].mean(), rel=0.05)
    assert low["eta"].max() < high["eta"].mean()


def test_a_backbone_without_decrs_or_without_an_average_is_left_out_of_the_text(whole):
    results, _ = whole
    frame = drift_bins_frame(results)
    for missing in (["decrs"], ["ensemble", "ensemble_equal"]):
        other = frame[~frame["method"].isin(missing) & ~frame["against"].isin(missing)].assign(backbone="NFM")
        text = drift_bins_text(results, pd.concat([frame, other]))
        assert text == drift_bins_text(results, frame)
        assert drift_bins_text(results, other) is None


def test_the_text_has_the_pairs_that_are_there(whole):
    results, _ = whole
    frame = drift_bins_frame(results)
    equal, fused = "Ensemble, equal weights", "DecRS - Ensemble "
    assert equal in drift_bins_text(results, frame)
    assert "Intervention - FM" in drift_bins_text(results, frame)
    gone = frame[~frame["method"].isin(["ensemble", "intervention"]) & (frame["against"] != "ensemble")]
    text = drift_bins_text(results, gone)
    assert f"DecRS - {equal}" in text
    assert fused not in text
    assert "Intervention" not in text


def test_a_user_without_a_value_is_no_user_of_a_group(whole):
    results, _ = whole
    metric = f"recall@{results.longest_list}"
    outcomes = copy.deepcopy(results.outcomes)
    drifts = results.drifts.sort_values("user")
    gone = drifts["user"].to_numpy()[:3]
    for (_, name, _), outcome in outcomes.items():
        if name == "backbone":
            outcome.by_user[metric][np.isin(outcome.by_user["users"], gone)] = np.nan
    found = drift_bins_frame(replace(results, outcomes=outcomes))
    usual = drift_bins_frame(replace(results, drifts=results.drifts[~results.drifts["user"].isin(gone)]))
    columns = ["clicks", "eta", "mean", "difference"]

    def overall(frame):
        rows = frame[(frame["metric"] == metric) & (frame["against"] == "backbone") & (frame["split"] == "eta")]
        weights = rows["users"] / rows["users"].sum()
        return [rows["users"].sum(), *((rows[name] * weights).sum() for name in columns)]

    assert overall(found) == pytest.approx(overall(usual))
    text = drift_bins_text(replace(results, outcomes=outcomes), found)
    assert "nan" not in text


def test_differences_are_those_of_the_users_of_each_group(whole):
    results, folder = whole
    frame = drift_bins_frame(results)
    assert len(pd.read_csv(folder / "drift_bins.csv")) == len(frame)
    metric = f"recall@{results.longest_list}"
    rows = frame[(frame["metric"] == metric) & (frame["method"] == "decrs") & (frame["against"] == "backbone")]
    for split, name, part in groups_of(results.drifts, results.thresholds):
        if part.empty:
            continue
        row = rows[(rows["split"] == split) & (rows["group"] == name)]
        means = []
        for method in ("decrs", "backbone"):
            values = [outcome.by_user for outcome in results.all_seeds("FM", method)]
            means.append(np.mean([value[metric][np.isin(value["users"], part["user"])] for value in values]))
        assert row["difference"].item() == pytest.approx(means[0] - means[1])
        assert row["mean"].item() == pytest.approx(means[1])
        assert row["users"].item() == len(part)
    text = drift_bins_text(results, frame)
    assert (folder / "drift_bins.md").read_text(encoding="utf-8") == text
    assert text.count("by drift beyond chance") == len(frame["metric"].unique())


@pytest.mark.parametrize("parts", ["train", "train+valid"])
def test_drift_by_chance_is_that_of_the_clicks_that_drift_is_measured_on(prepared, parts):
    config, *loaders = prepared(drift_history=parts)
    data = Data(loaders[0].dataset, *loaders)
    known = [data.part] if parts == "train" else [data.part, data.valid._dataset]
    clicks = sorted((click for part in known for click in _timed(part)), key=lambda click: click[2])
    users, items, _ = map(np.array, zip(*clicks, strict=True))
    confounder = data.part.confounder
    about = confounder.sparse_membership, data.part.user_num, config["drift_smoothing"]
    found = drifts_of(data)
    _, p = drift_by_chance(users, items, *about, shuffles=1000)
    assert np.abs(found["p"] - p[found["user"]]).max() < 0.2  # of 100 random orders, which have a deviation of 0.05
    np.testing.assert_allclose(found["eta"], interest_drift(users, items, *about)[0][found["user"]])
    assert set(found["user"]) == {user for user, n in Counter(users.tolist()).items() if n > 1}


def _timed(part):
    return zip(*part.clicks, part.inter_feat[part.time_field].tolist(), strict=True)
