"""Lists the drift of each user of a comparison, and what it would be by chance."""

from __future__ import annotations

import numpy as np
import pandas as pd

from recbole_decrs.causal.drift_by_chance import drift_by_chance
from recbole_decrs.data.clicks import clicks_in_order_of_time

COLUMNS = ("user", "clicks", "eta", "p")
"""The columns of :func:`drifts_of`."""


def drifts_of(part) -> pd.DataFrame | None:
    """List the users that have a drift: their grouped clicks, eta_u, and p that it is chance.

    Args:
        part: the training part of a dataset, with its Confounder.

    Returns:
        A row for each user; None where drift is not measured on the training part alone, or not at all.
    """
    config, confounder = part.config, part.confounder
    if confounder is None or part.click_order is None or config["drift_history"] != "train":
        return None
    users, items, _ = clicks_in_order_of_time(part, "drift_history")
    known = users > 0
    _, p = drift_by_chance(
        users[known],
        items[known],
        confounder.sparse_membership,
        part.user_num,
        config["drift_smoothing"],
        config["drift_periods"],
    )
    rows = np.flatnonzero(confounder.drifting)
    values = (rows, confounder.n_clicks[rows], confounder.drift[rows], p[rows])
    return pd.DataFrame(dict(zip(COLUMNS, values, strict=True)))
