"""DecNFM: NFM deconfounded, f(u, i, M(d-bar, u)) of Eq. 5."""

from __future__ import annotations

from recbole_decrs.model.deconfound import deconfound
from recbole_decrs.model.nfm import NFM

DecNFM = deconfound(NFM)
