"""The commands: their help, how an option is read, and what is said of a mistake before anything is run."""

import inspect
import re
import subprocess
import sys

import pytest

from recbole_decrs.arguments import KEYS
from recbole_decrs.cli import build_parsers, main
from recbole_decrs.commands import COMMANDS, import_, jensen_gap, of_checkpoint, recommend
from recbole_decrs.compare.methods import METHODS
from recbole_decrs.serving.new_clicks import READING
from recbole_decrs.tune import tune

OWN_OPTIONS = {
    "run": [],
    "compare": ["backbones", "methods", "seeds", "output", "lists", "workers", "engine", "dry_run"],
    "import": ["dataset", "data_path", *import_.COLUMNS, *import_.FORMS],
    "tune": [name for name in inspect.signature(tune).parameters if name not in ("config_file_list", "fixed")],
    "table": ["sort", "output"],
    "jensen-gap": ["users", "seed"],
    "report": ["users"],
    "mechanism": ["part", "k", "seed"],
    "recommend": ["users", "all", "clicks", "k", "output", "exclude", "items", "groups", "seed", *recommend.READING],
}
KEYS_SHOWN = {
    "run": list(KEYS),
    "compare": ["dataset", "config_files", "verbose"],
    "import": [],
    "tune": ["model", "dataset", "config_files"],
    "table": [],
    "jensen-gap": list(jensen_gap.KEYS),
    "report": [*of_checkpoint.KEYS, "user_groups"],
    "mechanism": list(of_checkpoint.KEYS),
    "recommend": list(recommend.KEYS),
}


def options_in(text):
    """The options that a help lists, without its usage and text."""
    return [line.split("=")[0].split()[0] for line in text.splitlines() if line.startswith("  --")]


def test_clicks_are_read_by_the_options_that_the_command_declares():
    assert (*recommend.READING, "encoding") == READING


def test_help_and_version(capsys):
    assert main(["--help"]) == 0
    text = capsys.readouterr().out
    assert text.startswith("usage: recbole-decrs [--model=DecFM]")
    assert options_in(text) == ["--version", "--model", "--dataset", "--config_files", "--verbose"]
    assert "as --key=value" in " ".join(text.split())
    for name in COMMANDS:
        assert f"\n    {name} " in text
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.startswith("recbole-decrs 0.")


@pytest.mark.parametrize("name", COMMANDS)
def test_the_help_of_a_command_shows_its_options_alone(capsys, name):
    assert main([name, "--help"]) == 0
    text = capsys.readouterr().out
    assert text.startswith(f"usage: recbole-decrs {name} ")
    assert options_in(text) == [f"--{key}" for key in (*OWN_OPTIONS[name], *KEYS_SHOWN[name])]
    assert build_parsers()[1][name].own_options() == OWN_OPTIONS[name]
    for arguments in (["-h"], ["--x=1", "--help"], ["word", "--epochs", "-h"]):
        assert main([name, *arguments]) == 0
        assert capsys.readouterr().out == text


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_is_documented_with_its_default(name):
    for action in build_parsers()[1][name]._actions:
        assert action.help
        assert action.dest in ("help", "checkpoint", "paths", "params_file", "config_files") or "default" in action.help


def test_the_help_of_compare_names_every_method(capsys):
    main(["compare", "--help"])
    named = set(re.findall(r"\w+", capsys.readouterr().out))
    assert set(METHODS) - named == {"backbone"}


@pytest.mark.parametrize("arguments", [["--help"], ["run", "--help"], ["--version"], ["compere"]])
def test_what_needs_no_model_imports_none(arguments):
    code = f"import sys; from recbole_decrs.cli import main; main({arguments})"
    code += "; print({'torch', 'recbole'} & {*sys.modules})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "set()"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["jensen_gap"], "there is no command jensen_gap; did you mean jensen-gap?"),
        (["model=FM"], "there is no command model=FM; the commands are"),
        (["compere", "--help"], "there is no command compere"),
        (["-x"], "cannot read the argument -x; write settings as --key=value"),
        ([""], "there is no command ; the commands are"),
        (["run", "--epochs", "3"], "the argument --epochs has no value; write --epochs=VALUE"),
        (["run", "compare"], "cannot read the argument compare"),
        (["compare", "FM"], "cannot read the argument FM"),
        (["compare", "--seeds", "3"], "the argument --seeds has no value; write --seeds=VALUE"),
        (["compare", "--seeds=3", "--seeds=4"], "--seeds is given twice, as 3 and as 4; leave one out"),
        (["compare", "--back=FM"], "compare takes no --back; it takes --backbones, --methods,"),
        (["compare", "--workers=0"], "--workers must be a whole number >= 1, not 0"),
        (["compare", "--dry_run=maybe"], "--dry_run must be True or False, not maybe"),
        (["compare", "--output=--"], "--output cannot be --"),
        (["tune", "--algorithm=random"], "tune takes no --algorithm; did you mean --algo?"),
        (["tune", "--early_stop=0"], "--early_stop must be a whole number >= 1, not 0"),
        (["tune", "--max_evals=²"], "--max_evals must be a whole number >= 1, not ²"),
        (["table"], "table needs results of runs, or a folder of them: recbole-decrs table saved/"),
        (["table", "saved", "--output=html"], "--output must be md or csv, not html"),
        (["table", "nowhere"], "table: there is no file or folder nowhere; check its path"),
        (["table", "."], "table: there is no result of a run in .; each run writes one beside its checkpoint"),
        (
            ["recommend", "a.pth"],
            "recommend needs to know to whom: give one, and one alone, of --users=1,5,9, --all=True and --clicks=",
        ),
        (
            ["recommend", "a.pth", "--users=1", "--all=True"],
            "recommend needs to know to whom: give one, and one alone, of",
        ),
        (["recommend", "a.pth", "--users=u.txt"], "users: there is no file u.txt; check its path, or write ids with"),
        (["recommend", "a.pth", "--users=,"], "users: , names none; write ids with commas between"),
        (["recommend", "a.pth", "--users=1", "--exclude=x"], "exclude must be one of history, clicked, none, not 'x'"),
        (["recommend", "a.pth", "--users=1", "--k=0"], "--k must be a whole number >= 1, not 0"),
        (["recommend", "a.pth", "--users=1", "--output=a.txt"], "a.txt must end in .csv or .parquet"),
        (["recommend", "a.pth", "--users=1", "--output=no/a.csv"], "output: there is no folder no; make it first"),
        (["recommend", "a.pth", "--users=1", "--topk=3"], "takes no --topk; it takes users, all, clicks, k"),
        (["recommend", "--users=1"], "recommend needs one checkpoint: recbole-decrs recommend saved/"),
        (["recommend", "a.pth", "--users=1"], "there is no checkpoint a.pth; check its path"),
        (["jensen-gap", "a.pth", "--seed=-1"], "--seed must be a whole number >= 0, not -1"),
        (["jensen-gap", "a.pth", "--checkpoint=b.pth"], "takes no --checkpoint; it takes users, seed, data_path,"),
    ],
)
def test_a_mistake_is_one_sentence(capsys, arguments, message):
    assert main(arguments) == 2
    output = capsys.readouterr()
    assert not output.out
    assert output.err.count("\n") == 1
    assert output.err.startswith("recbole-decrs: error: ")
    assert message in output.err


@pytest.fixture
def compared(monkeypatch):
    """The arguments of run_comparison, which is not run."""
    calls = []
    monkeypatch.setattr("recbole_decrs.compare.run_comparison", lambda **arguments: calls.append(arguments))
    return calls


def test_what_compare_is_asked_for(compared):
    arguments = [
        "--seeds=[1,2]",
        "--backbones=['FM', BPR]",
        "--methods=fairco",
        "--dataset",
        "tiny",
        "--data_path=here",
    ]
    arguments += [
        "--output=a b",
        "--workers=2",
        "--engine=ray",
        "--dry_run",
        "--lists=X=x.csv, Y = y.csv",
        "--config_files=a.yaml b.yaml",
        "--eval_args={'order': 'TO'}",
    ]
    assert main(["compare", *arguments]) == 0
    command = compared[0].pop("command")
    assert command.startswith("recbole-decrs compare '--seeds=[1,2]' ")
    assert "--dataset=tiny '--output=a b'" in command
    assert compared == [
        {
            "backbones": ["FM", "BPR"],
            "dataset": "tiny",
            "methods": ["fairco"],
            "seeds": [1, 2],
            "output": "a b",
            "lists": {"X": "x.csv", "Y": "y.csv"},
            "config_file_list": ["a.yaml", "b.yaml"],
            "command_line": {"data_path": "here", "eval_args": "{'order': 'TO'}"},
            "workers": 2,
            "engine": "ray",
            "dry_run": True,
        }
    ]


@pytest.mark.parametrize(
    ("typed", "program"),
    [
        (["recbole-decrs", "compare"], "recbole-decrs compare"),
        (["mine.py"], "python mine.py"),
        (["run_recbole_decrs.py", "compare"], "python run_recbole_decrs.py compare"),
    ],
)
def test_the_command_of_a_comparison_can_be_typed_again(compared, monkeypatch, typed, program):
    monkeypatch.setattr("sys.argv", [*typed, "--seeds=2"])
    monkeypatch.setattr("__main__.__spec__", None)
    assert main(["compare", "--seeds=2"]) == 0
    assert compared[0]["command"] == f"{program} --seeds=2"


@pytest.mark.parametrize("value", ["", "none", "None", "null", "~"])
def test_an_option_of_compare_that_is_none_is_the_default(compared, value):
    keys = (*OWN_OPTIONS["compare"], "dataset", "config_files")
    assert main(["compare"]) == main(["compare", *(f"--{key}={value}" for key in keys)]) == 0
    for call in compared:
        del call["command"]
    assert compared[0] == compared[1]
    assert compared[0] == {
        "backbones": ["FM", "NFM"],
        "dataset": None,
        "methods": "all",
        "seeds": 3,
        "output": None,
        "lists": {},
        "config_file_list": [],
        "command_line": {},
        "workers": 1,
        "engine": "loky",
        "dry_run": False,
    }
