"""What the snapshots of a scan say of accounts: what exists there of what templates speak of, and what is live.

Of many thousand things a template speaks of a few: these are found by the names in their ARNs, with what they lead to.
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Container, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import TypeAlias

from trailguard.cloudformation.scenarios.values import Pieces
from trailguard.cloudformation.source.nodes import MapNode, TextNode, scalar_text
from trailguard.cloudformation.stacks.stacks import Stack
from trailguard.cloudformation.template.template import function_of
from trailguard.cloudformation.world.standing import Wanted
from trailguard.cloudformation.world.trees import Member
from trailguard.errors import display_name
from trailguard.findings import FileError
from trailguard.reading.discovery import MARK, Content, read
from trailguard.reading.existing import PartFile, Thing, member, part_files
from trailguard.reading.snapshots import ELSEWHERE, GLOBAL, WORLD, Exported, Snapshot
from trailguard.trails import observing

_WORD = re.compile(rb"[A-Za-z0-9_.+=@/#-]+")
_WHOLE = re.compile(rb"arn:[^\s\"',}\]]+")
_METRIC = re.compile(rb"MetricName: *[\"']?([^\r\n\"']+)")
_SHORT = 3  # letters of a name that is looked for among those that speak of it


class Accounts:
    """The snapshots of a scan; `errors` gets what is wrong with their files."""

    def __init__(self, snapshots: Sequence[Snapshot]) -> None:
        self.snapshots = snapshots
        self.errors: list[FileError] = [error for one in snapshots for error in one.errors]
        self._members: dict[object, Member] = {}

    @cached_property
    def files(self) -> Sequence[PartFile]:
        """The files with what exists."""
        return list(part_files((part for one in self.snapshots for part in one.parts), self.errors))

    @cached_property
    def things(self) -> Sequence[Thing]:
        """All things that exist, those that two snapshots show once."""
        found: dict[tuple[str, str, str], Thing] = {}
        for thing in (thing for file in self.files for thing in file.things):
            found.setdefault((thing.type, thing.arn or thing.id, "" if thing.arn else thing.file.path), thing)
        return list(found.values())

    @cached_property
    def _by_word(self) -> Mapping[str, Sequence[Thing]]:
        found: dict[str, list[Thing]] = {}
        for thing in self.things:
            for word in dict.fromkeys(observing.words_of(thing.arn or thing.id)):
                found.setdefault(word, []).append(thing)
        return found

    @cached_property
    def made_by(self) -> Mapping[str, Sequence[Thing]]:
        """The things that each stack made, by ACCOUNT/REGION/NAME."""
        found: dict[str, list[Thing]] = {}
        for thing in self.things:
            if thing.stack:
                found.setdefault(thing.stack, []).append(thing)
        return found

    # --- what exists of what templates speak of ----------------------------------------------------------------------

    def stands(self, wanted: Wanted) -> Sequence[Member]:
        """What exists of what some templates speak of, without what stacks of theirs made."""
        place = _place(wanted)
        exports = list(self._exported(wanted.imports, place))
        words = set(_texts(wanted))
        for item in exports:
            words.update(_words(item.value.value.encode()))
        seeds = {id(thing): thing for word in words for thing in self._called(word, place)}
        for name in dict.fromkeys(_literal(pieces) for pieces, role in wanted.names if role != "uses"):
            seeds.update((id(thing), thing) for thing in self._users(name, place))
        near = [*self._closed(seeds.values()).values(), *self._around(wanted, place)]
        gone = replaced(wanted.stacks)
        left = (thing for thing in near if not _is_gone(thing, gone))
        twins = {(*place, name) for one in wanted.members for name in trail_names(one)}
        return self._grouped((thing for thing in left if not _is_among(thing, twins)), exports, place)

    def live(
        self,
        gone: Mapping[str, frozenset[str]],
        twins: Container[tuple[str | None, str | None, str]],
        types: Iterable[str],
        folders: Iterable[str],
    ) -> list[Member]:
        """What is live in the snapshots in some folders: all trails, what else is asked for, and what they lead to.

        `gone` are stacks of which templates are judged instead, each with what stays of it all the same, `twins` are
        trails that templates make, by account, Region and name.
        """
        wanted = {*types, observing.TRAIL, observing.STORE}
        inside = {path for one in self.snapshots if one.folder in folders for part in one.parts for path in part.paths}
        left = [thing for thing in self.things if not _is_gone(thing, gone) and not _is_among(thing, twins)]
        seeds = [thing for thing in left if thing.type in wanted and thing.file.path in inside]
        near = self._closed(seeds)
        places = {_place_of(thing) for thing in seeds}
        near.update((id(one), one) for one in left if _watches(one) and _place_of(one) in places)
        return self._grouped((thing for thing in near.values() if not _is_gone(thing, gone)), (), (None, None))

    def _called(self, word: str, place: _Where) -> Iterator[Thing]:
        """The things of a name that may be meant in an account and a Region."""
        for thing in self._by_word.get(word, ()):
            if word.startswith("arn:") or thing.type in observing.GLOBAL_NAMES or _agree(place, _place_of(thing)):
                yield thing

    def _users(self, name: str, place: _Where) -> Iterator[Thing]:
        """The things that speak of something that a template makes or has a say in."""
        for thing in self._naming(name.encode(), observing.USERS):
            if thing.type == observing.TRAIL or _agree(place, _place_of(thing)):
                yield thing

    def _naming(self, name: bytes, types: Collection[str]) -> Iterator[Thing]:
        """The things of some types in whose text a name stands."""
        parts = _WORD.findall(name) if len(name) >= _SHORT else ()
        for thing in self._users_by_word.get(max(parts, key=len), ()) if parts else ():
            if thing.type in types and name in thing.data:
                yield thing

    @cached_property
    def _users_by_word(self) -> Mapping[bytes, Sequence[Thing]]:
        """What may name others and has a say in the verdicts about them, by the words in its text."""
        found: dict[bytes, list[Thing]] = {}
        for thing in self.things:
            for word in set(_WORD.findall(thing.data)) if thing.type in observing.USERS else ():
                found.setdefault(word, []).append(thing)
        return found

    def _around(self, wanted: Wanted, place: _Where) -> Iterator[Thing]:
        """What is beside the trails of templates whose account and Region are known: other trails, event rules."""
        trails = any(stack.template.of_type(observing.TRAIL) for stack in wanted.stacks)
        if trails and all(place):
            yield from (thing for thing in self._beside if _place_of(thing) == place)

    @cached_property
    def _beside(self) -> Sequence[Thing]:
        """All trails, and all event rules that may watch some."""
        return [thing for thing in self.things if thing.type == observing.TRAIL or _watches(thing)]

    def _closed(self, seeds: Iterable[Thing]) -> dict[int, Thing]:
        """Some things with all that they lead to."""
        found = {id(thing): thing for thing in seeds}
        pending = list(found.values())
        while pending:
            for thing in self._next(pending.pop()):
                if id(thing) not in found:
                    found[id(thing)] = thing
                    pending.append(thing)
        return found

    def _next(self, thing: Thing) -> Iterator[Thing]:
        place = _place_of(thing)
        types = observing.NAMES.get(thing.type, frozenset())
        for word in {*_words(thing.data), *observing.words_of(thing.arn)} if types else ():
            yield from (other for other in self._called(word, place) if other.type in types)
        kinds = observing.NAMED_BY.get(thing.type)
        if kinds is not None:
            for name in _spoken(thing):
                yield from (user for user in self._naming(name, kinds) if _agree(place, _place_of(user)))

    def texts(self, names: Container[str]) -> Iterator[tuple[str, str]]:
        """The texts of some files, by name."""
        for file in self.files:
            if file.name in names:
                yield file.name, file.data.decode("utf-8", "replace")
        for one in self.snapshots:
            for name in (WORLD, MARK):
                path = os.path.join(one.folder, name)
                content = read(path, True, ()) if display_name(path) in names else None
                if isinstance(content, Content):
                    yield display_name(path), content.data.decode("utf-8", "replace")

    # --- exports ----------------------------------------------------------------------

    def _exported(self, imports: Iterable[Pieces], place: _Where) -> Iterator[Exported]:
        """What is exported under the names that some templates import, where they are or may be."""
        names = {_literal(pieces) for pieces in imports} - {""}
        for item in (item for one in self.snapshots for item in one.exports) if names else ():
            if item.name.value in names and _agree(place, (item.account, item.region)):
                yield item

    # --- members ----------------------------------------------------------------------

    def _grouped(self, things: Iterable[Thing], exports: Iterable[Exported], place: _Where) -> list[Member]:
        """Things as members, one for each account and Region; what belongs to no Region goes with those that do."""
        by_place: dict[tuple[str, str], dict[int, Thing]] = {}
        everywhere: dict[str, dict[int, Thing]] = {}
        for thing in things:
            account, region = _place_of(thing)
            if region:
                by_place.setdefault((account, region), {})[id(thing)] = thing
            else:
                everywhere.setdefault(account, {})[id(thing)] = thing
        given: dict[tuple[str, str], list[Exported]] = {}
        for item in exports:
            given.setdefault((item.account, item.region), []).append(item)
        for key in self._dates.keys() & {place}:
            given.setdefault((key[0] or "", key[1] or ""), [])
        for account, known in everywhere.items():
            own = [key for key in {**by_place, **given} if key[0] == account]
            if place[0] == account and place[1]:
                own.append((account, place[1]))
            for key in own or [(account, "")]:
                by_place.setdefault(key, {}).update(known)
        return [self._member(key, by_place.get(key, {}), given.get(key, [])) for key in sorted({*by_place, *given})]

    def _member(self, key: tuple[str, str], things: Mapping[int, Thing], exports: Sequence[Exported]) -> Member:
        own = sorted(things.values(), key=lambda thing: (thing.file.path, thing.line))
        known = (key, tuple(map(id, own)), tuple(map(id, exports)))
        if known not in self._members:
            date = self._dates.get(key, self.snapshots[0].date)
            made = member(own, exports, key, date, self.failures, self._unread(key, date))
            seen = made.observed._replace(organization=self._organizations.get(key[0], "")) if made.observed else None
            self._members[known] = made._replace(observed=seen)
        return self._members[known]

    @cached_property
    def _organizations(self) -> Mapping[str, str]:
        """The organizations of the accounts, as far as they are known."""
        pairs = ((part.account, one.organization) for one in reversed(self.snapshots) for part in one.parts)
        return {account: organization for account, organization in pairs if organization}

    @cached_property
    def _dates(self) -> Mapping[_Where, str]:
        """The day on which each account and Region was seen."""
        parts = [part for one in reversed(self.snapshots) for part in one.parts]
        return {(part.account, part.region): part.date for part in parts}

    def _unread(self, key: tuple[str, str], date: str) -> dict[str, str]:
        """Why there may be more things of some types in an account and a Region than were seen."""
        regions = (key[1], GLOBAL)
        told = ((place, reason) for one in self.snapshots for place, reason in one.unread.items())
        return {
            kind: f"{reason} (as of {date})"
            for (account, region, kind), reason in told
            if account in (key[0], "") and region in (*regions, "")
        }

    @cached_property
    def failures(self) -> Mapping[str, Mapping[str, str]]:
        """What AWS says that went wrong when trails delivered, by their ARNs."""
        told = (item for one in self.snapshots for item in one.deliveries.values())
        return {item.arn: item.errors for item in told if item.errors}


_Where: TypeAlias = "tuple[str | None, str | None]"


def _place(wanted: Wanted) -> _Where:
    """The account and the Region of what is wanted, as far as these are known."""
    for one in wanted.members:
        if any(one.environment):
            return one.environment
    return wanted.pins.account_id, wanted.pins.region


def _place_of(thing: Thing) -> tuple[str, str]:
    part = thing.file.part
    account = "" if part.account == ELSEWHERE else part.account
    return account, "" if part.region == GLOBAL else part.region


def _agree(one: _Where, other: _Where) -> bool:
    """Tell whether two may be in the same account and Region."""
    return all(not left or not right or left == right for left, right in zip(one, other, strict=True))


def _literal(pieces: Pieces) -> str:
    """A name that is known; "" for one that is not. Of a metric's two it is the last one."""
    if len(pieces) != 1 or not isinstance(pieces[0], str):
        return ""
    return pieces[0].rpartition("\n")[2]


def _texts(wanted: Wanted) -> Iterator[str]:
    """The words by which templates may speak of what exists."""
    yield from (name for pieces, _ in wanted.names if (name := _literal(pieces)))
    texts = {text for stack in wanted.stacks for text in (stack.template.document.text, *stack.template.document.parts)}
    texts.update(value for one in wanted.members for value in one.parameters.values())
    texts.update(wanted.pins.parameters.values())
    for text in texts:
        yield from _words(text.encode("utf-8", "replace"))


def _words(data: bytes) -> Iterator[str]:
    """The words in a text that may be names, and the ARNs in it with the names in them."""
    yield from (found.decode() for found in set(_WORD.findall(data)))
    for found in set(_WHOLE.findall(data)):
        yield from observing.words_of(found.decode("utf-8", "replace").removesuffix(":*"))


def _spoken(thing: Thing) -> set[bytes]:
    """The names by which others speak of a thing: of a metric filter those of its metrics."""
    if observing.METRIC in thing.data:
        return {name.strip() for name in _METRIC.findall(thing.data)}
    names = list(observing.words_of(thing.arn))
    return {name.encode() for name in names[2:] or names[:1] if len(name) >= _SHORT}


def _watches(thing: Thing) -> bool:
    return thing.type == observing.RULE and observing.WATCHERS in thing.data


def replaced(stacks: Iterable[Stack]) -> dict[str, frozenset[str]]:
    """The stacks of which templates are judged instead, each with the logical IDs of what stays without being in one.

    Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-attribute-deletionpolicy.html
    """
    own = (stack for stack in stacks if not stack.is_borrowed)
    pairs = ((stack.deployed, stack.template.resources) for stack in own)
    return {known.name: known.kept - resources.keys() for known, resources in pairs if known is not None}


def trail_names(one: Member) -> Iterator[str]:
    """The names of the trails that a template certainly makes, as far as it says them, or its deployment does."""
    for trail in one.template.of_type(observing.TRAIL):
        properties = trail.attribute("Properties")
        node = properties.values.get("TrailName") if isinstance(properties, MapNode) else None
        called = function_of(node) if node is not None else None
        if called is not None and called[0] == "Ref" and isinstance(called[1], TextNode):
            name = one.parameters.get(called[1].value)
        else:
            name = scalar_text(node)
        if name and trail.condition is None:
            yield name


def _is_among(thing: Thing, twins: Container[tuple[str | None, str | None, str]]) -> bool:
    """Tell whether a thing is one of some trails, by account, Region and name."""
    return thing.type == observing.TRAIL and (*_place_of(thing), thing.arn.rpartition("/")[2]) in twins


def _is_gone(thing: Thing, gone: Mapping[str, frozenset[str]]) -> bool:
    """Tell whether a thing is gone, or is what a template makes, when the templates are deployed."""
    return thing.stack in gone and thing.logical_id not in gone[thing.stack]
