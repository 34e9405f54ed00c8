"""The re-rankers for one user, as slow loops straight from their definitions."""

import math

import numpy as np

from recbole_decrs.causal import calibration_kl


def calibration(scores, items, confounder, user, weight, length):
    chosen = []
    for _ in range(length):
        objectives = {}
        for place in range(len(items)):
            if place in chosen or scores[place] == -math.inf:
                continue
            listed = [*chosen, place]
            recommended = sum(confounder.membership[items[other]] for other in listed) / len(listed)
            distance = calibration_kl(confounder.user_distribution[user], recommended)
            objectives[place] = (1 - weight) * sum(scores[other] for other in listed) - weight * float(distance)
        chosen.append(first_best(objectives, scores, chosen))
    return chosen


def diversity(scores, items, confounder, user, weight, length):
    chosen = []
    for _ in range(length):
        left = [place for place in range(len(items)) if place not in chosen and scores[place] > -math.inf]
        if chosen:
            similarity = {
                place: sum(
                    cosine(confounder.membership[items[place]], confounder.membership[items[other]]) for other in chosen
                )
                for place in left
            }
            unlike_first = sorted(left, key=lambda place: (round(similarity[place], 9), place))
            objectives = {place: -((1 - weight) * place + weight * unlike_first.index(place)) for place in left}
        else:
            objectives = {place: -place for place in left}
        chosen.append(first_best(objectives, scores, chosen))
    return chosen


def fairco(scores, items, confounder, user, weight, length):
    listed = [place for place in range(len(items)) if scores[place] > -math.inf]
    ratios = []
    for group in range(len(confounder.group_names)):
        share = {place: confounder.membership[items[place]][group] for place in listed}
        exposure = sum(share[place] / math.log2(1 + place + 1) for place in listed)
        merit = sum(share[place] * scores[place] for place in listed)
        ratios.append(exposure / max(merit, 1e-6))
    objectives = {}
    for place in listed:
        q = confounder.membership[items[place]]
        error = sum(q[group] * (max(ratios) - ratios[group]) for group in range(len(ratios)))
        objectives[place] = scores[place] + weight * error
    chosen = []
    for _ in range(length):
        left = {place: value for place, value in objectives.items() if place not in chosen}
        chosen.append(first_best(left, scores, chosen))
    return chosen


def first_best(objectives, scores, chosen):
    """The first of the largest; where no candidate is left, the first missing one."""
    if not objectives:
        return next(place for place in range(len(scores)) if place not in chosen)
    best = max(objectives.values())
    rounding = max(1e-9, 1e-13 * max(map(abs, objectives.values())))
    return next(place for place, value in sorted(objectives.items()) if value > best - rounding)


def cosine(one, other):
    lengths = np.linalg.norm(one) * np.linalg.norm(other)
    return float(one @ other / lengths) if lengths else 0.0


RERANKERS = {"calibration": calibration, "diversity": diversity, "fairco": fairco}
