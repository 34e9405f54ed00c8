import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pages import PageParser
from recbole_decrs.report.charts.axis import Axis, axis_around, round_numbers
from recbole_decrs.report.charts.histogram import counts_in_bins, histogram
from recbole_decrs.report.charts.lines import Flag, Line, line_chart
from recbole_decrs.report.charts.svg import element, marker, text
from recbole_decrs.report.parts import number as number_cell

numbers = st.floats(-1e6, 1e6, allow_nan=False).filter(lambda value: value == 0 or abs(value) > 1e-6)


@given(low=numbers, width=st.floats(1e-4, 1e6))
def test_round_numbers_lie_within_and_at_even_distances(low, width):
    found = round_numbers(low, low + width)
    slack = 1e-6 * max(abs(low), width)
    assert all(low - slack <= value <= low + width + slack for value in found)
    assert 1 <= len(found) <= 12
    if len(found) > 2:
        assert np.allclose(np.diff(found), found[1] - found[0], rtol=1e-3, atol=1e-9)


@given(values=st.lists(numbers, min_size=1, max_size=20), zero=st.booleans())
def test_an_axis_has_all_values_on_it(values, zero):
    axis = axis_around([*values, math.nan], 10, 500, zero=zero)
    places = [axis.place(value) for value in values]
    assert all(10 <= place <= 500 for place in places)
    assert axis.low < axis.high


def test_a_logarithmic_axis_keeps_ratios():
    axis = Axis(1, 100, 0, 200, is_logarithmic=True)
    assert [axis.place(value) for value in (1, 10, 100)] == [0, 100, 200]
    assert axis.ticks() == [1, 2, 5, 10, 20, 50, 100]


@given(values=st.lists(numbers, min_size=1, max_size=50))
def test_a_histogram_counts_every_value(values):
    counts, bounds = counts_in_bins(np.array(values))
    assert counts.sum() == len(values)
    assert len(bounds) == len(counts) + 1
    drawn = PageParser(str(histogram(counts, bounds, ("x", "y"), "label")))
    assert drawn.elements.count("rect") == len(counts)


def test_texts_are_escaped():
    drawn = str(text(1, 2, "<script>&\"'")) + str(element("g", data_tip='"><script>'))
    assert "<script>" not in drawn
    assert PageParser(drawn).texts == ["<script>&\"'"]


def test_lines_with_gaps_bands_and_flags_are_drawn():
    line = Line("a", 0, [0, 1, 2], [1.0, math.nan, 3.0], [0.5, math.nan, 2.5], [1.5, math.nan, 3.5])
    step = Line("b", 1, [0, 1], [0.0, 1.0], is_step=True)
    drawn = PageParser(str(line_chart([line, step], ("x", "y"), "label", [Flag(0, 1)])))
    assert drawn.elements.count("polyline") == 2
    assert drawn.elements.count("polygon") == 1
    assert drawn.elements.count("path") == 2  # the point that is not known has no marker
    assert "nan" not in " ".join(drawn.of("points"))


def test_no_two_series_look_alike():
    assert len({str(marker(number, 0, 0)) for number in range(32)}) == 32


def test_words_of_several_lines_stand_below_one_another():
    drawn = str(text(3, 5, "0 to <1\nn=7"))
    assert "0 to &lt;1<tspan" in drawn
    assert 'x="3" dy="1.15em">n=7</tspan>' in drawn


def test_a_zero_has_no_sign_of_its_own():
    assert [number_cell(value, 2).shown for value in (-0.001, -0.0, 0.004, -0.02)] == ["0.00", "0.00", "0.00", "-0.02"]
