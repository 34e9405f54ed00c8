import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from recbole_decrs.data.negatives import UnclickedItems


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.integers(1, 4), st.integers(1, 7)), min_size=1, max_size=25).filter(
        lambda clicks: all(len({item for who, item in clicks if who == user}) < 7 for user in range(5))
    ),
    st.integers(0, 99),
)
def test_only_unclicked_items_are_drawn_and_each_can_be(clicks, seed):
    users, items = torch.tensor(clicks).T
    unclicked = UnclickedItems(users, items, n_users=5, n_items=8)
    generator = torch.Generator().manual_seed(seed)
    for user in range(1, 5):
        drawn = set(unclicked.draw(torch.full((400,), user), generator).tolist())
        assert drawn == set(range(1, 8)) - {item for who, item in clicks if who == user}


def test_negatives_are_uniform():
    """A chi-square test on the counts of a user's unclicked items."""
    clicked = torch.tensor([1, 5, 6, 19])
    unclicked = UnclickedItems(torch.ones(4, dtype=torch.long), clicked, n_users=2, n_items=20)
    drawn = unclicked.draw(torch.ones(60_000, dtype=torch.long), torch.Generator().manual_seed(0))
    counts = torch.bincount(drawn, minlength=20)
    free = [item for item in range(1, 20) if item not in clicked.tolist()]
    assert counts.sum() == counts[free].sum()
    assert stats.chisquare(counts[free].numpy()).pvalue > 0.001


def test_nothing_left_to_draw():
    with pytest.raises(ValueError, match="a user has clicked every item"):
        UnclickedItems(torch.ones(3, dtype=torch.long), torch.tensor([1, 2, 3]), n_users=2, n_items=4)
