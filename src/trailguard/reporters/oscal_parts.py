"""The small parts of OSCAL documents: identifiers, properties, text, times.

Which characters each may hold: https://pages.nist.gov/OSCAL/learn/concepts/layer/control/catalog/sp800-53rev5-example/
and the data types of https://pages.nist.gov/metaschema/specification/datatypes/.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from uuid import NAMESPACE_URL, uuid5

from trailguard.reporters.common import HOME, readable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from trailguard.findings import Report

NAMESPACE = f"{HOME}/ns/oscal"  # of the properties that are trailguard's own
_ROOT = uuid5(NAMESPACE_URL, NAMESPACE)
_NO_DAY = "1970-01-01"  # of a report without a date: OSCAL wants one


class Names:
    """Gives out UUIDs that depend on nothing but what they stand for, none of them twice."""

    def __init__(self) -> None:
        self._given: Counter[str] = Counter()

    def uuid(self, *parts: object) -> str:
        """The UUID of what these parts identify; things with the same name are distinguished by their order."""
        name = json.dumps(parts)  # ASCII: halves of surrogate pairs have no UTF-8
        self._given[name] += 1
        again = self._given[name]
        return str(uuid5(_ROOT, name if again == 1 else f"{name}#{again}"))


def midnight(day: str | None) -> str | None:
    """The beginning of a day, in UTC; None for what is not an ISO date."""
    return f"{day}T00:00:00Z" if day and re.fullmatch(r"\d{4}-\d\d-\d\d", day) else None


def moment(report: Report) -> str:
    """The beginning of the day of the report: no more is known that is the same from run to run."""
    return midnight(report.date) or f"{_NO_DAY}T00:00:00Z"


def _plain(text: str) -> str:
    """Text that XML can hold, too, into which OSCAL is converted: what it cannot hold is spelled out."""
    return re.sub("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]", lambda match: f"\\u{ord(match[0]):04x}", readable(text))


def one_line(text: str) -> str:
    """Text for what has to be a single line without space around it."""
    return re.sub("[\\s\ufeff]+", " ", _plain(text)).strip()


def token(text: str) -> str:
    """A text as the name of something: letters, digits, dots, hyphens and underscores, with a letter first."""
    plain = re.sub("[^A-Za-z0-9._-]+", "-", text).strip("-.")
    return plain if re.match("[A-Za-z_]", plain) else f"_{plain}"


def markup(text: str) -> str:
    """Text where OSCAL reads Markdown: what would be markup is escaped, so that an ARN keeps its asterisks."""
    return re.sub(r"(\\(?=[!-/:-@\[-`{-~])|[`*<\[]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9]))", r"\\\1", _plain(text))


def prop(name: str, value: object, kind: str = "") -> list[dict[str, str]]:
    """A property of trailguard's own, in a list; nothing where there is nothing to say. `kind` is its class."""
    text = one_line(str(value))
    made = {"name": token(name), "ns": NAMESPACE, "value": text}
    return [{**made, "class": kind} if kind else made] if text else []


def listed(key: str, items: Iterable[Any]) -> dict[str, list[Any]]:
    """A list under its key; nothing where it is empty, since OSCAL has no empty lists."""
    found = list(items)
    return {key: found} if found else {}
