"""Times of any form are read as the seconds that they are, against Python's own datetime."""

from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recbole_decrs.importing.frames import table_of_frame
from recbole_decrs.importing.times import UNITS, read_times

moments = st.datetimes(datetime(1980, 1, 2), datetime(2099, 12, 30)).map(lambda moment: moment.replace(microsecond=0))
PARIS = timezone(timedelta(hours=2))


def seconds(times):
    return np.array([moment.replace(tzinfo=UTC).timestamp() for moment in times])


def read(cells, time_format="auto", library=pd.DataFrame):
    return read_times(table_of_frame(library({"when": cells}), "clicks"), "when", time_format)


FORMS = {
    "seconds": lambda moment: int(moment.replace(tzinfo=UTC).timestamp()),
    "seconds as text": lambda moment: str(int(moment.replace(tzinfo=UTC).timestamp())),
    "seconds with a point": lambda moment: float(moment.replace(tzinfo=UTC).timestamp()),
    **{
        unit: lambda moment, number=number: int(moment.replace(tzinfo=UTC).timestamp()) * number
        for unit, number in UNITS.items()
        if number > 1
    },
    "ISO 8601": lambda moment: moment.isoformat(),
    "with a blank": lambda moment: moment.isoformat(sep=" "),
    "with Z": lambda moment: f"{moment.isoformat()}Z",
    "with an offset": lambda moment: moment.replace(tzinfo=UTC).astimezone(PARIS).isoformat(),
    "times": lambda moment: moment,
}


@pytest.mark.parametrize("library", [pd.DataFrame, pl.DataFrame])
@pytest.mark.parametrize("form", FORMS)
@given(times=st.lists(moments, min_size=1, max_size=5))
def test_a_form_is_found_out(form, library, times):
    found = read([FORMS[form](moment) for moment in times], library=library)
    np.testing.assert_array_equal(found.seconds, seconds(times))


@given(times=st.lists(moments, min_size=1, max_size=5))
def test_a_form_is_given(times):
    found = read([moment.strftime("%d.%m.%Y %H:%M:%S") for moment in times], "%d.%m.%Y %H:%M:%S")
    np.testing.assert_array_equal(found.seconds, seconds(times))


@given(times=st.lists(st.dates(datetime(1980, 1, 2).date(), datetime(2099, 1, 1).date()), min_size=1, max_size=5))
def test_days_are_their_first_second(times):
    expected = seconds([datetime(day.year, day.month, day.day) for day in times])
    for cells, library in (
        (times, pd.DataFrame),
        (times, pl.DataFrame),
        (list(map(str, times)), pd.DataFrame),
        ([int(f"{day:%Y%m%d}") for day in times], pd.DataFrame),
    ):
        form = "%Y%m%d" if isinstance(cells[0], int) else "auto"
        np.testing.assert_array_equal(read(cells, form, library).seconds, expected)


def test_numbers_are_taken_as_they_are_where_that_is_said():
    np.testing.assert_array_equal(read([1, 2, 2.5], "seconds").seconds, [1, 2, 2.5])
    np.testing.assert_array_equal(read([1000, 2500], "milliseconds").seconds, [1, 2.5])


@pytest.mark.parametrize("library", [pd.DataFrame, pl.DataFrame])
@pytest.mark.parametrize("cells", [[964982703, None], ["2000-07-30", None], [datetime(2000, 7, 30), None]])
def test_a_missing_time_stays_missing(library, cells):
    assert np.isnan(read(cells, library=library).seconds).tolist() == [False, True]


def test_parts_of_a_second_are_kept():
    assert read(["2024-01-31T23:59:00.25"]).seconds[0] % 1 == 0.25
    assert read([1706745540250]).seconds[0] % 1 == 0.25


def test_nanoseconds_beside_an_empty_cell_are_floats_and_read():
    """A float64 holds them to a fraction of a microsecond, which is enough of a second."""
    assert read([1706745540250000000, None]).seconds[0] == pytest.approx(1706745540.25, abs=1e-6)
