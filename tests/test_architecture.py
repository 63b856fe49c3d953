"""What the house promises about itself: who may import whom, how large a module may be, what a rule's folder holds."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
import yaml
from importlinter.cli import lint_imports

from tests import ROOT

SOURCES = sorted((ROOT / "src").rglob("*.py"))
RULES = sorted(path for path in (ROOT / "rules").iterdir() if path.is_dir())
MAX_LINES = 400
MAX_CLASS_LINES = 250
MAX_FUNCTION_LINES = 60
JUDGED = re.compile(r"cloud_?trail|(?<![a-z0-9])s3::|bucket|TG\d", re.IGNORECASE)  # what cloudformation never names


def test_imports_keep_the_layers(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status = lint_imports(config_filename=str(ROOT / "pyproject.toml"), cache_dir=str(tmp_path), no_logo=True)
    assert status == 0, capsys.readouterr().out


def test_the_map_of_the_house_is_complete() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    (drawn,) = re.findall(r"^src/trailguard/\n(.*?)^\w", text, re.MULTILINE | re.DOTALL)
    named = {word for line in drawn.splitlines() for word in re.findall(r"[\w/.]+", line[:26])}
    packages = {path.parent for path in SOURCES if path.name == "__init__.py"} - {ROOT / "src" / "trailguard"}
    top = {path.name for path in SOURCES if path.parent.name == "trailguard"} - {"__main__.py"}
    hosts = {path.name + "/" for path in packages if path.parent.name == "hosts"}  # what other linters load
    assert named == {path.name + "/" for path in packages} - hosts | top | {"schemas/"}


def test_modules_are_read_in_one_sitting() -> None:
    long = {str(path.relative_to(ROOT)): len(path.read_text(encoding="utf-8").splitlines()) for path in SOURCES}
    assert {name: lines for name, lines in long.items() if lines > MAX_LINES} == {}


def test_classes_are_one_thing() -> None:
    assert longer_than(MAX_CLASS_LINES, ast.ClassDef) == {}


def test_functions_fit_on_a_screen() -> None:
    assert longer_than(MAX_FUNCTION_LINES, ast.FunctionDef, ast.AsyncFunctionDef) == {}


def longer_than(limit: int, *kinds: type[ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef]) -> dict[str, int]:
    """The lines of definitions of some kinds that are longer than a limit, by module and name."""
    return {
        f"{path.relative_to(ROOT)}: {node.name}": lines
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, kinds) and (lines := (node.end_lineno or node.lineno) - node.lineno + 1) > limit
    }


@pytest.mark.parametrize(
    "path", [path for path in SOURCES if "cloudformation" in path.parts], ids=lambda path: path.name
)
def test_cloudformation_does_not_know_what_is_judged(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert [word for word in _words(tree) if JUDGED.search(word)] == []


def _words(tree: ast.AST) -> list[str]:
    """Every identifier and every text of a module, docstrings left out."""
    docstrings = set()
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and node.body:
            first = node.body[0]
            if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
                docstrings.add(first.value)
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            found.append(node.id)
        elif isinstance(node, ast.Attribute):
            found.append(node.attr)
        elif isinstance(node, ast.arg):
            found.append(node.arg)
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            found.append(node.name)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str | bytes) and node not in docstrings:
            found.append(node.value if isinstance(node.value, str) else node.value.decode("latin-1"))
    return found


def test_rule_ids_and_names_are_unique() -> None:
    rules = [yaml.safe_load((folder / "rule.yaml").read_text(encoding="utf-8")) for folder in RULES]
    for key in ("id", "name", "title"):
        values = [rule[key] for rule in rules]
        assert len(values) == len(set(values)), key


def test_profiles_name_real_rules_once() -> None:
    known = {folder.name.partition("-")[0] for folder in RULES}
    profiles = yaml.safe_load((ROOT / "rules" / "profiles.yaml").read_text(encoding="utf-8"))
    assert "default" in profiles
    for name, members in profiles.items():
        assert set(members) <= known, name
        assert len(members) == len(set(members)), name


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_named_tuples_have_no_other_base(path: Path) -> None:
    """Python 3.10 refuses NamedTuple beside another base, such as Generic, when the module is imported."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ClassDef):
            bases = [ast.unparse(base) for base in node.bases]
            assert "NamedTuple" not in bases or len(bases) == 1, node.name
