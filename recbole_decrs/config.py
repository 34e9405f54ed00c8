"""RecBole's Config plus the plugin's properties, with no ``eval`` and no reading of ``sys.argv``."""

from __future__ import annotations

import ast
import copy
import enum
import os
from contextlib import suppress
from logging import getLogger
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from recbole.config import Config
from recbole.evaluator import metrics_dict
from recbole.evaluator.base_metric import TopkMetric
from recbole.utils import EvaluatorType, ModelType

from recbole_decrs.data.atomic_files import AtomicFile
from recbole_decrs.data.catalogue import check_dataset_is_known
from recbole_decrs.defaults import properties_dir
from recbole_decrs.errors import DecRSError, did_you_mean, near_misses, told_as, unreadable
from recbole_decrs.evaluator.registry import needs_groups
from recbole_decrs.model.backbone import BackboneOptions
from recbole_decrs.model.catalogue import find_model
from recbole_decrs.model.deconfound import is_deconfounded
from recbole_decrs.model.pairwise import PairwiseFullSort
from recbole_decrs.model.recbole_models import is_of_recbole
from recbole_decrs.options import CHECKS, check_options, keys_read_by, known_keys
from recbole_decrs.recbole_compat import mend_recbole
from recbole_decrs.recbole_keys import INTERVALS, SWITCHES, list_dataset_keys
from recbole_decrs.rerank import RERANKERS

mend_recbole()

DEFAULT_MODEL = "DecFM"
DEFAULT_DATASET = "ml-100k"
OTHER_FILES = {ModelType.KNOWLEDGE: ("kg", "link"), ModelType.SEQUENTIAL: ("ent",)}
"""Atomic files beside those of clicks, users and items of which RecBole's defaults for a model type load columns."""
RECBOLES_SEQUENCES = {"split": {"LS": "valid_and_test"}, "order": "TO"}
"""RecBole's ``eval_args`` of sequential models: a user's last click is the test, the one before it the validation."""
UNDO = ("", "none", "null", "~")
"""Text that undoes a key, as None does."""
MOST_VALUES = 1_000_000
"""How many values a config file may stand for."""
PAIRS_EMBEDDED_AT_ONCE = 4096
"""RecBole's own ``eval_batch_size``."""
PAIRS_SCORED_AT_ONCE = 1 << 20
"""``eval_batch_size`` of full sort where the pairs are not embedded one by one."""


DERIVED = {
    "MODEL_TYPE": "model",
    "MODEL_INPUT_TYPE": "model and loss_type",
    "device": "use_gpu and gpu_id",
    "single_spec": "nproc",
    "eval_type": "metrics",
    "valid_neg_sample_args": "eval_args",
    "test_neg_sample_args": "eval_args",
}
"""What RecBole keeps among the settings and makes of others itself."""


class DecRSConfig(Config):
    """The settings of one run: command line over ``config_dict`` over config files over defaults.

    The defaults are RecBole's, with the plugin's YAML from ``properties/`` laid over them.

    Args:
        model: name of a RecBole or plugin model; if none, the key ``model``, else DecFM.
        dataset: name of a dataset; if none, the key ``dataset``, else ml-100k.
        config_file_list: paths of YAML files, later ones over earlier ones.
        config_dict: settings by key.
        command_line: settings by key, as typed: text, read as Python literals.

    Attributes:
        names_columns: whether ``load_col`` names columns that must be there; not if it is a guess before a download.
        remarks: what is to be said again after the result.

    Raises:
        DecRSError: a file cannot be read, the model or dataset is unknown, or a value is outside what its key takes.
    """

    def __init__(
        self,
        model: str | None = None,
        dataset: str | None = None,
        config_file_list: list[str] | None = None,
        config_dict: dict[str, Any] | None = None,
        command_line: dict[str, str] | None = None,
    ) -> None:
        list_dataset_keys()
        self._command_line = dict(command_line or {})
        with told_as("RecBole does not accept this configuration"):
            super().__init__(model, dataset, config_file_list, copy.deepcopy(config_dict))
        self._check()

    def _load_cmd_line(self) -> dict[str, Any]:
        return self._convert_config_dict(self._command_line)

    def _convert_config_dict(self, config_dict: dict[str, Any]) -> dict[str, Any]:
        for key in config_dict:
            if not isinstance(key, str):
                raise DecRSError(f"a setting is named by text, and not by {key!r}; mend config_dict")
        return {
            key: value if key in INTERVALS and isinstance(value, str) else as_plain(read_literal(value))
            for key, value in config_dict.items()
        }

    def _merge_external_config_dict(self) -> None:
        super()._merge_external_config_dict()
        for key, value in self.external_config_dict.items():
            if value is None or (isinstance(value, str) and value.lower() in UNDO):
                # No activation is an activation of RecBole's.
                self.external_config_dict[key] = "none" if key == "mlp_activation" else None

    def _build_yaml_loader(self) -> type[yaml.SafeLoader]:
        _Loader.yaml_implicit_resolvers = super()._build_yaml_loader().yaml_implicit_resolvers  # 1e-3 is a number
        return _Loader

    def _load_config_files(self, file_list: list[str] | None) -> dict[str, Any]:
        settings: dict[str, Any] = {}
        for file in file_list or []:
            try:
                content = yaml.load(Path(file).read_text(encoding="utf-8"), Loader=self.yaml_loader)
            except (OSError, UnicodeDecodeError) as error:
                raise DecRSError(unreadable(f"the config file {file}", error)) from error
            except yaml.YAMLError as error:
                mark = getattr(error, "problem_mark", None)
                line = f", line {mark.line + 1}" if mark else ""
                problem = getattr(error, "problem", None) or "it is not YAML"
                raise DecRSError(f"the config file {file}{line} is not valid YAML ({problem}); mend it") from error
            _check_size(content, file)
            if content is not None and not (isinstance(content, dict) and all(isinstance(key, str) for key in content)):
                raise DecRSError(f"the config file {file} must hold 'key: value' lines")
            settings.update(content or {})
        return settings

    def _get_model_and_dataset(self, model: str | None, dataset: str | None) -> tuple[str, type, str]:
        model = model or self.external_config_dict.get("model") or DEFAULT_MODEL
        dataset = dataset or self.external_config_dict.get("dataset") or DEFAULT_DATASET
        if not isinstance(model, str | type):
            raise DecRSError(f"model must be the name of a model, not {model!r}")
        model_class = find_model(model) if isinstance(model, str) else model
        if model_class.type == ModelType.DECISIONTREE:
            raise DecRSError(
                f"{model_class.__name__} is a decision-tree model, which this command does not run; take another kind, "
                "or RecBole's own run_recbole.py"
            )
        return model_class.__name__, model_class, str(dataset)

    def _load_internal_config_dict(self, model: str, model_class: type, dataset: str) -> None:
        backbone = model_class.backbone if is_deconfounded(model_class) else model_class
        kinds = [kind.__name__ for kind in backbone.__mro__]  # a model of one's own has the defaults of what it extends
        defaults = next((name for name in kinds if is_of_recbole(name)), kinds[0])
        super()._load_internal_config_dict(defaults, model_class, dataset)
        other_files = {
            source: columns
            for source, columns in (self.internal_config_dict.get("load_col") or {}).items()
            if source in OTHER_FILES.get(model_class.type, ())
        }
        mode = self.internal_config_dict["eval_args"]["mode"]
        folder = properties_dir()
        dataset_file = folder / "dataset" / f"{dataset}.yaml"
        for file in (folder / "overall.yaml", folder / "model" / f"{model}.yaml", dataset_file):
            if file.is_file():
                self._update_internal_config_dict(file)
        self.names_columns = True
        if not dataset_file.is_file():
            self.internal_config_dict["load_col"] = self._usual_columns(dataset)
        elif self.external_config_dict.get("benchmark_filename"):
            self._leave_out_columns_of_the_whole(dataset)
        additional = dict.fromkeys(self.external_config_dict.get("additional_feat_suffix") or (), "*")
        self.internal_config_dict["load_col"] = {**self.internal_config_dict["load_col"], **other_files, **additional}
        if self.external_config_dict.get("unload_col"):  # RecBole takes one of the two
            self.internal_config_dict["load_col"] = None
        if model_class.type == ModelType.SEQUENTIAL:
            self.internal_config_dict["eval_args"] |= {**RECBOLES_SEQUENCES, "mode": mode}

    def _leave_out_columns_of_the_whole(self, dataset: str) -> None:
        """Of files that are split already, the plugin's own YAML of the whole dataset may name columns they lack.

        The paper's split of ML-1M has no ratings, by which its clicks were chosen before.
        """
        setting = {**self.internal_config_dict, **self.external_config_dict}
        path = Path(setting["data_path"], dataset, f"{dataset}.{setting['benchmark_filename'][0]}.inter")
        if not path.is_file():
            return
        there = AtomicFile(str(path), setting["field_separator"], setting.get("encoding")).columns
        needed = (setting["USER_ID_FIELD"], setting["ITEM_ID_FIELD"])
        columns = self.internal_config_dict["load_col"]
        columns["inter"] = [name for name in columns["inter"] if name in needed or name in there]

    def _usual_columns(self, dataset: str) -> dict[str, list[str]]:
        """What to load of a dataset without a YAML of its own: ids, rating, time, and the groups as item feature.

        Of rating and time, what the file has; before a download, both. Labels, where the file has them.
        """
        setting = {**self.internal_config_dict, **self.external_config_dict}
        columns = {"inter": [setting[key] for key in ("USER_ID_FIELD", "ITEM_ID_FIELD", "RATING_FIELD", "TIME_FIELD")]}
        name = f"{dataset}.{setting['benchmark_filename'][0]}" if setting.get("benchmark_filename") else dataset
        inter, item = (Path(setting["data_path"], dataset, file) for file in (f"{name}.inter", f"{dataset}.item"))
        if "load_col" not in self.external_config_dict:
            self.names_columns = inter.is_file()
        if inter.is_file():
            file = AtomicFile(str(inter), setting["field_separator"], setting.get("encoding"))
            for key in ("RATING_FIELD", "TIME_FIELD"):
                if setting[key] not in (None, self.internal_config_dict[key]):
                    file.check_columns([setting[key]], key)
            columns["inter"] = [*columns["inter"][:2], *(name for name in columns["inter"][2:] if name in file.columns)]
            if file.columns.get(setting["LABEL_FIELD"]) == "float" and not setting.get("threshold"):
                columns["inter"].append(setting["LABEL_FIELD"])
        if setting.get("group_field") and (item.is_file() or not inter.is_file()):
            columns["item"] = [setting["ITEM_ID_FIELD"], setting["group_field"]]
        return columns

    def _get_final_config_dict(self) -> dict[str, Any]:
        for key in DERIVED:
            if key in self.external_config_dict:
                raise DecRSError(f"{key} is not to be set: it follows from {DERIVED[key]}; leave it out")
        final = super()._get_final_config_dict()
        if "local_rank" in final or int(final.get("nproc") or 1) > 1:
            raise DecRSError("this command trains in a single process; leave out nproc and local_rank")
        final["eval_args"] = self._full_eval_args()
        if final["numerical_features"] is None:
            final["numerical_features"] = []
        if final["MODEL_TYPE"] == ModelType.SEQUENTIAL:
            self._fit_to_sequences(final)
        check_options(final)
        for key in SWITCHES:
            if key in final:
                final[key] = bool(final[key])
        self._settings = copy.deepcopy({key: value for key, value in final.items() if key != "MODEL_TYPE"})
        return final

    def _fit_to_sequences(self, final: dict[str, Any]) -> None:
        """RecBole takes no negatives where the loss of a sequential model is a softmax over all items."""
        if final.get("loss_type") == "CE" and "train_neg_sample_args" not in self.external_config_dict:
            final["train_neg_sample_args"] = None
        if final["test_candidates"] != "unseen":
            raise DecRSError(
                f"test_candidates: {final['test_candidates']} is about the items of a user's history, and for a "
                f"sequential model such as {self.model} RecBole ranks all items; leave it out"
            )

    def _full_eval_args(self) -> dict[str, Any]:
        """What the user leaves out of ``eval_args`` is the plugin's, not RecBole's random order."""
        given = self.external_config_dict.get("eval_args", {})
        known = self.internal_config_dict["eval_args"]
        if not isinstance(given, dict):
            raise DecRSError(f"eval_args must be settings such as {{'order': 'TO'}}, not {given!r}")
        for key in given:
            if key not in known:
                raise DecRSError(f"eval_args has no setting {key}; it takes {', '.join(known)}")
        return {**known, **given}

    def __getstate__(self) -> dict[str, Any]:
        """The model by its name alone: RecBole pickles a config with its dataset, and the class may have no module."""
        return {**vars(self), "model_class": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        with suppress(DecRSError):  # a class that nobody has registered
            self.model_class = find_model(self.model)

    @property
    def settings(self) -> dict[str, Any]:
        """The full configuration as plain data, such that ``config_dict=settings`` makes the same Config again."""
        return as_plain({**self._settings, "model": self.model, "dataset": self.dataset})

    @property
    def deconfounded(self) -> bool:
        """True if the model is deconfounded, so that two recommenders are trained and fused."""
        return is_deconfounded(self.model_class)

    @property
    def backbone_class(self) -> type:
        """The class of the conventional recommender: the only one, or the conventional half of a deconfounded model."""
        return self.model_class.backbone if self.deconfounded else self.model_class

    @property
    def needs_groups(self) -> str | None:
        """Whatever cannot do without item groups, in words; None if nothing is configured that needs them."""
        metrics = sorted({name.lower() for name in self["metrics"]})
        of_groups = [name for name in metrics if needs_groups(metrics_dict[name])]
        if self.deconfounded:
            return self["model"]
        if of_groups:
            return f"the metric {of_groups[0]}"
        if self["ips"] == "user":
            return "ips: user"
        return f"reranker: {self['reranker']}" if self["reranker"] else None

    @property
    def needs_drift(self) -> bool:
        """True if the scores of two recommenders are weighed by each user's drift (Eq. 11)."""
        return self.deconfounded and self["inference"] == "fused" and self["fusion_weight"] is None

    def change(self, key: str, value: Any) -> None:
        """Change a setting for good: for this run and for the checkpoint that it writes."""
        self[key] = value
        self._settings[key] = copy.deepcopy(value)

    def _check(self) -> None:
        logger = getLogger()
        self.remarks = self._unknown_keys()
        for remark in self.remarks:
            logger.warning(remark)
        self._check_load_col()
        if self["drift_alpha"] == "auto" and self["drift_history"] == "train+valid":
            raise DecRSError(
                "drift_alpha: auto chooses alpha on the validation clicks, which drift_history: train+valid has "
                "already seen; set drift_history: train or give drift_alpha a number"
            )
        missing = [source for source in ("kg", "link") if source not in (self["load_col"] or ("kg", "link"))]
        if self["MODEL_TYPE"] == ModelType.KNOWLEDGE and missing:
            raise DecRSError(
                f"{self.model} is knowledge-based, and load_col names no columns of the .{missing[0]} file; add them, "
                "such as kg: [head_id, relation_id, tail_id] and link: [item_id, entity_id]"
            )
        if self["MODEL_TYPE"] == ModelType.CONTEXT and self["embedding_size"] is None:
            raise DecRSError(f"{self.model} has no default for embedding_size; set it")
        self._check_valid_metric()
        self._check_labels()
        self._check_competitors()
        check_dataset_is_known(self.dataset, self["data_path"])
        modes = self["eval_args"]["mode"]
        given = self.external_config_dict.get("eval_args", {})
        if self["MODEL_TYPE"] == ModelType.SEQUENTIAL and "mode" not in given and modes["test"] != "full":
            logger.warning(
                f"{self.model} is evaluated on sampled items ({modes['test']}), as RecBole does by default, so its "
                "results do not compare with those of full sort; set mode: full in eval_args, which takes long"
            )
        if "eval_batch_size" not in self.external_config_dict:
            if "full" not in self["eval_args"]["mode"].values():
                # Each pair of a batch is embedded, as in RecBole.
                self.change("eval_batch_size", PAIRS_EMBEDDED_AT_ONCE)
            elif issubclass(self.model_class, PairwiseFullSort):
                self.change("eval_batch_size", PAIRS_SCORED_AT_ONCE)
        if self.deconfounded and self["phase"] not in (None, "teacher_training"):
            raise DecRSError(
                f"phase: {self['phase']} of {self.model} starts from a checkpoint of one model, and it has two; leave "
                "phase out, which trains the teacher"
            )
        if self.deconfounded and self["backbone_checkpoint"] and not os.path.isfile(self["backbone_checkpoint"]):
            raise DecRSError(f"backbone_checkpoint: there is no file {self['backbone_checkpoint']}; check its path")

    def _unknown_keys(self) -> list[str]:
        """A sentence for each key that changes nothing.

        Raises:
            DecRSError: one is nearly a key of the plugin's.
        """
        unknown = [key for key in self.external_config_dict if key not in known_keys()]
        unknown = [key for key in unknown if key not in keys_read_by(self.model_class)]
        for key in unknown:
            if near := near_misses(key, [*CHECKS, "config_files"]):
                raise DecRSError(f"there is no configuration key {key}; did you mean {' or '.join(near)}?")
        return [
            f"nobody knows the configuration key {key}, it changes nothing"
            f"{did_you_mean(key, known_keys()) or '; check its spelling'}"
            for key in unknown
        ]

    def _check_load_col(self) -> None:
        unread = [source for source in ("kg", "link") if source in (self.external_config_dict.get("load_col") or ())]
        if unread and self["MODEL_TYPE"] not in (ModelType.KNOWLEDGE, ModelType.SEQUENTIAL):
            getLogger().warning(f"load_col: {self.model} is not knowledge-based, and reads no .{unread[0]} file")
        known = ("inter", "user", "item", "kg", "link", "ent", *(self["additional_feat_suffix"] or ()))
        for key in ("load_col", "unload_col", "unused_col"):
            for source in self[key] or ():
                if source not in known:
                    hint = did_you_mean(source, known) or f"; it takes {', '.join(known)}"
                    raise DecRSError(f"{key}: there is no file ending {source}{hint}")
        if self["load_col"] is not None and not self["load_col"].get("inter"):
            raise DecRSError(
                "load_col: there is no interaction to learn from; name the columns of inter, such as "
                f"'inter': ['{self['USER_ID_FIELD']}', '{self['ITEM_ID_FIELD']}']"
            )

    def _check_valid_metric(self) -> None:
        name, _, k = str(self["valid_metric"]).partition("@")
        names = [metric.lower() for metric in self["metrics"]]
        ranked = name.lower() in names and issubclass(metrics_dict[name.lower()], TopkMetric)
        if name.lower() not in names or (ranked and k not in map(str, self["topk"])):
            raise DecRSError(
                f"valid_metric {self['valid_metric']} is not evaluated: "
                f"metrics has {', '.join(self['metrics'])} and topk has {', '.join(map(str, self['topk']))}"
            )

    def _check_labels(self) -> None:
        """Labels are for value metrics on labelled pairs; ranking takes every interaction for a click."""
        modes = set(self["eval_args"]["mode"].values())
        ranking = self["eval_type"] == EvaluatorType.RANKING
        sampled = self["train_neg_sample_args"]["distribution"] != "none"
        if self["threshold"] is not None and (sampled or ranking):
            raise DecRSError(
                "threshold gives labels, which negative sampling and ranking metrics take no notice of; keep the "
                "positives alone by val_interval, such as {'rating': '[4,inf)'}"
            )
        if ranking and "labeled" in modes:
            raise DecRSError("eval_args mode: labeled goes with metrics such as AUC, not with metrics of ranked lists")
        if not ranking and (self["save_topk"] or self["save_user_metrics"] or self["reranker"]):
            raise DecRSError(
                "save_topk, save_user_metrics and reranker go with metrics of ranked lists, such as Recall"
            )
        for metric in self["metrics"] if self["reranker"] else ():
            if "rec.meanrank" in metrics_dict[metric.lower()].metric_need:
                raise DecRSError(
                    f"the metric {metric} ranks all items, and reranker: {self['reranker']} a user's top "
                    f"{self['reranker_candidates']}; leave one out"
                )
        needs_labels = (not sampled and self["MODEL_TYPE"] == ModelType.CONTEXT) or "labeled" in modes
        loaded = (self["load_col"] or {}).get("inter")
        if (
            needs_labels
            and self["threshold"] is None
            and isinstance(loaded, list)
            and self["LABEL_FIELD"] not in loaded
        ):
            raise DecRSError(
                f"without negative samples {self.model} needs labels: set threshold, or load the column "
                f"{self['LABEL_FIELD']} of the .inter file"
            )

    def _check_competitors(self) -> None:
        name, weight = self["reranker"], self["reranker_lambda"]
        if name and self["reranker_candidates"] < max(self["topk"]):
            raise DecRSError(
                f"reranker_candidates: {self['reranker_candidates']} are fewer than the {max(self['topk'])} that topk "
                "asks for; raise it"
            )
        if self["ips"] and not issubclass(self.model_class, BackboneOptions):
            raise DecRSError(f"ips: {self['ips']} weighs the samples of FM and NFM, not of {self.model}; leave it out")
        if name and weight is not None and not (check := RERANKERS[name].weight_check).passes(weight):
            raise DecRSError(f"reranker_lambda must be {check.takes} for {name}, not {weight}")


class _Loader(yaml.SafeLoader):
    """Reads plain data alone, where RecBole's makes objects of Python; a key that is there twice is refused."""

    def compose_mapping_node(self, anchor: str | None) -> yaml.MappingNode:
        node = super().compose_mapping_node(anchor)
        names = [key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
        for place, name in enumerate(names):
            if name in names[:place] and name != "<<":
                mark = node.value[place][0].start_mark
                raise yaml.composer.ComposerError(None, None, f"the key {name} is there twice", mark)
        return node


def _check_size(content: Any, file: str) -> None:
    """Refuse YAML of a few lines that stands for more values than a memory holds, by names for names for names."""
    sizes: dict[int, int] = {}

    def size(value: Any, above: tuple[int, ...]) -> int:
        if not isinstance(value, dict | list):
            return 1
        if id(value) in above:
            raise DecRSError(f"the config file {file} has a value that is a part of itself; mend it")
        if id(value) not in sizes:
            parts = value.values() if isinstance(value, dict) else value
            sizes[id(value)] = 1 + sum(size(part, (*above, id(value))) for part in parts)
        return sizes[id(value)]

    if size(content, ()) > MOST_VALUES:
        raise DecRSError(f"the config file {file} stands for more than {MOST_VALUES} values, by its names; mend it")


def config_files_of(settings: dict[str, str]) -> list[str]:
    """The paths that the option ``config_files`` of a command line holds, which is taken out of it."""
    files = settings.pop("config_files", "")
    return [] if files.lower() in UNDO else files.split()


def read_literal(value: Any) -> Any:
    """A setting given as text, read as a Python literal (``0.1``, ``[10, 20]``, ``{'a': 1}``), else left as text."""
    if not isinstance(value, str):
        return value
    if value.lower() in ("true", "false"):
        return value.lower() == "true"
    try:
        return ast.literal_eval(value.strip())
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return value


def as_plain(value: Any) -> Any:
    """The same value in None, bool, int, float, str, list, tuple and dict alone; anything else becomes its text."""
    if isinstance(value, dict):
        return {key: as_plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(as_plain(item) for item in value)
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, enum.Enum):
        return value.name
    if value is None or type(value) in (bool, int, float, str):
        return value
    return str(value)
