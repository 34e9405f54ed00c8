"""The groups into which the key user_groups parts users, and what it refuses."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recbole_decrs import DecRSError
from recbole_decrs.config import DecRSConfig
from recbole_decrs.data.atomic_files import AtomicFile
from recbole_decrs.data.preparation import create_dataset
from recbole_decrs.data.user_groups import MOST_GROUPS, UserGroups, by_activity, by_column, largest_first, thirds
from tiny_data import tiny_settings, tiny_tables, write_tables


def places(groups, n):
    """The place of the group that each user is in, of which there must be exactly one."""
    members = np.array([of_group for _, of_group in groups])
    assert members.shape == (len(groups), n)
    assert (members.sum(axis=0) == 1).all()
    return members.argmax(axis=0)


@given(st.lists(st.integers(0, 9), min_size=1, max_size=40))
def test_thirds_are_in_order_keep_equal_values_together_and_are_named_by_their_ends(numbers):
    values = np.array(numbers, dtype=np.float64)
    groups = thirds(values)
    place = places(groups, len(values))
    assert 1 <= len(groups) <= 3
    for number, (name, _) in enumerate(groups):
        inside = values[place == number]
        assert name == " to ".join(dict.fromkeys(f"{end:g}" for end in (inside.min(), inside.max())))
        assert inside.max() < values[place > number].min(initial=np.inf)
        # The slow version: a bound is the least value that at least so many thirds of the users do not exceed.
        if number < len(groups) - 1:
            assert any(
                inside.max() == min(v for v in values if 3 * (values <= v).sum() >= part * len(values))
                for part in (1, 2)
            )


def test_thirds_of_different_values_have_the_same_size():
    groups = thirds(np.random.default_rng(0).permutation(300) / 7)
    assert [members.sum() for _, members in groups] == [100, 100, 100]


@given(st.lists(st.sampled_from([*"abcdefghijklmnop", None]), min_size=1, max_size=80).filter(any))
def test_the_largest_values_come_first_and_the_rest_are_together(cells):
    values = pd.Series([np.nan if cell is None else cell for cell in cells], dtype=object)
    found = [(name, int(members.sum())) for name, members in largest_first(values)]
    counts = sorted(((cells.count(value), value) for value in set(cells) - {None}), key=lambda one: (-one[0], one[1]))
    expected = [(value, count) for count, value in counts[:MOST_GROUPS]]
    if rest := counts[MOST_GROUPS:]:
        expected.append((f"other ({len(rest)} values)", sum(count for count, _ in rest)))
    assert found == expected


def test_activity_counts_the_training_clicks_of_each_user():
    groups = by_activity(np.repeat([0, 1, 2, 3, 4, 5, 6], [9, 1, 1, 2, 3, 5, 8]), np.arange(8) > 0)
    assert groups.title == "training clicks"
    assert groups.names == ("0 to 1", "2 to 3", "5 to 8")
    assert groups.place[1:].tolist() == [0, 0, 1, 1, 2, 2, 0]


def test_users_without_a_click_are_not_counted(tmp_path, settings):
    """A .user file may have many more users than those of the clicks, and no third of these is a third of all."""
    tables = tiny_tables()
    idle = pd.DataFrame(
        {"user_id:token": [f"v{n}" for n in range(60)], "gender:token": [f"g{n // 2}" for n in range(60)]}
    )
    tables["inter"] = tables["inter"].groupby("user_id:token").head(12).reset_index(drop=True)
    tables["inter"] = tables["inter"][tables["inter"].index % 12 <= tables["inter"].index // 12 % 10 + 2]
    tables["user"] = pd.concat([tables["user"], idle.assign(**{"height:float": 9.0})], ignore_index=True)
    settings |= {"data_path": str(write_tables(tmp_path / "idle", tables))}
    settings["load_col"] = settings["load_col"] | {"user": ["user_id", "gender"]}
    settings["numerical_features"] = []
    for by, n_groups in (("activity", 3), ("height", 3), ("gender", 2)):
        config = DecRSConfig("FM", "tiny", config_dict=settings | {"user_groups": by})
        part = create_dataset(config).build()[0]
        assert part.user_num == 85
        clicking = np.unique(tables["inter"]["user_id:token"])
        places = part.user_groups.place[part.token2id("user_id", clicking)]
        assert np.unique(places).tolist() == list(range(n_groups))
        assert len(part.user_groups.names) == n_groups
        assert by == "gender" or np.bincount(places).min() >= 4


@pytest.fixture
def user_file(tmp_path):
    """Writes a .user file of these lines and opens it."""

    def write(*lines):
        path = tmp_path / "some.user"
        path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        return AtomicFile(str(path))

    return write


CLICKING = np.arange(5) > 0
IDS = {"[PAD]": 0, "u1": 1, "u2": 2, "u3": 3, "u4": 4}


def test_users_without_a_row_or_a_value_are_a_group(user_file):
    file = user_file("user_id:token\tcity:token\tage:float", "u1\tno value\t3", "u2\t\t", "u3\tno value\t5", "x\tY\t7")
    groups = by_column(file, "user_id", "city", IDS, CLICKING)
    assert groups.names == ("no value", "no value *")
    assert groups.place[1:].tolist() == [0, 1, 0, 1]
    groups = by_column(file, "user_id", "age", IDS, CLICKING)
    assert groups.names == ("3", "5", "no value")
    assert groups.place[1:].tolist() == [0, 2, 1, 2]


@pytest.mark.parametrize(
    ("lines", "column", "told"),
    [
        (["user_id:token\tage:token", "u1\t3"], "ages", "user_groups: ages is no column of .*; did you mean age"),
        (["user_id:token\tage:token", "u1\t3"], "drif", "take drift, activity, age; did you mean drift"),
        (["user_id:token\tage:token", "u1\t3"], "user_id", "user_id is no column of .* that parts users"),
        (["user_id:token\tjobs:token_seq", "u1\ta b"], "jobs", "jobs of .* is token_seq, and a user must have one"),
        (["user_id:token\tage:token", "u1\t"], "age", "no value for any user of the clicks"),
        (["user_id:token\tage:token", "z\t3"], "age", "no value for any user of the clicks"),
        (["user_id:token\tage:token", "u1\t3", "u1\t4"], "age", "line 3: user_id u1 has another row"),
        (["user_id:token\tage:float", "u1\told"], "age", "line 2: age is 'old', which is no number"),
        (["name:token\tage:float", "u1\t3"], "age", "USER_ID_FIELD: .* has no column user_id"),
    ],
)
def test_what_does_not_part_users_is_refused_in_a_sentence(user_file, lines, column, told):
    with pytest.raises(DecRSError, match=told) as error:
        by_column(user_file(*lines), "user_id", column, IDS, CLICKING)
    assert "\n" not in str(error.value)


def test_groups_of_a_dataset(prepared):
    others = {"load_col": {"inter": "*", "item": ["item_id", "genre"]}, "numerical_features": []}
    _, train, _, test = prepared("FM", user_groups="gender", **others)
    table = tiny_tables()["user"].set_index("user_id:token")["gender:token"]
    for loader in (train, test):
        groups = loader._dataset.user_groups
        assert isinstance(groups, UserGroups)
        tokens = loader._dataset.field2id_token["user_id"]
        assert [groups.names[place] for place in groups.place[1:]] == table[tokens[1:]].tolist()
        assert "gender" not in loader._dataset.field2type  # the model does not get it


def test_a_name_without_a_file_of_users_is_refused(tmp_path, prepared):
    tables = tiny_tables()
    del tables["user"]
    settings = tiny_settings(write_tables(tmp_path / "other", tables))
    others = {**settings, "load_col": {"inter": "*", "item": "*"}, "numerical_features": []}
    with pytest.raises(DecRSError, match="activty is neither drift nor activity, .*did you mean activity"):
        prepared("FM", **others, user_groups="activty")
    with pytest.raises(DecRSError, match="gender is neither drift nor activity, .*; take one of the two"):
        prepared("FM", **others, user_groups="gender")
