"""Wrong values, config files and data by the hundred: each ends well, or in one sentence with exit status 2.

Of damaged data a run that ends well must have said something: a line that counts what was lost, if the clicks, features
or groups are not those of the sound files.
"""

import argparse
import contextlib
import io
import os
import random
import sys
import tempfile
import traceback
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import torch
import yaml
from common import environment

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
from recbole_decrs import DecRSError, cli, load_data_and_model, run_recbole_decrs
from recbole_decrs.checkpoint_file import write_checkpoint
from recbole_decrs.config import DecRSConfig
from recbole_decrs.data.preparation import create_dataset, data_preparation
from recbole_decrs.options import known_keys
from recbole_decrs.plain_values import read_literal
from recbole_decrs.single_trainer import trainer_for
from recbole_decrs.trainer import DecRSTrainer
from tiny_data import tiny_settings, tiny_tables, write_tables

VALUES = [
    '0', '-1', '1', '2.5', '1e38', '-1e38', '1e308', '1e5', 'inf', 'nan', 'none', 'None', 'null', 'True',
    'yes', '[]', '{}', '()', '[1]', '[0]', "['a']", "{'a':1}", '{1:2}', "''", 'a', '../x', '/dev/null',
    '[10,20]', "{'inter':['user_id']}", '[4,inf)', '(1,2)', '99999999999999999999', 'full', 'uni5',
    "{'mode':'uni0'}", '0.1', '😀', '%s', '{}', '__class__', 'lambda:0', 'a.b', '*', '0x10', '1_000', '-0',
    '[[1]]', '[None]', 'Recall@10', '@', 'Recall@0', 'user_id', 'item_id', 'genre', 'timestamp', 'relu',
    'adam',
]  # fmt: skip
LEFT_OUT = {
    "show_progress",
    "log_wandb",
    "nproc",
    "world_size",
    "ip",
    "port",
    "group_offset",
    "config_files",
    "data_path",
}
LETTERS = ["", ":", "\n", "  ", "[", "'", "-", "!!python/name:os.system ", "&a *a", "\x00", "é"]
BYTES = [b"\t", b"\n", b'"', b"\x00", b"\xff", b"\xef\xbb\xbf", b"\r"]
MODELS = ("FM", "DecFM", "BPR", "DecNFM", "SASRec")


class Fuzz:
    """Makes inputs, and tells what comes of them."""

    def __init__(self, seed: int) -> None:
        self.draw = random.Random(seed)
        self.settings = tiny_settings(write_tables(Path("data"), tiny_tables()), epochs=1)
        self.keys = sorted(known_keys() - LEFT_OUT)
        self.sound = {path: path.read_bytes() for path in Path("data/tiny").iterdir()}
        self.fingerprint = self._fingerprint()
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            self.checkpoints = {
                model: run_recbole_decrs(model, "tiny", config_dict=self.settings)["saved_model_file"]
                for model in ("BPR", "FM", "DecFM")
            }

    def command_line(self) -> tuple[str, str]:
        """One or two settings of any value."""
        self._config_file(self.settings)
        typed = [
            f"--{self.draw.choice(self.keys)}={self.draw.choice(VALUES)}" for _ in range(self.draw.choice([1, 1, 2]))
        ]
        arguments = [f"--model={self.draw.choice(MODELS)}", "--dataset=tiny", "--config_files=c.yaml", *typed]
        return self._run(arguments), " ".join(arguments)

    def config_file(self) -> tuple[str, str]:
        """A config file with a few letters other than they were."""
        text = list(yaml.safe_dump(self.settings))
        for _ in range(self.draw.choice([1, 2, 5])):
            place = self.draw.randrange(len(text))
            text[place] = self.draw.choice(LETTERS)
        Path("c.yaml").write_text("".join(text), encoding="utf-8")
        return self._run([f"--model={self.draw.choice(MODELS)}", "--dataset=tiny", "--config_files=c.yaml"]), "".join(
            text
        )

    def atomic_file(self) -> tuple[str, str]:
        """A data file whose columns, lines or encoding are broken; a letter that is another is not to be known."""
        self._config_file(self.settings)
        path = self.draw.choice(sorted(self.sound))
        content = bytearray(self.sound[path])
        for _ in range(self.draw.choice([1, 1, 2, 5])):
            place = self.draw.randrange(len(content))
            if self.draw.random() < 0.3:  # two cells, or two lines, become one
                place = max(content.rfind(b"\t", 0, place), content.rfind(b"\n", 0, place), 0)
                del content[place]
            else:
                sign = self.draw.choice(BYTES)
                if sign == b'"':  # within a cell it is a letter
                    place = max(content.rfind(b"\t", 0, place), content.rfind(b"\n", 0, place)) + 1
                content[place:place] = sign
        path.write_bytes(content)
        try:
            shown = io.StringIO()
            with contextlib.redirect_stderr(shown), contextlib.redirect_stdout(shown):
                told = self._run([f"--model={self.draw.choice(MODELS)}", "--dataset=tiny", "--config_files=c.yaml"])
                if told == "ends well" and self._fingerprint() != self.fingerprint and "WARNING" not in self.stderr:
                    told = "silent"
        finally:
            path.write_bytes(self.sound[path])
        places = [n for n, (one, other) in enumerate(zip(content, self.sound[path], strict=False)) if one != other]
        start = max(0, places[0] - 30) if places else 0
        return told, f"{path} at {start}: {bytes(content[start : start + 80])!r}"

    def checkpoint(self) -> tuple[str, str]:
        """A checkpoint that says of one or two settings what nobody had set, or of which a few bytes are others."""
        model, path = self.draw.choice(sorted(self.checkpoints.items()))
        content = torch.load(path, weights_only=True)
        damaged = Path("c.pth")
        if self.draw.random() < 0.7:
            keys = sorted(content["config"])
            changed = {
                self.draw.choice(keys): read_literal(self.draw.choice(VALUES))
                for _ in range(self.draw.choice([1, 1, 2]))
            }
            content["config"] |= changed
            write_checkpoint(str(damaged), content)
            what = f"{model}, settings {changed}"
        else:
            raw, place = bytearray(Path(path).read_bytes()), 0
            for _ in range(self.draw.choice([1, 2, 5])):
                place = self.draw.randrange(len(raw))
                raw[place] = self.draw.randrange(256)
            damaged.write_bytes(raw)
            what = f"{model}, bytes near {place}"
        if self.draw.random() < 0.5:
            self._config_file(self.settings)
            how = [f"--model={model}", "--dataset=tiny", "--config_files=c.yaml", f"--resume={damaged}"]
            return self._run(how), f"resume: {what}"
        return self._loaded(damaged), f"load: {what}"

    def _loaded(self, path: Path) -> str:
        out = io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
            try:
                config, model, _, _, _, test_data = load_data_and_model(str(path))
                deconfounded = hasattr(config.model_class, "backbone")
                trainer = (DecRSTrainer if deconfounded else trainer_for(config))(config, model)
                trainer.evaluate(test_data, load_best_model=False)
            except DecRSError as error:
                return "one sentence" if "\n" not in str(error) else f"no sentence: {error}"
            except BaseException:
                return f"traceback: {traceback.format_exc()[-600:]}"
        return "ends well"

    def _config_file(self, settings: dict) -> None:
        Path("c.yaml").write_text(yaml.safe_dump(settings), encoding="utf-8")

    def _fingerprint(self) -> str | None:
        try:
            config = DecRSConfig("DecFM", "tiny", config_dict=self.settings)
            return data_preparation(config, create_dataset(config))[0]._dataset.fingerprint
        except DecRSError:
            return None

    def _run(self, arguments: list[str]) -> str:
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            try:
                status = cli.main(arguments)
            except BaseException:
                return f"traceback: {traceback.format_exc().splitlines()[-1]}"
        self.stderr = err.getvalue()
        last = (self.stderr.strip().splitlines() or [""])[-1]
        if status == 0:
            return "ends well"
        if "this is a fault of" in last or "Traceback" in self.stderr:
            return f"traceback: {last}"
        return "one sentence" if last.startswith("recbole-decrs: error: ") else f"no sentence: {last}"


def main() -> None:
    """Try, and print the counts and what is to be mended."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--number", type=int, default=250, help="of each kind")
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args()
    os.chdir(tempfile.mkdtemp(prefix="recbole_decrs_fuzz"))
    fuzz = Fuzz(chosen.seed)
    kinds: dict[str, Callable[[], tuple[str, str]]] = {
        "command line": fuzz.command_line,
        "config file": fuzz.config_file,
        "atomic file": fuzz.atomic_file,
        "checkpoint": fuzz.checkpoint,
    }
    rows = []
    for name, attempt in kinds.items():
        counts: Counter[str] = Counter()
        for _ in range(chosen.number):
            told, given = attempt()
            counts[told.partition(":")[0]] += 1
            if told not in ("ends well", "one sentence"):
                print(f"{name}: {told}\n    {given}", flush=True)
        rows.append((name, counts))
    print("\n| input | ends well | one sentence | traceback | silent |\n|---|---|---|---|---|")
    for name, counts in rows:
        broken = counts["traceback"] + counts["no sentence"]
        print(f"| {name} | {counts['ends well']} | {counts['one sentence']} | {broken} | {counts['silent']} |")
    print(f"\n{environment()}\ncommand: python {' '.join(sys.argv)}")


if __name__ == "__main__":
    main()
