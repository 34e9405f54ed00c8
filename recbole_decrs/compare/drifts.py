"""Lists the drift of each user of a comparison, and what it would be by chance."""

from __future__ import annotations

import numpy as np
import pandas as pd

from recbole_decrs.causal.drift_by_chance import drift_by_chance
from recbole_decrs.data.estimation import drift_history
from recbole_decrs.making import Data

COLUMNS = ("user", "clicks", "eta", "p")
"""The columns of :func:`drifts_of`."""


def drifts_of(data: Data) -> pd.DataFrame | None:
    """List the users that have a drift: how many grouped clicks they have in training, eta_u, and p that it is chance.

    The latter two are of the clicks that ``drift_history`` names, those of validation perhaps among them.

    Args:
        data: a dataset and its loaders.

    Returns:
        A row for each user; None where drift is not measured, as where clicks have no times.
    """
    part, confounder = data.part, data.part.confounder
    if confounder is None or part.click_order is None:
        return None
    config, parts = part.config, [part, data.valid._dataset]
    history = drift_history(config["drift_history"], [one.clicks for one in parts], [one.click_order for one in parts])
    _, p = drift_by_chance(
        *history,
        confounder.sparse_membership,
        part.user_num,
        config["drift_smoothing"],
        config["drift_periods"],
    )
    rows = np.flatnonzero(confounder.drifting)
    values = (rows, confounder.n_clicks[rows], confounder.drift[rows], p[rows])
    return pd.DataFrame(dict(zip(COLUMNS, values, strict=True)))
