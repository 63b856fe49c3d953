"""What a report says of snapshots: which of their files are judged, how old they are, and what they could not read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from trailguard.errors import did_you_mean
from trailguard.findings import Notice
from trailguard.judging.results import FileResult, Task
from trailguard.reading.collected import name_of
from trailguard.reading.deployed import Match, Stacks
from trailguard.reading.kinship import Kinship
from trailguard.reading.snapshots import Snapshot
from trailguard.settings.settings import Settings
from trailguard.trails.facts.seen import failed

_MOST_TOLD = 5  # calls that were refused, one by one


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
    names = kinship.stacks.files() if kinship.stacks is not None else ()
    found = {name: FileResult(lines=results[name].lines) for name in names if name in results}
    for one in kinship.accounts.snapshots:
        paths = {path for part in one.parts for path in part.paths}
        for file in kinship.accounts.files:
            known = results.get(file.name) if file.path in paths else None
            if known is not None:
                is_judged = one.folder in folders
                found[file.name] = known._replace(is_template=True) if is_judged else FileResult(lines=known.lines)
    return found


def matches(kinship: Kinship | None) -> list[Match]:
    """The templates that were judged as deployed stacks."""
    stacks = kinship.stacks if kinship is not None else None
    return [stacks.matches[key] for key in sorted(stacks.matches)] if stacks is not None else []


def notices(kinship: Kinship | None, task: Task) -> Iterator[Notice]:
    """What there is to notice about snapshots: their age, what they could not read, deliveries that failed."""
    settings = task.settings
    stacks = kinship.stacks if kinship is not None else None
    yield from _unmet(stacks, settings)
    if kinship is None or kinship.accounts is None or stacks is None:
        return
    for one in kinship.accounts.snapshots:
        for text in (_old(one, settings.max_age, task.today), *_refused(one), *_unread(one)):
            if text:
                yield Notice(name_of(one.folder), 0, text)
    yield from stacks.notices
    failures = kinship.accounts.failures
    for match in matches(kinship):
        for thing in kinship.accounts.made_by.get(match.deployed.name, ()):
            for kind, error in failures.get(thing.arn, {}).items():
                told = failed(f"{thing.arn} (as of {match.deployed.date})", kind, error)
                yield Notice(match.file, 0, f"as deployed as {match.deployed.name}, {told}")


def _unmet(stacks: Stacks | None, settings: Settings) -> Iterator[Notice]:
    """The stacks that contexts of the configuration name and no snapshot shows."""
    known = stacks.known if stacks is not None else {}
    for item in settings.contexts:
        if item.stack and item.stack not in known:
            file, line, _ = settings.place("contexts", item.number, "stack")
            hint = did_you_mean(item.stack, known) if known else "; give the snapshot that does with --world"
            yield Notice(file, line, f"no snapshot shows stack {item.stack}, so its parameters are not known{hint}")


def _old(one: Snapshot, most: int, today: str) -> str:
    age = one.age(today)
    if age is None or age <= most:
        return ""
    text = f"this snapshot is {age} days old, which is more than {most} (--max-age): what it shows may have changed"
    return f"{text}; take a new one with trailguard snapshot"


def _refused(one: Snapshot) -> Iterator[str]:
    """The calls that AWS refused: what they would have shown is unknown."""
    for call in one.refused[:_MOST_TOLD]:
        yield f"this snapshot could not read everything: AWS refused {call}"
    rest = len(one.refused) - _MOST_TOLD
    if rest > 0:
        yield f"this snapshot could not read everything: AWS refused {rest} more call{'' if rest == 1 else 's'}"


def _unread(one: Snapshot) -> Iterator[str]:
    """The trails of which AWS did not say how they deliver."""
    for item in one.deliveries.values():
        if item.unread:
            yield f"whether {item.arn} delivers is not known: {item.unread}"


def told_snapshots(kinship: Kinship | None) -> list[str]:
    """The snapshots for people: what each shows, and of which day it is."""
    accounts = kinship.accounts.snapshots if kinship is not None and kinship.accounts is not None else ()
    return [f"{one.name} as of {one.date} ({_shown(one)})" for one in accounts]


def _shown(one: Snapshot) -> str:
    places = list(dict.fromkeys(f"{part.account}/{part.region}" for part in one.parts))
    more = len(places) - _MOST_TOLD
    return ", ".join(places[:_MOST_TOLD]) + (f" and {more} more" if more > 0 else "") or "nothing"
