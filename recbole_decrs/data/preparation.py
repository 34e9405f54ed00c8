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

from recbole_decrs.data.dataset import DecRSDataset, DecRSKnowledgeBasedDataset
from recbole_decrs.errors import DecRSError


def create_dataset(config) -> DecRSDataset | DecRSKnowledgeBasedDataset:
    """The dataset that RecBole would make, with the Confounder hook.

    A saved one is taken only from ``dataset_save_path``, where set, and if its settings are the same.

    Raises:
        DecRSError: the dataset cannot be read.
    """
    made_for_knowledge = config["MODEL_TYPE"] == ModelType.KNOWLEDGE
    dataset_class = DecRSKnowledgeBasedDataset if made_for_knowledge else DecRSDataset
    saved = config["dataset_save_path"]
    if saved and os.path.exists(saved):
        with open(saved, "rb") as file:
            dataset = pickle.load(file)
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
    try:
        dataset = dataset_class(config)
    except (AssertionError, KeyError, OSError, TypeError, ValueError) as error:
        if isinstance(error, DecRSError):
            raise
        raise DecRSError(f"RecBole cannot read the dataset {config['dataset']}: {error.args[0]}") from error
    if config["save_dataset"]:
        dataset.save()
    return dataset


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
    except (IndexError, KeyError, NotImplementedError, ValueError) as error:
        if isinstance(error, DecRSError):
            raise
        raise DecRSError(f"RecBole cannot split the dataset {config['dataset']}: {error.args[0]}") from error
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
