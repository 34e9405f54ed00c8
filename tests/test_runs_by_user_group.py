"""The key user_groups in a run: the second table, the files beside the checkpoint, and the page."""

import json
from pathlib import Path

import pandas as pd
import pytest

from pages import check_page
from recbole_decrs import DecRSError, run_recbole_decrs
from recbole_decrs.cli import main
from recbole_decrs.tables import cells_of
from tiny_data import tiny_settings, tiny_tables, write_tables

GENDERS = tiny_tables()["user"].set_index("user_id:token")["gender:token"]


def beside(result, ending):
    return Path(result["saved_model_file"].removesuffix(".pth") + ending)


def test_a_run_by_a_column(settings, capsys):
    others = {"user_groups": "gender", "save_user_metrics": True, "report": True, "metrics": ["Recall", "ItemCoverage"]}
    result = run_recbole_decrs("DecFM", "tiny", config_dict=settings | others)
    sizes = GENDERS.value_counts()
    assert {name: group["users"] for name, group in result["by_group"].items()} == sizes.to_dict()
    assert list(result["by_drift"]) == [0, 0.5, 1, 2, 3, 4]

    table = pd.read_csv(beside(result, "-user-metrics.csv"))
    assert (table["user_group"] == table["user_id"].map(GENDERS)).all()
    for name, group in result["by_group"].items():
        for recommender in ("conventional", "deconfounded", "fused"):
            of_group = table[(table["user_group"] == name) & (table["recommender"] == recommender)]
            assert group[recommender]["recall@10"] == pytest.approx(of_group["recall@10"].mean(), abs=1e-4)
            assert 0 < group[recommender]["itemcoverage@10"] <= 1  # which has no value per user

    out = capsys.readouterr().out
    assert "By users' gender: FM (conventional) -> DecFM (fused, alpha 0.2)" in out
    rows = [cells_of(line) for line in out.splitlines() if line.startswith("| ")]
    assert [row[:2] for row in rows if row[0] in sizes][: len(sizes)] == [[n, str(size)] for n, size in sizes.items()]

    record = json.loads(beside(result, ".json").read_text(encoding="utf-8"))
    assert {group.pop("group"): group for group in record["by_group"]} == result["by_group"]
    assert "Users by gender: " in beside(result, ".md").read_text(encoding="utf-8")
    page = check_page(beside(result, ".html").read_text(encoding="utf-8"))
    shown = next(table for table in page.tables if table[0][:3] == ["gender", "users", "recommender"])
    assert [row[:2] for row in shown[1::3]] == [[name, str(size)] for name, size in sizes.items()]
    assert any(label.startswith("Recall@10 by group of users") for label in page.of("aria-label"))

    assert main(["report", result["saved_model_file"], "--user_groups=height"]) == 0
    page = check_page(beside(result, ".html").read_text(encoding="utf-8"))
    shown = next(table for table in page.tables if table[0][:3] == ["height", "users", "recommender"])
    assert [row[1] for row in shown[1::3]] == ["8", "8", "8"]


def test_numbers_and_table_by_drift_do_not_depend_on_the_key(settings):
    drift, gender = (
        run_recbole_decrs("FM", "tiny", config_dict=settings | {"user_groups": by}) for by in ("drift", "gender")
    )
    assert drift["test_result"] == gender["test_result"]
    assert drift["by_drift"] == gender["by_drift"]
    assert list(drift["by_group"]) == ["> 0", "> 0.5", "> 1", "> 2", "> 3", "> 4"]
    assert list(drift["by_group"].values()) == list(drift["by_drift"].values())
    assert json.loads(beside(drift, ".json").read_text(encoding="utf-8"))["by_group"] == []


def test_activity_needs_neither_groups_of_items_nor_times(tmp_path):
    tables = tiny_tables()
    tables["inter"] = tables["inter"].drop(columns="timestamp:float").iloc[: -12 * 4 + 30]
    settings = tiny_settings(
        write_tables(tmp_path / "plain", tables),
        group_field=None,
        metrics=["Recall"],
        load_col={"inter": ["user_id", "item_id"]},
        numerical_features=[],
        user_groups="activity",
        eval_args={"order": "RO", "split": {"RS": [0.8, 0.1, 0.1]}},
    )
    result = run_recbole_decrs("BPR", "tiny", config_dict=settings)
    assert result["by_drift"] == {}
    assert "| training clicks " in result["table"]
    assert sum(group["users"] for group in result["by_group"].values()) == len(set(tables["inter"]["user_id:token"]))


def test_value_metrics_have_no_groups(settings):
    others = {"metrics": ["AUC"], "valid_metric": "AUC", "eval_args": {"mode": "uni5"}, "user_groups": "gender"}
    result = run_recbole_decrs("FM", "tiny", config_dict=settings | others)
    assert result["by_group"] == {}


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ("jobs", "user_groups: column jobs of .*tiny.user is token_seq"),
        ("sex", "user_groups: sex is no column of .*tiny.user that parts users; take drift, activity, gender,"),
        (["gender"], "user_groups must be drift, activity or the name of a column of the .user file, not"),
        ("", "user_groups must be drift, activity or the name of a column"),
    ],
)
def test_what_cannot_be_used_is_refused_before_the_training(settings, value, told):
    with pytest.raises(DecRSError, match=told):
        run_recbole_decrs("FM", "tiny", config_dict=settings | {"user_groups": value})
    assert not list(Path().glob("saved/*.pth"))
