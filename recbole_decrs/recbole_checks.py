"""Checks those of RecBole's configuration keys whose values RecBole does not check itself."""

from __future__ import annotations

import math
import numbers
import re
from typing import Any

from recbole_decrs.checks import (
    BOOLEAN,
    LARGEST,
    Check,
    is_list_of,
    is_number,
    is_text,
    list_of,
    number,
    one_of,
    path,
    text,
    whole_number,
)

MOST_WORKERS = 128
"""The most processes that a loader of batches may start."""


def _is_switch(value: Any) -> bool:
    """Tell a value that RecBole takes for yes or no as it is meant; any other text would be a yes."""
    return value is None or (isinstance(value, numbers.Integral) and value in (0, 1))


def _is_mapping(value: Any) -> bool:
    return isinstance(value, dict) and all(isinstance(key, str) for key in value)


def _maps_to_columns(value: Any) -> bool:
    return _is_mapping(value) and all(columns == "*" or isinstance(columns, list | tuple) for columns in value.values())


def _is_interval(value: Any) -> bool:
    """Tell a text that RecBole reads as it is meant: ``[30,inf)``, or several with semicolons between."""
    return isinstance(value, str) and all(map(_is_one_interval, value.split(";")))


def _is_one_interval(value: str) -> bool:
    found = re.fullmatch(r"[\[(]([^,]+),([^,]+)[\])]", value.strip())
    try:
        low, high = map(float, found.groups()) if found else (math.nan, math.nan)
    except ValueError:
        return False
    return low <= high


def _is_token(value: Any) -> bool:
    return isinstance(value, str | int)


def _is_mode(value: Any) -> bool:
    modes = list(value.values()) if isinstance(value, dict) else [value]
    known = re.compile(r"full|labeled|(uni|pop)[1-9]\d*")
    return len(modes) > 0 and all(isinstance(mode, str) and known.fullmatch(mode) for mode in modes)


def _is_split(value: Any) -> bool:
    if not isinstance(value, dict) or len(value) != 1:
        return False
    kind, how = next(iter(value.items()))
    if kind == "LS":
        return how in ("valid_and_test", "test_only")  # valid_only leaves no test part
    return kind in ("RS", "TS") and is_list_of(number(0).passes, how) and len(how) == 3 and how[0] > 0


def _is_discretization(value: Any) -> bool:
    return _is_mapping(value) and all(
        isinstance(how, dict)
        and (how.get("method") == "LD" or (how.get("method") == "ED" and whole_number(1).passes(how.get("bucket"))))
        for how in value.values()
    )


def _is_clipping(value: Any) -> bool:
    arguments = {"max_norm", "norm_type", "error_if_nonfinite", "foreach"}
    if not _is_mapping(value) or not set(value) <= arguments:
        return False
    above_0, kind = number(0, above=True), value.get("norm_type", 2)
    return (
        above_0.passes(value.get("max_norm"))
        and (kind in ("inf", math.inf) or above_0.passes(kind))
        and all(isinstance(value.get(key), bool | None) for key in ("error_if_nonfinite", "foreach"))
    )


def _is_sampling(value: Any) -> bool:
    if value is None or value == "none":
        return True
    if not _is_mapping(value):
        return False
    if not set(value) <= {"distribution", "sample_num", "alpha", "dynamic", "candidate_num"}:
        return False
    dynamic = value.get("dynamic", False)
    return (
        value.get("distribution", "uniform") in ("uniform", "popularity")
        and whole_number(1).passes(value.get("sample_num", 1))
        and is_number(value.get("alpha", 1.0))
        and isinstance(dynamic, bool)
        and whole_number(1 if dynamic else 0).passes(value.get("candidate_num", 0))
    )


SWITCHES = (
    "use_gpu",
    "reproducibility",
    "show_progress",
    "save_dataset",
    "save_dataloaders",
    "log_wandb",
    "shuffle",
    "require_pow",
    "enable_amp",
    "enable_scaler",
    "repeatable",
    "normalize_all",
    "kg_reverse_r",
    "valid_metric_bigger",
)
"""Keys that are on or off."""
INTERVALS = (
    "user_inter_num_interval",
    "item_inter_num_interval",
    "entity_kg_num_interval",
    "relation_kg_num_interval",
)
"""Keys that are intervals, which are written as text: ``[5,30)`` is no list."""

RECBOLES_CHECKS: dict[str, Check] = {
    "dropout_prob": number(0, 1),
    "embedding_size": whole_number(1),
    "epochs": whole_number(1),
    "eval_step": whole_number(0),
    "stopping_step": whole_number(0),
    "train_batch_size": whole_number(1),
    "eval_batch_size": whole_number(1),
    "MAX_ITEM_LIST_LENGTH": whole_number(1),
    "learning_rate": number(0, LARGEST, above=True),
    "learner": Check(
        lambda value: isinstance(value, str) and value.lower() in ("adam", "adamw", "sgd", "adagrad", "rmsprop"),
        "one of adam, adamw, sgd, adagrad, rmsprop",
    ),
    "weight_decay": number(0, LARGEST),
    "clip_grad_norm": Check(_is_clipping, "the arguments of clip_grad_norm_, such as {'max_norm': 5}").none_or(),
    "worker": whole_number(0, MOST_WORKERS),
    "state": Check(
        lambda value: value is None or str(value).lower() in ("debug", "info", "warning", "error", "critical"),
        "debug, info, warning, error or critical",
    ),
    "valid_metric": text("a metric such as Recall@10"),
    "checkpoint_dir": path("the name of a folder"),
    "data_path": path("the name of a folder"),
    **dict.fromkeys(("dataset_save_path", "dataloaders_save_path"), path("the path of a file").or_none()),
    "wandb_project": text("the name of a project").or_none(),
    "encoding": Check(lambda value: value is None or is_text(value), "the name of an encoding"),
    "mlp_hidden_size": list_of(whole_number(1).passes, "a list of whole numbers >= 1"),
    **dict.fromkeys(
        ("load_col", "unload_col", "unused_col"),
        Check(_maps_to_columns, "file endings with lists of columns, such as {'inter': ['user_id']}").none_or(),
    ),
    **dict.fromkeys(SWITCHES, Check(_is_switch, "True or False")),
    "seq_len": Check(
        lambda value: _is_mapping(value) and all(map(whole_number(1).passes, value.values())),
        "columns with whole numbers >= 1, such as {'class': 3}",
    ).none_or(),
    "topk": Check(
        lambda value: whole_number(1).passes(value) or is_list_of(whole_number(1).passes, value),
        "a list of whole numbers >= 1",
    ),
    **dict.fromkeys(
        ("alias_of_user_id", "alias_of_item_id", "alias_of_entity_id", "alias_of_relation_id"),
        list_of(is_text, "a list of columns, such as ['entity']").none_or(),
    ),
    "additional_feat_suffix": Check(
        lambda value: is_text(value) or is_list_of(is_text, value), "a list of file endings, such as ['emb']"
    ).none_or(),
    "preload_weight": Check(
        lambda value: _is_mapping(value) and all(map(is_text, value.values())),
        "a column of ids with one of their vectors, such as {'entity': 'vector'}",
    ).none_or(),
    **dict.fromkeys(("USER_ID_FIELD", "ITEM_ID_FIELD", "LABEL_FIELD"), text("the name of a column")),
    # RecBole's KD_DAGFM evaluates this one as code.
    "teacher": Check(lambda value: value is None or value in ("CrossNet", "CIN"), "CrossNet or CIN"),
    "numerical_features": Check(
        lambda value: isinstance(value, list) and all(map(is_text, value)), "a list of columns, such as ['price']"
    ),
    "normalize_field": list_of(is_text, "a list of columns, such as ['price']").none_or(),
    "discretization": Check(
        _is_discretization,
        "columns with a method, ED with a number of buckets or LD, such as {'price': {'method': 'ED', 'bucket': 10}}",
    ).none_or(),
    "metrics": Check(
        lambda value: is_text(value) or is_list_of(is_text, value),
        "a list of metrics, such as ['Recall', 'CKL']",
    ),
    "benchmark_filename": Check(
        lambda value: is_list_of(is_text, value) and len(value) == 3,
        "the names of three files, such as ['train', 'valid', 'test']",
    ).none_or(),
    "field_separator": text("the text between columns"),
    "seq_separator": text("the text between the parts of a sequence"),
    "val_interval": Check(
        lambda value: (
            _is_mapping(value) and all(_is_interval(one) or is_list_of(_is_token, one) for one in value.values())
        ),
        "fields with intervals, such as {'rating': '[4,inf)'}, or of a token with a list of values",
    ).none_or(),
    **dict.fromkeys(INTERVALS, Check(_is_interval, "an interval, such as '[30,inf)'").none_or()),
    "train_neg_sample_args": Check(
        _is_sampling,
        "none, or a distribution of uniform or popularity, a sample_num >= 1, a number alpha, and if dynamic is True a "
        "candidate_num >= 1",
    ),
    "filter_inter_by_user_or_item": BOOLEAN,
    "rm_dup_inter": Check(lambda value: value is None or value in ("first", "last"), "first, last or none"),
    "tail_ratio": number(0, LARGEST, above=True).or_none(),
    **dict.fromkeys(("metric_decimal_place", "loss_decimal_place"), whole_number(0, 15)),
    "seed": Check(whole_number(0, 2**32 - 1).passes, "a whole number in [0, 2^32)"),
}
"""RecBole's keys whose bad values would end in a traceback, or in a default used without a word."""

EVAL_ARGS: dict[str, Check] = {
    "split": Check(
        _is_split,
        "{'RS': [0.8, 0.1, 0.1]} or TS, with three numbers >= 0 and the first above 0, or {'LS': 'valid_and_test'} or "
        "test_only",
    ),
    "order": one_of("TO", "RO"),
    "group_by": Check(lambda value: value is None or value in ("user", "none"), "user or none"),
    "mode": Check(_is_mode, "full, labeled, uniN or popN with N >= 1, or one of these for valid and one for test"),
}
"""What the settings within ``eval_args`` may be."""
