"""Links in the documents lead to files, and the examples of docs/extending.md run as they stand there."""

import re
import runpy
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from recbole_decrs.rerank import RERANKERS
from registries import registries_as_before
from rerank_problems import N_CANDIDATES, check_promises, problems

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
EXTENDING = (ROOT / "docs" / "extending.md").read_text(encoding="utf-8")
SCRIPTS = dict(re.findall(r"Save as `(\w+\.py)`:\n\n```python\n(.*?)```", EXTENDING, re.DOTALL))
COMMANDS = [line for block in re.findall(r"```bash\n(.*?)```", EXTENDING, re.DOTALL) for line in block.splitlines()]
SAID = {
    "majority.py": "MajorityShare@10",
    "explore.py": "DecFM (fused, alpha 0.2), explore",
    "explore.py compare": "Explore ",
    "layers.py": "Layers (conventional)",
    "activity.py compare": "| Weighed by activity ",
    "gains.py compare": "gains.svg",
}
"""What the output has by the example."""


@pytest.mark.parametrize("page", PAGES, ids=[page.name for page in PAGES])
def test_a_link_to_a_file_leads_somewhere(page):
    links = re.findall(r"\]\((?!https?:|#)([^)#\s]+)", page.read_text(encoding="utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_the_readme_lists_every_document():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert [page.name for page in PAGES[1:] if f"| [docs/{page.name}](" not in readme] == []


def test_every_example_is_run_and_short():
    assert EXTENDING.count("```python") == len(SCRIPTS)
    assert {shlex.split(command)[1] for command in COMMANDS} == set(SCRIPTS)
    assert all(script.count("\n") < 30 for script in SCRIPTS.values())


@pytest.mark.slow
@pytest.mark.parametrize("command", COMMANDS)
def test_an_example_does_what_its_page_says(command, settings):
    python, script, *arguments = shlex.split(command)
    assert python == "python"
    Path(script).write_text(SCRIPTS[script], encoding="utf-8")
    Path("tiny.yaml").write_text(yaml.safe_dump(settings | {"dataset": "tiny"}))
    more = ["--config_files=tiny.yaml", *(["--seeds=1"] if arguments[0] == "compare" else [])]
    done = subprocess.run(
        [sys.executable, "-W", "ignore", script, *arguments, *more], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert SAID[script + (" compare" if arguments[0] == "compare" else "")] in done.stdout


@hypothesis_settings(max_examples=60, deadline=None)
@given(problem=problems(), length=st.integers(1, N_CANDIDATES))
def test_the_re_ranker_keeps_its_promises(tmp_path_factory, problem, length):
    with registries_as_before():
        script = tmp_path_factory.getbasetemp() / "explore.py"
        script.write_text(SCRIPTS["explore.py"], encoding="utf-8")
        runpy.run_path(str(script))
        check_promises(RERANKERS["explore"], problem, length)
