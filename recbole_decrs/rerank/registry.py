"""Registers each re-ranker with everything that the rest of the program knows of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import torch

from recbole_decrs.causal import Confounder
from recbole_decrs.checks import Check, number, text
from recbole_decrs.errors import DecRSError
from recbole_decrs.names import check_name_is_free
from recbole_decrs.signatures import call, check_takes

Rerank = Callable[[torch.Tensor, torch.Tensor, Confounder, torch.Tensor, float, int], torch.Tensor]
"""The function of a re-ranker; :meth:`RegisteredReranker.__call__` says what it takes and returns."""
ARGUMENTS = ("candidate_scores", "candidate_items", "confounder", "users", "weight", "length")
"""What it is called with, in this order."""


@dataclass(frozen=True)
class RegisteredReranker:
    """Ranks candidates anew when it is called, and knows what its weight may be and how it is spoken of.

    Attributes:
        function: what re-ranks.
        title: the name in tables and figures.
        default: the weight where ``reranker_lambda`` gives none.
        grid: the weights from which ``compare`` chooses on validation.
        weight: the name of the weight in the formula.
        largest: the largest weight; the smallest is 0.
        source: who proposed it, and when; empty if nobody has.
    """

    function: Rerank
    title: str
    default: float
    grid: tuple[float, ...]
    weight: str = "lambda"
    largest: float = 1
    source: str = ""

    @property
    def with_source(self) -> str:
        """Name the re-ranker and who proposed it, in Markdown."""
        return f"`{self.function.__name__}`" + (f" ({self.source})" if self.source else "")

    @property
    def weight_check(self) -> Check:
        """Tell the weights that the re-ranker takes from others."""
        return number(0, self.largest)

    def __call__(
        self,
        candidate_scores: torch.Tensor,
        candidate_items: torch.Tensor,
        confounder: Confounder,
        users: torch.Tensor,
        weight: float,
        length: int,
    ) -> torch.Tensor:
        """Rank the candidates of each user anew.

        Every re-ranker promises that the first ``length`` places of a longer ranking are the shorter one; that the
        rows do not depend on each other; that of candidates with equal scores and groups the more relevant comes
        first, whatever rounding makes of them; that missing candidates come last; and that weight 0 keeps the order
        of relevance. ``tests/rerank/test_rerank_contract.py`` holds it to that.

        Args:
            candidate_scores: probabilities in the order of relevance, shape [B, C]; -inf where a user has fewer than
                C candidates.
            candidate_items: item ids, shape [B, C].
            confounder: hands out the groups of items (``membership_of``) and of users' histories (``distribution_of``).
            users: user ids, shape [B].
            weight: the strength of the re-ranking, from 0 to ``largest``.
            length: how many places are filled, at most C.

        Returns:
            The candidates' places in the order of relevance, 0 ... C - 1, shape [B, length].

        Raises:
            DecRSError: the function does not take these arguments, or returns something else, or a place of a user
                twice.
        """
        # Copies: what a function of one's own changes in place is ranked again, with other weights.
        given = candidate_scores.clone(), candidate_items.clone(), confounder, users.clone(), weight, length
        ranking = call("a re-ranker", self.function, ARGUMENTS, given)
        if wrong := _wrong_in(ranking, candidate_scores, length):
            raise DecRSError(
                f"the re-ranker {self.function.__name__} must return {length} different places for each of "
                f"{len(candidate_items)} users, in 0 ... {candidate_items.shape[1] - 1}, and returns {wrong}; mend it"
            )
        return ranking


def _wrong_in(ranking: torch.Tensor, scores: torch.Tensor, length: int) -> str | None:
    """Say what is wrong in a ranking of candidates with these scores; None if nothing is."""
    if not isinstance(ranking, torch.Tensor) or ranking.dtype != torch.int64:
        return f"a {type(ranking).__name__}" + (f" of {ranking.dtype}" if isinstance(ranking, torch.Tensor) else "")
    if ranking.shape != (len(scores), length):
        return f"a tensor of shape {list(ranking.shape)}"
    if ranking.numel() and not 0 <= ranking.min() <= ranking.max() < scores.shape[1]:
        return f"{int(ranking.min())} ... {int(ranking.max())}"
    if (ranking.sort(dim=1).values.diff(dim=1) == 0).any():
        return "a place twice"
    there = scores.isfinite()
    if not torch.equal(there.gather(1, ranking).sum(dim=1), there.sum(dim=1).clamp_max(length)):
        return "the place of a missing candidate before that of another"
    return None


RERANKERS: dict[str, RegisteredReranker] = {}
"""The re-rankers by name, which the key ``reranker`` takes: those of this package, and one's own once defined."""


def reranker(
    *misplaced: object,
    title: str | None = None,
    default: float | None = None,
    grid: Iterable[float] | None = None,
    weight: str = "lambda",
    largest: float = 1,
    source: str = "",
) -> Callable[[Rerank], Rerank]:
    """Enter the decorated function among the re-rankers, under its own name.

    From then on ``reranker: NAME`` finds it, and ``compare`` has it as a method. A function that is defined once
    more, as when a notebook runs a cell again, takes the place of the former.

    Args:
        misplaced: nothing; the function itself, where the parentheses after ``@reranker`` are forgotten.
        title, default, grid, weight, largest, source: as in :class:`RegisteredReranker`; the first three are needed.

    Returns:
        A decorator, which gives the function back as it is.

    Raises:
        DecRSError: one of ``title``, ``default`` and ``grid`` is missing or of another type, or the default or a weight
            of the grid is not in [0, largest]; the function has no name or that of another re-ranker, or does not take
            what it is called with.
    """
    if misplaced or title is None or default is None or grid is None:
        raise DecRSError(
            "a re-ranker needs a title, a default weight and a grid of weights; write "
            "@reranker(title=..., default=..., grid=[...]) above its function, with these names and in parentheses"
        )

    def register(function: Rerank) -> Rerank:
        name = getattr(function, "__name__", None)
        if not callable(function) or name is None:
            raise DecRSError(
                f"reranker takes a function that has a name, not {function!r}; write @reranker(...) above its def"
            )
        check_name_is_free(name, "re-ranker", function, RERANKERS[name].function if name in RERANKERS else None)
        text("a text").require(f"the title of the re-ranker {name}", title)
        weights = tuple(grid) if isinstance(grid, Iterable) else ()
        if not weights:
            raise DecRSError(f"the grid of the re-ranker {name} must be weights, at least one, not {grid!r}")
        record = RegisteredReranker(function, title, default, weights, weight, largest, source)
        for value in (default, *record.grid):
            if not record.weight_check.passes(value):
                raise DecRSError(
                    f"a weight of the re-ranker {name} must be {record.weight_check.takes}, not {value!r}; mend its "
                    "default or grid, or give another largest"
                )
        check_takes("a re-ranker", function, *ARGUMENTS)
        RERANKERS[name] = record
        return function

    return register
