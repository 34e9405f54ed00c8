"""Makes the dataset and its loaders as RecBole does, with the hook in place and nothing unpickled unasked."""

from __future__ import annotations

import os
import pickle
from glob import escape, glob
from logging import getLogger

import numpy as np
import torch
from recbole.data import data_preparation as recbole_data_preparation
from recbole.data import utils as recbole_data_utils
from recbole.data.dataloader import FullSortEvalDataLoader
from recbole.utils import ModelType
from recbole.utils.argument_list import dataset_arguments

from recbole_decrs.data.atomic_files import atomic_file
from recbole_decrs.data.case_study import mend_case_study
from recbole_decrs.data.dataset import ConfounderMixin, DecRSDataset, DecRSKnowledgeBasedDataset
from recbole_decrs.data.full_sort_loader import (
    DecRSFullSortEvalDataLoader,
    mask_items_of_all_users,
    mask_training_items_only,
)
from recbole_decrs.data.sequential import DecRSDIENDataset, DecRSKGSeqDataset, DecRSSequentialDataset
from recbole_decrs.data.time_order import with_order
from recbole_decrs.data.used_items import DecRSSampler
from recbole_decrs.errors import DecRSError, did_you_mean, told_as

mend_case_study()
_saved_loaders = recbole_data_utils.load_split_dataloaders


def load_split_dataloaders(config) -> tuple | None:
    """Load saved loaders as RecBole does, but from ``dataloaders_save_path`` alone, and not from a usual place."""
    path = config["dataloaders_save_path"]
    if path is None or not os.path.exists(path):
        return None
    tell_of_unpickling("dataloaders_save_path", path)
    try:
        return _saved_loaders(config)
    except Exception as error:  # of what is no pickle, or of other classes, whatever comes up
        raise DecRSError(f"dataloaders_save_path: {path} does not hold loaders saved by this command") from error


recbole_data_utils.load_split_dataloaders = load_split_dataloaders
recbole_data_utils.Sampler = DecRSSampler
recbole_data_utils.FullSortEvalDataLoader = DecRSFullSortEvalDataLoader


def tell_of_unpickling(key: str, path: str) -> None:
    """Say that a file is unpickled, which runs what its author wrote into it."""
    getLogger().warning(f"{key}: {path} is unpickled, which can run any code; name there only what you saved yourself")


DATASET_OF_TYPE = {
    ModelType.KNOWLEDGE: DecRSKnowledgeBasedDataset,
    ModelType.SEQUENTIAL: DecRSSequentialDataset,
}
"""The dataset class of a model type; of the others it is DecRSDataset."""
DATASET_OF_MODEL = {"DIEN": DecRSDIENDataset, "GRU4RecKG": DecRSKGSeqDataset, "KSR": DecRSKGSeqDataset}
"""The models for which RecBole has a dataset class of their own."""

SHAPE_DATASETS_TOO = ("seed", "repeatable", "dataset", "numerical_features", "discretization", "encoding")
"""Keys beside RecBole's list of those that shape a dataset, in which one that was saved must be as configured."""


def create_dataset(config) -> ConfounderMixin:
    """Make the dataset that RecBole would make, with the Confounder hook.

    A saved one is taken only from ``dataset_save_path``, where set, and if its settings are the same.

    Raises:
        DecRSError: the dataset cannot be read.
    """
    _check_item_embeddings(config)
    of_type = DATASET_OF_TYPE.get(config["MODEL_TYPE"], DecRSDataset)
    dataset_class = DATASET_OF_MODEL.get(config["model"], of_type)
    saved = config["dataset_save_path"]
    if saved and os.path.exists(saved):
        tell_of_unpickling("dataset_save_path", saved)
        try:
            with open(saved, "rb") as file:
                dataset = pickle.load(file)
            if not isinstance(dataset, ConfounderMixin):
                raise TypeError(f"a {type(dataset).__name__}")
        except Exception as error:
            raise DecRSError(f"dataset_save_path: {saved} is not a dataset saved by this command; delete it") from error
        others = [key for key in [*dataset_arguments, *SHAPE_DATASETS_TOO] if config[key] != dataset.config[key]]
        if type(dataset) is dataset_class and not others:
            getLogger().info(f"Load filtered dataset from: [{saved}]")
            dataset.config = config
            return dataset
        reason = f"with another {others[0]}" if others else f"for a model of another type than {config.model}"
        getLogger().warning(f"dataset_save_path: {saved} was made {reason}, and is passed over")
    if config["benchmark_filename"] and (config["val_interval"] or config["rm_dup_inter"] or _k_core(config)):
        getLogger().warning(
            "with benchmark_filename RecBole takes the files as they are: val_interval, rm_dup_inter, "
            "user_inter_num_interval and item_inter_num_interval do not apply"
        )
    _check_parts(config)
    types = _check_inter_columns(config)
    if types is not None and config["MODEL_TYPE"] == ModelType.SEQUENTIAL:
        _check_sequences(config, types)
    with told_as(f"RecBole cannot read the dataset {config['dataset']}", also=(OSError,)):
        dataset = dataset_class(config)
    if max(config["topk"]) >= dataset.item_num:
        raise DecRSError(
            f"topk asks for {max(config['topk'])} items, but {config['dataset']} has {dataset.item_num - 1}"
        )
    if config["save_dataset"]:
        dataset.save()
    return dataset


def _check_item_embeddings(config) -> None:
    """See that the array which RecBole's LDiffRec finds beside the data can be read without running what is in it."""
    path = os.path.join(config["data_path"], "item_emb.npy")
    if config["model"] != "LDiffRec" or not os.path.isfile(path):
        return
    try:
        np.load(path, allow_pickle=False)
    except (ValueError, OSError, EOFError) as error:
        raise DecRSError(
            f"{path} holds no plain array of numbers, and LDiffRec would unpickle it; save it by numpy.save as float32"
        ) from error


def _check_parts(config) -> None:
    """See that the files of a split that was made elsewhere are there, unless the dataset is to be downloaded."""
    folder, name = config["data_path"], config["dataset"]
    if not os.path.isdir(folder):
        return
    there = [
        file.removeprefix(f"{name}.").removesuffix(".inter")
        for file in glob(f"{escape(name)}.*.inter", root_dir=folder)
    ]
    for part in config["benchmark_filename"] or []:
        if part not in there:
            known = f"; the parts there are {', '.join(sorted(there)) or 'none'}, of files {name}.PART.inter"
            path = os.path.join(folder, f"{name}.{part}.inter")
            raise DecRSError(f"benchmark_filename: there is no file {path}" + (did_you_mean(part, there) or known))


def _check_sequences(config, types: dict[str, str]) -> None:
    """See that a benchmark's files hold sequences, and that the features of items are loaded."""
    listed = f"{config['ITEM_ID_FIELD']}{config['LIST_SUFFIX']}"
    if config["benchmark_filename"] and types.get(listed) != "token_seq":
        raise DecRSError(
            f"benchmark_filename: {config['model']} is sequential, and the files have no column {listed}:token_seq of "
            f"the items before each click (with alias_of_item_id: [{listed}]); without such files leave the key out, "
            "and RecBole makes the sequences"
        )
    if config["benchmark_filename"] and config["model"] == "DIEN":
        raise DecRSError(
            "benchmark_filename: DIEN samples its negatives while RecBole makes the sequences; leave the key out"
        )
    if config["train_stage"] == "finetune" and not os.path.isfile(config["pre_model_path"] or ""):
        raise DecRSError(
            f"pre_model_path: there is no file {config['pre_model_path']!r}, from which train_stage: finetune of "
            f"{config['model']} starts; give the checkpoint of its pre-training"
        )
    loaded = (config["load_col"] or {}).get("item")
    for key in ("selected_features", "item_attribute"):
        wanted = config[key] or []
        for column in wanted if isinstance(wanted, list) else [wanted]:
            if isinstance(loaded, list) and column not in loaded:
                raise DecRSError(
                    f"{key}: {config['model']} takes the item feature {column}, which load_col does not load of the "
                    f".item file; set {key} to a column that it does ({', '.join(loaded[1:])})"
                )


def _check_inter_columns(config) -> dict[str, str] | None:
    """See that the columns of users, items and times are there; returns name -> type of all."""
    names = config["benchmark_filename"] or [None]
    ending = f".{names[0]}.inter" if names[0] else ".inter"
    path = os.path.join(config["data_path"], f"{config['dataset']}{ending}")
    if not os.path.isfile(path):
        return None  # to be downloaded, or RecBole says so
    types = atomic_file(config, path).columns
    for key, kind in (("USER_ID_FIELD", "token"), ("ITEM_ID_FIELD", "token"), ("TIME_FIELD", "float")):
        field = config[key]
        if field in types and types[field] != kind:
            raise DecRSError(f"{key}: column {field} of {path} is {types[field]}, and must be {kind}")
        if field not in types and kind == "token":
            raise DecRSError(f"{key}: {path} has no column {field}; its columns are {', '.join(types)}")
    return types


def _k_core(config) -> bool:
    return any(config[key] not in (None, "[0,inf)") for key in ("user_inter_num_interval", "item_inter_num_interval"))


def data_preparation(config, dataset) -> tuple:
    """Make RecBole's training, validation and test loaders, or load them from ``dataloaders_save_path``, where set.

    Where the data do not have the order of clicks that is configured, the loaders and ``dataset`` have a copy of the
    configuration with the order that they have; ``config`` stays as it is.

    Raises:
        DecRSError: the data lacks what the configuration needs.
    """
    dataset.settle_order()
    config = with_order(config, dataset.config["eval_args"]["order"])
    with told_as(f"RecBole cannot split the dataset {config['dataset']}"):
        train_data, valid_data, test_data = recbole_data_preparation(config, dataset)
    if not len(test_data._dataset):
        raise DecRSError(f"the test part of {config['dataset']} is empty; change the split in eval_args")
    if not len(valid_data._dataset) and config["drift_alpha"] == "auto":
        raise DecRSError("drift_alpha: auto needs a validation part; change the split in eval_args, or give a number")
    for loader in (train_data, valid_data, test_data):
        if getattr(loader, "generator", loader) is None:  # RecBole takes it away when it saves the loaders
            loader.generator = loader.sampler.generator = torch.Generator()
            loader.generator.manual_seed(config["seed"])
    if config["test_candidates"] == "untrained" and isinstance(test_data, FullSortEvalDataLoader):
        mask_training_items_only(train_data, test_data)
    for loader in (valid_data, test_data):
        if isinstance(loader, FullSortEvalDataLoader) and not loader.is_sequential:
            mask_items_of_all_users(loader)
    return train_data, valid_data, test_data
