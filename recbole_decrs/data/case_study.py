"""Mends RecBole's ``utils.case_study`` where it would leave users out, and say nothing."""

from __future__ import annotations

from functools import wraps

import numpy as np
import torch
from recbole.data.dataloader import FullSortEvalDataLoader
from recbole.utils import case_study

from recbole_decrs.errors import DecRSError
from recbole_decrs.finite import check_scores

_scores_of, _lists_of = case_study.full_sort_scores, case_study.full_sort_topk


@wraps(_scores_of)
def full_sort_scores(uid_series, model, test_data, device=None) -> torch.Tensor:
    """Score all items as RecBole's function of this name does, for users that the loader can serve."""
    check_users(uid_series, test_data)
    scores = _scores_of(uid_series, model, test_data, device)
    check_scores(scores, type(model).__name__)
    return scores


@wraps(_lists_of)
def full_sort_topk(uid_series, model, test_data, k: int, device=None) -> tuple[torch.Tensor, torch.Tensor]:
    """Rank all items as RecBole's function of this name does, lists that are no longer than there are items."""
    n_items = test_data._dataset.item_num - 1
    if k > n_items:
        raise DecRSError(f"full_sort_topk: k asks for {k} items, and there are {n_items}; lower it")
    return _lists_of(uid_series, model, test_data, k, device)


def mend_case_study() -> None:
    """Put these functions in the place of RecBole's, whose ``full_sort_topk`` finds the scores here too."""
    case_study.full_sort_scores, case_study.full_sort_topk = full_sort_scores, full_sort_topk


def check_users(users, loader) -> None:
    """See that a loader can serve these users.

    Raises:
        DecRSError: it samples candidates, or has no sequence of one of the users.
    """
    if not isinstance(loader, FullSortEvalDataLoader):
        raise DecRSError(
            "full_sort_scores needs a loader that ranks all items, and eval_args samples the candidates of this one; "
            "set mode: full"
        )
    part = loader._dataset
    ids = np.asarray(users)
    if not np.issubdtype(ids.dtype, np.integer) or ids.size == 0 or ids.min() < 1 or ids.max() >= part.user_num:
        raise DecRSError(
            f"full_sort_scores takes ids of users, 1 to {part.user_num - 1} of {part.dataset_name}, such as "
            f"dataset.token2id({part.uid_field!r}, [...]) gives, not {users!r}"
        )
    if not loader.is_sequential:
        return
    missing = np.setdiff1d(np.asarray(users), part.inter_feat[part.uid_field].numpy())
    if missing.size:
        raise DecRSError(
            f"full_sort_scores: {missing.size} of the users have no sequence in this part of {part.dataset_name}, the "
            f"first {part.id2token(part.uid_field, int(missing[0]))}; leave them out, or take another loader"
        )
