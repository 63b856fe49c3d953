"""Runs `fix` on texts, for the tests of what repairs a rule."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import unified_diff
from pathlib import Path
from textwrap import dedent
from typing import NamedTuple

from trailguard.findings import CONDITIONAL, FAIL
from trailguard.fixes.edits import applied, decoded
from trailguard.fixes.repairing import repaired
from trailguard.fixes.reporting import look_at
from trailguard.judging.offers import key_of
from trailguard.settings.settings import Settings


class Fixed(NamedTuple):
    """What came of a rule's findings: the texts by file, why each safe plan is safe or not, and what is left."""

    texts: Mapping[str, str]
    unsafe: tuple[str, ...]
    left: tuple[str, ...]


def fixed(rule: str, folder: Path, files: Mapping[str, str], unsafe: bool = False) -> Fixed:
    """Repair what a rule finds in some files."""
    for name, text in files.items():
        (folder / name).write_text(dedent(text).lstrip("\n"), encoding="utf-8")
    look = look_at([str(folder)], Settings())
    before = look.outcome()
    wanted = [
        key_of(one) for one in before.report.results if one.rule.id == rule and one.verdict in (FAIL, CONDITIONAL)
    ]
    assert wanted, f"{rule} finds nothing to repair"
    result = repaired(look, before, wanted, unsafe)
    texts = {}
    for path, edits in result.edits.items():
        texts[Path(path).name] = applied(decoded(before.files[path].data), edits)
    left = tuple(result.left[key] for key in wanted if key in result.left)
    return Fixed(texts, tuple(plan.unsafe for plan in result.plans), left)


def lines(rule: str, folder: Path, template: str, unsafe: bool = False) -> list[str]:
    """The lines that the repair of a rule takes out of a template and puts in, each with its sign."""
    result = fixed(rule, folder, {"template.yaml": template}, unsafe)
    assert not result.left, result.left
    before = dedent(template).lstrip("\n").splitlines()
    after = result.texts["template.yaml"].splitlines()
    changed = list(unified_diff(before, after, lineterm="", n=0))[2:]
    return [f"{line[0]} {line[1:].strip()}" for line in changed if line[0] in "+-" and line[1:].strip()]
