"""Starts many runs at once in one folder: each must end well, with files of its own and none left over."""

import argparse
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import yaml
from common import environment

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
from tiny_data import tiny_settings, tiny_tables, write_tables


def main() -> None:
    """Start, wait, count."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=78)
    parser.add_argument("--at_once", type=int, default=13)
    parser.add_argument("--model", default="DecFM")
    chosen = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="recbole_decrs_second"))
    settings = tiny_settings(write_tables(folder / "data", tiny_tables()), epochs=1)
    (folder / "c.yaml").write_text(yaml.safe_dump(settings), encoding="utf-8")
    # Each waits, with everything imported, for a second that all of them begin in.
    program = (
        "import sys, time; from recbole_decrs import cli, run_recbole_decrs; begin = float(sys.argv[1]); "
        "late = time.time() > begin; time.sleep(max(0, begin - time.time())); "
        "status = cli.main(sys.argv[2:]); sys.exit(status or (99 if late else 0))"
    )
    counts: Counter[str] = Counter()
    for start in range(0, chosen.runs, chosen.at_once):
        begin = str(int(time.time()) + 8 + 5 * chosen.at_once)
        arguments = [sys.executable, "-c", program, begin, f"--model={chosen.model}", "--dataset=tiny"]
        running = [
            subprocess.Popen(
                [*arguments, "--config_files=c.yaml"], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE
            )
            for _ in range(min(chosen.at_once, chosen.runs - start))
        ]
        for process in running:
            out, err = process.communicate()
            counts["tables"] += b"| Recall@" in out
            if process.returncode == 99:
                counts["began late"] += 1
            elif process.returncode:
                counts["failed"] += 1
                print(err.decode()[-500:], flush=True)
    saved = Counter(path.suffix for path in (folder / "saved").iterdir())
    made = {
        "logs": len(list((folder / "log" / chosen.model).glob("*.log"))),
        "checkpoints": saved.pop(".pth", 0),
        "results": saved.pop(".json", 0),
        "model cards": saved.pop(".md", 0),
        "TensorBoard folders": len(list((folder / "log_tensorboard").iterdir())),
        "other files in saved/": saved.total(),
    }
    columns = {"runs": chosen.runs, "failed": counts["failed"], "tables": counts["tables"], **made}
    print(f"| {' | '.join(columns)} |\n|{'---|' * len(columns)}\n| {' | '.join(map(str, columns.values()))} |")
    print(f"\n{counts['began late']} were not ready in the second of the others")
    print(f"\n{environment()}\ncommand: python {' '.join(sys.argv)}")


if __name__ == "__main__":
    main()
