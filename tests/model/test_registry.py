"""Every model is a line that is found, and is where it says it is."""

import importlib
import re
from pathlib import Path

from torch import nn

from recbole_decrs import DecFM
from recbole_decrs.model import catalogue, context_aware
from recbole_decrs.model.recbole_models import CONTEXT_AWARE, names_of
from recbole_decrs.model.registry import MODELS


def test_every_class_is_found_where_it_says_it_is():
    for name in catalogue.deconfounded_names():
        assert getattr(importlib.import_module(MODELS[name].__module__), name) is MODELS[name]


def test_every_context_aware_model_of_recbole_has_full_sort():
    assert set(names_of(CONTEXT_AWARE)) <= MODELS.keys()


def test_the_drawing_of_decfm_is_its_method_resolution_order():
    text = Path(context_aware.__file__).read_text(encoding="utf-8")
    drawn = re.search(r"::\n\n(.*?)\n\"\"\"", text, flags=re.DOTALL)[1].splitlines()
    assert [line.split()[0] for line in drawn] == [kind.__name__ for kind in DecFM.__mro__[: len(drawn)]]
    assert DecFM.__mro__[len(drawn)] is nn.Module
