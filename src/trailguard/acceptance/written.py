"""Findings that somebody accepted in the template itself: by a comment, or by Metadata on the resource.

A suppression that suppresses nothing, names a rule that does not exist, or has expired, is reported.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import NamedTuple

from trailguard.cloudformation.source.nodes import ListNode, MapNode, Node, TextNode, literal
from trailguard.cloudformation.template.template import Template
from trailguard.findings import Finding, Notice, Suppression

MARK = "trailguard:"

_COMMENT = re.compile(r"#\s*trailguard:\s*ignore\[([^\[\]]*)\](.*)")
_EXPIRES = re.compile(r"\bexpires=(\S+)")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


class Ruling(NamedTuple):
    """What a suppression covers: a rule (id or name) at some place, why, and until when."""

    rule: str
    covers: Callable[[Finding], bool]
    suppression: Suppression
    line: int


class Suppressions:
    """The suppressions written in one file, and which of them were of use.

    `known` holds the ids and names of all rules, `today` is an ISO date. `foreign` are those for other linters, which
    may be of use there.
    """

    def __init__(
        self,
        file: str,
        template: Template | None,
        lines: str,
        known: set[str],
        today: str,
        foreign: Iterable[Ruling] = (),
    ) -> None:
        self._file = file
        self._today = today
        self._known = known
        self._rulings = [*_comments(lines), *(_metadata(template) if template is not None else ())]
        self._foreign = list(foreign)
        self._used: set[int] = set()

    def find(self, finding: Finding) -> Suppression | None:
        """What suppresses a finding, if anything does."""
        ruling = first(finding, [*self._rulings, *self._foreign], self._today)
        if ruling is None:
            return None
        self._used.add(id(ruling))
        return ruling.suppression

    def notices(self) -> list[Notice]:
        """Those that name no rule, and those that are of no use."""
        found = []
        for ruling in self._rulings:
            if ruling.rule not in self._known:
                text = f'the suppression names rule "{ruling.rule}", which does not exist'
                found.append(Notice(self._file, ruling.line, text))
            elif id(ruling) not in self._used:
                found.append(Notice(self._file, ruling.line, _unused(ruling, self._today)))
        return found


def _unused(ruling: Ruling, today: str) -> str:
    if expired(ruling.suppression, today):
        return f"the suppression of {ruling.rule} expired on {ruling.suppression.expires}"
    return f"the suppression of {ruling.rule} suppresses nothing"


def expired(suppression: Suppression, today: str) -> bool:
    """Tell whether a suppression is past; one with a date that cannot be read has expired."""
    expires = suppression.expires
    return expires is not None and (_DATE.fullmatch(expires) is None or expires < today)


def first(finding: Finding, rulings: Iterable[Ruling], today: str) -> Ruling | None:
    """The first of some rulings that covers a finding and is in force; None when there is none."""
    for ruling in rulings:
        is_about = ruling.rule in (finding.rule.id, finding.rule.name) and ruling.covers(finding)
        if is_about and not expired(ruling.suppression, today):
            return ruling
    return None


def _comments(lines: str) -> list[Ruling]:
    """`# trailguard: ignore[TG101, TG102] reason` on the line of a finding or the line above it."""
    found: list[Ruling] = []
    if MARK not in lines:
        return found
    for number, line in enumerate(lines.replace("\r\n", "\n").replace("\r", "\n").split("\n"), 1):
        match = _COMMENT.search(line) if MARK in line else None
        if match is None:
            continue
        expires = _EXPIRES.search(match[2])
        reason = _EXPIRES.sub("", match[2]).strip()
        suppression = Suppression("comment", reason, expires[1] if expires else None)
        alone = line.lstrip().startswith("#")
        places = (number, number + 1) if alone else (number,)
        names = filter(None, (name.strip() for name in match[1].split(",")))
        found.extend(Ruling(name, _at_lines(places), suppression, number) for name in names)
    return found


def _at_lines(lines: tuple[int, ...]) -> Callable[[Finding], bool]:
    return lambda finding: finding.place.span.line in lines


def _metadata(template: Template) -> list[Ruling]:
    """`Metadata: {trailguard: {ignore: [{rule, reason, expires}]}}` on the subject, or on the resource at fault."""
    found: list[Ruling] = []
    for resource in template.resources.values():
        for item in items(child(child(resource.attribute("Metadata"), "trailguard"), "ignore")):
            rule = text(item) or text(child(item, "rule"))
            if rule is None:
                continue
            suppression = Suppression("metadata", text(child(item, "reason")) or "", text(child(item, "expires")))
            found.append(Ruling(rule, of_resource(resource.id), suppression, item.line))
    return found


def of_resource(name: str) -> Callable[[Finding], bool]:
    """Tell whether a finding is about a resource, or one at fault in it."""
    return lambda finding: name == finding.resource or name in _owner(finding)


def _owner(finding: Finding) -> tuple[str | int, ...]:
    """The resource at fault: what follows Resources in the path."""
    path = finding.place.path
    start = path.index("Resources") + 1 if "Resources" in path else len(path)
    return path[start : start + 1]


def child(node: Node | None, name: str) -> Node | None:
    """The value of a name in a map; None where there is none, or no map."""
    return node.values.get(name) if isinstance(node, MapNode) else None


def items(node: Node | None) -> list[Node]:
    """The items of a list; none where there is no list."""
    return node.items if isinstance(node, ListNode) else []


def text(node: Node | None) -> str | None:
    """A text that is written down as it is."""
    value = literal(node) if isinstance(node, TextNode) else None
    return value if isinstance(value, str) else None
