"""Names the releases of the packages that numbers were made with."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import platform

from recbole_decrs import __version__

PACKAGES = ("recbole", "torch", "numpy", "scipy", "pandas", "numba", "matplotlib")


def versions() -> dict[str, str]:
    """List the release of recbole_decrs, of Python and of each package that is installed, by name."""
    packages = {name: importlib.metadata.version(name) for name in PACKAGES if importlib.util.find_spec(name)}
    return {"recbole_decrs": __version__, "python": platform.python_version(), **packages}
