"""Finds the YAML files of defaults."""

from __future__ import annotations

from pathlib import Path

from recbole_decrs.errors import DecRSError


def properties_dir() -> Path:
    """Find the folder of the YAML defaults: inside the installed package, or beside it in a checkout.

    Raises:
        DecRSError: neither is there.
    """
    package = Path(__file__).parent
    for folder in (package / "properties", package.parent / "properties"):
        if (folder / "overall.yaml").is_file():
            return folder
    raise DecRSError(f"no properties/overall.yaml in {package} or beside it; reinstall recbole_decrs")


def default_files(model: str, backbone: str, dataset: str) -> dict[str, Path]:
    """Find the YAML files of defaults, each of which goes over those before it.

    Args:
        model, dataset: their names.
        backbone: that of RecBole's model which the model is, extends or deconfounds.

    Returns:
        The files that there are, by what they hold for: ``all``, the ``model``, the ``dataset``, ``both`` (the backbone
        on the dataset).
    """
    folder = properties_dir()
    files = {
        "all": folder / "overall.yaml",
        "model": folder / "model" / f"{model}.yaml",
        "dataset": folder / "dataset" / f"{dataset}.yaml",
        "both": folder / "model" / f"{backbone}-{dataset}.yaml",  # no class has a hyphen, as a dataset's name may
    }
    return {name: file for name, file in files.items() if file.is_file()}
