"""What two processes compute together is what one computes: layers, and what they tell each other."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from processes import dropped, in_processes, normed, one_fails, together
from recbole_decrs.distributed import launch
from recbole_decrs.distributed.settings import Layout
from recbole_decrs.errors import DecRSError


def test_batch_norm_and_dropout_of_parts_are_those_of_the_whole():
    """On random rows, random gradients and random parts, some of them empty."""
    rng = np.random.default_rng(0)
    cases = []
    for _ in range(40):
        n = int(rng.integers(2, 12))
        rows = torch.as_tensor(rng.normal(rng.normal() * 5, rng.uniform(0.1, 9), (n, 3)))
        first = int(rng.integers(0, n + 1))
        cases.append((rows, torch.as_tensor(rng.normal(size=(n, 3))), [first, n - first]))
    whole, parts = (in_processes(n, normed, cases, 0.1) for n in (1, 2))
    for one, other in zip(whole, parts, strict=True):
        for expected, found in zip(one, other, strict=True):
            torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-9)
    cases = [(p, times, n) for p in (0.0, 0.3, 0.9) for times in (1, 2, 4) for n in (1, 2, 5, 64)]
    torch.testing.assert_close(in_processes(2, dropped, cases), dropped(cases), rtol=0, atol=0)


def test_what_processes_tell_each_other(tmp_path):
    rows, empty, told, was_there, is_first = in_processes(2, together, str(tmp_path))
    assert [of_type[:, 1].tolist() for of_type in rows] == [[False, True, True], [0, 1, 1], [0.0, 1.0, 1.0]]
    assert empty.shape == (0, 3)
    assert told == {"rank": 0, "nested": [1.5, None, "a"]}
    assert was_there.tolist() == [False, True]
    assert is_first


@pytest.mark.parametrize(
    ("how", "sentence"),
    [
        ("told", "the second process has had enough"),
        ("memory", "out of memory .the second process has had enough.; lower eval_batch_size"),
        ("killed", "process 1 of 2 was ended by SIGKILL .* --resume=auto"),
    ],
)
def test_one_that_fails_ends_all(how, sentence):
    with pytest.raises(DecRSError, match=sentence) as caught:
        in_processes(2, one_fails, how)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("settings", "layout"),
    [
        ({}, Layout(1, 1)),
        ({"nproc": "2"}, Layout(2, 2)),
        ({"nproc": 2, "world_size": 2}, Layout(2, 2)),
        ({"nproc": 2, "world_size": -1, "port": "5678"}, Layout(2, 2, port=5678)),
        (
            {"nproc": 2, "world_size": 4, "group_offset": 2, "ip": "10.0.0.1", "port": 5678},
            Layout(2, 4, 2, "10.0.0.1", 5678),
        ),
    ],
)
def test_keys_of_several_processes(settings, layout):
    assert Layout.of(settings) == layout


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"nproc": "x"}, "nproc must be a whole number >= 1, not x"),
        ({"nproc": 0}, "nproc must be a whole number >= 1, not 0"),
        ({"world_size": 4}, "world_size: 4 processes on several machines need nproc, group_offset, ip and port"),
        ({"nproc": 2, "world_size": 4}, "world_size: 4 processes on several machines need"),
        ({"nproc": 2, "group_offset": 2}, "group_offset: goes with world_size"),
        (
            {"nproc": 3, "world_size": 4, "group_offset": 2, "ip": "a", "port": 1},
            "world_size: 4 are fewer than group_offset 2 and nproc 3 together",
        ),
    ],
)
def test_keys_that_do_not_go_together(settings, sentence):
    with pytest.raises(DecRSError, match=sentence):
        Layout.of(settings)


@pytest.mark.parametrize(
    ("codes", "told"),
    [([-6, -9], "process 1 of 2 was ended by SIGKILL"), ([-15, -9], "process 1 of 2"), ([-6, -15], "process 0 of 2")],
)
def test_the_first_process_to_end_is_told(codes, told):
    """gloo aborts a process whose neighbour has gone, and the parent ends what is left."""
    processes = [SimpleNamespace(exitcode=code) for code in codes]
    assert told in str(launch._killed(processes, SimpleNamespace(group_offset=0, world_size=2)))
