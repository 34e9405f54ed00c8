import numpy as np
import pytest
import torch

from recbole_decrs.plain_values import as_plain, read_literal


@pytest.mark.parametrize(
    ("text", "value"),
    [("0.1", 0.1), ("1e-3", 1e-3), ("[10,20]", [10, 20]), ("{'a': 1}", {"a": 1}), ("true", True), ("None", None)],
)
def test_literals(text, value):
    assert read_literal(text) == value


def test_text_stays_text():
    assert read_literal("ml-100k") == "ml-100k"
    assert read_literal("a b") == "a b"


def test_plain_data():

    assert as_plain({"a": (np.float64(1.5), [np.int64(2)]), "b": torch.device("cpu")}) == {"a": (1.5, [2]), "b": "cpu"}
