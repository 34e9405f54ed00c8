"""The groups of the key user_groups in a comparison: the same pieces, another table and another section of the page."""

import re
import shutil
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from pages import check_page
from recbole_decrs.compare import run_comparison
from recbole_decrs.compare.outputs.user_groups import user_groups_frame, user_groups_text
from recbole_decrs.report.comparison.of_folder import write_page_of_folder


@pytest.fixture(scope="module")
def by_gender(tiny, whole, tmp_path_factory):
    """The comparison of ``whole`` once more, by gender, from a copy of its folder; results, folder, and its pieces."""
    folder = tmp_path_factory.mktemp("gender")
    shutil.copytree(whole[1], folder / "out")
    before = {path.name: path.stat().st_mtime_ns for path in (folder / "out" / "pieces").iterdir()}
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        settings = {**tiny, "user_groups": "gender", "report": True}
        results = run_comparison(["FM"], "tiny", "all", 2, "out", config_dict=settings)
    return results, folder / "out", before


def test_nothing_is_trained_or_measured_again(by_gender):
    _, folder, before = by_gender
    measured = {path.name: path.stat().st_mtime_ns for path in (folder / "pieces").glob("*.*")}
    assert {name: time for name, time in measured.items() if before.get(name) != time} == {}


def test_means_and_differences_are_those_of_the_users_of_each_group(by_gender):
    results, folder, _ = by_gender
    frame = user_groups_frame(results)
    assert set(frame["method"]) == set(results.methods["FM"])
    assert len(pd.read_csv(folder / "user_groups.csv")) == len(frame)
    groups = dict(results.user_groups)
    assert set(groups) == {"F", "M"}
    for row in frame.itertuples():
        means = {}
        for name in (row.method, "backbone"):
            values = [outcome.by_user for outcome in results.all_seeds("FM", name)]
            means[name] = np.nanmean([one[row.metric][groups[row.group][one["users"]]] for one in values])
        assert row.mean == pytest.approx(means[row.method])
        if row.method == "backbone":
            assert np.isnan(row.difference)
        else:
            assert row.difference == pytest.approx(means[row.method] - means["backbone"])
            assert row.low <= row.difference <= row.high
    of_one = frame[(frame["method"] == "decrs") & (frame["metric"] == "recall@10")]
    assert of_one["users"].sum() == len(results.all_seeds("FM", "decrs")[0].by_user["users"])


def test_the_text_and_the_page_have_the_groups(by_gender):
    results, folder, _ = by_gender
    frame = user_groups_frame(results)
    text = (folder / "user_groups.md").read_text(encoding="utf-8")
    assert text == user_groups_text(results, frame)
    assert len(re.findall("^(?:Recall|NDCG|CKL)@10, FM, by gender$", text, re.MULTILINE)) == 3
    assert user_groups_text(results, frame[frame["method"] == "backbone"]) is None
    for _ in range(2):
        page = check_page((folder / "report.html").read_text(encoding="utf-8"))
        assert "Groups of users" in page.headings
        row = frame[(frame["method"] == "decrs") & (frame["group"] == "F") & (frame["metric"] == "ckl@10")].iloc[0]
        shown = [cells for table in page.tables for cells in table if cells[:2] == ["F", "DecRS"]]
        assert any(cells[2] == f"{row['mean']:.4f}" for cells in shown)
        write_page_of_folder(str(folder))


def test_by_drift_there_is_no_such_table(whole):
    results, folder = whole
    assert results.user_groups is None
    assert not (folder / "user_groups.csv").exists()


def test_a_method_without_a_value_in_a_group_has_empty_cells(by_gender):
    results, _, _ = by_gender
    frame = user_groups_frame(results)
    for name in ("backbone", "decrs"):
        is_gone = (frame["group"] == "F") & (frame["method"] == name) & (frame["metric"] == "ckl@10")
        text = user_groups_text(results, frame[~is_gone])
        assert "nan" not in text
        assert text.count("| F ") == 3


def test_a_group_without_test_users_is_left_out(by_gender):
    results, _, _ = by_gender
    groups = replace(results.user_groups, names=("F", "M", "none"))
    assert user_groups_frame(replace(results, user_groups=groups)).equals(user_groups_frame(results))
