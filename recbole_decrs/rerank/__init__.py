"""Re-rankers (paper, Sec. 4.1): they change the order of a user's candidates, never a model. Plain torch, no RecBole.

Each is called ``rerank(candidate_scores, candidate_items, confounder, users, weight, length)``:

- ``candidate_scores``: probabilities in the order of relevance, shape [B, C]; -inf where a user has fewer than C;
- ``candidate_items``: item ids, shape [B, C];
- ``confounder``: a :class:`~recbole_decrs.causal.Confounder`;
- ``users``: user ids, shape [B];
- ``weight``: lambda, or theta for Diversity;
- ``length``: how many places are filled;

and returns the ranking: the candidates' places in the order of relevance, 0 ... C - 1, shape [B, length]. Ties keep the
order of relevance, and missing candidates come last.
"""

from recbole_decrs.rerank.calibration import calibration
from recbole_decrs.rerank.diversity import diversity
from recbole_decrs.rerank.fairco import fairco

RERANKERS = {"calibration": calibration, "diversity": diversity, "fairco": fairco}
"""The re-rankers by name."""

GRIDS = {
    "calibration": tuple(step / 100 for step in range(1, 51)),
    "diversity": tuple(step / 100 for step in range(1, 21)),
    "fairco": tuple(step / 100 for step in range(1, 51)),
}
"""The weights among which the paper searches (Sec. 4.1)."""

DEFAULT_WEIGHTS = {"calibration": 0.1, "diversity": 0.1, "fairco": 0.01}
"""The weight where none is given."""

__all__ = ["DEFAULT_WEIGHTS", "GRIDS", "RERANKERS", "calibration", "diversity", "fairco"]
