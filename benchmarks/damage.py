"""Damages checkpoints and pieces of a comparison in many ways, and counts what comes of it.

Each is to be refused in one sentence, made again by ``compare``, or to give the same numbers as the sound file: never a
traceback, and never other numbers.
"""

import argparse
import contextlib
import io
import logging
import os
import random
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from common import environment, quiet

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
from recbole_decrs import DecRSError, load_data_and_model, run_recbole_decrs
from recbole_decrs.compare import run_comparison
from recbole_decrs.trainer import DecRSTrainer
from tiny_data import tiny_settings, tiny_tables, write_tables

Damage = Callable[[Path, random.Random], None]


def flip_bits(path: Path, draw: random.Random) -> None:
    """One to eight bits, anywhere."""
    content = bytearray(path.read_bytes())
    for _ in range(draw.choice([1, 1, 1, 8])):
        content[draw.randrange(len(content))] ^= 1 << draw.randrange(8)
    path.write_bytes(content)


def flip_bits_of_the_directory(path: Path, draw: random.Random) -> None:
    """In the last kilobytes, where the archive says what is where."""
    content = bytearray(path.read_bytes())
    content[-draw.randrange(1, min(4096, len(content)))] ^= 1 << draw.randrange(8)
    path.write_bytes(content)


def cut(path: Path, draw: random.Random) -> None:
    """The end is missing."""
    content = path.read_bytes()
    path.write_bytes(content[: draw.randrange(len(content))])


def overwrite(path: Path, draw: random.Random) -> None:
    """A block of a disk is zeros, or noise."""
    content = bytearray(path.read_bytes())
    start = draw.randrange(len(content))
    end = min(start + 512, len(content))
    content[start:end] = bytes(end - start) if draw.random() < 0.5 else draw.randbytes(end - start)
    path.write_bytes(content)


def _parts(value: Any, place: tuple = ()) -> list[tuple]:
    found = [place] if place else []
    if isinstance(value, dict):
        for key, part in value.items():
            found += _parts(part, (*place, key))
    return found


def _of_the_content(path: Path, change: Callable[[dict, Any, random.Random], None], draw: random.Random) -> None:
    content = torch.load(path, weights_only=True)
    place = draw.choice([part for part in _parts(content) if part[0] != "digest"])
    holder = content
    for key in place[:-1]:
        holder = holder[key]
    change(holder, place[-1], draw)
    torch.save(content, path)


def leave_out(path: Path, draw: random.Random) -> None:
    """A part is missing, of an archive that is sound."""
    _of_the_content(path, lambda holder, key, _: holder.pop(key), draw)


def of_another_kind(path: Path, draw: random.Random) -> None:
    """A part is of another type, of an archive that is sound."""

    def change(holder: dict, key: Any, draw: random.Random) -> None:
        holder[key] = draw.choice([None, 7, "text", [], {}, torch.zeros(2)])

    _of_the_content(path, change, draw)


OF_FILES = {"bits": flip_bits, "bits of the directory": flip_bits_of_the_directory, "cut": cut, "block": overwrite}
OF_PARTS = {"part left out": leave_out, "part of another type": of_another_kind}


class Uses:
    """What is done with a checkpoint: each gives numbers, or a DecRSError."""

    def __init__(self, settings: dict[str, Any]) -> None:
        self.settings = settings

    def load(self, path: Path) -> Any:
        """Load the data and the model, and test it."""
        config, model, _, _, _, test_data = load_data_and_model(str(path))
        trainer = DecRSTrainer(config, model)
        return trainer.evaluate(test_data, load_best_model=False)

    def resume(self, path: Path) -> Any:
        """Resume the training."""
        return run_recbole_decrs("DecFM", "tiny", config_dict=self.settings | {"resume": str(path)})["test_result"]


class Comparison:
    """A finished comparison, whose pieces are damaged before it is asked for again."""

    def __init__(self, settings: dict[str, Any]) -> None:
        self.settings = settings
        self.expected = self()
        self.pieces = sorted(path for path in Path("out/pieces").iterdir() if path.suffix != ".lock")
        shutil.copytree("out", "out-sound")

    def __call__(self, path: Path | None = None) -> str:
        """Run it, or what is missing of it; returns its table."""
        run_comparison(["FM"], "tiny", ["decrs_wo", "calibration"], 1, "out", config_dict=self.settings)
        return "".join(Path("out", f"{name}.csv").read_text(encoding="utf-8") for name in ("table3", "table4"))

    def make_whole(self) -> None:
        """Put everything back."""
        shutil.rmtree("out")
        shutil.copytree("out-sound", "out")


def main() -> None:
    """Damage, use, and print the counts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--number", type=int, default=500, help="of each kind of damage")
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args()
    os.chdir(tempfile.mkdtemp(prefix="recbole_decrs_damage"))
    quiet()
    settings = tiny_settings(write_tables(Path("data"), tiny_tables()), epochs=1)
    with contextlib.redirect_stdout(io.StringIO()):
        result = run_recbole_decrs("DecFM", "tiny", config_dict=settings)
    sound = Path(result["saved_model_file"])
    kept = sound.with_suffix(".sound")
    shutil.copy(sound, kept)
    uses, draw = Uses(settings), random.Random(chosen.seed)
    rows = []
    for use in (uses.load, uses.resume):
        expected = use(sound)
        for kind, damage in (OF_FILES | OF_PARTS).items():
            counts: Counter[str] = Counter()
            for _ in range(chosen.number):
                shutil.copy(kept, sound)
                damage(sound, draw)
                counts[outcome(use, sound, expected)] += 1
            rows.append((f"checkpoint, {use.__name__}", kind, counts))
            shutil.copy(kept, sound)
            print(rows[-1], flush=True)
    rows += damage_pieces(settings, chosen.number, draw)
    write(rows, chosen)


def damage_pieces(settings: dict[str, Any], number: int, draw: random.Random) -> list[tuple[str, str, Counter]]:
    """Damage one piece after the other; the comparison must come to the same tables."""
    with contextlib.redirect_stdout(io.StringIO()):
        comparison = Comparison(settings)
    rows = []
    for kind, damage in (OF_FILES | OF_PARTS).items():
        pieces = [path for path in comparison.pieces if kind in OF_FILES or path.suffix == ".pth"]
        counts: Counter[str] = Counter()
        for place in range(number):
            piece = pieces[place % len(pieces)]
            damage(piece, draw)
            counts[outcome(comparison, piece, comparison.expected)] += 1
            comparison.make_whole()
        rows.append(("piece, compare", kind, counts))
        print(rows[-1], flush=True)
    return rows


def outcome(use: Callable[[Path], Any], path: Path, expected: Any) -> str:
    """``refused``, ``the same``, ``traceback`` or ``other numbers``."""
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        try:
            found = use(path)
        except DecRSError as error:
            return "refused" if "\n" not in str(error) else "traceback"
        except Exception as error:
            logging.getLogger().error(error)
            return f"traceback ({type(error).__name__}: {error})"[:150]
    return "the same" if found == expected else "other numbers"


def write(rows: list[tuple[str, str, Counter]], chosen: argparse.Namespace) -> None:
    """The table."""
    print("\n| file | damage | refused | the same numbers | traceback | other numbers |\n|---|---|---|---|---|---|")
    for file, kind, counts in rows:
        broken = sum(count for name, count in counts.items() if name.startswith("traceback"))
        print(
            f"| {file} | {kind} | {counts['refused']} | {counts['the same']} | {broken} | {counts['other numbers']} |"
        )
    print(f"\n{environment()}\ncommand: python {' '.join(sys.argv)}")


if __name__ == "__main__":
    main()
