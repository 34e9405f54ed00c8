"""A training step of DecFM with 18, 253 and 2,000 groups, one and five groups an item."""

import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
from common import PLAIN, SETTINGS, arguments, interleave, quiet, report

N_USERS, N_ITEMS, N_CLICKS = 6_000, 4_000, 200_000


def write(folder: str, name: str, n_groups: int, per_item: int) -> None:
    """Random clicks, and items each in ``per_item`` of ``n_groups`` groups."""
    rng = np.random.default_rng(0)
    path = Path(folder) / name
    path.mkdir()
    users, items = rng.integers(N_USERS, size=N_CLICKS), rng.integers(N_ITEMS, size=N_CLICKS)
    clicks = pd.DataFrame({"user_id:token": users, "item_id:token": items, "timestamp:float": np.arange(N_CLICKS)})
    clicks = clicks.drop_duplicates(["user_id:token", "item_id:token"])
    clicks.to_csv(path / f"{name}.inter", sep="\t", index=False)
    groups = [" ".join(f"g{group}" for group in rng.choice(n_groups, per_item, replace=False)) for _ in range(N_ITEMS)]
    table = pd.DataFrame({"item_id:token": np.arange(N_ITEMS), "groups:token_seq": groups})
    table.to_csv(path / f"{name}.item", sep="\t", index=False)


def main() -> None:
    """Print the table."""
    chosen = arguments(__doc__, rounds=7, steps=100)
    quiet()
    from recbole_decrs.config import DecRSConfig
    from recbole_decrs.data.id_loader import IdLoader
    from recbole_decrs.data.preparation import create_dataset, data_preparation
    from recbole_decrs.model import DecFM
    from recbole_decrs.single_trainer import trainer_for

    with tempfile.TemporaryDirectory() as folder:
        sides = {}
        for per_item in (1, 5):
            for n_groups in (18, 253, 2000):
                name = f"{n_groups}-{per_item}"
                write(folder, name, n_groups, per_item)
                options = {
                    **SETTINGS,
                    **PLAIN,
                    "data_path": folder,
                    "group_field": "groups",
                    "benchmark_filename": None,
                }
                config = DecRSConfig("DecFM", name, config_dict=options)
                train_data, *_ = data_preparation(config, create_dataset(config))
                trainer = trainer_for(config)(config, DecFM(config, train_data.dataset))
                batches = [batch for batch, _ in zip(IdLoader(train_data), range(chosen.steps), strict=False)]
                sides[f"{n_groups} groups, {per_item} an item"] = lambda trainer=trainer, batches=batches: (
                    trainer._train_epoch(batches, 0)
                )
        seconds = interleave(sides, chosen.rounds)
        steps = {name: [value / chosen.steps for value in values] for name, values in seconds.items()}
        report(steps, "18 groups, 1 an item", unit="ms")
        report({name: values for name, values in steps.items() if ", 5" in name}, "18 groups, 5 an item", unit="ms")


if __name__ == "__main__":
    main()
