import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from recbole.data.interaction import Interaction
from recbole.sampler import Sampler

from recbole_decrs.data.used_items import DecRSSampler, UsedItems
from recbole_decrs.errors import DecRSError

N_USERS, N_ITEMS = 5, 8
clicks = st.lists(st.tuples(st.integers(1, N_USERS - 1), st.integers(1, N_ITEMS - 1)), max_size=25)


def arrays(pairs):
    return np.array(pairs, dtype=np.int64).reshape(-1, 2).T


def used(pairs):
    return UsedItems.of(*arrays(pairs), N_USERS, N_ITEMS)


def sets(pairs):
    return [{item for one, item in pairs if one == user} for user in range(N_USERS)]


@given(clicks, clicks)
def test_the_items_of_a_user(some, others):
    for found, wanted in (
        (used(some), sets(some)),
        (used(some).joined(used(others)), sets(some + others)),
        (
            used(some).without(used(others)),
            [mine - theirs for mine, theirs in zip(sets(some), sets(others), strict=True)],
        ),
    ):
        assert list(found) == wanted
        assert [items.tolist() for items in found.tensors()] == list(map(sorted, wanted))
        assert found.counts.tolist() == list(map(len, wanted))
        assert len(found) == N_USERS


@given(clicks, st.lists(st.integers(0, N_USERS - 1), min_size=1))
def test_brackets_give_sets(pairs, users):
    found, wanted = used(pairs), np.array([*sets(pairs), None])[:-1]
    for asked in (users, np.array(users), users[::-1]):
        assert found[asked].tolist() == wanted[asked].tolist()
    assert found[users[0]] == found[np.int64(users[0])] == wanted[users[0]]
    with pytest.raises(IndexError):
        found[N_USERS]
    with pytest.raises(IndexError):
        found[[N_USERS]]


class Part:
    """What a sampler sees of a part."""

    uid_field, iid_field, user_num, item_num = "user", "item", N_USERS, N_ITEMS

    def __init__(self, pairs):
        users, items = map(torch.from_numpy, arrays(pairs).copy())
        self.inter_feat = Interaction({"user": users, "item": items})

    def id2token(self, field, ids):
        return f"u{ids}"


@given(st.tuples(clicks, clicks, clicks))
def test_the_sampler_draws_what_recboles_draws(parts):
    found = []
    for kind in (Sampler, DecRSSampler):
        np.random.seed(0)
        try:
            sampler = kind(["train", "valid", "test"], [Part(pairs) for pairs in parts])
        except ValueError:  # a user has clicked every item
            found.append("refused")
            continue
        phases = [sampler.set_phase(phase) for phase in ("train", "valid", "test")]
        found.append([list(phase.used_ids) for phase in phases])
        found[-1] += [phase.sample_by_user_ids(np.array([1, 2, 2, 4]), None, 3).tolist() for phase in phases]
        found[-1].append(phases[0].sample_by_user_ids(np.array([3]), None, 3).tolist())
    assert found[0] == found[1]


def test_users_of_every_item_are_named():
    every = [(user, item) for user in (2, 4) for item in range(1, N_ITEMS)]
    with pytest.raises(
        DecRSError, match=r"user u2 and 1 more clicked all 7 items, .*--user_inter_num_interval='\[0,7\)'"
    ):
        DecRSSampler(["train", "test"], [Part(every[:9]), Part(every[9:])])
