import pytest

from recbole_decrs import DecRSError
from recbole_decrs.compare.lists import read_lists


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("user_id,item_id\n1,2\n", "has no column rank"),
        ("user_id,item_id,rank\n1,2,0\n", "line 2"),
        ("user_id,item_id,rank\n1,2,1\n1,3,x\n", "line 3"),
        ("user_id,item_id,rank\n1,2,1\n1,,2\n", "line 3"),
        ("user_id,item_id,rank\n1,2,1\n1,2,2\n", "the item_id 2 twice"),
        ("user_id,item_id,rank\n1,2,1\n1,3,1\n", "the rank 1 twice"),
        ("user_id,item_id,rank\n1,2,1\n1,3,3\n", "rank 3, but not those before it"),
        ("user_id,item_id,rank\n1,2,1e300\n", "line 2"),
        ("", "not a CSV file"),
        ("user_id;item_id;rank\n1;2;1\n", "has no column user_id; it must have user_id, item_id, rank, with commas"),
        ("user_id\titem_id\trank\n1\t2\t1\n", "has no column user_id; .* with commas between"),
    ],
)
def test_files_that_cannot_be_used(tmp_path, text, message):
    path = tmp_path / "lists.csv"
    path.write_text(text)
    with pytest.raises(DecRSError, match=message):
        read_lists(str(path))


def test_a_missing_file():
    with pytest.raises(DecRSError, match="nowhere.csv cannot be read"):
        read_lists("nowhere.csv")


def test_tokens_stay_text_and_ranks_are_sorted(tmp_path):
    path = tmp_path / "lists.csv"
    path.write_text("user_id,item_id,rank\n007,NA,2\n007,a,1\n")
    assert read_lists(str(path)).to_numpy().tolist() == [["007", "a", 1], ["007", "NA", 2]]
