"""Delivery chains in an editor: a line above each trail, and links to the other ends."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator

from trailguard.cloudformation.source.nodes import Document, MapNode, Node, TextNode
from trailguard.cloudformation.template.includes import locations
from trailguard.findings import CONNECTION_NAMES, NOT_APPLICABLE, PART_NAMES, Chain, Part, Span, worst
from trailguard.judging.places import span_of
from trailguard.reporters.common import readable

# Where a trail names the parts of its chain.
_NAMED_BY = {
    "bucket": "S3BucketName", "key": "KMSKeyId", "log_group": "CloudWatchLogsLogGroupArn",
    "role": "CloudWatchLogsRoleArn", "topic": "SnsTopicName",
}  # fmt: skip
_MAKERS = {"AWS::CloudFormation::Stack": "TemplateURL", "AWS::Serverless::Application": "Location"}


def title(chain: Chain) -> str:
    """A chain in a line: each part behind the trail, and what the rules say of it and of the way to it."""
    told = []
    for number, part in enumerate(chain.parts[1:], 1):
        ways = (ruling for way in chain.connections if way.target == number for ruling in way.rulings)
        verdict = worst((*part.rulings, *ways))
        said = "" if verdict == NOT_APPLICABLE else f": {verdict}"
        told.append(f"{PART_NAMES[part.kind]} {_called(part)}{said}")
    own = worst(chain.parts[0].rulings)
    return readable(" · ".join([f"trail: {own}" if own != NOT_APPLICABLE else "trail", *told]))


def text(chain: Chain) -> str:
    """A chain in lines: what is connected with what, and what the rules say of it where they are not content."""
    lines = []
    for way in chain.connections:
        source, target = chain.parts[way.source], chain.parts[way.target]
        lines.append(
            f"{_called(source)} {CONNECTION_NAMES[way.kind]} {_called(target)}{'' if way.always else ' (not always)'}"
        )
        lines += [f"  {one.rule} {one.verdict}: {one.message}" for one in way.rulings if one.verdict != "pass"]
    for part in chain.parts:
        lines += [
            f"{part.name}: {one.rule} {one.verdict}: {one.message}" for one in part.rulings if one.verdict != "pass"
        ]
    return readable("\n".join(dict.fromkeys(lines)))


def _called(part: Part) -> str:
    return part.name if not part.file or not part.line else part.name.rpartition(".")[2]


def links(document: Document, file: str, chains: Iterable[Chain]) -> Iterator[tuple[Span, str, int]]:
    """Where places of a document lead to: spans, and the files and lines at the other end; line 0 for a whole file."""
    resources = document.root.values.get("Resources") if isinstance(document.root, MapNode) else None
    made = resources.values if isinstance(resources, MapNode) else {}
    for chain in chains:
        yield from _along(chain, file, lambda name: _properties(made.get(name)))
    for body in made.values():
        kind = body.values.get("Type") if isinstance(body, MapNode) else None
        name = _MAKERS.get(kind.value, "") if isinstance(kind, TextNode) else ""
        yield from _to_file(_properties(body).get(name), file)
    for place in locations(document.root):
        yield from _to_file(place, file)


def _along(chain: Chain, file: str, properties: Callable[[str], dict[str, Node]]) -> Iterator[tuple[Span, str, int]]:
    trail = chain.parts[0]
    for part in chain.parts[1:]:
        owner, name = (trail, _NAMED_BY.get(part.kind, ""))
        value = properties(owner.name).get(name) if owner.file == file else None
        if value is not None and part.file and part.line:
            yield span_of(value), part.file, part.line
    buckets = [part for part in chain.parts if part.kind == "bucket" and part.file and part.line]
    for policy in chain.parts:
        value = properties(policy.name).get("Bucket") if policy.kind == "policy" and policy.file == file else None
        if value is not None and len(buckets) == 1:
            yield span_of(value), buckets[0].file, buckets[0].line


def _properties(body: Node | None) -> dict[str, Node]:
    properties = body.values.get("Properties") if isinstance(body, MapNode) else None
    return dict(properties.values) if isinstance(properties, MapNode) else {}


def _to_file(node: Node | None, file: str) -> Iterator[tuple[Span, str, int]]:
    """The link of a text that names a file, if that is there."""
    if isinstance(node, TextNode) and "://" not in node.value:
        found = os.path.normpath(os.path.join(os.path.dirname(file), node.value))
        if os.path.isfile(found):
            yield span_of(node), found, 0
