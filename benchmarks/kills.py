"""Kills a command with SIGKILL at random moments, again and again, until it ends, and compares with an undisturbed run.

The command is a training of both recommenders, each time with ``--resume=auto``, or ``compare``. What comes out must be
the same to the last digit, and a kill must cost an epoch at most.
"""

import argparse
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from common import environment

COMMANDS = {
    "run": ["--model={model}", "--dataset=ml-100k", "--epochs={epochs}", "--stopping_step={epochs}", "--resume=auto"],
    "compare": [
        "compare",
        "--backbones={model}",
        "--dataset=ml-100k",
        "--methods=fairco,decrs",
        "--seeds=1",
        "--epochs={epochs}",
        "--output=out",
    ],
}


def main() -> None:
    """Run the command undisturbed once, then with kills, and print what they cost."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--command", choices=COMMANDS, default="run")
    parser.add_argument("--model", default="DecFM")
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--kills", type=int, default=50, help="in all, over as many trainings as that takes")
    parser.add_argument("--longest", type=float, default=20.0, help="seconds from a start to a kill, at most")
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args()
    command = [part.format(**vars(chosen)) for part in COMMANDS[chosen.command]]
    draw = random.Random(chosen.seed)
    folder = Path(tempfile.mkdtemp(prefix="recbole_decrs_kills"))
    expected, n_epochs, _ = until_it_ends(command, folder / "whole", None)
    kills = trainings = extra = 0
    while kills < chosen.kills:
        trainings += 1
        found, trained, n_kills = until_it_ends(
            command, folder / f"killed{trainings}", lambda: draw.uniform(0, chosen.longest)
        )
        if found != expected:
            raise SystemExit(f"training {trainings}, killed {n_kills} times, is another:\n{found}\n{expected}")
        left = [
            path.name
            for path in (folder / f"killed{trainings}").rglob("*")
            if path.name.endswith(("-last.pth", ".tmp"))
        ]
        if left:
            print(f"training {trainings} leaves {left}")
        kills, extra = kills + n_kills, extra + trained - n_epochs
    print(f"\n| command | trainings | kills | other results | epochs that were trained again, a kill |\n|{'---|' * 5}")
    print(f"| {' '.join(command)} | {trainings} | {kills} | 0 | {extra / kills:.2f} |")
    print(f"\n{environment()}\ncommand: python {' '.join(sys.argv)}")
    shutil.rmtree(folder)


def until_it_ends(command: list[str], folder: Path, delay) -> tuple[str, int, int]:
    """Start a command until it ends by itself; returns its table, the epochs it trained and how often it was killed."""
    folder.mkdir()
    kills = 0
    while True:
        with (
            open(folder / "stdout", "w", encoding="utf-8") as out,
            open(folder / "stderr", "a", encoding="utf-8") as log,
        ):
            process = subprocess.Popen(
                [sys.executable, "-m", "recbole_decrs.cli", *command, "--show_progress=False"],
                cwd=folder,
                stdout=out,
                stderr=log,
            )
            if delay is not None:
                time.sleep(delay())
                if process.poll() is None:
                    process.send_signal(signal.SIGKILL)
            status = process.wait()
        if status == -signal.SIGKILL:
            kills += 1
            continue
        if status:
            raise SystemExit(f"status {status}: {(folder / 'stderr').read_text(encoding='utf-8')[-2000:]}")
        break
    logs = "".join(path.read_text(encoding="utf-8") for path in (folder / "log").rglob("*.log"))
    table = (folder / "out" / "table3.md" if "compare" in command else folder / "stdout").read_text(encoding="utf-8")
    return table, len(re.findall(r"epoch \d+ training", logs)), kills


if __name__ == "__main__":
    main()
