"""The command ``recommend``: what it writes, and what it shows."""

import pandas as pd
import polars
import pytest

from recbole_decrs import recommend, run_recbole_decrs
from recbole_decrs.cli import main


@pytest.fixture
def checkpoint(settings):
    return run_recbole_decrs("DecFM", "tiny", config_dict=settings)["saved_model_file"]


def test_lists_are_written_and_shown(tmp_path, capsys, checkpoint):
    capsys.readouterr()
    expected = recommend(checkpoint, k=4)
    for output, read in (("a.csv", pd.read_csv), ("a.parquet", lambda path: polars.read_parquet(path).to_dicts())):
        assert main(["recommend", checkpoint, "--all=True", "--k=4", f"--output={output}"]) == 0
        pd.testing.assert_frame_equal(pd.DataFrame(read(output)), expected, check_dtype=False)
        assert f"lists of 24 users, 96 rows: {output}\n" in capsys.readouterr().out
    assert main(["recommend", checkpoint, "--all=True", "--k=4"]) == 0
    assert "and the lists of 19 more users, which --output=lists.csv writes" in capsys.readouterr().out
    (tmp_path / "users.txt").write_text("u3\n\nu7\n")
    shown = []
    for users in ("u3, u7", "users.txt"):
        assert main(["recommend", checkpoint, f"--users={users}", "--k=2", "--groups=Comedy,Drama"]) == 0
        shown.append(capsys.readouterr().out)
    assert shown[0] == shown[1]
    assert "| u7        | 2      | " in shown[0]
    assert "more users" not in shown[0]
    (tmp_path / "new.csv").write_text("user_id,item_id\nsomeone,i3\n")
    for exclude, n_items in (("history", 29), ("none", 30)):
        arguments = [f"--exclude={exclude}", "--k=30", "--output=new-lists.csv", "--fusion_weight=0.5"]
        assert main(["recommend", checkpoint, "--clicks=new.csv", *arguments]) == 0
        written = pd.read_csv("new-lists.csv")
        assert len(written) == n_items
        assert set(written["weight"]) == {0.5}


def test_a_file_that_may_be_meant_as_an_id_is_told_and_groups_may_have_commas(tmp_path, capsys, caplog, checkpoint):
    (tmp_path / "u5").write_text("u7\n")
    (tmp_path / "groups.txt").write_text("Comedy\nDrama\n")
    shown = []
    for arguments in (["--users=u5", "--groups=groups.txt"], ["--users=u7", "--groups=Comedy,Drama"]):
        capsys.readouterr()
        assert main(["recommend", checkpoint, "--k=2", *arguments]) == 0
        shown.append(capsys.readouterr().out)
    assert shown[0] == shown[1]
    assert "users: 1 are read from the file u5; move it away" in caplog.text
