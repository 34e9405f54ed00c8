"""Peak memory of a run on ML-1M, each in a process of its own: RecBole's FM against the plugin's DecFM."""

import os
import statistics
import subprocess
import sys
import tempfile

from common import arguments, environment

CODE = """
import resource, sys, warnings
warnings.simplefilter("ignore")
import torch
torch.set_num_threads({threads})
from common import PLAIN, SETTINGS
settings = dict(SETTINGS, **PLAIN, data_path={data_path!r}, epochs=1, state="error")
{run}
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, file=sys.stderr)
"""
RECBOLE = """
from recbole.quick_start import run_recbole
settings.update(load_col={"inter": ["user_id", "item_id", "rating", "timestamp"],
                          "user": ["user_id", "age", "gender", "occupation", "zip_code"],
                          "item": ["item_id", "genre"]},
                eval_args={"split": {"RS": [0.8, 0.1, 0.1]}, "order": "TO", "group_by": "user", "mode": "full"},
                train_neg_sample_args={"distribution": "uniform", "sample_num": 1},
                metrics=["Recall", "NDCG"], valid_metric="Recall@10", topk=[10, 20])
sys.argv = ["run"]
run_recbole("FM", "ml-1m", config_dict=settings, saved=False)
"""
OURS = """
from recbole_decrs import run_recbole_decrs
run_recbole_decrs("DecFM", "ml-1m", config_dict=settings, saved=False)
"""


def main() -> None:
    """Print the table."""
    chosen = arguments(__doc__, rounds=3)
    runs = {"RecBole FM": RECBOLE, "DecFM (both models, fused)": OURS}
    peaks: dict[str, list[float]] = {name: [] for name in runs}
    for name in list(runs) * chosen.rounds:
        code = CODE.format(threads=chosen.threads, data_path=os.path.abspath(chosen.data_path), run=runs[name])
        with tempfile.TemporaryDirectory() as folder:
            command = [sys.executable, "-c", code]
            environment_of_run = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
            done = subprocess.run(
                command, cwd=folder, env=environment_of_run, capture_output=True, text=True, check=True
            )
        peaks[name].append(float(done.stderr.splitlines()[-1]))
    medians = {name: statistics.median(values) for name, values in peaks.items()}
    print(f"\n| run | peak memory [MB], median of {chosen.rounds} | of RecBole FM |\n|---|---|---|")
    for name, peak in medians.items():
        print(f"| {name} | {peak:.0f} | {peak / medians['RecBole FM']:.2f} |")
    print(f"\n{environment()}\ncommand: python {' '.join(sys.argv)}")


if __name__ == "__main__":
    main()
