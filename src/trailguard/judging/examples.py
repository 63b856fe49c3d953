"""Examples of rules that are about more than a template: one that says in its Metadata how it was deployed.

    Metadata:
      trailguard:
        deployed:
          parameters: {Bucket: audit-logs}     # the actual ones
          resources:                           # as they exist, by the logical ID in the template
            Trail:
              Type: AWS::CloudTrail::Trail
              Metadata: {trailguard: {arn: "arn:aws:cloudtrail:eu-west-1:111122223333:trail/audit"}}
              Properties: {...}

It stands for the snapshot of an account, of a fixed day. In a template that is scanned it means nothing.
"""

from __future__ import annotations

from collections.abc import Mapping

from trailguard.cloudformation.scenarios.model import Pins
from trailguard.cloudformation.source.nodes import Document, MapNode, Node, SourceError, TextNode, scalar_text
from trailguard.cloudformation.source.reading import parse
from trailguard.cloudformation.stacks.composing import composed
from trailguard.cloudformation.stacks.observed import Deployed, Twin
from trailguard.cloudformation.stacks.stacks import Stack
from trailguard.cloudformation.template.template import Template
from trailguard.judging.alone import judge, judge_file
from trailguard.judging.results import FileResult, Task, Text, results_of
from trailguard.judging.subjects import JudgedTemplate
from trailguard.reading.existing import texts_of
from trailguard.trails.observing import made_up

_ACCOUNT, _REGION, _DAY = "111122223333", "eu-west-1", "2026-11-29"
_NAME = f"{_ACCOUNT}/{_REGION}/example"


def judge_example(file: str, data: bytes, task: Task) -> FileResult:
    """Judge an example of a rule, as the stack that it says was made of it, if it does."""
    known = _told(data)
    return judge_file(file, data, task) if known is None else _judge_deployed(file, data, known, task)


def _told(data: bytes) -> MapNode | None:
    """What an example says of how it was deployed."""
    if b"deployed:" not in data and b'"deployed"' not in data:
        return None
    try:
        node: Node | None = parse(data).root
    except SourceError:
        return None
    for name in ("Metadata", "trailguard", "deployed"):
        node = node.values.get(name) if isinstance(node, MapNode) else None
    return node if isinstance(node, MapNode) else None


def _judge_deployed(file: str, data: bytes, known: MapNode, task: Task) -> FileResult:
    document = parse(data)
    template = Template(document)
    given = known.values.get("parameters")
    pairs = given.values.items() if isinstance(given, MapNode) else ()
    parameters = {name: text for name, node in pairs if (text := scalar_text(node)) is not None}
    there = known.values.get("resources")
    bodies = there.values if isinstance(there, MapNode) else {}
    deployed = Deployed(
        _NAME,
        _DAY,
        {name: made_up(_text(body, "Type"), _arn(body), texts_of(body)) for name, body in bodies.items()},
        parameters,
        twins={name: _twin(name, body) for name, body in bodies.items()},
    )
    whole, stacks = composed([Stack(1, file, template, None, parameters, "", None, deployed)])
    judged = JudgedTemplate(file, whole, Pins(parameters, _REGION, _ACCOUNT), stacks)
    return results_of({file: Text(template, document.text)}, [judge(judged, task)], task)[file]


def _text(body: Node, key: str) -> str:
    return scalar_text(body.values.get(key)) or "" if isinstance(body, MapNode) else ""


def _arn(body: Node) -> str:
    node: Node | None = body
    for name in ("Metadata", "trailguard"):
        node = node.values.get(name) if isinstance(node, MapNode) else None
    return _text(node, "arn") if node is not None else ""


def _twin(name: str, body: Node) -> Twin:
    """A resource as it exists, in a template of its own."""
    root = _map({"Resources": _map({name: body})})
    return Twin(Template(Document(root, "", ())), None, (_ACCOUNT, _REGION), name, f"{_arn(body)} (as of {_DAY})")


def _map(values: Mapping[str, Node]) -> MapNode:
    made = MapNode(1, 1)
    made.keys = {name: TextNode(name, False, 1, 1, 1, 1) for name in values}
    made.values = dict(values)
    return made
