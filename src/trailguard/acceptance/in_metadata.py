"""Suppressions written in Metadata of a resource: `trailguard: {ignore: [{rule, reason, expires}]}`.

What is there and cannot be used suppresses nothing, and is reported with the right form.
"""

from __future__ import annotations

from collections.abc import Iterator

from trailguard.acceptance.rulings import Ruling, child, of_resource, text
from trailguard.cloudformation.source.nodes import ListNode, MapNode, Node, file_of
from trailguard.cloudformation.template.template import Resource, Template
from trailguard.errors import nearest
from trailguard.findings import Notice, Suppression
from trailguard.settings.checker import is_date

RIGHT = "{trailguard: {ignore: [{rule: TG101, reason: the reason}]}}"
_NAME = "trailguard"
_KEYS = ("ignore", "expect")  # what is expected of a rule's own examples stands there, too
_ITEM_KEYS = ("rule", "reason", "expires")
_ALIKE = 0.8


def in_metadata(file: str, template: Template) -> tuple[list[Ruling], list[Notice]]:
    """What the Metadata of a template's resources suppress, on the subject or on the resource at fault; what is wrong.

    A suppression without a reason counts, and is reported.
    """
    rulings: list[Ruling] = []
    notices = list(_of_template(file, template.root.values.get("Metadata")))
    for resource in template.resources.values():
        metadata = resource.attribute("Metadata")
        if isinstance(metadata, MapNode):
            notices.extend(_misspelt(file, metadata))
            for item in _items(file, metadata.values.get(_NAME), notices):
                ruling = _ruling(file, resource, item, notices)
                rulings.extend([ruling] if ruling is not None else [])
    return rulings, notices


def _note(file: str, node: Node, message: str) -> Notice:
    return Notice(file_of(node) or file, node.line, message)


def _of_template(file: str, metadata: Node | None) -> Iterator[Notice]:
    """A suppression in the Metadata of the template itself, which is about no resource."""
    node = child(child(metadata, _NAME), "ignore")
    if node is not None:
        yield _note(file, node, f"the Metadata of a template suppresses nothing; write {RIGHT} in that of the resource")


def _misspelt(file: str, metadata: MapNode) -> Iterator[Notice]:
    """Our name, misspelt."""
    for name, key in metadata.keys.items():
        if name != _NAME and nearest(name, (_NAME,), _ALIKE) is not None:
            yield _note(file, key, f'"{name}" in Metadata suppresses nothing; did you mean "{_NAME}"?')


def _items(file: str, ours: Node | None, notices: list[Notice]) -> list[Node]:
    """The list of suppressions in what stands under our name."""
    if ours is None:
        return []
    if not isinstance(ours, MapNode):
        notices.append(_note(file, ours, f"this Metadata suppresses nothing; write {RIGHT}"))
        return []
    _refuse_keys(file, ours, _KEYS, notices)
    found = ours.values.get("ignore")
    if isinstance(found, ListNode):
        return found.items
    if found is not None:
        notices.append(_note(file, found, f"ignore must be a list, and suppresses nothing; write {RIGHT}"))
    return []


def _refuse_keys(file: str, node: MapNode, known: tuple[str, ...], notices: list[Notice]) -> None:
    for name, key in node.keys.items():
        if name not in known:
            close = nearest(name, known)
            hint = f'did you mean "{close}"?' if close else f"known are {', '.join(known)}"
            notices.append(_note(file, key, f'unknown key "{name}" in Metadata for trailguard; {hint}'))


def _ruling(file: str, resource: Resource, item: Node, notices: list[Notice]) -> Ruling | None:
    """One suppression; None when it cannot be used."""
    if isinstance(item, MapNode):
        _refuse_keys(file, item, _ITEM_KEYS, notices)
    rule = text(item) or text(child(item, "rule"))
    if rule is None:
        notices.append(_note(file, item, f"the suppression names no rule and suppresses nothing; write {RIGHT}"))
        return None
    expires = child(item, "expires")
    if expires is not None and not is_date(text(expires) or ""):
        said = f'"{text(expires)}"' if text(expires) else "expires"
        message = f"the suppression of {rule} suppresses nothing: {said} is not a date such as 2027-01-31"
        notices.append(_note(file, expires, message))
        return None
    reason = text(child(item, "reason")) or ""
    if not reason.strip():
        message = f"the suppression of {rule} gives no reason; write {{rule: {rule}, reason: the reason}}"
        notices.append(_note(file, item, message))
    suppression = Suppression("metadata", reason, text(expires))
    return Ruling(rule, of_resource(file, resource), suppression, file_of(item) or file, item.line)
