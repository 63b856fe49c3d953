"""What of an answer comes from templates, and keeps it from steering who reads the answer.

Whoever wrote a template may have put words into it that are meant for an assistant. So an answer holds data only: each
text of a template, of a file's name or of a repository's configuration stands in a field of its own, `quoted` names
these fields, and characters that hide or reorder text are spelled out as in the report for people.
"""

from __future__ import annotations

import re
from typing import Any

from trailguard.terminal import visible

_BREAKS = re.compile(r"(\r\n|\n|\t)")

# Patterns of JSON Pointers: "*" is any key or index, and what lies below a field is quoted as well.
SCAN = (
    "/profile", "/judged",
    *(f"/results/*/{key}" for key in (
        "file", "resource", "path", "message", "witness", "reason", "suppressed/reason", "contexts", "subject_file",
        "construct", "related/*/file", "related/*/message", "cause", "causes", "fix",
    )),
    "/errors/*/file", "/errors/*/message", "/notices/*/file", "/notices/*/message", "/skipped/*/file",
)  # fmt: skip
RULES = (
    "/rules",
    *(f"/results/*/{key}" for key in ("rule", "name", "title", "remedy", "controls", "references", "unverified")),
)
FACTS = ("/file", "/subjects/*/subject", "/subjects/*/resource", "/subjects/*/facts")
FIX = (
    *(f"/files/*/{key}" for key in ("file", "text", "diff", "error")),
    *(f"/fixed/*/{key}" for key in ("file", "resource", "title", "unsafe")),
    *(f"/left/*/{key}" for key in ("file", "resource", "message", "why")),
    "/errors/*/file", "/errors/*/message",
)  # fmt: skip
EXPLAIN = ("/rule", "/asks", "/good", "/bad")
ERROR = ("/error/file", "/error/message")

LINES = frozenset({"text", "diff", "template", "lines"})  # the fields that keep their line breaks


def is_plain(text: str) -> bool:
    """Tell whether a text holds nothing but line breaks and tabs that is not seen."""
    return defused(text) == text


def defused(text: str) -> str:
    """Text of several lines, with what could hide or reorder a part of it spelled out."""
    parts = _BREAKS.split(text)
    return "".join(part if number % 2 else visible(part) for number, part in enumerate(parts))


def safe(data: Any, key: object = "") -> Any:
    """Plain data whose texts, and names of texts, hold nothing that is not seen."""
    if isinstance(data, str):
        return defused(data) if key in LINES else visible(data)
    if isinstance(data, dict):
        return {visible(name): safe(item, name) for name, item in data.items()}
    return [safe(item) for item in data] if isinstance(data, list | tuple) else data
