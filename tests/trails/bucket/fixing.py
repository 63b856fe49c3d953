"""Runs `fix` on templates, for the tests of what repairs the rules about buckets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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

SAFE, UNSAFE, LEFT = "safe", "unsafe", "left"


class Fixed(NamedTuple):
    """What came of a rule's findings: how each stands by its resource, why, and the texts that changed, by file."""

    standing: Mapping[str, str]
    reasons: Mapping[str, str]
    texts: Mapping[str, str]


def fixed(paths: Sequence[str], *rules: str, unsafe: bool = True) -> Fixed:
    """Repair what rules find in files."""
    look = look_at(paths, Settings())
    before = look.outcome()
    found = [one for one in before.report.results if one.rule.id in rules and one.verdict in (FAIL, CONDITIONAL)]
    result = repaired(look, before, [key_of(one) for one in found], unsafe)
    needed = {plan.key: plan.unsafe for plan in result.plans}
    standing: dict[str, str] = {}
    reasons: dict[str, str] = {}
    for finding in found:
        key = key_of(finding)
        if key in needed or key in result.also:
            standing[finding.resource] = UNSAFE if needed.get(key) else SAFE
            reasons[finding.resource] = needed.get(key, "")
        else:
            standing[finding.resource] = LEFT
            reasons[finding.resource] = result.left[key]
    texts = {Path(path).name: applied(decoded(before.files[path].data), edits) for path, edits in result.edits.items()}
    return Fixed(standing, reasons, texts)


def lines(folder: Path, rule: str, template: str, unsafe: bool = False) -> list[str]:
    """The lines that the repair of a rule takes out of a template and puts in, each with its sign."""
    text = dedent(template).lstrip("\n")
    path = folder / "template.yaml"
    path.write_text(text, encoding="utf-8")
    result = fixed([str(path)], rule, unsafe=unsafe)
    assert result.standing, f"{rule} finds nothing to repair"
    assert LEFT not in result.standing.values(), result.reasons
    after = result.texts["template.yaml"]
    changed = unified_diff(text.splitlines(), after.splitlines(), n=0, lineterm="")
    return [f"{line[0]} {line[1:].strip()}" for line in list(changed)[2:] if not line.startswith("@@")]
