"""The metrics of what lists show, as RecBole's evaluator calls them, against loops over users and items."""

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from recbole.evaluator.collector import DataStruct

from collected_lists import collected_of
from recbole_decrs import DecRSError, run_recbole_decrs
from recbole_decrs.evaluator import AggregateGroupCoverage, GroupCoverage, GroupEntropy, PopularityLift, list_groups
from recbole_decrs.evaluator.by_group import results_by_group
from recbole_decrs.evaluator.evaluator import DecRSEvaluator

KINDS = (GroupCoverage, GroupEntropy, AggregateGroupCoverage, PopularityLift)
CONFIG = {"metric_decimal_place": 12, "topk": [3, 1, 5], "metrics": [kind.__name__ for kind in KINDS]}
N_GROUPS = 4


def with_popularity(seed):
    collected, rng = collected_of(seed), np.random.default_rng(seed)
    collected.set("data.item_popularity", rng.integers(1, 9, 9).astype(float))
    profile = rng.random(12) * 8 + 1
    profile[rng.random(12) < 0.2] = np.nan
    collected.set("data.profile_popularity", profile)
    return collected


def slow(collected, k, rows):
    """The metrics of some of the lists, by their definitions."""
    q = collected.get("data.confounder").membership
    popularity, profile = collected.get("data.item_popularity"), collected.get("data.profile_popularity")
    coverage, entropy, seen, gap_p, gap_q = [], [], set(), [], []
    for row in rows:
        user = int(collected.get("rec.users")[row])
        places = [place for place in range(k) if collected.get("rec.ranked")[row, place]]
        items = [int(collected.get("rec.items")[row, place]) for place in places]
        shown = {group for item in items for group in range(N_GROUPS) if q[item, group] > 0}
        seen |= shown
        coverage.append(len(shown) / N_GROUPS)
        total = sum(q[item] for item in items) if items else np.zeros(N_GROUPS)
        shares = [share / total.sum() for share in total if share > 0]
        if shares:
            entropy.append(-sum(share * np.log(share) for share in shares))
        if items and not np.isnan(profile[user]):
            gap_p.append(profile[user])
            gap_q.append(np.mean([popularity[item] for item in items]))
    return {
        "groupcoverage": np.mean(coverage),
        "groupentropy": np.mean(entropy) if entropy else np.nan,
        "aggregategroupcoverage": len(seen) / N_GROUPS,
        "popularitylift": (np.mean(gap_q) - np.mean(gap_p)) / np.mean(gap_p) if gap_p else np.nan,
    }


@given(st.integers(0, 10**6), st.integers(1, 14))
def test_metrics_of_all_users_and_of_groups_are_those_of_the_definitions(seed, users_at_once):
    collected, evaluator = with_popularity(seed), DecRSEvaluator(CONFIG)
    n_lists = len(collected.get("rec.users"))
    half = np.arange(12) % 2 == 0
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(list_groups, "USERS_AT_ONCE", users_at_once)
        found = {"all": (range(n_lists), evaluator.evaluate(collected))}
        by_group = results_by_group(evaluator, {"a": collected}, {"even": half, "odd": ~half})
    for name, members in (("even", half), ("odd", ~half)):
        rows = np.flatnonzero(members[collected.get("rec.users").numpy()])
        if len(rows):
            found[name] = (rows, by_group[name]["a"])
    for rows, metrics in found.values():
        assert len(metrics) == len(KINDS) * 3
        for k in (1, 3, 5):
            for name, value in slow(collected, k, rows).items():
                assert metrics[f"{name}@{k}"] == pytest.approx(value, abs=1e-9, nan_ok=True)


def test_what_is_of_all_lists_together_has_no_value_for_a_user():
    columns = DecRSEvaluator(CONFIG).evaluate_users(with_popularity(3))
    assert {name.partition("@")[0] for name in columns} == {"groupcoverage", "groupentropy"}


@pytest.mark.parametrize("kind", KINDS)
def test_recboles_collector_does_not_do(kind):
    struct = DataStruct()
    struct.set("rec.ranked", torch.ones(3, 3, dtype=torch.bool))
    struct.set("rec.items", torch.tensor([[1]]))
    with pytest.raises(DecRSError, match=f"the metric {kind.__name__} needs the .*RecBole's own Trainer does not"):
        kind(CONFIG).calculate_metric(struct)


@pytest.mark.parametrize("model", ["FM", "SASRec"])
def test_a_run_measures_the_lift_over_the_training_clicks(settings, data_folder, model):
    others = {"metrics": ["PopularityLift"], "valid_metric": "PopularityLift@10", "save_topk": 10, "epochs": 1}
    result = run_recbole_decrs(model, "tiny", config_dict=settings | others | {"group_field": None})
    assert not result["valid_score_bigger"]
    clicks = pd.read_csv(data_folder / "tiny" / "tiny.inter", sep="\t").sort_values("timestamp:float", kind="stable")
    train = clicks.groupby("user_id:token").head(10)  # of 12; one is for validation, one for the test
    popularity = train["item_id:token"].value_counts()
    gap_p = train["item_id:token"].map(popularity).groupby(train["user_id:token"]).mean().mean()
    lists = pd.read_csv(result["saved_model_file"].replace(".pth", "-top10.csv"))
    gap_q = lists["item_id"].map(popularity).fillna(0).groupby(lists["user_id"]).mean().mean()
    assert result["test_result"]["popularitylift@10"] == pytest.approx((gap_q - gap_p) / gap_p, abs=1e-3)
