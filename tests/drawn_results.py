"""Makes the results of a comparison from random numbers, where nothing needs to be trained."""

import numpy as np

from recbole_decrs.compare import Outcome, Results

USERS = np.array([4, 2, 9, 7, 1])
METHODS = ("backbone", "calibration", "decrs", "ensemble", "other_seed", "constant")
METRICS = ("recall@5", "recall@10", "ckl@10")


def results(seeds=(2020, 2021, 2022), methods=METHODS):
    """Draw a number for each method over FM, seed, metric and user."""
    rng, outcomes = np.random.default_rng(3), {}
    for name in methods:
        for seed in seeds:
            by_user = {metric: rng.random(len(USERS)) for metric in METRICS}
            test = {metric: values.mean() for metric, values in by_user.items()}
            info = {"test": test, "by_drift": [], "chosen": None, "valid_scores": []}
            outcomes["FM", name, seed] = Outcome(info, {"users": USERS, **by_user})
    return Results({"FM": list(methods)}, list(seeds), outcomes, {}, {"FM": ("recall@10", True)})
