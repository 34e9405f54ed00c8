"""A run of DecFM, one epoch a half, on a synthetic set of Amazon-Book's size: time and peak memory by stage.

``--size=table2`` is the paper's Table 2, ``small`` a sixteenth of it, and ``raw`` the 22.5 M rows that RecBole offers
for download, which are read and filtered to the 20-core, and no more. ``--times=4`` multiplies all counts.
"""

import contextlib
import io
import multiprocessing
import resource
import sys
import time
from pathlib import Path

from amazon_data import SIZES, write
from common import arguments, environment, quiet
from stages import Stages


def main() -> None:
    """Print the table."""
    chosen = arguments(__doc__, rounds=1, data_path="/tmp/recbole_decrs_amazon", size="table2", times=1.0, seed=0)
    quiet()
    size = SIZES[chosen.size].times(chosen.times)
    folder = Path(chosen.data_path) / f"{chosen.size}-{chosen.times:g}-{chosen.seed}"
    print(f"{size.users:,} users, {size.items:,} items, {size.rows:,} rows")
    print("\n| stage | wall [s] | CPU [s] | peak memory [GiB] |\n|---|---|---|---|")
    if not (folder / "amazon-books" / "amazon-books.item").exists():
        print(write_row(folder / "amazon-books", size, chosen.seed), flush=True)
    stages = Stages()
    settings = {"data_path": str(folder), "epochs": 1, "show_progress": False, "state": "error"}
    settings["checkpoint_dir"] = str(folder / "saved")
    dataset = run(stages, settings, only_data=chosen.size == "raw")
    print(stages.table())
    print(f"\n20-core: {dataset.user_num - 1:,} users, {dataset.item_num - 1:,} items, {dataset.inter_num:,} clicks")
    print(f"\n{environment()}\ncommand: python {' '.join(sys.argv)}")


def write_row(folder: Path, size, seed: int) -> str:
    """Write the files in a process of its own, so that the memory this takes is not the run's."""
    start = time.perf_counter()
    child = multiprocessing.get_context("spawn").Process(target=write, args=(folder, size, seed))
    child.start()
    child.join()
    if child.exitcode:
        raise SystemExit("the files could not be written")
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = used.ru_utime + used.ru_stime
    return f"| write | {time.perf_counter() - start:.1f} | {cpu:.1f} | {used.ru_maxrss / 2**20:.2f} |"


def run(stages: Stages, settings: dict, only_data: bool):
    """Read the files, and train and test on them unless only the data are asked for; returns the dataset."""
    from recbole_decrs import checkpoint_file, making, run_recbole_decrs
    from recbole_decrs.config import DecRSConfig
    from recbole_decrs.data import estimation, preparation
    from recbole_decrs.data.dataset import DecRSDataset
    from recbole_decrs.evaluator import by_group, scoring
    from recbole_decrs.evaluator.evaluator import DecRSEvaluator
    from recbole_decrs.single_trainer import SingleTrainer

    for stage, owner, name in (
        ("read", DecRSDataset, "_load_data"),
        ("numbers of ids", DecRSDataset, "_data_processing"),
        ("filter", DecRSDataset, "_data_filtering"),
        ("split", preparation, "data_preparation"),
        ("confounder", estimation, "estimate"),
        ("epoch, {half}", SingleTrainer, "_train_epoch"),
        ("full sort", SingleTrainer, "_valid_epoch"),
        ("full sort", scoring, "collect_rankings"),
        ("metrics", DecRSEvaluator, "evaluate"),
        ("metrics", by_group, "results_by_drift"),
        ("checkpoint", checkpoint_file, "write_checkpoint"),
        ("checkpoint", checkpoint_file, "read_checkpoint"),
    ):
        stages.go_over(stage, owner, name)
    made = []
    create = making.create_dataset
    making.create_dataset = lambda config: made.append(create(config)) or made[-1]
    if only_data:
        making.create_dataset(DecRSConfig("DecFM", "amazon-books", config_dict=settings))
    else:
        with contextlib.redirect_stdout(io.StringIO()):
            run_recbole_decrs("DecFM", "amazon-books", config_dict=settings)
    return made[0]


if __name__ == "__main__":
    main()
