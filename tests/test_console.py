"""The console: what a run shows there, by itself and with ``verbose``, and tables that fit it."""

import logging
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recbole_decrs import console, run_recbole_decrs
from recbole_decrs.config import DecRSConfig
from recbole_decrs.log import HeldLog, RunLog
from recbole_decrs.tables import WIDTH, as_markdown, cells_of, in_width, text_in_width

DUMPS = ("learning_rate", "Sequential(", "FLOPs", "| CPU", "epoch 0 training")
"""Parts of what RecBole logs: settings, modules, costs, the machine and each epoch."""


def logged():
    (path,) = Path("log").rglob("*.log")
    return path.read_text(encoding="utf-8")


@pytest.mark.parametrize("model", ["DecNFM", "BPR"])
def test_a_run_is_told_in_a_few_lines_and_logged_whole(settings, capsys, model):
    result = run_recbole_decrs(model, "tiny", config_dict=settings | {"show_progress": True})
    out, err = capsys.readouterr()
    assert len((out + err).splitlines()) < 40
    assert not re.search(r"\x1b|\d%\|", out + err)
    assert [part for part in DUMPS if part in out + err] == []
    log = logged()
    assert [part for part in DUMPS if part not in log and (model, part) != ("BPR", "Sequential(")] == []
    assert "| > 4" in log
    assert "\x1b" not in log
    last = err.splitlines()[-7:]
    for path in (result["saved_model_file"], next(Path("log").rglob("*.log"))):
        assert any(line.endswith(str(path)) for line in last)
    assert "next: recbole-decrs table saved/" in last
    assert (f"      recbole-decrs mechanism {result['saved_model_file']}" in last) == (model == "DecNFM")


def test_verbose_shows_what_is_logged(settings, capsys):
    result = run_recbole_decrs("DecNFM", "tiny", config_dict=settings | {"verbose": True})
    out, err = capsys.readouterr()
    assert [part for part in DUMPS if part not in err] == []
    assert out.count("DecNFM (fused") > len(result["by_drift"])
    assert "\x1b" not in err


def test_a_text_with_fewer_places_than_arguments_is_logged(settings):
    """RecBole's RaCT and DGCF log such ones."""
    with RunLog() as log:
        log.start(DecRSConfig("BPR", "tiny", config_dict=settings))
        logging.getLogger().info("Load pretrained model from", "a.pth")
    assert "Load pretrained model from ('a.pth',)" in logged()
    with RunLog() as log:
        log.start(DecRSConfig("BPR", "tiny", config_dict=settings))
        with pytest.raises(UnicodeEncodeError):  # it has places enough, and cannot be written all the same
            logging.getLogger().info("a lone surrogate: %s", "\ud800")
    held = HeldLog(None)
    held.emit(logging.LogRecord("root", logging.WARNING, __file__, 1, "Held until there is a file", ("b.pth",), None))
    assert held.warnings == {"Held until there is a file ('b.pth',)"}


def test_a_log_is_opened_once(settings):
    handlers = logging.getLogger().handlers[:]
    with RunLog() as log:
        for _ in range(2):
            log.start(DecRSConfig("BPR", "tiny", config_dict=settings))
            logging.getLogger().info("a line")
    assert logging.getLogger().handlers == handlers
    assert logged().count("a line") == 2


def test_state_still_says_which_level_is_told(settings, capsys):
    run_recbole_decrs("Pop", "tiny", config_dict=settings | {"state": "WARNING", "my_key": 1})
    lines = set(capsys.readouterr().err.splitlines())
    assert lines == {"WARNING: nobody knows the configuration key my_key, it changes nothing; check its spelling"}
    assert "tiny: " not in logged()


def test_a_terminal_has_bars_and_colours(monkeypatch):
    assert not console.shows_bars({"show_progress": True})
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    assert console.shows_bars({"show_progress": True})
    assert not console.shows_bars({"show_progress": False})
    record = logging.LogRecord("root", logging.WARNING, "", 0, "\x1b[1;33mred\x1b[0m", None, None)
    assert console.Console(verbose=True).format(record).count("\x1b") > 2
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b" not in console.Console(verbose=True).format(record)
    assert console.Console().format(record) == "WARNING: red"


def test_without_a_standard_error_there_are_no_bars(monkeypatch):
    monkeypatch.setattr("sys.stderr", None)
    assert not console.is_watched()


CELLS = st.text("ab1.+-|", min_size=1, max_size=30)


@given(data=st.data(), n_columns=st.integers(1, 9), n_rows=st.integers(1, 4), n_labels=st.integers(1, 3))
def test_a_table_in_parts_has_every_cell_and_fits(data, n_columns, n_rows, n_labels):
    headers = data.draw(st.lists(CELLS, min_size=n_labels + n_columns, max_size=n_labels + n_columns))
    rows = [data.draw(st.lists(CELLS, min_size=len(headers), max_size=len(headers))) for _ in range(n_rows)]
    parts = [part.split("\n") for part in in_width(rows, headers, n_labels).split("\n\n")]
    shown = [[cells_of(line) for line in part] for part in parts]
    for number, row in enumerate([headers, *rows]):
        line = 0 if number == 0 else number + 1
        assert all(part[line][:n_labels] == row[:n_labels] for part in shown)
        assert [cell for part in shown for cell in part[line][n_labels:]] == row[n_labels:]
    for part, cells in zip(parts, shown, strict=True):
        assert len(part[0]) <= WIDTH or len(cells[0]) == n_labels + 1


def test_a_text_in_markdown_fits():
    table = as_markdown([["x" * 30, *("0.1234 ± 0.0001" for _ in range(9))]], ["", *(f"metric@{k}" for k in range(9))])
    text = f"{table}\n\n{'word ' * 60}\n"
    fitted = text_in_width(text)
    assert max(map(len, fitted.splitlines())) <= WIDTH
    assert fitted.count("x" * 30) > 1
    assert fitted.count("word") == 60
    assert text_in_width(fitted) == fitted


def test_the_best_epoch_is_one_that_was_validated(settings, capfd):
    run_recbole_decrs("FM", "tiny", config_dict=settings | {"epochs": 5, "eval_step": 2, "learning_rate": 1e-6})
    assert re.search(r"to epoch 4, best on validation in epoch [13] ", capfd.readouterr().err)
