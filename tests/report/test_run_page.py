import logging
import shlex
from pathlib import Path

import numpy as np
import pytest

from pages import check_page
from recbole_decrs import run_recbole_decrs
from recbole_decrs.cli import main
from recbole_decrs.evaluator.report import title_of
from recbole_decrs.report.run import amplification, report_path
from recbole_decrs.report.run.of_checkpoint import run_of_checkpoint
from tiny_data import tiny_settings, tiny_tables, write_tables

EVIL = '<script>alert("x")</script><img src=x onerror=y>'


@pytest.fixture
def evil(tmp_path):
    """Settings of data whose titles, groups and ids would be code if they were not escaped."""
    tables = tiny_tables()
    tables["item"]["movie_title:token_seq"] = [f"{EVIL} {number}" for number in range(len(tables["item"]))]
    tables["item"]["genre:token_seq"] = tables["item"]["genre:token_seq"].str.replace("Drama", "</table><b>Drama")
    for table in (tables["inter"], tables["user"]):
        table["user_id:token"] = table["user_id:token"] + "</script><b>"
    return tiny_settings(write_tables(tmp_path / "evil", tables), group_format="space")


def page_after(model, config_dict):
    result = run_recbole_decrs(model, "tiny", config_dict=config_dict | {"report": True})
    path = Path(report_path(result["saved_model_file"]))
    return result, path, check_page(path.read_text(encoding="utf-8"))


def test_the_page_of_a_run_has_every_part(settings):
    result, path, page = page_after(model="DecFM", config_dict=settings | {"drift_alpha": "auto", "epochs": 3})
    assert page.headings == [
        "Result",
        "Bias amplification",
        "Groups of users",
        "Training",
        "Distributions over users",
        "Look up a user",
        "Settings",
        "Files",
        "What to type next",
    ]
    figures = [label for label in page.of("aria-label") if not label.startswith("Sections")]
    for words in (
        "Training loss by epoch",
        "by epoch; epoch",
        "alpha of Eq. 12",
        "eta_u (Eq. 10)",
        "weight of",
        "C_KL",
    ):
        assert any(words in label for label in figures), words
    shown = next(row for row in page.tables[0] if row[0].startswith("DecFM (fused"))
    assert [cell.split("\n")[0] for cell in shown[1:]] == [f"{value:.4f}" for value in result["test_result"].values()]
    of_groups = [row for table in page.tables for row in table if row[0].startswith("> ") and " to " in row[-1]]
    assert {row[2] for row in of_groups} == {"FM (conventional)", "DecFM (w/o inference strategy)", shown[0]}
    assert all(low <= float(row[3]) <= high for row in of_groups for low, high in [map(float, row[4].split(" to "))])
    assert ["drift_alpha", "auto"] in [[row[0][:11], row[1]] for table in page.tables for row in table if len(row) > 1]
    assert result["saved_model_file"] in page.text
    assert "log/DecFM/" in page.text
    assert path.stat().st_size < 300_000
    users = page.users
    assert users["evaluated"] == len(users["users"])
    assert all(len(user["lists"]) == 3 for user in users["users"])
    assert {len(one) for user in users["users"] for one in user["lists"]} == {users["length"]}


def test_what_data_say_is_text_and_no_code(evil):
    _, _, page = page_after(model="DecFM", config_dict=evil)
    assert [attrs for attrs, _ in page.scripts if attrs.get("type") != "application/json"] == [{}]
    assert "img" not in page.elements
    assert "b" not in page.elements
    assert any(item.startswith(EVIL) for item in page.users["items"])
    assert "</table><b>Drama" in page.text


def test_histories_are_the_training_clicks_latest_first(settings):
    result, _, page = page_after(model="DecFM", config_dict=settings)
    run = run_of_checkpoint(result["saved_model_file"], {})
    users = page.users
    inter = tiny_tables()["inter"].set_index("user_id:token")
    for user in users["users"]:
        clicks = inter.loc[user["id"]].sort_values("timestamp:float", kind="stable")["item_id:token"].tolist()
        history = [users["items"][place] for place in user["history"]]
        assert history == clicks[: len(history)][::-1]
        assert {users["items"][place] for place in user["test"]} <= set(clicks[len(history) :])
    assert run.confounder is not None


def test_shares_are_means_over_users(settings):
    result, _, _ = page_after(model="DecFM", config_dict=settings)
    run = run_of_checkpoint(result["saved_model_file"], {})
    shares = amplification.shares_of_groups(run)
    q, d = run.confounder.membership, run.confounder.user_distribution
    items, _ = run.lists("fused")
    assert shares.history == pytest.approx(np.mean([d[user] for user in run.users], axis=0))
    assert shares.lists["fused"] == pytest.approx(np.mean([q[row].mean(axis=0) for row in items], axis=0))
    who = run.test.inter_feat["user_id"].numpy()
    clicked = run.test.inter_feat["item_id"].numpy()
    assert shares.test == pytest.approx(
        np.mean([q[clicked[who == user]].mean(axis=0) for user in np.unique(who)], axis=0)
    )


def test_the_command_makes_the_page_of_a_checkpoint_again(settings, capsys):
    result, path, page = page_after(model="DecFM", config_dict=settings | {"drift_alpha": "auto", "epochs": 3})
    path.unlink()
    for other in (path, path.with_suffix(".json"), Path("saved")):
        assert main(["report", str(other)]) == 2
        told = capsys.readouterr().err
        assert result["saved_model_file"] in told or "holds runs; name the checkpoint of one" in told
    assert main(["report", result["saved_model_file"], "--users=3"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == str(path)
    again = check_page(path.read_text(encoding="utf-8"))
    assert len(again.users["users"]) == 3
    assert "3 of " in again.text
    assert again.tables[:2] == page.tables[:2]  # results and shares
    for first in ("key", "file"):
        here, there = (next(table for table in one.tables if table[0][0] == first) for one in (again, page))
        assert here == there
    assert {row[0] for row in there[1:]} == {"checkpoint", "log", "result", "model card"}
    curves = [table for table in page.tables if "by epoch" in table[0][0] or table[0][0] == "epoch"]
    assert curves == [table for table in again.tables if table[0][0] == "epoch"]
    assert curves


@pytest.mark.parametrize(
    ("model", "more", "absent"),
    [
        ("LightGCN", {"group_field": None, "metrics": ["Recall", "NDCG"], "load_col": None}, "Bias amplification"),
        ("SASRec", {"eval_args": {"split": {"LS": "valid_and_test"}}}, None),
        ("DeepFM", {"reranker": "calibration"}, None),
        ("FM", {"metrics": ["AUC", "LogLoss"], "valid_metric": "AUC", "eval_args": {"mode": "uni5"}}, "Look up a user"),
    ],
)
def test_other_models_have_a_page_too(settings, model, more, absent):
    result, path, page = page_after(model=model, config_dict=settings | more)
    assert absent not in page.headings
    assert "Result" in page.headings
    path.unlink()
    assert main(["report", result["saved_model_file"]]) == 0
    again = check_page(path.read_text(encoding="utf-8"))
    assert again.tables[0] == page.tables[0] or model == "FM"  # with other sampled candidates


def test_a_fault_in_the_page_is_told_in_a_line_and_the_result_stays(settings, monkeypatch, caplog):
    def broken(*arguments):
        raise ValueError("broken\nin two lines")

    monkeypatch.setattr("recbole_decrs.report.run.write.result_section", broken)
    with caplog.at_level(logging.WARNING):
        result = run_recbole_decrs("DecFM", "tiny", config_dict=settings | {"report": True})
    (told,) = [record.getMessage() for record in caplog.records if record.getMessage().startswith("report:")]
    assert "ValueError: broken in two lines" in told
    assert "\n" not in told
    assert result["test_result"]
    assert not list(Path("saved").glob("*.html"))


def test_there_is_none_where_none_is_wanted_or_nothing_is_saved(settings):
    run_recbole_decrs("FM", "tiny", config_dict=settings | {"report": False})
    run_recbole_decrs("FM", "tiny", config_dict=settings | {"report": True}, saved=False)
    assert not list(Path("saved").glob("*.html"))


def test_what_is_no_checkpoint_and_no_folder_is_refused(tmp_path, capsys):
    for arguments, told in (
        (["none.pth"], "none.pth"),
        ([], "report needs one checkpoint, or the folder of a comparison"),
        ([str(tmp_path), "--data_path=x"], "takes no --data_path; leave it out"),
        ([str(tmp_path)], "has no run.json that can be read"),
    ):
        assert main(["report", *arguments]) == 2
        assert told in capsys.readouterr().err


def test_the_numbers_do_not_depend_on_the_page(settings):
    results = [run_recbole_decrs("DecFM", "tiny", config_dict=settings | {"report": on}) for on in (True, False)]
    assert results[0]["test_result"] == results[1]["test_result"]
    assert results[0]["table"] == results[1]["table"]


@pytest.mark.parametrize(
    ("model", "others"),
    [("DecFM", {"drift_alpha": 0.3, "reranker": "calibration", "metrics": ["Recall", "NDCG", "CKL"]}), ("BPR", {})],
)
def test_what_the_page_names_next_can_be_typed(settings, model, others):
    _, _, page = page_after(model, settings | others)
    commands = [text for text in page.texts if text.startswith("recbole-decrs ")]
    assert len(commands) == (7 if model == "DecFM" else 4)
    for command in commands:
        dry = ["--dry_run"] if " compare " in command else []
        assert main([*shlex.split(command)[1:], *dry]) == 0, command


def test_the_head_of_a_page_has_the_result_that_counts(settings):
    result, _, page = page_after("DecFM", settings | {"inference": "conventional", "epochs": 3})
    name, value = next(iter(result["test_result"].items()))
    place = page.texts.index(title_of(name))
    assert f"{value:.4f}" in page.texts[place : place + 3]
