"""The numbers of results/ml-1m/README.md are those of the files beside it."""

from write_results import FOLDER, TABLES, with_tables


def test_the_tables_are_those_of_the_csv_files():
    text = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert text == with_tables(text), "python docs/write_results.py writes them"
    assert all(f"<!-- {name} " in text for name in TABLES)


def test_a_table_that_is_changed_by_hand_is_written_again():
    text = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert "| 0.12" in text
    assert with_tables(text.replace("| 0.12", "| 0.99")) == text
