"""What a report says of snapshots: which of their files are judged, how old they are, and what they could not read."""

from __future__ import annotations

from collections.abc import Mapping

from trailguard.judging.results import FileResult
from trailguard.reading.collected import name_of
from trailguard.reading.kinship import Kinship

_MOST_TOLD = 20  # calls that were refused


def scanned(kinship: Kinship, focus: frozenset[str] | None) -> list[str]:
    """The folders of the snapshots that are to be judged; the others are only known."""
    snapshots = kinship.accounts.snapshots if kinship.accounts is not None else ()
    return [one.folder for one in snapshots if focus is None or name_of(one.folder) in focus]


def standing(
    results: Mapping[str, FileResult], kinship: Kinship, focus: frozenset[str] | None
) -> Mapping[str, FileResult]:
    """The results of the files of snapshots: nothing of those that are only known."""
    if kinship.accounts is None:
        return {}
    folders = scanned(kinship, focus)
    found: dict[str, FileResult] = {}
    for one in kinship.accounts.snapshots:
        paths = {path for part in one.parts for path in part.paths}
        for file in kinship.accounts.files:
            known = results.get(file.name) if file.path in paths else None
            if known is not None:
                is_judged = one.folder in folders
                found[file.name] = known._replace(is_template=True) if is_judged else FileResult(lines=known.lines)
    return found
