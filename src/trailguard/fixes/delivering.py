"""What becomes of proven edits: the files as they will be, the difference as a diff, and the files written."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Mapping, Sequence

from trailguard import files
from trailguard.findings import FileError, Report
from trailguard.fixes.diff import unified
from trailguard.fixes.edits import Edit, applied, decoded, encoded
from trailguard.rulebook.shelf import load
from trailguard.scanning import Outcome
from trailguard.settings.settings import Settings

_CHANGED = "it was changed meanwhile, so it is not written"


def narrowed(report: Report, settings: Settings, rules: Collection[str], resources: Collection[str]) -> Report:
    """The part of a report that is asked for: the rules of the settings, or those that are named, and some resources.

    Raises RuleError for a rule that is not known.
    """
    rulebook = load(settings)
    ids = {rule.id for rule in rulebook.selected}
    if rules:
        ids = {id_ for name in rules for id_ in rulebook.rules.ids_of(name)}
    results = (one for one in report.results if one.rule.id in ids)
    kept = tuple(one for one in results if not resources or one.resource in resources)
    return report._replace(results=kept, threshold=settings.threshold)


def edited(before: Outcome, name: str, edits: Sequence[Edit]) -> bytes:
    """What a file holds after some edits."""
    data = before.files[name].data
    return encoded(data, applied(decoded(data), edits))


def diff(before: Outcome, name: str, edits: Sequence[Edit]) -> bytes:
    """What edits change in a file, as `git apply` takes it."""
    return unified(name, before.files[name].data, edited(before, name, edits))


def written(
    before: Outcome, edits: Mapping[str, Sequence[Edit]], together: Iterable[Collection[str]]
) -> tuple[FileError, ...]:
    """Write the files that still are what was judged; give those that are not written, and why.

    `together` are the files of each plan: all of them are written or none, as far as that can be told before.
    """
    faults = {name: fault for name in edits if (fault := _changed(before, name)) is not None}
    torn = True
    while torn:
        torn = False
        for names in together:
            bad = next((name for name in sorted(names) if name in faults), None)
            for name in sorted(names) if bad is not None else ():
                if name in edits and name not in faults:
                    message = f"it is fixed together with {bad}, which cannot be written"
                    faults[name] = FileError(name, 0, 0, message)
                    torn = True
    for name, those in edits.items():
        if name not in faults:
            file = before.files[name]
            fault = replaced(name, file.path, file.data, edited(before, name, those))
            faults |= {} if fault is None else {name: fault}
    return tuple(faults[name] for name in sorted(faults))


def _changed(before: Outcome, name: str) -> FileError | None:
    """Why a file must not be written, or cannot."""
    file = before.files[name]
    fault = _other(name, file.path, file.data)
    if fault is None and not os.access(file.path, os.W_OK):
        return FileError(name, 0, 0, "it cannot be written: permission denied")
    return fault


def _other(name: str, path: str, old: bytes) -> FileError | None:
    """That a file does not hold what was judged, if so."""
    try:
        with open(path, "rb") as stream:
            return None if stream.read() == old else FileError(name, 0, 0, _CHANGED)
    except OSError as error:
        return _refused(name, error)


def _refused(name: str, error: OSError) -> FileError:
    return FileError(name, 0, 0, f"it cannot be written: {(error.strerror or str(error)).lower()}")


def replaced(name: str, path: str, old: bytes, new: bytes) -> FileError | None:
    """Put new contents into a file that holds the old ones; else give the reason why not, for the name of the file."""
    fault = _other(name, path, old)
    if fault is not None:
        return fault
    try:
        files.replace_bytes(path, new)
    except OSError as error:
        return _refused(name, error)
    return None
