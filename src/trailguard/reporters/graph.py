"""The delivery chains of a report as a graph: for Mermaid, Graphviz, or as JSON."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from trailguard.findings import (
    CONDITIONAL,
    CONNECTION_NAMES,
    FAIL,
    NOT_APPLICABLE,
    OPEN,
    PART_NAMES,
    PASS,
    UNKNOWN,
    Chain,
    Connection,
    Part,
    Ruling,
    worst,
)

FORMATS = ("mermaid", "dot", "json")
SCHEMA = "trailguard-graph/1"

_COLOURS = {FAIL: "#c62828", CONDITIONAL: "#b26a00", UNKNOWN: "#7b1fa2", PASS: "#2e7d32", NOT_APPLICABLE: "#6b7280"}
_ELSEWHERE = "made elsewhere"


class _Node(NamedTuple):
    """A part of one or more chains."""

    name: str
    part: Part
    rulings: tuple[Ruling, ...]
    contexts: tuple[str, ...]


class _Graph:
    """All chains in one graph: what several trails share is there once."""

    def __init__(self, chains: Sequence[Chain]) -> None:
        self.nodes: dict[tuple[object, ...], _Node] = {}
        self.edges: dict[tuple[str, str, str], Connection] = {}
        for number, chain in enumerate(chains):
            names = [self._node(part, chain, number) for part in chain.parts]
            for item in chain.connections:
                key = (names[item.source], names[item.target], item.kind)
                known = self.edges.get(key)
                rulings = tuple(dict.fromkeys((*(known.rulings if known else ()), *item.rulings)))
                self.edges[key] = item._replace(rulings=rulings)

    def _node(self, part: Part, chain: Chain, number: int) -> str:
        """A trail of several contexts is several; what none of the templates makes belongs to its trail."""
        contexts = chain.contexts if part.kind == "trail" else ()
        own = contexts if part.file else number
        key = (part.kind, part.file, part.line, part.name, own)
        if key not in self.nodes:
            self.nodes[key] = _Node(f"n{len(self.nodes)}", part, part.rulings, contexts)
        return self.nodes[key].name

    def by_file(self) -> dict[str, list[_Node]]:
        """The nodes by the file that makes them."""
        found: dict[str, list[_Node]] = {}
        for node in self.nodes.values():
            found.setdefault(node.part.file, []).append(node)
        return found


def render(chains: Sequence[Chain], form: str) -> str:
    """The chains as text in one of FORMATS, with a line break at the end."""
    renderers: Mapping[str, Callable[[Sequence[Chain]], str]] = {"mermaid": _mermaid, "dot": _dot, "json": _json}
    return renderers[form](chains)


def _label(node: _Node) -> Iterator[str]:
    part = node.part
    yield PART_NAMES[part.kind]
    yield part.name if part.file else _ELSEWHERE
    yield from (f"in {context}" for context in node.contexts)
    yield from _broken(node.rulings)


def _broken(rulings: tuple[Ruling, ...]) -> Iterator[str]:
    """The rules that are not kept, by their verdict."""
    for verdict in OPEN:
        names = [item.rule for item in rulings if item.verdict == verdict]
        if names:
            yield f"{verdict}: {', '.join(names)}"


def _edge_label(edge: Connection) -> Iterator[str]:
    yield CONNECTION_NAMES[edge.kind] + ("" if edge.always else " (in some deployments)")
    yield from _broken(edge.rulings)


def _mermaid(chains: Sequence[Chain]) -> str:
    graph = _Graph(chains)
    lines = ["flowchart LR"]
    for number, (file, nodes) in enumerate(graph.by_file().items()):
        if file:
            lines.append(f'  subgraph f{number}["{_mermaid_text(file)}"]')
        indent = "    " if file else "  "
        for node in nodes:
            shape = ("[(", ")]") if node.part.kind == "bucket" else ("[", "]")
            text = "<br>".join(map(_mermaid_text, _label(node)))
            lines.append(f'{indent}{node.name}{shape[0]}"{text}"{shape[1]}:::{worst(node.rulings)}')
        if file:
            lines.append("  end")
    for (source, target, _), edge in graph.edges.items():
        arrow = "-->" if edge.kind != "order" else "-.->"
        text = "<br>".join(map(_mermaid_text, _edge_label(edge)))
        lines.append(f'  {source} {arrow}|"{text}"| {target}')
    for number, edge in enumerate(graph.edges.values()):
        lines.append(f"  linkStyle {number} stroke:{_COLOURS[worst(edge.rulings)]}")
    lines += [f"  classDef {verdict} stroke:{colour},stroke-width:2px" for verdict, colour in _COLOURS.items()]
    return "\n".join(lines) + "\n"


def _mermaid_text(text: str) -> str:
    """Text that Mermaid takes as it is: anything special is written as a number."""
    plain = "-_.:/,() "
    return "".join(char if char.isalnum() or char in plain else f"#{ord(char)};" for char in text)


def _dot(chains: Sequence[Chain]) -> str:
    graph = _Graph(chains)
    lines = ["digraph trailguard {", "  rankdir=LR;", '  node [shape=box, fontname="sans-serif"];']
    lines.append('  edge [fontname="sans-serif", fontsize=10];')
    for number, (file, nodes) in enumerate(graph.by_file().items()):
        if file:
            lines += [f"  subgraph cluster_{number} {{", f"    label={_dot_text([file])};"]
        indent = "    " if file else "  "
        for node in nodes:
            shape = ", shape=cylinder" if node.part.kind == "bucket" else ""
            colour = _COLOURS[worst(node.rulings)]
            lines.append(f'{indent}{node.name} [label={_dot_text(_label(node))}, color="{colour}"{shape}];')
        if file:
            lines.append("  }")
    for (source, target, _), edge in graph.edges.items():
        colour = _COLOURS[worst(edge.rulings)]
        style = ", style=dashed" if edge.kind == "order" else ""
        label = _dot_text(_edge_label(edge))
        lines.append(f'  {source} -> {target} [label={label}, color="{colour}", fontcolor="{colour}"{style}];')
    return "\n".join([*lines, "}"]) + "\n"


def _dot_text(lines: Sequence[str] | Iterator[str]) -> str:
    """A quoted text of several lines; control characters do not get through."""
    safe = ("".join(char if char.isprintable() else "\ufffd" for char in line) for line in lines)
    return '"' + "\\n".join(line.replace("\\", "\\\\").replace('"', '\\"') for line in safe) + '"'


def _json(chains: Sequence[Chain]) -> str:
    told = [
        {
            "trail": chain.parts[0].name,
            "file": chain.parts[0].file,
            "contexts": list(chain.contexts),
            "parts": [_part(part) for part in chain.parts],
            "connections": [
                {
                    "from": item.source,
                    "to": item.target,
                    "kind": item.kind,
                    "always": item.always,
                    "verdict": worst(item.rulings),
                    "rules": list(map(_ruling, item.rulings)),
                }
                for item in chain.connections
            ],
        }
        for chain in chains
    ]
    text = json.dumps({"schema": SCHEMA, "chains": told}, ensure_ascii=True, indent=2)
    return text + "\n"


def _part(part: Part) -> dict[str, Any]:
    return {
        "kind": part.kind,
        "name": part.name,
        "file": part.file or None,
        "line": part.line or None,
        "verdict": worst(part.rulings),
        "rules": list(map(_ruling, part.rulings)),
    }


def _ruling(item: Ruling) -> dict[str, str]:
    return {"rule": item.rule, "name": item.name, "verdict": item.verdict, "message": item.message}
