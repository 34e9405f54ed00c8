"""A comparison by one process and by two workers, in turn: seconds, their ratio, and that the tables are the same."""

import contextlib
import io
import logging
import shutil
import tempfile
import time
from pathlib import Path

from common import arguments, report

from recbole_decrs.compare import run_comparison
from recbole_decrs.testing.tiny_data import tiny_settings, tiny_tables, write_tables


def main() -> None:
    """Print the table; a round is a whole comparison with each number of workers."""
    chosen = arguments(__doc__, rounds=2, users=400, epochs=10)
    folder = Path(tempfile.mkdtemp())
    data = write_tables(folder / "data", tiny_tables(n_users=chosen.users, n_items=300, n_clicks=60))
    settings = tiny_settings(data, epochs=chosen.epochs, checkpoint_dir=str(folder / "saved"), show_progress=False)
    methods = ["decrs", "ensemble", "ips_item", "calibration"]
    seconds: dict[str, list[float]] = {"1 process": [], "2 workers": []}
    tables = set()
    logging.disable(logging.WARNING)
    for number in range(chosen.rounds):
        for workers, side in enumerate(seconds, start=1):
            output = folder / f"{side}-{number}"
            start = time.perf_counter()
            with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
                run_comparison(["FM"], "tiny", methods, 2, str(output), config_dict=settings, workers=workers)
            seconds[side].append(time.perf_counter() - start)
            tables.add((output / "table3.csv").read_bytes())
    shutil.rmtree(folder)
    report(seconds, "1 process")
    print(f"different tables: {len(tables)}")


if __name__ == "__main__":
    main()
