"""The modules of the plugin: which imports which, how long each is, and that docstrings are sentences."""

import ast
import re
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

PACKAGE = Path(__file__).parent.parent / "recbole_decrs"
MOST_LINES = 300
FILES = {
    ".".join(file.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__"): file
    for file in PACKAGE.rglob("*.py")
}


def imports_of(name: str) -> set[str]:
    """The modules of the plugin that a module imports, anywhere in it; a package for what is in its ``__init__``."""
    found = set()
    for node in ast.walk(ast.parse(FILES[name].read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            modules = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= {module if module in FILES else node.module for module in modules}
    return found & FILES.keys() - {name}


def test_no_module_imports_itself_by_way_of_others():
    TopologicalSorter({name: imports_of(name) for name in FILES}).prepare()


def test_the_mathematics_knows_nothing_of_recbole():
    for name in FILES:
        if name.startswith(("recbole_decrs.causal", "recbole_decrs.rerank")):
            used = {part.split(".")[1] for part in imports_of(name) if part.count(".")}
            assert used <= {"causal", "rerank", "errors", "checks", "names", "signatures"}, name
            assert "import recbole\n" not in FILES[name].read_text(encoding="utf-8"), name


def test_no_module_has_grown_beyond_one_idea():
    lines = {name: file.read_text(encoding="utf-8").count("\n") for name, file in FILES.items()}
    assert {name: number for name, number in lines.items() if number > MOST_LINES} == {}


def test_no_docstring_is_half_a_question():
    """It says what a thing is or does, to a reader who does not know it yet."""
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef)
    half = [
        f"{name}: {text.splitlines()[0]}"
        for name, file in FILES.items()
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, documented) and (text := ast.get_docstring(node))
        if re.match(r"(What|How|Whether|Why|Of|As)\b", text)
    ]
    assert half == []


def test_what_is_documented_is_said_to_do_something():
    """Its docstring begins with a verb, and not with the name of what it holds or returns."""
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef)
    nouns = [
        f"{name}: {text.splitlines()[0]}"
        for name, file in FILES.items()
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, documented) and not getattr(node, "name", "").startswith(("_", "test_"))
        if (text := ast.get_docstring(node)) and re.match(r"(The|A|An|One|All|True|This|Another|RecBole's)\b", text)
    ]
    assert nouns == []


def test_a_section_of_a_comparisons_page_can_be_imported_first():
    """The comparison writes the page, of which each section knows the comparison."""
    first = "import recbole_decrs.report.comparison.verdict"
    assert subprocess.run([sys.executable, "-W", "ignore", "-c", first], check=False).returncode == 0
