"""What compare says before its first training: of an earlier comparison in its folder, and of a drift that is none."""

import json
import logging
from pathlib import Path

import pytest

from recbole_decrs import DecRSError
from recbole_decrs.compare import run as run_module
from recbole_decrs.compare import run_comparison
from tiny_data import tiny_tables, write_tables


class Started(Exception):
    """Instead of the first training."""


@pytest.fixture(autouse=True)
def _train_nothing(monkeypatch):
    def started(*arguments):
        raise Started

    monkeypatch.setattr(run_module, "run_jobs", started)
    Path("mine.csv").write_text("user_id,item_id,rank\nu1,i1,1\n")


BEFORE = {"methods": {"BPR": ["backbone", "fairco", "decrs"]}, "seeds": [2020, 2021], "lists": ["mine"]}


def compare_after(settings, record, backbones=("BPR",), methods=("fairco", "decrs"), seeds=2, lists=("mine",)):
    Path("out").mkdir(exist_ok=True)
    Path("out/run.json").write_text(record if isinstance(record, str) else json.dumps(record))
    of_lists = dict.fromkeys(lists, "mine.csv")
    run_comparison(list(backbones), "tiny", methods, seeds, "out", of_lists, config_dict=settings)


@pytest.mark.parametrize(
    ("smaller", "lost"),
    [
        ({"methods": ["decrs"]}, "fairco of BPR"),
        ({"methods": []}, "fairco of BPR, decrs of BPR"),
        ({"seeds": 1}, "seed 2021"),
        ({"seeds": [2021]}, "seed 2020"),
        ({"lists": []}, "the list mine"),
        ({"backbones": ["LightGCN"]}, "BPR"),
        ({"lists": [], "seeds": 1}, "seed 2021, the list mine"),
    ],
)
def test_a_smaller_one_is_refused(settings, smaller, lost):
    with pytest.raises(DecRSError, match=rf"output: the tables in out have {lost} \(run\.json\), .* another --output"):
        compare_after(settings, BEFORE, **smaller)
    assert json.loads(Path("out/run.json").read_text()) == BEFORE


def test_what_does_not_go_with_a_backbone_is_not_asked_for(settings):
    """EASE has no twin, whatever is asked for: a record with its decrs is of another call."""
    record = {**BEFORE, "methods": {"EASE": ["backbone", "decrs"]}}
    with pytest.raises(DecRSError, match="the tables in out have decrs of EASE"):
        compare_after(settings, record, backbones=["EASE"], methods="all")


@pytest.mark.parametrize(
    "larger",
    [{}, {"methods": "all"}, {"seeds": 3}, {"backbones": ["LightGCN", "BPR"]}, {"lists": ["mine", "more"]}],
)
def test_the_same_or_a_larger_one_goes_on(settings, larger):
    with pytest.raises(Started):
        compare_after(settings, BEFORE, **larger)


@pytest.mark.parametrize(
    "record",
    [
        *("", "{", "[]", "1", "null", "{}", "[" * 5000, "\x00"),
        *({"methods": 1, "seeds": []}, {"methods": {"FM": 1}, "seeds": []}, {"methods": {}, "seeds": None}),
        *({"methods": {}, "seeds": [], "lists": 1}, {"methods": {}, "seeds": []}),
        {key: value for key, value in BEFORE.items() if key == "methods"},
        {key: value for key, value in BEFORE.items() if key != "lists"},
    ],
)
def test_a_damaged_or_foreign_record_is_passed_over(settings, record, caplog):
    with pytest.raises(Started):
        compare_after(settings, record)
    has_all = isinstance(record, dict) and all(record.get(key) is not None for key in ("methods", "seeds"))
    if not has_all:
        assert "run.json cannot be read as a record" in caplog.text


@pytest.mark.parametrize(
    ("methods", "named"), [(["ensemble", "decrs_wo", "decrs"], "(DecRS, Ensemble)"), (["constant", "fairco"], None)]
)
def test_one_drift_for_all(tmp_path, settings, caplog, methods, named):
    tables = tiny_tables()
    tables["item"]["genre:token_seq"] = "Drama"
    write_tables(tmp_path / "data", tables)
    with caplog.at_level(logging.WARNING), pytest.raises(Started):
        run_comparison(["BPR"], "tiny", methods, 1, "out", config_dict=settings)
    said = [record.getMessage() for record in caplog.records if "have the same drift eta_u" in record.getMessage()]
    assert len(said) == (named is not None)
    assert all(named in text and "equals the conventional one" in text for text in said)
