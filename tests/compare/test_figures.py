"""The figures of a comparison: what their titles say, their error bars, and that no look comes twice."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recbole_decrs import DecRSError
from recbole_decrs.compare import OUTPUTS, redraw
from recbole_decrs.compare.figures import rendered
from recbole_decrs.compare.outputs.drawing import colour_of, dashes_of, marker_of
from recbole_decrs.compare.outputs.intervals import BETTER, NEITHER, draw_intervals
from recbole_decrs.compare.outputs.tradeoff import _seen, draw_trade_off
from recbole_decrs.compare.ratings import share_curves

FIGURES = [name for name, output in OUTPUTS.items() if output.draw]


def shown(name, numbers):
    """The lines of text in a figure."""
    svg = rendered(OUTPUTS[name], numbers)["svg"].decode()
    return [re.sub(r"<[^>]+>", "", text) for text in re.findall(r"<text.*?</text>", svg, re.DOTALL)]


def test_no_look_comes_twice():
    for look in (colour_of, marker_of, dashes_of):
        assert len({str(look(number)) for number in range(60)}) == 60


@pytest.mark.slow
def test_deviations_are_those_of_the_seeds(whole):
    results, folder = whole
    frame = pd.read_csv(folder / "tradeoff.csv")
    for _, row in frame[frame["weight"].isna()].iterrows():
        for metric in ("recall@10", "ckl@10"):
            values = results.values("FM", row["method"], metric)
            assert row[metric] == pytest.approx(np.mean(values), abs=1e-5)
            assert row[f"{metric} std"] == pytest.approx(np.std(values, ddof=1), abs=1e-5)
    assert set(frame["seeds"]) == {2}
    for name in ("figure4", "figure5"):
        for _, row in pd.read_csv(folder / f"{name}.csv").iterrows():
            values = results.values_in_group("FM", row["method"], row["metric"], row["threshold"])
            assert row["std"] == pytest.approx(np.std(values, ddof=1), abs=1e-5, nan_ok=True)


@pytest.mark.slow
def test_figures_are_drawn_again_from_their_numbers(whole, tmp_path):
    _, folder = whole
    for path in folder.glob("*.csv"):
        Path(path.name).write_bytes(path.read_bytes())
    drawn = redraw(".")
    assert set(drawn) == {f"{name}.{ending}" for name in FIGURES for ending in ("png", "svg")}
    assert {Path(name).read_bytes()[:4] for name in drawn} == {b"\x89PNG", b"<?xm"}
    before = {name: Path(name).read_bytes() for name in drawn}
    redraw(".")
    assert {name: Path(name).read_bytes() for name in drawn} == before
    Path("tradeoff.csv").write_text("backbone,method\nFM,decrs\n")
    with pytest.raises(DecRSError, match="tradeoff.csv is not what its figure is drawn from"):
        redraw(".")


def test_a_folder_without_figures(tmp_path):
    with pytest.raises(DecRSError, match="nowhere has no numbers of figures, such as tradeoff.csv"):
        redraw("nowhere")


VALUES = st.floats(0.1, 0.5).map(lambda value: round(value, 3))
POINTS = st.lists(st.tuples(VALUES, VALUES, st.floats(0, 0.1), st.floats(0, 0.1)), min_size=2, max_size=5)
METHODS_DRAWN = ["backbone", "unawareness", "decrs", "ensemble", "wide"]


@given(points=POINTS)
def test_the_title_of_the_trade_off_counts_what_is_better(points):
    rows = [["FM", name, np.nan, *point, 3] for name, point in zip(METHODS_DRAWN, points, strict=False)]
    columns = ["backbone", "method", "weight", "recall@20", "ckl@20", "recall@20 std", "ckl@20 std", "seeds"]
    recall, ckl, recall_std, ckl_std = points[0]
    better = beyond = 0
    for other_recall, other_ckl, other_recall_std, other_ckl_std in points[1:]:
        better += other_recall > recall and other_ckl < ckl
        is_beyond = other_recall - recall > (recall_std**2 + other_recall_std**2) ** 0.5
        beyond += is_beyond and ckl - other_ckl > (ckl_std**2 + other_ckl_std**2) ** 0.5
    title = _seen("FM", pd.DataFrame(rows, columns=columns), "recall@20", "ckl@20")
    assert title == f"Better than FM in both: {better} of {len(points) - 1}, {beyond} beyond the spread of seeds"


def test_texts_of_the_trade_off():
    columns = ["backbone", "method", "weight", "recall@20", "ckl@20", "recall@20 std", "ckl@20 std", "seeds"]
    rows = [
        ["FM", "backbone", np.nan, 0.2, 0.4, np.nan, np.nan, 1],
        ["FM", "calibration", np.nan, 0.19, 0.3, np.nan, np.nan, 1],
        ["FM", "calibration", 0.9, 0.15, 0.05, np.nan, np.nan, 1],
        ["FM", "ensemble", np.nan, 0.21, 0.35, np.nan, np.nan, 1],
        ["FM", "elsewhere", np.nan, 0.1, 0.5, np.nan, np.nan, 1],
    ]
    texts = " ".join(shown("tradeoff", pd.DataFrame(rows, columns=columns)))
    for text in (
        "Recall@20 against CKL@20: one seed, so no error bars; below, close up",
        "FM: Calibration goes lowest, CKL@20 0.05 at Recall@20 0.150",
        "Better than FM in both: 1 of 3",
        "CKL@20, smaller is better",
        "hollow: controls",
        "elsewhere",
    ):
        assert text in texts


def test_intervals_beside_the_backbone():
    columns = ["backbone", "method", "against", "metric", "difference", "low", "high", "p", "p_holm"]
    tests = {
        ("decrs", "recall@20"): (0.03, 0.02, 0.04, 0.001, 0.01),  # better, and so once corrected
        ("ensemble", "recall@20"): (0.03, 0.01, 0.05, 0.04, 0.08),  # better by itself
        ("decrs", "ckl@20"): (0.03, 0.02, 0.04, 0.001, 0.01),  # the smaller the better
        ("ensemble", "ckl@20"): (-0.03, -0.04, 0.01, 0.2, 0.4),
        ("other_seed", "recall@20"): (0.03, 0.02, 0.04, 0.001, np.nan),  # is chance, whatever its test says
        ("other_seed", "ckl@20"): (0.03, 0.02, 0.04, 0.001, np.nan),
        ("decrs", "recall@5"): (0.03, 0.02, 0.04, 0.001, 0.01),  # of a shorter list, not drawn
    }
    rows = [["FM", method, "backbone", metric, *found] for (method, metric), found in tests.items()]
    frame = pd.DataFrame(rows, columns=columns)
    figure = draw_intervals(frame)
    recall, ckl = figure.axes
    assert recall.get_title() == "Recall@20\n2 better, 1 filled; 0 worse"
    assert ckl.get_title() == "CKL@20\n0 better; 1 worse, 1 filled"
    assert [label.get_text() for label in recall.get_yticklabels()] == ["DecRS", "Ensemble", "Another seed"]
    assert ckl.xaxis_inverted()
    assert not recall.xaxis_inverted()
    figure.canvas.draw()
    assert not recall.title.get_window_extent().overlaps(ckl.title.get_window_extent())
    points = [line for line in recall.lines if line.get_marker() == "o"]
    assert [line.get_markerfacecolor() for line in points] == [BETTER, "white", "white"]
    assert [line.get_color() for line in points] == [BETTER, BETTER, NEITHER]
    assert "corrected over the 5 tests" in " ".join(shown("against-backbone", frame))
    # A single seed has intervals over users, and no p-values.
    of_one = frame.assign(p=np.nan, p_holm=np.nan)
    assert draw_intervals(of_one).axes[0].get_title() == "Recall@20\n2 better; 0 worse"
    assert "corrected" not in " ".join(shown("against-backbone", of_one))
    again = frame[frame["method"] == "other_seed"]
    assert draw_intervals(again).axes[0].get_title() == "Recall@20\n0 better; 0 worse"
    several = pd.concat([again, again.assign(backbone="NFM"), again.assign(backbone="DeepFM")])
    for with_one_row in (again, several):
        figure = draw_intervals(with_one_row)
        figure.canvas.draw()  # warns where there is no room
        assert min(axis.get_window_extent().height for axis in figure.axes) > 20


def test_texts_by_drift():
    columns = ["backbone", "metric", "method", "threshold", "users", "mean", "std", "seeds"]
    means = {"backbone": (0.5, 0.6, np.nan), "decrs": (0.4, 0.61, np.nan)}
    rows = [
        ["FM", "ckl@20", name, threshold, users, mean, 0.01, 3]
        for name, line in means.items()
        for threshold, users, mean in zip((0, 1.5, 4), (30, 20, 0), line, strict=True)
    ]
    texts = " ".join(shown("figure4", pd.DataFrame(rows, columns=columns)))
    for text in ("DecRS has better CKL@20 than FM", "in 1 of 2 groups, in 1 beyond the spread", "&gt; 1.5", "20"):
        assert text in texts
    assert "CKL@20, smaller is better" in texts


def test_errors_of_shares_are_those_of_a_mean():
    rng = np.random.default_rng(0)
    ratings, shares, scores = np.repeat([1.0, 2.0], 50), rng.random(100), rng.random(100)
    scores[:50] += 5 * shares[:50]
    frame = share_curves(ratings, shares, scores, n_bins=2)
    middle = np.median(shares)
    of_bin = scores[:50][shares[:50] >= middle]
    assert frame.iloc[1]["error"] == pytest.approx(np.std(of_bin, ddof=1) / np.sqrt(len(of_bin)))
    frame.insert(0, "backbone", "FM")
    texts = " ".join(shown("figure1b", frame))
    assert re.search(r"FM is higher beyond both bars for [12] of 2 ratings, lower for 0", texts)
    assert "rating 1, 50 pairs" in texts


@pytest.mark.parametrize("backbones", [["FM"], ["FM", "NFM"], ["FM", "NFM", "DeepFM"]])
def test_titles_lie_within_the_figure_and_beside_the_legend(backbones):
    columns = ["backbone", "method", "weight", "recall@20", "ckl@20", "recall@20 std", "ckl@20 std", "seeds"]
    rows = [
        [backbone, method, weight, 0.2 + place / 100, 0.4 - place / 100, 0.01, 0.01, 4]
        for backbone in backbones
        for place, (method, weight) in enumerate(
            [("backbone", np.nan), ("calibration", np.nan), ("calibration", 0.9), ("confounded_wo", np.nan)]
        )
    ]
    figure = draw_trade_off(pd.DataFrame(rows, columns=columns))
    figure.canvas.draw()
    (legend,) = figure.legends
    width = figure.bbox.width
    assert figure._suptitle.get_window_extent().x0 >= 0
    assert figure._suptitle.get_window_extent().x1 <= width
    for axis in figure.axes:
        extent = axis.title.get_window_extent()
        assert extent.x0 >= 0
        assert extent.x1 <= width
        assert extent.x1 <= legend.get_window_extent().x0
