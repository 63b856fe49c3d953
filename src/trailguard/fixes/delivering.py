"""What becomes of proven edits: the files as they will be, the difference as a diff, and the files written."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from trailguard import files
from trailguard.findings import FileError, Report
from trailguard.fixes.diff import unified
from trailguard.fixes.edits import Edit, applied, decoded, encoded
from trailguard.rulebook.shelf import load
from trailguard.scanning import Outcome
from trailguard.settings.settings import Settings


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


def written(before: Outcome, name: str, edits: Sequence[Edit]) -> FileError | None:
    """Write one file, if it is what was judged; else give the reason why not."""
    file = before.files[name]
    return replaced(name, file.path, file.data, edited(before, name, edits))


def replaced(name: str, path: str, old: bytes, new: bytes) -> FileError | None:
    """Put new contents into a file that holds the old ones; else give the reason why not, for the name of the file."""
    try:
        with open(path, "rb") as stream:
            if stream.read() != old:
                return FileError(name, 0, 0, "it was changed meanwhile, so it is not written")
        files.replace_bytes(path, new)
    except OSError as error:
        return FileError(name, 0, 0, f"it cannot be written: {(error.strerror or str(error)).lower()}")
    return None
