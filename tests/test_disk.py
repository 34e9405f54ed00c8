"""A disk that is full or that cannot be written to: one sentence, what was saved before whole, and nothing half."""

import errno
import os
import resource
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch
import yaml

from kills import Killed, killed_at
from recbole_decrs import run_recbole_decrs
from recbole_decrs.checkpoint_file import read_checkpoint, write_checkpoint
from recbole_decrs.cli import main
from test_checkpoint import WHOLE


@contextmanager
def files_of_at_most(n_bytes):
    """A write beyond it fails as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_checkpoint_that_does_not_fit_leaves_the_previous_one_whole():
    write_checkpoint("c.pth", WHOLE)
    with files_of_at_most(100_000), pytest.raises(OSError, match="File too large") as caught:
        write_checkpoint("c.pth", WHOLE | {"big": torch.zeros(100_000)})
    assert (caught.value.errno, caught.value.filename) == (errno.EFBIG, "c.pth")
    assert "big" not in read_checkpoint("c.pth")
    assert os.listdir() == ["c.pth"]


@pytest.fixture
def config_file(settings):
    Path("c.yaml").write_text(yaml.safe_dump(settings | {"epochs": 3}))
    return "--config_files=c.yaml"


@pytest.mark.slow
@pytest.mark.parametrize("n_bytes", [2_000, 20_000, 60_000])
def test_a_run_on_a_full_disk(config_file, capsys, n_bytes):
    with files_of_at_most(n_bytes):
        status = main(["--model=DecFM", "--dataset=tiny", config_file, "--embedding_size=64"])
    told = capsys.readouterr().err.strip().splitlines()[-1]
    assert status == 2
    assert told.startswith("recbole-decrs: error: File too large: ")
    assert not list(Path().rglob("*.tmp"))


@pytest.mark.slow
def test_what_was_saved_before_the_disk_was_full_goes_on(settings, config_file, monkeypatch, capsys):
    arguments = ["--model=DecFM", "--dataset=tiny", config_file]
    assert main([*arguments, "--checkpoint_dir=whole"]) == 0
    table = capsys.readouterr().out
    with monkeypatch.context() as patched:
        killed_at(patched, 4, before=True)
        with pytest.raises(Killed):
            main(arguments)
    with files_of_at_most(2_000):
        assert main([*arguments, "--resume=auto"]) == 2
    capsys.readouterr()
    assert main([*arguments, "--resume=auto"]) == 0
    assert capsys.readouterr().out == table


@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EROFS, errno.EDQUOT, errno.EIO])
def test_what_the_system_says_is_one_sentence(settings, config_file, monkeypatch, capsys, error):
    def fail(path, content):
        raise OSError(error, os.strerror(error), path)

    from recbole_decrs import single_trainer

    monkeypatch.setattr(single_trainer, "write_checkpoint", fail)
    assert main(["--model=BPR", "--dataset=tiny", config_file]) == 2
    told = capsys.readouterr().err.strip().splitlines()[-1]
    assert told.startswith(f"recbole-decrs: error: {os.strerror(error)}: saved/BPR-")


@pytest.mark.parametrize("folder", ["saved", "log", "log_tensorboard"])
def test_a_file_where_a_folder_must_be(config_file, capsys, folder):
    Path(folder).write_text("in the way")
    assert main(["--model=BPR", "--dataset=tiny", config_file]) == 2
    assert f"the folder {folder} cannot be made, since {Path(folder).resolve()} is a file" in capsys.readouterr().err


def test_no_memory(settings, config_file, monkeypatch, capsys):
    for error in (
        MemoryError(),
        RuntimeError("DefaultCPUAllocator: not enough memory"),
        RuntimeError("can't start new thread"),
    ):

        def fail(*arguments, error=error, **others):
            raise error

        monkeypatch.setattr("recbole_decrs.single_trainer.SingleTrainer._train_epoch", fail)
        assert main(["--model=BPR", "--dataset=tiny", config_file]) == 2
        told = capsys.readouterr().err.strip().splitlines()[-1]
        assert told.startswith("recbole-decrs: error: out of memory (")
        assert told.endswith("lower eval_batch_size, train_batch_size or embedding_size")


@pytest.mark.slow
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no full device")
@pytest.mark.parametrize("arguments", [["--help"], ["--version"]])
def test_an_output_that_is_full(arguments):
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "recbole_decrs.cli", *arguments], stdout=full, stderr=subprocess.PIPE, text=True
        )
    assert done.returncode == 2
    assert done.stderr.startswith("recbole-decrs: error: No space left on device")
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.slow
def test_runs_of_the_same_second(settings, monkeypatch):
    monkeypatch.setattr("recbole.utils.logger.get_local_time", lambda: "Nov-26-2026_00-00-00")
    monkeypatch.setattr("recbole_decrs.checkpoint_file.get_local_time", lambda: "Nov-26-2026_00-00-00")
    for _ in range(3):
        run_recbole_decrs("DecFM", "tiny", config_dict=settings | {"epochs": 1})
    assert len(list(Path("log/DecFM").iterdir())) == 3
    assert len(list(Path("log_tensorboard").iterdir())) == 3
    assert len(list(Path("saved").glob("*.pth"))) == 3


@pytest.mark.slow
def test_curves_that_cannot_be_written(settings, config_file, monkeypatch, capsys):
    """TensorBoard writes in a thread of its own, which would print its own traceback."""

    def fail(*arguments, **others):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), b"log_tensorboard/events")

    monkeypatch.setattr("tensorboard.summary.writer.record_writer.RecordWriter.write", fail)
    assert main(["--model=BPR", "--dataset=tiny", config_file]) == 2
    told = capsys.readouterr().err.strip().splitlines()
    assert told[-1] == "recbole-decrs: error: No space left on device: log_tensorboard/events; the run cannot go on"
    assert not [line for line in told if "Traceback" in line]
