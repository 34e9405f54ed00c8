"""Settings, each allowed by itself, are held against each other, against the model, and against what lies on disk."""

from __future__ import annotations

import os
from logging import getLogger

from recbole.evaluator import metrics_dict
from recbole.evaluator.base_metric import TopkMetric
from recbole.utils import EvaluatorType, ModelType

from recbole_decrs.data.catalogue import check_dataset_is_known
from recbole_decrs.distributed.group import place
from recbole_decrs.errors import DecRSError, did_you_mean
from recbole_decrs.keys import KEYS
from recbole_decrs.keys.of_backbone import OF_BACKBONE
from recbole_decrs.model.training_options import PaperTrainingOptions
from recbole_decrs.rerank import RERANKERS

READ_BY_OTHERS = ("adagrad_initial_accumulator", "ips")
"""Keys of the plugin's FM and NFM that go with other models too, or are refused with them."""
OF_FM_AND_NFM = [key.name for keys in OF_BACKBONE.values() for key in keys if key.name not in READ_BY_OTHERS]
"""Keys of the plugin's FM and NFM, which other models do not read."""
OF_TRANSFORMS = {"mask_itemseq": "mask_ratio", "crop_itemseq": "eta", "reorder_itemseq": "beta"}
"""The keys that RecBole's ``transform`` reads, by its value."""
OF_PROBABILITIES = ("logloss", "rmse", "mae")
"""RecBole's metrics that hold scores themselves, not their order, against labels."""


def check_together(config) -> None:
    """See that the settings of a :class:`~recbole_decrs.config.DecRSConfig` do not contradict each other.

    Raises:
        DecRSError: two of them do; a setting does not go with the model; or a dataset or a file is not there.
    """
    _check_load_col(config)
    if config["drift_alpha"] == "auto" and config["drift_history"] == "train+valid":
        raise DecRSError(
            "drift_alpha: auto chooses alpha on the validation clicks, which drift_history: train+valid has "
            "already seen; set drift_history: train or give drift_alpha a number"
        )
    _check_model(config)
    _check_processes(config)
    _check_valid_metric(config)
    _check_labels(config)
    _check_competitors(config)
    check_dataset_is_known(config.dataset, config["data_path"])
    _tell_sampled_items(config)
    _tell_keys_of_other_models(config)
    _check_candidates(config)
    _check_times(config)
    _check_transform(config)
    _check_confounder(config)
    _check_start(config)


def _check_load_col(config) -> None:
    unread = [source for source in ("kg", "link") if source in (config.external_config_dict.get("load_col") or ())]
    if unread and config["MODEL_TYPE"] not in (ModelType.KNOWLEDGE, ModelType.SEQUENTIAL):
        getLogger().warning(f"load_col: {config.model} is not knowledge-based, and reads no .{unread[0]} file")
    known = ("inter", "user", "item", "kg", "link", "ent", *(config["additional_feat_suffix"] or ()))
    for key in ("load_col", "unload_col", "unused_col"):
        for source in config[key] or ():
            if source not in known:
                hint = did_you_mean(source, known) or f"; it takes {', '.join(known)}"
                raise DecRSError(f"{key}: there is no file ending {source}{hint}")
    for source in config["additional_feat_suffix"] or ():
        if config["load_col"] is not None and source not in config["load_col"]:
            raise DecRSError(
                f"additional_feat_suffix: load_col names no column of the .{source} file; add its columns there, as in "
                f"'{source}': ['vector']"
            )
    for field in (config["USER_ID_FIELD"], config["ITEM_ID_FIELD"]):
        if field in ((config["unused_col"] or {}).get("inter") or ()):
            raise DecRSError(f"unused_col: without {field} the clicks are of nobody; leave it out of inter")
    if config["load_col"] is not None and not config["load_col"].get("inter"):
        raise DecRSError(
            "load_col: there is no interaction to learn from; name the columns of inter, such as "
            f"'inter': ['{config['USER_ID_FIELD']}', '{config['ITEM_ID_FIELD']}']"
        )


def _check_model(config) -> None:
    """See that the settings have what a model cannot do without."""
    missing = [source for source in ("kg", "link") if source not in (config["load_col"] or ("kg", "link"))]
    if config["MODEL_TYPE"] == ModelType.KNOWLEDGE and missing:
        raise DecRSError(
            f"{config.model} is knowledge-based, and load_col names no columns of the .{missing[0]} file; add them, "
            "such as kg: [head_id, relation_id, tail_id] and link: [item_id, entity_id]"
        )
    if config["MODEL_TYPE"] == ModelType.CONTEXT and config["embedding_size"] is None:
        raise DecRSError(f"{config.model} has no default for embedding_size; set it")


def _check_processes(config) -> None:
    """See that several processes can train the model as one would."""
    if place() is None:
        return
    if not issubclass(config.model_class, PaperTrainingOptions):
        raise DecRSError(
            f"nproc: several processes train FM, NFM, DecFM and DecNFM, not {config.model}; leave nproc out, and on "
            "one machine raise OMP_NUM_THREADS instead"
        )
    for key in ("torch_compile", "enable_amp", "enable_scaler"):
        if config[key]:
            raise DecRSError(f"{key}: True goes with a single process; leave it out, or nproc")


def _check_valid_metric(config) -> None:
    name, at, k = str(config["valid_metric"]).partition("@")
    names = [metric.lower() for metric in config["metrics"]]
    if name.lower() not in names or bool(at) != bool(k) or k not in _lengths_of(metrics_dict[name.lower()], config):
        raise DecRSError(
            f"valid_metric {config['valid_metric']} is not evaluated: "
            f"metrics has {', '.join(config['metrics'])} and topk has {', '.join(map(str, config['topk']))}"
        )


def _lengths_of(kind: type, config) -> list[str]:
    """List what may stand behind the @ of a metric; the empty text where nothing may."""
    by_length = issubclass(kind, TopkMetric) or not {"rec.items", "rec.topk"}.isdisjoint(kind.metric_need)
    of_recbole = kind.__module__.startswith("recbole.") or issubclass(kind, TopkMetric)
    lengths = list(map(str, config["topk"]))
    return (lengths if by_length else [""]) if of_recbole else [*lengths, ""]


def _check_labels(config) -> None:
    """See that labels are for value metrics on labelled pairs; ranking takes every interaction for a click."""
    modes = set(config["eval_args"]["mode"].values())
    ranking = config["eval_type"] == EvaluatorType.RANKING
    sampled = config["train_neg_sample_args"]["distribution"] != "none"
    if config["threshold"] is not None and (sampled or ranking):
        raise DecRSError(
            "threshold gives labels, which negative sampling and ranking metrics take no notice of; keep the "
            "positives alone by val_interval, such as {'rating': '[4,inf)'}"
        )
    if ranking and "labeled" in modes:
        raise DecRSError("eval_args mode: labeled goes with metrics such as AUC, not with metrics of ranked lists")
    if not ranking and (config["save_topk"] or config["save_user_metrics"] or config["reranker"]):
        raise DecRSError("save_topk, save_user_metrics and reranker go with metrics of ranked lists, such as Recall")
    if config.deconfounded and config["fusion_on"] == "logit":
        for metric in config["metrics"]:
            if metric.lower() in OF_PROBABILITIES:
                raise DecRSError(
                    f"fusion_on: logit gives scores that are no probabilities, which the metric {metric} measures; set "
                    "fusion_on: probability, or leave the metric out"
                )
    needs_labels = (not sampled and config["MODEL_TYPE"] == ModelType.CONTEXT) or "labeled" in modes
    loaded = (config["load_col"] or {}).get("inter")
    not_loaded = isinstance(loaded, list) and config["LABEL_FIELD"] not in loaded
    if needs_labels and config["threshold"] is None and not_loaded:
        asked = "train_neg_sample_args: without negative samples" if not sampled else "eval_args mode: labeled:"
        threshold = "" if sampled or ranking else "set threshold, or "
        raise DecRSError(
            f"{asked} {config.model} needs labels; {threshold}load the column {config['LABEL_FIELD']} of the .inter "
            "file, or leave the setting out"
        )


def _check_competitors(config) -> None:
    """See that a re-ranker or IPS, which DecRS is compared with, has what it needs."""
    name, weight = config["reranker"], config["reranker_lambda"]
    if name:
        check_reranking(config, name)
    if config["ips"] and not issubclass(config.model_class, PaperTrainingOptions):
        raise DecRSError(f"ips: {config['ips']} weighs the samples of FM and NFM, not of {config.model}; leave it out")
    if name and weight is not None:
        RERANKERS[name].weight_check.require(f"reranker_lambda of {name}", weight)


def check_reranking(config, reranker: str) -> None:
    """See that a re-ranker has candidates enough, and that no metric ranks all items.

    Raises:
        DecRSError: it has not, or one does.
    """
    for metric in config["metrics"]:
        if "rec.meanrank" in metrics_dict[metric.lower()].metric_need:
            raise DecRSError(
                f"the metric {metric} ranks all items, and reranker: {reranker} a user's top "
                f"{config['reranker_candidates']}; leave one out"
            )
    if config["reranker_candidates"] < max(config["topk"]):
        raise DecRSError(
            f"reranker_candidates: {config['reranker_candidates']} are fewer than the {max(config['topk'])} that topk "
            "asks for; raise it"
        )


def _tell_sampled_items(config) -> None:
    """Warn where a sequential model is evaluated on sampled items and nobody has asked for it."""
    given, modes = config.external_config_dict.get("eval_args", {}), config["eval_args"]["mode"]
    if config["MODEL_TYPE"] == ModelType.SEQUENTIAL and "mode" not in given and modes["test"] != "full":
        getLogger().warning(
            f"{config.model} is evaluated on sampled items ({modes['test']}), as RecBole does by default, so its "
            "results do not compare with those of full sort; set mode: full in eval_args, which takes long"
        )


def _tell_keys_of_other_models(config) -> None:
    """Warn of keys of FM and NFM that are given to a model which does not read them."""
    given = [key for key in OF_FM_AND_NFM if config[key] != KEYS[key].default and key in config.external_config_dict]
    if given and not issubclass(config.model_class, PaperTrainingOptions):
        getLogger().warning(f"{', '.join(given)}: FM and NFM alone read this, and {config.model} does not")


def _check_candidates(config) -> None:
    if config["test_candidates"] == "untrained" and config["eval_args"]["mode"]["test"] != "full":
        raise DecRSError(
            f"test_candidates: untrained is of full sort, and the test samples its candidates "
            f"({config['eval_args']['mode']['test']}); set mode: full in eval_args, or leave it out"
        )


def _check_times(config) -> None:
    if "TS" in config["eval_args"]["split"] and config.external_config_dict.get("eval_args", {}).get("order") == "RO":
        raise DecRSError(
            "eval_args: split TS parts the clicks at moments, for which order: RO would mix their times with those of "
            "others; leave order out"
        )
    if config["TIME_FIELD"] in (config["discretization"] or {}):
        raise DecRSError(
            f"discretization: {config['TIME_FIELD']} is TIME_FIELD, whose numbers put the clicks in order; leave it out"
        )


def _check_transform(config) -> None:
    name, key = config["transform"], OF_TRANSFORMS.get(config["transform"])
    if key and config[key] is None:
        raise DecRSError(f"transform: {name} needs {key}, of which {config.model} has no default; give a number")


def _check_confounder(config) -> None:
    """See that what M is trained with goes with what it ranks with."""
    if config["confounder_prior"] == "learned" and config["confounder_training"] != "prior":
        raise DecRSError(
            f"confounder_prior: learned is one vector in training and ranking alike, so confounder_training: "
            f"{config['confounder_training']} cannot go with it; leave one out"
        )
    if config["confounder_training"] == "history" and not issubclass(config.model_class, PaperTrainingOptions):
        raise DecRSError(
            f"confounder_training: history gives each click of FM's and NFM's twins its d, and {config.model} is not "
            "trained by single clicks; take user or prior"
        )


def _check_start(config) -> None:
    """See that a deconfounded model can start from the checkpoint that a key names."""
    if config.deconfounded and config["phase"] not in (None, "teacher_training"):
        raise DecRSError(
            f"phase: {config['phase']} of {config.model} starts from a checkpoint of one model, and it has two; leave "
            "phase out, which trains the teacher"
        )
    if config.deconfounded and config["backbone_checkpoint"] and not os.path.isfile(config["backbone_checkpoint"]):
        raise DecRSError(f"backbone_checkpoint: there is no file {config['backbone_checkpoint']}; check its path")
