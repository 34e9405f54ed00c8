"""A search by Optuna: what it trains, what it finds, how it goes on, and what it writes."""

import csv
import itertools
import logging
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
import yaml

from kills import Killed, killed_at
from recbole_decrs import DecRSError, run_recbole_decrs
from recbole_decrs.cli import main
from recbole_decrs.tune import tune
from recbole_decrs.tuning import trial


@pytest.fixture
def trainings(monkeypatch):
    """The learning rates of the trainings that are begun, or gone on with."""
    begun, train = [], trial.train

    def remember(trainer, *arguments, **options):
        begun.append(trainer.config["learning_rate"])
        return train(trainer, *arguments, **options)

    monkeypatch.setattr(trial, "train", remember)
    return begun


def searched(space, settings, output="out", algo=None, max_evals=100, workers=1):
    Path("space").write_text("\n".join(space))
    fixed = {"dataset": "tiny", **settings}
    return tune("space", "Optuna", algo, max_evals, None, output, None, None, None, workers, "loky", [], fixed)


def rows(output="out"):
    with Path(output, "trials.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def without_seconds(row):
    return {**row, "seconds": ""}


def same_rows(one, other):
    """Tells if two tables of trials say the same, but for how long they took."""
    return list(map(without_seconds, one)) == list(map(without_seconds, other))


def test_alpha_costs_no_training_and_is_measured_as_by_a_run(settings, trainings):
    alphas = [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.7, 1, 2, 5, 10]
    settings |= {"model": "DecFM", "epochs": 2}
    best = searched(["learning_rate choice [0.01,0.3]", f"drift_alpha choice {alphas}"], settings)
    assert trainings == [0.01, 0.3]
    table = rows()
    assert [(float(row["learning_rate"]), float(row["drift_alpha"])) for row in table] == [
        *itertools.product([0.01, 0.3], alphas)
    ]
    by_setting = {(float(row["learning_rate"]), float(row["drift_alpha"])): float(row["recall@10"]) for row in table}
    for rate, alpha in [(0.01, 0.2), (0.3, 0.5), (0.3, 10)]:
        run = run_recbole_decrs(
            config_dict={**settings, "dataset": "tiny", "learning_rate": rate, "drift_alpha": alpha}
        )
        assert run["best_valid_score"] == by_setting[rate, alpha]
    assert by_setting[best["learning_rate"], best["drift_alpha"]] == max(by_setting.values())


def test_whatever_is_done_after_training_is_measured_as_by_a_run(settings, trainings):
    space = [
        "inference choice ['deconfounded','fused']",
        "fusion_on choice ['probability','logit']",
        "reranker choice [None,'calibration']",
        "reranker_lambda choice [0.5]",
        "drift_alpha choice ['auto',1]",
    ]
    settings |= {"model": "DecFM", "valid_metric": "NDCG@10"}
    searched(space, settings)
    assert len(trainings) == 1
    table = rows()
    assert len(table) == 16
    for row in table[::3] + table[-1:]:
        given = {key: row[key] or None for key in ("inference", "fusion_on", "reranker")}
        alpha = row["drift_alpha"] if row["drift_alpha"] == "auto" else float(row["drift_alpha"])
        more = {"dataset": "tiny", "reranker_lambda": 0.5, "drift_alpha": alpha}
        assert run_recbole_decrs(config_dict=settings | given | more)["best_valid_score"] == float(row["ndcg@10"])


@pytest.mark.parametrize("model", ["DecFM", "BPR"])
def test_the_best_is_found_again_by_a_run_of_its_file(settings, capsys, model):
    Path("tiny.yaml").write_text(yaml.safe_dump(settings | {"dataset": "tiny"}))
    Path("space").write_text("learning_rate choice [0.3,0.01]\nembedding_size quniform 4,8,4\n")
    options = ["--params_file=space", "--config_files=tiny.yaml", f"--model={model}", "--epochs=3"]
    assert main(["tune", *options, "--algo=random", "--max_evals=3"]) == 0
    output = capsys.readouterr()
    best = run_recbole_decrs(config_file_list=[f"tune/{model}-tiny/best.yaml"])
    assert best["best_valid_score"] == max(float(row["recall@10"]) for row in rows(f"tune/{model}-tiny"))
    assert best["table"] in output.out
    # A line for each trial, and no more of the trainings.
    lines = output.err.splitlines()
    assert len([line for line in lines if line.startswith("trial ")]) == len(rows(f"tune/{model}-tiny"))
    assert len(lines) <= len(rows(f"tune/{model}-tiny")) + 5
    assert not Path("hyper.result").exists()


@pytest.mark.parametrize("algo", ["exhaustive", "bayes"])
@pytest.mark.parametrize("place", [1, 5, 8])
def test_after_a_kill_it_goes_on_and_repeats_nothing(settings, monkeypatch, trainings, algo, place):
    space = ["learning_rate choice [0.01,0.1,0.3]", "drift_alpha uniform 0,1"]
    settings |= {"model": "DecFM"}
    searched(space, settings, "whole", algo, 3)
    whole, trained = rows("whole"), trainings.copy()
    trainings.clear()
    with monkeypatch.context() as patch:
        killed_at(patch, place, before=False)
        with pytest.raises(Killed):
            searched(space, settings, "cut", algo, 3)
    cut = trainings[-1]
    trainings.clear()
    searched(space, settings, "cut", algo, 3)
    assert same_rows(rows("cut"), whole)
    assert Path("cut/best.yaml").read_bytes() == Path("whole/best.yaml").read_bytes()
    assert trainings == trained[trained.index(cut) :]
    trainings.clear()
    searched(space, settings, "cut", algo, 3)
    assert trainings == []
    assert same_rows(rows("cut"), whole)


@pytest.mark.parametrize("model", ["DecFM", "BPR"])
def test_a_trial_whose_checkpoint_is_damaged_is_trained_anew(settings, monkeypatch, caplog, model):
    space, handlers = ["learning_rate choice [0.01,0.3]"], logging.getLogger().handlers[:]
    searched(space, settings | {"model": model}, "whole")
    with monkeypatch.context() as patch:
        killed_at(patch, 2, before=False)
        with pytest.raises(Killed):
            searched(space, settings | {"model": model}, "cut")
    for file in Path("cut/models").glob("trial-*.pth"):
        file.write_bytes(b"damaged")
    searched(space, settings | {"model": model}, "cut")
    assert "the trial is trained anew" in caplog.text
    assert same_rows(rows("cut"), rows("whole"))
    assert logging.getLogger().handlers == handlers


def test_where_less_is_better_the_least_is_best(settings):
    best = searched(["learning_rate choice [0.01,0.3]"], settings | {"model": "DecFM", "valid_metric": "CKL@10"})
    assert best == {"learning_rate": min((float(row["ckl@10"]), float(row["learning_rate"])) for row in rows())[1]}


def test_a_terminal_has_one_bar_with_the_best_so_far(settings, capsys, monkeypatch):
    monkeypatch.setattr("recbole_decrs.tuning.progress.is_watched", lambda: True)
    searched(["learning_rate choice [0.01,0.3]"], settings | {"model": "BPR"})
    said = capsys.readouterr().err
    assert "2/2 trials" in said
    assert "0 pruned, best Recall@10 0." in said
    assert "trial 1 (" not in said


def test_more_trials_are_added_to_those_before(settings, trainings):
    space = ["learning_rate loguniform -6,-1"]
    searched(space, settings | {"model": "BPR"}, algo="random", max_evals=2)
    before = rows()
    searched(space, settings | {"model": "BPR"}, algo="random", max_evals=4)
    assert rows()[:2] == before
    assert len(rows()) == len(set(trainings)) == len(trainings) == 4


def test_what_is_suggested_again_is_not_trained_again(settings, trainings):
    searched(["learning_rate choice [0.01,0.3]"], settings | {"model": "BPR"}, algo="bayes", max_evals=8)
    assert sorted(trainings) == [0.01, 0.3]
    assert len(rows()) == 2


def test_a_trial_that_fails_is_told_and_tried_again(settings, trainings, caplog):
    space = ["learning_rate choice [1e30,0.01]"]
    for _ in range(2):
        searched(space, settings | {"model": "BPR"})
        assert "failed: the training loss of BPR is infinite or not a number" in caplog.text
    assert len(trainings) == 3
    assert sorted(row["state"] for row in rows()) == ["failed", "finished"]


def test_a_line_that_was_cut_off_is_passed_over(settings, trainings):
    searched(["learning_rate choice [0.01]"], settings | {"model": "BPR"})
    with Path("out/trials.journal").open("a", encoding="utf-8") as file:
        file.write('{"op_code":8,"wor')
    Path("out/models/trial-0.pth").unlink()
    searched(["learning_rate choice [0.01]"], settings | {"model": "BPR"})
    assert trainings == [0.01]


@pytest.mark.slow
def test_two_workers_try_the_grid_that_one_tries(settings, capsys):
    space = ["learning_rate choice [0.01,0.3]", "seed choice [1,2]", "drift_alpha choice [0.1,1]"]
    settings |= {"model": "DecFM"}
    best = searched(space, settings, "one")
    assert searched(space, settings, "two", workers=2) == best
    assert same_rows(rows("one"), rows("two"))
    assert Path("one/best.yaml").read_bytes() == Path("two/best.yaml").read_bytes()
    assert [path.name for path in Path("two/models").iterdir()] == [path.name for path in Path("one/models").iterdir()]


@pytest.mark.slow
def test_after_a_kill_workers_end_and_the_same_command_goes_on(settings):
    Path("tiny.yaml").write_text(yaml.safe_dump(settings | {"dataset": "tiny", "model": "BPR", "epochs": 40}))
    Path("space").write_text("learning_rate choice [0.01,0.02,0.03]\n")
    command = [sys.executable, "-m", "recbole_decrs.cli", "tune", "--params_file=space", "--config_files=tiny.yaml"]
    command += ["--workers=2", "--pruner=off", "--stopping_step=100"]
    started = subprocess.Popen([*command, "--output=cut"], stderr=subprocess.DEVNULL)
    end = time.monotonic() + 300
    while not list(Path("cut/models").glob("*.pth")):
        assert time.monotonic() < end
        time.sleep(0.05)
    workers = psutil.Process(started.pid).children(recursive=True)
    started.kill()
    started.wait()
    assert not psutil.wait_procs(workers, timeout=60)[1]
    for output in ("cut", "whole"):
        subprocess.run([*command, f"--output={output}"], check=True, capture_output=True)
    assert sorted(map(without_seconds, rows("cut")), key=str) == sorted(map(without_seconds, rows("whole")), key=str)
    assert sum('"op_code":4' in line for line in Path("cut/trials.journal").read_text().splitlines()) == 3


def test_a_grid_is_tried_whole_or_not_at_all(settings):
    with pytest.raises(DecRSError, match="max_evals: a grid tries all of its 2 settings; take --algo=random for 1"):
        searched(["learning_rate choice [0.01,0.3]"], settings | {"model": "BPR"}, max_evals=1)
