"""Which epoch a training keeps, by its curve on validation."""

from hypothesis import given
from hypothesis import strategies as st
from recbole.utils import early_stopping

from recbole_decrs.curves import chosen_epoch


@given(st.lists(st.integers(0, 3), min_size=1), st.integers(1, 3), st.booleans())
def test_the_epoch_that_is_told_is_the_one_that_recbole_saved_last(scores, eval_step, bigger):
    points = [[place * eval_step, float(score)] for place, score in enumerate(scores)]
    best, waited, saved = -float("inf") if bigger else float("inf"), 0, None
    for epoch, score in points:
        best, waited, _, is_saved = early_stopping(score, best, waited, max_step=len(points), bigger=bigger)
        saved = epoch if is_saved else saved
    assert chosen_epoch(points, bigger) == saved
