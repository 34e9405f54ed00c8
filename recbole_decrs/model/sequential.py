"""Imports RecBole's sequential models that the plugin extends, without what one of them does to torch.

SINE turns on torch's detection of anomalies as it is imported, which RecBole's package of sequential models does
whichever of them is asked for. From then on every operation of every model would take down where it was called from,
and training would take twice the time. So this is the first import of that package, and leaves torch as it was.
"""

from __future__ import annotations

import torch

with torch.autograd.set_detect_anomaly(torch.is_anomaly_enabled(), torch.is_anomaly_check_nan_enabled()):
    from recbole.model.sequential_recommender import DIEN, DIN, SASRec

__all__ = ["DIEN", "DIN", "SASRec"]
