"""What a metric's class says is known wherever metrics are: in the configuration, the collector and the tables."""

import numpy as np
import pandas as pd
import pytest
import torch
from recbole.evaluator.base_metric import LossMetric, TopkMetric

from recbole_decrs import DecRSError, run_recbole_decrs
from recbole_decrs.evaluator import CKL, UserMetric, metric
from recbole_decrs.evaluator.registry import METRICS, NEEDS, title_of
from recbole_decrs.evaluator.report import improvement
from registries import registries_as_before


@pytest.fixture(autouse=True)
def _nothing_stays_registered():
    with registries_as_before():
        yield


class FirstItem(UserMetric):
    """The id of the first item; users with an even id have no value."""

    metric_need = ("rec.items", "rec.users")

    def by_user(self, collected):
        items, users = collected.get("rec.items").numpy(), collected.get("rec.users").numpy()
        return {k: np.where(users % 2, items[:, 0], np.nan) for k in self.topk}


@pytest.mark.parametrize("kind", METRICS.values(), ids=METRICS)
def test_a_metric_says_what_it_is(kind):
    assert set(kind.metric_need) <= set(NEEDS)
    assert kind.__doc__
    assert title_of(f"{kind.__name__.lower()}@10") == f"{kind.__name__}@10"
    assert (improvement(f"{kind.__name__.lower()}@10", 0.5, 0.6) < 0) is kind.smaller


def test_titles_are_the_names_of_classes():
    assert [title_of(name) for name in ("recall@5", "ndcg@5", "hit@5", "itemcoverage@5", "auc", "unknown@5")] == [
        *("Recall@5", "NDCG@5", "Hit@5", "ItemCoverage@5", "AUC", "unknown@5")
    ]


def test_ones_own_is_evaluated_saved_and_shown(settings):
    with pytest.raises(DecRSError, match="FirstItem"):
        run_recbole_decrs("BPR", "tiny", config_dict=settings | {"metrics": ["FirstItem"]})
    assert metric(FirstItem) is FirstItem
    others = {"metrics": ["FirstItem"], "valid_metric": "FirstItem@10", "save_user_metrics": True, "epochs": 1}
    result = run_recbole_decrs("BPR", "tiny", config_dict=settings | others | {"group_field": None})
    assert "FirstItem@10" in result["table"]
    assert result["valid_score_bigger"]
    table = pd.read_csv(result["saved_model_file"].replace(".pth", "-user-metrics.csv"))
    assert table["firstitem@10"].isna().sum() == 12
    assert table["firstitem@10"].mean() == pytest.approx(result["test_result"]["firstitem@10"], abs=1e-3)


def test_a_smaller_value_may_be_better(settings):
    @metric
    class FirstItem(UserMetric):
        smaller = True
        metric_need = ("rec.items",)

        def by_user(self, collected):
            return {k: collected.get("rec.items").numpy()[:, 0] for k in self.topk}

    others = {"metrics": ["FirstItem"], "valid_metric": "FirstItem@10", "epochs": 1}
    assert not run_recbole_decrs("BPR", "tiny", config_dict=settings | others)["valid_score_bigger"]


@pytest.mark.parametrize("made", [list, tuple, torch.as_tensor])
def test_values_may_be_lists(settings, made):
    @metric
    class Ids(UserMetric):
        """The id of the user."""

        metric_need = ("rec.users",)

        def by_user(self, collected):
            return {k: made(collected.get("rec.users").tolist()) for k in self.topk}

    settings |= {"metrics": ["Recall", "Ids"], "save_user_metrics": True}
    result = run_recbole_decrs("DecFM", "tiny", config_dict=settings | {"epochs": 1})
    table = pd.read_csv(result["saved_model_file"].replace(".pth", "-user-metrics.csv"))
    assert table["ids@10"].mean() == pytest.approx(result["test_result"]["ids@10"], abs=1e-3)


@pytest.mark.parametrize(("base", "needs"), [(TopkMetric, set()), (LossMetric, {"rec.score", "data.label"})])
def test_everything_that_a_metric_may_need_is_collected(settings, base, needs):
    """Of ranked lists, and with RecBole's loss metrics of labelled pairs."""
    of_pairs = {"rec.score", "data.label"}
    found = {}

    @metric
    class Everything(base):
        metric_need = tuple(needs or set(NEEDS) - of_pairs)

        def calculate_metric(self, collected):
            found.update({name: collected.get(name) for name in self.metric_need})
            return {"everything@10" if base is TopkMetric else "everything": 1.0}

    others = {"metrics": ["Everything"], "valid_metric": "Everything@10", "epochs": 1}
    if needs:
        others |= {"valid_metric": "Everything", "eval_args": {"mode": "labeled"}, "threshold": {"rating": 5}}
        others |= {"train_neg_sample_args": None}
    run_recbole_decrs("BPR" if not needs else "FM", "tiny", config_dict=settings | others)
    assert set(found) == set(Everything.metric_need)
    assert all(value is not None for value in found.values())
    if not needs:
        n_users = len(found["rec.users"])
        shapes = {"rec.items": 10, "rec.ranked": 10, "rec.topk": 11, "rec.meanrank": 3}
        assert {name: tuple(found[name].shape) for name in shapes} == {
            name: (n_users, width) for name, width in shapes.items()
        }


def test_item_groups_that_a_metric_needs_are_asked_for(prepared):
    @metric
    class Drift(UserMetric):
        metric_need = ("rec.users", "data.user_drift")

    with pytest.raises(DecRSError, match="group_field is not set, and the metric drift needs item groups"):
        prepared("BPR", metrics=["Recall", "Drift"], group_field=None)


def named(name, base=UserMetric, **members):
    return type(name, (base,), members)


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        (named("Recall"), r"there is a metric named recall already, in recbole\.evaluator\.metrics; give the one in"),
        (named("CkL"), r"there is a metric named ckl already, in recbole_decrs\.evaluator\.metrics"),
        (
            named("Mine", metric_need=("rec.item",)),
            "the metric Mine needs rec.item, which nobody collects",
        ),
        (named("Mine", object), "metric takes a subclass of UserMetric, or of RecBole's TopkMetric or LossMetric"),
        (lambda: None, "metric takes a subclass of UserMetric.*; write @metric above such a class"),
        (named("Mine", object, metric_need=(), metric_type=None), "metric takes a subclass of UserMetric"),
    ],
)
def test_one_sentence_for_what_cannot_be_registered(kind, message):
    before = dict(METRICS)
    with pytest.raises(DecRSError, match=message):
        metric(kind)
    assert before == METRICS


def test_a_definition_may_come_again():
    before = dict(METRICS)
    assert metric(CKL) is CKL
    assert before == METRICS


@pytest.mark.parametrize(
    "wrong",
    [
        lambda users: {5: np.zeros(len(users))},
        lambda users: {},
        lambda users: None,
        lambda users: [5, 10],
        lambda users: {k: np.zeros(3) for k in (5, 10)},
        lambda users: dict.fromkeys((5, 10), 0.5),
        lambda users: {k: np.zeros((len(users), 2)) for k in (5, 10)},
    ],
)
def test_what_is_no_value_a_list_is_refused(settings, wrong):
    @metric
    class Mine(UserMetric):
        """A metric of one's own."""

        metric_need = ("rec.users",)

        def by_user(self, collected):
            return wrong(collected.get("rec.users"))

    with pytest.raises(DecRSError, match=r"by_user of the metric Mine must give, for each length in \[5, 10\]"):
        run_recbole_decrs("Pop", "tiny", config_dict=settings | {"metrics": ["Recall", "Mine"]})


def test_a_metric_without_by_user_is_refused():
    empty = type("Empty", (UserMetric,), {"metric_need": ("rec.users",)})
    with pytest.raises(DecRSError, match="the metric Empty has no by_user"):
        empty({"topk": [5], "metric_decimal_place": 4}).by_user(None)


@pytest.mark.parametrize("method", ["__init__", "by_user", "calculate_metric"])
def test_a_method_that_does_not_take_what_it_is_given_is_refused(method):
    def of_none(self):
        """Takes less than a metric is given."""

    before = dict(METRICS)
    told = r"of_none \(.*\.py, line \d+\), a method of a metric, is called with \(self, (config|collected|dataobject)\)"
    with pytest.raises(DecRSError, match=told):
        metric(named("Mine", **{method: of_none}))
    assert before == METRICS


def test_a_wrapped_method_that_does_not_take_it_is_told_when_it_is_called(settings):
    @metric
    class Mine(UserMetric):
        @torch.no_grad()
        def by_user(self):
            return {}

    with pytest.raises(DecRSError, match=r"by_user \(.*\), a method of a metric, is called with \(collected\)"):
        run_recbole_decrs("Pop", "tiny", config_dict=settings | {"metrics": ["Recall", "Mine"]})
