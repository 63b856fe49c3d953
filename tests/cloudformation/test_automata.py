"""Regular expressions of templates: what Python's own matching says where both mean the same, and never a hang."""

from __future__ import annotations

import re
import warnings

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from trailguard.cloudformation.scenarios.automata import Machine, TooLong, Unreadable, parse
from trailguard.cloudformation.template.template import LONGEST

ATOMS = ("a", "b", "ab", "[ab]", "[^a]", ".", r"\d", r"\W", r"\b", r"\Bb", "^", "$", r"\A", r"\Z", "", "a?", "(?i:a)")
EXPRESSIONS = st.recursive(
    st.sampled_from(ATOMS),
    lambda inner: st.one_of(
        st.lists(inner, min_size=2, max_size=3).map("".join),
        st.lists(inner, min_size=1, max_size=3).map(lambda items: "(?:" + "|".join(items) + ")"),
        st.tuples(inner, st.sampled_from(("*", "+", "?", "*?", "{2}", "{1,2}", "{0,3}", "{2,}"))).map(
            lambda pair: f"(?:{pair[0]}){pair[1]}"
        ),
        st.tuples(st.sampled_from(("?=", "?!")), inner).map(lambda pair: f"({pair[0]}{pair[1]})"),
        st.sampled_from(("(?<=a)", "(?<!ab)", "(?<=(?=b).)", "(?!(?<=a)b)")),
    ),
    max_leaves=6,
)
TEXTS = st.text("abA1-", max_size=6)


@settings(deadline=None, max_examples=500, suppress_health_check=[HealthCheck.too_slow])
@given(EXPRESSIONS, TEXTS)
def test_says_what_python_says(expression: str, text: str) -> None:
    own = re.compile(expression, re.ASCII)
    machine = Machine(parse(expression))
    assert machine.matches(text) is (own.fullmatch(text) is not None)
    assert machine.found_in(text) is (own.search(text) is not None)
    assert not machine.matches(text) or len(text) >= machine.least


@pytest.mark.parametrize("expression", ["^b$", "(?m)^b$", "(?m)b$", "b$", "^b", r"a\Z", "(?s)a.b", "a.b", "(?m)$.^"])
@pytest.mark.parametrize("text", ["a\nb", "b", "b\n", "a\nb\na", "\nb\n", "a\n"])
def test_lines(expression: str, text: str) -> None:
    machine = Machine(parse(expression))
    assert machine.found_in(text) is (re.search(expression, text) is not None)


JAVA: dict[str, tuple[str, str, bool]] = {
    "digits-are-ascii": (r"\d", "\u0663", False),
    "words-are-ascii": (r"\w", "\u00e4", False),
    "blanks-are-ascii": (r"\s", "\u00a0", False),
    "no-blank-is-everything-else": (r"\S", "\u00a0", True),
    "a-dot-takes-no-line-end": (".", "\u2028", False),
    "the-end-may-stand-before-a-line-end": ("(?s)a$.*", "a\r\n", True),
    "letter-case": ("(?i)[a-c]x", "BX", True),
    "letter-case-of-a-negation": ("(?i)[^a-c]", "B", False),
    "letter-case-is-ascii": ("(?i)\u00e4", "\u00c4", False),
    "bracket-at-the-start-of-a-class": ("[]a]+", "a]", True),
    "bracket-that-is-escaped": (r"[\[a]+", "a[", True),
}


@pytest.mark.parametrize(("expression", "text", "matches"), JAVA.values(), ids=JAVA.keys())
def test_means_what_java_means(expression: str, text: str, matches: bool) -> None:
    assert Machine(parse(expression)).matches(text) is matches


UNREADABLE = {
    "wrong": "(",
    "class-in-a-class": "[[a-z]+",
    "class-in-a-negated-class": "[^]x[a]]",
    "intersection": "[a-z&&[^b]]",
    "back-reference": r"(a)\1",
    "group-that-decides": "(a)?(?(1)b|c)",
    "too-many-states": "(x{0,1000}){0,1000}",
    "too-many-assertions": "".join(f"(?={chr(97 + number % 26)})" for number in range(40)),
    "too-many-empty-repeats": "(a?){5000}",
    "too-long": "a" * 20_001,
    "too-deep": "(" * 5000 + ")" * 5000,
}


@pytest.mark.parametrize("expression", UNREADABLE.values(), ids=UNREADABLE.keys())
def test_unreadable(expression: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(Unreadable):
            Machine(parse(expression))


def test_repeats_of_nothing() -> None:
    assert Machine(parse("((((){4000}){4000}){4000}){4000}")).matches("")


HOSTILE: dict[str, tuple[str, str, bool]] = {
    "plus-in-plus": ("(a+)+$", "a" * LONGEST, True),
    "plus-in-plus-refused": ("(a+)+$", "a" * 4000 + "!", False),
    "same-twice": ("(a|a)*", "a" * LONGEST + "!", False),
    "one-or-two": ("(a|aa)+", "a" * LONGEST, True),
    "stars-in-a-row": ("a*" * 12 + "b", "a" * LONGEST, False),
    "any-in-a-row": (".*" * 12 + "x", "a" * LONGEST, False),
    "star-tower": ("(?:(?:(?:a*)*)*)*b", "a" * LONGEST, False),
    "options": ("(?:a?){40}a{40}", "a" * 40, True),
    "long-repeat": ("a{0,4096}", "a" * LONGEST, True),
    "repeat-longer-than-any-value": ("a{3000000000}", "a" * 100, False),
    "repeat-up-to-more": ("a{1,3000000000}", "a" * 100, True),
    "look-at-each-place": ("(?:(?=(a+)+$)a)*", "a" * LONGEST, True),
}


@pytest.mark.parametrize(("expression", "text", "matches"), HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile(expression: str, text: str, matches: bool) -> None:
    assert Machine(parse(expression)).matches(text) is matches


def test_a_text_that_takes_too_long() -> None:
    machine = Machine(parse("(a|ab|b){1,2000}(a|b){1,2000}"))
    with pytest.raises(TooLong):
        machine.matches("ab" * 2000)
    assert machine.matches("abab")
