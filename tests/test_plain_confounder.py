"""A Confounder in a checkpoint: what is not zero where that is smaller, and what earlier versions have written."""

import dataclasses

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from confounders import confounder_of
from recbole_decrs import DecRSError
from recbole_decrs.checkpoint import same_groups
from recbole_decrs.checkpoint_file import damage_in_words
from recbole_decrs.plain_data import TYPE, decode_confounder, encode, encode_confounder


def matrices(seed, n_groups, density):
    rng = np.random.default_rng(seed)
    return [rng.random((rows, n_groups)) * (rng.random((rows, n_groups)) < density) for rows in (5, 7)]


def as_written_before(confounder):
    """Arrays under the names of the attributes, the mostly zero ones by what is not zero with int32 places."""
    names = ("group_names", "membership", "user_distribution", "n_clicks", "prior", "drift", "drifting")
    plain = {name: encode(getattr(confounder, name)) for name in names}
    for name in ("membership", "user_distribution"):
        matrix = getattr(confounder, name)
        if np.count_nonzero(matrix) * 2 < matrix.size:
            plain[name] = {TYPE: "zeros", "values": encode(sparse.csr_matrix(matrix))}
    return plain


@settings(deadline=None)
@given(st.integers(0, 1000), st.sampled_from([3, 256, 257]), st.floats(0, 1))
@pytest.mark.parametrize("written", [encode_confounder, as_written_before])
def test_a_confounder_comes_back_to_the_last_digit(written, seed, n_groups, density):
    confounder = confounder_of(*matrices(seed, n_groups, density))
    again = decode_confounder(written(confounder))
    for field in dataclasses.fields(confounder):
        before, after = getattr(confounder, field.name), getattr(again, field.name)
        if sparse.issparse(before):
            assert (before != after).nnz == 0
            assert after.dtype == before.dtype
        else:
            np.testing.assert_array_equal(before, after)
    assert same_groups(confounder, again)


def test_other_groups_are_told_from_the_same():
    q, d = matrices(0, 4, 0.5)
    others = [q[:-1], q[:, :-1], np.where(q > 0.5, 0.25, q)]
    assert not any(same_groups(confounder_of(q, d), confounder_of(other, d)) for other in others)


def test_few_groups_of_many_take_little_room():
    confounder = confounder_of(*matrices(0, 200, 0.02))
    plain = encode_confounder(confounder)["user_distribution"]["values"]
    assert plain["indices"]["values"].dtype == torch.uint8
    dense = encode_confounder(confounder_of(*matrices(0, 200, 0.9)))["user_distribution"]
    assert dense["values"].shape == (7, 200)


def test_places_beyond_the_matrix_are_damage():
    plain = encode_confounder(confounder_of(*matrices(0, 200, 0.02)))
    plain["user_distribution"]["values"]["indices"]["values"][:] = 255
    with pytest.raises(DecRSError, match=r"c\.pth is damaged"), damage_in_words("c.pth"):
        decode_confounder(plain)
