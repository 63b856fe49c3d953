"""Whole policies over concrete texts, held against a plain reading of IAM's rules."""

from __future__ import annotations

import fnmatch
import re
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from iam_support import IMPORT, SERVICE, never, policy, request

from trailguard.iam.evaluate import allowed, denials, denied_wholly, grants

KEYS = ("k:a", "k:b", "k:gone")
SENT = {"k:a": ["x"], "k:b": ["xy"], "k:gone": []}
WORDS = ("x", "xy", "x*", "?", "*", "y")
CALL = request("b/xy", context=SENT)
Statement = dict[str, Any]


def conditions() -> st.SearchStrategy[Any]:
    base = st.sampled_from(("StringEquals", "StringNotEquals", "StringLike", "StringNotLike"))
    operator = st.tuples(
        st.sampled_from(("", "ForAnyValue:", "ForAllValues:")), base, st.sampled_from(("", "IfExists"))
    )
    words = st.lists(st.sampled_from(WORDS), min_size=1, max_size=2)
    test = st.dictionaries(operator.map("".join), st.dictionaries(st.sampled_from(KEYS), words, max_size=2), max_size=2)
    null = st.dictionaries(st.sampled_from(KEYS), st.sampled_from(("true", "false")), min_size=1, max_size=1)
    return st.one_of(test, null.map(lambda keys: {"Null": keys}))


@st.composite
def statements(draw: st.DrawFn, resources: tuple[str, ...] = ("b/xy", "b/*", "b/x?", "c/*", "*", "b/x")) -> Statement:
    def one(name: str, choices: st.SearchStrategy[Any]) -> tuple[str, Any]:
        return draw(st.sampled_from((name, name, f"Not{name}"))), draw(choices)

    def some(*items: str) -> st.SearchStrategy[list[str]]:
        return st.lists(st.sampled_from(items), min_size=1, max_size=2)

    principals = st.sampled_from(({"Service": SERVICE}, {"Service": ["a.amazonaws.com"]}, "*", {"AWS": "111122223333"}))
    made = dict(
        (
            ("Effect", draw(st.sampled_from(("Allow", "Deny")))),
            one("Principal", principals),
            one("Action", some("s3:PutObject", "S3:put*", "s3:Get*", "*")),
            one("Resource", some(*resources)),
        )
    )
    if draw(st.booleans()):
        made["Condition"] = draw(conditions())
    return made


def like(pattern: str, text: str, fold: bool = False) -> bool:
    expression = fnmatch.translate(pattern.replace("[", "[[]"))
    return re.match(expression, text, re.IGNORECASE if fold else 0) is not None


def condition_holds(block: dict[str, dict[str, Any]]) -> bool:
    for operator, keys in block.items():
        for key, wanted in keys.items():
            sent = SENT[key]
            if operator == "Null":
                if (wanted == "true") != (not sent):
                    return False
                continue
            many, _, base = operator.rpartition(":")
            if not sent:
                holds = base.endswith("IfExists") or many == "ForAllValues" or ("Not" in base and not many)
            else:  # each key has one value here, for which the quantifiers say the same
                found = any(like(word, sent[0]) if "Like" in base else word == sent[0] for word in wanted)
                holds = found != ("Not" in base)
            if not holds:
                return False
    return True


def hits(item: Statement, resource: str) -> bool:
    def named(element: str, test: Any) -> bool:
        return bool(test(item[element])) if element in item else not test(item[f"Not{element}"])

    return (
        named("Principal", lambda who: who == "*" or who.get("Service") == SERVICE)
        and named("Action", lambda names: any(like(name, "s3:PutObject", fold=True) for name in names))
        and named("Resource", lambda names: any(like(name, resource) for name in names))
        and condition_holds(item.get("Condition", {}))
    )


@given(st.lists(statements(), max_size=4))
@settings(max_examples=1500, deadline=None)
def test_verdicts_agree_with_a_plain_reading(items: list[Statement]) -> None:
    granted = any(hits(item, "b/xy") for item in items if item["Effect"] == "Allow")
    denied = any(hits(item, "b/xy") for item in items if item["Effect"] == "Deny")
    read = policy(*items)
    say = {True: "yes", False: "no"}
    assert grants(read, CALL, never).outcome == say[granted]
    assert denials(read, CALL, never).outcome == say[denied]
    assert denied_wholly(read, CALL, never).outcome == say[denied]
    assert allowed(read, CALL, never).outcome == say[granted and not denied]


SHORT = [f"b/{a}{b}" for a in ("", "x", "y", "q") for b in ("", "x", "y", "q")]


@given(st.lists(statements(resources=("b/*", "b/x*", "b/y*", "b/?*", "b/", "c/*", "b/xy")), max_size=4))
@settings(max_examples=1500, deadline=None)
def test_patterns_are_judged_on_every_key(items: list[Statement]) -> None:
    call = request("b/*", context=SENT)
    read = policy(*items)
    allows, denies = ([item for item in items if item["Effect"] == effect] for effect in ("Allow", "Deny"))
    granted = all(any(hits(item, key) for item in allows) for key in SHORT)
    wholly = all(any(hits(item, key) for item in denies) for key in SHORT)
    denied = any(hits(item, key) for item in denies for key in SHORT)
    assert grants(read, call, never).outcome in ("unknown", "yes" if granted else "no")
    assert denied_wholly(read, call, never).outcome in ("unknown", "yes" if wholly else "no")
    assert denials(read, call, never).outcome == ("yes" if denied else "no")
    if not any("NotResource" in item for item in items):
        assert grants(read, call, never).outcome != "unknown"


@given(st.lists(statements(), max_size=3), statements())
@settings(max_examples=500, deadline=None)
def test_more_statements_push_one_way(items: list[Statement], more: Statement) -> None:
    call = request("b/*", context=SENT)
    before, after = policy(*items), policy(*items, more)
    if more["Effect"] == "Allow":
        assert grants(before, call, never).outcome != "yes" or grants(after, call, never).outcome == "yes"
        assert denials(after, call, never).outcome == denials(before, call, never).outcome
    else:
        assert grants(after, call, never).outcome == grants(before, call, never).outcome
        assert denials(before, call, never).outcome != "yes" or denials(after, call, never).outcome == "yes"
        assert allowed(before, call, never).outcome == "yes" or allowed(after, call, never).outcome != "yes"


@given(st.lists(statements(), min_size=1, max_size=3), st.sampled_from(("b/xy", "*", "c/x", "s3:PutObject", SERVICE)))
@settings(max_examples=1000, deadline=None)
def test_what_is_decided_holds_whatever_an_export_is(items: list[Statement], word: str) -> None:
    def filled(with_: Any) -> list[Statement]:
        return [
            {
                name: [with_, *part[1:]]
                if name in ("Resource", "NotResource") and "*" not in word
                else (
                    {"Service": with_} if isinstance(part, dict) and part.get("Service") and "*" not in word else part
                )
                for name, part in item.items()
            }
            for item in items
        ]

    for question in (grants, denials, denied_wholly, allowed):
        hazy = question(policy(*filled(IMPORT)), CALL, never).outcome
        assert hazy in ("unknown", question(policy(*filled(word)), CALL, never).outcome)
