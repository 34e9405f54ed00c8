"""From files to loaders: RecBole's Dataset against the plugin's, on synthetic clicks of Zipf's law at 1x, 4x and 16x.

Each side is a process of its own, in turn, so that its peak of memory is known; seconds are those of its processor,
which other programs on the machine change less than those of the clock.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
from common import arguments, environment

STAGES = {"_load_data": "read", "_filter_by_inter_num": "k-core", "build": "split"}
ALL = "all, loaders included"
CODE = """
import json, logging, sys, warnings
warnings.simplefilter("ignore")
logging.disable(logging.WARNING)
sys.argv = ["reading"]
import torch
torch.set_num_threads({threads})
from recbole_decrs.config import DecRSConfig
config = DecRSConfig("BPR", "zipf", config_dict={settings!r})
{side}
sys.path.insert(0, {here!r})
from stages import Stages
stages = Stages()
for name, stage in {stages!r}.items():
    stages.go_over(stage, kind, name)
data_preparation(config, make(config))
stages.charge()
print(json.dumps(stages.spent))
"""
RECBOLE = """
from recbole.data.utils import Sampler, data_preparation
from recbole.data.dataset import Dataset as kind
make = kind
assert Sampler.__module__.startswith("recbole."), "the plugin's has been put in its place"
"""
HERE = "from recbole_decrs.data.preparation import DecRSDataset as kind, create_dataset as make, data_preparation"
SIDES = {"RecBole": RECBOLE, "here": HERE, "here, without polars": f"sys.modules['polars'] = None\n{HERE}"}


def write_clicks(folder: Path, n_clicks: int) -> None:
    """Write an .inter file: users alike, items by Zipf's law, ids as long as Amazon's."""
    rng = np.random.default_rng(0)
    n_users, n_items = n_clicks // 50, max(1000, n_clicks // 100)
    chance = 1 / np.arange(1, n_items + 1)
    table = pd.DataFrame(
        {
            "user_id:token": rng.integers(n_users, size=n_clicks),
            "item_id:token": rng.permutation(n_items)[rng.choice(n_items, size=n_clicks, p=chance / chance.sum())],
            "rating:float": rng.integers(1, 6, size=n_clicks).astype(float),
            "timestamp:float": rng.integers(10**9, 16 * 10**8, size=n_clicks),
        }
    ).drop_duplicates(["user_id:token", "item_id:token"])
    table["user_id:token"] = "A1" + (table["user_id:token"] + 10**11).astype(str)
    table["item_id:token"] = "B" + (table["item_id:token"] + 10**8).astype(str)
    folder.mkdir()
    table.to_csv(folder / "zipf.inter", sep="\t", index=False)


def measured(side: str, folder: str, threads: int) -> dict[str, float]:
    """Seconds by stage, and the peak of memory in GiB."""
    settings = {
        "data_path": folder,
        "load_col": {"inter": ["user_id", "item_id", "rating", "timestamp"]},
        "user_inter_num_interval": "[10,inf)",
        "item_inter_num_interval": "[10,inf)",
        "eval_args": {"split": {"RS": [0.8, 0.1, 0.1]}, "order": "TO", "group_by": "user", "mode": "full"},
        "val_interval": None,
        "metrics": ["Recall"],
        "valid_metric": "Recall@10",
    }
    here = str(Path(__file__).parent)
    code = CODE.format(threads=threads, settings=settings, side=SIDES[side], stages=STAGES, here=here)
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, env=os.environ, capture_output=True, text=True)
    if done.returncode:
        sys.exit(done.stderr)
    spent = json.loads(done.stdout.splitlines()[-1])
    _, cpus, peaks = zip(*spent.values(), strict=True)
    return {**{stage: spent[stage][1] for stage in STAGES.values()}, ALL: sum(cpus), "GiB": max(peaks)}


def main() -> None:
    """Print the table."""
    chosen = arguments(__doc__, rounds=1, smallest=350_000, largest=5_600_000)
    names = [*STAGES.values(), ALL]
    print(f"\n| million rows | side | {' | '.join(f'{name} [s]' for name in names)} | peak memory [GiB] |")
    print("|---" * (len(names) + 3) + "|")
    n_clicks = chosen.smallest
    while n_clicks <= chosen.largest:
        with tempfile.TemporaryDirectory() as folder:
            write_clicks(Path(folder, "zipf"), n_clicks)
            base = None
            for side in SIDES:
                rounds = [measured(side, folder, chosen.threads) for _ in range(chosen.rounds)]
                best = {name: min(found[name] for found in rounds) for name in rounds[0]}
                base = base or best
                cells = [f"{best[name]:.1f} ({base[name] / max(best[name], 0.01):.1f}x)" for name in names]
                memory = f"{best['GiB']:.2f}"
                print(f"| {n_clicks / 1e6:g} | {side} | {' | '.join(cells)} | {memory} |", flush=True)
        n_clicks *= 4
    print(f"\n{environment()}\ncommand: python {' '.join(sys.argv)}")


if __name__ == "__main__":
    main()
