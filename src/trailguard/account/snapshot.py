"""Takes a snapshot: asks every account and Region, then what trails name elsewhere, then writes it all down."""

from __future__ import annotations

from concurrent.futures import as_completed
from datetime import datetime, timezone
from typing import NamedTuple

from trailguard.account import aws, buckets, keys, named, roles, stacks, trails, watching
from trailguard.account.asking import Failed, Traffic
from trailguard.account.existing import GLOBAL
from trailguard.account.folder import texts
from trailguard.account.kinds import KINDS
from trailguard.account.part import Part, Reading
from trailguard.account.store import Store
from trailguard.account.survey import Survey, survey
from trailguard.account.threads import Threads
from trailguard.errors import UserError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from trailguard.account.question import Question

    Step = Callable[[int, int], None]

_READERS: dict[str, Callable[[Part], None]] = {
    "trails": trails.read,
    "stores": trails.read_stores,
    "buckets": buckets.read,
    "keys": keys.read,
    "topics": watching.read_topics,
    "logs": watching.read_logs,
    "alarms": watching.read_alarms,
    "events": watching.read_rules,
    "stacks": stacks.read,
}
_AGAIN = "what has been read is kept, and the same command goes on from there"
_NOT_ASKED = "it was not asked for (--only)"


class Outcome(NamedTuple):
    """What a snapshot came to.

    `calls` were made, `refused` of them answered with no. `troubles` are sentences about trails that do not deliver,
    `shut` the accounts that let nobody in.
    """

    accounts: int
    places: int
    resources: int
    calls: int
    refused: int
    trails: int
    troubles: tuple[str, ...]
    shut: tuple[str, ...]


def take(question: Question, folder: str, step: Step) -> Outcome:
    """Take a snapshot into a folder; `step` is told how many of how many parts are read.

    Raises UserError for what the user has to change: no boto3, no credentials, no permission, a folder that holds
    something else, AWS out of reach.
    """
    store = Store(folder)
    clients = aws.clients(question.way)
    traffic = Traffic(Threads(aws.CONNECTIONS))
    try:
        found = survey(question, clients, traffic)
        store.begin(question.asked(found.by))
        readings = _readings(question, found, store, step)
        _check_permission(found, readings)
        seen = named.complete(found.askers, readings, question.kinds, now)
    except Failed as error:
        raise UserError("", 0, 0, f"AWS gave no answer: {error}; {_AGAIN}") from None
    written, record = texts(question, found, readings, seen)
    store.write(written, record)
    return Outcome(
        accounts=len(found.askers),
        places=sum(map(len, found.regions.values())),
        resources=sum(len(reading.resources) for reading in (*readings, *seen.readings)),
        calls=traffic.calls,
        refused=len(record["refused"]),
        trails=len(record["trails"]),
        troubles=tuple(filter(None, map(trails.trouble, record["trails"]))),
        shut=tuple(account for account, told in record["accounts"].items() if not told["entered"]),
    )


def _readings(question: Question, found: Survey, store: Store, step: Step) -> list[Reading]:
    """What there is in each account and Region: kept from before, or read now. Raises Failed if any is lacking."""
    places = [(account, region) for account in found.askers for region in found.regions[account]]
    if any(KINDS[kind].is_global for kind in question.kinds):
        places += [(account, GLOBAL) for account in found.askers if found.regions[account]]
    known = {place: kept for place in places if (kept := store.load("/".join(place))) is not None}
    readings = [Reading.of(kept) for kept in known.values()]
    threads = Threads(aws.CONNECTIONS)
    futures = [threads.submit(_reading, question, found, *place) for place in places if place not in known]
    failures: list[Failed] = []
    for future in as_completed(futures):
        try:
            reading = future.result()
        except Failed as error:
            failures.append(error)
            continue
        store.keep(f"{reading.account}/{reading.region}", reading._asdict())
        readings.append(reading)
        step(len(readings), len(places))
    if failures:
        raise failures[0]
    return sorted(readings, key=lambda reading: (reading.account, reading.region))


def _reading(question: Question, found: Survey, account: str, region: str) -> Reading:
    """Read one account and Region, or what belongs to the account as a whole."""
    taken = now()
    asker = found.askers[account]
    part = Part(asker, region)
    for name, kind in KINDS.items():
        if kind.is_global != (region == GLOBAL):
            continue
        if name not in question.kinds:
            part.lacks(kind.types, _NOT_ASKED)
        elif kind.is_global:
            roles.read(part, found.regions[account][0])
        else:
            _READERS[name](part)
    return part.reading(taken)


def _check_permission(found: Survey, readings: list[Reading]) -> None:
    """Raise UserError when every call was refused."""
    refused = [refusal for reading in readings for refusal in reading.refused]
    is_answered = any(asker.was_answered for asker in found.askers.values())
    if refused and not is_answered and not any(reading.resources for reading in readings):
        first = refused[0]
        raise UserError(
            "",
            0,
            0,
            f"{found.by} may read nothing: {first['call']} was refused: {first['code']}: {first['message']}"
            " (`trailguard snapshot --iam-policy` prints the permissions)",
        )


def now() -> str:
    """The time, in UTC."""
    return datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
