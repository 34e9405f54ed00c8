import pandas as pd
import pytest

from recbole_decrs.report.comparison.verdict import headline

COLUMNS = ["against", "method", "metric", "difference", "p_holm"]
BETTER, WORSE, SMALLER = ("recall@20", 0.01, 0.001), ("recall@20", -0.01, 0.001), ("ckl@20", -0.1, 0.001)
NOTHING = ("recall@20", 0.01, 0.06)


def frames_of(backbone, **controls):
    tests = [["backbone", "backbone", *row] for row in backbone]
    rows = [[name, "decrs", *row] for name, rows in controls.items() for row in rows or ()]
    rows += [["backbone", "other_seed", *row] for row in (BETTER, WORSE)]
    return pd.DataFrame(tests, columns=COLUMNS), pd.DataFrame(rows, columns=COLUMNS)


@pytest.mark.parametrize(
    ("backbone", "ensemble", "said"),
    [
        ([NOTHING], [BETTER], "No difference between DecRS and FM is more than chance."),
        ([BETTER], [BETTER], "and better than two FMs averaged (Ensemble: controls.md) in Recall@20."),
        ([SMALLER], [SMALLER], "DecRS is better than FM in CKL@20, by more than chance, and better than two"),
        ([BETTER], [NOTHING], "but it is not better than two FMs averaged (Ensemble: controls.md)"),
        (
            [BETTER],
            [BETTER, ("ndcg@20", -0.1, 0.001)],
            "(Ensemble: controls.md) it is better in Recall@20 and worse in NDCG@20",
        ),
        ([BETTER], None, "without the control ensemble nothing tells if deconfounding is the reason."),
        ([WORSE], [BETTER], "DecRS is worse than FM in Recall@20, by more than chance."),
        ([BETTER, ("ckl@20", 0.1, 0.01)], [], "better in Recall@20 and worse in CKL@20"),
    ],
)
def test_the_headline_goes_by_the_tests(backbone, ensemble, said):
    assert said in headline("FM", *frames_of(backbone, ensemble=ensemble, shuffled=[WORSE]), 3)


@pytest.mark.parametrize(
    ("ensemble", "constant", "said"),
    [
        (
            [BETTER],
            [BETTER],
            "and better than two FMs averaged (Ensemble; Ensemble, constant weight: controls.md) in Recall@20.",
        ),
        (
            [BETTER],
            [NOTHING],
            "but it is not better than two FMs averaged (Ensemble; Ensemble, constant weight: controls.md)",
        ),
        ([BETTER], [BETTER, ("ckl@20", 0.1, 0.001)], "controls.md) it is better in Recall@20 and worse in CKL@20"),
        ([BETTER, SMALLER], [BETTER], "controls.md) in Recall@20."),
        ([WORSE], [NOTHING], "controls.md) and worse in Recall@20, so that the tests do not show"),
        (None, [NOTHING], "but it is not better than two FMs averaged (Ensemble, constant weight: controls.md)"),
    ],
)
def test_decrs_has_to_be_better_than_each_average_of_two(ensemble, constant, said):
    assert said in headline("FM", *frames_of([BETTER], ensemble=ensemble, ensemble_constant=constant), 3)


def test_one_seed_has_no_verdict():
    one = [("recall@20", 0.01, float("nan"))]
    assert headline("FM", *frames_of(one), 1) == "Over FM there is no verdict: one seed tells nothing of training."
