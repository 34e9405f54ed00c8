"""The statistics of clicks by partitions of the users, as docs/scale.md has them: time and peak memory."""

import os
import re
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from common import arguments, environment

ROOT = Path(__file__).parent.parent
N_GROUPS, AT_ONCE = 253, 10_000_000


def write_clicks(folder: Path, n_clicks: int, n_users: int, n_items: int) -> None:
    """Write random clicks, most of them on few items, and items with two groups each."""
    import polars

    rng = np.random.default_rng(0)
    (folder / "clicks.parquet").mkdir()
    for start in range(0, n_clicks, AT_ONCE):
        n = min(AT_ONCE, n_clicks - start)
        users = rng.integers(n_users, size=n, dtype=np.int32)
        items = (n_items * rng.random(n) ** 2).astype(np.int32)
        clicks = polars.DataFrame({"user": users, "item": items, "timestamp": rng.integers(10**9, size=n)})
        clicks.write_parquet(folder / "clicks.parquet" / f"{start}.parquet")
    groups = [[f"g{group}" for group in pair] for pair in rng.integers(N_GROUPS, size=(n_items, 2))]
    polars.DataFrame({"item": np.arange(n_items, dtype=np.int32), "groups": groups}).write_parquet(
        folder / "items.parquet"
    )


def main() -> None:
    """Print the table."""
    chosen = arguments(
        __doc__, rounds=1, data_path=tempfile.gettempdir(), millions=20, users_per_million=17_000, items=100_000
    )
    page = (ROOT / "docs" / "scale.md").read_text(encoding="utf-8")
    scripts = dict(re.findall(r"Save as `(\w+\.py)`:\n\n```python\n(.*?)```", page, re.DOTALL))
    n_users = chosen.millions * chosen.users_per_million
    with tempfile.TemporaryDirectory(dir=chosen.data_path) as folder:
        for name in ("parts.py", "by_polars.py"):
            (Path(folder) / name).write_text(scripts[name], encoding="utf-8")
        write_clicks(Path(folder), 1_000_000 * chosen.millions, n_users, chosen.items)
        start = time.perf_counter()
        environment_of_run = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
        environment_of_run["POLARS_MAX_THREADS"] = str(chosen.threads)
        command = [sys.executable, "by_polars.py"]
        subprocess.run(command, cwd=folder, env=environment_of_run, check=True, stdout=subprocess.DEVNULL)
        wall, used = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    print("\n| million clicks | users | wall [s] | CPU [s] | peak memory [GiB] |\n|---|---|---|---|---|")
    cpu, peak = used.ru_utime + used.ru_stime, used.ru_maxrss / 2**20
    print(f"| {chosen.millions} | {n_users:,} | {wall:.0f} | {cpu:.0f} | {peak:.2f} |")
    print(f"\n{environment()}\ncommand: python {' '.join(sys.argv)}")


if __name__ == "__main__":
    main()
