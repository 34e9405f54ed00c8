"""Do the numbers stay the same on other packages? Prints what a run on ml-100k comes to, to the last digit, as hashes.

Run it with each set of packages, the second time with --against=FILE of the first:

    python benchmarks/same_numbers.py --write=old.json
    python benchmarks/same_numbers.py --against=old.json
"""

import argparse
import hashlib
import json
import logging
import platform
import shlex
import sys
import warnings
from importlib.metadata import version
from pathlib import Path

import numpy as np
import torch

PACKAGES = ("numpy", "pandas", "scipy", "scikit-learn", "torch", "recbole")
MODELS = {"DecFM": {"epochs": 3}, "DecNFM": {"epochs": 2}, "LightGCN": {"epochs": 2}, "EASE": {}, "ItemKNN": {}}
MODELS |= {"CKE": {"epochs": 1}, "SASRec": {"epochs": 1}, "DecSASRec": {"epochs": 1}}


def main() -> None:
    """Make the numbers, and write them down or hold them against others."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", help="a file for the numbers")
    parser.add_argument("--against", help="a file written with other packages")
    parser.add_argument("--output", help="a file for the table")
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    logging.disable(logging.WARNING)
    warnings.simplefilter("ignore")
    packages = {"python": platform.python_version(), **{name: version(name) for name in PACKAGES}}
    numbers = statistics() | {name: value for model in MODELS for name, value in of_model(model).items()}
    if chosen.write:
        Path(chosen.write).write_text(json.dumps({"packages": packages, "numbers": numbers}, indent=1) + "\n")
    lines = table(packages, numbers, json.loads(Path(chosen.against).read_text()) if chosen.against else None)
    text = "\n".join([*lines, "", f"command: python {shlex.join(sys.argv)}", ""])
    print(text)
    if chosen.output:
        Path(chosen.output).write_text(text, encoding="utf-8")


def digest(*arrays: np.ndarray) -> str:
    """A hash of the bytes of arrays, and of their shapes."""
    found = hashlib.sha256()
    for array in arrays:
        array = np.ascontiguousarray(array)
        found.update(str(array.shape).encode() + array.tobytes())
    return found.hexdigest()[:16]


def statistics() -> dict[str, str]:
    """What is computed of the data alone: splits, d_u, d-bar, eta_u, with every class of RecBole's datasets."""
    from recbole_decrs.config import DecRSConfig
    from recbole_decrs.data.preparation import create_dataset, data_preparation

    found = {}
    cases = {"DecFM": {}, "CKE": {}, "SASRec": {}, "DecFM without repeated clicks": {"rm_dup_inter": "first"}}
    for case, settings in cases.items():
        config = DecRSConfig(case.partition(" ")[0], config_dict=settings)
        parts = [loader._dataset for loader in data_preparation(config, create_dataset(config))]
        confounder = parts[0].confounder
        for name, part in zip(("train", "valid", "test"), parts, strict=True):
            pairs = [part.inter_feat[field].numpy() for field in (part.uid_field, part.iid_field)]
            found[f"{case}: {name} part"] = digest(*pairs)
        found[f"{case}: d_u"] = digest(confounder.user_distribution)
        found[f"{case}: d-bar"] = digest(confounder.prior)
        found[f"{case}: eta_u"] = digest(confounder.drift)
        found[f"{case}: q^i"] = digest(confounder.membership)
        tokens = ["\t".join(parts[0].field2id_token[field]) for field in sorted(parts[0].field2id_token)]
        found[f"{case}: tokens by id"] = hashlib.sha256("\n".join(tokens).encode()).hexdigest()[:16]
    return found


def of_model(model: str) -> dict[str, str]:
    """Metrics of a short run, and the users' lists."""
    import pandas as pd

    from recbole_decrs import run_recbole_decrs

    settings = {**MODELS[model], "show_progress": False, "save_topk": 20}
    result = run_recbole_decrs(model, config_dict=settings)
    lists = pd.read_csv(result["saved_model_file"].removesuffix(".pth") + "-top20.csv", dtype={"user_id": str})
    items = lists["item_id"].to_numpy(np.int64)
    metrics = {name: float(value) for name, value in result["test_result"].items()}
    return {
        f"{model}: lists": digest(items),
        f"{model}: metrics": " ".join(f"{name} {value!r}" for name, value in metrics.items()),
    }


def table(packages: dict[str, str], numbers: dict[str, str], other: dict | None) -> list[str]:
    """One line a number; beside another set of packages, whether it is the same."""
    if other is None:
        return [", ".join(f"{name} {value}" for name, value in packages.items()), ""] + [
            f"{name}: {value}" for name, value in numbers.items()
        ]
    same = [name for name, value in numbers.items() if other["numbers"].get(name) == value]
    lines = ["# The same numbers on old and new packages", "", "| package | old | new |", "|---|---|---|"]
    lines += [f"| {name} | {other['packages'][name]} | {value} |" for name, value in packages.items()]
    lines += [
        "",
        f"{len(same)} of {len(numbers)} are the same to the last digit; a hash stands for an array.",
        "ItemKNN is RecBole's own: which of equally similar neighbours it keeps is up to numpy, which changed.",
        "",
    ]
    lines += ["| number | old | new | the same |", "|---|---|---|---|"]
    for name, value in numbers.items():
        before = other["numbers"].get(name, "-")
        lines.append(f"| {name} | {before} | {value} | {'yes' if before == value else 'no'} |")
    return lines


if __name__ == "__main__":
    main()
