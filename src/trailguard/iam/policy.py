"""Reads a policy document into statements, whatever its shape: objects or lists, scalars or lists, a JSON string.

What AWS would refuse is a problem with its place, and makes a statement one that nobody can decide; nothing is raised.
Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple, Protocol, cast

from trailguard.cloudformation.scenarios.values import (
    Absent,
    Flag,
    ListValue,
    MapValue,
    Null,
    Pieces,
    Text,
    Unknown,
    Value,
    text_of,
)
from trailguard.cloudformation.scenarios.variables import Split
from trailguard.cloudformation.source.nodes import Node
from trailguard.iam.conditions import Clause, read_clauses
from trailguard.iam.globs import Glob, folded, glob, has_variable, resource_glob
from trailguard.iam.reading import Problem, Problems, values_of

__all__ = [
    "IDENTITY_POLICY",
    "KEY_POLICY",
    "TRUST_POLICY",
    "Caller",
    "Part",
    "Policy",
    "Principal",
    "Problem",
    "Statement",
    "read_callers",
    "read_policy",
    "values_of",
]

ELEMENTS = frozenset(
    ("Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource", "Condition")
)
# What a statement says besides its effect, in each kind of policy: on a resource, about who may take on a role, and of
# an identity. A trust policy is about its role, and an identity's policy about its identity; neither says so.
RESOURCE_POLICY = frozenset(("Principal", "Action", "Resource"))
TRUST_POLICY = frozenset(("Principal", "Action"))
IDENTITY_POLICY = frozenset(("Action", "Resource"))
# On a key a statement may lack its Action or its Resource: KMS takes it, and it has no effect.
# https://docs.aws.amazon.com/kms/latest/APIReference/API_CreateKey.html (Policy)
_MAY_BE_VOID = "may be void"
KEY_POLICY = frozenset((*RESOURCE_POLICY, _MAY_BE_VOID))
_EVERYWHERE = ("Sid", "Effect", "Condition")
VARIABLES_VERSION = "2012-10-17"
KINDS = ("AWS", "Service", "Federated", "CanonicalUser")


class Part(NamedTuple):
    """Action or Resource of a statement (with `negated` NotAction or NotResource): its texts, and as globs.

    `variables` tells whether there are policy variables in it.
    """

    node: Node
    texts: tuple[Text, ...]
    globs: tuple[Glob, ...]
    negated: bool
    variables: bool = False


class Caller(NamedTuple):
    """One entry of Principal: `kind` is a key such as "Service", or "*" for everybody, or "" when it is not known."""

    kind: str
    text: Text


class Principal(NamedTuple):
    """Principal of a statement or, with `negated`, NotPrincipal."""

    node: Node
    callers: tuple[Caller, ...]
    negated: bool


class Statement:
    """One statement.

    `effect` is its text (None: it has none), `elements` what it says by element name. `fault` tells why nobody can
    decide it: AWS would refuse it, or it is not in the scanned files. Parts that cannot be read are None. `memo` keeps
    what was found out about it, for the one scenario in which it was read.
    """

    __slots__ = (
        "action", "clauses", "effect", "elements", "fault", "index", "memo", "node", "principal", "resource", "sid",
        "variables",
    )  # fmt: skip

    def __init__(self, index: int, value: Value, variables: bool) -> None:
        self.index = index
        self.node = value.node
        self.variables = variables
        self.elements: dict[str, Value] = {}
        self.fault: str | None = None
        self.sid = ""
        self.effect: Text | None = None
        self.principal: Principal | None = None
        self.action: Part | None = None
        self.resource: Part | None = None
        self.clauses: tuple[Clause, ...] = ()
        self.memo: dict[object, object] = {}

    @property
    def label(self) -> str:
        """What to call it: its number, and its Sid when it has one."""
        return f"statement {self.index + 1}" + (f" ({self.sid})" if self.sid else "")

    def place(self, *names: str) -> Node:
        """The node of the first of the elements that is there, else of the statement."""
        return next((self.elements[name].node for name in names if name in self.elements), self.node)


class Draft(Protocol):
    """A document with open parts: for each, whether more is let through with it, and the question that it hinges on."""

    @property
    def allows(self) -> Sequence[bool]:
        """For each part, whether with it more is let through, rather than less."""

    @property
    def splits(self) -> Sequence[Split]:
        """For each part, the question that is open."""

    def with_parts(self, chosen: Iterable[int]) -> Policy:
        """The policy in which the chosen parts, by their indexes, are all that they may be, and the others nothing."""


class Policy(NamedTuple):
    """A policy document. `unknown` says why it cannot be read at all, or None; `problems` what AWS would refuse.

    `draft` is there while parts of the document are open: then `certain` is only what is in it anyway.
    """

    node: Node
    certain: tuple[Statement, ...]
    unknown: str | None
    problems: tuple[Problem, ...] = ()
    draft: Draft | None = None

    @property
    def statements(self) -> tuple[Statement, ...]:
        """All statements. Raises Split while parts of the document are open."""
        if self.draft is not None:
            raise self.draft.splits[0]
        return self.certain

    @property
    def possible(self) -> tuple[Statement, ...]:
        """The statements with all that they may say, whatever is open."""
        return self.certain if self.draft is None else self.draft.with_parts(range(len(self.draft.splits))).certain

    def resource_texts(self) -> list[Pieces]:
        """The resources that its statements name, or may name, as they are written."""
        return _resources_of(self.possible)

    def granted_texts(self) -> list[Pieces]:
        """Those of the statements that grant something, or may."""
        return _resources_of(one for one in self.possible if one.effect is None or one.effect.literal != "Deny")


def _resources_of(statements: Iterable[Statement]) -> list[Pieces]:
    parts = [statement.resource for statement in statements if statement.resource is not None]
    return [text.pieces for part in parts if not part.negated for text in part.texts]


def read_policy(value: Value, parts: frozenset[str] = RESOURCE_POLICY) -> Policy:
    """Read a resolved policy document: a map, or text that spells one in JSON. `parts` is the kind of the policy."""
    node = value.node
    problems = Problems()
    if isinstance(value, Text):
        from trailguard.iam.jsontext import read_json

        value = read_json(value, problems)
    if isinstance(value, Unknown):
        return Policy(node, (), value.reason, problems.found)
    if isinstance(value, Absent):
        return Policy(node, (), None)
    if not isinstance(value, MapValue):
        problems.add(node, "the policy document is not a map")
        return Policy(node, (), problems.told(), problems.found)
    statements = value.entries.get("Statement")
    if isinstance(statements, Unknown):
        _version(value, problems)
        return Policy(node, (), statements.reason)
    if statements is None:
        _version(value, problems)
        problems.add(node, "the policy document has no Statement")
        return Policy(node, (), problems.told(), problems.found)
    return read_statements(value, enumerate(values_of(statements)), parts, problems)


def read_statements(
    document: MapValue, items: Iterable[tuple[int, Value]], parts: frozenset[str], problems: Problems
) -> Policy:
    """Read the statements of a document, each with its number from 0."""
    variables = _version(document, problems)
    read = tuple(_statement(Statement(index, item, variables), item, parts, problems) for index, item in items)
    return Policy(document.node, read, None, problems.found)


def _version(value: MapValue, problems: Problems) -> bool:
    """Tell whether policy variables mean something in the document."""
    version = value.entries.get("Version")
    text = text_of(version) if version is not None else None
    spelt = text.literal if text is not None else None
    if version is None or isinstance(version, Absent):
        return False
    if text is None or (spelt is not None and spelt not in (VARIABLES_VERSION, "2008-10-17")):
        told = "is not text" if spelt is None else f'"{spelt}" is none of "2008-10-17" and "{VARIABLES_VERSION}"'
        problems.add(version.node, f"Version {told}")
    return spelt == VARIABLES_VERSION


def _statement(statement: Statement, value: Value, parts: frozenset[str], problems: Problems) -> Statement:
    if isinstance(value, Unknown):
        statement.fault = value.reason
        return statement
    before = len(problems.found)
    if not isinstance(value, MapValue):
        problems.add(value.node, "a statement is not a map")
    else:
        statement.elements = {name: item for name, item in value.entries.items() if not isinstance(item, Absent)}
        _read(statement, value, parts, problems)
    if len(problems.found) > before:
        statement.fault = problems.told(before)
    return statement


def _read(statement: Statement, value: MapValue, parts: frozenset[str], problems: Problems) -> None:
    elements = statement.elements
    understood = {element for element in ELEMENTS if element.removeprefix("Not") in parts or element in _EVERYWHERE}
    for name in elements:
        if name not in understood:
            problems.add(value.keys.get(name, statement.node), f"a statement has no element {name}")
    sid = text_of(elements["Sid"]) if "Sid" in elements else None
    statement.sid = (sid.literal or "") if sid is not None else ""
    statement.effect = _effect(statement, problems)
    itself = Text(("*",), statement.node)
    if "Principal" not in parts:
        statement.principal = Principal(statement.node, (Caller("*", itself),), False)
    elif (found := _one_of("Principal", statement, problems)) is not None:
        callers = tuple(read_callers(found[0], problems))
        statement.principal = Principal(found[0].node, callers, found[1])
    if _MAY_BE_VOID in parts and not all({name, f"Not{name}"} & elements.keys() for name in ("Action", "Resource")):
        statement.effect = None
        return
    statement.action = _part("Action", statement, problems)
    if "Resource" not in parts:
        statement.resource = Part(statement.node, (itself,), (glob(itself.pieces),), False)
    else:
        statement.resource = _part("Resource", statement, problems)
    condition = elements.get("Condition")
    if condition is not None:
        statement.clauses = tuple(read_clauses(condition, statement.variables, problems))


def _effect(statement: Statement, problems: Problems) -> Text | None:
    value = statement.elements.get("Effect")
    if value is None:
        problems.add(statement.node, "a statement has no Effect")
        return None
    text = text_of(value)
    literal = text.literal if text is not None else None
    if text is None or (literal is not None and literal not in ("Allow", "Deny")):
        shown = f' "{literal}"' if literal is not None else ""
        problems.add(value.node, f"Effect{shown} is neither Allow nor Deny")
        return None
    return text


def _one_of(name: str, statement: Statement, problems: Problems) -> tuple[Value, bool] | None:
    """The element or its opposite, and whether it is the opposite."""
    value, opposite = (statement.elements.get(key) for key in (name, f"Not{name}"))
    if value is not None and opposite is not None:
        problems.add(opposite.node, f"a statement has both {name} and Not{name}")
        return None
    if value is None and opposite is None:
        problems.add(statement.node, f"a statement has no {name}")
        return None
    return (value, False) if value is not None else (cast("Value", opposite), True)


def _part(name: str, statement: Statement, problems: Problems) -> Part | None:
    found = _one_of(name, statement, problems)
    if found is None:
        return None
    value, negated = found
    texts: list[Text] = []
    for item in values_of(value):
        text = None if isinstance(item, Flag) else text_of(item)
        if text is None:
            problems.add(item.node, f"{name} is not text")
            continue
        texts.append(text)
    if name == "Action":
        actions = tuple(folded(glob(text.pieces)) for text in texts)
        return Part(value.node, tuple(texts), actions, negated)
    globs = tuple(resource_glob(glob(text.pieces, variables=statement.variables)) for text in texts)
    return Part(value.node, tuple(texts), globs, negated, statement.variables and has_variable(globs))


def read_callers(value: Value, problems: Problems) -> list[Caller]:
    """Read a Principal element."""
    if isinstance(value, MapValue):
        found = []
        for kind, items in value.entries.items():
            if kind not in KINDS:
                problems.add(value.keys.get(kind, value.node), f"{kind} is not a kind of principal")
                continue
            found += _callers_of(kind, items, problems)
        return found
    text = text_of(value)
    if text is None or isinstance(value, (ListValue, Null, Flag)):
        problems.add(value.node, "Principal is neither a map nor *")
        return []
    if text.literal is None:
        return [Caller("", text)]
    if text.literal != "*":
        problems.add(value.node, f'Principal "{text.literal}" is neither a map nor *')
        return []
    return [Caller("*", text)]


def _callers_of(kind: str, items: Value, problems: Problems) -> list[Caller]:
    found = []
    for item in values_of(items):
        text = None if isinstance(item, Flag) else text_of(item)
        if text is None:
            problems.add(item.node, f"{kind} of Principal is not text")
            continue
        literal = text.literal
        if literal == "*" and kind == "AWS":
            found.append(Caller("*", text))
            continue
        if literal is not None and "*" in literal and kind in ("AWS", "Service"):
            told = f'{kind} "{literal}" of Principal: wildcards in principals are refused'
            problems.add(item.node, told, certain=kind == "AWS")
            continue
        if literal is not None and "${" in literal and kind == "AWS":  # no policy variable is filled in there
            problems.add(item.node, f'{kind} "{literal}" of Principal is taken as it is written: Fn::Sub is missing')
            continue
        found.append(Caller(kind, text))
    return found
