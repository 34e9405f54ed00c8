"""Names the models that methods want: what each is made from, and the name by which its piece is known."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from recbole.utils.argument_list import dataset_arguments

from recbole_decrs.compare.method import SETTINGS, Settings
from recbole_decrs.compare.methods import METHODS
from recbole_decrs.config import DecRSConfig
from recbole_decrs.errors import DecRSError
from recbole_decrs.key_facts import DATASET_KEYS
from recbole_decrs.resume import differing

SHAPES_DATA = frozenset((*dataset_arguments, *DATASET_KEYS)) - {"unused_col"} | {
    *("train_batch_size", "eval_batch_size", "train_neg_sample_args", "eval_args", "shuffle", "repeatable", "worker")
}
"""Keys that a method cannot set for its models: they shape what is loaded."""

Configure = Callable[[str, Settings], DecRSConfig]
"""Makes the configuration of a model from the name of its class and settings over all others."""
Tell = Callable[[int, int, float], None]
"""Is told of a training after each validated epoch: how many epochs there were, how many there are at most, and the
seconds so far."""


@dataclass(frozen=True)
class Wanted:
    """Describes a model that is wanted, of which no configuration has been made yet."""

    name: str
    """The name of its piece."""
    model: str
    """The name of its class."""
    settings: Settings
    """Its settings over those that the user has given."""


def conventional(backbone: str, seed: int) -> Wanted:
    """Name the model of the backbone, over which every method is built."""
    return Wanted(f"{backbone}-{seed}-backbone", backbone, {"seed": seed})


def wanted_by(name: str, backbone: str, seed: int, config: DecRSConfig) -> list[tuple[Any, Wanted]]:
    """Name the models that a method trains beside the backbone's, each with the value that stands for it.

    Args:
        name: name of the method.
        backbone: name of the conventional model.
        seed: the seed of the backbone.
        config: the configuration of the backbone with this seed.

    Raises:
        DecRSError: the method sets what shapes the data, or its ``settings_of`` returns no settings.
    """
    method = METHODS[name]
    if not method.has_models:
        return []
    models, own = [], method.settings_of(config)
    SETTINGS.require(f"methods: what settings_of of {name} returns", own)
    for value, settings in method.grid:
        settings = {**settings, **own, "seed": seed + method.seed_shift}
        if key := next((key for key in settings if key in SHAPES_DATA), None):
            raise DecRSError(
                f"methods: {name} sets {key}, which shapes the data, and these are the same for all methods of a "
                "comparison; leave it out"
            )
        label = f"{backbone}-{seed}-{method.trains or name}" + ("" if value is None else f"-{value}")
        models.append((value, Wanted(label, f"Dec{backbone}" if method.twin else backbone, settings)))
    return models


def check_one_model_a_name(names: Iterable[str], backbone: str, seed: int, configure: Configure) -> None:
    """See that methods which share a model by its name, as ``trains`` says, want the same to be trained.

    Args:
        names: names of the methods; the one whose models are shared stands before those that share them.
        backbone: name of the conventional model.
        seed: the seed of the backbone.
        configure: makes the configuration of a model.

    Raises:
        DecRSError: a class or a setting is another.
    """
    config, first = configure(backbone, {"seed": seed}), conventional(backbone, seed)
    known = {first.name: ("backbone", first)}
    for name in names:
        for _, wanted in wanted_by(name, backbone, seed, config):
            other, same = known.setdefault(wanted.name, (name, wanted))
            if wanted == same:
                continue
            settings = (configure(model.model, model.settings).settings for model in (same, wanted))
            if keys := differing(*settings):
                raise DecRSError(
                    f"methods: trains lets {name} share the model {wanted.name} with {other}, and the two differ in "
                    f"{', '.join(keys)}; leave trains out of {name}, or give both the same class, grid and settings"
                )
