"""A template's sections: parameters, mappings, conditions, rules, resources, outputs, and who refers to whom.

Nothing is resolved here, and nothing is judged: a section of the wrong shape becomes a problem with its place, and the
rest of the template is still read.
Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/template-anatomy.html
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from collections.abc import Mapping as Map
from typing import Literal, NamedTuple

from trailguard.cloudformation.source.nodes import (
    Document,
    ListNode,
    MapNode,
    Node,
    SourceError,
    TextNode,
    literal,
    scalar_text,
)
from trailguard.cloudformation.source.tags import LOOP
from trailguard.cloudformation.template.includes import is_include, location

# Macros whose work on trails, buckets and policies is known: they add nothing to and take nothing from them.
KNOWN_TRANSFORMS = frozenset(
    {
        "AWS::Serverless-2016-10-31",
        "AWS::LanguageExtensions",
        "AWS::CodeDeployBlueGreen",
        "AWS::CodeStar",
        "AWS::ServiceCatalog",
        "AWS::SecretsManager-2020-07-23",
        "AWS::SecretsManager-2024-09-16",
    }
)

PLACEHOLDER = re.compile(r"\$\{([^{}]*)\}")  # in the text of Fn::Sub
FUNCTION_PREFIX = "Fn::"
TRANSFORM = "Fn::Transform"
VARIABLE = "${"  # with which something begins that the Serverless Framework fills in
MODULE = "::MODULE"  # a resource of such a type stands for others, which are in a registry


LONGEST = 4096  # characters of a parameter's value that CloudFormation takes


class Parameter(NamedTuple):
    """A template parameter. Values are text, as CloudFormation sees them; None means not declared."""

    name: str
    type: str
    default: str | None
    allowed_values: tuple[str, ...] | None
    allowed_pattern: str | None
    min_length: int | None
    max_length: int | None
    min_value: float | None
    max_value: float | None
    node: Node
    is_secret: bool  # NoEcho: its value is not to be shown

    @property
    def is_list(self) -> bool:
        """Tell whether a reference to it gives a list."""
        kind = self.type.removeprefix("AWS::SSM::Parameter::Value<")
        return kind.startswith(("CommaDelimitedList", "List<"))

    @property
    def is_stored(self) -> bool:
        """Tell whether its value is read from the Systems Manager parameter store at deployment."""
        return self.type.startswith("AWS::SSM::Parameter::Value<")


class Resource(NamedTuple):
    """A resource. `key` is its logical ID where it is defined, `body` all that it says."""

    id: str
    type: str
    key: TextNode
    body: MapNode
    condition: str | None

    def attribute(self, name: str) -> Node | None:
        """The node of a resource attribute (Properties, DependsOn, Metadata, ...), or None."""
        return self.body.values.get(name)

    def depends_on(self) -> list[TextNode]:
        """The logical IDs named by DependsOn, a string or a list of strings, each with its place."""
        node = self.attribute("DependsOn")
        if isinstance(node, TextNode):
            return [node]
        if isinstance(node, ListNode):
            return [item for item in node.items if isinstance(item, TextNode)]
        return []


class Generator(NamedTuple):
    """Something that makes resources: where it stands, and which of them are in the template as it is read.

    "any" is one for any item of a collection, "default" those of the collection's default; "one" is a resource that
    something else writes, "none" are as many as there may be: `why` says why these are not seen.
    """

    key: TextNode
    seen: Literal["any", "default", "one", "none"]
    why: str = ""


class Template:
    """One template: its sections by name, its loops written out. `problems` lists what is misshapen, with places.

    `pinned` are parameter values that are known: a loop over a list parameter hinges on it.
    """

    __slots__ = (
        "conditions",
        "document",
        "generators",
        "items",
        "mappings",
        "outputs",
        "parameters",
        "prefix",
        "problems",
        "resources",
        "root",
        "rules",
        "transforms",
    )  # fmt: skip

    def __init__(self, document: Document, pinned: Map[str, str] | None = None) -> None:
        self.document = document
        root = document.root
        if not isinstance(root, MapNode):
            raise SourceError("a template is a map with Resources", root.line, root.column)
        inner = _inner_template(root)
        self.root = inner or root
        self.prefix = () if inner is None else ("resources",)
        self.problems: list[SourceError] = list(document.problems)
        self.generators: dict[str, Generator] = {}  # loops and macros among the resources, which make more of them
        self.items: dict[str, str] = {}  # what stands for any item of a loop, and why that is not known
        if expands(document):
            from trailguard.cloudformation.template.expansion import expand  # late: few templates hold loops

            expansion = expand(self.root, pinned)
            self.root = expansion.root
            self.problems += expansion.problems
            for name, key in expansion.open_loops.items():
                self.generators[name] = Generator(key, "any" if name in expansion.any_loops else "default")
            self.items.update(expansion.items)
        self.parameters = {key.value: _parameter(key, node) for key, node in self._section("Parameters")}
        self.mappings = {key.value: node for key, node in self._section("Mappings")}
        self.conditions = {key.value: node for key, node in self._section("Conditions")}
        self.rules = {key.value: node for key, node in self._section("Rules")}
        self.outputs = {key.value: (key, node) for key, node in self._section("Outputs")}
        self.transforms = _transforms(self.root.values.get("Transform"))
        self._note_includes()
        self.resources: dict[str, Resource] = {}
        for key, node in self._section("Resources"):
            self._add_resource(key, node)
        if "Resources" not in self.root.values:
            self.problems.append(SourceError("the template has no Resources", root.line, root.column))

    def _note_includes(self) -> None:
        """Take note of what the template includes as sections, which may hold resources."""
        transform = self.root.values.get("Transform")
        for call in transform.items if isinstance(transform, ListNode) else [transform]:
            if call is not None and is_include(call):
                key = self.root.keys["Transform"]
                self.generators["Transform"] = Generator(key, "none", _written_by("Transform", call))

    def _section(self, name: str) -> Iterator[tuple[TextNode, Node]]:
        node = self.root.values.get(name)
        if node is None or (isinstance(node, TextNode) and literal(node) is None):
            return
        if not isinstance(node, MapNode):
            self.problems.append(SourceError(f"{name} must be a map", node.line, node.column))
            return
        for key, value in node.values.items():
            yield node.keys[key], value

    def _add_resource(self, key: TextNode, node: Node) -> None:
        if key.value.startswith((FUNCTION_PREFIX, "!")):
            self.generators[key.value] = Generator(key, "none", _written_by(key.value, node))
            if key.value.startswith(LOOP) and not self.macros and "AWS::LanguageExtensions" not in self.transforms:
                message = f"{key.value} takes the transform AWS::LanguageExtensions: add it to Transform"
                self.problems.append(SourceError(message, key.line, key.column))
            return
        kind = node.values.get("Type") if isinstance(node, MapNode) else None
        writer = _writer(node)
        if writer is not None:
            self.generators[key.value] = Generator(key, "one", _written_by(*writer))
            return
        if not isinstance(node, MapNode) or not isinstance(kind, TextNode):
            self.problems.append(SourceError(f"resource {key.value} has no Type", key.line, key.column))
            return
        condition = node.values.get("Condition")
        name = condition.value if isinstance(condition, TextNode) else None
        if condition is not None and name is None:
            name = f"of {key.value}"  # a function, which nobody defines as a condition: unknown
        if kind.value.endswith(MODULE):
            self.generators[key.value] = Generator(key, "none", f"module {kind.value} is in a registry")
        self.resources[key.value] = Resource(key.value, kind.value, key, node, name)

    @property
    def generator(self) -> str | None:
        """What may make further resources, which nobody sees here; None when nothing does."""
        return next(iter(self.generators), None)

    @property
    def macros(self) -> tuple[str, ...]:
        """The transforms that may rewrite anything."""
        return tuple(name for name in self.transforms if name not in KNOWN_TRANSFORMS)

    def of_type(self, resource_type: str) -> list[Resource]:
        """The resources of a type, in the template's order."""
        return [resource for resource in self.resources.values() if resource.type == resource_type]


def _writer(node: Node) -> tuple[str, Node] | None:
    """The macro or the preprocessor that writes a resource, or its type."""
    if isinstance(node, TextNode) and node.value.startswith(VARIABLE):
        return node.value, node
    call = function_of(node)
    values = node.values if isinstance(node, MapNode) else {}
    kind = values.get("Type")
    if call is None and kind is None and TRANSFORM in values:
        return TRANSFORM, values[TRANSFORM]
    return call or (function_of(kind) if kind is not None else None)


def _written_by(function: str, argument: Node) -> str:
    """Why what a function gives is not known: the file that it includes, or that it works at the deployment."""
    if function.startswith("!"):
        return f"{function} is replaced before the deployment"
    if function.startswith(VARIABLE):
        return f"what {function} stands for is not among the scanned files"
    if is_include(argument):
        place = location(argument)
        source = f"from {place.value} " if place is not None else ""
        return f"what {function} includes {source}is not among the scanned files"
    name = argument.values.get("Name") if isinstance(argument, MapNode) else None
    macro = f" of macro {name.value}" if isinstance(name, TextNode) else ""
    return f"{function}{macro} is worked out at the deployment"


def expands(document: Document) -> bool:
    """Tell whether a template has loops that CloudFormation writes out, so that parameters decide what is in it."""
    root = document.root
    if LOOP not in document.text or not isinstance(root, MapNode):
        return False
    from trailguard.cloudformation.template.expansion import has_loops

    inner = _inner_template(root) or root
    return "AWS::LanguageExtensions" in _transforms(inner.values.get("Transform")) and has_loops(inner)


def looks_like_template(root: Node) -> bool:
    """Tell whether a document is a CloudFormation template: typed Resources, a format version, or a transform."""
    if not isinstance(root, MapNode):
        return False
    values = root.values
    if "AWSTemplateFormatVersion" in values or _inner_template(root) is not None:
        return True
    resources = values.get("Resources")
    if not isinstance(resources, MapNode):
        return False
    if _transforms(values.get("Transform")):
        return True
    return any(key.startswith((FUNCTION_PREFIX, "!")) or is_typed(body) for key, body in resources.values.items())


def _inner_template(root: MapNode) -> MapNode | None:
    """The template inside a file of the Serverless Framework."""
    if "resources" not in root.values:
        return None
    from trailguard.cloudformation.template.serverless import inner_of  # late: few files are of the framework

    inner = inner_of(root)
    return inner if inner is not None and looks_like_template(inner) else None


def is_typed(body: Node) -> bool:
    """Tell whether something looks like a resource: it has a type, or a macro gives it one."""
    if isinstance(body, TextNode):
        return body.value.startswith(VARIABLE)
    values = body.values if isinstance(body, MapNode) else {}
    kind = values.get("Type")
    return isinstance(kind, TextNode) and "::" in kind.value if kind is not None else TRANSFORM in values


def _transforms(node: Node | None) -> tuple[str, ...]:
    """The names under Transform: a string, a list of strings, or a map with Name for AWS::Include."""
    items = node.items if isinstance(node, ListNode) else [node]
    names = []
    for item in items:
        if isinstance(item, TextNode):
            names.append(item.value)
        elif isinstance(item, MapNode) and isinstance(name := item.values.get("Name"), TextNode):
            names.append(name.value)
    return tuple(names)


def _parameter(key: TextNode, node: Node) -> Parameter:
    values = node.values if isinstance(node, MapNode) else {}
    allowed = values.get("AllowedValues")
    texts = [scalar_text(item) for item in allowed.items] if isinstance(allowed, ListNode) else []
    return Parameter(
        name=key.value,
        type=scalar_text(values.get("Type")) or "String",
        default=_default(values.get("Default")),
        allowed_values=tuple(text for text in texts if text is not None) or None,
        allowed_pattern=scalar_text(values.get("AllowedPattern")),
        min_length=_integer(values.get("MinLength")),
        max_length=_integer(values.get("MaxLength")),
        min_value=_number(values.get("MinValue")),
        max_value=_number(values.get("MaxValue")),
        node=key,
        is_secret=(scalar_text(values.get("NoEcho")) or "false").lower() != "false",
    )


def _default(node: Node | None) -> str | None:
    if isinstance(node, ListNode):  # a list where CommaDelimitedList wants a string: read what was meant
        return ",".join(scalar_text(item) or "" for item in node.items)
    text = scalar_text(node)
    return "" if text is None and isinstance(node, TextNode) else text


def _integer(node: Node | None) -> int | None:
    number = _number(node)
    return None if number is None else int(number)


def _number(node: Node | None) -> float | None:
    text = scalar_text(node)
    return None if text is None else number_of(text)


def number_of(text: str) -> float | None:
    """The number that a text spells, or None."""
    try:
        number = float(text) if "_" not in text else math.nan
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def function_of(node: Node) -> tuple[str, Node] | None:
    """The name and argument when a node is a function call (`Ref`, `Fn::...`, or an unknown `!Tag`), else None."""
    if not isinstance(node, MapNode) or len(node.values) != 1:
        return None
    ((name, argument),) = node.values.items()
    if name == "Ref" or name.startswith((FUNCTION_PREFIX, "!")):
        return name, argument
    return None
