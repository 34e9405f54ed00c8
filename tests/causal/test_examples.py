"""The examples in the docstrings of recbole_decrs.causal are run, and every public function has one."""

import doctest
import importlib
import inspect
import pkgutil

import pytest

from recbole_decrs import causal

NAMES = [found.name for found in pkgutil.iter_modules(causal.__path__)]
MODULES = [importlib.import_module(f"recbole_decrs.causal.{name}") for name in NAMES]


@pytest.mark.parametrize("module", MODULES, ids=NAMES)
def test_the_examples_give_what_they_say(module):
    assert doctest.testmod(module).failed == 0


@pytest.mark.parametrize("module", MODULES, ids=NAMES)
def test_every_public_function_has_an_example(module):
    own = [value for value in vars(module).values() if getattr(value, "__module__", None) == module.__name__]
    for function in filter(inspect.isfunction, own):
        if not function.__name__.startswith("_"):
            assert ">>>" in function.__doc__, function.__name__
