"""Plans a comparison: which methods are run over which backbones, and with which seeds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from logging import getLogger

from recbole.utils import ModelType

from recbole_decrs.compare.checks import check_settings
from recbole_decrs.compare.method_registry import enter_rerankers
from recbole_decrs.compare.methods import METHODS, PARTNER, title
from recbole_decrs.compare.wanted import Configure, check_one_model_a_name
from recbole_decrs.config_checks import check_reranking
from recbole_decrs.errors import DecRSError, did_you_mean
from recbole_decrs.model.catalogue import find_model
from recbole_decrs.model.deconfound import is_deconfounded

MOST_SEEDS = 1000
"""More than anybody trains; a larger number is a seed."""


@dataclass(frozen=True)
class Plan:
    """Says which methods are run over which backbones, and with which seeds."""

    methods: dict[str, list[str]]
    """Names of methods by backbone, in the order of the tables."""
    left_out: dict[str, str]
    """Why the other methods that were wanted do not go with a backbone, by both."""
    seeds: list[int]


def plan_of(
    backbones: list[str], methods: Sequence[str] | str, seeds: int | Sequence[int], configure: Configure
) -> Plan:
    """Plan a comparison, and warn of what is left out.

    Args:
        backbones: names of conventional models.
        methods: names of methods, or ``all``; the backbones themselves are always in it.
        seeds: how many, from the key ``seed`` on; or which.
        configure: makes the configuration of a model.

    Raises:
        DecRSError: a name is unknown, the backbones would be tested on different clicks, a setting or the seeds
            cannot be used, or two methods want different models under one name.
    """
    enter_rerankers()
    wanted = list(METHODS) if methods == "all" else ["backbone", *methods]
    for name in wanted:
        if name not in METHODS:
            raise DecRSError(
                f"methods: there is no method {name}{did_you_mean(name, METHODS) or f'; take of {list(METHODS)}'}"
            )
    _check_same_clicks(backbones, configure)
    planned, left_out = {}, {}
    for backbone in backbones:
        reasons = _reasons(backbone, [name for name in METHODS if name in wanted], configure)
        planned[backbone] = [name for name, reason in reasons.items() if reason is None]
        for name, reason in reasons.items():
            if reason:
                left_out[f"{backbone}, {title(backbone, name)}"] = reason
                getLogger().warning(f"{title(backbone, name)} is left out for {backbone}: {reason}")
    numbers = _seeds(seeds, configure(backbones[0], {})["seed"])
    _check_nothing_in_common(numbers, {METHODS[name].seed_shift for names in planned.values() for name in names})
    for backbone in backbones:
        _check_shared_models(backbone, planned[backbone], numbers, configure)
    return Plan(planned, left_out, numbers)


def _check_same_clicks(backbones: list[str], configure: Configure) -> None:
    """See that the numbers of the backbones can stand in one table."""
    splits = {backbone: configure(backbone, {})["eval_args"]["split"] for backbone in backbones}
    other = next((backbone for backbone in backbones if splits[backbone] != splits[backbones[0]]), None)
    if other is not None:
        raise DecRSError(
            f"eval_args: {backbones[0]} and {other} would be tested on other clicks, by the splits "
            f"{splits[backbones[0]]} and {splits[other]}; give all backbones the same, such as "
            "--eval_args=\"{'split': {'LS': 'valid_and_test'}}\""
        )
    sequential = [name for name in backbones if configure(name, {})["MODEL_TYPE"] == ModelType.SEQUENTIAL]
    if sequential and len(sequential) < len(backbones):
        getLogger().warning(
            f"{', '.join(sequential)} may recommend what a user has clicked before, as RecBole evaluates sequential "
            "models, and the other backbones may not: compare within a backbone"
        )


def _reasons(backbone: str, names: list[str], configure: Configure) -> dict[str, str | None]:
    """Tell by method why it does not go with a backbone; None where it does."""
    if is_deconfounded(find_model(backbone)):
        raise DecRSError(f"backbones: {backbone} is deconfounded; name the conventional {backbone[3:]}")
    config = configure(backbone, {})
    check_settings(config)
    try:
        twin = find_model(f"Dec{backbone}")
    except DecRSError:
        twin = None
    for name in names:
        if METHODS[name].reranker:
            check_reranking(config, METHODS[name].reranker)
    return {name: METHODS[name].left_out_because(config, twin) for name in names}


def _check_shared_models(backbone: str, names: list[str], seeds: list[int], configure: Configure) -> None:
    """See that methods which share models want the same ones.

    A method is held against the one that it names in ``trains`` even where that one is not compared.
    """
    shared = {METHODS[name].trains for name in names}
    owners = _reasons(backbone, [name for name in METHODS if name in shared], configure)
    in_order = dict.fromkeys([*(name for name, reason in owners.items() if reason is None), *names])
    for seed in seeds:
        check_one_model_a_name(in_order, backbone, seed, configure)


def _check_nothing_in_common(seeds: list[int], shifts: set[int]) -> None:
    """See that no seed's second model, whose seed is another by a shift, is the first of another seed."""
    for shift in sorted(shifts - {0}):
        for first in (seed for seed in seeds if seed + shift in seeds):
            raise DecRSError(
                f"seeds: {first} and {first + shift} are {shift} apart, so that the second model of seed {first} in "
                f"averages of two would be that of seed {first + shift}; take others, which have nothing in common"
            )


def _seeds(seeds: int | Sequence[int], first: int) -> list[int]:
    if isinstance(seeds, int) and not isinstance(seeds, bool):
        if seeds > MOST_SEEDS:
            raise DecRSError(f"seeds: {seeds} are too many; for the seed of that number write [{seeds}]")
        seeds = range(first, first + seeds)
    numbers = isinstance(seeds, Sequence) and all(isinstance(seed, int) for seed in seeds)
    if not numbers or not seeds or not all(0 <= seed < 2**32 - PARTNER for seed in seeds):
        raise DecRSError(f"seeds must be how many, such as 3, or which in [0, {2**32 - PARTNER}), such as [2020,2021]")
    if twice := [seed for place, seed in enumerate(seeds) if seed in seeds[:place]]:
        raise DecRSError(f"seeds: {twice[0]} stands there twice; keep one")
    return list(seeds)
