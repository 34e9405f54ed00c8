"""What every re-ranker promises, and how one comes into the registry."""

import functools
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import recbole_decrs.rerank
from recbole_decrs import DecRSError
from recbole_decrs.options import CHECKS
from recbole_decrs.rerank import RERANKERS, RegisteredReranker, reranker
from registries import registries_as_before
from rerank_problems import N_CANDIDATES, check_promises, problems


@pytest.fixture(autouse=True)
def _nothing_stays_registered():
    with registries_as_before():
        yield


@pytest.mark.parametrize("name", RERANKERS)
@settings(max_examples=60, deadline=None)
@given(problem=problems(), length=st.integers(1, N_CANDIDATES))
def test_it_keeps_its_promises(name, problem, length):
    check_promises(RERANKERS[name], problem, length)


@pytest.mark.parametrize("name", RERANKERS)
def test_weights_that_it_takes(name):
    record = RERANKERS[name]
    assert all(map(record.weight_check.passes, (0, record.default, *record.grid)))
    assert not record.weight_check.passes(-0.01)
    assert record.grid == tuple(sorted(set(record.grid)))
    assert record.source


def reverse(candidate_scores, candidate_items, confounder, users, weight, length):
    """Turns the order of relevance round, against all promises."""
    return candidate_scores.argsort(dim=1)[:, :length]


def test_ones_own_is_known_from_then_on():
    check = CHECKS["reranker"]
    assert not check.passes("reverse")
    assert reranker(title="Reverse", default=0.1, grid=[0.1, 0.2])(reverse) is reverse
    assert check.passes("reverse")
    assert check.takes == f"one of {', '.join(RERANKERS)} or none"
    assert RERANKERS["reverse"].grid == (0.1, 0.2)
    reranker(title="Reverse", default=0.3, grid=[0.3])(reverse)  # a cell of a notebook, run again
    assert RERANKERS["reverse"].default == 0.3


@settings(max_examples=1)
@given(problem=problems(weights=(0.5,)))
def test_a_broken_promise_is_found(problem):
    with pytest.raises(AssertionError, match="weight 0 changes|depends|longer"):
        check_promises(reverse, problem, 3)


@pytest.mark.parametrize(
    ("name", "others", "message"),
    [
        ("fairco", {}, r"there is a re-ranker named fairco already, in recbole_decrs\.rerank\.fairco; give the one in"),
        ("mine", {"default": 2}, r"a weight of the re-ranker mine must be a number in \[0, 1\], not 2; mend"),
        ("mine", {"grid": [0.1, -1]}, r"must be a number in \[0, 1\], not -1"),
        ("mine", {"grid": []}, r"the grid of the re-ranker mine must be weights, at least one, not \[\]"),
        ("mine", {"grid": 0.5}, "the grid of the re-ranker mine must be weights, at least one, not 0.5"),
        ("mine", {"title": 5}, "the title of the re-ranker mine must be a text, not 5"),
        ("mine", {"default": 0.5, "largest": 0.4}, r"must be a number in \[0, 0\.4\], not 0\.5"),
    ],
)
def test_one_sentence_for_what_cannot_be_registered(name, others, message):
    def function(*arguments):
        return None

    function.__name__ = name
    before = dict(RERANKERS)
    with pytest.raises(DecRSError, match=message):
        reranker(**{"title": "Mine", "default": 0.1, "grid": [0.1], **others})(function)
    assert before == RERANKERS


def test_every_file_of_the_package_is_found():
    files = Path(recbole_decrs.rerank.__file__).parent.glob("*.py")
    defining = {file.stem for file in files if "\n@reranker(" in file.read_text(encoding="utf-8")}
    assert {record.function.__module__.rpartition(".")[2] for record in RERANKERS.values()} == defining


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (lambda scores, items: None, "returns a NoneType"),
        (lambda scores, items: scores[:, :2], "returns a Tensor of torch.float"),
        (lambda scores, items: torch.zeros(len(items), 3, dtype=torch.int64), "returns a tensor of shape"),
        (lambda scores, items: torch.zeros(len(items), 2, dtype=torch.int64), "returns a place twice"),
        (lambda scores, items: items[:, :2] + 1000, r"returns \d+ \.\.\. \d+"),
    ],
)
def test_what_is_no_ranking_is_refused(wrong, said):
    record = RegisteredReranker(lambda scores, items, *_: wrong(scores, items), "Wrong", 0.1, (0.1,))
    scores, items = torch.rand(3, 5), torch.arange(15).view(3, 5)
    with pytest.raises(DecRSError, match=f"must return 2 different places for each of 3 users, in 0 ... 4, and {said}"):
        record(scores, items, None, torch.arange(3), 0.1, 2)


def test_a_missing_candidate_comes_last():
    record = RegisteredReranker(lambda scores, *_: scores.argsort(dim=1)[:, :2], "Wrong", 0.1, (0.1,))
    scores = torch.tensor([[0.9, 0.5, -torch.inf]])
    with pytest.raises(DecRSError, match="returns the place of a missing candidate before that of another"):
        record(scores, torch.arange(3).view(1, 3), None, torch.tensor([1]), 0.1, 2)


def test_what_it_changes_in_place_is_a_copy():
    record = RegisteredReranker(lambda scores, *_: scores.mul_(-1).argsort(dim=1), "Wrong", 0.1, (0.1,))
    scores = torch.tensor([[0.9, 0.5]])
    record(scores, torch.tensor([[1, 2]]), None, torch.tensor([1]), 0.1, 2)
    assert scores[0, 0] == 0.9


def of_two(scores, items):
    """Takes less than a re-ranker is given."""


GIVEN = r"\(candidate_scores, candidate_items, confounder, users, weight, length\), in this order, and does not take"


def test_one_that_does_not_take_what_it_is_given_is_refused():
    before = dict(RERANKERS)
    with pytest.raises(DecRSError, match=rf"^of_two \(.*\.py, line \d+\), a re-ranker, is called with {GIVEN}"):
        reranker(title="Mine", default=0.1, grid=[0.1])(of_two)
    assert before == RERANKERS
    wrapped = RegisteredReranker(torch.no_grad()(of_two), "Mine", 0.1, (0.1,))  # is seen through when it is called
    with pytest.raises(DecRSError, match=rf"^of_two \(.*\), a re-ranker, is called with {GIVEN} them: of_two"):
        wrapped(torch.rand(1, 2), torch.ones(1, 2, dtype=torch.int64), None, torch.ones(1, dtype=torch.int64), 0.1, 2)


@pytest.mark.parametrize(
    ("positional", "named"),
    [((reverse,), {}), ((), {}), (("Mine", 0.1, [0.1]), {}), ((), {"title": "Mine", "grid": [0.1]})],
)
def test_a_decorator_that_is_written_otherwise_says_how(positional, named):
    with pytest.raises(DecRSError, match=r"write @reranker\(title=\.\.\., default=\.\.\., grid=\[\.\.\.\]\) above"):
        reranker(*positional, **named)


def test_a_partial_with_a_name_may_come_again():
    for title in ("One", "Two"):
        mine = functools.partial(reverse)
        if title == "One":
            with pytest.raises(DecRSError, match="reranker takes a function that has a name, not functools.partial"):
                reranker(title=title, default=0.1, grid=[0.1])(mine)
        mine.__name__ = "mine"
        reranker(title=title, default=0.1, grid=[0.1])(mine)
    assert RERANKERS["mine"].title == "Two"
    with pytest.raises(DecRSError, match="reranker takes a function that has a name, not 5"):
        reranker(title="Mine", default=0.1, grid=[0.1])(5)
