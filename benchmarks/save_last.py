"""What saving the last state after each epoch costs."""

import sys
from statistics import median

from common import arguments, environment, interleave, prepare, quiet


def main() -> None:
    """Print the table."""
    chosen = arguments(__doc__, rounds=5, models="FM,NFM,DecFM,DecNFM,BPR")
    quiet()
    from recbole_decrs.checkpoint import header_of
    from recbole_decrs.data.id_loader import IdLoader
    from recbole_decrs.model.catalogue import find_model
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
    print(f"\n{environment()}\ncommand: python {' '.join(sys.argv)}")


if __name__ == "__main__":
    main()
