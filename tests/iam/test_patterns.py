"""The algebra of wildcard texts: tables, and a brute-force oracle over a tiny alphabet."""

# ruff: noqa: E501  (tables: one case, one line)

from __future__ import annotations

import itertools
import re
from collections.abc import Callable
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.iam.helpers import ACCOUNT, ARN, BUCKET, IMPORTED, LOGS, PREFIX, Ledger, Settled, pieces, refuse
from trailguard.cloudformation.scenarios.values import OPAQUE, VARIABLE, Symbol
from trailguard.iam import inclusion
from trailguard.iam.globs import Glob, Wild, arn_glob, glob, meet, resource_glob
from trailguard.iam.inclusion import Effort, Group
from trailguard.iam.patterns import GENERATED_NAME, TOO_COMPLEX, covers, overlaps

ALPHABET = "ab"
LENGTH = 6
WORDS = tuple("".join(word) for size in range(LENGTH + 1) for word in itertools.product(ALPHABET + "c", repeat=size))
TEXTS = st.text("ab*?", max_size=4)
SHORT = st.text("ab*?", max_size=3)


def includes(groups: list[Group], target: Glob) -> bool | None:
    return inclusion.includes(groups, target, Effort())


def union(*texts: str) -> list[Group]:
    return [Group(tuple(glob((text,)) for text in texts))]


@cache
def language(text: str) -> frozenset[str]:
    found = re.compile("".join({"*": ".*", "?": "."}.get(c, re.escape(c)) for c in text))
    return frozenset(word for word in WORDS if found.fullmatch(word))


# Patterns of up to 4 tokens tell texts of up to 6 letters apart: whatever a longer text shows, a shorter one shows too.
@settings(max_examples=400, deadline=None)
@given(st.lists(SHORT, min_size=1, max_size=3), SHORT)
def test_inclusion_agrees_with_enumeration(patterns: list[str], target: str) -> None:
    covered = language(target) <= frozenset().union(*(language(text) for text in patterns))
    assert includes(union(*patterns), glob((target,))) is covered


@settings(max_examples=400, deadline=None)
@given(st.lists(SHORT, max_size=2), st.lists(SHORT, min_size=1, max_size=2), SHORT)
def test_inclusion_with_exceptions_agrees_with_enumeration(
    patterns: list[str], exceptions: list[str], target: str
) -> None:
    groups = [*union(*patterns), Group(tuple(glob((text,)) for text in exceptions), True)]
    excepted = frozenset().union(*(language(text) for text in exceptions))
    covered = language(target) - frozenset().union(*(language(text) for text in patterns))
    assert includes(groups, glob((target,))) is not bool(covered & excepted)


@settings(max_examples=400, deadline=None)
@given(TEXTS, SHORT)
def test_overlap_agrees_with_enumeration(one: str, other: str) -> None:
    common = bool(language(one) & language(other))
    assert meet(glob((one,)), glob((other,))) is common
    assert meet(glob((other,)), glob((one,))) is common


@settings(max_examples=300, deadline=None)
@given(st.text("ab:*", max_size=5), st.text("ab:", max_size=6))
def test_wildcards_of_arns_stay_within_their_part(pattern: str, text: str) -> None:
    head = "a:b:c:"  # two more colons stay inside the first five
    parts, given_parts = (head + pattern).split(":", 5), (head + text).split(":", 5)
    expected = len(parts) == len(given_parts) and all(
        re.fullmatch(re.escape(part).replace(r"\*", ".*"), one, re.DOTALL)
        for part, one in zip(parts, given_parts, strict=True)
    )
    assert includes([Group((arn_glob(glob((head + pattern,))),))], glob((head + text,), wild=False)) is expected


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        pytest.param("arn:aws:some:*:111122223333:fin/*", "arn:aws:some:us-east-2:9:store:111122223333:fin/d", False, id="crosses"),
        pytest.param("arn:aws:some:*:9:fin/*", "arn:aws:some:us-east-2:9:fin/a:b", True, id="last part holds colons"),
        pytest.param("*", "arn:aws:some:us-east-2:9:fin/d", True, id="a mere star takes every ARN"),
        pytest.param("arn:*", "arn:aws:some:us-east-2:9:fin/d", False, id="too few parts"),
        pytest.param("arn:aws:s?me:::x", "arn:aws:some:::x", True, id="one letter"),
        pytest.param("arn:aws:some?:::x", "arn:aws:some::::x", False, id="one letter that is a colon"),
    ],
)  # fmt: skip
def test_arn_globs(pattern: str, text: str, expected: bool) -> None:
    assert includes([Group((arn_glob(glob((pattern,))),))], glob((text,), wild=False)) is expected


@settings(max_examples=400, deadline=None)
@given(st.lists(st.text("a*?", max_size=3), min_size=1, max_size=7), st.lists(st.text("a", max_size=2), max_size=7))
def test_wildcards_of_resources_stay_within_their_part_unless_they_end_it(parts: list[str], text: list[str]) -> None:
    """ "If the * wildcard is the last character of a resource ARN segment, it can expand beyond the colon boundaries"."""
    spelt = []
    for index, part in enumerate(parts):
        one = "[^:]" if index < 5 else "."  # there is no part after the sixth
        letters = [{"*": f"{one}*", "?": one}.get(letter, letter) for letter in part]
        spelt.append("".join([*letters[:-1], ".*"] if part.endswith("*") else letters))
    expected = re.fullmatch(":".join(spelt), ":".join(text)) is not None
    pattern = resource_glob(glob((":".join(parts),)))
    assert includes([Group((pattern,))], glob((":".join(text),), wild=False)) is expected


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ((ARN, "logs/AWSLogs/*"), "yes"),
        (("arn:aws:s*-logs/AWSLogs/*",), "no"),
        (("arn:aws:s3:*logs/*",), "no"),
        (("arn:*logs/*",), "no"),
        (("arn:aws:s3*",), "yes"),
        (("arn:aws:*:logs/*",), "yes"),
        (("arn:*:*",), "yes"),
        (("arn:aws:s?:::logs/*",), "yes"),
        (("arn:aws:s3?::logs/*",), "no"),
        (("arn:aws:s3:::l*/AWSLogs/*",), "yes"),
        ((IMPORTED, "/AWS*/*"), "unknown"),
        (("arn:aws:s3:::", IMPORTED, "*/AWSLogs/*"), "unknown"),
    ],
)
def test_resource_globs(pattern: Any, expected: str) -> None:
    group = Group((resource_glob(glob(pieces(pattern))),))
    assert covers([group], glob((ARN, "logs/AWSLogs/*")), refuse).state == expected


LOWER, LETTER, DIGITS = Wild("*", True, "a", "ab"), Wild("?", False, "a", "ab"), Wild("*", True, "1", without="ab")
CLASSES = {"L": LOWER, "l": LETTER, "D": DIGITS}


def classes(text: str) -> Glob:
    return tuple(part for letter in text for part in ((CLASSES[letter],) if letter in CLASSES else glob((letter,))))


@cache
def words_of(text: str) -> frozenset[str]:
    letters = {"*": "[abc]*", "?": "[abc]", "L": "[ab]*", "l": "[ab]", "D": "c*"}
    found = re.compile("".join(letters.get(letter, letter) for letter in text))
    return frozenset(word for word in WORDS if found.fullmatch(word))


@settings(max_examples=400, deadline=None)
@given(st.lists(SHORT, min_size=1, max_size=2), st.booleans(), st.text("abcLlD*", max_size=3))
def test_wildcards_of_few_letters_agree_with_enumeration(patterns: list[str], negated: bool, target: str) -> None:
    union_of = frozenset().union(*map(words_of, patterns))
    group = Group(tuple(glob((text,)) for text in patterns), negated)
    covered = not words_of(target) & union_of if negated else words_of(target) <= union_of
    assert includes([group], classes(target)) is covered
    for pattern in patterns:
        common = bool(words_of(pattern) & words_of(target))
        assert meet(glob((pattern,)), classes(target)) is common
        assert meet(classes(target), glob((pattern,))) is common


VARIABLE_BUCKET = Symbol(VARIABLE, "BucketName")
OTHER_IMPORT = Symbol(OPAQUE, "other", "nobody exports that either")

COVERED = [
    ("same symbols", [(ARN, BUCKET, "/AWSLogs/", ACCOUNT, "/*")], LOGS, "yes", "", []),
    ("whole bucket", [(ARN, BUCKET, "/*")], LOGS, "yes", "", []),
    ("everything", ["*"], LOGS, "yes", "", []),
    ("star takes a generated name", [(ARN, "*/AWSLogs/*")], LOGS, "yes", "", []),
    ("question marks may fit a generated name", [(ARN, "??????????/AWSLogs/*")], (ARN, BUCKET, "/AWSLogs/*"), "unknown", GENERATED_NAME, []),
    ("letters beside a star may fit one", [(ARN, "prod-*/AWSLogs/*")], (ARN, BUCKET, "/AWSLogs/*"), "unknown", GENERATED_NAME, []),
    ("a generated name may fit, the rest does not", [(ARN, "prod-*/x*/*")], (ARN, BUCKET, "/AWSLogs/*"), "no", "", []),
    ("it may fit another part than its own", [(ARN, "logs/AWS*/*")], (ARN, BUCKET, "/AWSLogs/*"), "no", "", []),
    ("behind letters it may fit", [(ARN, "logs-p*/AWSLogs/*")], (ARN, "logs-", BUCKET, "/AWSLogs/*"), "unknown", GENERATED_NAME, []),
    ("behind other letters it does not", [(ARN, "l-p*/AWSLogs/*")], (ARN, "logs-", BUCKET, "/AWSLogs/*"), "no", "", []),
    ("a literal is never a generated name", [(ARN, "logs/*")], (ARN, BUCKET, "/*"), "no", "", []),
    ("no folder", [(ARN, BUCKET, "/AWSLogs/", ACCOUNT)], LOGS, "no", "", []),
    ("doubled slash", [(ARN, BUCKET, "//AWSLogs/", ACCOUNT, "/*")], LOGS, "no", "", []),
    ("literal account", [(ARN, BUCKET, "/AWSLogs/111122223333/*")], LOGS, "no", "", [("AWS::AccountId", ["111122223333"])]),
    ("twelve letters", [(ARN, BUCKET, "/AWSLogs/????????????/*")], LOGS, "yes", "", []),
    ("two accounts", [(ARN, BUCKET, "/AWSLogs/1/*"), (ARN, BUCKET, "/AWSLogs/2/*")], LOGS, "no", "", [("AWS::AccountId", ["1", "2"])]),
    ("the rest cannot match", [(ARN, BUCKET, "/AWSLogs/1/x")], LOGS, "no", "", []),
    ("another bucket with an account", [(ARN, "logs/AWSLogs/1/*")], LOGS, "no", "", []),
    ("prefix in the policy only", [(ARN, BUCKET, "/a/AWSLogs/*")], LOGS, "no", "", []),
    ("prefix is a variable", [(ARN, BUCKET, "/a/AWSLogs/*")], (ARN, BUCKET, "/", PREFIX, "/AWSLogs/*"), "no", "", [("Prefix", ["a"]), ("Prefix", ["a/AWSLogs", "a/AWSLogs/"])]),
    ("prefix of two folders", [(ARN, BUCKET, "/a/b/AWSLogs/x")], (ARN, BUCKET, "/", PREFIX, "/AWSLogs/x"), "no", "", [("Prefix", ["a/b"])]),
    ("prefix like a wildcard", [(ARN, BUCKET, "/tmp*/AWSLogs/x")], (ARN, BUCKET, "/", PREFIX, "/AWSLogs/x"), "no", "", [("Prefix", ["tmp"])]),
    ("empty variable", [(ARN, BUCKET, "/", PREFIX, "AWSLogs/*")], (ARN, BUCKET, "/AWSLogs/*"), "no", "", [("Prefix", [""])]),
    ("star after a variable", [(ARN, BUCKET, "/", PREFIX, "*")], (ARN, BUCKET, "/AWSLogs/*"), "no", "", [("Prefix", ["", "AWSLogs"]), ("Prefix", ["AWSLogs/"])]),
    ("variable bucket, literal bucket", [(ARN, VARIABLE_BUCKET, "/*")], (ARN, "logs/AWSLogs/*"), "no", "", [("BucketName", ["logs"]), ("BucketName", ["logs/AWSLogs"])]),
    ("variable bucket, generated bucket", [(ARN, VARIABLE_BUCKET, "/*")], LOGS, "no", "", []),
    ("two variables", [(ARN, VARIABLE_BUCKET, "/*")], (ARN, PREFIX, "/*"), "no", "", [("Prefix", ["BucketName"]), ("BucketName", ["Prefix"])]),
    ("a variable that holds several parts", [(PREFIX, "/*")], (ARN, VARIABLE_BUCKET, "/*"), "unknown", "whether ${Prefix} is arn:aws:s3:::${BucketName} is not known", []),
    ("import against itself", [(ARN, IMPORTED, "/*")], (ARN, IMPORTED, "/AWSLogs/*"), "yes", "", []),
    ("import against a literal", [(ARN, IMPORTED, "/*")], (ARN, "logs/AWSLogs/*"), "unknown", "nobody exports it", []),
    ("import against another", [(ARN, IMPORTED, "/*")], (ARN, OTHER_IMPORT, "/*"), "unknown", "nobody exports that either", []),
    ("import, but the rest is wrong", [(ARN, IMPORTED, "/x")], (ARN, "logs/AWSLogs/*"), "no", "", []),
    ("import in the target", [(ARN, "logs/*")], (ARN, IMPORTED, "/AWSLogs/*"), "unknown", "nobody exports it", []),
    ("import in the target, another folder", [(ARN, "logs/x/*")], (ARN, IMPORTED, "/AWSLogs"), "unknown", "nobody exports it", []),
    ("import and a literal account", [(ARN, IMPORTED, "/AWSLogs/1/*")], LOGS, "no", "", [("AWS::AccountId", ["1"])]),
    ("nothing", [], LOGS, "no", "", []),
]  # fmt: skip


@pytest.mark.parametrize(
    ("patterns", "target", "state", "reason", "asked"), [c[1:] for c in COVERED], ids=[c[0] for c in COVERED]
)
def test_covers(patterns, target, state, reason, asked) -> None:  # type: ignore[no-untyped-def]
    ledger = Ledger()
    groups = [Group(tuple(glob(pieces(pattern)) for pattern in patterns))]
    found = covers(groups, glob(pieces(target)), ledger)
    assert (found.state, found.reason, ledger.asked) == (state, reason, asked)


OVERLAPPING = [
    ("digests", (ARN, BUCKET, "/*/CloudTrail-Digest/*"), LOGS, "yes", []),
    ("another folder", (ARN, BUCKET, "/reports/*"), LOGS, "no", []),
    ("one key", (ARN, BUCKET, "/AWSLogs/", ACCOUNT, "/CloudTrail/x"), LOGS, "yes", []),
    ("one account", (ARN, BUCKET, "/AWSLogs/1/*"), LOGS, "no", [("AWS::AccountId", ["1"])]),
    ("twelve letters", (ARN, BUCKET, "/AWSLogs/????????????/*"), LOGS, "yes", []),
    ("every bucket", ARN + "*", LOGS, "yes", []),
    ("the bucket itself", (ARN, BUCKET), LOGS, "no", []),
]


@pytest.mark.parametrize(
    ("pattern", "target", "state", "asked"), [c[1:] for c in OVERLAPPING], ids=[c[0] for c in OVERLAPPING]
)
def test_overlaps(pattern, target, state, asked) -> None:  # type: ignore[no-untyped-def]
    ledger = Ledger()
    found = overlaps([glob(pieces(pattern))], glob(pieces(target)), ledger)
    assert (found.state, ledger.asked) == (state, asked)


def test_what_settle_raises_comes_through_untouched() -> None:
    groups = [Group((glob((ARN, BUCKET, "/AWSLogs/1/*")),))]
    with pytest.raises(Settled) as raised:
        covers(groups, glob(LOGS), refuse)
    assert (raised.value.name, raised.value.candidates) == ("AWS::AccountId", ["1"])


def test_equal_symbols_with_different_reasons_are_the_same() -> None:
    one, other = Symbol(OPAQUE, "x", "said here"), Symbol(OPAQUE, "x", "said there")
    assert covers([Group(((one,),))], (other,), refuse).is_yes


def test_several_variables_are_settled_one_after_the_other() -> None:
    groups = [Group((glob((ARN, BUCKET, "/a/AWSLogs/1/*")),))]
    ledger = Ledger()
    target = glob((ARN, BUCKET, "/", PREFIX, "/AWSLogs/", ACCOUNT, "/*"))
    assert covers(groups, target, ledger).is_no
    assert ledger.asked[0] in (("Prefix", ["a"]), ("AWS::AccountId", ["1"]))


@pytest.mark.parametrize(
    ("variables", "text", "sample", "expected"),
    [
        (True, "a${*}b", "a*b", True),
        (True, "a${*}b", "axb", False),
        (True, "a${?}${$}", "a?$", True),
        (False, "a${*}b", "a${xx}b", True),
        (False, "a${aws:username}", "a${aws:username}", True),
        (True, "a${aws:username}", "b", False),
    ],
)
def test_policy_variables(variables: bool, text: str, sample: str, expected: bool) -> None:
    found = covers([Group((glob((text,), variables=variables),))], glob((sample,), wild=False), refuse)
    assert found.state == ("yes" if expected else "no")


def test_a_policy_variable_may_be_anything() -> None:
    found = covers([Group((glob(("home/${aws:username}/*",), variables=True),))], glob(("home/x/*",)), refuse)
    assert found.state == "unknown"
    assert found.reason == "the policy variable ${aws:username} is filled in when a request is made"


SYMBOLIC = st.lists(st.sampled_from(["a", "b", "*", "?", IMPORTED, BUCKET]), max_size=4)

WITHOUT_ANY = st.lists(st.sampled_from(["a", "b", "*", IMPORTED, BUCKET]), max_size=4)


def filled(tokens: list[str | Symbol], word: str) -> Glob:
    exact = tuple(word)
    return tuple(t for token in tokens for t in (exact if token is IMPORTED else glob(pieces(token))))


@settings(max_examples=400, deadline=None)
@given(st.lists(SYMBOLIC, min_size=1, max_size=2), st.booleans(), SYMBOLIC, st.text("ab", max_size=3))
def test_filling_in_a_symbol_never_contradicts(
    patterns: list[list[str | Symbol]], negated: bool, target: list[str | Symbol], word: str
) -> None:
    def ask(make: Callable[[list[str | Symbol]], Glob]) -> tuple[str, str]:
        groups = [Group(tuple(make(p) for p in patterns), negated)]
        return covers(groups, make(target), refuse).state, overlaps(groups[0].globs, make(target), refuse).state

    def plain(tokens: list[str | Symbol]) -> Glob:
        return glob(pieces(tuple(tokens)))

    for before, after in zip(ask(plain), ask(lambda tokens: filled(tokens, word)), strict=True):
        assert before in (after, "unknown")


@settings(max_examples=300, deadline=None)
@given(st.lists(WITHOUT_ANY, min_size=1, max_size=2), st.booleans(), WITHOUT_ANY)
def test_a_settled_variable_stands_for_some_other_value(
    patterns: list[list[str | Symbol]], negated: bool, target: list[str | Symbol]
) -> None:
    def ask(symbol: Symbol | str) -> tuple[str, str]:
        def make(tokens: list[str | Symbol]) -> Glob:
            parts = [symbol if token is IMPORTED else "k" if token is BUCKET else token for token in tokens]
            return glob(pieces(tuple(parts)))

        groups = [Group(tuple(map(make, patterns)), negated)]
        answers = covers(groups, make(target), Ledger()), overlaps(groups[0].globs, make(target), Ledger())
        return answers[0].state, answers[1].state

    for before, after in zip(ask(PREFIX), ask("q" * 20), strict=True):
        assert before in (after, "unknown")


VALUES = tuple("".join(word) for size in range(5) for word in itertools.product("ab/", repeat=size))
LETTERS = st.lists(st.sampled_from("ab*/"), max_size=5)


@pytest.mark.slow
@settings(max_examples=300, deadline=None)
@given(st.lists(LETTERS, min_size=1, max_size=2), LETTERS, st.booleans(), st.integers(0, 5))
def test_no_value_of_a_variable_that_changes_the_answer_is_overlooked(
    patterns: list[list[str]], target: list[str], in_target: bool, place: int
) -> None:
    (target if in_target else patterns[0]).insert(place, "V")

    def ask(value: str | Symbol, settle: Callable[..., None]) -> tuple[str, str]:
        globs = [glob(pieces(tuple(value if token == "V" else token for token in one))) for one in [*patterns, target]]
        groups = [Group(tuple(globs[:-1]))]
        return covers(groups, globs[-1], settle).state, overlaps(groups[0].globs, globs[-1], settle).state

    for index in (0, 1):
        ledger = Ledger()
        first = ask(PREFIX, ledger)[index]
        asked = {value for _, values in ledger.asked for value in values}
        answers = {first, *(ask(value, refuse)[index] for value in asked)}
        assert answers >= {ask(value, refuse)[index] for value in VALUES}


def test_a_pattern_that_is_too_hard_is_not_decided() -> None:
    patterns = union(*("*a" + "?" * size + "b*" for size in range(14)))
    found = covers(patterns, glob(("*" + "a*b*" * 40,)), refuse)
    assert found.state in ("yes", "unknown")
    blown = covers(union("*a" + "?" * 14), glob(("*b" + "?" * 13,)), refuse)
    assert (blown.state, blown.reason) in (("no", ""), ("unknown", "the wildcards take too long to compare"))


HOSTILE: dict[str, tuple[list[Group], str, bool]] = {
    "many-stars-in-one": (union("*a*" + "b*" * 200 + "c"), "x*" + "y*" * 20, False),
    "many-stars-that-take-all": (union("*" + "a*" * 200, "*"), "x*" + "y*" * 20, True),
    "many-patterns": (union(*(f"s3:*{number}*t*{number}" for number in range(300))), "s3:*", False),
    "many-wildcards-each": (
        union(*("b/" + "".join(f"*{(one * 7 + place * 3) % 10}" for place in range(8)) for one in range(20))),
        "b/logs/*",
        False,
    ),
    "few-of-many": (union(*(f"*{one}*" for one in range(200)), "b/*"), "b/logs/*/*", True),
    "everything-but-many": ([Group(tuple(glob((f"b/*{one}*/x*",)) for one in range(100)), True)], "b/logs/*", False),
    "everything-but-many-others": (
        [Group(tuple(glob((f"c/*{one}*/x*",)) for one in range(100)), True)],
        "b/logs/*",
        True,
    ),
}


@pytest.mark.parametrize(("groups", "target", "expected"), HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_wildcards(groups: list[Group], target: str, expected: bool) -> None:
    assert includes(groups, glob((target,))) is expected


def test_hostile_wildcards_in_common() -> None:
    one, other = glob(("*a" * 2000 + "*",)), glob(("?*b" * 2000,))
    assert meet(one, other)
    assert not meet((*one, "c"), other)


def test_what_takes_too_long_is_not_known() -> None:
    some = [(ARN, "*", *(part for _ in range(60) for part in ("*", symbol, "?"))) for symbol in (PREFIX, ACCOUNT)]
    groups = [Group(tuple(glob(pieces(text)) for text in some)), Group((glob(("*a*b*",)), glob(("*c?d*",))), True)]
    found = covers(groups, glob(pieces((ARN, "*", PREFIX, "?*", ACCOUNT, "*"))), Ledger())
    assert (found.state, found.reason) == ("unknown", TOO_COMPLEX)
