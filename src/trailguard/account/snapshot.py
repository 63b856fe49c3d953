"""Takes a snapshot: asks every account and Region, then what trails name elsewhere, then writes it all down."""

from __future__ import annotations

from concurrent.futures import as_completed
from contextlib import closing
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
from trailguard.account.wanted import Wanted, wanted
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
_AT_ONCE = 8  # parts: fewer than calls, so that an interruption finds most of what was asked finished
_AGAIN = "what has been read is kept, and the same command goes on from there"
_FIRST = "stacks"  # with templates: they tell what else the templates name


class Outcome(NamedTuple):
    """What a snapshot came to.

    `calls` were made, `refused` of them answered with no. `trails` are sentences about those that deliver, `troubles`
    about those that do not and about files that could not be read; `shut` are the accounts that let nobody in.
    """

    accounts: int
    places: int
    resources: int
    calls: int
    refused: int
    trails: tuple[str, ...]
    troubles: tuple[str, ...]
    shut: tuple[str, ...]


def take(question: Question, folder: str, step: Step) -> Outcome:
    """Take a snapshot into a folder; `step` is called with how many of how many parts are read.

    Raises UserError for what the user has to change: no boto3, no credentials, no permission, a folder that holds
    something else, templates that cannot be read, AWS out of reach.
    """
    with closing(Store(folder)) as store:
        named_in, faults = wanted(question.paths) if question.paths else (None, [])
        clients = aws.clients(question.way)
        with Threads(aws.CONNECTIONS) as threads:
            traffic = Traffic(threads)
            try:
                found = survey(question, clients, traffic)
                store.begin(question.asked(found.by) | {"names": named_in.digest() if named_in else ""})
                readings = _all_readings(question, found, named_in, store, step)
                _check_permission(found, readings)
                seen = named.complete(found.askers, readings, question.kinds, named_in, now)
            except Failed as error:
                raise UserError("", 0, 0, f"AWS gave no answer: {error}; {_AGAIN}") from None
        written, record = texts(question, found, readings, seen)
        store.write(written, record)
    states = [(each, trails.trouble(each)) for each in record["trails"]]
    return Outcome(
        accounts=len(found.askers),
        places=sum(map(len, found.regions.values())),
        resources=sum(len(reading.resources) for reading in (*readings, *seen.readings)),
        calls=traffic.calls,
        refused=len(record["refused"]),
        trails=tuple(f"{each['arn']} {trails.delivery(each)}" for each, told in states if told is None),
        troubles=(*faults, *(f"{each['arn']} {told}" for each, told in states if told is not None)),
        shut=tuple(account for account, told in record["accounts"].items() if not told["entered"]),
    )


def _all_readings(
    question: Question, found: Survey, named_in: Wanted | None, store: Store, step: Step
) -> list[Reading]:
    """Everything that there is, or first the stacks that were made from some templates, then what these name."""
    if named_in is None:
        return _Round(found, question.kinds, None, "").readings(store, step)
    stacks_alone = tuple(kind for kind in question.kinds if kind == _FIRST)
    first = _Round(found, stacks_alone, named_in, _FIRST).readings(store, step)
    told: set[str] = set()
    for reading in first:
        told.update(export["value"] for export in reading.exports)
        for stack in reading.stacks:
            told.update(physical for _, physical, _ in stack["resources"])
            told.update(part for value in stack["parameters"].values() for part in (value, *value.split(",")))
    others = tuple(kind for kind in question.kinds if kind != _FIRST)
    return first + _Round(found, others, named_in.also(told - {""}), "").readings(store, step)


class _Round(NamedTuple):
    """Some kinds of things, read in all accounts and Regions; `name` tells the parts of several rounds apart."""

    found: Survey
    kinds: tuple[str, ...]
    wanted: Wanted | None
    name: str

    def readings(self, store: Store, step: Step) -> list[Reading]:
        """What there is in each account and Region: kept from before, or read now. Raises Failed if any is lacking."""
        places = self._places()
        known = {place: kept for place in places if (kept := store.load(self._part(*place))) is not None}
        readings = [Reading.of(kept) for kept in known.values()]
        failures: list[Failed] = []
        with Threads(min(_AT_ONCE, len(places))) as threads:
            futures = [threads.submit(self._read, *place) for place in places if place not in known]
            for future in as_completed(futures):
                try:
                    reading = future.result()
                except Failed as error:
                    failures.append(error)
                    continue
                store.keep(self._part(reading.account, reading.region), reading._asdict())
                readings.append(reading)
                step(len(readings), len(places))
        if failures:
            raise failures[0]
        return sorted(readings, key=lambda reading: (reading.account, reading.region))

    def _places(self) -> list[tuple[str, str]]:
        """The accounts with their Regions, and with what belongs to an account as a whole."""
        regions = self.found.regions
        places = [(account, region) for account in regions for region in regions[account] if self._has(is_global=False)]
        return places + [(account, GLOBAL) for account in regions if regions[account] and self._has(is_global=True)]

    def _has(self, *, is_global: bool) -> bool:
        return any(KINDS[kind].is_global == is_global for kind in self.kinds)

    def _part(self, account: str, region: str) -> str:
        return "/".join(filter(None, (account, region, self.name)))

    def _read(self, account: str, region: str) -> Reading:
        """Read one account and Region, or what belongs to the account as a whole."""
        taken = now()
        part = Part(self.found.askers[account], region, wanted=self.wanted)
        for name in self.kinds:
            if KINDS[name].is_global != (region == GLOBAL):
                continue
            if name == "roles":
                roles.read(part, self.found.regions[account][0])
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
