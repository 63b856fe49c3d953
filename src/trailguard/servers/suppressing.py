"""Comments that suppress a finding where it is, for people to say why."""

from __future__ import annotations

from typing import NamedTuple

from trailguard.acceptance.in_comments import in_comments
from trailguard.cloudformation.source.comments import comments
from trailguard.findings import Finding
from trailguard.servers.positions import split


class Insertion(NamedTuple):
    """What is put before the text of a line, which counts from 1; both end with the same line end."""

    line: int
    text: str
    column: int = 1


def suppression(text: str, finding: Finding, reason: str) -> Insertion | None:
    """The comment that suppresses a finding, on a line of its own above it; None where no comment can stand.

    That is so in JSON, and inside of a text that goes over several lines.
    """
    line = finding.place.span.line
    lines = split(text)
    if not 0 < line <= len(lines):
        return None
    shown = lines[line - 1]
    indent = shown[: len(shown) - len(shown.lstrip())]
    end = "\r\n" if "\r\n" in text else "\n"
    comment = f"{indent}# trailguard: ignore[{finding.rule.id}] {reason}".rstrip()
    after = end.join([*lines[: line - 1], comment, *lines[line - 1 :]])
    rulings, _ = in_comments(finding.place.file, comments(after))
    moved = finding.place.span._replace(line=line + 1)
    about = finding._replace(place=finding.place._replace(span=moved))
    is_seen = any(one.line == line and one.rule == finding.rule.id and one.covers(about) for one in rulings)
    return Insertion(line, comment + end) if is_seen else None
