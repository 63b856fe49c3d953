"""Spells names as AWS takes them: the nearest name to the one that somebody chose, which that person has to look at.

Sources: https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_CreateTrail.html (Name),
https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html and
https://docs.aws.amazon.com/sns/latest/api/API_CreateTopic.html
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from trailguard.cloudformation.source.changes import Data, Replace, at
from trailguard.cloudformation.source.nodes import Node, TextNode
from trailguard.cloudformation.stacks.renaming import bare
from trailguard.cloudformation.template.template import function_of
from trailguard.trails.facts.repairs import Repair

_FILLED = re.compile(r"(\$\{[^}]*\})")
_CHOSEN = "people choose names, and whoever looks for this one must know of it"


def trail(part: str) -> str:
    """A part of a trail's name as CloudTrail takes it."""
    return re.sub(r"([._-])[._-]+", r"\1", re.sub(r"[^A-Za-z0-9._-]+", "-", part))


def bucket(part: str) -> str:
    """A part of a bucket's name as S3 takes it."""
    return re.sub(r"\.[.-]+|-\.+", ".", re.sub(r"[^a-z0-9.-]+", "-", part.lower()))


def topic(part: str) -> str:
    """A part of a topic's name as SNS takes it."""
    return re.sub(r"[^A-Za-z0-9_-]+", "-", part)


def named(node: Node, what: str, spell: Callable[[str], str], most: int) -> Iterator[Repair]:
    """The nearest name that a service may take, for one that is written out; `most` are the letters that it takes."""
    call = function_of(node)
    text = call[1] if call is not None and call[0] == "Fn::Sub" else node
    if not isinstance(text, TextNode):
        return
    spelt = bare(text.value)
    if call is None and "${" in spelt:
        yield Repair(f"Let Fn::Sub fill in {what}", (Replace(at(node), {"Fn::Sub": spelt}),))
        return
    parts = [part if index % 2 else spell(part) for index, part in enumerate(_FILLED.split(spelt))]
    made = "".join(parts).strip(".-_")
    made = made if "${" in made else made[:most].rstrip(".-_")
    if made and made != spelt:
        value: Data = made
        yield Repair(f"Set {what} to {made}", (Replace(at(text), value),), _CHOSEN)
