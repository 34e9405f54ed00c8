"""A comparison in several processes: the tables of one process, its errors, and what is left when it is stopped."""

import contextlib
import importlib.util
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
import yaml
from joblib import delayed
from joblib.externals.loky import reusable_executor

from recbole_decrs import DecRSError
from recbole_decrs.compare import Method, register_method, run_comparison
from recbole_decrs.compare.job import Job
from recbole_decrs.compare.notices import Note, Notices
from recbole_decrs.compare.workers import _ready
from recbole_decrs.engines import workers_of
from registries import registries_as_before

WITHOUT_RAY = pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="Ray is not installed")


@pytest.fixture(autouse=True)
def _as_before():
    """Takes out again what a test has registered."""
    with registries_as_before():
        yield


def written(folder):
    return {path.name: path.read_bytes() for path in Path(folder).iterdir() if path.suffix in (".csv", ".md")}


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["loky", pytest.param("ray", marks=WITHOUT_RAY)])
def test_two_workers_give_the_tables_of_one(tiny, engine, caplog, capsys):
    """With a method of one's own that cannot be trained, of which all say the same."""
    register_method("hot", Method("Hot", role="control", settings_of=lambda config: {"learning_rate": 1e30}))
    methods, settings = ["fairco", "decrs", "hot"], tiny | {"show_progress": True}
    records = []
    for folder, how in (("one", {}), ("two", {"workers": 2, "engine": engine})):
        run_comparison(["FM"], "tiny", methods, 1, folder, config_dict=settings, **how)
        records.append(json.loads(Path(folder, "run.json").read_text()))
        assert caplog.text.count("FM-2020-hot is left out: the training loss of FM is infinite") == len(records)
        assert not list(Path(folder, "pieces").glob("*.tmp"))
    assert written("one") == written("two")
    for key in ("left_out", "methods", "threads", "config"):
        assert records[0][key] == records[1][key]
    assert records[0]["seconds"].keys() == records[1]["seconds"].keys()
    # Workers say nothing, and into a pipe there is no bar: there are the lines of this process.
    said = [line for line in re.split(r"[\r\n]+", capsys.readouterr().err) if line.strip()]
    assert [
        line for line in said if not re.search(r"^WARNING: |^\d+ groups read|^next: |^\d+ of \d+ pieces are made", line)
    ] == []


@pytest.mark.slow
def test_what_a_worker_cannot_do_without_ends_the_comparison(settings):
    with pytest.raises(DecRSError, match="the training loss of FM is infinite or not a number"):
        run_comparison(["FM"], "tiny", ["decrs"], 1, "out", config_dict=settings | {"learning_rate": 1e30}, workers=2)
    assert not list(Path("out/pieces").glob("*.tmp"))


def until(happened, seconds=120):
    end = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < end
        time.sleep(0.05)


@pytest.mark.slow
def test_stopped_by_the_keyboard_it_keeps_what_is_finished(settings):
    Path("tiny.yaml").write_text(yaml.safe_dump(settings | {"epochs": 1, "dataset": "tiny"}))
    command = [sys.executable, "-m", "recbole_decrs.cli", "compare", "--backbones=FM", "--seeds=1", "--output=out"]
    command += ["--methods=ips_item,ips_user", "--config_files=tiny.yaml", "--workers=2"]
    started = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True)
    until(lambda: list(Path("out/pieces").glob("*.trained")))
    workers = psutil.Process(started.pid).children(recursive=True)
    os.killpg(started.pid, signal.SIGINT)
    said = started.communicate(timeout=60)[1]
    assert started.returncode == 130
    assert said.splitlines()[-1] == "recbole-decrs: stopped"
    assert "Traceback" not in said
    assert not psutil.wait_procs(workers, timeout=30)[1]
    kept = {path: path.stat().st_mtime_ns for path in Path("out/pieces").glob("*.trained")}
    assert 1 <= len(kept) < 13
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "table3.md" in done.stdout
    assert kept == {path: path.stat().st_mtime_ns for path in kept}


@pytest.mark.parametrize("workers", [0, 1.5, True, "2"])
def test_a_number_of_workers_that_is_none(settings, workers):
    with pytest.raises(DecRSError, match=f"workers must be a whole number >= 1, not {workers!r}"):
        run_comparison(["FM"], "tiny", [], 1, "out", config_dict=settings, workers=workers)


@pytest.mark.parametrize("error", [None, KeyboardInterrupt])
def test_workers_are_gone_at_the_end_of_their_block(error):
    with contextlib.suppress(KeyboardInterrupt), workers_of("loky", 2) as parallel:
        started = reusable_executor._executor
        workers = [psutil.Process(number) for number in set(parallel(delayed(os.getpid)() for _ in range(4)))]
        if error:
            raise error
    assert not any(worker.is_running() and worker.status() != psutil.STATUS_ZOMBIE for worker in workers)
    assert reusable_executor._executor is started  # and no other was started to be stopped


def test_a_dry_run_lists_what_is_to_be_done_and_writes_nothing(settings, capsys):
    def listed(*methods):
        run_comparison(["FM"], "tiny", methods, 1, "out", config_dict=settings | {"epochs": 1}, dry_run=True)
        return capsys.readouterr().out.splitlines()

    before = sorted(Path().rglob("*"))
    expected = ["to do  train FM-2020-backbone  ?", "to do  measure FM-2020-backbone  ?"]
    expected += ["to do  train FM-2020-decrs  ?", "to do  measure FM-2020-decrs_wo  ?", "4 of 4 pieces are to be made"]
    assert listed("decrs_wo") == expected
    assert sorted(Path().rglob("*")) == before
    run_comparison(["FM"], "tiny", ["decrs_wo"], 1, "out", config_dict=settings | {"epochs": 1})
    capsys.readouterr()
    after = {path: path.stat().st_mtime_ns for path in Path().rglob("*")}
    *pieces, last = listed("decrs_wo", "wide")
    assert [line[:5] for line in pieces] == ["done "] * 4 + ["to do"] * 2
    assert all("about" in line for line in pieces[-2:])
    assert last.startswith("2 of 6 pieces are to be made, about ")
    assert {path: path.stat().st_mtime_ns for path in Path().rglob("*")} == after


def test_what_is_measured_waits_for_its_trainings(tmp_path):
    def job(kind, name, *needs):
        return Job(kind, name, "FM", 1, subject=name, needs=needs, seconds=None, needed=False)

    jobs = [job("measure", "ab", "train a", "train b"), job("train", "a"), job("train", "b")]
    jobs += [job("measure", "done", "train c"), job("measure", "a", "train a")]
    notices, taken = Notices(tmp_path), []
    with notices.opened():
        ready = _ready(jobs, notices, taken)
        assert [next(ready).key for _ in range(3)] == ["train a", "train b", "measure done"]
        notices.write(Note("train a", seconds=1.0, ended=True))
        assert next(ready).key == "measure a"
        assert next(ready, None) is None
    assert [one.key for one in taken] == ["train a", "train b", "measure done", "measure a"]
    assert [one.key for one in _ready([jobs[0]], notices, [])] == ["measure ab"]


@pytest.mark.parametrize(
    ("engine", "said"),
    [
        ("loki", "engine: there is no engine loki; did you mean loky?"),
        ("mpi", "take of loky, ray, dask, spark"),
        ("spark", "engine: spark needs joblibspark, which is not installed; pip install joblibspark pyspark"),
    ],
)
def test_an_engine_that_is_not_there(settings, monkeypatch, engine, said):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(DecRSError, match=said):
        run_comparison(["FM"], "tiny", [], 1, "out", config_dict=settings, workers=2, engine=engine)
    assert not Path("out").exists()
