"""Makes the data and the model of a checkpoint again."""

from __future__ import annotations

from typing import Any

import torch

from recbole_decrs.checkpoint import Checkpoint
from recbole_decrs.checks import settings_by_key
from recbole_decrs.config import DecRSConfig
from recbole_decrs.errors import DecRSError
from recbole_decrs.key_facts import DRIFT_KEYS
from recbole_decrs.log import quiet_libraries
from recbole_decrs.making import Data, make_data, make_model
from recbole_decrs.model import FusedRecommender
from recbole_decrs.model.catalogue import find_model
from recbole_decrs.trainer import fusion_weights, load_fused

STARTS = (
    ("train_stage", ("finetune",), "pre_model_path"),
    ("phase", ("distillation", "finetuning"), "warm_up"),
)
"""Keys with the values at which RecBole's S3Rec, RaCT and KD_DAGFM read the parameters of an earlier stage as they are
made, from the file that another key names; where no file is known any more the checkpoint itself serves."""


def load_data_and_model(model_file: str, config_dict: dict[str, Any] | None = None) -> tuple:
    """Make the data and the model of a checkpoint again; the counterpart of RecBole's function of this name.

    Args:
        model_file: a checkpoint written by this plugin.
        config_dict: settings over the saved ones, such as a new ``data_path``; a model of your own as its class.

    Returns:
        ``config, model, dataset, train_data, valid_data, test_data``. The model of a deconfounded recommender is a
        :class:`~recbole_decrs.model.fused.FusedRecommender`, which ranks as the test result was made.

    Raises:
        DecRSError: the checkpoint cannot be read, holds another model, or was made for other data.
    """
    with quiet_libraries():
        return _load(str(model_file), settings_by_key(config_dict))


def load_deconfounded(model_file: str, config_dict: dict[str, Any] | None = None) -> tuple:
    """Make the data of a checkpoint again, and its deconfounded recommender by itself.

    Args:
        model_file: a checkpoint of a deconfounded model, or the ``.pth`` of one among the pieces of a comparison.
        config_dict: as of :func:`load_data_and_model`.

    Returns:
        ``config, model, dataset, train_data, valid_data, test_data``, the model ready to rank.

    Raises:
        DecRSError: the model is another, or for a reason of :func:`load_data_and_model`.
    """
    with quiet_libraries():
        checkpoint, config, data = _read(str(model_file), config_dict or {})
        if not config.deconfounded:
            raise DecRSError(
                f"{model_file} holds a {config['model']}, which is not deconfounded; take one of a Dec model"
            )
        if checkpoint.halves:
            model = _model_of(checkpoint, config, data, config_dict or {}).deconfounded
        elif not checkpoint.is_finished():
            raise DecRSError(
                f"the checkpoint {model_file} is of a training that has not come to its end; give the command that "
                "began it again, and it goes on"
            )
        else:  # a comparison trains it by itself
            model = make_model(config, data.part, both=False)
            checkpoint.load_into(model)
    return config, model.eval(), data.dataset, data.train, data.valid, data.test


def _load(path: str, changed: dict[str, Any]) -> tuple:
    checkpoint, config, data = _read(path, changed)
    return config, _model_of(checkpoint, config, data, changed), data.dataset, data.train, data.valid, data.test


def _read(path: str, changed: dict[str, Any]) -> tuple[Checkpoint, DecRSConfig, Data]:
    checkpoint = Checkpoint.read(path)
    model_class = changed.get("model")
    if model_class is None:
        try:
            model_class = find_model(checkpoint.model)
        except DecRSError as error:
            text = (
                f"{path} holds a {checkpoint.model}; a class of your own goes into config_dict={{'model': ...}}; else "
            )
            raise DecRSError(text + str(error)) from error
    elif (name := getattr(model_class, "__name__", model_class)) != checkpoint.model:
        raise DecRSError(f"model: {path} holds a {checkpoint.model}, not a {name}; leave model out")
    settings = checkpoint.settings_to_trust() | {key: value for key, value in changed.items() if key != "model"}
    for key, stages, start in STARTS:
        if settings.get(key) in stages:
            settings.setdefault(start, path)
    of_data = {} if checkpoint.data_seed is None or "seed" in changed else {"seed": checkpoint.data_seed}
    data = make_data(DecRSConfig(model_class, config_dict=settings | of_data))
    config = data.dataset.config
    if of_data:
        config = config.with_values(seed=settings["seed"])
    checkpoint.check_data(data.part)
    return checkpoint, config, data


def _model_of(checkpoint: Checkpoint, config: DecRSConfig, data: Data, changed: dict[str, Any]) -> torch.nn.Module:
    model = make_model(config, data.part)
    if isinstance(model, FusedRecommender):
        model.drift_alpha = load_fused(config, model, checkpoint, data.part, _alpha(checkpoint, config, changed))
        if DRIFT_KEYS & changed.keys():
            model.set_weight(fusion_weights(config, data.part.confounder, model.drift_alpha))
    else:
        for key in ("drift_alpha", "fusion_weight", "inference"):
            if key in changed:
                raise DecRSError(
                    f"{key}: {checkpoint.path} holds {checkpoint.model}, of which no two halves are fused; leave it out"
                )
        checkpoint.load_into(model)
    return model


def _alpha(checkpoint: Checkpoint, config, changed: dict[str, Any]) -> float | None:
    """Find the exponent of Eq. 12 that is meant in place of the saved one; None for the saved one.

    Raises:
        DecRSError: it would have no effect, or has to be chosen by a training.
    """
    is_given, saved = "drift_alpha" in changed, checkpoint.drift_alpha if checkpoint.is_complete else None
    if is_given and config["fusion_weight"] is not None:
        raise DecRSError(
            f"drift_alpha: fusion_weight {config['fusion_weight']:g} stands in the place of all weights that it would "
            "change; leave it out, or set fusion_weight to none"
        )
    weighs_anew = checkpoint.is_complete and saved is None and "fusion_weight" in changed
    if not is_given and not (weighs_anew and config["fusion_weight"] is None):
        return None
    if config["drift_alpha"] == "auto":
        raise DecRSError(
            "drift_alpha: auto chooses it at the end of a training, and this one is trained already; give a number"
            + ("" if saved is None else f", or leave it out for {saved:g}")
        )
    return config["drift_alpha"]
