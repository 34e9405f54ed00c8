"""A training step of FM with tables of 10,000 rows, 4 and 16 times as many, and a million: every row, or those touched.

The batches are as large for every table, so only a step that goes over every row takes longer with more of them.
Times are the processor's, of all threads together, which other programs disturb less.
"""

import tempfile
import time
from functools import partial

import torch
from common import PLAIN, SETTINGS, arguments, interleave, quiet, report
from group_scaling import write

ROWS = (10_000, 40_000, 160_000, 1_000_000)


def enlarge(model, n_rows: int) -> None:
    """Give the model tables of so many rows, and its users and items random ones of them."""
    for tables in (model, model.first_order_linear):
        embedding = tables.token_embedding_table.embedding
        embedding.weight = torch.nn.Parameter(0.01 * torch.randn(n_rows, embedding.weight.shape[1]))
    for side in (model.users, model.items):
        side.tokens = torch.randint(n_rows, side.tokens.shape)
    model._feature_embeddings = model.feature_embeddings()


def main() -> None:
    """Print the tables."""
    chosen = arguments(__doc__, rounds=5, steps=10)
    quiet()
    from recbole_decrs.config import DecRSConfig
    from recbole_decrs.data.id_loader import IdLoader
    from recbole_decrs.data.preparation import create_dataset, data_preparation
    from recbole_decrs.epoch import train_epoch
    from recbole_decrs.model import FM
    from recbole_decrs.model.in_place_gradients import keep_gradients
    from recbole_decrs.single_trainer import trainer_for

    def every_row(parameters):
        optimizer = torch.optim.Adagrad(parameters, lr=SETTINGS["learning_rate"], fused=True)
        keep_gradients(optimizer)
        return optimizer

    with tempfile.TemporaryDirectory() as folder:
        write(folder, "clicks", 18, 1)
        own = {"data_path": folder, "group_field": "groups", "benchmark_filename": None}
        for norm in (0, 0.1):
            sides = {}
            for n_rows in ROWS:
                options = SETTINGS | PLAIN | own | {"embedding_norm_weight": norm}
                config = DecRSConfig("FM", "clicks", config_dict=options)
                train_data, *_ = data_preparation(config, create_dataset(config))
                batches = [batch for batch, _ in zip(IdLoader(train_data), range(chosen.steps), strict=False)]
                for name in ("touched rows", "every row"):
                    model = FM(config, train_data.dataset).train()
                    enlarge(model, n_rows)
                    optimizer = trainer_for(config)(config, model).optimizer
                    if name == "every row":
                        optimizer = every_row(model.parameters())
                    sides[f"{n_rows:,} rows, {name}"] = partial(train_epoch, model, optimizer, batches)
            print(f"\nembedding_norm_weight: {norm}")
            seconds = interleave(sides, chosen.rounds, time.process_time)
            report(
                {name: [value / chosen.steps for value in values] for name, values in seconds.items()},
                f"{ROWS[0]:,} rows, every row",
                unit="ms",
            )


if __name__ == "__main__":
    main()
