"""The findings of one day, so that only new ones count.

A finding is known again by its fingerprint, which survives moved lines; where a file was renamed, by its rule, resource
and path. One that got worse since (from unknown to fail, say) is new. What the baseline holds and nobody finds any more
is told, so that it can be recorded anew.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from trailguard.errors import ConfigError
from trailguard.findings import OPEN, VERDICTS, Finding, Notice, Suppression

SCHEMA = "trailguard-baseline/1"
DEFAULT = ".trailguard-baseline.json"


class Entry(NamedTuple):
    """A finding of the baseline."""

    fingerprint: str
    rule: str
    verdict: str
    file: str
    resource: str
    path: tuple[str | int, ...]


class Baseline(NamedTuple):
    """A baseline as read: its name in messages, the day it was recorded, what it holds."""

    name: str
    recorded: str
    entries: tuple[Entry, ...]


def write(findings: Iterable[Finding], today: str) -> str:
    """The baseline of a report's findings: those that ask for attention and that nothing else suppresses."""
    entries = [
        {
            "rule": item.rule.id,
            "verdict": item.verdict,
            "file": item.place.file,
            "resource": item.resource,
            "path": list(item.place.path),
            "fingerprint": item.fingerprint,
        }
        for item in findings
        if item.verdict in OPEN and (item.suppressed is None or item.suppressed.kind == "baseline")
    ]
    return json.dumps({"schema": SCHEMA, "recorded": today, "findings": entries}, indent=1) + "\n"


def read(path: str, name: str) -> Baseline:
    """Read a baseline; raises ConfigError."""
    try:
        with open(path, encoding="utf-8") as stream:
            data = json.load(stream)
    except OSError as error:
        message = f"cannot be read: {(error.strerror or str(error)).lower()}; `trailguard baseline` records one"
        raise ConfigError(name, 0, 0, message) from None
    except json.JSONDecodeError as error:
        raise ConfigError(name, error.lineno, error.colno, f"is no JSON: {error.msg}") from None
    except (ValueError, RecursionError):
        raise ConfigError(name, 0, 0, "is no JSON in UTF-8") from None
    if not isinstance(data, dict) or data.get("schema") != SCHEMA:
        raise ConfigError(name, 0, 0, f'is no baseline: "schema" must be "{SCHEMA}"')
    found = data.get("findings")
    if not isinstance(found, list):
        raise ConfigError(name, 0, 0, 'is no baseline: "findings" must be a list')
    entries = tuple(_entry(name, number, item) for number, item in enumerate(found))
    return Baseline(name, str(data.get("recorded", "")), entries)


def _entry(name: str, number: int, item: Any) -> Entry:
    keys = ("fingerprint", "rule", "verdict", "file", "resource")
    path = item.get("path") if isinstance(item, dict) else None
    right = isinstance(path, list) and all(isinstance(part, (str, int)) for part in path)
    if not right or not all(isinstance(item.get(key), str) for key in keys) or item["verdict"] not in OPEN:
        message = f"finding {number + 1} of the baseline is not one that `trailguard baseline` wrote"
        raise ConfigError(name, 0, 0, message)
    return Entry(item["fingerprint"], item["rule"], item["verdict"], item["file"], item["resource"], tuple(path or ()))


def apply(findings: Sequence[Finding], baseline: Baseline) -> tuple[list[Finding], list[Notice]]:
    """Suppress what the baseline holds; say how much of it is not found any more."""
    by_mark = {entry.fingerprint: entry for entry in baseline.entries}
    gone = {entry.file for entry in baseline.entries if not os.path.lexists(entry.file)}
    renamed = {(entry.rule, entry.resource, entry.path): entry for entry in baseline.entries if entry.file in gone}
    used: set[str] = set()
    told: list[Finding] = []
    for item in findings:
        if item.is_open:
            entry = by_mark.get(item.fingerprint) or renamed.get((item.rule.id, item.resource, item.place.path))
            if entry is not None:
                used.add(entry.fingerprint)
                if VERDICTS.index(item.verdict) >= VERDICTS.index(entry.verdict):
                    reason = f"known since {baseline.recorded}" if baseline.recorded else "known before"
                    told.append(item.accepted(Suppression("baseline", reason)))
                    continue
        told.append(item)
    idle = len(by_mark.keys() - used)
    if not idle:
        return told, []
    what = "1 finding of the baseline is" if idle == 1 else f"{idle} findings of the baseline are"
    return told, [Notice(baseline.name, 0, f"{what} not found any more; `trailguard baseline` records it anew")]
