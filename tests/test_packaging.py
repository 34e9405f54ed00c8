import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from recbole_decrs.options import properties_dir

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """A wheel built from the sdist, and the sdist."""
    out = tmp_path_factory.mktemp("dist")
    subprocess.run(
        [sys.executable, "-m", "build", "--no-isolation", "--outdir", out, ROOT], check=True, capture_output=True
    )
    return next(out.glob("*.whl")), next(out.glob("*.tar.gz"))


def test_the_wheel_ships_the_properties(built):
    with zipfile.ZipFile(built[0]) as wheel:
        names = set(wheel.namelist())
    shipped = {
        f"recbole_decrs/properties/{file.relative_to(ROOT / 'properties')}"
        for file in (ROOT / "properties").rglob("*.yaml")
    }
    assert shipped
    assert shipped <= names
    assert {name.split("/")[0] for name in names} == {
        "recbole_decrs",
        *(n.split("/")[0] for n in names if "dist-info" in n),
    }


@pytest.mark.parametrize("kind", [0, 1])
def test_defaults_are_read_from_an_installation(built, tmp_path, kind):
    target = tmp_path / "site"
    install = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--no-deps",
        "--no-build-isolation",
        "--target",
        target,
    ]
    subprocess.run([*install, built[kind]], check=True, capture_output=True)
    code = (
        "from recbole_decrs import DecRSConfig; from recbole_decrs.options import properties_dir;"
        "config = DecRSConfig(); print(properties_dir(), config['group_field'], config['bi_batch_norm'])"
    )
    environment = {"PYTHONPATH": str(target), "PATH": "", "PYTHONWARNINGS": "ignore"}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=environment, check=True, capture_output=True, text=True
    )
    assert done.stdout.split() == [str(target / "recbole_decrs" / "properties"), "class", "True"]


def test_defaults_are_read_from_the_checkout():
    assert (properties_dir() / "model" / "DecFM.yaml").is_file()
