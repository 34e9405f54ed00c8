"""Extends RecBole's Config by the plugin's properties, with no ``eval`` and no reading of ``sys.argv``."""

from __future__ import annotations

import copy
from contextlib import suppress
from typing import Any

import torch
import yaml
from recbole.config import Config
from recbole.evaluator import metrics_dict
from recbole.utils import ModelType

from recbole_decrs.config_checks import check_together
from recbole_decrs.config_files import PlainLoader, read_config_files
from recbole_decrs.data.default_columns import clicks_path, columns_of_split_clicks, usual_columns
from recbole_decrs.defaults import default_files
from recbole_decrs.distributed.settings import fit_to_place, own_device
from recbole_decrs.errors import DecRSError, did_you_mean, told_as
from recbole_decrs.evaluator.rankings import ranking_of_result
from recbole_decrs.evaluator.registry import needs_groups
from recbole_decrs.key_facts import list_dataset_keys
from recbole_decrs.model.catalogue import find_model
from recbole_decrs.model.deconfound import is_deconfounded
from recbole_decrs.model.pairwise import PairwiseFullSort
from recbole_decrs.model.recbole_models import is_of_recbole
from recbole_decrs.options import check_options, read_setting, tell_unknown_keys
from recbole_decrs.plain_values import UNDO, as_plain
from recbole_decrs.recbole_checks import SWITCHES
from recbole_decrs.recbole_compat import mend_recbole

mend_recbole()

DEFAULT_MODEL = "DecFM"
DEFAULT_DATASET = "ml-100k"
OTHER_FILES = {ModelType.KNOWLEDGE: ("kg", "link"), ModelType.SEQUENTIAL: ("ent",)}
"""Atomic files beside those of clicks, users and items of which RecBole's defaults for a model type load columns."""
RECBOLES_SEQUENCES = {"split": {"LS": "valid_and_test"}, "order": "TO"}
"""RecBole's ``eval_args`` of sequential models: a user's last click is the test, the one before it the validation."""
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
    """Holds the settings of one run: command line over ``config_dict`` over config files over defaults.

    The defaults are RecBole's, with the plugin's YAML from ``properties/`` laid over them. Once it is made a
    configuration does not change: what depends on the data is a value of the dataset.

    RecBole makes it by methods that it calls one after the other, which are gone over here in that order: the user's
    settings are read, the model is found, the defaults are laid under them, and each setting is held against what its
    key takes. Then the settings are held against each other.

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
        if isinstance(config_file_list, str):
            raise DecRSError(f"config_file_list must be a list of paths, such as ['{config_file_list}']")
        with told_as("RecBole does not accept this configuration"):
            super().__init__(model, dataset, config_file_list, copy.deepcopy(config_dict))
        self._choose_eval_batch_size()
        self.remarks = tell_unknown_keys(self.external_config_dict, self.model_class)
        check_together(self)

    @property
    def settings(self) -> dict[str, Any]:
        """Give the full configuration as plain data, such that ``config_dict=settings`` makes the same Config again."""
        return as_plain({**self._settings, "model": self.model, "dataset": self.dataset})

    @property
    def deconfounded(self) -> bool:
        """Tell if the model is deconfounded, so that two recommenders are trained and fused."""
        return is_deconfounded(self.model_class)

    @property
    def backbone_class(self) -> type:
        """Give the class of the conventional recommender: the only one, or that half of a deconfounded model."""
        return self.model_class.backbone if self.deconfounded else self.model_class

    @property
    def needs_groups(self) -> str | None:
        """Say in words what cannot do without item groups; None if nothing is configured that needs them."""
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
        """Tell if the scores of two recommenders are weighed by each user's drift (Eq. 11)."""
        return self.deconfounded and ranking_of_result(self).is_weighed and self["fusion_weight"] is None

    def with_values(self, **values: Any) -> DecRSConfig:
        """Copy the configuration with other values for some keys; this one stays as it is.

        Args:
            values: by key; they are not checked.
        """
        other = copy.copy(self)
        other.model_class = self.model_class
        other.final_config_dict = {**self.final_config_dict, **values}
        other._settings = {**self._settings, **copy.deepcopy(values)}
        return other

    def __getstate__(self) -> dict[str, Any]:
        """Leave the model's class out: RecBole pickles a config with its dataset, and the class may have no module."""
        return {**vars(self), "model_class": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        with suppress(DecRSError):  # a class that nobody has registered
            self.model_class = find_model(self.model)

    def _build_yaml_loader(self) -> type[yaml.SafeLoader]:
        """Make a loader of plain data, which reads numbers as RecBole's does: ``1e-3`` is one."""
        PlainLoader.yaml_implicit_resolvers = super()._build_yaml_loader().yaml_implicit_resolvers
        return PlainLoader

    def _load_config_files(self, file_list: list[str] | None) -> dict[str, Any]:
        """Read the settings of the config files, later ones over earlier ones."""
        return read_config_files(file_list or [], self.yaml_loader)

    def _load_cmd_line(self) -> dict[str, Any]:
        """Read the settings of the command line that is given, where RecBole reads ``sys.argv``."""
        return self._convert_config_dict(self._command_line)

    def _convert_config_dict(self, config_dict: dict[str, Any]) -> dict[str, Any]:
        """Read settings that are text as literals, where RecBole runs them as code."""
        for key in config_dict:
            if not isinstance(key, str):
                raise DecRSError(f"a setting is named by text, and not by {key!r}; mend config_dict")
        return {key: as_plain(read_setting(key, value)) for key, value in config_dict.items()}

    def _merge_external_config_dict(self) -> None:
        """Merge the user's settings as RecBole does, make None of text that undoes a key, and look for the metrics."""
        super()._merge_external_config_dict()
        for key, value in self.external_config_dict.items():
            if value is None or (isinstance(value, str) and value.lower() in UNDO):
                # No activation is an activation of RecBole's.
                self.external_config_dict[key] = "none" if key == "mlp_activation" else None
        if isinstance(topk := self.external_config_dict.get("topk"), tuple):  # as 5,10 is read
            self.external_config_dict["topk"] = list(topk)
        given = self.external_config_dict.get("metrics")
        for name in given if isinstance(given, list) else [given]:
            if isinstance(name, str) and name.lower() not in metrics_dict:
                known = sorted(metric.__name__ for metric in metrics_dict.values())
                hint = did_you_mean(name, known) or f"; take of {', '.join(known)}"
                raise DecRSError(f"metrics: there is no metric {name}{hint}")

    def _get_model_and_dataset(self, model: str | None, dataset: str | None) -> tuple[str, type, str]:
        """Find the name and class of the model, and the name of the dataset."""
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
        """Lay the plugin's YAML over RecBole's defaults: what holds for all, a model, a dataset, a backbone on it."""
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
        files = default_files(model, defaults, dataset)
        for file in files.values():
            self._update_internal_config_dict(file)
        self._load_default_columns(dataset, has_yaml="dataset" in files, other_files=other_files)
        if model_class.type == ModelType.SEQUENTIAL:
            self.internal_config_dict["eval_args"] |= {**RECBOLES_SEQUENCES, "mode": mode}

    def _load_default_columns(self, dataset: str, has_yaml: bool, other_files: dict[str, list[str]]) -> None:
        """Set the default of ``load_col``: by the dataset's own YAML or by its files, and by the model's type."""
        defaults, given = self.internal_config_dict, self.external_config_dict
        settings = {**defaults, **given}
        self.names_columns = has_yaml or "load_col" in given or clicks_path(dataset, settings).is_file()
        if not has_yaml:
            columns = usual_columns(dataset, defaults, given)
        else:
            columns = dict(defaults["load_col"])
            if given.get("benchmark_filename"):
                columns["inter"] = columns_of_split_clicks(dataset, columns["inter"], settings)
        endings = given.get("additional_feat_suffix")
        additional = dict.fromkeys([endings] if isinstance(endings, str) else endings or (), "*")
        # RecBole takes one of load_col and unload_col.
        defaults["load_col"] = None if given.get("unload_col") else {**columns, **other_files, **additional}

    def _get_final_config_dict(self) -> dict[str, Any]:
        """Lay the user's settings over the defaults, and hold each against what its key takes."""
        for key in DERIVED:
            if key in self.external_config_dict:
                raise DecRSError(f"{key} is not to be set: it follows from {DERIVED[key]}; leave it out")
        final = super()._get_final_config_dict()
        fit_to_place(final, self.external_config_dict)
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

    def _full_eval_args(self) -> dict[str, Any]:
        """Fill in what the user leaves out of ``eval_args`` by the plugin's defaults, not by RecBole's random order."""
        given = self.external_config_dict.get("eval_args", {})
        known = self.internal_config_dict["eval_args"]
        if not isinstance(given, dict):
            raise DecRSError(f"eval_args must be settings such as {{'order': 'TO'}}, not {given!r}")
        for key in given:
            if key not in known:
                raise DecRSError(f"eval_args has no setting {key}; it takes {', '.join(known)}")
        return {**known, **given}

    def _fit_to_sequences(self, final: dict[str, Any]) -> None:
        """Fit settings to a sequential model: where its loss is a softmax over all items, there are no negatives."""
        if final.get("loss_type") == "CE" and "train_neg_sample_args" not in self.external_config_dict:
            final["train_neg_sample_args"] = None
        if final["test_candidates"] != "unseen":
            raise DecRSError(
                f"test_candidates: {final['test_candidates']} is about the items of a user's history, and for a "
                f"sequential model such as {self.model} RecBole ranks all items; leave it out"
            )

    def _init_device(self) -> None:
        """Choose the device as RecBole does, by ``gpu_id``, and by ``use_gpu``, which RecBole's Config does not read.

        Each of several processes of a machine has a GPU of its own.
        """
        final = self.final_config_dict
        if final["gpu_id"] is None:  # RecBole would name a GPU by the text "None"
            final["gpu_id"] = ""
        super()._init_device()
        final["device"] = own_device(final["device"]) if final["use_gpu"] else torch.device("cpu")

    def _choose_eval_batch_size(self) -> None:
        """Evaluate as many pairs at once as a memory holds, which depends on whether each of them is embedded."""
        if "eval_batch_size" in self.external_config_dict:
            return
        if "full" not in self["eval_args"]["mode"].values():
            size = PAIRS_EMBEDDED_AT_ONCE  # as in RecBole
        elif issubclass(self.model_class, PairwiseFullSort):
            size = PAIRS_SCORED_AT_ONCE
        else:
            return
        self.final_config_dict["eval_batch_size"] = self._settings["eval_batch_size"] = size
