"""What a search by Optuna refuses, in one sentence."""

import importlib.util
from pathlib import Path

import pytest

from recbole_decrs.cli import main

WITH_OPTUNA = pytest.mark.skipif(importlib.util.find_spec("optuna") is None, reason="Optuna is not installed")


def refused(capsys, settings, space, *arguments):
    Path("space").write_text(space)
    given = [f"--{key}={value}" for key, value in ({"model": "BPR", "dataset": "tiny"} | settings).items()]
    assert main(["tune", "--params_file=space", *given, *arguments]) == 2
    return capsys.readouterr().err.splitlines()[-1]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--output_file=a"], "--output_file is Hyperopt's; leave it out, or take --tool=Hyperopt"),
        (["--early_stop=3"], "--early_stop is Hyperopt's"),
        (["--display_file=a.html"], "--display_file is Hyperopt's"),
        (["--tool=Hyperopt", "--output=a"], "--output is Optuna's; leave it out, or take --tool=Optuna"),
        (["--tool=Ray", "--pruner=off"], "--pruner is Optuna's"),
        (["--pruner=hyperband"], "--pruner must be median or off, not hyperband"),
        (["--algo=tpe"], "--algo must be exhaustive, random or bayes, not tpe"),
        (["--engine=rays"], "engine: there is no engine rays; did you mean ray?"),
    ],
)
def test_options_that_do_not_go_together(capsys, settings, arguments, said):
    assert said in refused(capsys, settings, "learning_rate choice [0.1]", *arguments)


def test_without_optuna_one_sentence_says_so(capsys, settings, monkeypatch):
    find = importlib.util.find_spec

    def found(name, *others):
        return None if name == "optuna" else find(name, *others)

    monkeypatch.setattr(importlib.util, "find_spec", found)
    said = refused(capsys, settings, "learning_rate choice [0.1]")
    assert said.endswith("tune needs optuna, which is not installed; pip install optuna, or take --tool=Hyperopt")


@WITH_OPTUNA
@pytest.mark.parametrize(
    ("space", "arguments", "said"),
    [
        ("test_candidates choice ['unseen']", [], "test_candidates changes no score on validation"),
        ("drift_alpha choice [1]", [], "drift_alpha is about two recommenders that are fused, and BPR is one"),
        ("learning_rate uniform 0.1,0.2", ["--algo=exhaustive"], "learning_rate is a range, which exhaustive search"),
        ("learning_rate choice [0.1]", ["--resume=auto"], "resume: tune goes on with its trials by itself; leave it"),
        ("learning_rate choice [0.1]", ["--group_field=genres"], "group_field"),
        ("learning_rate choice [1e30]", [], "every trial failed, the first with: the training loss of BPR is infinite"),
        (
            "reranker choice ['calibration']\nreranker_candidates choice [100,3]",
            [],
            "reranker_candidates: 3 are fewer than the 10 that topk asks for",
        ),
        ("stopping_step uniform 8,16", [], "stopping_step must be a whole number >= 0, not 13.6"),
        ("embedding_size loguniform 16,1024", [], "line 1 of space: the bounds of loguniform are natural logarithms"),
        ("reranker_candidates quniform 20,25,0.5", ["--reranker=calibration"], "a whole number >= 1, not 20.5"),
        ("dropout_prob quniform 0,1,0.6", [], "dropout_prob must be a number in [0, 1], not 1.2"),
        (
            "reranker choice ['none','calibration']\nreranker_candidates uniform 10,25",
            [],
            "reranker_candidates must be a whole number >= 1, not 20.6",
        ),
        (
            "reranker_lambda quniform 0,1,0.6",
            ["--reranker=calibration"],
            "reranker_lambda of calibration must be a number in [0, 1], not 1.2",
        ),
        (
            "learning_rate choice [0.1]",
            ["--eval_args={'split': {'RS': [8, 0, 2]}}"],
            "eval_args: its split leaves no validation part, by which tune chooses; give it one",
        ),
    ],
)
def test_a_search_that_cannot_be_made(capsys, settings, space, arguments, said):
    own = {argument.partition("=")[0].removeprefix("--") for argument in arguments}
    given = {key: value for key, value in settings.items() if key not in own}
    assert said in refused(capsys, given, space, *arguments)
    if not said.startswith("every trial"):
        assert not Path("tune").exists()


@WITH_OPTUNA
def test_a_folder_that_is_not_of_this_search(capsys, settings):
    Path("space").write_text("learning_rate choice [0.01]\n")
    given = [f"--{key}={value}" for key, value in ({"model": "BPR", "dataset": "tiny"} | settings).items()]
    assert main(["tune", "--params_file=space", *given, "--output=out"]) == 0
    capsys.readouterr()
    rate = "learning_rate choice [0.01]"
    said = refused(capsys, settings | {"epochs": 3}, rate, "--output=out")
    assert said.endswith("output: out holds a search with another epochs; give another --output")
    assert "out holds a search in another space" in refused(
        capsys, settings, f"{rate}\nseed choice [1]", "--output=out"
    )
    clicks = Path(settings["data_path"], "tiny", "tiny.inter")
    text = clicks.read_text()
    clicks.write_text("".join(text.splitlines(keepends=True)[:-1]))
    assert "out holds a search of other data; give" in refused(capsys, settings, rate, "--output=out")
    clicks.write_text(text)
    journal = Path("out/trials.journal")
    for broken in ("nonsense\nmore\n", '{"op_code":4,"worker_id":"a"}\n'):
        journal.write_text(broken)
        said = refused(capsys, settings, rate, "--output=out")
        assert "output: out/trials.journal cannot be read as trials" in said
        assert said.endswith("give another --output")
    Path("file").write_text("")
    assert "the folder file" in refused(capsys, settings, rate, "--output=file")


@WITH_OPTUNA
def test_none_is_a_choice_of_what_needs_no_training(capsys, settings):
    Path("space").write_text("reranker choice ['none','calibration']\n")
    given = [f"--{key}={value}" for key, value in ({"model": "BPR", "dataset": "tiny"} | settings).items()]
    interval = "--user_inter_num_interval=[5,30]"  # no list of two numbers
    assert main(["tune", "--params_file=space", "--output=out", *given, interval]) == 0
    assert Path("out/trials.csv").read_text().count("finished") == 2
    capsys.readouterr()
    assert main(["--config_files=out/best.yaml"]) == 0
