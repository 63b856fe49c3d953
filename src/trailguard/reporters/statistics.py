"""Two small tables for people: how many open findings each rule has, and each file."""

from __future__ import annotations

from collections import Counter

from trailguard.findings import OPEN
from trailguard.reporters.common import open_findings
from trailguard.terminal import cells, defuse, visible

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from trailguard.findings import Report

_HEADS = tuple(verdict.replace("_", " ") for verdict in OPEN)


def render(report: Report) -> str:
    """Write both tables, the most findings first; a line that says so when there are none."""
    found = open_findings(report)
    if not found:
        return "no open findings\n"
    rules = _counted((f"{item.rule.id} {item.rule.name}", item.verdict) for item in found)
    files = _counted((item.place.file, item.verdict) for item in found)
    blocks = ("\n".join(_table(title, rows)) for title, rows in (("rule", rules), ("file", files)))
    return defuse("\n\n".join(blocks) + "\n")


def _counted(pairs: Iterator[tuple[str, str]]) -> Mapping[str, Counter[str]]:
    found: dict[str, Counter[str]] = {}
    for name, verdict in pairs:
        found.setdefault(name, Counter())[verdict] += 1
    return found


def _table(title: str, rows: Mapping[str, Counter[str]]) -> Iterator[str]:
    order = sorted(rows.items(), key=lambda row: (-row[1].total(), row[0]))
    names = [visible(name) for name, _ in order]
    width = max(map(cells, (title, *names)))
    columns = "  ".join(f"{head:>11}" for head in _HEADS)
    yield f"{title}{' ' * (width - cells(title))}  {columns}"
    for name, (_, counts) in zip(names, order, strict=True):
        yield f"{name}{' ' * (width - cells(name))}  " + "  ".join(f"{counts[verdict]:>11}" for verdict in OPEN)
