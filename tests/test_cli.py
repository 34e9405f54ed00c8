import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from recbole_decrs.arguments import parse
from recbole_decrs.cli import build_parsers, main
from tiny_data import tiny_tables, write_tables

ROOT = Path(__file__).parent.parent


@pytest.fixture
def config_file(settings):
    Path("tiny.yaml").write_text(yaml.safe_dump({**settings, "dataset": "tiny"}))
    return "tiny.yaml"


def test_config_files_and_settings(tmp_path, config_file, capsys):
    Path("more.yaml").write_text("learning_rate: 0.7\nepochs: 1\n")
    arguments = ["--model=BPR", f"--config_files={config_file} more.yaml", "--learning_rate=0.02"]
    assert main(arguments) == 0
    assert "| BPR" in capsys.readouterr().out
    log = next(tmp_path.glob("log/BPR/*.log")).read_text()
    assert "learning_rate = 0.02" in log
    assert "epochs = 1" in log


@pytest.mark.parametrize(("model", "rate"), [("NFM", "1e30"), ("BPR", "1e30"), ("DecFM", "1e30")])
def test_a_training_that_blows_up_has_no_table(config_file, capsys, model, rate):
    assert main([f"--model={model}", f"--config_files={config_file}", f"--learning_rate={rate}"]) == 2
    output = capsys.readouterr()
    assert "Recall@10" not in output.out
    assert "infinite or not a number" in output.err
    assert "lower learning_rate, or set clip_grad_norm" in output.err
    assert "Traceback" not in output.err


@pytest.mark.parametrize("nothing", ["none", "None", "null", "~", ""])
def test_an_option_that_is_undone_has_its_default(nothing):
    _, parsers = build_parsers()
    for parser in parsers.values():
        own = parser.own_options()
        values = {("exclude", "none"), ("separator", "~"), ("group_separator", "~")}
        values |= {(option, text) for option in ("users", "items", "groups") for text in ("none", "null")}
        undone = [name for name in own if (name, nothing.lower()) not in values]
        typed = {"seed_of_another": "1", **dict.fromkeys(undone, nothing)}
        assert parser.take(typed) == parser.parse_args([])
        assert typed == {"seed_of_another": "1"}


@pytest.mark.parametrize(
    ("command", "option", "text", "value"),
    [
        ("recommend", "exclude", "none", "none"),
        ("recommend", "exclude", "None", "none"),
        ("recommend", "separator", "~", "~"),
        ("recommend", "groups", "None", "None"),
        ("recommend", "users", "null", "null"),
        ("recommend", "items", "~", None),
        ("import", "separator", "~", "~"),
        ("import", "group_separator", "~", "~"),
        ("import", "separator", "none", None),
    ],
)
def test_what_undoes_an_option_may_be_a_value_of_another(command, option, text, value):
    _, parsers = build_parsers()
    assert getattr(parsers[command].take({option: text}), option) == value


def test_model_and_dataset_as_recbole_takes_them():
    assert parse(["--model", "FM", "--dataset", "ml-100k", "--seed=1"]) == {
        "model": "FM",
        "dataset": "ml-100k",
        "seed": "1",
    }
    assert parse(["--eval_args={'order': 'TO'}", "--a=b=c"]) == {"eval_args": "{'order': 'TO'}", "a": "b=c"}


@pytest.mark.parametrize(
    ("missing", "message"),
    [
        ("recbole", "error: RecBole is not installed; in a checkout of recbole_decrs: pip install --no-deps -r"),
        ("colorlog", "error: colorlog is not installed, which RecBole or recbole_decrs needs"),
    ],
)
def test_a_package_that_is_not_installed(missing, message):
    code = (
        f"import sys; sys.modules['{missing}'] = None\nfrom recbole_decrs.cli import main\nsys.exit(main(['--seed=1']))"
    )
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True)
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_a_package_that_is_not_installed_from_python():
    code = "import sys; sys.modules['recbole'] = None; import recbole_decrs; recbole_decrs.run_recbole_decrs"
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True)
    assert "ModuleNotFoundError: RecBole is not installed; in a checkout" in done.stderr


UNTIMED = "--load_col={'inter': ['user_id', 'item_id'], 'item': ['item_id', 'genre']}"
ERRORS = {
    "unknown model": (["--model=DecFMM"], "there is no model named DecFMM; did you mean DecFM"),
    "decision tree": (["--model=XGBoost"], "XGBoost is a decision-tree model, which this command does not run"),
    "sequential model at random": (["--model=SASRec", "--eval_args={'order': 'RO'}"], "so order must be TO"),
    "unknown dataset": (["--dataset=tinny"], "did you mean tiny"),
    "group field": (
        ["--group_field=gender"],
        "has no column gender; its columns are item_id, genre, first_genre, price, weights; did you mean genre?",
    ),
    "no group field": (
        ["--group_field=None"],
        "group_field is not set, and DecFM needs item groups; set it to a column of",
    ),
    "no group field for a metric": (["--model=BPR", "--group_field=None"], "the metric ckl needs item groups"),
    "choice": (["--inference=both"], "inference must be one of fused, deconfounded, conventional, not 'both'"),
    "alpha": (["--drift_alpha=-0.5"], "drift_alpha must be a number >= 0 or auto, not -0.5"),
    "no timestamps": (
        [UNTIMED, "--numerical_features=[]", "--eval_args={'order': 'RO'}"],
        "fused inference needs the drift of each user",
    ),
    "order of time": (
        ["--model=BPR", UNTIMED, "--numerical_features=[]", "--eval_args={'order': 'TO'}"],
        "eval_args asks for the order of time",
    ),
    "time field": (
        ["--TIME_FIELD=clock"],
        "tiny.inter has no column clock; its columns are user_id, item_id, rating, timestamp",
    ),
    "interaction features": (
        ["--numerical_features=['rating','height','price']"],
        "the .inter columns rating are features of an interaction",
    ),
    "config file": (["--config_files=none.yaml"], "the config file none.yaml cannot be read"),
    "backbone": (["--backbone_checkpoint=bad.pth"], "the checkpoint bad.pth is truncated or no checkpoint at all"),
    "argument": (["--seed=1", "DecFM"], "cannot read the argument DecFM; write settings as --key=value"),
    "no command": (
        ["DecFM"],
        "there is no command DecFM; the commands are run, compare, import, tune, table, jensen-gap, report, mechanism,",
    ),
    "misspelt command": (["compere"], "there is no command compere; did you mean compare?"),
    "no value": (["--epochs", "3"], "the argument --epochs has no value; write --epochs=VALUE"),
    "twice": (["--epochs=1", "--epochs=2"], "--epochs is given twice"),
    "empty test part": (["--eval_args={'split': {'RS': [0.8, 0.2, 0.0]}}"], "the test part of tiny is empty"),
    "topk": (["--topk=[10,31]"], "topk asks for 31 items, but tiny has 30"),
    "id field": (["--USER_ID_FIELD=nope"], "USER_ID_FIELD: "),
    "time type": (["--TIME_FIELD=item_id"], "column item_id of"),
    "encoding": (["--encoding=foo"], "tiny.inter cannot be read, since there is no encoding named foo"),
    "folder": (["--checkpoint_dir=bad.pth"], "bad.pth is a file; move it away, or name another"),
    "missing file": (["--benchmark_filename=['a','b','c']"], "the parts there are none, of files tiny.PART.inter"),
    "filtered away": (
        ["--val_interval={'rating': '[9,inf)'}"],
        "no row of tiny.inter is left after filtering; loosen val_interval",
    ),
}


@pytest.mark.parametrize("case", ERRORS)
def test_errors_are_one_sentence_with_status_2_and_nothing_is_written(tmp_path, config_file, capsys, case):
    arguments, message = ERRORS[case]
    Path("bad.pth").write_bytes(b"bad")
    before = sorted(tmp_path.iterdir())
    files = (
        []
        if any(argument.startswith("--config_files") for argument in arguments)
        else [f"--config_files={config_file}"]
    )
    assert main([*arguments, *files]) == 2
    error = capsys.readouterr().err.splitlines()[-1]
    assert error.startswith("recbole-decrs: error: ")
    assert message in error
    assert sorted(tmp_path.iterdir()) == before


def test_groups_for_no_item(tmp_path, config_file, capsys):
    tables = tiny_tables()
    tables["item"]["genre:token_seq"] = ""
    write_tables(tmp_path / "data", tables)
    assert main([f"--config_files={config_file}"]) == 2
    assert "no item of" in capsys.readouterr().err


def test_the_script_of_the_checkout(tmp_path, config_file):
    command = [sys.executable, ROOT / "run_recbole_decrs.py", f"--config_files={config_file}", "--epochs=1"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "| DecFM (fused, alpha 0.2)" in done.stdout
    assert "Warning" not in done.stderr
    bad = subprocess.run([*command, "--inference=both"], capture_output=True, text=True, check=False)
    assert bad.returncode == 2
    assert "Traceback" not in bad.stderr


def test_tune(tmp_path, config_file, capsys):
    Path("space.hyper").write_text("learning_rate choice [0.01,0.05]\ndrift_alpha choice [0.2]\n")
    assert (
        main(
            [
                "tune",
                "--tool=Hyperopt",
                "--params_file=space.hyper",
                f"--config_files={config_file}",
                "--epochs=1",
                "--model=DecFM",
            ]
        )
        == 0
    )
    assert "best params:  {'drift_alpha': 0.2, 'learning_rate':" in capsys.readouterr().out
    results = Path("hyper.result").read_text()
    assert results.count("Test result") == 2


TUNE_ERRORS = {
    "no file": ([], "", "tune needs --params_file=FILE"),
    "missing file": (["--params_file=nowhere"], "", "nowhere cannot be read"),
    "undone": (["--params_file=none"], "", "tune needs --params_file=FILE"),
    "kind": (["--params_file=s"], "seed pick [1]", "line 1 of s must be 'name kind values'"),
    "values": (["--params_file=s"], "seed choice [1,", "cannot read the values '[1,'"),
    "code": (["--params_file=s"], "seed choice [__import__('os').getpid()]", "cannot read the values"),
    "range": (["--params_file=s"], "seed uniform 1", "cannot read the values '1'"),
    "exhaustive": (
        ["--params_file=s", "--tool=Hyperopt"],
        "learning_rate uniform 0.1,0.2",
        "a range, which exhaustive search cannot try",
    ),
    "order": (["--params_file=s"], "learning_rate uniform 0.5,0.1", "the low before the high"),
    "bad value": (
        ["--params_file=s"],
        "drift_alpha choice [0.1,-1]",
        "drift_alpha must be a number >= 0 or auto, not -1",
    ),
    "output": (
        ["--params_file=s", "--tool=Hyperopt", "--output_file=none/x"],
        "seed choice [1,2]",
        "--output_file: there is no folder",
    ),
    "twice": (["--params_file=s"], "seed choice [1,2]\nseed choice [3]", "line 2 of s names seed a second time"),
    "fixed": (["--params_file=s", "--seed=1"], "seed choice [1,2]", "--seed fixes what s searches"),
    "tool": (["--params_file=s", "--tool=Grid"], "seed choice [1,2]", "--tool must be Optuna, Hyperopt or Ray"),
    "algo": (["--params_file=s", "--algo=best"], "seed choice [1,2]", "--algo must be exhaustive, random or bayes"),
    "evals": (["--params_file=s", "--max_evals=few"], "seed choice [1,2]", "--max_evals must be a whole number >= 1"),
    "empty": (["--params_file=s"], "# nothing", "holds no line 'name kind values'; write one, such as learning_rate"),
}


@pytest.mark.parametrize("case", TUNE_ERRORS)
def test_tune_errors(capsys, case):
    arguments, text, message = TUNE_ERRORS[case]
    Path("s").write_text(text)
    assert main(["tune", *arguments]) == 2
    assert message in capsys.readouterr().err


def test_a_sentence_is_one_line_whatever_it_quotes(settings, capsys):
    Path("c.yaml").write_text(yaml.safe_dump(settings | {"numerical_features": ["height\n\nprice", "\x1b[2J"]}))
    assert main(["--model=BPR", "--dataset=tiny", "--config_files=c.yaml"]) == 2
    told = capsys.readouterr().err.splitlines()[-1]
    assert told.startswith("recbole-decrs: error: numerical_features")
    assert "\x1b" not in told
    assert "height\\n\\nprice" in told or "\\x1b[2J" in told


def test_an_error_in_a_file_of_ones_own_is_not_said_to_be_the_plugins(monkeypatch, capsys):
    scope = {"__name__": "mine"}
    exec("def fail(*_): raise KeyError('x')", scope)
    monkeypatch.setattr("recbole_decrs.cli._run", scope["fail"])
    assert main([]) == 2
    error = capsys.readouterr().err
    assert "KeyError: 'x'; it is raised in mine, and the traceback is shown by python -X dev" in error
    assert "fault of recbole_decrs" not in error
