"""Wildcard texts against brute force: every short string over a small alphabet, a symbol counting as a letter."""

from __future__ import annotations

import itertools
import re
import time
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from iam_support import ACCOUNT, IMPORT, MADE, PARAMETER, Asked, never, otherwise, pieces

from trailguard.cloudformation.values import VARIABLE, Pieces, Symbol
from trailguard.iam.logic import Tri
from trailguard.iam.patterns import TOO_MANY, Settle, covers, exact, folded, overlaps, tokens

LETTER = "S"  # a generated name, as a letter
WORDS = ["".join(word) for size in range(7) for word in itertools.product("az" + LETTER, repeat=size)]


@cache
def language(pattern: Pieces, everything: str) -> frozenset[str]:
    """The short strings of a pattern; `everything` are the letters that its stars read."""
    spelt = "".join(
        LETTER if isinstance(token, Symbol) else {"*": f"[{everything}]*", "?": "[az]"}.get(token, token)
        for token in tokens(pattern)
    )
    return frozenset(filter(re.compile(spelt).fullmatch, WORDS))


def patterns(*symbols: Symbol, letters: str = "a*?", size: int = 3) -> st.SearchStrategy[Pieces]:
    return st.lists(st.sampled_from((*letters, *symbols)), max_size=size).map(lambda parts: pieces(*parts))


@given(st.lists(patterns(MADE), max_size=3), patterns(MADE))
@settings(max_examples=1500, deadline=None)
def test_covers_is_inclusion(some: list[Pieces], target: Pieces) -> None:
    answer = covers(some, target, never)
    left_out = language(target, "az") - frozenset().union(*(language(pattern, "azS") for pattern in some))
    assert answer.is_yes is not bool(left_out)
    assert answer.is_no or answer.is_yes or MADE in target


@given(patterns(MADE), patterns(MADE))
@settings(max_examples=1500, deadline=None)
def test_overlaps_is_intersection(pattern: Pieces, target: Pieces) -> None:
    answer = overlaps(pattern, target, never)
    assert answer.is_yes is bool(language(pattern, "azS") & language(target, "azS"))
    assert answer.is_no or answer.is_yes or MADE in target


def put(run: Pieces, symbol: Symbol, word: str) -> Pieces:
    return pieces(*(word if piece == symbol else piece for piece in run))


@given(st.lists(patterns(IMPORT, letters="ab/*?"), max_size=3), patterns(IMPORT, letters="ab/*?", size=4))
@settings(max_examples=1500, deadline=None)
def test_what_is_decided_holds_for_whatever_an_export_is(some: list[Pieces], target: Pieces) -> None:
    answer = covers(some, target, never)
    either = [overlaps(pattern, target, never) for pattern in some]
    for word in ("", "a", "b", "/", "ab", "a/b", "ba/", "cc"):
        fixed = [put(pattern, IMPORT, word) for pattern in some]
        fixed_target = put(target, IMPORT, word)
        if answer.state != "unknown":
            assert covers(fixed, fixed_target, never) == answer, word
        for pattern, before in zip(fixed, either, strict=True):
            if before.state != "unknown":
                assert overlaps(pattern, fixed_target, never) == before, word


@given(st.lists(patterns(PARAMETER, letters="ab/*?"), max_size=2), patterns(PARAMETER, letters="ab/*", size=4))
@settings(max_examples=1500, deadline=None)
def test_a_yes_holds_for_whatever_a_parameter_is(some: list[Pieces], target: Pieces) -> None:
    answer = covers(some, target, otherwise)
    either = [overlaps(pattern, target, otherwise) for pattern in some]
    for word in ("", "a", "b", "/", "ab", "a/b", "ba/", "cc"):
        fixed = [put(pattern, PARAMETER, word) for pattern in some]
        fixed_target = put(target, PARAMETER, word)
        if answer.is_yes:
            assert covers(fixed, fixed_target, never).is_yes, word
        for pattern, before in zip(fixed, either, strict=True):
            if before.is_yes:
                assert overlaps(pattern, fixed_target, never).is_yes, word


@given(patterns(PARAMETER, letters="ab/*"), patterns(letters="ab/*", size=4))
@settings(max_examples=1000, deadline=None)
def test_nothing_is_asked_that_does_not_matter(pattern: Pieces, target: Pieces) -> None:
    def included(pattern: Pieces, settle: Settle) -> Tri:
        return covers([pattern], target, settle)

    def met(pattern: Pieces, settle: Settle) -> Tri:
        return overlaps(pattern, target, settle)

    for question in (included, met):
        try:
            question(pattern, never)
        except Asked as asked:
            assert question(pattern, otherwise).state != "yes"
            values = [item for item in asked.candidates if isinstance(item, str)]
            assert values
            assert any(overlaps(put(pattern, PARAMETER, word), target, never).is_yes for word in values)


@pytest.mark.parametrize(
    ("pattern", "target", "candidate"),
    [
        (("logs/", PARAMETER, "/*"), ("logs/111122223333/CloudTrail/*",), "111122223333"),
        (("logs/", PARAMETER, "/*"), ("logs/a/b/CloudTrail/*",), "a"),
        (("logs/111122223333/*",), ("logs/", PARAMETER, "/CloudTrail/*"), "111122223333"),
        (("logs/", PARAMETER, "/*"), ("logs/", ACCOUNT, "/*"), ACCOUNT),
        ((PARAMETER, "/*"), ("arn:aws:s3:::logs/AWSLogs/*",), "arn:aws:s3:::logs"),
        ((PARAMETER,), ("anything",), "anything"),
        ((PARAMETER, "x"), ("x",), ""),
    ],
)
def test_the_value_that_makes_them_meet_is_asked_for(pattern: Pieces, target: Pieces, candidate: str | Symbol) -> None:
    asked: list[str | Symbol] = []
    assert covers([pattern], target, lambda symbol, candidates: asked.extend(candidates)).is_no
    assert candidate in asked


@pytest.mark.parametrize(
    ("some", "target", "state", "reason"),
    [
        ([("arn:aws:s3:::prod-*",)], ("arn:aws:s3:::", MADE, "/AWSLogs/*"), "unknown", MADE.reason),
        ([("arn:aws:s3:::prod-*/*",)], ("arn:aws:s3:::", MADE, "/AWSLogs/*"), "unknown", MADE.reason),
        ([("arn:aws:s3:::????",)], ("arn:aws:s3:::", MADE), "unknown", MADE.reason),
        ([("arn:aws:s3:::other/*",)], ("arn:aws:s3:::", MADE, "/AWSLogs/*"), "no", ""),
        ([("arn:aws:s3:::*/AWSLogs/*",)], ("arn:aws:s3:::", MADE, "/AWSLogs/*"), "yes", ""),
        ([("arn:aws:s3:::*/Logs/*",)], ("arn:aws:s3:::", MADE, "/AWSLogs/*"), "no", ""),
        ([("arn:aws:s3:::prod-*/Logs/*",)], ("arn:aws:s3:::", MADE, "/AWSLogs/*"), "no", ""),
        ([("a", IMPORT, "*")], ("ab/*",), "unknown", IMPORT.reason),
        ([("a", IMPORT, "*")], ("b/*",), "no", ""),
        ([(IMPORT,)], (IMPORT,), "yes", ""),
        ([()], (), "yes", ""),
        ([("*",)], (), "yes", ""),
        ([("?",)], (), "no", ""),
        ([()], ("*",), "no", ""),
        ([], (), "no", ""),
        ([("?*",), ()], ("*",), "yes", ""),
        ([("a*",), ("?",), ()], ("a",), "yes", ""),
        ([("logs/?*",)], ("logs/*",), "no", ""),
        ([("arn:*:trail/audit",)], ("arn:aws:cloudtrail:", ACCOUNT, ":trail/audit"), "yes", ""),
    ],
)
def test_covers(some: list[Pieces], target: Pieces, state: str, reason: str) -> None:
    assert covers(some, target, never) == (state, reason)


def test_a_text_with_other_variables_in_it_cannot_be_asked_for() -> None:
    region = Symbol(VARIABLE, "AWS::Region")
    trail = pieces("arn:aws:cloudtrail:", region, ":", ACCOUNT, ":trail/audit")
    assert covers([(PARAMETER,)], trail, never).state == "unknown"
    assert covers([("b/", PARAMETER, "/*")], pieces("b/", "x/", ACCOUNT, "/*"), otherwise).is_no


def test_exact_text_has_no_wildcards() -> None:
    assert covers([exact(("a*",))], exact(("a*",)), never).is_yes
    assert covers([exact(("a*",))], exact(("ab",)), never).is_no
    assert covers([("a*",)], exact(("a*b",)), never).is_yes
    assert covers([exact(("A?",), fold=True)], exact(("a?",), fold=True), never).is_yes
    assert folded(("S3:Put*", MADE)) == ("s3:put*", MADE)


HOSTILE: list[tuple[str, list[str], str]] = [
    ("stars", ["*a" * 200], "*a" * 199 + "*b"),
    ("stars-and-tail", ["*a" * 200 + "*"], "*a" * 200 + "*b*"),
    ("against-a-run", ["*a" * 200 + "b"], "a" * 4000 + "*"),
    ("against-itself", ["*a" * 200], "a*" * 200),
    ("question-marks", ["*a" + "?" * 60], "*"),
    ("question-marks-both", ["*a" + "?" * 60], "*a" + "?" * 61),
    ("two-letters", ["*a" + "?" * 30 + "b*"], "*a" + "?" * 30 + "?c*"),
    ("union", [f"*{letter}*b" * 10 for letter in "acdefghijklmnop"], "*b" * 30),
    ("union-of-question-marks", [f"*{letter}" + "?" * 40 for letter in "abcdefgh"], "*"),
    ("many", [f"*x{number}*y*" for number in range(300)], "*x*y*"),
]


@pytest.mark.parametrize(("some", "target"), [case[1:] for case in HOSTILE], ids=[case[0] for case in HOSTILE])
def test_hostile_wildcards_take_a_bounded_time(some: list[str], target: str) -> None:
    start = time.perf_counter()
    answer = covers([(pattern,) for pattern in some], (target,), never)
    for pattern in some:
        overlaps((pattern,), (target,), never)
    assert time.perf_counter() - start < 3
    assert not answer.is_yes or len(some) == 1


def test_too_much_work_is_unknown_and_never_no() -> None:
    tail = "?" * 30  # whether an a stands 31 letters before the end takes a machine of 2**31 states
    assert covers([("?*a" + tail,), ("a" + tail,)], ("*a" + tail,), never) == ("unknown", TOO_MANY)
