"""Filter patterns of CloudWatch Logs, held against an oracle that tries every value of what is not known."""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trailguard.trails.watching.filterpatterns import (
    CLOUDTRAIL,
    EVENTS,
    HIDDEN,
    All,
    Any,
    Comparison,
    Term,
    Unreadable,
    event,
    matches,
    misses,
    parse,
)


def matched(pattern: str) -> list[str]:
    """The events that a pattern matches for certain."""
    return [name for name in EVENTS if matches(parse(pattern), event(name)) is True]


def missed(pattern: str) -> list[str]:
    """The events that it does not match for certain."""
    return [name for name in EVENTS if matches(parse(pattern), event(name)) is False]


TRAILS = ["CreateTrail", "UpdateTrail", "DeleteTrail"]
LOGGING = ["StartLogging", "StopLogging"]


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("{ $.eventName = CreateTrail }", ["CreateTrail"]),
        ('{$.eventName="CreateTrail"}', ["CreateTrail"]),
        ("{ ($.eventName = CreateTrail) || ($.eventName = StopLogging) }", ["CreateTrail", "StopLogging"]),
        ("{ $.eventName = *Trail }", TRAILS),
        ('{ $.eventName = "*Trail" }', TRAILS),
        ("{ $.eventName = St*Logging }", []),
        ("{ $.eventName = * }", list(EVENTS)),
        ("{ $.eventName = *trail }", []),
        ("{ $.eventName != *Trail }", LOGGING),
        ("{ $.eventName = *rail* }", TRAILS),
        ("{ $.eventName = **Logging }", LOGGING),
        ("{ $.eventName != S*g*ing }", TRAILS),
        ("{ $.readOnly IS FALSE }", list(EVENTS)),
        ("{ ($.readOnly IS FALSE) && ($.managementEvent IS TRUE) }", list(EVENTS)),
        ("{ $.readOnly IS FALSE && $.eventName = *Logging }", LOGGING),
        ("{ $.readOnly IS TRUE }", []),
        ("{ $.readOnly = false }", []),
        ("{ $.readOnly EXISTS }", list(EVENTS)),
        ("{ $.readOnly NOT EXISTS || $.eventName = StopLogging }", ["StopLogging"]),
        ("{ $.awsRegion EXISTS && $.eventVersion EXISTS }", list(EVENTS)),
        ("{ $.errorCode IS NULL || $.eventName = StopLogging }", ["StopLogging"]),
        ("{ $.eventName = *" + "*t" * 400 + " }", []),
        ("{ $.eventName = %Trail$% }", TRAILS),
        ("{ $.eventName = %" + ".*" * 100 + "Tr% }", TRAILS),
        ("{ $.eventName = %" + ".*" * 100 + "x% }", []),
        ("{ $.eventName = %" + "[a-zA-Z]*" * 50 + "ng$% }", LOGGING),
        ("{ $.eventName = %^St% }", LOGGING),
        ("{ $.eventName != %^St% }", TRAILS),
        ("{ $.eventName = %^(Create)% }", []),  # parentheses are no part of these expressions
        ("{ $.eventName EXISTS }", list(EVENTS)),
        ("{ $.eventName NOT EXISTS }", []),
        ("{ $.eventName IS NULL || $.eventName = StopLogging }", ["StopLogging"]),
        (f"{{ $.eventSource = {CLOUDTRAIL} }}", list(EVENTS)),
        (f'{{ $.eventSource = "{CLOUDTRAIL}" && $.eventName = *Logging }}', LOGGING),
        ("{ $.eventSource = iam.amazonaws.com && $.eventName = *Trail || $.eventName = StopLogging }", ["StopLogging"]),
        ("{ $.eventSource = iam.amazonaws.com && ($.eventName = *Trail || $.eventName = StopLogging) }", []),
        ("{ $.['eventName'] = *Trail }", TRAILS),
        ("{ $.userAgent EXISTS || $.eventName = *Trail }", TRAILS),
        ("{ $.userAgent NOT EXISTS && $.eventName = *Trail }", []),
        ("{ $.errorCode NOT EXISTS && $.eventName = *Trail }", TRAILS),
        ("{ $.errorCode != x && $.eventName = *Trail }", []),
        ("", list(EVENTS)),
        ("StopLogging", ["StopLogging"]),
        ('"StopLogging"', ["StopLogging"]),
        ("?StopLogging ?StartLogging", LOGGING),
        ("StopLogging StartLogging", []),
        ("-StopLogging", ["CreateTrail", "UpdateTrail", "DeleteTrail", "StartLogging"]),
        (f'"{CLOUDTRAIL}"', list(EVENTS)),
        ("Trail", []),
        ("%Trail%", []),
    ],
)
def test_pattern_matches(pattern: str, names: list[str]) -> None:
    assert matched(pattern) == names


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("{ $.eventName = CreateTrail }", list(EVENTS[1:])),
        ("{ $.userAgent NOT EXISTS && $.eventName = *Trail }", LOGGING),
        ("{ $.userAgent = x || $.eventName = *Trail }", []),
        ("{ $.errorCode = x || $.eventName = *Trail }", LOGGING),
        ("{ $.errorCode EXISTS && $.eventName = * }", list(EVENTS)),
        ("{ $.errorCode IS NULL || $.errorCode != x }", []),
        ("{ $.errorCode IS NULL }", list(EVENTS)),
        ("{ $.errorCode IS TRUE }", list(EVENTS)),
        ("{ $.readOnly IS TRUE }", list(EVENTS)),
        ("{ $.readOnly IS NULL }", list(EVENTS)),
        ("{ $.readOnly = false }", []),
        ("{ $.readOnly != true }", []),
        ("{ $.readOnly > 0 }", []),
        ("{ $.awsRegion = eu-west-1 && $.eventName = * }", []),
        ("{ $.awsRegion > 3 }", []),
        ("{ $.awsRegion IS TRUE }", list(EVENTS)),
        ("{ $.eventName = St*Logging }", TRAILS),
        ("{ $.eventName = %^(Create)% }", []),
        ("{ $.eventName = %[% }", []),
        ("{ $.eventName < 3 }", []),
        ("{ $.eventName IS TRUE }", list(EVENTS)),
        (f'{{ $.eventName = "{HIDDEN}" }}', []),
        (f'{{ $.recipientAccountId = "{HIDDEN}" && $.eventName = *Trail }}', LOGGING),
        ("CreateTrail somebody", list(EVENTS[1:])),
        ("Trail", []),
    ],
)
def test_pattern_does_not_match(pattern: str, names: list[str]) -> None:
    assert missed(pattern) == names


@pytest.mark.parametrize(
    "pattern",
    [
        "{ $.eventName = CreateTrail",
        "{ ($.eventName = CreateTrail }",
        "{ $.eventName = CreateTrail) }",
        "{ $.eventName == CreateTrail }",
        "{ $.eventName CreateTrail }",
        "{ eventName = CreateTrail }",
        "{ $.eventName = }",
        "{ $.eventName IS }",
        "{ $.eventName is null }",
        "{ }",
        '{ $.eventName = "CreateTrail }',
        "{ $.eventName = CreateTrail | $.eventName = StopLogging }",
        "{ $.eventName = CreateTrail } }",
        "[name = CreateTrail]",
        "?CreateTrail StopLogging",
        "{ " + "(" * 60 + "$.eventName = x" + ")" * 60 + " }",
    ],
)
def test_unreadable_pattern_is_refused(pattern: str) -> None:
    with pytest.raises(Unreadable):
        parse(pattern)


# --- the oracle ------------------------------------------------------------------------------------------------------

KNOWN = [
    Comparison("$.eventName", "=", "StopLogging"),
    Comparison("$.eventName", "!=", "StopLogging"),
    Comparison("$.eventName", "=", "*Trail"),
    Comparison("$.eventSource", "=", CLOUDTRAIL),
    Comparison("$.eventSource", "!=", CLOUDTRAIL),
    Comparison("$.eventName", "EXISTS"),
    Comparison("$.eventName", "IS NULL"),
    Comparison("$.readOnly", "IS FALSE"),
    Comparison("$.readOnly", "IS TRUE"),
    Comparison("$.errorCode", "NOT EXISTS"),
    Comparison("$.errorCode", "=", "x"),
]
LEAVES = st.sampled_from([*KNOWN, *(Comparison("$.hidden", "=", "x") for _ in range(3))])
TERMS = st.recursive(
    LEAVES,
    lambda terms: st.builds(
        lambda kind, items: kind(tuple(items)), st.sampled_from([All, Any]), st.lists(terms, min_size=2, max_size=3)
    ),
    max_leaves=7,
)


def numbered(term: Term, count: itertools.count[int]) -> Term:
    """The term with each unknown field named differently, so that each may be anything for itself."""
    if isinstance(term, Comparison):
        return term if term in KNOWN else term._replace(field=f"$.hidden{next(count)}")
    assert isinstance(term, (All, Any))
    return type(term)(tuple(numbered(item, count) for item in term.terms))


def spelt(term: Term, inside: bool = False) -> str:
    """The term as a pattern, with parentheses only where they are needed."""
    if isinstance(term, Comparison):
        quoted = f' "{term.value}"' if term.value else ""
        return f"{term.field} {term.operator}{quoted}"
    assert isinstance(term, (All, Any))
    conjunction = isinstance(term, All)
    text = (" && " if conjunction else " || ").join(spelt(item, conjunction) for item in term.terms)
    return f"({text})" if inside and not conjunction else text


def truly(term: Term, of: Mapping[str, str | bool | None]) -> bool:
    """Whether the term matches an event of which everything is known; None stands for a field that is missing."""
    if isinstance(term, Comparison):
        value = of[term.field]
        if term.operator in ("EXISTS", "NOT EXISTS"):
            return (value is None) is (term.operator == "NOT EXISTS")
        if term.operator.startswith("IS "):
            return value is {"TRUE": True, "FALSE": False, "NULL": "null"}[term.operator[3:]]
        if not isinstance(value, str):
            return False
        same = value.endswith("Trail") if term.value == "*Trail" else value == term.value
        return same is (term.operator == "=")
    assert isinstance(term, (All, Any))
    answers = [truly(item, of) for item in term.terms]
    return all(answers) if isinstance(term, All) else any(answers)


@given(TERMS, st.sampled_from(EVENTS))
def test_answer_is_that_of_every_event_that_may_be(shape: Term, name: str) -> None:
    count = itertools.count()
    term = numbered(shape, count)
    fields = [f"$.hidden{i}" for i in range(next(count))]
    answers = {
        truly(term, {**event(name), **dict(zip(fields, values, strict=True))})
        for values in itertools.product("xy", repeat=len(fields))
    }
    found = matches(parse("{ " + spelt(term) + " }"), event(name))
    assert ({True, False} if isinstance(found, str) else {found}) == answers


@given(st.text("ab*", min_size=1, max_size=8), st.text("ab", max_size=8))
def test_stars_are_any_text_at_the_ends_and_nobody_knows_what_between(value: str, known: str) -> None:
    pattern = ".*".join(map(re.escape, value.split("*")))
    found = matches(Comparison("$.eventName", "=", value), {"$.eventName": known})
    if re.fullmatch(pattern, known) is None:
        assert found is False
    else:
        assert isinstance(found, str) is ("*" in value.strip("*"))
        assert isinstance(found, str) or found


@given(st.text(alphabet='{}()$.=!&|"%* axE\\?-', max_size=30))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        term = parse(text)
    except Unreadable:
        return
    assert isinstance(matches(term, event("CreateTrail")), (bool, str))


@pytest.mark.parametrize(
    ("pattern", "missed"),
    [
        ("{ $.userIdentity.type = Root }", True),
        ("{ $.sourceIPAddress = 192.0.2.1 }", True),
        ("{ $.sourceIPAddress EXISTS }", False),
        ("{ $.sourceIPAddress NOT EXISTS }", True),
        ("{ ($.eventName = StopLogging) && ($.recipientAccountId = 111122223333) }", False),
        ("{ ($.eventName = StopLogging) && ($.awsRegion = eu-west-1) }", False),
        ("{ ($.eventName = StartLogging) && ($.awsRegion = eu-west-1) }", True),
        ("{ ($.eventName = StopLogging) && ($.userIdentity.userName != deployer) }", True),
        ("{ ($.eventName = StopLogging) || ($.userIdentity.userName != deployer) }", False),
        ("{ ($.userIdentity.type = Root) || ($.userIdentity.type != Root) }", False),
        ("{ ($.eventName = StopLogging) && ($.errorCode NOT EXISTS) }", False),
        ('{ ($.eventName = StopLogging) && ($.eventType != "AwsServiceEvent") }', False),
    ],
)
def test_what_hinges_on_an_unknown_field_misses_some_event(pattern: str, missed: bool) -> None:
    assert misses(parse(pattern), event("StopLogging")) is missed
