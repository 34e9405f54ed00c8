"""When a training is stopped: against a slow and obvious median, and in a search."""

import csv
import statistics
from pathlib import Path

import optuna
import pytest
from hypothesis import given
from hypothesis import strategies as st
from optuna.trial import TrialState, create_trial

from recbole_decrs.single_trainer import SingleTrainer
from recbole_decrs.tune import tune
from recbole_decrs.tuning.pruning import FEWEST_EVALUATIONS, FEWEST_TRAININGS, MedianOfHalf, epochs_of, step_of

SCORES = st.lists(st.integers(0, 9), min_size=1, max_size=7)
HALVES = st.lists(SCORES, min_size=1, max_size=2)


def steps(halves):
    return {step_of(half, epoch + 1): score for half, scores in enumerate(halves) for epoch, score in enumerate(scores)}


def slow(others, halves, bigger):
    """The rule in words: behind the median of at least FEWEST_TRAININGS others at the same epoch of the same half."""
    half, scores = len(halves) - 1, halves[-1]
    there = [other[half][len(scores) - 1] for other in others if len(other) > half and len(other[half]) >= len(scores)]
    if len(scores) < FEWEST_EVALUATIONS or len(there) < FEWEST_TRAININGS:
        return False
    median = statistics.median(there)
    return max(scores) < median if bigger else min(scores) > median


@given(st.lists(HALVES, max_size=8), HALVES, st.booleans())
def test_a_training_is_stopped_behind_the_median_of_its_half(others, halves, bigger):
    study = optuna.create_study(direction="maximize" if bigger else "minimize")
    for other in others:
        study.add_trial(create_trial(value=1.0, intermediate_values=steps(other)))
    trial = create_trial(state=TrialState.RUNNING, intermediate_values=steps(halves))
    assert MedianOfHalf().prune(study, trial) == slow(others, halves, bigger)


@given(HALVES)
def test_epochs_are_counted_over_both_halves(halves):
    assert epochs_of(list(steps(halves))) == sum(map(len, halves))


@pytest.mark.parametrize("pruner", [None, "off"])
def test_a_search_stops_what_falls_behind(settings, monkeypatch, pruner):
    def scored(self, valid_data, show_progress=False):
        score = self.config["learning_rate"]
        self._valid_result = {"recall@10": score}
        return score, self._valid_result

    monkeypatch.setattr(SingleTrainer, "_valid_epoch", scored)
    Path("space").write_text("learning_rate choice [0.05,0.04,0.03,0.02,0.01,0.1]\n")
    fixed = settings | {"model": "FM", "dataset": "tiny", "epochs": 6}
    tune("space", "Optuna", None, 9, pruner, "out", None, None, None, 1, "loky", [], fixed)
    with Path("out/trials.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    stopped = {"pruned": FEWEST_EVALUATIONS} if pruner is None else {}
    assert [row["state"] for row in rows] == ["finished"] * 4 + [*(stopped or ["finished"]), "finished"]
    assert [int(row["epochs"]) for row in rows] == [6] * 4 + [*stopped.values()] + [6] * (2 - len(stopped))
    assert [float(row["recall@10"]) for row in rows] == [0.05, 0.04, 0.03, 0.02, 0.01, 0.1]
    assert [path.name for path in Path("out/models").iterdir()] == ["trial-5.pth"]
