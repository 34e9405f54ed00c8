"""recommend gives the lists that save_topk wrote, for all kinds of models, masks and weights."""

import numpy as np
import pandas as pd
import pytest

from recbole_decrs import DecRSError, measure_jensen_gap, recommend, run_recbole_decrs
from recbole_decrs.serving import Recommender
from tiny_data import LOAD_COL, SHORT_SEQUENCES, tiny_tables, write_tables

RUNS = {
    "FM": {},
    "DecFM": {},
    "DecFM alpha": {"drift_alpha": 3},
    "DecFM auto": {"drift_alpha": "auto", "fusion_on": "logit"},
    "DecFM weight": {"fusion_weight": 0.3, "test_candidates": "untrained"},
    "DecFM re-ranked": {"reranker": "calibration", "reranker_lambda": 0.5, "reranker_candidates": 12},
    "DecNFM": {"inference": "deconfounded"},
    "DecBPR": {"inference": "conventional", "reranker": "diversity", "reranker_candidates": 12},
    "BPR": {"test_candidates": "untrained"},
    "DecDeepFM": {},
    "Pop": {},
    "EASE": {},
    "ItemKNN": {},
    "SASRec": SHORT_SEQUENCES,
    "DecSASRec": SHORT_SEQUENCES | {"confounder_prior": "user"},
}


def test_features_of_an_interaction_are_known_of_no_pair_that_never_met(settings):
    """A run with sampled candidates takes them from the clicks; lists of all items, and the Jensen gap, cannot."""
    columns = {**LOAD_COL, "inter": ["user_id", "item_id", "rating", "timestamp"]}
    settings |= {"load_col": columns, "numerical_features": ["rating", "height", "price"], "epochs": 1}
    path = run_recbole_decrs("DecFM", "tiny", config_dict=settings | {"eval_args": {"mode": "uni5"}})[
        "saved_model_file"
    ]
    with pytest.raises(DecRSError, match="columns rating are features of an interaction, which recommend cannot give"):
        recommend(path)
    with pytest.raises(DecRSError, match="columns rating are features of an interaction, which jensen-gap cannot"):
        measure_jensen_gap(path)


@pytest.mark.parametrize("name", RUNS)
def test_the_lists_are_those_of_the_test(settings, name):
    model = name.split()[0]
    result = run_recbole_decrs(model, "tiny", config_dict=settings | RUNS[name] | {"save_topk": 7})
    path = result["saved_model_file"]
    saved = pd.read_csv(path.replace(".pth", "-top7.csv"))
    frame = recommend(path, users=list(dict.fromkeys(saved["user_id"])), k=7)
    pd.testing.assert_frame_equal(frame[["user_id", "item_id", "rank"]], saved[["user_id", "item_id", "rank"]])
    ranked = "score"
    if model.startswith("Dec"):
        ranked = f"score_{RUNS[name].get('inference', 'fused')}"
        assert {"score_conventional", "score_deconfounded", "score_fused", "weight"} <= set(frame.columns)
        fused = frame["score_conventional"] * (1 - frame["weight"]) + frame["score_deconfounded"] * frame["weight"]
        if "reranker" not in RUNS[name]:
            np.testing.assert_allclose(frame["score_fused"], fused, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(frame[ranked], saved["score"], rtol=1e-5, atol=1e-6)
    some = recommend(path, users=["u7", "u3", "u7"], k=3)
    whole = pd.concat([frame[(frame["rank"] <= 3) & (frame["user_id"] == user)] for user in ("u7", "u3")])
    assert list(zip(some["user_id"], some["item_id"], strict=True)) == list(
        zip(whole["user_id"], whole["item_id"], strict=True)
    )


@pytest.fixture
def recommender(tmp_path, settings):
    """A DecFM on data whose items have titles."""
    tables = tiny_tables()
    tables["item"]["movie_title:token_seq"] = [f"Title {number}" for number in range(len(tables["item"]))]
    tables["item"].loc[3, "movie_title:token_seq"] = ""
    write_tables(tmp_path / "data", tables)
    return Recommender(run_recbole_decrs("DecFM", "tiny", config_dict=settings)["saved_model_file"])


def clicks_of(part):
    users, items = (part.inter_feat[field].numpy() for field in ("user_id", "item_id"))
    return set(zip(part.id2token("user_id", users), part.id2token("item_id", items), strict=True))


def pairs_of(frame):
    return set(zip(frame["user_id"], frame["item_id"], strict=True))


def test_what_is_left_out(recommender):
    train, valid, test = map(clicks_of, recommender.known.parts)
    everything = {(f"u{user}", f"i{item}") for user in range(24) for item in range(30)}
    for exclude, left_out in {
        "history": train | valid,
        "clicked": train | valid | test,
        "none": set(),
    }.items():
        frame = recommender.recommend(k=30, exclude=exclude)
        assert pairs_of(frame) == everything - left_out
        assert len(frame) == len(pairs_of(frame))


def test_items_to_choose_from(recommender):
    everything = recommender.recommend(k=30, exclude="none").set_index(["user_id", "item_id"])["score_fused"]
    comedies = recommender.recommend(k=3, groups=["Comedy", "Horror"], exclude="none")
    assert comedies["groups"].str.contains("Comedy|Horror").all()
    both = recommender.recommend(k=1, groups=["Comedy"], items=[*comedies["item_id"].unique(), "i0"], exclude="none")
    assert both["groups"].str.contains("Comedy").all()
    some = recommender.recommend(k=2, items=["i4", "i9"], exclude="none")
    assert set(some["item_id"]) == {"i4", "i9"}
    for frame in (comedies, both, some):
        expected = everything.loc[list(zip(frame["user_id"], frame["item_id"], strict=True))]
        np.testing.assert_allclose(frame["score_fused"], expected, rtol=1e-5)
        assert (frame.groupby("user_id")["score_fused"].diff().dropna() <= 0).all()


def test_the_columns_name_items(recommender):
    frame = recommender.recommend("u1", k=30, exclude="none")
    assert set(frame["user_id"]) == {"u1"}
    assert list(frame["rank"]) == list(range(1, 31))
    expected = [item if item == "i3" else f"Title {item[1:]}" for item in frame["item_id"]]
    assert list(frame["title"]) == expected
    genres = tiny_tables()["item"].set_index("item_id:token")["genre:token_seq"]
    assert [set(text.split("|")) for text in frame["groups"]] == [
        set(genres[item].split()) for item in frame["item_id"]
    ]


def test_a_model_without_groups_or_titles(settings):
    plain = {"group_field": None, "metrics": ["Recall"], "valid_metric": "Recall@10"}
    path = run_recbole_decrs("BPR", "tiny", config_dict=settings | plain)["saved_model_file"]
    frame = recommend(path, ["u1"], k=4)
    assert list(frame.columns) == ["user_id", "rank", "item_id", "score"]


def test_candidates_that_are_sampled_at_test_are_all_items_here(settings):
    sampled = {"eval_args": {"mode": {"valid": "uni5", "test": "uni5"}}}
    path = run_recbole_decrs("DecFM", "tiny", config_dict=settings | sampled)["saved_model_file"]
    recommender = Recommender(path)
    frame = recommender.recommend(k=30)
    train, valid, _ = map(clicks_of, recommender.known.parts)
    assert len(frame) == 24 * 30 - len(train | valid)
    assert not pairs_of(frame) & (train | valid)


def test_a_sequential_model_masks_what_it_is_asked_to(settings):
    path = run_recbole_decrs("SASRec", "tiny", config_dict=settings | SHORT_SEQUENCES)["saved_model_file"]
    recommender = Recommender(path)
    assert len(recommender.recommend(["u2", "u1"], k=30)) == 60
    frame = recommender.recommend(["u2", "u1"], k=30, exclude="clicked")
    clicks = tiny_tables()["inter"]
    clicked = set(zip(clicks["user_id:token"], clicks["item_id:token"], strict=True))
    assert len(frame) == 2 * 18
    assert not pairs_of(frame) & clicked


def test_another_weight_needs_no_training(settings):
    path = run_recbole_decrs("DecFM", "tiny", config_dict=settings)["saved_model_file"]
    frame = recommend(path, k=5, config_dict={"fusion_weight": 0.25, "inference": "conventional"})
    assert set(frame["weight"]) == {0.25}
    assert (frame.groupby("user_id")["score_conventional"].diff().dropna() <= 0).all()


@pytest.mark.parametrize(
    ("model", "trained", "changed", "message"),
    [
        ("FM", {}, {"drift_alpha": 5}, "drift_alpha: .* holds FM, of which no two halves are fused; leave it out"),
        ("FM", {}, {"inference": "deconfounded"}, "inference: .* no two halves are fused"),
        (
            "DecFM",
            {"fusion_weight": 0.5},
            {"drift_alpha": 5},
            r"drift_alpha: fusion_weight 0\.5 stands in the place of",
        ),
        ("DecFM", {}, {"drift_alpha": 5, "fusion_weight": 0.3}, r"drift_alpha: fusion_weight 0\.3 stands in the place"),
        (
            "DecFM",
            {},
            {"drift_alpha": "auto"},
            r"drift_alpha: auto chooses it .*; give a number, or leave it out for 0\.2",
        ),
        (
            "DecFM",
            {"fusion_weight": 0.5, "drift_alpha": "auto"},
            {"fusion_weight": None},
            "drift_alpha: auto chooses it at the end of a training, and this one is trained already; give a number$",
        ),
    ],
)
def test_no_weight_is_without_effect(settings, model, trained, changed, message):
    path = run_recbole_decrs(model, "tiny", config_dict=settings | trained)["saved_model_file"]
    with pytest.raises(DecRSError, match=message):
        recommend(path, k=5, config_dict=changed)


def test_a_fusion_weight_is_taken_back(settings):
    """Then the weights are those of Eq. 12, by the alpha of the configuration or by another."""
    one = run_recbole_decrs("DecFM", "tiny", config_dict=settings | {"fusion_weight": 0.5})["saved_model_file"]
    for alpha in ({}, {"drift_alpha": 2.0}):
        frame = recommend(one, k=5, config_dict={"fusion_weight": None, **alpha})
        other = run_recbole_decrs("DecFM", "tiny", config_dict=settings | alpha)["saved_model_file"]
        pd.testing.assert_frame_equal(frame, recommend(other, k=5))


def test_one_user_needs_no_list(recommender):
    pd.testing.assert_frame_equal(recommender.recommend("u3", k=3), recommender.recommend(["u3"], k=3))
    for asked in ({"items": 5}, {"groups": 5}):
        with pytest.raises(DecRSError, match=r"must be a list, such as \[5\], not 5"):
            recommender.recommend(k=3, **asked)
    with pytest.raises(DecRSError, match="has no '5' left"):
        recommender.recommend(5, k=3)


def test_users_without_a_list_are_counted(recommender, caplog):
    clicked = [recommender.dataset.field2id_token["user_id"][recommender.part.inter_feat["user_id"][0]], "u5"]
    item = recommender.dataset.field2id_token["item_id"][recommender.part.inter_feat["item_id"][0]]
    frame = recommender.recommend(users=(user for user in clicked), items=[item], k=1)
    without = [user for user in clicked if user not in set(frame["user_id"])]
    assert f"{len(without)} of 2 lists have no item, such as that of {without[0]}" in caplog.text


def test_what_is_no_setting_and_no_checkpoint():
    with pytest.raises(DecRSError, match="config_dict must be a dictionary such as"):
        Recommender("x.pth", [1])
    with pytest.raises(DecRSError, match="None"):
        Recommender(None)
    with pytest.raises(DecRSError, match="config_dict must be a dictionary such as"):
        run_recbole_decrs("FM", "tiny", config_dict="a=b")
    with pytest.raises(DecRSError, match=r"config_file_list must be a list of paths, such as \['tiny.yaml'\]"):
        run_recbole_decrs("FM", "tiny", config_file_list="tiny.yaml")
