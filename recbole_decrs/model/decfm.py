"""DecFM: FM deconfounded."""

from __future__ import annotations

from recbole_decrs.model.backdoor import BackdoorRecommender
from recbole_decrs.model.fm import FM


class DecFM(FM, BackdoorRecommender):
    """FM with M(d-bar, u) as one more feature field: f(u, i, M(d-bar, u)) of Eq. 5."""

    backbone = FM
    """The conventional recommender: the same without the operator."""
