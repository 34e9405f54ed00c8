"""Makes the model of a configuration."""

from __future__ import annotations

import pickle

from recbole.model.abstract_recommender import AbstractRecommender

from recbole_decrs.errors import DecRSError
from recbole_decrs.model.fused import FusedRecommender


def make_model(config, part, both: bool = True) -> AbstractRecommender:
    """The model of a configuration: both in one, if it is deconfounded.

    Args:
        config: the configuration.
        part: the training part of its dataset.
        both: whether a deconfounded model comes with its conventional half.

    Raises:
        DecRSError: RecBole refuses a setting, or a file of pre-trained parameters holds more than plain data.
    """
    make = FusedRecommender if both and config.deconfounded else config.model_class
    try:
        return make(config, part).to(config["device"])
    except pickle.UnpicklingError as error:
        raise DecRSError(
            f"the pre-trained parameters of {config['model']} are not plain data, so they are not read; save them by "
            "recbole_decrs, or as a dictionary of tensors"
        ) from error
    except (ArithmeticError, AssertionError, AttributeError, LookupError, RuntimeError, TypeError, ValueError) as error:
        if isinstance(error, DecRSError):
            raise
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise DecRSError(f"{config['model']} cannot be made with these settings: {reason}") from error
