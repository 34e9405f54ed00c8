"""Files that are written whole, and files that one process has to itself."""

import os
import signal
import subprocess
import sys
from contextlib import suppress

import pytest

from recbole_decrs import DecRSError, run_recbole_decrs
from recbole_decrs.compare import run_comparison
from recbole_decrs.files import Claim, replaced_whole

HOLDS = """
import sys, time
from recbole_decrs.files import Claim
claim = Claim(sys.argv[1])
print("claimed", flush=True)
time.sleep(60)
"""


@pytest.fixture
def held_by_another():
    """Has another process claim a path, until it is killed or the test ends."""
    processes = []

    def hold(path):
        process = subprocess.Popen([sys.executable, "-c", HOLDS, path], stdout=subprocess.PIPE, text=True)
        processes.append(process)
        assert process.stdout.readline() == "claimed\n"
        return process

    yield hold
    for process in processes:
        process.kill()
        process.wait()
        process.stdout.close()


def test_a_file_is_written_whole_or_not_at_all():
    with replaced_whole("a") as file:
        file.write(b"first")
    with suppress(RuntimeError), replaced_whole("a") as file:
        file.write(b"second")
        raise RuntimeError
    with open("a", "rb") as file:
        assert file.read() == b"first"
    assert os.listdir() == ["a"]


def test_one_process_at_a_time(held_by_another):
    other = held_by_another("a")
    with pytest.raises(BlockingIOError):
        Claim("a")
    other.send_signal(signal.SIGKILL)  # whatever is killed claims nothing
    other.wait()
    with Claim("a"):
        assert os.listdir() == ["a.lock"]
    assert os.listdir() == []


def test_a_disk_without_locks(monkeypatch):
    def none(*arguments):
        raise OSError(37, "No locks available")

    monkeypatch.setattr("recbole_decrs.files.fcntl.lockf", none)
    with Claim("a"), Claim("a"):
        pass


@pytest.mark.parametrize("model", ["BPR", "DecFM"])
def test_a_training_is_resumed_by_one_process(settings, held_by_another, model):
    settings |= {"epochs": 1}
    path = run_recbole_decrs(model, "tiny", config_dict=settings)["saved_model_file"]
    assert {os.path.splitext(name)[1] for name in os.listdir("saved")} == {".pth", ".json", ".md"}
    held_by_another(path)
    for resume in (path, "auto"):
        with pytest.raises(DecRSError, match=r"resume: saved/\w+-.*\.pth is being trained by another process"):
            run_recbole_decrs(model, "tiny", config_dict=settings | {"resume": resume})


def test_a_training_that_fails_claims_nothing(settings):
    with pytest.raises(DecRSError, match="infinite or not a number"):
        run_recbole_decrs("BPR", "tiny", config_dict=settings | {"learning_rate": 1e30})
    assert os.listdir("saved") == []


def test_one_comparison_a_folder(settings, held_by_another):
    os.makedirs("out/pieces")
    held_by_another("out/pieces/compare")
    with pytest.raises(DecRSError, match="output: another comparison writes to out;"):
        run_comparison(["FM"], "tiny", ["decrs_wo"], 1, "out", config_dict=settings | {"epochs": 1})


def test_a_lock_is_nobody_elses_file():
    """Whoever hands a folder over may have put a link or a pipe in the place of a lock."""
    with open("victim", "w") as file:
        file.write("content")
    os.symlink("victim", "a.lock")
    os.mkfifo("b.lock")
    for path in ("a", "b"):
        with pytest.raises(OSError, match=r"lock"):
            Claim(path)
    with open("victim") as file:
        assert file.read() == "content"
