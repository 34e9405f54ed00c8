"""Renews the lock files: pip install uv && python requirements/lock.py

One file holds for every Python and platform, by markers. RecBole's own pins that today's packages leave behind are in
overrides.txt; pip passes them by with --no-deps, so each file is complete.
"""

import subprocess
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parent
WITHOUT_RAY = 'ray ; python_version < "3"'
USUAL = ["plots", "scale", "tune"]
LOCKS = {
    ROOT / "requirements.txt": USUAL,
    HERE / "ray.txt": [*USUAL, "ray"],
    HERE / "test.txt": [*USUAL, "test"],
}


def main() -> None:
    """Write the lock files, the same release of a package in each."""
    first = next(iter(LOCKS))
    overrides = (HERE / "overrides.txt").read_text(encoding="utf-8")
    for file, extras in LOCKS.items():
        command = ["uv", "pip", "compile", "setup.cfg", "--universal", "--python-version=3.11", "--quiet", "--upgrade"]
        command += ["--no-annotate", "--custom-compile-command=python requirements/lock.py"]
        command += ["--constraints=requirements/held.txt", *(f"--extra={extra}" for extra in extras)]
        if file != first:
            command += [f"--constraints={first.relative_to(ROOT)}"]
        with tempfile.NamedTemporaryFile("w", suffix=".txt") as overriding:
            # An override holds for whoever asks for the package: RecBole, and here the extra.
            overriding.write(overrides.replace(WITHOUT_RAY, "ray[tune]>=2.41") if "ray" in extras else overrides)
            overriding.flush()
            command += [f"--overrides={overriding.name}", f"--output-file={file.relative_to(ROOT)}"]
            subprocess.run(command, check=True, cwd=ROOT)


if __name__ == "__main__":
    main()
