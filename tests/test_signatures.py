"""A function of one's own that cannot be called as it will be is told by its name, and a name is of one definition."""

import functools
from contextlib import nullcontext

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from recbole_decrs import DecRSError
from recbole_decrs.names import check_name_is_free
from recbole_decrs.signatures import call, check_method_takes, check_takes

SENTENCE = r"{} \(.*test_signatures\.py, line \d+\), the rule, is called with \({}\), in this order, and does not take"


def of_two(first, second):
    """Gives back what it is given."""
    return first, second


class OfTwo:
    """An object that can be called."""

    def __init__(self, *_):
        pass

    def __call__(self, first, second):
        return first, second

    @staticmethod
    def static(first, second):
        return first, second


KINDS = {
    "function": of_two,
    "partial": functools.partial(functools.partial(lambda *given: of_two(*given[2:]), 1), 2),
    "object": OfTwo(),
    "method": OfTwo().__call__,
}


@pytest.mark.parametrize("kind", KINDS)
def test_what_takes_the_arguments_passes(kind):
    check_takes("the rule", KINDS[kind], "first", "second")
    assert call("the rule", KINDS[kind], ["first", "second"], [1, 2]) == (1, 2)


@given(st.integers(0, 3), st.integers(0, 3), st.booleans(), st.booleans(), st.integers(0, 5))
def test_the_check_and_the_call_agree_with_python(required, optional, more, named, n):
    """A function of some arguments, of which some may be left out, and perhaps one more that must be named."""
    declared = [f"a{i}" for i in range(required)] + [f"b{i}=0" for i in range(optional)]
    declared += (["*more"] if more else ["*"] if named else []) + (["named"] if named else [])
    scope = {}
    exec(f"def function({', '.join(declared)}): return 'called'", scope)
    function, names = scope["function"], [f"x{i}" for i in range(n)]
    try:
        fits = function(*range(n)) == "called"
    except TypeError:
        fits = False
    for told in (lambda: check_takes("it", function, *names), lambda: call("it", function, names, range(n))):
        with nullcontext() if fits else pytest.raises(DecRSError, match="does not take them"):
            told()


@pytest.mark.parametrize(
    ("function", "name"),
    [
        (of_two, "of_two"),
        (functools.partial(of_two), "of_two"),
        (lambda: None, ".*<lambda>"),
        (OfTwo(), "OfTwo"),
        (OfTwo().__call__, r"OfTwo\.__call__"),
        (OfTwo.static, r"OfTwo\.static"),
    ],
)
def test_one_sentence_names_the_function_its_file_and_the_arguments(function, name):
    sentence = SENTENCE.format(name, "one, two, three")
    with pytest.raises(DecRSError, match=f"^{sentence} them: too many positional arguments; mend"):
        check_takes("the rule", function, "one", "two", "three")
    with pytest.raises(DecRSError, match=f"^{sentence} them: .*; mend"):
        call("the rule", function, ["one", "two", "three"], [1, 2, 3])


def test_what_cannot_be_looked_at_is_told_when_it_is_called():
    """Python does not tell what a function in C takes, and a wrapper may take anything."""
    for function in (dict, torch.no_grad()(of_two)):
        check_takes("the rule", function, "one", "two", "three")
        with pytest.raises(DecRSError, match="the rule, is called with \\(one, two, three\\)"):
            call("the rule", function, ["one", "two", "three"], [1, 2, 3])


def test_a_wrapper_that_passes_on_more_than_it_is_given_is_called():
    @functools.wraps(of_two)
    def wrapper(first):
        return of_two(first, 2)

    check_takes("the rule", wrapper, "first")
    assert call("the rule", wrapper, ["first"], [1]) == (1, 2)


@pytest.mark.parametrize("error", [TypeError("mine"), KeyError("mine")])
def test_what_is_raised_within_it_stays_what_it_is(error):
    def fail(first):
        raise error

    with pytest.raises(type(error)) as told:
        call("the rule", fail, ["first"], [1])
    assert told.value is error


def test_what_is_no_function_is_told():
    with pytest.raises(DecRSError, match=r"the rule must be a function of \(first, second\), not 5; give it one"):
        check_takes("the rule", 5, "first", "second")


def test_a_method_of_a_class():
    check_method_takes("the rule", OfTwo, "__call__", "first", "second")
    check_method_takes("the rule", OfTwo, "static", "not looked at")
    check_method_takes("the rule", int, "__init__", "not looked at")
    with pytest.raises(DecRSError, match="^" + SENTENCE.format(r"OfTwo\.__call__", "self, first")):
        check_method_takes("the rule", OfTwo, "__call__", "first")


AGAIN = {
    "function": (of_two, of_two),
    "partial": (functools.partial(of_two, 1), functools.partial(functools.partial(of_two), 2)),
    "partial of a partial's function": (functools.partial(of_two, 1), of_two),
    "object": (OfTwo(), OfTwo()),
    "class": (OfTwo, OfTwo),
}


@pytest.mark.parametrize("kind", AGAIN)
def test_the_same_definition_may_come_again(kind):
    check_name_is_free("mine", "rule", *AGAIN[kind])


@pytest.mark.parametrize("known", [functools.partial(check_takes, "a"), check_takes])
@pytest.mark.parametrize("new", [functools.partial(of_two, 1), of_two, OfTwo()])
def test_a_name_is_of_one_definition(new, known):
    told = rf"a rule named mine already, in recbole_decrs\.signatures; give the one in {__name__} another name"
    with pytest.raises(DecRSError, match=told):
        check_name_is_free("mine", "rule", new, known)
