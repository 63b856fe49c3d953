"""Why a value is not known, in words that somebody can act on: what it is, where, and what decides it.

A reason names the thing at fault and the line it stands on, because the place of a finding is often another one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from trailguard.cloudformation.scenarios.values import (
    VARIABLE,
    Absent,
    Flag,
    ListValue,
    MapValue,
    Null,
    Symbol,
    Text,
    Unknown,
    Value,
    show,
)
from trailguard.cloudformation.source.nodes import ListNode, MapNode, Node, TextNode, file_of
from trailguard.errors import nearest

# The macro that stands in a snapshot where something could not be read: no such macro exists, and its Reason says why.
UNREAD = "TrailguardUnread"
INSTEAD = "hand it in as a parameter and give that with --parameter to have it judged"


class Refused(Exception):
    """Raised where a function is used in a way that CloudFormation refuses; its text says what is wrong."""


def refused(name: str, node: Node, why: object) -> Unknown:
    """The value of a function call that CloudFormation refuses."""
    place = f"{name} on line {node.line}:{node.column}"
    return Unknown(place, f"CloudFormation refuses {name} on {line(node)}: {why}", node)


def line(node: Node) -> str:
    """The line of a node, with its file where the node is of another template than the one that is looked at."""
    file = file_of(node)
    return f"line {node.line} of {file}" if file else f"line {node.line}"


def undefined(kind: str, name: str, known: Iterable[str]) -> str:
    """The reason for a name that stands for nothing; `kind` is what the template should define, or ""."""
    shown = f"{kind} {name}" if kind else name or '""'
    close = nearest(name, known, 0.7) if name else None
    return f"the template does not define {shown}" + (f"; did you mean {close}?" if close is not None else "")


def open_value(symbol: Symbol) -> str:
    """Why the value of a symbol is not known, and what tells it."""
    if symbol.reason or symbol.kind != VARIABLE:
        return symbol.reason or f"{symbol.name} is not known"
    if symbol.name.startswith("AWS::Region"):
        return "the Region of the deployment is open; give it with --region"
    return f"parameter {symbol.name} may have any value; give it with --parameter {symbol.name}=VALUE"


def open_items(symbol: Symbol) -> str:
    """Why the items of a list parameter are not known, and what tells them."""
    return f"parameter {symbol.name} may be any list; give it with --parameter {symbol.name}=VALUE,VALUE"


def made_at_deployment(resource: str, kind: str, attribute: str, known: Sequence[str]) -> str:
    """Why the value that a resource returns is not known; `known` are the attributes of its type that are."""
    what = f"what Ref of {resource} gives" if attribute == "Ref" else f"the attribute {attribute} of {resource}"
    others = ", ".join(name for name in known if name != "Ref")
    if others and attribute != "Ref":
        known_here = f"{what} is not among those of {kind} that are known here ({others})"
        return f"{known_here}; correct its name, or {INSTEAD}"
    return f"{what} is made at deployment ({kind}); {INSTEAD}"


def written_by(key: str, macro: Node, place: Node) -> str:
    """Why nobody knows what a macro or a loop writes: the key under which it stands, its argument, its place."""
    macro = macro.items[0] if isinstance(macro, ListNode) and macro.items else macro
    values = macro.values if isinstance(macro, MapNode) else {}
    name, parameters = values.get("Name"), values.get("Parameters")
    called = name.value if isinstance(name, TextNode) else ""
    if called == "AWS::Include":
        where = parameters.values.get("Location") if isinstance(parameters, MapNode) else None
        shown = f"AWS::Include of {where.value}" if isinstance(where, TextNode) else "AWS::Include"
        return f"what {shown} brings ({line(place)}) is not in the scanned files; a local file among them is judged"
    if called == UNREAD and isinstance(parameters, MapNode):
        reason = parameters.values.get("Reason")
        return reason.value if isinstance(reason, TextNode) else f"it could not be read ({line(place)})"
    shown = f"macro {called}" if called else key
    return f"{shown} writes it at deployment ({line(place)}); scan the template that it makes to have it judged"


def kind_of(value: Value) -> str:
    """What a value is, in words."""
    if isinstance(value, Text):
        return f'"{value.literal}"' if value.literal is not None else f"text that is not known here ({show(value)})"
    kinds: dict[type, str] = {
        Flag: "true or false", Null: "null", ListValue: "a list", MapValue: "a map", Absent: "nothing (AWS::NoValue)"
    }  # fmt: skip
    return kinds.get(type(value), "not known")


def shape_of(node: Node) -> str:
    """What a node is as it is written, in words."""
    if isinstance(node, ListNode):
        return f"a list of {len(node.items)}"
    return "a map" if isinstance(node, MapNode) else "text"
