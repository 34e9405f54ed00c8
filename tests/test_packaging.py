import configparser
import subprocess
import sys
import zipfile
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from recbole_decrs.defaults import properties_dir

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """A wheel built from the sdist, and the sdist."""
    out = tmp_path_factory.mktemp("dist")
    subprocess.run(
        [sys.executable, "-m", "build", "--no-isolation", "--outdir", out, ROOT], check=True, capture_output=True
    )
    return next(out.glob("*.whl")), next(out.glob("*.tar.gz"))


def test_every_package_is_shipped():
    options = configparser.ConfigParser()
    options.read(ROOT / "setup.cfg", encoding="utf-8")
    found = {".".join(file.parent.relative_to(ROOT).parts) for file in (ROOT / "recbole_decrs").rglob("__init__.py")}
    assert found <= set(options["options"]["packages"].split())


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
        "from recbole_decrs import DecRSConfig; from recbole_decrs.defaults import properties_dir;"
        "config = DecRSConfig(); print(properties_dir(), config['group_field'], config['bi_batch_norm'])"
    )
    environment = {"PYTHONPATH": str(target), "PATH": "", "PYTHONWARNINGS": "ignore"}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=environment, check=True, capture_output=True, text=True
    )
    assert done.stdout.split() == [str(target / "recbole_decrs" / "properties"), "class", "True"]


def test_defaults_are_read_from_the_checkout():
    assert (properties_dir() / "model" / "DecFM.yaml").is_file()


def pins(name):
    """Package -> release of a lock file, for this Python and platform."""
    lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
    requirements = [Requirement(line) for line in lines if line and not line.lstrip().startswith("#")]
    here = [requirement for requirement in requirements if requirement.marker is None or requirement.marker.evaluate()]
    return {canonicalize_name(requirement.name): next(iter(requirement.specifier)).version for requirement in here}


EXTRAS = {"requirements.txt": [], "requirements/ray.txt": ["ray"], "requirements/test.txt": ["test"]}
LOCKS = {lock: ["plots", "scale", "tune", *extras] for lock, extras in EXTRAS.items()}


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_file_holds_what_setup_cfg_asks_for(lock):
    options = configparser.ConfigParser()
    options.read(ROOT / "setup.cfg", encoding="utf-8")
    wanted = options["options"]["install_requires"].splitlines()
    for extra in LOCKS[lock]:
        wanted += options["options.extras_require"][extra].splitlines()
    pinned = pins(lock)
    for requirement in (Requirement(line) for line in wanted if line.strip() and not line.startswith("#")):
        assert requirement.specifier.contains(pinned[canonicalize_name(requirement.name)]), requirement


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_file_is_complete(lock):
    """Whatever an installed package of the lock asks for is in the lock too, but for what RecBole is mended for."""
    pinned = pins(lock)
    left_behind = {line.split(">=")[0].split(" ")[0] for line in overrides()}
    for name in pinned:
        try:
            asked = distribution(name).requires or []
        except PackageNotFoundError:
            continue
        for requirement in map(Requirement, asked):
            if requirement.marker is not None and not requirement.marker.evaluate({"extra": ""}):
                continue
            if name == "recbole" and requirement.name in left_behind:
                continue
            release = pinned.get(canonicalize_name(requirement.name))
            assert release is not None, f"{name} asks for {requirement}"
            assert requirement.specifier.contains(release, prereleases=True), f"{name} asks for {requirement}"


def overrides():
    lines = (ROOT / "requirements" / "overrides.txt").read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def test_lock_files_agree():
    first = pins("requirements.txt")
    for lock in LOCKS:
        assert {name: release for name, release in pins(lock).items() if name in first} == first
