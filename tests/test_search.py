"""A hyper-parameter search in several processes: its trials, what is kept of them, and how it goes on."""

import itertools
import json
import math
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from recbole_decrs.cli import main
from recbole_decrs.search import _name_of
from recbole_decrs.search_space import draws, grid

SPACE = {
    "a": ("choice", [1, 2, 3]),
    "b": ("uniform", [-1.0, 2.0]),
    "c": ("quniform", [1, 9, 2]),
    "d": ("loguniform", [-3.0, 0.0]),
}


@given(st.lists(st.integers(1, 4), min_size=1, max_size=4))
def test_a_grid_has_every_combination_once(sizes):
    space = {f"k{place}": ("choice", list(range(size))) for place, size in enumerate(sizes)}
    trials = grid(space)
    assert [tuple(trial.values()) for trial in trials] == sorted(itertools.product(*map(range, sizes)))
    assert all(list(trial) == list(space) for trial in trials)


@given(st.integers(0, 2**32 - 1), st.integers(1, 30), st.integers(0, 5))
def test_draws_are_in_their_ranges_and_more_of_them_begin_alike(seed, number, more):
    drawn = draws(SPACE, number, seed)
    assert draws(SPACE, number + more, seed)[: len(drawn)] == drawn
    for trial in drawn:
        assert trial["a"] in (1, 2, 3)
        assert -1 <= trial["b"] <= 2
        assert trial["c"] in (0, 2, 4, 6, 8)
        assert math.exp(-3) <= trial["d"] <= 1


def test_what_is_drawn_twice_counts_once():
    assert sorted(trial["a"] for trial in draws({"a": SPACE["a"]}, 50, 1)) == [1, 2, 3]


def test_a_trial_is_known_by_its_settings_in_whatever_order(settings, monkeypatch):
    def name_with(eval_args, learning_rate=0.01):
        return _name_of({**settings, "dataset": "tiny", "eval_args": eval_args, "learning_rate": learning_rate}, [])

    ordered = {"order": "TO", "group_by": "user", "mode": "full"}
    name = name_with(ordered)
    assert name_with(dict(reversed(ordered.items()))) == name
    assert name_with(ordered, 0.02) != name
    monkeypatch.setattr("recbole_decrs.digest.FORMAT", 0)
    assert name_with(ordered) != name


@pytest.mark.slow
def test_two_workers_find_what_one_finds_and_go_on_where_they_were(settings, capsys):
    Path("tiny.yaml").write_text(yaml.safe_dump(settings | {"epochs": 1, "dataset": "tiny", "model": "BPR"}))
    Path("space").write_text("learning_rate choice [0.01,1e30,0.5]\n")
    command = ["tune", "--tool=Hyperopt", "--params_file=space", "--config_files=tiny.yaml", "--workers=2"]
    assert main(command) == 0
    output = capsys.readouterr()
    kept = Path("hyper.result.jsonl")
    rows = filter(None, kept.read_text().splitlines())
    lines = {line["params"]["learning_rate"]: line for line in map(json.loads, rows)}
    assert lines.keys() == {0.01, 1e30, 0.5}
    assert "infinite or not a number" in lines[1e30]["error"]
    best = max((line["best_valid_score"], rate) for rate, line in lines.items() if "error" not in line)[1]
    assert f"best params:  {{'learning_rate': {best}}}" in output.out
    assert " failed: the training loss of BPR is infinite or not a number" in output.err
    assert Path("hyper.result").read_text().count("Test result") == 2

    # A kill has cut the line of 0.5 off; the one that failed is tried again as well.
    kept.write_text("".join(f"{json.dumps(line)}\n" for rate, line in lines.items() if rate != 0.5) + '{"trial": "')
    saved = set(Path("saved").glob("*.pth"))
    assert main(command) == 0
    assert capsys.readouterr().out == output.out
    assert len(set(Path("saved").glob("*.pth")) - saved) == 1

    # What one process finds.
    Path("space").write_text("learning_rate choice [0.01,0.5]\n")
    assert main([*command[:-1], "--output_file=one"]) == 0
    capsys.readouterr()
    assert sorted(Path("one").read_text().split("\n\n")) == sorted(Path("hyper.result").read_text().split("\n\n"))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--tool=Hyperopt", "--algo=bayes"], "--algo=bayes is Hyperopt's, which runs in one process"),
        (["--tool=Hyperopt", "--display_file=a.html"], "--display_file is Hyperopt's"),
        (["--tool=Hyperopt", "--early_stop=3"], "--early_stop is Hyperopt's, which runs in one process"),
        (["--tool=Hyperopt", "--max_evals=1"], "max_evals: a grid tries all of its settings"),
        (["--tool=Ray"], "--tool=Ray starts workers of its own"),
        (["--engine=rays"], "engine: there is no engine rays; did you mean ray?"),
        (["--algo=best"], "--algo must be exhaustive, random or bayes"),
    ],
)
def test_what_several_workers_do_not_do(capsys, arguments, said):
    Path("space").write_text("learning_rate choice [0.01,0.5]\n")
    assert main(["tune", "--params_file=space", "--workers=2", *arguments]) == 2
    assert said in capsys.readouterr().err
