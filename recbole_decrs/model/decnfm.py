"""DecNFM: NFM deconfounded."""

from __future__ import annotations

from recbole_decrs.model.backdoor import BackdoorRecommender
from recbole_decrs.model.nfm import NFM


class DecNFM(NFM, BackdoorRecommender):
    """NFM with M(d-bar, u) as one more feature field: f(u, i, M(d-bar, u)) of Eq. 5."""

    backbone = NFM
    """The conventional recommender: the same without the operator."""
