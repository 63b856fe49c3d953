"""The findings of one day, so that only new ones count (see `known` for what is new).

Files are kept relative to the folder of the baseline's file, so that it does not matter where a scan is started. What
the baseline holds and nobody finds any more is reported, so that it can be recorded anew.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple, cast

from trailguard.acceptance.known import Known, covering, known
from trailguard.errors import ConfigError, display_name
from trailguard.findings import OPEN, Finding, Notice, Suppression
from trailguard.inputs import contents

SCHEMA = "trailguard-baseline/1"
DEFAULT = ".trailguard-baseline.json"


class Baseline(NamedTuple):
    """A baseline as read: its name in messages, the day it was recorded, what it holds, its files seen from here."""

    name: str
    recorded: str
    entries: tuple[Known, ...]


def write(findings: Iterable[Finding], today: str, path: str = DEFAULT) -> str:
    """The baseline of a report's findings: those that ask for attention and that nothing else suppresses.

    `path` is the file that it is written to.
    """
    folder = os.path.dirname(os.path.abspath(path))
    entries = [
        {
            "rule": item.rule.id,
            "verdict": item.verdict,
            "file": os.path.relpath(item.place.file, folder).replace(os.sep, "/"),
            "resource": item.resource,
            "path": list(item.place.path),
            "contexts": list(item.contexts),
            "witness": dict(item.witness),
        }
        for item in findings
        if item.verdict in OPEN and (item.suppressed is None or item.suppressed.kind == "baseline")
    ]
    rows = ",\n".join(f"  {json.dumps(entry, ensure_ascii=False)}" for entry in entries)
    head = f'{{\n "schema": {json.dumps(SCHEMA)},\n "recorded": {json.dumps(today)},\n "findings": ['
    return head + (f"\n{rows}\n ]\n}}\n" if rows else "]\n}\n")


def read(path: str, name: str) -> Baseline:
    """Read a baseline; raises ConfigError."""
    try:
        data = json.loads(contents(path).decode())
    except OSError as error:
        message = f"cannot be read: {(error.strerror or str(error)).lower()}; `trailguard baseline` records one"
        raise ConfigError(name, 0, 0, message) from None
    except json.JSONDecodeError as error:
        raise ConfigError(name, error.lineno, error.colno, f"is not JSON: {error.msg}") from None
    except (ValueError, RecursionError):
        raise ConfigError(name, 0, 0, "is not JSON in UTF-8") from None
    if not isinstance(data, dict) or data.get("schema") != SCHEMA:
        raise ConfigError(name, 0, 0, f'is not a baseline: "schema" must be "{SCHEMA}"')
    found = data.get("findings")
    if not isinstance(found, list):
        raise ConfigError(name, 0, 0, 'is not a baseline: "findings" must be a list')
    folder = os.path.dirname(os.path.abspath(path))
    entries = tuple(_entry(name, number, item, folder) for number, item in enumerate(found))
    return Baseline(name, str(data.get("recorded", "")), entries)


def _entry(name: str, number: int, item: Any, folder: str) -> Known:
    """Check one finding of a baseline; those of earlier releases name no deployments and no witness."""
    if not _is_entry(item):
        message = f"finding {number + 1} of the baseline is not one that `trailguard baseline` wrote"
        raise ConfigError(name, 0, 0, message)
    contexts, witness = item.get("contexts"), item.get("witness")
    return Known(
        rule=item["rule"],
        verdict=item["verdict"],
        file=display_name(os.path.join(folder, item["file"])),
        resource=item["resource"],
        path=tuple(item["path"]),
        contexts=None if contexts is None else tuple(contexts),
        witness=witness,
    )


def _is_entry(item: Any) -> bool:
    if not isinstance(item, dict) or item.get("verdict") not in OPEN:
        return False
    if not all(isinstance(item.get(key), str) for key in ("rule", "file", "resource")):
        return False
    path, contexts, witness = item.get("path"), item.get("contexts", []), item.get("witness", {})
    lists = _holds(path, (str, int)) and _holds(contexts, (str,))
    return lists and isinstance(witness, dict) and _holds(list(cast("Mapping[str, object]", witness).values()), (str,))


def _holds(value: object, kinds: tuple[type, ...]) -> bool:
    return isinstance(value, list) and all(isinstance(item, kinds) for item in value)


def apply(findings: Sequence[Finding], baseline: Baseline) -> tuple[list[Finding], list[Notice]]:
    """Suppress what the baseline holds; say how much of it is not found any more."""
    covered, idle = covering(findings, baseline.entries, lambda file: not os.path.lexists(file))
    why = Suppression("baseline", f"known since {baseline.recorded}" if baseline.recorded else "known before")
    told = [item.accepted(why) if index in covered else item for index, item in enumerate(findings)]
    if not idle:
        return told, []
    what = "1 finding of the baseline is" if len(idle) == 1 else f"{len(idle)} findings of the baseline are"
    return told, [Notice(baseline.name, 0, f"{what} not found any more; `trailguard baseline` records it anew")]


def recorded(findings: Iterable[Finding]) -> list[Known]:
    """The findings that ask for attention and that nobody accepts, as known ones."""
    return [known(item) for item in findings if item.is_open]
