"""The estimate of the time that a comparison still takes."""

import time

import pytest

from recbole_decrs.compare.job import Job
from recbole_decrs.compare.notices import Note, Notices
from recbole_decrs.compare.progress import Progress, in_words


def job(kind, subject, number, seconds=None, backbone="FM"):
    name = f"{backbone}-{number}-{subject}"
    return Job(kind, name, backbone, number, subject=subject, seconds=seconds, needed=False)


def test_a_piece_takes_as_long_as_those_like_it():
    jobs = [job("train", "FM", 1, 10.0), job("train", "FM", 2, 20.0), job("train", "DecFM", 1, 90.0)]
    jobs += [
        job("train", "FM", 3),
        job("train", "DecFM", 2),
        job("train", "wide", 1),
        job("train", "x", 1, None, "NFM"),
    ]
    jobs += [job("measure", "decrs", 1)]
    progress = Progress(jobs)
    expected = [progress.expected(one) for one in jobs[3:]]
    assert expected == [15.0, 90.0, 40.0, 40.0, None]
    assert progress.left() == ", more than 3 min left"
    progress.end(jobs[-1].key, None)
    assert progress.left() == ", about 3 min left"
    progress.workers = 2
    assert progress.left() == ", about 2 min left"


def test_epochs_count():
    jobs = [job("train", "FM", 1), job("train", "FM", 2)]
    progress = Progress(jobs)
    progress.begin(jobs[0].key)
    assert progress.expected(jobs[0]) is None
    assert progress.left() == ""
    progress.at_epoch(jobs[0].key, 5, 50, 10.0)
    assert progress.expected(jobs[0]) == pytest.approx(90.0)  # as many as there may be
    progress.end(jobs[0].key, 30.0)
    progress.at_epoch(jobs[1].key, 5, 50, 12.0)
    assert progress.expected(jobs[1]) == pytest.approx(18.0)
    progress.at_epoch(jobs[1].key, 20, 50, 48.0)  # longer than the other: one more epoch at least
    assert progress.expected(jobs[1]) == pytest.approx(2.4)


def test_what_the_bar_shows(tmp_path, capsys):
    jobs = [job("train", "FM", 1), job("train", "FM", 2), job("train", "FM", 3)]
    notices = Notices(tmp_path)
    with notices.opened(), Progress(jobs, workers=2, show=True) as progress:
        notices.write(Note(jobs[0].key, 3, 50, 6.0))
        notices.write(Note(jobs[1].key))
        progress.read(notices.read())
        assert progress.bar.postfix == "train FM-1-FM, epoch 3 of 50 and 1 more, more than 2 min left"
        notices.write(Note(jobs[0].key, seconds=20.0, ended=True))
        for _ in range(2):
            progress.read(notices.read())
        assert progress.bar.n == 1
        assert progress.bar.postfix == "train FM-2-FM, about 20 s left"
    assert "done" in capsys.readouterr().err
    assert notices.read() == []


def test_a_file_has_a_line_a_minute(capsys, monkeypatch):
    clock = iter((100.0, 100.0, 130.0, 161.0, 161.0))
    monkeypatch.setattr(time, "monotonic", lambda: next(clock))
    jobs = [job("train", "FM", seed) for seed in range(4)]
    with Progress(jobs, lines=True) as progress:
        for one in jobs[:3]:
            progress.end(one.key, 30.0)
    assert capsys.readouterr().err.splitlines() == [
        "1 of 4 pieces are made, about 2 min left",
        "3 of 4 pieces are made, about 30 s left",
    ]


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.4, "0 s"), (59, "59 s"), (90, "2 min"), (7199, "120 min"), (9000, "2.5 h")]
)
def test_a_time_is_rough(seconds, words):
    assert in_words(seconds) == words
