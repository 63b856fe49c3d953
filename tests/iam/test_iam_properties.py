"""Whole policies against an oracle written straight from the documentation, and laws that any policy obeys."""

from __future__ import annotations

import fnmatch
import itertools
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.iam.helpers import LEGACY, SERVICE, policy, refuse, sent
from trailguard.cloudformation.scenarios.values import OPAQUE, Symbol
from trailguard.iam.callers import Request
from trailguard.iam.evaluate import allowed, denials, grants

pytestmark = pytest.mark.slow

# --- a small world of literals -----------------------------------------------------------------------------------

ACTIONS = ["s3:PutObject", "S3:put*", "s3:*", "*", "s3:GetBucketAcl", "s3:Put?bject", "s3:PutObjectAcl"]
RESOURCES = ["*", "arn:b/*", "arn:b/logs/*", "arn:b/?ogs/x", "arn:b/logs/x", "arn:c/*", "arn:b/*x", "arn:b/*/?"]
PRINCIPALS: list[Any] = [
    "*",
    {"AWS": "*"},
    {"Service": SERVICE},
    {"Service": ["config.amazonaws.com", SERVICE]},
    {"Service": "config.amazonaws.com"},
    {"AWS": LEGACY},
    {"AWS": ["111122223333", f"arn:aws:iam::{LEGACY}:root"]},
    {"AWS": "arn:aws:iam::111122223333:role/x"},
    {"Federated": "x", "CanonicalUser": "y"},
]
OPERATORS = ["StringEquals", "StringNotEquals", "StringLike", "StringNotLike", "StringEqualsIgnoreCase", "Bool", "Null"]
QUANTIFIERS = ["", "", "ForAnyValue:", "ForAllValues:"]
KEYS = ["k:a", "K:A", "k:b", "k:gone"]
VALUES = ["a", "A", "b", "a*", "*", "?"]


# Strategies are made once, and put together from few choices: Hypothesis spends its time on making each choice.


def either_list(texts: list[str]) -> st.SearchStrategy[Any]:
    pairs = [[one, other] for one in texts for other in texts]
    return st.sampled_from([*texts, *([one] for one in texts), *pairs])


def conditions() -> st.SearchStrategy[dict[str, dict[str, Any]]]:
    def merged(clauses: list[tuple[str, str, Any]]) -> dict[str, dict[str, Any]]:
        found: dict[str, dict[str, Any]] = {}
        for operator, key, value in clauses:
            found.setdefault(operator, {})[key] = value
        return found

    names = [
        quantifier + base + suffix
        for base in OPERATORS
        if base != "Null"
        for quantifier in QUANTIFIERS
        for suffix in ("", "", "IfExists")
        if quantifier + suffix != "ForAnyValue:IfExists"  # what it says of a missing key is not documented
    ]
    test = st.tuples(st.sampled_from(names), st.sampled_from(KEYS), either_list(VALUES))
    null = st.tuples(st.just("Null"), st.sampled_from(KEYS), st.sampled_from(["true", "false", True]))
    return st.lists(st.one_of(*[test] * (len(OPERATORS) - 1), null), max_size=2).map(merged)


def statement(
    effect: str, parts: tuple[str, str, str], principal: Any, action: Any, resource: Any, condition: Any, empty: bool
) -> dict[str, Any]:
    found = {"Effect": effect, parts[0]: principal, parts[1]: action, parts[2]: resource}
    return {**found, "Condition": condition} if condition or empty else found


PARTS = list(itertools.product(*((part,) * 5 + (f"Not{part}",) for part in ("Principal", "Action", "Resource"))))
STATEMENTS = st.builds(
    statement,
    st.sampled_from(["Allow", "Allow", "Deny"]),
    st.sampled_from(PARTS),
    st.sampled_from(PRINCIPALS),
    either_list(ACTIONS),
    either_list(RESOURCES),
    conditions(),
    st.booleans(),
)
CONTEXTS = st.fixed_dictionaries(
    {
        "k:a": st.one_of(st.sampled_from(["a", "A", "b", "ab"])),
        "k:b": st.sampled_from(["a", "b", "true"]),
        "k:gone": st.none(),
    }
)
TARGETS = st.sampled_from(["arn:b/logs/x", "arn:b/logs/y", "arn:b/x", "arn:c/x"])

# --- the oracle --------------------------------------------------------------------------------------------------


def listed(item: Any) -> list[Any]:
    return item if isinstance(item, list) else [item]


def like(pattern: str, text: str) -> bool:
    return fnmatch.fnmatchcase(text, pattern.replace("[", "[[]"))


def names(principal: Any, service: bool) -> bool:
    if principal == "*":
        return True
    for kind, items in principal.items():
        for item in listed(items):
            if kind == "Service" and item == SERVICE:
                return True
            if kind == "AWS" and item == "*":
                return True
            if kind == "AWS" and not service and LEGACY in (item, item.split(":")[4] if item.endswith(":root") else ""):
                return True
    return False


def holds(operator: str, key: str, wanted: list[str], context: dict[str, Any]) -> bool:
    given_value = context[key.lower()]
    if operator == "Null":
        return any((str(item).lower() == "true") is (given_value is None) for item in wanted)
    quantifier, _, base = operator.rpartition(":")
    if given_value is None:
        if base.endswith("IfExists") or quantifier == "ForAllValues":
            return True
        return "Not" in base and not quantifier
    base = base.removesuffix("IfExists")
    tests = {
        "Equals": lambda one: one == given_value,
        "Like": lambda one: like(one, given_value),
        "IgnoreCase": lambda one: one.lower() == given_value.lower(),
        "Bool": lambda one: one.lower() == given_value.lower(),
    }
    test = next(tests[name] for name in ("IgnoreCase", "Like", "Equals", "Bool") if base.endswith(name))
    return any(map(test, wanted)) is not ("Not" in base)


def applies(statement: dict[str, Any], action: str, resource: str, context: dict[str, Any], service: bool) -> bool:
    def part(name: str, test: Any) -> bool:
        if name in statement:
            return bool(test(statement[name]))
        return not test(statement["Not" + name])

    return (
        part("Principal", lambda item: names(item, service))
        and part("Action", lambda item: any(like(one.lower(), action.lower()) for one in listed(item)))
        and part("Resource", lambda item: any(like(one, resource) for one in listed(item)))
        and all(
            holds(operator, key, listed(wanted), context)
            for operator, keys in statement.get("Condition", {}).items()
            for key, wanted in keys.items()
        )
    )


def oracle(document: list[dict[str, Any]], effect: str, resource: str, context: dict[str, Any]) -> bool:
    service = effect == "Deny"  # a Deny counts for the service itself
    return any(
        statement["Effect"] == effect and applies(statement, "s3:PutObject", resource, context, service)
        for statement in document
    )


def asked(resource: str, context: dict[str, Any], accounts: tuple[str, ...] = (LEGACY,)) -> Request:
    return Request(SERVICE, accounts, "s3:PutObject", (resource,), sent(context))


POLICIES = st.lists(STATEMENTS, max_size=4)


@settings(max_examples=500, deadline=None)
@given(POLICIES, TARGETS, CONTEXTS)
def test_decisions_agree_with_the_oracle(
    document: list[dict[str, Any]], resource: str, context: dict[str, Any]
) -> None:
    read, request = policy(*document), asked(resource, context)
    assert read.problems == ()
    granted, denied = oracle(document, "Allow", resource, context), oracle(document, "Deny", resource, context)
    assert grants(read, request, refuse).outcome == ("yes" if granted else "no")
    assert denials(read, request, refuse).outcome == ("yes" if denied else "no")
    assert allowed(read, request, refuse).outcome == ("yes" if granted and not denied else "no")


FOLDERS = [
    "arn:b/logs/x",
    "arn:b/logs/y",
    "arn:b/logs/",
    "arn:b/logs/xx",
    "arn:b/logs/a/x",
    "arn:b/logs/a/b",
    "arn:b/logs/zz/y",
]


@settings(max_examples=300, deadline=None)
@given(POLICIES, CONTEXTS)
def test_a_folder_is_granted_only_when_its_keys_are(document: list[dict[str, Any]], context: dict[str, Any]) -> None:
    read, request = policy(*document), asked("arn:b/logs/*", context)
    if grants(read, request, refuse).outcome == "yes":
        assert all(oracle(document, "Allow", key, context) for key in FOLDERS)
    if denials(read, request, refuse).outcome == "no":
        assert not any(oracle(document, "Deny", key, context) for key in FOLDERS)


RANKS = {"no": 0, "unknown": 1, "yes": 2}


@settings(max_examples=300, deadline=None)
@given(POLICIES, STATEMENTS, TARGETS, CONTEXTS)
def test_one_more_statement_never_takes_back(
    document: list[dict[str, Any]], more: dict[str, Any], resource: str, context: dict[str, Any]
) -> None:
    request = asked(resource, context)
    before, after = policy(*document), policy(*document, more)
    if more["Effect"] == "Allow":
        assert RANKS[grants(after, request, refuse).outcome] >= RANKS[grants(before, request, refuse).outcome]
        assert denials(after, request, refuse).outcome == denials(before, request, refuse).outcome
    else:
        assert grants(after, request, refuse).outcome == grants(before, request, refuse).outcome
        assert RANKS[allowed(after, request, refuse).outcome] <= RANKS[allowed(before, request, refuse).outcome]


HIDDEN = Symbol(OPAQUE, "hidden", "nobody knows it")


def hide(item: Any, word: Any) -> Any:
    """The same with a symbol (or what it turns out to be) for each `b`."""
    if isinstance(item, dict):
        return {key: hide(one, word) for key, one in item.items()}
    if isinstance(item, list):
        return [hide(one, word) for one in item]
    if isinstance(item, str) and "b" in item and not item.startswith("s3:") and ":iam:" not in item:
        head, _, tail = item.partition("b")
        return (head, word, tail) if isinstance(word, Symbol) else head + word + tail
    return item


@settings(max_examples=400, deadline=None)
@given(POLICIES, TARGETS, CONTEXTS, st.sampled_from(["a", "b", "c", "logs", "xx", "zb/"]))
def test_what_was_decided_holds_for_every_value_of_a_symbol(
    document: list[dict[str, Any]], resource: str, context: dict[str, Any], word: str
) -> None:
    def answers(value: Any) -> list[str]:
        parts = [
            {
                name: hide(item, value) if name in ("Resource", "NotResource", "Condition") else item
                for name, item in one.items()
            }
            for one in document
        ]
        target = hide(resource, value)
        request = asked("", {key: hide(one, value) for key, one in context.items()})
        request = request._replace(resource=target if isinstance(target, tuple) else (target,))
        return [question(policy(*parts), request, refuse).outcome for question in (grants, denials, allowed)]

    for before, after in zip(answers(HIDDEN), answers(word), strict=True):
        assert before in (after, "unknown")
