"""Makes the dataset and its loaders as RecBole does, with the hook in place and nothing unpickled unasked."""

from __future__ import annotations

import os
import pickle
from logging import getLogger

import numpy as np
import torch
from recbole.data import data_preparation as recbole_data_preparation
from recbole.data.dataloader import FullSortEvalDataLoader
from recbole.utils import ModelType
from recbole.utils.argument_list import dataset_arguments

from recbole_decrs.data.dataset import ConfounderMixin, DecRSDataset, DecRSKnowledgeBasedDataset
from recbole_decrs.data.group_field import column_types
from recbole_decrs.data.sequential import DecRSDIENDataset, DecRSKGSeqDataset, DecRSSequentialDataset
from recbole_decrs.errors import DecRSError

DATASET_OF_TYPE = {
    ModelType.KNOWLEDGE: DecRSKnowledgeBasedDataset,
    ModelType.SEQUENTIAL: DecRSSequentialDataset,
}
"""The dataset class of a model type; of the others it is DecRSDataset."""
DATASET_OF_MODEL = {"DIEN": DecRSDIENDataset, "GRU4RecKG": DecRSKGSeqDataset, "KSR": DecRSKGSeqDataset}
"""The models for which RecBole has a dataset class of their own."""


def create_dataset(config) -> ConfounderMixin:
    """The dataset that RecBole would make, with the Confounder hook.

    A saved one is taken only from ``dataset_save_path``, where set, and if its settings are the same.

    Raises:
        DecRSError: the dataset cannot be read.
    """
    of_type = DATASET_OF_TYPE.get(config["MODEL_TYPE"], DecRSDataset)
    dataset_class = DATASET_OF_MODEL.get(config["model"], of_type)
    saved = config["dataset_save_path"]
    if saved and os.path.exists(saved):
        try:
            with open(saved, "rb") as file:
                dataset = pickle.load(file)
        except Exception as error:
            raise DecRSError(f"dataset_save_path: {saved} is not a dataset saved by this command; delete it") from error
        if type(dataset) is dataset_class and all(
            config[key] == dataset.config[key] for key in [*dataset_arguments, "seed", "repeatable"]
        ):
            getLogger().info(f"Load filtered dataset from: [{saved}]")
            dataset.config = config
            return dataset
    if config["benchmark_filename"] and (config["val_interval"] or _k_core(config)):
        getLogger().warning(
            "with benchmark_filename RecBole takes the files as they are: "
            "val_interval, user_inter_num_interval and item_inter_num_interval do not apply"
        )
    _check_inter_columns(config)
    try:
        dataset = dataset_class(config)
    except (ArithmeticError, AssertionError, AttributeError, LookupError, OSError, TypeError, ValueError) as error:
        if isinstance(error, DecRSError):
            raise
        raise DecRSError(f"RecBole cannot read the dataset {config['dataset']}: {in_words(error)}") from error
    if max(config["topk"]) >= dataset.item_num:
        raise DecRSError(
            f"topk asks for {max(config['topk'])} items, but {config['dataset']} has {dataset.item_num - 1}"
        )
    if config["save_dataset"]:
        dataset.save()
    return dataset


def in_words(error: Exception) -> str:
    """One line of what an exception of RecBole or pandas says."""
    text = " ".join(str(error).split())
    return f"no {text}" if isinstance(error, KeyError) else text or type(error).__name__


def _check_inter_columns(config) -> None:
    names = config["benchmark_filename"] or [None]
    ending = f".{names[0]}.inter" if names[0] else ".inter"
    path = os.path.join(config["data_path"], f"{config['dataset']}{ending}")
    if not os.path.isfile(path):
        return  # to be downloaded, or RecBole says so
    types = column_types(path, config["field_separator"], config["encoding"] or "utf-8")
    for key, kind in (("USER_ID_FIELD", "token"), ("ITEM_ID_FIELD", "token"), ("TIME_FIELD", "float")):
        field = config[key]
        if field in types and types[field] != kind:
            raise DecRSError(f"{key}: column {field} of {path} is {types[field]}, and must be {kind}")
        if field not in types and kind == "token":
            raise DecRSError(f"{key}: {path} has no column {field}; its columns are {', '.join(types)}")


def _k_core(config) -> bool:
    return any(config[key] not in (None, "[0,inf)") for key in ("user_inter_num_interval", "item_inter_num_interval"))


def data_preparation(config, dataset) -> tuple:
    """RecBole's training, validation and test loaders; saved ones only from ``dataloaders_save_path``, where set.

    Raises:
        DecRSError: the data lacks what the configuration needs.
    """
    if config["dataloaders_save_path"] is None:
        # RecBole would unpickle whatever lies at its default place; nothing ever lies at this one.
        config["dataloaders_save_path"] = os.path.join(config["checkpoint_dir"], "-")
    try:
        train_data, valid_data, test_data = recbole_data_preparation(config, dataset)
    except pickle.UnpicklingError as error:
        path = config["dataloaders_save_path"]
        raise DecRSError(f"dataloaders_save_path: {path} does not hold loaders saved by this command") from error
    except (ArithmeticError, AttributeError, LookupError, NotImplementedError, TypeError, ValueError) as error:
        if isinstance(error, DecRSError):
            raise
        raise DecRSError(f"RecBole cannot split the dataset {config['dataset']}: {in_words(error)}") from error
    if not len(test_data._dataset):
        raise DecRSError(f"the test part of {config['dataset']} is empty; change the split in eval_args")
    if not len(valid_data._dataset) and config["drift_alpha"] == "auto":
        raise DecRSError("drift_alpha: auto needs a validation part; change the split in eval_args, or give a number")
    for loader in (train_data, valid_data, test_data):
        if getattr(loader, "generator", loader) is None:  # RecBole takes it away when it saves the loaders
            loader.generator = loader.sampler.generator = torch.Generator()
            loader.generator.manual_seed(config["seed"])
    if config["test_candidates"] == "untrained" and isinstance(test_data, FullSortEvalDataLoader):
        _mask_training_items_only(train_data, test_data)
    return train_data, valid_data, test_data


def _mask_training_items_only(train_data, test_data) -> None:
    part = train_data._dataset
    clicked = part.inter_matrix(form="csr")
    for user in test_data.uid_list.tolist():
        items = clicked.indices[clicked.indptr[user] : clicked.indptr[user + 1]]
        items = np.setdiff1d(items, test_data.uid2positive_item[user].numpy())
        test_data.uid2history_item[user] = torch.as_tensor(items, dtype=torch.int64)
