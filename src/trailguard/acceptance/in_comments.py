"""Suppressions written in comments: `# trailguard: ignore[TG101, TG102] reason expires=2027-01-31`.

What was meant to be one and is not suppresses nothing, and is reported with the right form.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from difflib import SequenceMatcher

from trailguard.acceptance.rulings import Ruling, at_lines
from trailguard.cloudformation.source.comments import Comment
from trailguard.findings import Notice, Suppression
from trailguard.settings.checker import is_date

RIGHT = "# trailguard: ignore[TG101] the reason"

_GOOD = re.compile(r"#\s*trailguard:\s*ignore\[([^\[\]]*)\](.*)")
_EXPIRES = re.compile(r"\bexpires=(\S*)")
_LIKE_EXPIRES = re.compile(r"\b(?:expire[sd]?|until)(?:\s*[:=]\s*\S*|\s+\d{4}-\S*)", re.IGNORECASE)
# A word that may be our name, and what follows it.
_WORD = re.compile(r"#\s*(\w[\w-]{6,11})\b(\s*[:=,;]?)\s*(.*)")
_ORDER = re.compile(r"(\w+)\s*([\[({=:]|\s[A-Za-z]{2,}-?\d)")
_ORDERS = frozenset({"ignore", "ignores", "ignored", "disable", "skip", "suppress", "allow", "accept", "waive", "noqa"})
_NAME = "trailguard"
_ALIKE = 0.8  # of two words: one or two letters differ
_LIKELY = re.compile(rf"#\s*(?:{_NAME}|[\w-]{{7,12}}\s*[:=,;]?\s*(?:{'|'.join(sorted(_ORDERS))}))", re.IGNORECASE)


def may_hold(text: str) -> bool:
    """Tell cheaply whether a text may hold a comment that speaks to us."""
    return _NAME in text or (_LIKELY.search(text) is not None)


def in_comments(file: str, comments: Iterable[Comment]) -> tuple[list[Ruling], list[Notice]]:
    """What the comments of a file suppress, on their line and, where they stand alone, on the next; and what is wrong.

    A suppression without a reason counts, and is reported.
    """
    rulings: list[Ruling] = []
    notices: list[Notice] = []
    for comment in comments:
        match = _GOOD.search(comment.text)
        fault = _fault(match) if match is not None else _misspelt(comment.text)
        if fault is not None:
            notices.append(Notice(file, comment.line, fault))
        if match is not None:
            rulings.extend(_rulings(file, comment, match))
    return rulings, notices


def _rulings(file: str, comment: Comment, match: re.Match[str]) -> Iterable[Ruling]:
    if _wrong_date(match[2]) is not None:
        return
    expires = _EXPIRES.search(match[2])
    reason = _EXPIRES.sub("", match[2]).strip()
    suppression = Suppression("comment", reason, expires[1] if expires else None)
    lines = (comment.line, comment.line + 1) if comment.alone else (comment.line,)
    for name in _names(match):
        yield Ruling(name, at_lines(file, lines), suppression, file, comment.line)


def _names(match: re.Match[str]) -> list[str]:
    return list(filter(None, (name.strip() for name in match[1].split(","))))


def _fault(match: re.Match[str]) -> str | None:
    """What is wrong with a suppression that has the right form."""
    names = _names(match)
    if not names:
        return f"the suppression names no rule and suppresses nothing; write `{RIGHT}`"
    date = _wrong_date(match[2])
    if date is not None:
        return f"the suppression of {', '.join(names)} suppresses nothing: {date}"
    if not _EXPIRES.sub("", match[2]).strip():
        return f"the suppression of {', '.join(names)} gives no reason; write it after the bracket"
    return None


def _wrong_date(rest: str) -> str | None:
    """What is wrong with the day until which a suppression counts."""
    expires = _EXPIRES.search(rest)
    if expires is not None:
        return None if is_date(expires[1]) else f"`{expires[0]}` is not a date; write `expires=2027-01-31`"
    like = _LIKE_EXPIRES.search(rest)
    return None if like is None else f"`{like[0]}` is not understood; write `expires=2027-01-31`"


def _misspelt(comment: str) -> str | None:
    """What to say of a comment that seems to be meant as a suppression; None when it is just a comment."""
    match = _WORD.search(comment)
    if match is None or not _is_like(match[1].lower(), _NAME):
        return None
    order = _ORDER.match(match[3])
    is_order = order is not None and (order[1].lower() in _ORDERS or _is_like(order[1].lower(), "ignore"))
    if not is_order and not (match[1] == _NAME and match[2].strip() == ":"):
        return None
    return f"this comment suppresses nothing; did you mean `{RIGHT}`?"


def _is_like(word: str, wanted: str) -> bool:
    return word == wanted or SequenceMatcher(None, word, wanted).ratio() >= _ALIKE
