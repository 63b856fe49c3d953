"""`trailguard init`: a template of an audit trail that passes every rule, from `init_template.yaml`.

Lines of that file between `#if NAME…` and `#end` are for those who want all that is named. To YAML these are comments,
so that the file as it stands is a template too, the one with everything.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TypeAlias

from trailguard.cloudformation.source.nodes import ListNode, MapNode, Node, TextNode, literal
from trailguard.cloudformation.source.reading import parse

Data: TypeAlias = "dict[str, Data] | list[Data] | str | int | bool | None"

SWITCHES = ("organization", "kms", "cloudwatch", "sns")


def template(wanted: Collection[str], form: str = "yaml") -> str:
    """Write the template with the parts that are wanted: `yaml` with comments that explain it, or `json`."""
    from importlib.resources import files

    whole = files("trailguard.commands").joinpath("init_template.yaml").read_text(encoding="utf-8")
    text = _chosen(whole, frozenset(wanted))
    if form == "yaml":
        return text
    import json

    return json.dumps(_data(parse(text.encode()).root), indent=2) + "\n"


def _chosen(whole: str, wanted: frozenset[str]) -> str:
    """Keep the lines that are for everybody, and those of the parts that are wanted."""
    kept: list[str] = []
    keep = True
    for line in whole.splitlines():
        if line.startswith("#if "):
            keep = wanted.issuperset(line.split()[1:])
        elif line == "#end":
            keep = True
        elif keep:
            kept.append(line)
    return "\n".join(kept) + "\n"


def _data(node: Node) -> Data:
    """A template as JSON knows it: numbers as numbers, and the two parts of `Fn::GetAtt` apart."""
    if isinstance(node, MapNode):
        entries = {name: _data(child) for name, child in node.values.items()}
        target = entries.get("Fn::GetAtt")
        return {"Fn::GetAtt": list(target.split(".", 1))} if isinstance(target, str) else entries
    if isinstance(node, ListNode):
        return [_data(item) for item in node.items]
    if not isinstance(node, TextNode):
        return None
    value = literal(node)
    return int(value) if isinstance(value, str) and node.plain and value.isdecimal() else value
