"""Groups by popularity, against a slow version that goes from the most popular items to the least."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recbole_decrs import DecRSConfig, load_data_and_model, run_recbole_decrs
from recbole_decrs.causal.popularity import GROUPS, popularity_groups
from recbole_decrs.compare.methods import METHODS
from recbole_decrs.errors import DecRSError


def group_of(item, clicks, share):
    """By the definition: of the head, if more popular items have too few clicks to be a fifth; ..."""
    more = sum(number for number in clicks if number > clicks[item])
    up_to = sum(number for number in clicks if number <= clicks[item])
    if more < share * sum(clicks):
        return "head"
    return "tail" if up_to <= share * sum(clicks) else "middle"


@given(
    clicks=st.lists(st.integers(0, 9) | st.integers(0, 1000), min_size=1, max_size=40).filter(sum),
    share=st.sampled_from([0.2, 0.25, 0.5]),
)
def test_popularity_groups_are_the_definition(clicks, share):
    found = [GROUPS[place] for place in popularity_groups(np.array(clicks), share)]
    assert found == [group_of(item, clicks, share) for item in range(len(clicks))]


@given(clicks=st.lists(st.integers(0, 50), min_size=1, max_size=40).filter(sum))
def test_the_groups_are_ordered_and_equal_items_stay_together(clicks):
    places = popularity_groups(np.array(clicks))
    by_number = {}
    for number, place in zip(clicks, places, strict=True):
        by_number.setdefault(number, set()).add(int(place))
    assert all(len(some) == 1 for some in by_number.values())
    ordered = [by_number[number] for number in sorted(by_number, reverse=True)]
    assert ordered == sorted(ordered, key=min)
    tail = sum(number for number, place in zip(clicks, places, strict=True) if place == 2)
    assert tail <= 0.2 * sum(clicks)


def test_a_long_tail():
    clicks = np.array([40, 30, 10, 5, 5, 4, 3, 2, 1, 0])
    assert [GROUPS[place] for place in popularity_groups(clicks)] == ["head", *["middle"] * 2, *["tail"] * 7]


def test_an_item_of_any_dataset_has_one_group(prepared, data_folder):
    (data_folder / "tiny" / "tiny.item").unlink()
    columns = {"inter": ["user_id", "item_id", "timestamp"]}
    _, train, _, _ = prepared("BPR", group_field="popularity", load_col=columns, numerical_features=[])
    confounder, part = train._dataset.confounder, train._dataset
    counts = np.bincount(part.inter_feat["item_id"].numpy(), minlength=part.item_num)[1:]
    expected = [GROUPS[place] for place in popularity_groups(counts)]
    named = np.array(confounder.group_names)
    assert named[confounder.membership[1:].argmax(axis=1)].tolist() == expected
    assert confounder.membership[1:].sum(axis=1) == pytest.approx(1)
    assert not confounder.membership[0].any()


def test_a_column_of_this_name_is_refused(prepared, data_folder):
    file = data_folder / "tiny" / "tiny.item"
    file.write_text(file.read_text().replace("first_genre:", "popularity:"))
    with pytest.raises(DecRSError, match="has a column of this name; give the column another name"):
        prepared("BPR", group_field="popularity", load_col=None, numerical_features=[])


@pytest.mark.parametrize("columns", [None, {"inter": ["user_id", "item_id"], "item": ["item_id", "genre"]}])
def test_popularity_is_no_feature_that_a_comparison_could_leave_out(settings, columns):
    config = DecRSConfig("FM", "tiny", config_dict=settings | {"group_field": "popularity", "load_col": columns})
    assert METHODS["unawareness"].why_not(config) == "the group field popularity is no feature of FM"


def test_a_deconfounded_model_runs(settings):
    columns = {"inter": ["user_id", "item_id", "timestamp"]}
    result = run_recbole_decrs(
        "DecFM",
        "tiny",
        config_dict=settings | {"group_field": "popularity", "load_col": columns, "numerical_features": []},
    )
    config, _, dataset, *_ = load_data_and_model(result["saved_model_file"])
    assert config["group_field"] == "popularity"
    assert set(dataset.confounder.group_names) <= set(GROUPS)
