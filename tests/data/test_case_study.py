from pathlib import Path

import numpy as np
import pytest
import torch
from recbole.utils import case_study
from recbole.utils.case_study import full_sort_scores, full_sort_topk

from recbole_decrs import DecRSError, load_data_and_model, run_recbole_decrs
from recbole_decrs.making import make_model
from tiny_data import SHORT_SEQUENCES, tiny_tables, write_tables


def test_scores_that_are_not_finite_are_no_ranking(load):
    _, _, test_data = load(tiny_tables(), "FM")
    config = test_data._dataset.config
    model = make_model(config, test_data._dataset)
    with torch.no_grad():
        next(model.parameters()).fill_(float("nan"))
    with pytest.raises(DecRSError, match="FM gives scores that are infinite or not a number"):
        case_study.full_sort_topk([1], model, test_data, k=3)


def test_the_loaded_model_serves_recboles_case_study(settings):
    result = run_recbole_decrs("DecFM", "tiny", config_dict=settings | {"save_topk": 5})
    config, model, dataset, train_data, valid_data, test_data = load_data_and_model(result["saved_model_file"])
    users = dataset.token2id("user_id", ["u3", "u7"])
    scores, items = full_sort_topk(users, model, test_data, k=5)
    assert full_sort_scores(users, model, test_data).shape == (2, dataset.item_num)
    saved = Path(result["saved_model_file"].replace(".pth", "-top5.csv")).read_text().splitlines()
    for user, row in zip(("u3", "u7"), items, strict=True):
        listed = [line.split(",")[1] for line in saved if line.startswith(f"{user},")]
        assert listed == list(dataset.id2token("item_id", row))
    with pytest.raises(DecRSError, match="full_sort_topk: k asks for 31 items, and there are 30; lower it"):
        case_study.full_sort_topk(users, model, test_data, k=31)
    assert len(train_data) > 0
    assert len(valid_data) > 0
    assert config["model"] == "DecFM"
    assert torch.isfinite(scores).all()


@pytest.mark.parametrize("candidates", ["unseen", "untrained"])
@pytest.mark.parametrize("model", ["DecFM", "BPR"])
def test_lists_of_users_outside_the_test(tmp_path, settings, model, candidates):
    """Of three clicks at 0.8, 0.1, 0.1 one is for validation and none for the test, or the other way round."""
    tables = tiny_tables()
    clicks = tables["inter"]
    tables["inter"] = clicks[(clicks["user_id:token"] != "u3") | (clicks.groupby("user_id:token").cumcount() < 1)]
    write_tables(tmp_path / "data", tables)
    changed = {"test_candidates": candidates, "eval_args": {"group_by": None}, "save_topk": 5}
    result = run_recbole_decrs(model, "tiny", config_dict=settings | changed)
    _, model, dataset, train_data, valid_data, test_data = load_data_and_model(result["saved_model_file"])
    clicked = [
        {user: set(part.inter_feat["item_id"][part.inter_feat["user_id"] == user].tolist()) for user in range(1, 25)}
        for part in (train_data._dataset, valid_data._dataset, test_data._dataset)
    ]
    for number, loader in enumerate((valid_data, test_data), start=1):
        seen = clicked[:1] if candidates == "untrained" and loader is test_data else clicked[:number]
        outside = [user for user in range(1, 25) if not clicked[number][user]]
        assert outside
        assert dataset.token2id("user_id", "u3") in outside
        for user in range(1, 25):
            masked = set().union(*(part[user] for part in seen)) - clicked[number][user]
            assert set(loader.uid2history_item[user].tolist()) == masked
            scores = full_sort_scores([user], model, loader)[0]
            assert set(torch.nonzero(scores == -torch.inf).flatten().tolist()) == masked | {0}
        scores, items = full_sort_topk(np.array(outside), model, loader, k=5)
        assert torch.isfinite(scores).all()
        assert items.shape == (len(outside), 5)


def test_a_user_that_the_data_do_not_have(prepared):
    dataset = prepared("BPR")[1]._dataset
    assert dataset.token2id("user_id", ["u3", "u7"]).tolist() == [
        dataset.token2id("user_id", name) for name in ("u3", "u7")
    ]
    with pytest.raises(DecRSError, match=r"user_id: tiny has no 'u33' left after its filters; did you mean .*u3"):
        dataset.token2id("user_id", ["u3", "u33"])
    with pytest.raises(DecRSError, match=r"user_id: tiny has no 'nobody' left after its filters; take a user_id of"):
        dataset.token2id("user_id", "nobody")


def test_lists_of_users_without_a_sequence(tmp_path, settings):
    tables = tiny_tables()
    clicks = tables["inter"]
    tables["inter"] = clicks[(clicks["user_id:token"] != "u3") | (clicks.groupby("user_id:token").cumcount() < 1)]
    write_tables(tmp_path / "data", tables)
    result = run_recbole_decrs("GRU4Rec", "tiny", config_dict=settings | SHORT_SEQUENCES)
    _, model, dataset, *_, test_data = load_data_and_model(result["saved_model_file"])
    users = dataset.token2id("user_id", ["u2", "u3", "u4"])
    assert full_sort_topk(users[::2], model, test_data, k=5)[1].shape == (2, 5)
    with pytest.raises(DecRSError, match="1 of the users have no sequence in this part of tiny, the first u3; leave"):
        full_sort_topk(users, model, test_data, k=5)


def test_a_loader_of_sampled_candidates_has_no_list_of_all_items(prepared):
    eval_args = {"split": {"RS": [0.8, 0.1, 0.1]}, "order": "TO", "group_by": "user", "mode": "uni10"}
    test_data = prepared("BPR", eval_args=eval_args)[-1]
    with pytest.raises(DecRSError, match="full_sort_scores needs a loader that ranks all items, .*; set mode: full"):
        full_sort_topk([1], None, test_data, k=5)
