from dataclasses import replace

import numpy as np
import pytest

from recbole_decrs import DecRSError
from recbole_decrs.compare import Outcome, Results
from recbole_decrs.compare.outputs.table3 import overall_frame, overall_text
from recbole_decrs.compare.outputs.table3_tests import differences_frame
from recbole_decrs.compare.outputs.table5 import operator_frame
from recbole_decrs.compare.outputs.text import listed
from recbole_decrs.compare.significance import few_seeds, holm
from recbole_decrs.report.comparison.verdict import headline

USERS = np.array([3, 5, 8, 9])
LEVELS = {"backbone": 0.30, "calibration": 0.34, "fairco": 0.36, "decrs": 0.40, "ensemble": 0.38}
VALID = {"backbone": 0.1, "calibration": 0.3, "fairco": 0.2, "decrs": 0.4, "ensemble": 0.1}


def outcome(recall, ckl, valid=0.0, seed=0):
    noise = np.random.default_rng(seed).normal(0, 0.01, len(USERS))
    by_user = {"users": USERS, "recall@10": recall + noise, "ckl@10": ckl - noise}
    test = {metric: float(values.mean()) for metric, values in by_user.items() if metric != "users"}
    info = {"test": test, "by_drift": [], "chosen": 0.2, "valid_scores": [[0.1, -1.0], [0.2, valid]]}
    return Outcome(info, by_user)


def results_of(n_seeds, lists=None, methods=tuple(LEVELS), bigger=True):
    """Each method better than those before it, in Recall and in C_KL; FairCo on test, Calibration on validation."""
    seeds = list(range(2020, 2020 + n_seeds))
    outcomes = {
        ("FM", name, seed): outcome(LEVELS[name], 1 - LEVELS[name], VALID[name], seed + 100 * place)
        for place, name in enumerate(methods)
        for seed in seeds
    }
    return Results({"FM": list(methods)}, seeds, outcomes, lists or {}, {"FM": ("ndcg@10", bigger)})


def text_of(results):
    return overall_text(results, overall_frame(results))


def test_the_best_competitor_is_one_for_all_metrics_and_best_on_validation():
    results = results_of(3)
    tests = differences_frame(results)
    assert set(tests[tests["against"] == "best competitor"]["method"]) == {"calibration"}
    assert "best mean on validation: Calibration over FM (by NDCG@10)." in text_of(results)
    assert results_of(3, bigger=False).best_competitor("FM") == "fairco"
    without = results_of(3, methods=("backbone", "decrs"))
    assert without.best_competitor("FM") is None
    assert set(differences_frame(without)["against"]) == {"backbone"}
    assert "best competitor" not in text_of(without)


@pytest.mark.parametrize("operator", ["fm", "fm_all_pairs"])
def test_operators_are_named(operator):
    results = results_of(2, methods=("backbone", "decrs"))
    outcomes = {(*key[:1], "decrs_product", key[2]): one for key, one in results.outcomes.items() if key[1] == "decrs"}
    methods = {"FM": ["backbone", "decrs", "decrs_product"]}
    results = replace(results, methods=methods, outcomes=results.outcomes | outcomes, operators={"FM": operator})
    assert operator_frame(results)["method"].tolist() == ["FM", "DecRS, product", f"DecRS, {operator}"]


def test_values_are_written_as_they_are():
    assert listed([0.25, 1.0, 20231128, "small", 1e-7]) == "0.25, 1, 20231128, small, 1e-07"


def test_a_metric_that_lists_do_not_have_is_empty():
    mine = outcome(0.6, 0.1)
    mine.info["test"]["ckl@10"] = np.nan
    results = results_of(3, {"mine": mine})
    row = next(row for row in text_of(results).splitlines() if row.startswith("| mine "))
    assert row.split("|")[3].strip() == ""
    frame = overall_frame(results)
    assert set(frame[frame["best"]]["method"]) == {"mine", "decrs"}


def test_bold_is_the_best_of_all_rows_with_lists():
    for recall, bold in ((0.6, "mine"), (0.2, "decrs")):
        results = results_of(3, {"mine": outcome(recall, 1 - recall)})
        frame = overall_frame(results)
        assert set(frame[frame["best"]]["method"]) == {bold}
        assert frame.groupby("metric")["best"].sum().eq(1).all()
    rows = text_of(results_of(3, {"mine": outcome(0.6, 0.1)})).splitlines()
    assert next(row for row in rows if row.startswith("| mine ")).count("**") == 4
    assert sum("**" in row for row in rows) == 1


def test_the_metrics_of_which_less_is_better_are_named():
    results = results_of(2)
    assert "best of all rows in bold (CKL: smaller is better)." in text_of(results)
    for one in results.outcomes.values():
        del one.info["test"]["ckl@10"], one.by_user["ckl@10"]
    assert "best of all rows in bold." in text_of(results)


def test_what_stands_below_the_improvement_is_named():
    below = {"calibration": "positive where better; best", "ensemble": "positive where better, with controls below it;"}
    for name, said in below.items():
        assert said in text_of(results_of(2, methods=("backbone", "decrs", name)))
    with_a_list = results_of(2, {"mine": outcome(0.6, 0.1)}, methods=("backbone", "decrs"))
    assert "positive where better, with lists below it;" in text_of(with_a_list)


def test_of_one_user_nothing_is_tested():
    results = results_of(2, methods=("backbone", "decrs"))
    for one in results.outcomes.values():
        one.by_user.update({name: values[:1] for name, values in one.by_user.items()})
    tests, text = differences_frame(results), text_of(results)
    assert tests["p"].isna().all()
    assert "nan" not in text
    assert "Holm over" not in text
    assert (
        headline("FM", tests, tests, n_seeds=2) == "Over FM there is no verdict: of so few users nothing can be told."
    )


def test_lists_are_tested_as_well():
    results = results_of(3, {"mine": outcome(0.6, 0.4), "yours": outcome(0.3, 0.7)})
    tests = differences_frame(results)
    mine = tests[(tests["method"] == "mine") & (tests["metric"] == "recall@10")].iloc[0]
    values = np.array([results.outcomes["FM", "decrs", seed].by_user["recall@10"] for seed in results.seeds])
    assert mine["against"] == "list"
    assert mine["difference"] == pytest.approx((values - results.lists["mine"].by_user["recall@10"]).mean())
    assert len(tests) == 2 * (3 + 2)
    text = text_of(results)
    assert "mine (list)" in text
    assert "A list has no seeds" in text
    assert "A list has no seeds" not in text_of(results_of(3))


def test_users_are_paired_in_whatever_order():
    listed = outcome(0.6, 0.4)
    shuffled = Outcome(listed.info, {key: values[::-1] for key, values in listed.by_user.items()})
    one, other = (differences_frame(results_of(3, {"mine": found})) for found in (listed, shuffled))
    assert one.equals(other)
    others = Outcome(listed.info, {**listed.by_user, "users": USERS + 1})
    with pytest.raises(DecRSError, match="measured on other users"):
        differences_frame(results_of(3, {"mine": others}))


def test_the_family_of_holm_is_stated():
    results = results_of(3, {"mine": outcome(0.6, 0.4)})
    tests = differences_frame(results)
    assert f"corrected by Holm over the {len(tests)} p-values of this table" in text_of(results)
    assert tests["p_holm"].tolist() == holm(tests["p"].tolist())
    assert list(tests)[:8] == ["backbone", "metric", "against", "method", "difference", "low", "high", "p"]


def test_with_one_seed_no_p_value():
    results = results_of(1, {"mine": outcome(0.6, 0.4)})
    tests, text = differences_frame(results), text_of(results)
    assert tests["p"].isna().all()
    assert tests["p_holm"].isna().all()
    assert (tests["low"] < tests["high"]).all()
    assert "| 95% interval over users" in text
    assert "no p-value of one seed speaks of training" in text
    assert "Holm" not in text
    assert "nan" not in text
    assert "p (Holm)" in text_of(results_of(2))


@pytest.mark.parametrize("n_seeds", [1, 2, 4])
def test_few_seeds_are_warned_of(n_seeds):
    assert few_seeds(n_seeds) in text_of(results_of(n_seeds))


def test_enough_seeds_need_no_warning():
    assert "Only" not in text_of(results_of(5))


def test_a_comparison_without_decrs_has_no_tests():
    results = replace(results_of(3), methods={"FM": ["backbone", "calibration"]})
    assert len(differences_frame(results)) == 0
    assert "Holm" not in text_of(results)
