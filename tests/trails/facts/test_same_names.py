"""Whether two names are the same, held against the texts that they are in concrete deployments."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trailguard.cloudformation.scenarios.model import Model, Pins
from trailguard.cloudformation.scenarios.resolver import Scenario
from trailguard.cloudformation.scenarios.scenarios import Leaf, Scenarios
from trailguard.cloudformation.scenarios.values import GENERATED, OPAQUE, VARIABLE, Pieces, Symbol, join_pieces
from trailguard.cloudformation.scenarios.variables import Same
from trailguard.cloudformation.source.reading import parse
from trailguard.cloudformation.template.template import Template
from trailguard.trails.facts.names import may_be_same, same_name
from trailguard.trails.facts.returns import RETURNS

TEMPLATE = """
Parameters:
  Free: {Type: String}
  Usual: {Type: String, Default: logs}
  One: {Type: String, AllowedValues: [logs, audit]}
Resources: {}
"""
ACCOUNT, REGION, STACK = (Symbol(VARIABLE, f"AWS::{name}") for name in ("AccountId", "Region", "StackName"))
FREE, USUAL, ONE = (Symbol(VARIABLE, name) for name in ("Free", "Usual", "One"))
# What each variable may be, as far as the texts below can tell the difference.
VALUES = {
    "AWS::AccountId": ["111122223333", "444455556666"],
    "AWS::Region": ["eu-west-1", "us-east-1"],
    "AWS::StackName": ["logs", "elsewhere"],
    "Free": ["logs", "111122223333", "eu-west-1", "logs-audit", "something"],
    "Usual": ["logs", "audit", "something"],
    "One": ["logs", "audit"],
}
KNOWN = {"Usual": ["logs"], "One": ["logs", "audit"]}  # what same_name tries of a parameter
DEPLOYMENTS = [dict(zip(VALUES, chosen, strict=True)) for chosen in itertools.product(*VALUES.values())]

literals = st.sampled_from(["logs", "audit", "-", "-", "111122223333", "eu-west-1", "logs-eu-west-1"])
symbols = st.sampled_from([ACCOUNT, REGION, STACK, FREE, USUAL, ONE])
texts = st.lists(st.one_of(literals, literals, symbols), min_size=1, max_size=4).map(join_pieces)


def model() -> Model:
    return Model(Template(parse(TEMPLATE.encode())), Pins(), RETURNS)


def spelt(pieces: Pieces, deployment: Mapping[str, str]) -> str:
    return "".join(piece if isinstance(piece, str) else deployment[piece.name] for piece in pieces)


def holds(leaf: Leaf[bool], deployment: Mapping[str, str]) -> bool:
    """Whether a deployment is one of those that a leaf is about."""
    for name, (value, excluded) in leaf.assignment.items():
        if name.startswith("?"):
            continue
        mine = deployment[name]
        told = [deployment[item.name] if isinstance(item, Same) else item for item in (value, *excluded)]
        if (value is not None and told[0] != mine) or mine in told[1:]:
            return False
    return True


def answers(
    same: Callable[[Scenario, Pieces, Pieces], bool], left: Pieces, right: Pieces
) -> list[tuple[Mapping[str, str], set[bool]]]:
    """What is answered for each deployment; both where that is left open."""
    leaves = Scenarios(model()).explore(lambda scenario: same(scenario, left, right))
    return [(one, {leaf.answer for leaf in leaves if holds(leaf, one)}) for one in DEPLOYMENTS]


@given(texts, texts)
@settings(max_examples=300, deadline=None)
def test_looked_at_closely_every_deployment_has_its_answer(left: Pieces, right: Pieces) -> None:
    for deployment, found in answers(may_be_same, left, right):
        assert (spelt(left, deployment) == spelt(right, deployment)) in found, deployment


@given(texts, texts)
@settings(max_examples=300, deadline=None)
def test_names_are_the_same_where_known_values_make_them_so(left: Pieces, right: Pieces) -> None:
    used = {piece.name for piece in (*left, *right) if isinstance(piece, Symbol)}
    for deployment, found in answers(same_name, left, right):
        is_same = spelt(left, deployment) == spelt(right, deployment)
        is_known = all(deployment[name] in KNOWN.get(name, [deployment[name]]) for name in used)
        named = used - {"Free", "AWS::StackName"}  # a value that somebody makes up is a name of its own
        if is_known and used == named:
            assert is_same in found, deployment
        assert is_same or found != {True}, deployment


LITERAL: Pieces = ("logs-111122223333-eu-west-1",)
NAMES: list[tuple[Pieces, Pieces, bool | None]] = [
    (("logs",), ("logs",), True),
    (("logs",), ("audit",), False),
    (("logs-", ACCOUNT), ("logs-", ACCOUNT), True),
    (("logs-", ACCOUNT), ("logs-111122223333",), None),
    (("logs-", ACCOUNT), ("logs-prod",), False),  # no account is called so
    (("logs-", ACCOUNT), ("logs-1111",), False),
    (("logs-", REGION), ("logs-eu-west-1",), None),
    (("logs-", REGION), ("logs-eu-west-1-old",), False),
    (("logs-", ACCOUNT, "-", REGION), LITERAL, None),
    ((ACCOUNT, REGION), LITERAL, False),
    (("logs-", ACCOUNT), ("logs-", REGION), False),
    (("logs-", ACCOUNT), ("audit-", ACCOUNT), False),
    (("logs-", FREE), ("logs-prod",), None),
    ((Symbol(GENERATED, "Bucket"),), ("logs",), False),
    ((Symbol(GENERATED, "Bucket"),), (FREE,), False),
    (("logs-", Symbol(GENERATED, "Bucket")), ("logs-x",), False),
    ((Symbol(OPAQUE, "import of x", "nobody exports it"),), ("logs",), None),
    ((Symbol(OPAQUE, "import of x"),), (Symbol(OPAQUE, "import of x"),), True),
    ((STACK, "-logs"), ("audit-logs",), None),
    ((STACK, "-logs"), ("audit-archive",), False),
]


@pytest.mark.parametrize(("left", "right", "same"), NAMES)
def test_two_names_are_the_same_or_different_or_neither(left: Pieces, right: Pieces, same: bool | None) -> None:
    for one, other in ((left, right), (right, left)):
        leaves = Scenarios(model()).explore(partial(may_be_same, left=one, right=other))
        assert {leaf.answer for leaf in leaves} == ({True, False} if same is None else {same})
