import logging

import pytest
import torch
from recbole.data.dataloader import TrainDataLoader

from recbole_decrs import FM, DecFM, run_recbole_decrs
from recbole_decrs.data.id_loader import IdLoader, why_not_by_ids
from recbole_decrs.model.catalogue import find_model


@pytest.mark.parametrize("n_negatives", [1, 3])
def test_an_epoch_has_every_positive_once_and_its_negatives(prepared, n_negatives):
    arguments = {"distribution": "uniform", "sample_num": n_negatives}
    _, train_data, *_ = prepared("FM", train_neg_sample_args=arguments)
    loader = IdLoader(train_data)
    assert len(loader) == len(train_data)
    part = train_data.dataset
    clicked = set(zip(part.inter_feat["user_id"].tolist(), part.inter_feat["item_id"].tolist(), strict=True))
    positives, negatives = [], []
    for batch in loader:
        users = batch["user_id"]
        items, labels = batch["item_id"].view(-1, len(users)), batch["label"].view(-1, len(users))
        assert len(items) == 1 + n_negatives
        assert labels.tolist() == [[1.0] * len(users)] + [[0.0] * len(users)] * n_negatives
        positives += list(zip(users.tolist(), items[0].tolist(), strict=True))
        negatives += [(u, i) for row in items[1:].tolist() for u, i in zip(users.tolist(), row, strict=True)]
    assert sorted(positives) == sorted(
        zip(part.inter_feat["user_id"].tolist(), part.inter_feat["item_id"].tolist(), strict=True)
    )
    assert not clicked & set(negatives)
    assert 0 not in {item for _, item in negatives}


def test_epochs_differ_and_the_seed_repeats_them(prepared):
    loader = IdLoader(prepared("FM")[1])
    epochs = [torch.cat([batch["item_id"] for batch in loader]) for _ in range(2)]
    assert not torch.equal(*epochs)
    loader.generator.manual_seed(3)
    first = torch.cat([batch["item_id"] for batch in loader])
    loader.generator.manual_seed(3)
    assert torch.equal(torch.cat([batch["item_id"] for batch in loader]), first)


def test_batches_have_recboles_size(prepared):
    _, train_data, *_ = prepared("FM", train_batch_size=50)
    ours = [len(batch["item_id"]) for batch in IdLoader(train_data)]
    theirs = [len(batch["item_id"]) for batch in train_data]
    assert ours == theirs


SLOW = {
    "popularity": (
        {"train_neg_sample_args": {"distribution": "popularity", "sample_num": 1}},
        "not static and uniform",
    ),
    "dynamic": (
        {"train_neg_sample_args": {"distribution": "uniform", "sample_num": 1, "dynamic": True, "candidate_num": 2}},
        "not static and uniform",
    ),
}


@pytest.mark.parametrize("case", SLOW)
def test_what_ids_cannot_do_takes_recboles_loader_and_the_log_says_so(settings, case, caplog):
    others, reason = SLOW[case]
    with caplog.at_level(logging.INFO):
        result = run_recbole_decrs("DecFM", "tiny", config_dict=settings | others)
    assert "Training takes RecBole's own loader: train_neg_sample_args is " + reason in caplog.text
    assert 0 < result["test_result"]["recall@10"] <= 1


def test_features_of_the_interaction_keep_recboles_path(prepared):
    eval_args = {"split": {"RS": [0.8, 0.1, 0.1]}, "order": "RO", "group_by": None, "mode": "labeled"}
    config, train_data, *_ = prepared(
        "FM",
        eval_args=eval_args,
        metrics=["AUC"],
        valid_metric="AUC",
        train_neg_sample_args=None,
        threshold={"rating": 5},
        numerical_features=["height", "price", "timestamp"],
    )
    model = FM(config, train_data.dataset)
    assert not model.trains_by_ids
    assert why_not_by_ids(model, train_data, config) == "FM takes the features of a batch"
    assert torch.isfinite(model.calculate_loss(next(iter(train_data))))


@pytest.mark.parametrize(
    "others",
    [
        {"learner": "adam"},
        {"learner": "sgd"},
        {"clip_grad_norm": {"max_norm": 1.0}},
        {"enable_amp": True},
        {"show_progress": True},
        {"weight_decay": 0.01},
    ],
)
def test_recboles_training_options_work_by_ids(settings, others):
    result = run_recbole_decrs("DecFM", "tiny", config_dict=settings | others)
    assert 0 < result["test_result"]["recall@10"] <= 1


def test_ids_are_taken_where_they_can_be(prepared):
    config, train_data, *_ = prepared("DecFM")
    assert isinstance(train_data, TrainDataLoader)
    assert why_not_by_ids(DecFM(config, train_data.dataset), train_data, config) is None


@pytest.mark.parametrize(("key", "reason"), [("repeatable", "repeatable is set"), ("transform", "transform is set")])
def test_the_log_says_why_training_is_slow(prepared, key, reason):
    config, train_data, *_ = prepared("FM")
    config[key] = True
    assert reason in why_not_by_ids(find_model("FM")(config, train_data.dataset), train_data, config)
