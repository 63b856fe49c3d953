"""What a suppression covers, and how it is read."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import NamedTuple

from trailguard.cloudformation.source.nodes import ListNode, MapNode, Node, TextNode, file_of, literal
from trailguard.cloudformation.template.template import Resource
from trailguard.errors import nearest
from trailguard.findings import Finding, Suppression
from trailguard.settings.checker import is_date


class Ruling(NamedTuple):
    """What a suppression covers: a rule (id or name) at some place, why, and until when; and where it is written."""

    rule: str
    covers: Callable[[Finding], bool]
    suppression: Suppression
    file: str
    line: int


def expired(suppression: Suppression, today: str) -> bool:
    """Tell whether a suppression is past; one with a date that is none never was in force."""
    expires = suppression.expires
    return expires is not None and (not is_date(expires) or expires < today)


def first(finding: Finding, rulings: Iterable[Ruling], today: str) -> Ruling | None:
    """The first of some rulings that covers a finding and is in force; None when there is none."""
    for ruling in rulings:
        is_about = ruling.rule in (finding.rule.id, finding.rule.name) and ruling.covers(finding)
        if is_about and not expired(ruling.suppression, today):
            return ruling
    return None


def no_rule(name: str, known: Collection[str]) -> str:
    """The end of a message about a rule that does not exist."""
    close = nearest(name, known, 0.8)
    return f'rule "{name}", which does not exist' + (f'; did you mean "{close}"?' if close else "")


def of_resource(file: str, resource: Resource) -> Callable[[Finding], bool]:
    """Tell whether a finding is about a resource of a file, or one at fault in it."""
    name = resource.id
    files = {file, file_of(resource.key) or file, file_of(resource.body) or file}  # it may be written in a part

    def covers(finding: Finding) -> bool:
        is_subject = name == finding.resource and finding.home in files
        return is_subject or (name in _owner(finding) and finding.place.file in files)

    return covers


def at_lines(file: str, lines: tuple[int, ...]) -> Callable[[Finding], bool]:
    """Tell whether a finding is on one of some lines of a file."""
    return lambda finding: finding.place.span.line in lines and finding.place.file == file


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
