import json
import logging
import shutil

import numpy as np
import pandas as pd
import pytest

from pages import check_page
from recbole_decrs.cli import main
from recbole_decrs.compare import METHODS, run_comparison
from recbole_decrs.compare.job import Job
from recbole_decrs.compare.record import costs_of
from recbole_decrs.compare.results import Outcome, Results
from recbole_decrs.report.comparison.paper import paper_section, papers_tables
from recbole_decrs.report.comparison.write import write_comparison_page
from recbole_decrs.report.page import page_text
from recbole_decrs.report.parts import Page
from tiny_data import tiny_settings, tiny_tables, write_tables

pytestmark = pytest.mark.slow
METHODS_OF_PAGE = ["calibration", "decrs", "ensemble", "shuffled"]


@pytest.fixture(scope="module")
def compared(tmp_path_factory):
    """A small comparison: its results, its folder, and its settings."""
    folder = tmp_path_factory.mktemp("compared")
    data = write_tables(folder / "data", tiny_tables(n_users=30, n_items=40, n_clicks=20))
    settings = tiny_settings(data, drift_alpha_grid=[0.2, 1.0], epochs=2, report=True, drift_thresholds=[0, 1, 2])
    (folder / "users.csv").write_text("user_id,item_id,rank\n" + "".join(f"u{user},i1,1\n" for user in range(30)))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        results = run_comparison(
            ["FM"], "tiny", METHODS_OF_PAGE, 2, "out", {"<b>mine": "users.csv"}, config_dict=settings, command="typed"
        )
    return results, folder / "out", settings


def parsed(folder):
    return check_page((folder / "report.html").read_text(encoding="utf-8"))


def test_the_page_has_every_part(compared):
    results, folder, _ = compared
    page = parsed(folder)
    assert page.headings == [
        "Verdict",
        "All methods",
        "Differences and tests",
        "Accuracy against bias",
        "Users by drift",
        "Cost",
        "Left out",
        "What to type next",
    ]
    table = next(table for table in page.tables if table[0][0] == "over FM")
    written = pd.read_csv(folder / "table3.csv").set_index(["method", "metric"])["mean"]
    for name in results.methods["FM"]:
        row = next(row for row in table if row[0].startswith(METHODS[name].title.replace("{backbone}", "FM")))
        assert row[2].split(" ")[0] == f"{written[name, 'recall@10']:.4f}"
    assert METHODS["shuffled"].about in page.text
    tests = next(table for table in page.tables if "p (Holm)" in "".join(table[0]))
    assert len(tests) - 1 == len(pd.read_csv(folder / "table3-tests.csv"))
    assert any("<b>mine" in row[0] for row in table)
    assert "lambda 0.05" in " ".join(page.of("data-tip"))
    assert "typed" in page.text
    assert (folder / "report.html").stat().st_size < 300_000


def test_bins_of_drift_are_those_of_the_table(compared):
    _, folder, _ = compared
    table = next(table for table in parsed(folder).tables if table[0][0] == "eta_u")
    frame = pd.read_csv(folder / "drift_bins.csv")
    rows = frame[(frame["split"] == "eta") & (frame["against"] == "backbone") & (frame["metric"] == "recall@10")]
    of_decrs = rows[rows["method"] == "decrs"]
    assert [row[0] for row in table[1:]] == [
        f"{one.group.removeprefix('over ') if ' to ' in one.group else one.group}\nn={one.users}"
        for one in of_decrs.itertuples()
    ]
    assert [row[1] for row in table[1:]] == [f"{mean:.4f}" for mean in of_decrs["mean"]]
    assert [row[2] for row in table[1:]] == [f"{one.mean + one.difference:.4f}" for one in of_decrs.itertuples()]


def test_the_command_makes_the_page_of_a_folder_again(compared, capsys, tmp_path):
    _, folder, _ = compared
    before = parsed(folder)
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    (copy / "report.html").unlink()
    assert main(["report", str(copy)]) == 0
    assert capsys.readouterr().out.strip() == str(copy / "report.html")
    again = parsed(copy)
    assert again.headings == before.headings
    assert "the list <b>mine" in again.text

    table = pd.read_csv(copy / "table3.csv")
    table["mean"] *= 1.01
    table.to_csv(copy / "table3.csv", index=False)
    assert main(["report", str(copy)]) == 2
    assert "of other settings; type the comparison again, which makes what is missing: typed" in capsys.readouterr().err
    for file in copy.glob("pieces/FM-2021-decrs-*.npz"):
        file.write_bytes(b"damaged")
    assert main(["report", str(copy)]) == 2
    assert "has no whole measurement FM-2021-decrs" in capsys.readouterr().err
    (copy / "run.json").write_text("[]")
    assert main(["report", str(copy)]) == 2
    assert "is not what recbole-decrs compare writes" in capsys.readouterr().err
    (copy / "run.json").unlink()
    assert main(["report", str(copy)]) == 2
    assert "is no folder of a comparison" in capsys.readouterr().err


def test_a_method_that_is_not_registered_here_is_left_out_with_its_reason(compared, tmp_path):
    _, folder, _ = compared
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    record = json.loads((copy / "run.json").read_text())
    record["methods"]["FM"].append("mine")
    (copy / "run.json").write_text(json.dumps(record))
    assert main(["report", str(copy)]) == 0
    assert "a method of one's own" in parsed(copy).text


def test_a_folder_is_read_as_it_was_written(compared, capsys):
    _, folder, _ = compared
    assert main(["report", str(folder), "--users=5"]) == 2
    assert "as it was written, and takes no --users; leave it out" in capsys.readouterr().err


def test_without_the_table_of_drift_the_page_says_what_adds_it(compared, tmp_path):
    _, folder, _ = compared
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    (copy / "drift_bins.csv").unlink()
    assert main(["report", str(copy)]) == 0
    assert "There is no drift_bins.csv with DecRS in the folder" in parsed(copy).text


def test_a_fault_in_the_page_is_told_and_the_tables_stay(compared, monkeypatch, caplog):
    from recbole_decrs.report.comparison import write

    results, folder, _ = compared
    monkeypatch.setattr(write, "verdict_section", lambda *arguments: 1 / 0)
    with caplog.at_level(logging.WARNING):
        assert write.write_comparison_page(results, json.loads((folder / "run.json").read_text()), folder) is None
    assert "report.html is not written (ZeroDivisionError: division by zero)" in caplog.text


def test_a_page_of_before_does_not_stay_where_none_is_wanted(compared, tmp_path):
    results, folder, _ = compared
    (tmp_path / "report.html").write_text("of before")
    record = json.loads((folder / "run.json").read_text())
    assert write_comparison_page(results, record, tmp_path, is_wanted=False) is None
    assert not list(tmp_path.glob("*.html"))


def test_costs_count_every_training_that_a_method_needs():
    def job(kind, name, subject, seconds, needs=()):
        return Job(kind, name, "FM", 1, subject=subject, needs=needs, seconds=seconds, needed=False)

    jobs = [
        job("train", "a", "FM", 10.0),
        job("train", "b", "DecFM", 20.0),
        job("train", "c", "FM", None),
        job("measure", "1", "backbone", 1.0, ("train a",)),
        job("measure", "2", "decrs", 2.0, ("train a", "train b")),
        job("measure", "3", "decrs", 4.0, ("train a", "train b")),
        job("measure", "4", "ensemble", 1.0, ("train a", "train c")),
        job("measure", "5", "decrs_wo", 1.0, ("train b",)),
    ]
    assert costs_of(jobs) == {
        "backbone": {"training": 10.0, "measuring": 1.0, "models": 1.0},
        "decrs": {"training": 30.0, "measuring": 3.0, "models": 2.0},
        "decrs_wo": {"training": 20.0, "measuring": 1.0, "models": 1.0},
    }


def test_the_papers_numbers_stand_beside_those_of_its_datasets(compared):
    results, _, _ = compared
    assert paper_section(results, "ml-100k") is None
    short = {"recall@10": "recall@5", "ckl@10": "ckl@5"}
    assert set(short) <= set(results.metrics)
    section = paper_section(results, "ml-1m")
    page = check_page(page_text(Page("paper", [], [section])))
    shown = {row[0]: row for row in page.tables[0]}
    assert shown["DecRS"][1:3] == [f"{results.mean('FM', 'decrs', 'recall@10'):.4f}", "0.0704"]
    assert "Shuffled drift" not in shown
    assert len(page.tables) == 1


def test_the_papers_groups_of_users_and_operators_stand_beside_those_here():
    rng = np.random.default_rng(0)
    metrics = {metric: float(rng.random()) for name in ("recall", "ndcg") for metric in (f"{name}@10", f"{name}@20")}
    by_drift = [[threshold, 9 - threshold, metrics] for threshold in (0, 2)]
    outcomes = {
        ("NFM" if method == "other" else "FM", method, 1): Outcome(
            {
                "test": {key: value * factor for key, value in metrics.items()},
                "by_drift": [
                    [threshold, users, {key: value * factor for key, value in of_group.items()}]
                    for threshold, users, of_group in by_drift
                ],
            },
            {},
        )
        for method, factor in (("backbone", 1.0), ("decrs", 1.5), ("decrs_product", 0.5))
    }
    methods, by = {"FM": ["backbone", "decrs", "decrs_product"]}, {"FM": ("recall@10", True)}
    results = Results(methods, [1], outcomes, {}, by, operators={"FM": "fm"})
    page = check_page(page_text(Page("paper", [], [paper_section(results, "ml-1m")])))
    overall, by_threshold, operators = page.tables
    assert [row[0] for row in overall[1:]] == ["FM", "DecRS"]
    value = metrics["recall@20"]
    assert by_threshold[2][:8] == [
        "> 2",
        "7",
        f"{value:.4f}",
        f"{value * 1.5:.4f}",
        "+50.00%",
        "0.1432",
        "0.1646",
        "14.94%",
    ]
    assert [row[0] for row in operators[1:]] == ["FM", "DecRS, operator product", "DecRS"]
    assert operators[2][4] == "0.1205"
    amazon = paper_section(results, "amazon-books")
    assert [table.title[:7] for table in amazon.parts] == ["Table 3", "Table 4"]


def test_the_papers_improvements_follow_from_its_numbers():
    """A digit that was copied wrongly would show."""
    tables = papers_tables()
    for backbone, datasets in tables["table3"].items():
        for dataset, rows in datasets.items():
            for metric, printed in rows["%improv."].items():
                before, after = float(rows["backbone"][metric]), float(rows["DecRS"][metric])
                assert 100 * (after / before - 1) == pytest.approx(float(printed.rstrip("%")), abs=0.006)
            for group in tables["table4"][backbone][dataset].values():
                for of_metric in group.values():
                    before, after = float(of_metric["backbone"]), float(of_metric["DecRS"])
                    assert 100 * (after / before - 1) == pytest.approx(float(of_metric["%improv."][:-1]), abs=0.006)
            everyone = tables["table4"][backbone][dataset]["0"]
            assert everyone["R@20"]["DecRS"] == rows["DecRS"]["R@20"]
            assert everyone["N@20"]["backbone"] == rows["backbone"]["N@20"]
    of_fm = tables["table3"]["FM"]["ML-1M"]
    assert tables["table5"]["ML-1M"]["FM"] == of_fm["backbone"]
    assert tables["table5"]["ML-1M"]["DecRS-FM"] == of_fm["DecRS"]
