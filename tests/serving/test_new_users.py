"""Users whom a model has never seen: what their clicks make of them, and which models cannot rank for them."""

import re

import numpy as np
import pandas as pd
import polars
import pytest

from recbole_decrs import DecRSError, recommend, run_recbole_decrs
from recbole_decrs.cli import main
from recbole_decrs.serving import Recommender
from recbole_decrs.serving.new_clicks import read_new_clicks
from recbole_decrs.serving.new_users import standing_in
from tiny_data import SHORT_SEQUENCES, tiny_tables, write_tables

FEW = pd.DataFrame({"user_id": ["a", "a", "b", "a"], "item_id": ["i1", "i5", "i7", "i9"]})

BY_ROWS = [
    ("EASE", {}),
    ("ItemKNN", {}),
    ("SLIMElastic", {}),
    ("MultiDAE", {"mlp_hidden_size": [8], "latent_dimension": 4}),
]
"""Models that score a user by the row of the clicks."""


def trained(settings, model, **others):
    return Recommender(run_recbole_decrs(model, "tiny", config_dict=settings | others)["saved_model_file"])


def training_clicks(recommender):
    """The training clicks of all users, whose names are new, with their times."""
    part = recommender.part
    clicks = pd.DataFrame(
        {field: part.id2token(field, ids) for field, ids in zip(("user_id", "item_id"), part.clicks, strict=True)}
    )
    times = tiny_tables()["inter"].rename(columns=lambda name: name.partition(":")[0])
    clicks = clicks.merge(times[["user_id", "item_id", "timestamp"]], on=["user_id", "item_id"])
    return clicks.assign(user_id="new-" + clicks["user_id"]).sample(frac=1, random_state=0)


@pytest.mark.parametrize(
    ("model", "others"),
    [
        ("FM", {}),
        ("DecFM", {}),
        ("DecFM", {"confounder_prior": "user", "fusion_on": "logit"}),
        ("DecFM", {"confounder_prior": "recent", "bi_batch_norm": False, "group_features": "pooled"}),
        ("DecFM", {"reranker": "calibration", "reranker_candidates": 12, "train_neg_sample_args": {"sample_num": 2}}),
        ("DecNFM", {"fusion_weight": 0.5}),
        ("NFM", {"train_neg_sample_args": {"distribution": "popularity"}}),
    ],
)
def test_a_few_clicks_make_a_list(settings, model, others):
    recommender = trained(settings, model, **others)
    known = recommender.recommend(k=5)
    frame = recommender.recommend(clicks=FEW, k=6)
    assert list(frame.groupby("user_id", sort=False)["rank"].max().items()) == [("a", 6), ("b", 6)]
    assert not set(frame[frame["user_id"] == "a"]["item_id"]) & {"i1", "i5", "i9"}
    assert list(frame.columns) == list(known.columns)
    pd.testing.assert_frame_equal(recommender.recommend(clicks=FEW, k=6), frame)
    pd.testing.assert_frame_equal(recommender.recommend(clicks=polars.DataFrame(FEW.to_dict("list")), k=6), frame)
    alone = recommender.recommend(clicks=FEW[FEW["user_id"] == "b"], k=6)
    beside = frame[frame["user_id"] == "b"].reset_index(drop=True)
    pd.testing.assert_frame_equal(alone, beside, rtol=1e-3)
    pd.testing.assert_frame_equal(recommender.recommend(k=5), known)  # the model stays as it was


def test_what_is_known_of_a_new_user_is_that_of_a_known_one_with_the_same_clicks(settings):
    recommender = trained(settings, "DecFM")
    clicks = training_clicks(recommender)
    new, known = read_new_clicks(clicks, recommender.part), recommender.part.confounder
    weight = recommender.model.weight.numpy().copy()
    ids = recommender.dataset.token2id("user_id", [token.removeprefix("new-") for token in new.tokens[1:]])
    with standing_in(recommender.config, recommender.model, recommender.part, new, seed=0) as confounder:
        found = recommender.model.weight.numpy()
    np.testing.assert_allclose(confounder.user_distribution[1:], known.user_distribution[ids])
    np.testing.assert_allclose(confounder.drift[1:], known.drift[ids])
    np.testing.assert_array_equal(confounder.n_clicks[1:], known.n_clicks[ids])
    np.testing.assert_allclose(found[1:], weight[ids], rtol=1e-6)
    np.testing.assert_array_equal(recommender.model.weight.numpy(), weight)


def test_new_users_are_ranked_for_about_as_well_as_known_ones(settings):
    """With the clicks of known users under new names, most of what is listed is the same."""
    recommender = trained(settings, "DecFM", epochs=30, learning_rate=0.1)
    known = recommender.recommend(k=5, exclude="none")
    new = recommender.recommend(clicks=training_clicks(recommender), k=5, exclude="none")
    shared = known.assign(user_id="new-" + known["user_id"]).merge(new, on=["user_id", "item_id"])
    by_chance = 5 / 30
    assert len(shared) / len(known) > 2 * by_chance


@pytest.mark.parametrize(("model", "others"), BY_ROWS)
def test_a_row_of_clicks_is_scored_as_that_of_a_known_user(settings, model, others):
    recommender = trained(settings, model, **others)
    known = recommender.recommend(k=30, exclude="none")
    new = recommender.recommend(clicks=training_clicks(recommender), k=30, exclude="none")
    both = known.assign(user_id="new-" + known["user_id"]).merge(new, on=["user_id", "item_id"])
    assert len(both) == len(known)
    np.testing.assert_allclose(both["score_x"], both["score_y"], rtol=1e-5, atol=1e-6)
    pd.testing.assert_frame_equal(recommender.recommend(k=30, exclude="none"), known)


@pytest.mark.parametrize(("model", "others"), [("SASRec", {}), ("DecSASRec", {}), ("GRU4Rec", {"hidden_size": 8})])
def test_a_sequence_of_clicks_is_scored_as_that_of_a_known_user(settings, model, others):
    recommender = trained(settings, model, **(SHORT_SEQUENCES | others))
    clicks = tiny_tables()["inter"].rename(columns=lambda name: name.partition(":")[0])
    clicks = clicks.sort_values(["user_id", "timestamp"], kind="stable")
    before_last = clicks.groupby("user_id").head(11)
    new = recommender.recommend(
        clicks=before_last.assign(user_id="new-" + before_last["user_id"]), k=30, exclude="none"
    )
    known = recommender.recommend(k=30)
    both = known.assign(user_id="new-" + known["user_id"]).merge(new, on=["user_id", "item_id"])
    for name in known.columns[known.columns.str.startswith("score") & (known.columns != "score_fused")]:
        np.testing.assert_allclose(both[f"{name}_x"], both[f"{name}_y"], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("model", ["BPR", "DecBPR", "DeepFM", "CDAE", "FPMC"])
def test_other_models_say_that_they_cannot(settings, model):
    others = SHORT_SEQUENCES if model == "FPMC" else {}
    with pytest.raises(DecRSError, match=r"scores (only users that it was trained on|a user by user_id too)"):
        trained(settings, model, **others).recommend(clicks=FEW, k=3)


@pytest.fixture
def checkpoint(settings):
    return run_recbole_decrs("FM", "tiny", config_dict=settings)["saved_model_file"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("who,item_id\na,i1\n", "no column of new.csv is named as one of users usually is"),
        ("user_id,item_id\na,\n", "1 row has no item_id; fill it in, or drop them"),
        ("user_id,item_id\na,i1,i2\n", "line 2: 3 cells under 2 columns"),
        ("user_id,item_id\n", "has no rows; give each new user a few clicks"),
        ("user_id:token,item_id:token\na,i1\nb,x\n", "user_id b has no click on an item that the model knows"),
        ("user_id\titem_id\na\ti1\nu3\ti2\n", "the model knows user_id u3 already; give new users other ids"),
        ("user_id,item_id,timestamp\na,i1,now\n", "column timestamp of new.csv has times such as 'now'"),
        ("user_id,item_id,timestamp\na,i1,31012024\na,i2,01022024\n", "as they are, or their form, such"),
        ("user_id,item_id,timestamp\na,i1,5.10\na,i2,30.09\n", "as they are, or their form, such"),
        ("user_id,item_id,timestamp\na,i1,1700000000\na,i2,1700000100000\n", "which are no seconds"),
        ("user_id,item_id,timestamp\na,i1,1\na,i2,inf\n", "has times such as 'inf'"),
        ('user_id,item_id\na,"i1\n', "a cell begins with a quotation mark and does not end with one"),
        ("", "is empty; check the file"),
    ],
)
def test_clicks_that_cannot_be_used(tmp_path, checkpoint, text, message):
    (tmp_path / "new.csv").write_text(text)
    with pytest.raises(DecRSError, match="new.csv") as error:
        recommend(checkpoint, clicks=tmp_path / "new.csv", k=3)
    assert message in str(error.value)


@pytest.mark.parametrize(
    "text",
    [
        "userId;itemId\na; i1 \na;i5\nb;i7\na;i9\n",
        "user_id:token,item_id:token,timestamp:float\na,i1,1\na,i5,20\nb,i7,3\na,i9,100\n",
        "user,item,when\na,i9,2024-02-01\na,i1,2023-01-05\na,i5,2023-01-06\nb,i7,2023-02-01\n",
    ],
)
def test_clicks_come_in_many_forms(tmp_path, checkpoint, text):
    (tmp_path / "new.csv").write_text(text)
    recommender = Recommender(checkpoint)
    found = recommender.recommend(clicks=tmp_path / "new.csv", k=3)
    pd.testing.assert_frame_equal(found, recommender.recommend(clicks=FEW, k=3))


@pytest.mark.parametrize(
    ("model", "others"),
    [("FM", {}), ("DecFM", {}), ("DecFM", {"inference": "deconfounded"}), ("DecFM", {"fusion_on": "logit"})],
)
def test_fewer_items_than_k_are_all_listed_and_no_others(settings, model, others):
    recommender = trained(settings, model, **others)
    for clicks, users in ((None, ["u3"]), (FEW[FEW["user_id"] == "b"], None)):
        frame = recommender.recommend(users, k=5, items=["i1", "i2"], exclude="none", clicks=clicks)
        assert sorted(frame["item_id"]) == ["i1", "i2"]
        assert np.isfinite(frame.filter(like="score").to_numpy()).all()


def test_what_cannot_be_answered(checkpoint):
    recommender = Recommender(checkpoint)
    for asked, message in (
        ({"users": ["nobody"]}, "has no 'nobody' left"),
        ({"users": ["[PAD]"]}, "has no '[PAD]' left"),
        ({"items": ["i1", "[PAD]"]}, "has no '[PAD]' left"),
        ({"users": []}, "users: there is none in the list"),
        ({"k": 31}, "k asks for 31 items, and there are 30 to choose from"),
        ({"k": 0}, "k must be a whole number >= 1, not 0"),
        ({"exclude": "all"}, "exclude must be one of history, clicked, none, not 'all'"),
        ({"items": ["x"]}, "has no 'x' left"),
        ({"items": "i1"}, "items must be a list, such as ['i1'], not 'i1'"),
        ({"groups": ["Comdy"]}, "has no group 'Comdy'; did you mean Comedy?"),
        ({"items": []}, "items and groups leave no item to choose from"),
        ({"users": ["u1"], "clicks": FEW}, "leave one of the two out"),
        ({"clicks": "nowhere.csv"}, "nowhere.csv cannot be read"),
    ):
        with pytest.raises(DecRSError) as error:
            recommender.recommend(**{"k": 5, **asked})
        assert message in str(error.value)


@pytest.mark.parametrize(("model", "others"), BY_ROWS)
def test_an_item_that_is_clicked_again_counts_as_for_a_known_user(tmp_path, settings, model, others):
    tables = tiny_tables()
    again = tables["inter"][::3]
    tables["inter"] = pd.concat([tables["inter"], again.assign(**{"timestamp:float": again["timestamp:float"] + 500})])
    write_tables(tmp_path / "again", tables)
    recommender = trained(settings, model, **others, data_path=str(tmp_path / "again"))
    part = recommender.part
    users, items = (part.id2token(f, ids) for f, ids in zip(("user_id", "item_id"), part.clicks, strict=True))
    clicks = pd.DataFrame({"user_id": [f"new-{user}" for user in users], "item_id": items})
    assert clicks.duplicated().any()
    known = recommender.recommend(k=30, exclude="none")
    new = recommender.recommend(clicks=clicks, k=30, exclude="none")
    both = known.assign(user_id="new-" + known["user_id"]).merge(new, on=["user_id", "item_id"])
    assert len(both) == len(known)
    np.testing.assert_allclose(both["score_x"], both["score_y"], rtol=1e-5, atol=1e-6)


def test_rows_by_times_of_clicks_are_not_made_without_times(settings):
    recommender = trained(settings, "DiffRec", **{"time-aware": True, "dims_dnn": [8], "embedding_size": 4})
    with pytest.raises(DecRSError, match="DiffRec scores only users that it was trained on"):
        recommender.recommend(clicks=FEW, k=3)


RATED = FEW.assign(rating=[1, 5, 5, 2], label=[0, 1, 1, 1])


@pytest.mark.parametrize(
    ("trained_by", "columns", "kept", "warning"),
    [
        (
            {"val_interval": {"rating": "[4,inf)"}},
            ["rating"],
            [1, 2],
            r"2 of 4 rows of clicks .* not in \[4,inf\) \(val_in",
        ),
        (
            {"val_interval": {"rating": "[1,1];(3,5]"}},
            ["rating"],
            [0, 1, 2],
            r"1 of 4 rows of clicks have a rating that",
        ),
        ({"val_interval": {"rating": "[4,inf)"}}, [], [0, 1, 2, 3], "clicks has no column rating, so each of its rows"),
        ({}, ["label"], [1, 2, 3], "1 of 4 rows of clicks have label 0: they are no clicks and are left out"),
        ({}, ["rating"], [0, 1, 2, 3], None),
    ],
)
def test_a_row_counts_as_a_click_where_it_would_in_training(settings, caplog, trained_by, columns, kept, warning):
    recommender = trained(settings, "EASE", **trained_by)
    caplog.clear()
    found = recommender.recommend(clicks=RATED[["user_id", "item_id", *columns]], k=5)
    told = "\n".join(record.getMessage() for record in caplog.records)
    assert re.search(warning, told) if warning else not told
    pd.testing.assert_frame_equal(found, recommender.recommend(clicks=FEW.iloc[kept], k=5))


def test_a_user_of_whom_no_row_counts_is_named(settings):
    recommender = trained(settings, "EASE", val_interval={"rating": "[5,inf)"})
    with pytest.raises(DecRSError, match="clicks: no row of user_id a counts as a click, as ratings and labels did"):
        recommender.recommend(clicks=RATED.assign(rating=4), k=5)
    with pytest.raises(DecRSError, match="column label of clicks, row 2: a label must be 0 or 1; mend it"):
        recommender.recommend(clicks=FEW.assign(label=[0, 2, 1, 1]), k=5, label="label")


@pytest.mark.parametrize(
    "times", [pd.to_datetime(["2024-01-03", None, "2024-01-01", "2024-01-02"]), [3, None, 1, 2], ["a", "", "b", None]]
)
def test_a_click_without_a_time_has_no_place_in_their_order(settings, times):
    recommender = trained(settings, "SASRec", **SHORT_SEQUENCES)
    with pytest.raises(DecRSError, match="column timestamp of clicks, row 2: there is no time; fill it in"):
        recommender.recommend(clicks=FEW.assign(timestamp=times), k=3)


def test_clicks_are_read_as_options_say(tmp_path, capsys, checkpoint):
    expected = recommend(checkpoint, clicks=FEW.assign(user_id=["ä", "ä", "b", "ä"]), k=3)
    lines = ["Kundin|movie|am", "ä|i9|31.01.2024", "b|i7|01.02.2023", "ä|i1|05.12.2023", "ä|i5|06.12.2023"]
    (tmp_path / "new.csv").write_bytes("\n".join(lines).encode("latin-1"))
    options = {"user": "Kundin", "item": "movie", "time": "am", "time_format": "%d.%m.%Y", "encoding": "latin-1"}
    found = recommend(checkpoint, clicks="new.csv", k=3, separator="|", **options)
    expected = expected.sort_values(["user_id", "rank"], ignore_index=True)  # b, then ä
    pd.testing.assert_frame_equal(found, expected)
    typed = [f"--{name}={value}" for name, value in options.items()]
    assert main(["recommend", checkpoint, "--clicks=new.csv", "--k=3", "--output=lists.csv", *typed]) == 0
    pd.testing.assert_frame_equal(pd.read_csv("lists.csv"), found, check_dtype=False)
    recommender = Recommender(checkpoint)
    with pytest.raises(DecRSError, match="no option groups; those of clicks are user, item"):
        read_new_clicks(FEW, recommender.part, groups="x")
    with pytest.raises(DecRSError, match="user says how clicks of new users are read, and there are none; give them"):
        recommender.recommend(user="Kundin")


def test_clicks_that_are_made_again_count_as_in_training(settings, caplog):
    again = pd.concat([FEW, FEW[:2]])
    for keep, same in ((None, False), ("first", True), ("last", True)):
        recommender = trained(settings, "EASE", rm_dup_inter=keep)
        lists = [
            recommender.recommend(clicks=clicks, k=5).sort_values(["user_id", "rank"], ignore_index=True)
            for clicks in (FEW, again)
        ]
        assert lists[0].equals(lists[1]) is same
        told = f"clicked before or later, and are left out (rm_dup_inter: {keep})"
        assert (told in caplog.text) is same
        caplog.clear()


def test_a_column_that_is_called_label_need_not_hold_labels(settings):
    recommender = trained(settings, "EASE")
    expected = recommender.recommend(clicks=FEW, k=5)
    for label in (["Sony", "EMI", "Sony", "EMI"], [3, 4, 5, 1]):
        pd.testing.assert_frame_equal(recommender.recommend(clicks=FEW.assign(label=label), k=5), expected)
    with pytest.raises(DecRSError, match="a label must be 0 or 1"):
        recommender.recommend(clicks=FEW.assign(label=[3, 4, 5, 1]), k=5, label="label")


def test_options_of_reading_clicks_that_are_none(tmp_path, checkpoint):
    recommender = Recommender(checkpoint)
    expected = recommender.recommend(clicks=FEW, k=3)
    FEW.to_csv(tmp_path / "plain.csv", index=False, header=False)
    pd.testing.assert_frame_equal(recommender.recommend(clicks="plain.csv", k=3, user=1, item=2, time=None), expected)
    assert (
        main(["recommend", checkpoint, "--clicks=plain.csv", "--user=1", "--item=2", "--encoding=1252", "--k=3"]) == 0
    )
    for asked, message in (
        ({"exlude": "none"}, "there is no option exlude; did you mean exclude"),
        ({"topk": 3}, "there is no option topk"),
        ({"clicks": FEW, "separator": "|"}, "separator says how a file is written, and clicks are a data frame"),
        ({"clicks": FEW, "time_format": "%d"}, "time_format: no column of clicks is found that holds times"),
        ({"users": np.array("u99")}, "has no 'u99' left"),
    ):
        with pytest.raises(DecRSError, match=message):
            recommender.recommend(k=3, **asked)


def test_a_model_that_is_trained_by_labels_has_no_negatives_to_fold_in_by(settings):
    by_labels = {"threshold": {"rating": 5}, "train_neg_sample_args": None, "metrics": ["AUC"], "valid_metric": "AUC"}
    recommender = trained(settings, "FM", **by_labels, eval_args={"mode": "labeled"})
    with pytest.raises(DecRSError, match="FM was trained by labels, without the drawn negatives by which new users"):
        recommender.recommend(clicks=FEW, k=3)
