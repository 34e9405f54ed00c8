"""Mends RecBole 1.2.1 for today's packages, from outside: each mend knows which release of which package broke what.

RecBole speaks to numpy 1, pandas 2, scipy 1.12 and hyperopt 0.2.5. :func:`mend_recbole` is called once, before RecBole
is used, and changes nothing where nothing is broken; RecBole's files stay as they are. ``docs/recbole.md`` has the
table of these mends, and of everything else that the plugin changes in RecBole.
"""

from __future__ import annotations

import importlib
import inspect
import textwrap
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import hyperopt
import numpy as np
import pandas as pd
import scipy.sparse


@dataclass(frozen=True)
class Mend:
    """Describes one thing that a newer package broke in RecBole, and how it is put right."""

    broken_by: str
    """The first release that broke it."""
    what: str
    """What no longer works."""
    is_broken: Callable[[], bool]
    """Whether it is so with the packages that are installed, found out by trying where it can be tried."""
    mend: Callable[[], None]


def changed_source(where: str, changes: dict[str, str]) -> Callable[[], None]:
    """Make a mend that compiles a function of RecBole's again with expressions of its source replaced.

    An expression in the middle of a long function cannot be reached from outside in any other way, and a copy of the
    whole function would be RecBole's code in this repository.

    Args:
        where: ``module:function`` or ``module:Class.function``.
        changes: expression -> what stands in its place. One that the source does not have is passed over: another
            release of RecBole may have mended it.
    """

    def mend() -> None:
        module, _, path = where.partition(":")
        *owners, name = path.split(".")
        owner: Any = importlib.import_module(module)
        for attribute in owners:
            owner = getattr(owner, attribute)
        function = vars(owner)[name]
        lines, first_line = inspect.getsourcelines(function)
        source = textwrap.dedent("".join(lines))
        new_source = source
        for old, new in changes.items():
            new_source = new_source.replace(old, new)
        if new_source == source:
            return
        # At the lines of RecBole's file, so that a traceback shows the right ones.
        padding = "\n" * (first_line - 1)
        found: dict[str, Any] = {}
        exec(compile(padding + new_source, inspect.getsourcefile(function), "exec"), function.__globals__, found)
        setattr(owner, name, found[name])

    return mend


def every(*mends: Callable[[], None]) -> Callable[[], None]:
    """Make one mend of several."""

    def mend() -> None:
        for one in mends:
            one()

    return mend


def _keep_names_of_numpy() -> None:
    """Give numpy back the names of builtins as RecBole does, but not by way of others that numpy 2 took away."""
    from recbole.config import Config

    def compatibility_settings(self) -> None:
        for name, kind in NAMES_OF_NUMPY.items():
            setattr(np, name, kind)

    Config.compatibility_settings = compatibility_settings


NAMES_OF_NUMPY = {
    "bool": np.bool_,
    "int": np.int_,
    "float": np.float64,
    "complex": np.complex128,
    "object": np.object_,
    "str": np.str_,
    "long": np.int_,
    "unicode": np.str_,
}


def _filling_changes_a_copy() -> bool:
    table = pd.DataFrame({"cell": [np.nan]})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        table["cell"].fillna(0, inplace=True)
    return bool(table["cell"].isna().any())


def _update_a_dok_matrix() -> None:
    def _update(self, values: dict) -> None:
        self._dict.update(values)

    scipy.sparse.dok_matrix._update = _update


def _lengths(where: str) -> Callable[[], None]:
    return changed_source(where, {".agg(len)": ".map(len)"})


DATASET = "recbole.data.dataset.dataset:Dataset"

MENDS = (
    Mend(
        "numpy 2.0",
        "every run: `Config.compatibility_settings` reads `np.float_`, `np.complex_`, `np.unicode_`, which are gone",
        lambda: not hasattr(np, "float_"),
        _keep_names_of_numpy,
    ),
    Mend(
        "pandas 3.0",
        "missing tokens, numbers and sequences stay missing: `df[column].fillna(..., inplace=True)` fills a copy",
        _filling_changes_a_copy,
        every(
            changed_source(
                f"{DATASET}._load_feat",
                {'df[field].fillna(value="", inplace=True)': 'df[field] = df[field].fillna(value="")'},
            ),
            changed_source(
                f"{DATASET}._fill_nan",
                {
                    "feat[field].fillna(value=0, inplace=True)": "feat[field] = feat[field].fillna(value=0)",
                    "feat[field].fillna(value=feat[field].mean(), inplace=True)": (
                        "feat[field] = feat[field].fillna(value=feat[field].mean())"
                    ),
                },
            ),
        ),
    ),
    Mend(
        "pandas 3.0",
        "sequences: `Series.agg(len)` gives one number, not the length of each row",
        lambda: not isinstance(pd.Series([[1], [2, 3]]).agg(len), pd.Series),
        every(
            _lengths(f"{DATASET}._normalize"),
            _lengths(f"{DATASET}._discretization"),
            _lengths(f"{DATASET}._remap"),
            _lengths("recbole.data.dataset.kg_dataset:KnowledgeBasedDataset._reset_ent_remapID"),
            _lengths("recbole.data.dataset.sequential_dataset:SequentialDataset._benchmark_presets"),
        ),
    ),
    Mend(
        "pandas 3.0",
        "tensors over columns that must not be written to, and a warning of torch: `df[column].values` is read-only",
        lambda: not pd.DataFrame({"cell": [1]})["cell"].values.flags.writeable,
        changed_source(
            f"{DATASET}._dataframe_to_interaction", {"value = data[k].values": "value = data[k].to_numpy(copy=True)"}
        ),
    ),
    Mend(
        "numpy 1.25",
        "`rm_dup_inter`: clicks at the same time change places from release to release, since the sort is not stable",
        lambda: True,  # on some processors alone, and in other ways in each release
        changed_source(
            f"{DATASET}._remove_duplication",
            {
                "by=[self.time_field], ascending=True, inplace=True": (
                    'by=[self.time_field], ascending=True, inplace=True, kind="stable"'
                )
            },
        ),
    ),
    Mend(
        "scipy 1.13",
        "graph models (LightGCN, NGCF, NCL, GCMC, SpectralCF, KGIN, MCCLK): `dok_matrix._update` is gone",
        lambda: not hasattr(scipy.sparse.dok_matrix, "_update"),
        _update_a_dok_matrix,
    ),
    Mend(
        "hyperopt 0.2.6",
        "exhaustive search: hyperopt draws from a `numpy.random.Generator`, RecBole hands it a `RandomState`",
        lambda: hyperopt.__version__ != "0.2.5",
        changed_source(
            "recbole.trainer.hyper_tuning:exhaustive_search",
            {"np.random.RandomState(seed)": "np.random.default_rng(seed)"},
        ),
    ),
)
"""In the order in which a run meets them."""


@cache
def mend_recbole() -> tuple[Mend, ...]:
    """Put right what newer packages broke in RecBole, once a process.

    Returns:
        the mends that were needed.
    """
    needed = tuple(mend for mend in MENDS if mend.is_broken())
    for mend in needed:
        mend.mend()
    return needed
