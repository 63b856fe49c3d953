"""Which texts a pattern lets through: all of them when they are few, examples otherwise, and never a hang."""

from __future__ import annotations

import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from trailguard.cloudformation.scenarios.regexes import LIMIT, Language
from trailguard.cloudformation.template.template import LONGEST

FINITE: dict[str, tuple[str, tuple[str, ...]]] = {
    "one": ("dev", ("dev",)),
    "empty": ("", ("",)),
    "anchored": ("^dev$", ("dev",)),
    "alternatives": ("^(a|b)$", ("a", "b")),
    "alternatives-bare": ("dev|prod|test", ("dev", "prod", "test")),
    "common-prefix": ("^(true|false)$", ("true", "false")),
    "anchors-inside": ("^a$|^b$", ("a", "b")),
    "optional": ("^ab?$", ("a", "ab")),
    "class": ("^[ab]$", ("a", "b")),
    "range": ("^[0-3]$", ("0", "1", "2", "3")),
    "product": ("^[ab][12]$", ("a1", "a2", "b1", "b2")),
    "repeat": ("^a{1,3}$", ("a", "aa", "aaa")),
    "non-capturing": ("^(?:a|b)$", ("a", "b")),
    "empty-or": ("^$|^x$", ("", "x")),
    "escaped": (r"^a\.b$", ("a.b",)),
}


@pytest.mark.parametrize(("pattern", "texts"), FINITE.values(), ids=FINITE.keys())
def test_finite(pattern: str, texts: tuple[str, ...]) -> None:
    language = Language(pattern)
    assert language.finite
    assert sorted(language.texts) == sorted(texts)


INFINITE: dict[str, tuple[str, tuple[str, ...], tuple[str, ...]]] = {
    "star": ("a*", ("", "aaaa"), ("b",)),
    "plus": ("^[a-z]+$", ("abc",), ("", "A")),
    "dot": ("^.*$", ("", "x"), ()),
    "bucket": ("^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$", ("my-logs",), ("-x", "A")),
    "digits": (r"^\d{12}$", ("111122223333",), ("1", "a")),
    "negated": ("^[^x]$", ("a",), ("x",)),
    "large-class": ("^[a-z]$", ("a", "z"), ("A",)),
    "large-product": ("^[a-e][a-e][a-e][a-e]$", ("abcd",), ("abcf",)),
    "large-repeat": ("^a{1,100}$", ("a" * 100,), ("a" * 101,)),
    "ignore-case": ("(?i)^dev$", ("DEV", "dev"), ("x",)),
    "lookahead": ("^(?!x).*$", ("a",), ("xa",)),
    "kms-arn-or-nothing": ("^$|^arn:aws:kms:.+$", ("", "arn:aws:kms:x"), ("arn:aws:s3",)),
    "not-literal-repeat": ("^[^-]{3,}$", ("aaa",), ("a-a",)),
}


@pytest.mark.parametrize(("pattern", "matching", "others"), INFINITE.values(), ids=INFINITE.keys())
def test_infinite(pattern: str, matching: tuple[str, ...], others: tuple[str, ...]) -> None:
    language = Language(pattern)
    assert not language.finite
    assert all(language.matches(text) for text in matching)
    assert not any(language.matches(text) for text in others)
    assert len(language.texts) <= LIMIT
    assert all(language.matches(text) for text in language.texts)
    assert language.texts


def test_letter_case_of_a_part() -> None:
    assert not Language("(?i:dev)").finite


@pytest.mark.parametrize(
    "pattern",
    [r"(a)\1", "[[a-z]+", "[a&&[b]]", "(", "[", "*", "a{2,1}", "(?<name", "\\", "(?P<x", r"\p{Alpha}", "(" * 5000],
)
def test_a_pattern_that_cannot_be_read_allows_everything(pattern: str) -> None:
    language = Language(pattern)
    assert not language.finite
    assert language.matches("anything")


HOSTILE = [
    "(a+)+$",
    "^(a+)+$",
    "^(a|a)*$",
    "^(a|aa)+$",
    "^((a+)*)*$",
    "^(.*)*x$",
    "^(?:(?:(?:a*)*)*)*b$",
    "^a*a*a*a*a*a*a*a*a*a*a*a*b$",
    ".*.*.*.*.*.*.*.*=x",
    "^([a-z]+.?)+$",
    "(x{0,1000}){0,1000}",
    "((((a{1,50}){1,50}){1,50}){1,50})",
    "(a|b|c|d|e|f|g|h)" * 12,
    "[a-z]{1000}",
    r"^(?=(a+)+$).*$",
    r"^(a+)\1+$",
    "(?:a?){40}a{40}",
    "a{1000000}",
    "(?:ab){1,70000}",
    "a{3000000000}",
    "((a{4000}){4000}){4000}|a",
    "(?:(?:[a-z]{100}){100}){100}",
    "(a|b)" * 800,
    "(?=a)" * 800,
]


@pytest.mark.parametrize("pattern", HOSTILE)
def test_a_hostile_pattern_does_not_hang(pattern: str) -> None:
    language = Language(pattern)
    for size in (17, 18, 19, 30, 1000, 4096):
        language.matches("a" * size + "!")
        language.matches("a" * size)
    assert all(len(text) <= LONGEST for text in language.texts)


SIMPLE = st.recursive(
    st.sampled_from(("a", "b", "[ab]", "", "c?", "a{0,2}")),
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=2).map("".join),
        st.lists(inner, min_size=1, max_size=3).map(lambda items: "(" + "|".join(items) + ")"),
    ),
    max_leaves=4,
)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(SIMPLE, st.text("abc", max_size=4))
def test_a_finite_language_is_complete(pattern: str, text: str) -> None:
    language = Language(f"^{pattern}$")
    matches = re.fullmatch(f"^{pattern}$", text) is not None
    assert language.matches(text) == matches
    if language.finite:
        assert (text in language.texts) == matches


@given(st.text(max_size=12))
def test_any_text_is_a_pattern(pattern: str) -> None:
    language = Language(pattern)
    assert all(language.matches(text) for text in language.texts)


REAL = {
    "bucket": ("^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$", "a" * 64),
    "account": (r"^\d{12}$", "1" * 4096),
    "key-arn": (
        r"^(?:arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key/[a-f0-9-]{36})?$",
        "arn:aws:kms:us-east-1:1234:key/" + "a" * 36,
    ),
    "list": ("^[a-z]+(,[a-z]+)*$", "a,b,c,d,"),
}


@pytest.mark.parametrize(("pattern", "refused"), REAL.values(), ids=REAL.keys())
def test_long_values_are_held_against_common_patterns(pattern: str, refused: str) -> None:
    assert not Language(pattern).matches(refused)
