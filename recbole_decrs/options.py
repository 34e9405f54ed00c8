"""What the plugin's own configuration keys may hold, and which keys anyone knows."""

from __future__ import annotations

import inspect
import math
import numbers
import re
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from typing import Any

import recbole
import yaml
from recbole.utils.argument_list import (
    dataset_arguments,
    evaluation_arguments,
    general_arguments,
    training_arguments,
)

from recbole_decrs.causal import OPERATORS, PRIORS
from recbole_decrs.causal.propensity import IPS
from recbole_decrs.data.group_cells import GROUP_FORMATS
from recbole_decrs.errors import DecRSError, near_misses
from recbole_decrs.rerank import RERANKERS

Check = Callable[[Any], bool]
LARGEST = 1e30
"""Of what becomes a float32, with room to calculate."""
MOST_WORKERS = 128
"""Processes of a loader."""
READ_KEY = r"""config\[["'](\w+)["']\]"""


def properties_dir() -> Path:
    """The folder of the YAML defaults: inside the installed package, or beside it in a checkout.

    Raises:
        DecRSError: neither is there.
    """
    package = Path(__file__).parent
    for folder in (package / "properties", package.parent / "properties"):
        if (folder / "overall.yaml").is_file():
            return folder
    raise DecRSError(f"no properties/overall.yaml in {package} or beside it; reinstall recbole_decrs")


def _is_number(value: Any) -> bool:
    return isinstance(value, numbers.Real) and not isinstance(value, bool) and math.isfinite(value)


def _number(low: float, high: float = math.inf, above: bool = False) -> Check:
    return lambda value: _is_number(value) and (low < value if above else low <= value) and value <= high


def _one_of(*choices: Any) -> Check:
    return lambda value: isinstance(value, str) and value in choices


def _integer(low: int, high: int = 2**62) -> Check:
    return lambda value: isinstance(value, numbers.Integral) and not isinstance(value, bool) and low <= value <= high


def _list_of(check: Check) -> Check:
    return lambda value: isinstance(value, list | tuple) and len(value) > 0 and all(map(check, value))


def _or_none(check: Check) -> Check:
    return lambda value: value is None or check(value)


def _boolean(value: Any) -> bool:
    return isinstance(value, bool)


def _switch(value: Any) -> bool:
    """Whether RecBole takes it for yes or no as it is meant; any other text would be a yes."""
    return value is None or (isinstance(value, numbers.Integral) and value in (0, 1))


def _string(value: Any) -> bool:
    return isinstance(value, str) and value != ""


def _path(value: Any) -> bool:
    """Whether a file or folder can have that name."""
    return _string(value) and "\0" not in value and value.isprintable()


def _name(value: Any) -> bool:
    return isinstance(value, str | int)


def _mapping(value: Any) -> bool:
    return isinstance(value, dict) and all(isinstance(key, str) for key in value)


def _columns(value: Any) -> bool:
    return _mapping(value) and all(columns == "*" or isinstance(columns, list | tuple) for columns in value.values())


def _interval(value: Any) -> bool:
    """Whether RecBole reads the text as it is meant: ``[30,inf)``, or several with semicolons between."""
    return isinstance(value, str) and all(map(_one_interval, value.split(";")))


def _one_interval(text: str) -> bool:
    found = re.fullmatch(r"[\[(]([^,]+),([^,]+)[\])]", text.strip())
    try:
        low, high = map(float, found.groups()) if found else (math.nan, math.nan)
    except ValueError:
        return False
    return low <= high


def _mode(value: Any) -> bool:
    modes = list(value.values()) if isinstance(value, dict) else [value]
    known = re.compile(r"full|labeled|(uni|pop)[1-9]\d*")
    return len(modes) > 0 and all(isinstance(mode, str) and known.fullmatch(mode) for mode in modes)


def _split(value: Any) -> bool:
    if not isinstance(value, dict) or len(value) != 1:
        return False
    kind, how = next(iter(value.items()))
    if kind == "LS":
        return how in ("valid_and_test", "valid_only", "test_only")
    return kind in ("RS", "TS") and _list_of(_number(0))(how) and len(how) == 3 and how[0] > 0


def _clipping(value: Any) -> bool:
    arguments = {"max_norm", "norm_type", "error_if_nonfinite", "foreach"}
    if not _mapping(value) or not set(value) <= arguments:
        return False
    norm = value.get("norm_type", 2)
    return (
        _number(0, above=True)(value.get("max_norm"))
        and (norm in ("inf", math.inf) or _number(0, above=True)(norm))
        and all(isinstance(value.get(key), bool | None) for key in ("error_if_nonfinite", "foreach"))
    )


def _negatives(value: Any) -> bool:
    if value is None or value == "none":
        return True
    if not _mapping(value):
        return False
    if not set(value) <= {"distribution", "sample_num", "alpha", "dynamic", "candidate_num"}:
        return False
    dynamic = value.get("dynamic", False)
    return (
        value.get("distribution", "uniform") in ("uniform", "popularity")
        and _integer(1)(value.get("sample_num", 1))
        and _is_number(value.get("alpha", 1.0))
        and _boolean(dynamic)
        and _integer(1 if dynamic else 0)(value.get("candidate_num", 0))
    )


def _choices(names: Iterable[str]) -> tuple[Check, str]:
    return _one_of(*names), f"one of {', '.join(names)}"


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
"""RecBole's keys that are on or off."""
INTERVALS = (
    "user_inter_num_interval",
    "item_inter_num_interval",
    "entity_kg_num_interval",
    "relation_kg_num_interval",
)
"""RecBole's keys that are intervals, which are written as text: ``[5,30)`` is no list."""

CHECKS: dict[str, tuple[Check, str]] = {
    # the plugin's keys
    "group_field": (_or_none(_string), "the name of a column of the .item file"),
    "group_format": _choices(GROUP_FORMATS),
    "confounder_prior": _choices(PRIORS),
    "backdoor_operator": _choices(OPERATORS),
    "delta": (_number(0, 1), "a number in [0, 1]"),
    "group_init_std": (_number(0, LARGEST), f"a number in [0, {LARGEST:g}]"),
    "drift_history": _choices(("train", "train+valid")),
    "drift_periods": (_integer(2), "a whole number >= 2"),
    "drift_smoothing": (_number(0, 1, above=True), "a number above 0 and at most 1"),
    "drift_alpha": (lambda value: value == "auto" or _number(0)(value), "a number >= 0 or auto"),
    "drift_alpha_grid": (_list_of(_number(0)), "a list of numbers >= 0"),
    "drift_thresholds": (_list_of(_number(0)), "a list of numbers >= 0"),
    "fusion_weight": (_or_none(_number(0, 1)), "a number in [0, 1] or none"),
    "fusion_on": _choices(("probability", "logit")),
    "inference": _choices(("fused", "deconfounded", "conventional")),
    "backbone_checkpoint": (_or_none(_string), "the path of a checkpoint or none"),
    "test_candidates": _choices(("unseen", "untrained")),
    "group_features": _choices(("pooled", "separate")),
    "bi_batch_norm": (_boolean, "True or False"),
    "mlp_activation": _choices(("relu", "sigmoid", "tanh", "leakyrelu", "none")),
    "mlp_dropout_prob": (_or_none(_number(0, 1)), "a number in [0, 1] or none"),
    "embedding_init_std": (_or_none(_number(0, LARGEST)), f"a number in [0, {LARGEST:g}] or none"),
    "adagrad_initial_accumulator": (_number(0, LARGEST), f"a number in [0, {LARGEST:g}]"),
    "loss_reduction": _choices(("mean", "sum")),
    "embedding_norm_weight": (_number(0, LARGEST), f"a number in [0, {LARGEST:g}]"),
    "ips": (_or_none(_one_of(*IPS)), f"one of {', '.join(IPS)} or none"),
    "ips_cap": (_number(1), "a number >= 1"),
    "ips_floor": (_number(0, 1, above=True), "a number above 0 and at most 1"),
    "reranker": (_or_none(_one_of(*RERANKERS)), f"one of {', '.join(RERANKERS)} or none"),
    "reranker_lambda": (_or_none(_number(0)), "a number >= 0 or none"),
    "reranker_candidates": (_integer(1), "a whole number >= 1"),
    "torch_compile": (_boolean, "True or False"),
    "save_user_metrics": (_boolean, "True or False"),
    "save_last": (_boolean, "True or False"),
    "resume": (_or_none(_string), "the path of a checkpoint, auto or none"),
    "save_topk": (_or_none(_integer(1)), "a whole number >= 1 or none"),
    # RecBole's keys whose bad values would end in a traceback, or in a default used without a word
    "dropout_prob": (_number(0, 1), "a number in [0, 1]"),
    "embedding_size": (_integer(1), "a whole number >= 1"),
    "epochs": (_integer(0), "a whole number >= 0"),
    "eval_step": (_integer(0), "a whole number >= 0"),
    "stopping_step": (_integer(0), "a whole number >= 0"),
    "train_batch_size": (_integer(1), "a whole number >= 1"),
    "eval_batch_size": (_integer(1), "a whole number >= 1"),
    "MAX_ITEM_LIST_LENGTH": (_integer(1), "a whole number >= 1"),
    "learning_rate": (_number(0, LARGEST, above=True), f"a number above 0 and at most {LARGEST:g}"),
    "learner": (
        lambda value: isinstance(value, str) and value.lower() in ("adam", "adamw", "sgd", "adagrad", "rmsprop"),
        "one of adam, adamw, sgd, adagrad, rmsprop",
    ),
    "weight_decay": (_number(0, LARGEST), f"a number in [0, {LARGEST:g}]"),
    "clip_grad_norm": (_or_none(_clipping), "none or the arguments of clip_grad_norm_, such as {'max_norm': 5}"),
    "worker": (_integer(0, MOST_WORKERS), f"a whole number in [0, {MOST_WORKERS}]"),
    "state": (
        lambda value: value is None or str(value).lower() in ("debug", "info", "warning", "error", "critical"),
        "debug, info, warning, error or critical",
    ),
    "valid_metric": (_string, "a metric such as Recall@10"),
    "checkpoint_dir": (_path, "the name of a folder"),
    "data_path": (_path, "the name of a folder"),
    **dict.fromkeys(("dataset_save_path", "dataloaders_save_path"), (_or_none(_path), "the path of a file or none")),
    "wandb_project": (_or_none(_string), "the name of a project"),
    "encoding": (_or_none(_string), "the name of an encoding"),
    "mlp_hidden_size": (_list_of(_integer(1)), "a list of whole numbers >= 1"),
    **{
        key: (_or_none(_columns), "none or file endings with lists of columns, such as {'inter': ['user_id']}")
        for key in ("load_col", "unload_col", "unused_col")
    },
    **dict.fromkeys(SWITCHES, (_switch, "True or False")),
    "seq_len": (
        _or_none(lambda value: _mapping(value) and all(map(_integer(1), value.values()))),
        "none or columns with whole numbers >= 1, such as {'class': 3}",
    ),
    "topk": (lambda value: _integer(1)(value) or _list_of(_integer(1))(value), "a list of whole numbers >= 1"),
    **{
        key: (_or_none(_list_of(_string)), "none or a list of columns, such as ['entity']")
        for key in ("alias_of_user_id", "alias_of_item_id", "alias_of_entity_id", "alias_of_relation_id")
    },
    "additional_feat_suffix": (_or_none(_list_of(_string)), "none or a list of file endings, such as ['emb']"),
    "preload_weight": (
        _or_none(lambda value: _mapping(value) and all(map(_string, value.values()))),
        "none or a column of ids with one of their vectors, such as {'entity': 'vector'}",
    ),
    **dict.fromkeys(("USER_ID_FIELD", "ITEM_ID_FIELD", "LABEL_FIELD"), (_string, "the name of a column")),
    # RecBole's KD_DAGFM evaluates this one
    "teacher": (_or_none(_one_of("CrossNet", "CIN")), "CrossNet or CIN"),
    "numerical_features": (
        lambda value: isinstance(value, list) and all(map(_string, value)),
        "a list of columns, such as ['price']",
    ),
    "metrics": (
        lambda value: _string(value) or _list_of(_string)(value),
        "a list of metrics, such as ['Recall', 'CKL']",
    ),
    "benchmark_filename": (
        _or_none(lambda value: _list_of(_string)(value) and len(value) == 3),
        "none or the names of three files, such as ['train', 'valid', 'test']",
    ),
    "field_separator": (_string, "the text between columns"),
    "seq_separator": (_string, "the text between the parts of a sequence"),
    "val_interval": (
        _or_none(
            lambda value: _mapping(value) and all(_interval(one) or _list_of(_name)(one) for one in value.values())
        ),
        "none or fields with intervals, such as {'rating': '[4,inf)'}, or of a token with a list of values",
    ),
    **{key: (_or_none(_interval), "none or an interval, such as '[30,inf)'") for key in INTERVALS},
    "train_neg_sample_args": (
        _negatives,
        "none, or a distribution of uniform or popularity, a sample_num >= 1, a number alpha, and if dynamic is True a "
        "candidate_num >= 1",
    ),
    "filter_inter_by_user_or_item": (_boolean, "True or False"),
    "rm_dup_inter": (_or_none(_one_of("first", "last")), "first, last or none"),
    **dict.fromkeys(("metric_decimal_place", "loss_decimal_place"), (_integer(0, 15), "a whole number in [0, 15]")),
    "seed": (lambda value: _integer(0)(value) and value < 2**32, "a whole number in [0, 2^32)"),
}


EVAL_ARGS: dict[str, tuple[Check, str]] = {
    "split": (
        _split,
        "{'RS': [0.8, 0.1, 0.1]} or TS, with three numbers >= 0 and the first above 0, or {'LS': 'valid_and_test'}, "
        "valid_only or test_only",
    ),
    "order": _choices(("TO", "RO")),
    "group_by": (_or_none(_one_of("user", "none")), "user or none"),
    "mode": (_mode, "full, labeled, uniN or popN with N >= 1, or one of these for valid and one for test"),
}
"""What the settings within RecBole's ``eval_args`` may be."""


def check_options(settings: dict[str, Any]) -> None:
    """Hold the value of each key that has a check against it.

    Raises:
        DecRSError: a value is outside what its key takes; the message names both.
    """
    for key, (check, takes) in CHECKS.items():
        if key in settings and not check(settings[key]):
            raise DecRSError(f"{key} must be {takes}, not {settings[key]!r}")
    for key, (check, takes) in EVAL_ARGS.items():
        if key in settings["eval_args"] and not check(settings["eval_args"][key]):
            raise DecRSError(f"eval_args: {key} must be {takes}, not {settings['eval_args'][key]!r}")


def refuse_unknown_options(
    settings: Iterable[str], own: Iterable[str], command: str, meant: dict[str, str] | None = None
) -> None:
    """See that a command's settings are options of its own or configuration keys.

    Args:
        settings: names of settings, as typed.
        own: the options of the command.
        command: its name.
        meant: names that people type for options of the command.

    Raises:
        DecRSError: one is neither, with the option that may be meant.
    """
    own, meant = list(own), meant or {}
    for key in settings:
        if key in own or (key in known_keys() and key not in meant):
            continue
        near = [meant[key]] if key in meant else near_misses(key, own) or near_misses(key, known_keys())
        listed = ", ".join(f"--{name}" for name in own)
        hint = f"; did you mean --{near[0]}?" if near else f"; it takes {listed}, and configuration keys"
        raise DecRSError(f"{command} takes no --{key}{hint}")


@cache
def keys_read_by(model_class: type) -> frozenset[str]:
    """The configuration keys that a model of the user's own reads, as far as its source can be had."""
    keys: set[str] = set()
    for kind in model_class.__mro__:
        try:
            keys |= set(re.findall(READ_KEY, inspect.getsource(kind)))
        except (OSError, TypeError):  # a built-in class, or one typed at a prompt
            continue
    return frozenset(keys)


@cache
def known_keys() -> frozenset[str]:
    """Every configuration key that RecBole or the plugin reads."""
    keys = {*general_arguments, *training_arguments, *evaluation_arguments, *dataset_arguments, *CHECKS}
    keys -= {"config_file"}  # which RecBole lists, and nobody reads
    keys |= {"model", "dataset", "config_files", "nproc", "world_size", "ip", "port", "group_offset", "local_rank"}
    recbole_dir = Path(recbole.__file__).parent
    for folder in (recbole_dir / "properties", properties_dir()):
        for file in folder.rglob("*.yaml"):
            if not file.name.endswith("url.yaml"):
                keys |= set(yaml.safe_load(file.read_text(encoding="utf-8")) or {})
    for file in recbole_dir.rglob("*.py"):
        keys |= set(re.findall(READ_KEY, file.read_text(encoding="utf-8")))
    return frozenset(keys)
