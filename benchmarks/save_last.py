"""What saving the last state after each epoch costs, and what sparse group matrices spare in a checkpoint."""

import sys
import tempfile
from pathlib import Path
from statistics import median

import numpy as np
import torch
from common import arguments, environment, interleave, prepare, quiet

N_USERS, N_ITEMS, N_CLICKS = 21_000, 25_000, 600_000


def main() -> None:
    """Print both tables."""
    chosen = arguments(__doc__, rounds=5, models="FM,NFM,DecFM,DecNFM,BPR", groups=253)
    quiet()
    from recbole_decrs.checkpoint import header_of
    from recbole_decrs.data.id_loader import IdLoader
    from recbole_decrs.model.catalogue import find_model
    from recbole_decrs.plain_data import encode, encode_confounder
    from recbole_decrs.single_trainer import trainer_for

    print("| model | epoch [s] | with its evaluation [s] | saving the last state [s] | of epoch and evaluation |")
    print("|---|---|---|---|---|")
    for name in chosen.models.split(","):
        config, train_data, valid_data, _ = prepare(name, chosen.data_path)
        trainer = trainer_for(config)(config, find_model(name)(config, train_data.dataset))
        trainer.content = header_of(config, train_data.dataset)
        loader = trainer._train_data = train_data if name == "BPR" else IdLoader(train_data)
        trainer.eval_collector.data_collect(train_data)
        seconds = interleave(
            {
                "epoch": lambda trainer=trainer, data=loader: trainer._train_epoch(data, 0),
                "evaluation": lambda trainer=trainer, data=valid_data: trainer._valid_epoch(data),
                "last": lambda trainer=trainer: trainer._save_last(0),
            },
            chosen.rounds,
        )
        both = [one + other for one, other in zip(seconds["epoch"], seconds["evaluation"], strict=True)]
        share = median(last / one for last, one in zip(seconds["last"], both, strict=True))
        print(
            f"| {name} | {median(seconds['epoch']):.2f} | {median(both):.2f} | {median(seconds['last']):.3f} |", end=""
        )
        print(f" {share:.1%} |", flush=True)
        trainer.tensorboard.close()

    confounder = many_groups(chosen.groups)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "confounder"
        print(f"\n| matrices of {chosen.groups} groups, {N_USERS} users, {N_ITEMS} items | MiB |\n|---|---|")
        for kind, content in (
            ("dense", {name: encode(value) for name, value in vars(confounder).items()}),
            ("as it is", encode_confounder(confounder)),
        ):
            torch.save(content, path)
            print(f"| {kind} | {path.stat().st_size / 2**20:.1f} |")
    print(f"\n{environment()}\ncommand: python {' '.join(sys.argv)}")


def many_groups(n_groups: int):
    """The Confounder of random clicks on items in one to three groups, of which some are far larger than others."""
    from recbole_decrs.causal.confounder import estimate_confounder

    rng = np.random.default_rng(0)
    shares = 1 / np.arange(1, n_groups + 1)
    membership = np.zeros((N_ITEMS, n_groups))
    groups = rng.choice(n_groups, (N_ITEMS, 3), p=shares / shares.sum())
    membership[np.arange(N_ITEMS)[:, None], groups] = 1
    membership /= membership.sum(axis=1, keepdims=True)
    users, items = rng.integers(1, N_USERS, N_CLICKS), rng.integers(1, N_ITEMS, N_CLICKS)
    names = tuple(f"g{number}" for number in range(n_groups))
    return estimate_confounder(names, membership, users, items, N_USERS, (users, items))


if __name__ == "__main__":
    main()
