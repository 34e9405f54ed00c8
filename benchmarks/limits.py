"""Runs commands on a disk that is full, has no inodes or cannot be written to, and in too little memory.

Each must end well, or in one sentence with exit status 2: no traceback, no temporary file, and what was saved before
whole, so that the same command without the limit ends as if there had been none. Needs Linux and ``unshare -rm``.
"""

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import yaml
from common import environment

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
from tiny_data import tiny_settings, tiny_tables, write_tables

RUN = "run --model=DecFM --resume=auto --show_progress=False"
COMPARE = "compare --backbones=FM --methods=decrs_wo,calibration --seeds=1 --output=out --show_progress=False"
DISKS = {
    "full": ["size=32k", "size=64k", "size=128k", "size=256k", "size=400k", "size=800k"],
    "no inodes": ["nr_inodes=2", "nr_inodes=5", "nr_inodes=8", "nr_inodes=11", "nr_inodes=14", "nr_inodes=17"],
    "read-only": ["ro,size=1m"],
}
MEMORIES = [600, 900, 1200, 1500, 1800, 2100, 2400, 2700, 3000, 3500]


def main() -> None:
    """Run each command under each limit, then without, and print the counts."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    folder = Path(tempfile.mkdtemp(prefix="recbole_decrs_limits"))
    settings = tiny_settings(write_tables(folder / "data", tiny_tables()), epochs=2)
    (folder / "c.yaml").write_text(yaml.safe_dump(settings), encoding="utf-8")
    memories = [f"ulimit -v {megabytes << 10}" for megabytes in MEMORIES]
    rows = []
    for command in (RUN, COMPARE):
        expected = table(execute(command, folder))
        for kind, limits in {**DISKS, "no memory": memories}.items():
            counts = dict.fromkeys(("ends well", "one sentence", "traceback", "left behind", "other results"), 0)
            for limit in limits:
                done = execute(command, folder, limit)
                told = outcome(done)
                counts[told] += 1
                if told == "traceback":
                    print(f"{command}, {limit}: status {done.returncode}\n{done.stderr[-1500:]}", flush=True)
                counts["left behind"] += len(list((folder / "left").rglob("*.tmp")))
                found = table(execute(command, folder, goes_on=True))
                if found != expected:
                    counts["other results"] += 1
                    print(f"{command}, after {limit}: {found}", flush=True)
            rows.append((command.split()[0], kind, len(limits), counts))
            print(rows[-1], flush=True)
    print(f"\n| command | limit | runs | {' | '.join(rows[0][3])} |\n|{'---|' * 8}")
    for command, kind, number, counts in rows:
        print(f"| {command} | {kind} | {number} | {' | '.join(map(str, counts.values()))} |")
    print(f"\n{environment()}\ncommand: python {' '.join(sys.argv)}")
    shutil.rmtree(folder)


def execute(command: str, folder: Path, limit: str | None = None, goes_on: bool = False) -> subprocess.CompletedProcess:
    """Run a command in a new folder, on a disk or in a memory of its own; what it leaves is copied to ``left``.

    Args:
        command: one of the two.
        folder: where everything lies.
        limit: options of the disk, or a command of the shell; none without.
        goes_on: whether the folder has in it what the last command left.
    """
    shutil.rmtree(folder / "here", ignore_errors=True)
    (folder / "here").mkdir()
    if goes_on:
        shutil.copytree(folder / "left", folder / "here", dirs_exist_ok=True)
    shutil.rmtree(folder / "left", ignore_errors=True)
    before, within = [], ""
    if limit is not None and limit.startswith("ulimit"):
        within = f"{limit};"
    elif limit is not None:
        before = [f"mount -t tmpfs -o {limit.removeprefix('ro,')} none here"]
        before += ["mount -o remount,ro here"] if limit.startswith("ro,") else []
    words = f"{command.removeprefix('run ')} --dataset=tiny --config_files=../c.yaml"
    script = [*before, "cd here", f"({within} exec {sys.executable} -m recbole_decrs.cli {words})", "status=$?"]
    script += ["cd ..", "cp -r here left", "exit $status"]
    return subprocess.run(
        ["unshare", "-rm", "bash", "-c", "\n".join(script)], cwd=folder, capture_output=True, text=True, check=False
    )


def outcome(done: subprocess.CompletedProcess) -> str:
    """``ends well``, ``one sentence``, or ``traceback`` for whatever else."""
    if done.returncode == 0:
        return "ends well"
    last = (done.stderr.strip().splitlines() or [""])[-1]
    told = last.startswith("recbole-decrs: error: ") and "this is a fault of" not in last
    return "one sentence" if done.returncode == 2 and told and "Traceback" not in done.stderr else "traceback"


def table(done: subprocess.CompletedProcess) -> str:
    """The numbers that a command printed."""
    if done.returncode:
        return f"status {done.returncode}: {done.stderr[-1500:]}"
    return "\n".join(line for line in done.stdout.splitlines() if re.match(r"\s*\|", line))


if __name__ == "__main__":
    main()
