"""A training epoch by one process and by two with a thread each, on MovieLens-100K and with large tables."""

import os
import statistics
import time
from functools import partial

import torch
from common import arguments, quiet

WIDE = {"embedding_size": 256, "mlp_hidden_size": [256], "train_batch_size": 8192}
"""Settings with which a step computes more; the defaults are the paper's."""


def main() -> None:
    """Print the table."""
    os.environ["OMP_NUM_THREADS"] = "1"
    chosen = arguments(__doc__, rounds=3, processes=2)
    torch.set_num_threads(1)
    from recbole_decrs.distributed.launch import launch
    from recbole_decrs.distributed.settings import Layout

    print("\n| model | processes | epoch [s] | CPU of each [s] | bytes summed a step |\n|---|---|---|---|---|")
    for name, settings in (("DecFM", {}), ("DecNFM", {}), ("DecNFM, wide", WIDE)):
        for n in (1, chosen.processes):
            call = partial(epochs, name.partition(",")[0], settings, chosen.rounds)
            wall, processor, size = call() if n == 1 else launch(call, Layout(n, n))
            print(f"| {name} | {n} | {wall:.2f} | {processor:.2f} | {size if n > 1 else ''} |", flush=True)
    print(f"\n{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")


def epochs(model: str, settings: dict, rounds: int) -> tuple[float, float, int]:
    """Train a model for some epochs, in this process of perhaps several, of which the first does not count.

    Returns:
        the median of the seconds of an epoch, of those of this process's processor, and the bytes of all gradients.
    """
    quiet()
    from recbole_decrs.config import DecRSConfig
    from recbole_decrs.data.id_loader import IdLoader
    from recbole_decrs.distributed.group import connect
    from recbole_decrs.making import make_data, make_model
    from recbole_decrs.single_trainer import trainer_for

    config = DecRSConfig(model, "ml-100k", config_dict={**settings, "show_progress": False, "use_gpu": False})
    connect(config["device"])
    data = make_data(config)
    trainer = trainer_for(config)(config, make_model(config, data.part, both=False))
    loader, wall, processor = IdLoader(data.train), [], []
    for _ in range(rounds + 1):
        before = time.perf_counter(), time.process_time()
        trainer._train_epoch(loader, 0)
        wall.append(time.perf_counter() - before[0])
        processor.append(time.process_time() - before[1])
    size = sum(parameter.nbytes for parameter in trainer.model.parameters())
    return statistics.median(wall[1:]), statistics.median(processor[1:]), size


if __name__ == "__main__":
    main()
