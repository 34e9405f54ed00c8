"""Registers the models that RecBole lacks, or has in another form, by the names in configurations and checkpoints."""

from __future__ import annotations

from typing import TypeVar

from recbole.model.abstract_recommender import AbstractRecommender

from recbole_decrs.errors import DecRSError
from recbole_decrs.model.recbole_models import is_of_recbole
from recbole_decrs.names import check_name_is_free

MODELS: dict[str, type[AbstractRecommender]] = {}
"""By the name that the key ``model`` takes: the plugin's models and those that users have registered."""

Model = TypeVar("Model", bound=type[AbstractRecommender])


def register_model(model: Model) -> Model:
    """Make a model known by its name, so that configurations and checkpoints find it; a decorator of its class.

    A class that is defined once more, as when a notebook runs a cell again, takes the place of the former.

    Returns:
        the class itself.

    Raises:
        DecRSError: it is no class of a model, or RecBole or another module has a model of that name.
    """
    if not isinstance(model, type) or not issubclass(model, AbstractRecommender):
        raise DecRSError(
            "register_model takes the class of a model, a subclass of one of RecBole's recommenders such as "
            f"ContextRecommender, not {model!r}; write @register_model above such a class"
        )
    name = model.__name__
    if is_of_recbole(name) and not is_of_the_plugin(model):
        raise DecRSError(f"RecBole has a model named {name} as well; give yours another name, so that it can be found")
    check_name_is_free(name, "model", model, MODELS.get(name))
    MODELS[name] = model
    return model


def is_of_the_plugin(model: type) -> bool:
    """Tell the models that come with recbole_decrs from RecBole's and from those of users."""
    return model.__module__.startswith("recbole_decrs.")
