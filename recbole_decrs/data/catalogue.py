"""Lists the datasets that there are: in the data folder, inside RecBole, and on RecBole's download list."""

from __future__ import annotations

import os
from pathlib import Path

import recbole
import yaml

from recbole_decrs.errors import DecRSError, did_you_mean


def check_dataset_is_known(name: str, folder: str) -> None:
    """See that the dataset is in its folder, or that RecBole knows where to download it.

    Args:
        name: of the dataset.
        folder: where its atomic files are expected, ``data_path`` and the name joined.

    Raises:
        DecRSError: neither; with near matches.
    """
    if os.path.isdir(folder):
        return
    url_file = Path(recbole.__file__).parent / "properties" / "dataset" / "url.yaml"
    downloads = yaml.safe_load(url_file.read_text(encoding="utf-8"))
    if name in downloads:
        return
    beside = Path(folder).parent
    local = [entry.name for entry in beside.iterdir() if entry.is_dir()] if beside.is_dir() else []
    raise DecRSError(
        f"there is no folder {folder} and RecBole knows no dataset named {name} to download"
        f"{did_you_mean(name, ['ml-100k', *local, *downloads]) or '; set data_path to the folder that holds it'}"
    )
