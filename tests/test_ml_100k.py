"""The main job on real input: both deconfounded models against a popularity ranker on ml-100k."""

import pytest

from recbole_decrs import run_recbole_decrs

FAST = {"show_progress": False, "eval_step": 5}


@pytest.fixture(scope="module")
def popularity(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("pop"))
        return run_recbole_decrs("Pop", "ml-100k", config_dict=FAST)["test_result"]


@pytest.mark.parametrize("model", ["DecFM", "DecNFM"])
def test_far_above_a_popularity_ranker(popularity, model):
    result = run_recbole_decrs(model, "ml-100k", config_dict=FAST | {"epochs": 10})
    for half in ("test_result", "conventional_test_result", "deconfounded_test_result"):
        assert result[half]["recall@20"] > 1.25 * popularity["recall@20"]
        assert result[half]["ckl@20"] < popularity["ckl@20"]
    assert [row["users"] for row in result["by_drift"].values()] == [940, 777, 524, 237, 106, 46]
