"""Describes a method: one row of the tables of a comparison, and all that the comparison must know of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import KW_ONLY, dataclass
from typing import Any

from recbole_decrs.checks import Check, text, whole_number
from recbole_decrs.compare.weights import VALUE, Weights
from recbole_decrs.errors import DecRSError, did_you_mean
from recbole_decrs.rerank import RERANKERS
from recbole_decrs.signatures import check_takes

Settings = dict[str, Any]
ROLES = ("backbone", "competitor", "decrs", "control")
TAKES = {
    "weights": ("confounder", "alphas", "seed"),
    "settings_of": ("config",),
    "why_not": ("config",),
    "remark": ("chosen", "confounder"),
    "remark_text": ("infos",),
}
"""The arguments with which the functions of a method are called, by the field that has the function."""
SETTINGS = Check(
    lambda settings: isinstance(settings, dict) and all(isinstance(key, str) for key in settings),
    "a dictionary of settings by key, such as {'embedding_size': 32}",
)
PAIR = Check(
    lambda pair: isinstance(pair, tuple | list) and len(pair) == 2 and SETTINGS.passes(pair[1]),
    "a value and a dictionary of settings by key, such as (32, {'embedding_size': 32})",
)


@dataclass(frozen=True)
class Method:
    """Describes a method that is compared, which is one row of the tables.

    What is trained and how it is ranked follows from these fields alone. A method with a ``reranker`` trains nothing
    and puts the backbone's candidates in another order. One with ``weights`` fuses its model with the backbone by
    Eq. 11 of the paper. Any other ranks by one model: the one of ``grid`` that is best on validation.

    Raises:
        DecRSError: the title has unknown fields, the role or the re-ranker is unknown, the grid is empty, no pairs of
            values and settings, or has other settings for a value that comes twice, a method with ``weights`` has a
            ``reranker`` or more than one model, or a function does not take what it is called with.
    """

    title: str
    """The method's name in tables and figures; ``{backbone}`` in it becomes the name of the backbone."""
    _: KW_ONLY
    about: str = ""
    """What the method is, in a few words, for the table of methods in the README."""
    role: str
    """``backbone``, ``competitor`` (the best of which DecRS is tested against), ``decrs``, or ``control``, which stands
    below the others."""
    grid: tuple[tuple[Any, Settings], ...] = ((None, {}),)
    """The models among which validation chooses: a value, and its settings over those of the backbone. What comes
    twice counts once."""
    parameter: str = ""
    """The name of the value that is chosen on validation; without one, the tables do not tell the value."""
    twin: bool = False
    """True if the model is the deconfounded twin of the backbone; by default it is a model of the backbone's class."""
    weights: Weights | None = None
    """Makes the weights of the model beside the backbone; see :mod:`~recbole_decrs.compare.weights`."""
    by_drift: bool = False
    """True if these weights depend on the drift of the users, of which nothing is left where all have the same."""
    seed_shift: int = 0
    """How far the seed of the model is from that of the backbone."""
    reranker: str | None = None
    """The name of a re-ranker in :mod:`recbole_decrs.rerank`."""
    trains: str | None = None
    """The method whose models these are, where they are shared: of the same class, with the same settings."""
    settings_of: Callable[[Any], Settings] = lambda config: {}
    """Makes settings that depend on the configuration of the backbone, which it is given."""
    why_not: Callable[[Any], str | None] = lambda config: None
    """Says why the method does not go with a backbone, whose configuration it is given; None where it does.
    :meth:`left_out_because` looks for the twin by itself."""
    remark: Callable[[Any, Any], Settings] = lambda chosen, confounder: {}
    """Makes what the outcome keeps beside the metrics, from the chosen value and the Confounder of training."""
    remark_text: Callable[[list[dict[str, Any]]], str] = lambda infos: ""
    """Puts the remarks into words, from the ``info`` of the outcomes, one a seed; they follow the chosen values."""

    @property
    def ranks_by_backbone(self) -> bool:
        """Tell if the backbone's scores are needed beside those of the method's own models, or in their place."""
        return self.role == "backbone" or bool(self.weights or self.reranker)

    def __post_init__(self) -> None:
        text("a text").require("the title of a method", self.title)
        whole_number(0).require(f"seed_shift of the method {self.title}", self.seed_shift)
        if any(brace in self.title.replace("{backbone}", "") for brace in "{}"):
            raise DecRSError(
                f"the title of the method {self.title} has braces other than those of {{backbone}}; take them out"
            )
        if self.role not in ROLES:
            raise DecRSError(f"the role of the method {self.title} is {self.role!r}; take one of {', '.join(ROLES)}")
        if self.reranker is not None and self.reranker not in RERANKERS:
            raise DecRSError(
                f"the method {self.title} has the re-ranker {self.reranker}, and there is none of that name"
                f"{did_you_mean(self.reranker, RERANKERS)}; take one of {', '.join(RERANKERS)}"
            )
        if self.reranker is not None and self.weights:
            raise DecRSError(
                f"the method {self.title} has reranker and weights, and is ranked by one of them; leave the other out"
            )
        object.__setattr__(self, "grid", self._grid_once())  # as it is set in a frozen record
        for field, arguments in TAKES.items():
            if field != "weights" or self.weights is not None:
                check_takes(f"{field} of the method {self.title}", getattr(self, field), *arguments)
        if self.weights and len(self.grid) != 1:
            raise DecRSError(
                f"the method {self.title} has weights for one model, and {len(self.grid)} models in grid; leave one of "
                "them, or take the weights out"
            )

    def _grid_once(self) -> tuple[tuple[Any, Settings], ...]:
        """Give the grid with each value once.

        Values that are written alike are the same: they name a piece.
        """
        grid = list(self.grid) if isinstance(self.grid, Iterable) else [self.grid]
        if not grid:
            raise DecRSError(f"the grid of the method {self.title} is empty; name a model in it, or leave it out")
        once: list[tuple[Any, Settings]] = []
        for pair in grid:
            PAIR.require(f"each model in the grid of the method {self.title}", pair)
            value, settings = pair
            VALUE.require(f"a value in the grid of the method {self.title}", value)
            same = [known for other, known in once if other == value or str(other) == str(value)]
            if not same:
                once.append((value, settings))
            elif same[0] != settings:
                raise DecRSError(
                    f"the grid of the method {self.title} has the value {value} twice, with the settings {same[0]} and "
                    f"{settings}; name one of them by another value"
                )
        return tuple(once)

    @property
    def has_models(self) -> bool:
        """Tell if the method ranks by models other than the backbone's."""
        return self.role != "backbone" and self.reranker is None

    def left_out_because(self, config, twin: type | None) -> str | None:
        """Tell why the method does not go with a backbone; None if it does.

        Args:
            config: the configuration of the backbone.
            twin: the deconfounded twin of the backbone, if there is one.
        """
        if self.twin and twin is None:
            return f"there is no Dec{config.model_class.__name__}"
        return self.why_not(config) or None
