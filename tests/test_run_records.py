"""The record and the card beside a checkpoint, and the table of several runs."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from recbole_decrs import load_data_and_model, run_recbole_decrs
from recbole_decrs.cli import main
from recbole_decrs.runs import table
from recbole_decrs.runs.card import card_of
from recbole_decrs.runs.record import FORMAT
from recbole_decrs.runs.table import read_runs
from trainers import evaluate_again


def refuse(constant):
    raise ValueError(constant)


def record_beside(result):
    """Reads the record as strict JSON, which has neither NaN nor infinity."""
    text = Path(result["saved_model_file"]).with_suffix(".json").read_text(encoding="utf-8")
    return json.loads(text, parse_constant=refuse)


def test_a_record_has_what_the_run_was_and_gave(settings):
    own = settings | {"learning_rate": 0.02, "seed": 7, "save_topk": 3, "epochs": 1}
    result = run_recbole_decrs("DecFM", "tiny", config_dict=own, command="typed")
    record = record_beside(result)
    assert record["format"] == FORMAT
    assert (record["model"], record["dataset"], record["seed"], record["command"]) == ("DecFM", "tiny", 7, "typed")
    for key in ("best_valid_result", "test_result", "conventional_test_result", "drift_alpha", "best_valid_score"):
        assert record[key] == result[key]
    groups = {group.pop("above"): group for group in record["by_drift"]}
    assert groups == {threshold: dict(group) for threshold, group in result["by_drift"].items()}
    assert {"learning_rate": 0.02, "seed": 7, "save_topk": 3}.items() <= record["settings"].items()
    assert not {"drift_alpha", "model", "dataset", "device"} & record["settings"].keys()
    assert record["config"]["drift_alpha"] == 0.2
    assert sum(record["data"]["parts"].values()) == record["data"]["clicks"] == 24 * 12
    assert record["data"]["groups"]["field"] == "genre"
    assert set(record["data"]["files"]) == {"tiny.inter", "tiny.item", "tiny.user"}
    assert record["versions"]["recbole"]
    assert record["seconds"] > 0
    assert [path for path in record["files"].values() if not Path(path).is_file()] == []


def test_a_setting_as_it_is_by_default_has_not_been_changed(settings):
    own = {key: value for key, value in settings.items() if key in ("data_path", "load_col", "group_field")}
    own |= {"numerical_features": settings["numerical_features"], "epochs": 1, "drift_alpha": 0.2, "seed": 2020}
    record = record_beside(run_recbole_decrs("DecFM", "tiny", config_dict=own))
    assert not {"drift_alpha", "seed"} & record["settings"].keys()
    assert {"epochs", "group_field"} <= record["settings"].keys()


def test_what_has_no_value_is_null(settings):
    """A group without users, and C_KL of nobody's history."""
    result = run_recbole_decrs("Pop", "tiny", config_dict=settings | {"drift_thresholds": [99], "epochs": 1})
    assert record_beside(result)["by_drift"] == [{"above": 99, "users": 0, "Pop": {}}]


def test_the_code_of_a_card_loads_its_model(settings):
    result = run_recbole_decrs("DecFM", "tiny", config_dict=settings | {"epochs": 1})
    card = Path(result["saved_model_file"]).with_suffix(".md").read_text(encoding="utf-8")
    for text in (
        "# DecFM on tiny, seed 2020",
        "| **result**, on test ",
        "CKL@10",
        "`tiny.inter`",
        "`genre`",
        "torch 2.",
    ):
        assert text in card
    assert evaluate_again(result["saved_model_file"]) == result["test_result"]
    (code,) = re.findall(r"```python\n(.*?)```", card, re.DOTALL)
    found = {}
    exec(code.replace('.pth"', f'.pth", {{"data_path": {settings["data_path"]!r}}}'), found)
    assert isinstance(found["model"], type(load_data_and_model(result["saved_model_file"], settings)[1]))


@pytest.fixture
def saved(settings):
    """Three runs, a damaged record and files of others."""
    for model, rate, others in (
        ("BPR", 0.01, {}),
        ("BPR", 0.02, {"seed": 7}),
        ("Pop", 0.01, {"metrics": ["Recall", "GAUC"], "valid_metric": "Recall@5"}),
    ):
        run_recbole_decrs(model, "tiny", config_dict=settings | {"epochs": 1, "learning_rate": rate} | others)
    Path("saved/broken.json").write_text('{"format": ')
    Path("saved/foreign.json").write_text("[1, 2]")
    Path("saved/notes.txt").write_text("mine")


def printed(capsys, *arguments):
    capsys.readouterr()
    status = main(["table", *arguments])
    out, err = capsys.readouterr()
    return status, out, err


def test_several_runs_in_one_table(saved, capsys):
    status, out, err = printed(capsys, "saved", "--output=csv")
    assert status == 0
    assert [line.split(" ")[1] for line in err.splitlines()] == ["saved/broken.json", "saved/foreign.json"]
    Path("table.csv").write_text(out)
    frame = pd.read_csv("table.csv")
    assert list(frame["model"]) == ["BPR", "BPR", "Pop"]
    assert {"seed", "learning_rate", "metrics"} <= set(frame)
    assert not {"epochs", "dataset", "data_path"} & set(frame)
    for path in Path("saved").glob("*-*.json"):
        record = json.loads(path.read_text())
        row = frame.set_index("run").loc[str(path.with_suffix(""))]
        assert row["learning_rate"] == record["config"]["learning_rate"]
        for metric, value in record["test_result"].items():
            assert row[metric] == value
    assert frame["gauc"].notna().sum() == 1


def test_what_has_no_value_is_none(settings, capsys):
    for reranker in (None, "calibration"):
        run_recbole_decrs("FM", "tiny", config_dict=settings | {"epochs": 1, "reranker": reranker})
    out = printed(capsys, "saved")[1]
    assert {"none", "calibration"} <= set(out.split())
    assert "nan" not in out


def test_sorted_and_filtered(saved, capsys):
    for metric, ascending in (("Recall@5", False), ("ckl@5", True)):
        Path("table.csv").write_text(printed(capsys, "saved", f"--sort={metric}", "--output=csv")[1])
        values = pd.read_csv("table.csv")[metric.lower()]
        assert list(values.dropna()) == sorted(values.dropna(), reverse=not ascending)
        assert values.isna().tolist() == sorted(values.isna())
    shown = [line for line in printed(capsys, "saved", "--model=bpr", "--learning_rate=2e-2")[1].splitlines() if line]
    parts = [line for line in shown if line.startswith("| run")]
    assert len(shown) == 3 * len(parts)  # a header, a line, the one run
    assert "learning_rate" not in shown[0]
    assert "Recall@5" in shown[0]
    files = [str(path) for path in sorted(Path("saved").glob("BPR-*.json"))]
    _, out, err = printed(capsys, *files, files[0], "saved/notes.txt", "--output=csv")
    assert out.count("\n") == 3
    assert err == ""
    for arguments, message in (
        (["--sort=NDGC@5"], "table: no run has the metric NDGC@5; did you mean NDCG@5"),
        (["--learnin_rate=1"], "table: none of the runs has the key learnin_rate; did you mean learning_rate"),
        (["--model=FM"], "table: none of 3 runs has model=FM; leave one out"),
    ):
        status, out, err = printed(capsys, "saved", *arguments)
        assert (status, out) == (2, "")
        assert message in err.splitlines()[-1]


@given(
    content=st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from(["model", "dataset", "settings", "config", "test_result"]), inner)
        ),
        max_leaves=12,
    ),
    ours=st.booleans(),
)
def test_what_is_no_record_is_left_out(tmp_path_factory, content, ours):
    path = tmp_path_factory.getbasetemp() / "any.json"
    path.write_text(json.dumps({"format": FORMAT, **content} if ours and isinstance(content, dict) else content))
    runs, left_out = read_runs([str(path)])
    assert len(runs) + len(left_out) == 1
    assert all(sentence.endswith("; it is left out") for sentence in left_out)


@pytest.mark.slow
def test_the_command_is_kept_as_it_was_typed(settings):
    Path("tiny.yaml").write_text(yaml.safe_dump({**settings, "dataset": "tiny"}))
    Path("mine.py").write_text("from recbole_decrs.cli import main\n\nmain()\n")
    for program in (["-m", "recbole_decrs.cli"], ["mine.py"]):
        arguments = ["--model=Pop", "--config_files", "tiny.yaml", "--metrics=['Recall', 'CKL']"]
        done = subprocess.run([sys.executable, *program, *arguments], capture_output=True, text=True, check=False)
        assert "next: " in done.stderr, done.stderr
    commands = {json.loads(path.read_text())["command"] for path in Path("saved").glob("*.json")}
    typed = "--model=Pop --config_files tiny.yaml '--metrics=['\"'\"'Recall'\"'\"', '\"'\"'CKL'\"'\"']'"
    assert commands == {f"recbole-decrs {typed}", f"python mine.py {typed}"}


def test_a_card_is_text_whatever_names_are_in_it(settings):
    """Names come from data of anyone's, and a viewer of Markdown makes links, pictures and HTML of what looks so."""
    result = run_recbole_decrs("Pop", "tiny", config_dict=settings | {"epochs": 1})
    record = record_beside(result)
    record["dataset"] = "x<img src=x onerror=alert(1)>"
    record["command"] = "recbole-decrs ```\n<b>"
    record["data"]["groups"]["names"] = ["[free](https://evil.example)", "![](https://evil.example/p.png)", "a\n\n# b"]
    record["settings"] = {"a`b": "``` <b>"}
    record["by_group"] = [{"group": "<b>[x](y)", "users": 3}]
    record["files"]["checkpoint"] = 'saved/"``` <b>.pth'
    card = card_of(record)
    assert "# Pop on x&lt;img src=x onerror=alert(1)&gt;, seed 2020" in card
    assert r"\[free\](https://evil.example), !\[\](https://evil.example/p.png), a # b" in card
    assert r"3 &lt;b&gt;\[x\](y)" in card
    assert "`` a`b ``" in card
    assert "```` ``` <b> ````" in card
    assert "````bash\nrecbole-decrs ```\n<b>\n````" in card
    assert card.count("\n````python\n") == 1
    assert r'"saved/\"``` <b>.pth"' in card


def test_a_table_knows_of_which_metrics_less_is_better(settings, capsys, monkeypatch):
    """A metric of one's own is not known where the table is made, and so its record says it."""
    for model, others in (("BPR", {}), ("Pop", {}), ("LightGCN", {"n_layers": 1})):
        result = run_recbole_decrs(model, "tiny", config_dict=settings | {"epochs": 1} | others)
        assert record_beside(result)["smaller_is_better"] == ["ckl"]
    monkeypatch.setattr(table, "smaller_metrics", [])
    Path("table.csv").write_text(printed(capsys, "saved", "--sort=CKL@5", "--output=csv")[1])
    frame = pd.read_csv("table.csv", dtype=str)
    assert frame["ckl@5"].astype(float).is_monotonic_increasing
    assert set(frame["n_layers"].dropna()) == {"1"}  # no 1.0 beside models without it
