"""Settings are held against the configuration keys that anyone knows, and against what these may hold."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable
from functools import cache
from logging import getLogger
from typing import Any

from recbole_decrs.checks import Check
from recbole_decrs.errors import DecRSError, did_you_mean, near_misses
from recbole_decrs.keys import KEYS
from recbole_decrs.plain_values import read_literal, repeated_key
from recbole_decrs.recbole_checks import EVAL_ARGS, INTERVALS, RECBOLES_CHECKS
from recbole_decrs.recbole_keys import READ_KEY, recboles_keys

CHECKS: dict[str, Check] = {**{name: key.check for name, key in KEYS.items()}, **RECBOLES_CHECKS}
"""The check of each key that has one."""


def read_setting(key: str, value: Any) -> Any:
    """Read a setting given as text as the literal that it spells; an interval and an encoding stay text.

    Raises:
        DecRSError: a dictionary has a key twice.
    """
    if (twice := repeated_key(value)) is not None:
        raise DecRSError(
            f"{key}: {twice!r} stands twice, and one would be dropped; put what belongs to it in one place"
        )
    return value if key in (*INTERVALS, "encoding") else read_literal(value)


def check_options(settings: dict[str, Any]) -> None:
    """Hold the value of each key that has a check against it.

    Raises:
        DecRSError: a value is outside what its key takes; the message names both.
    """
    for key, check in CHECKS.items():
        if key in settings:
            check.require(key, settings[key])
    for key, check in EVAL_ARGS.items():
        if key in settings["eval_args"]:
            check.require(f"eval_args: {key}", settings["eval_args"][key])


def tell_unknown_keys(given: Iterable[str], model_class: type) -> list[str]:
    """Warn of each key that changes nothing.

    Args:
        given: the keys of the user's.
        model_class: the model, which may read keys of its own.

    Returns:
        the warnings, a sentence for each such key.

    Raises:
        DecRSError: one is nearly a key of the plugin's.
    """
    unknown = [key for key in given if key not in known_keys()]
    unknown = [key for key in unknown if key not in keys_read_by(model_class)]
    for key in unknown:
        if near := near_misses(key, [*CHECKS, "config_files"]):
            raise DecRSError(f"there is no configuration key {key}; did you mean {' or '.join(near)}?")
    remarks = [
        f"nobody knows the configuration key {key}, it changes nothing"
        f"{did_you_mean(key, known_keys()) or '; check its spelling'}"
        for key in unknown
    ]
    for remark in remarks:
        getLogger().warning(remark)
    return remarks


def refuse_unknown_options(
    settings: Iterable[str], own: Iterable[str], command: str, meant: dict[str, str] | None = None
) -> None:
    """See that a command's settings are options of its own or configuration keys.

    Args:
        settings: names of settings, as typed.
        own: the options of the command.
        command: its name.
        meant: names that people type for options of the command.

    Raises:
        DecRSError: one is neither, with the option that may be meant.
    """
    own, meant = list(own), meant or {}
    for key in settings:
        if key in own or (key in known_keys() and key not in meant):
            continue
        near = [meant[key]] if key in meant else near_misses(key, own) or near_misses(key, known_keys())
        listed = ", ".join(f"--{name}" for name in own)
        hint = f"; did you mean --{near[0]}?" if near else f"; it takes {listed}, and configuration keys"
        raise DecRSError(f"{command} takes no --{key}{hint}")


@cache
def keys_read_by(model_class: type) -> frozenset[str]:
    """List the configuration keys that a model of the user's own reads, as far as its source can be had."""
    keys: set[str] = set()
    for kind in model_class.__mro__:
        try:
            keys |= set(re.findall(READ_KEY, inspect.getsource(kind)))
        except (OSError, TypeError):  # a built-in class, or one typed at a prompt
            continue
    return frozenset(keys)


@cache
def known_keys() -> frozenset[str]:
    """List every configuration key that RecBole or the plugin reads."""
    return recboles_keys() | KEYS.keys()
