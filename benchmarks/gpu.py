"""A training epoch and a full sort on a GPU: RecBole's FM against the plugin's models, and these on the processor."""

import torch
from common import PLAIN, arguments, environment, interleave, prepare, quiet, report

NAMES = ("FM", "DecFM", "NFM", "DecNFM")


def main() -> None:
    """Print the tables."""
    chosen = arguments(__doc__, rounds=5, fm_batch=4096, batch=2048, cpu_rounds=1)
    if not torch.cuda.is_available():
        raise SystemExit("there is no GPU here")
    quiet()
    from recbole.model.context_aware_recommender.fm import FM as RecBoleFM
    from recbole.trainer import Trainer

    from recbole_decrs.data.id_loader import IdLoader
    from recbole_decrs.model.catalogue import find_model
    from recbole_decrs.single_trainer import trainer_for

    accuracy = {"metrics": ["Recall", "NDCG"], "valid_metric": "Recall@10", "train_batch_size": chosen.batch}
    settings = PLAIN | accuracy | {"eval_batch_size": chosen.fm_batch}
    config, train_data, _, test_data = prepare("FM", chosen.data_path, **settings)
    recbole = Trainer(config, RecBoleFM(config, train_data.dataset).to(config["device"]))
    epochs = {"RecBole FM": lambda: recbole._train_epoch(train_data, 0)}
    sorts = {"RecBole FM": lambda data=test_data: recbole.evaluate(data, load_best_model=False)}
    on_cpu, bytes_of = {}, {}
    for device in ("GPU", "CPU"):
        for name in NAMES:
            settings = PLAIN | accuracy | {"use_gpu": device == "GPU"}
            config, train_data, _, test_data = prepare(name, chosen.data_path, **settings)
            model = find_model(name)(config, train_data.dataset).to(config["device"])
            trainer, loader = trainer_for(config)(config, model), IdLoader(train_data, config["device"])
            if device == "CPU":
                on_cpu[f"{name}, CPU"] = lambda trainer=trainer, data=loader: trainer._train_epoch(data, 0)
                continue
            torch.cuda.reset_peak_memory_stats()
            epochs[name] = lambda trainer=trainer, data=loader: trainer._train_epoch(data, 0)
            sorts[name] = lambda trainer=trainer, data=test_data: trainer.evaluate(data, load_best_model=False)
            epochs[name]()
            bytes_of[name] = torch.cuda.max_memory_allocated()
    print(f"One training epoch, batches of {chosen.batch}")
    report(interleave(epochs, chosen.rounds), "RecBole FM")
    print(f"\nThe same, {chosen.threads} threads of the processor beside the GPU")
    report(interleave({"FM": epochs["FM"], "DecFM": epochs["DecFM"]} | on_cpu, chosen.cpu_rounds), "FM")
    print("\nFull sort of the test part")
    report(interleave(sorts, chosen.cpu_rounds), "RecBole FM")
    print(
        "\nmemory of the GPU in training: " + ", ".join(f"{name} {used >> 20} MiB" for name, used in bytes_of.items())
    )
    print(environment())


if __name__ == "__main__":
    main()
