import pytest

from recbole_decrs import DecRSError
from recbole_decrs.config import DecRSConfig


@pytest.mark.parametrize("interval", ["30", 30, "[30,inf", "[30;inf)", "[a,b)", "[5,3]", [3, 4], "[1,2];"])
def test_an_interval_that_is_none(interval):
    for key in ("user_inter_num_interval", "item_inter_num_interval", "entity_kg_num_interval"):
        with pytest.raises(DecRSError, match=f"{key} must be none or an interval"):
            DecRSConfig(config_dict={key: interval})


@pytest.mark.parametrize("interval", ["[30,inf)", "(0, 1];[3,4)", "[-inf,1e3]"])
def test_an_interval(interval):
    assert DecRSConfig(config_dict={"val_interval": {"rating": interval}})["val_interval"] == {"rating": interval}


@pytest.mark.parametrize("text", ["[4,9]", "(5,30)", "[4,inf)"])
@pytest.mark.parametrize("where", ["command_line", "config_dict"])
def test_a_closed_interval_is_no_list(text, where):
    assert DecRSConfig(**{where: {"item_inter_num_interval": text}})["item_inter_num_interval"] == text


@pytest.mark.parametrize(
    "settings",
    [
        {"train_neg_sample_args": {"distribution": "uniform", "sample_num": 0}},
        {"train_neg_sample_args": {"distribution": "unifrom"}},
        {"train_neg_sample_args": {"distribution": "uniform", "sample_nums": 3}},
        {"train_neg_sample_args": {"dynamic": True, "candidate_num": 0}},
        {"train_neg_sample_args": {"dynamic": False, "candidate_num": -3}},
        {"train_neg_sample_args": {"alpha": "x"}},
        {"clip_grad_norm": {"max_norms": 5}},
        {"unused_col": {"item": "genre"}},
        {"numerical_features": "price"},
        {"benchmark_filename": ["train", "test"]},
        {"loss_decimal_place": "*"},
        {"tail_ratio": "x"},
        {"dataset_save_path": 1e308},
        {"checkpoint_dir": "a\0b"},
        {"data_path": "\udcff"},
        {"metrics": "none"},
        {"field_separator": "none"},
        {"eval_args": {"mode": "uni0"}},
        {"eval_args": {"mode": {"valid": "uni100", "test": "pop0"}}},
        {"eval_args": {"mode": "fulll"}},
        {"eval_args": {"split": {"RS": [0.8, -0.1, 0.3]}}},
        {"eval_args": {"split": {"RS": [0, 0.5, 0.5]}}},
        {"eval_args": {"split": {"TS": "most"}}},
        {"normalize_all": "yes"},
        {"use_gpu": "no"},
        {"seq_len": {"genre": 0}},
        {"seq_len": 3},
        {"topk": [10, 2.5]},
        {"eval_args": {"split": {"RS": [0.8, 0.1, 0.1], "LS": "valid_and_test"}}},
        {"eval_args": {"split": {"RS": [0.9, 0.1]}}},
        {"eval_args": {"split": {}}},
        {"eval_args": {"split": {"LS": "val"}}},
        {"eval_args": {"order": "to"}},
        {"eval_args": {"group_by": "usr"}},
        {"LABEL_FIELD": "none"},
        {"alias_of_item_id": "eid"},
        {"additional_feat_suffix": {"emb": 1}},
        {"eval_args": {"split": {"LS": "valid_only"}}},
        {"preload_weight": ["eid"]},
        {"load_col": {"item": ["item_id", "class"]}},
        {"load_col": {"inter": []}},
        {"discretization": "price"},
        {"discretization": {"price": {"methd": "LD"}}},
        {"discretization": {"price": {"method": "ED"}}},
        {"normalize_field": "price"},
        {"load_col": "{'inter': ['user_id', 'item_id'], 'item': ['item_id'], 'item': ['item_id', 'class']}"},
        {"val_interval": "{'rating': '[3,inf)', 'rating': '[4,inf)'}"},
    ],
)
def test_values_that_are_none(settings):
    with pytest.raises(DecRSError, match=f"^{next(iter(settings))}"):
        DecRSConfig(config_dict=settings)


@pytest.mark.parametrize("key", ["load_col", "unload_col", "unused_col"])
def test_a_file_ending_that_is_none(key):
    with pytest.raises(DecRSError, match=f"{key}: there is no file ending items; did you mean item"):
        DecRSConfig(config_dict={key: {"items": ["item_id"]}})


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"model": "DecFMM"}, "there is no model named DecFMM; did you mean DecFM"),
        ({"model": "fm"}, "there is no model named fm; did you mean FM"),
        ({"model": "lightgcn"}, "did you mean LightGCN"),
        (
            {"model": "SASRec", "test_candidates": "untrained"},
            "model such as SASRec RecBole ranks all",
        ),
        (
            {"test_candidates": "untrained", "eval_args": {"mode": {"valid": "full", "test": "uni10"}}},
            r"test_candidates: untrained is of full sort, and the test samples its candidates \(uni10\)",
        ),
        (
            {"discretization": {"timestamp": {"method": "ED", "bucket": 10}}},
            "discretization: timestamp is TIME_FIELD, whose numbers put the clicks in order; leave it out",
        ),
        (
            {"eval_args": {"split": {"TS": [0.8, 0.1, 0.1]}, "order": "RO"}},
            "eval_args: split TS parts the clicks at moments, for which order: RO would mix",
        ),
        ({"model": "XGBoost"}, "XGBoost is a decision-tree model"),
        ({"dataset": "ml-100"}, "there is no folder dataset/ml-100 .*; did you mean ml-100k"),
        ({"dataset": "qqqqqq"}, "set data_path to the folder that holds it"),
        ({"confounder_prior": "items"}, "confounder_prior must be one of interaction, item, .*, not 'items'"),
        ({"backdoor_operator": "sum"}, "backdoor_operator must be one of fm, fm_all_pairs, product, not 'sum'"),
        ({"drift_alpha": -1}, "drift_alpha must be a number >= 0 or auto, not -1"),
        ({"drift_alpha": "automatic"}, "drift_alpha must be a number >= 0 or auto, not 'automatic'"),
        ({"drift_alpha": float("nan")}, "drift_alpha must be a number >= 0 or auto, not nan"),
        ({"drift_alpha": True}, "drift_alpha must be a number >= 0 or auto, not True"),
        ({"drift_alpha": "auto", "drift_history": "train+valid"}, "drift_alpha: auto chooses alpha on the validation"),
        ({"drift_alpha_grid": []}, "drift_alpha_grid must be a list of numbers >= 0"),
        ({"fusion_weight": 1.5}, "fusion_weight must be a number in .0, 1. or none, not 1.5"),
        ({"inference": "both"}, "inference must be one of fused, deconfounded, conventional, not 'both'"),
        ({"drift_smoothing": 0}, "drift_smoothing must be a number above 0 and at most 1"),
        ({"group_features": "mean"}, "group_features must be one of pooled, separate, not 'mean'"),
        ({"mlp_dropout_prob": 2}, r"mlp_dropout_prob must be a number in \[0, 1\] or none, not 2"),
        ({"bi_batch_norm": "yes"}, "bi_batch_norm must be True or False, not 'yes'"),
        ({"learner": "adagard"}, "learner must be one of adam, .*, not 'adagard'"),
        ({"epochs": "many"}, "epochs must be a whole number >= 1, not 'many'"),
        ({"save_topk": 0}, "save_topk must be a whole number >= 1 or none, not 0"),
        ({"metrics": ["Recal"]}, "metrics: there is no metric Recal; did you mean Recall?"),
        ({"valid_metric": "Recall@7"}, "valid_metric Recall@7 is not evaluated: .* topk has 10, 20"),
        ({"metrics": ["GAUC"], "valid_metric": "GAUC@10"}, "valid_metric GAUC@10 is not evaluated: metrics has GAUC"),
        ({"metrics": ["GAUC"], "valid_metric": "GAUC@"}, "valid_metric GAUC@ is not evaluated"),
        ({"metrics": ["ItemCoverage"], "valid_metric": "ItemCoverage"}, "valid_metric ItemCoverage is not evaluated"),
        ({"model": "SASRec", "transform": "crop_itemseq"}, "transform: crop_itemseq needs eta, of which SASRec has no"),
        ({"unused_col": {"inter": ["user_id"]}}, "unused_col: without user_id the clicks are of nobody"),
        (
            {
                **{"model": "DecFM", "fusion_on": "logit", "metrics": ["AUC", "LogLoss"], "valid_metric": "AUC"},
                **{"train_neg_sample_args": None, "eval_args": {"mode": "labeled"}},
            },
            "fusion_on: logit gives scores that are no probabilities, which the metric LogLoss measures",
        ),
        ({"valid_metric": "MRR@10"}, "valid_metric MRR@10 is not evaluated: metrics has Recall, NDCG, CKL"),
        ({"backbone_checkpoint": "none.pth"}, "backbone_checkpoint: there is no file none.pth"),
        ({"model": 3}, "model must be the name of a model, not 3"),
        ({"model": "CKE", "load_col": {"inter": ["user_id"]}}, "load_col names no columns of the .kg file"),
        ({"threshold": {"rating": 4}}, "keep the positives alone by val_interval"),
        ({"eval_args": {"mode": "labeled"}}, "mode: labeled goes with metrics such as AUC"),
        ({"eval_args": {"splot": 1}}, "eval_args has no setting splot; it takes split, order, group_by, mode"),
        ({"train_neg_sample_args": None}, "train_neg_sample_args: without negative samples DecFM needs labels; load"),
        (
            {"additional_feat_suffix": ["emb"], "load_col": {"inter": ["user_id", "item_id"]}},
            "additional_feat_suffix: load_col names no column of the .emb file; add its columns there",
        ),
        ({"valid_metric": "Recall"}, "valid_metric Recall is not evaluated"),
        ({"valid_metric": 5}, "valid_metric must be a metric such as Recall@10, not 5"),
        ({"model": ["DecFM"]}, "model must be the name of a model"),
        ({"seed": 99999999999}, r"seed must be a whole number in .0, 2.32., not 99999999999"),
        ({"worker": "x"}, "worker must be a whole number"),
        ({"clip_grad_norm": 5}, "clip_grad_norm must be none or the arguments"),
        ({"val_interval": "foo"}, "val_interval must be none or fields with intervals"),
        ({"val_interval": {"rating": "oops"}}, "val_interval must be none or fields with intervals"),
        ({"load_col": {"inter": "user_id"}}, "load_col must be none or file endings with lists"),
        ({"model": "DecNFM", "mlp_hidden_size": 64}, "mlp_hidden_size must be a list of whole numbers"),
        ({"learner": "sparse_adam"}, "learner must be one of adam, adamw, sgd, adagrad, rmsprop"),
        ({"nproc": 2}, "nproc: several processes train a single run; give it to the command run"),
    ],
)
def test_errors_are_one_sentence(settings, message):
    with pytest.raises(DecRSError, match=message) as caught:
        DecRSConfig(config_dict=settings)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["ItemCoverage@10", "AveragePopularity@20", "CKL@10", "MRR@20", "GAUC", "recall@10"])
def test_metrics_to_choose_by(name):
    config = {"metrics": ["Recall", "MRR", "CKL", "GAUC", "ItemCoverage", "AveragePopularity"], "valid_metric": name}
    assert DecRSConfig("BPR", config_dict=config | {"group_field": "class"})["valid_metric"] == name


def test_keys_of_fm_and_nfm_are_told_where_they_have_no_effect(caplog):
    given = {"loss_reduction": "sum", "embedding_norm_weight": 5, "group_features": "pooled", "ips_cap": 5}
    DecRSConfig("DecFM", config_dict=given)
    assert caplog.text == ""
    DecRSConfig("DecDeepFM", config_dict=given)
    assert (
        "loss_reduction, embedding_norm_weight, ips_cap: FM and NFM alone read this, and DecDeepFM does not"
        in caplog.text
    )


@pytest.mark.parametrize("text", ["None", "none", "null", "NULL", "", "~"])
@pytest.mark.parametrize("key", ["group_field", "val_interval", "load_col", "fusion_weight", "reranker", "save_topk"])
def test_none_undoes_a_key_wherever_it_stands(tmp_path, key, text):
    (tmp_path / "a.yaml").write_text(f"{key}: '{text}'\n")
    assert DecRSConfig(config_file_list=["a.yaml"])[key] is None
    assert DecRSConfig(config_dict={key: text})[key] is None
    assert DecRSConfig(command_line={key: text})[key] is None


def test_none_of_an_activation_is_meant():
    assert DecRSConfig("DecNFM", command_line={"mlp_activation": "none"})["mlp_activation"] == "none"


@pytest.mark.parametrize("value", ["none", "None", "NULL", "", None])
def test_no_activation(value):
    assert DecRSConfig("DecNFM", config_dict={"mlp_activation": value})["mlp_activation"] == "none"


@pytest.mark.parametrize(("value", "on"), [(0, False), (1, True), ("none", False), (True, True)])
def test_switches_are_on_or_off(value, on):
    assert DecRSConfig(config_dict={"enable_amp": value})["enable_amp"] is on


def test_several_lengths_may_be_typed_without_brackets():
    assert DecRSConfig(config_dict={"topk": "5,10"})["topk"] == [5, 10]
