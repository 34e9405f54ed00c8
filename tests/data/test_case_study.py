import pytest
import torch
from recbole.utils import case_study

from recbole_decrs import DecRSError
from recbole_decrs.making import make_model
from tiny_data import tiny_tables


def test_scores_that_are_not_finite_are_no_ranking(load):
    _, _, test_data = load(tiny_tables(), "FM")
    config = test_data._dataset.config
    model = make_model(config, test_data._dataset)
    with torch.no_grad():
        next(model.parameters()).fill_(float("nan"))
    with pytest.raises(DecRSError, match="FM gives scores that are infinite or not a number"):
        case_study.full_sort_topk([1], model, test_data, k=3)
