"""One part of a snapshot: what was read in one account and Region, and what could not be read there."""

from __future__ import annotations

from typing import Any, NamedTuple

from trailguard.account.asking import Gone, Refused
from trailguard.account.existing import Existing, unread

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import TypeVar

    from trailguard.account.asking import Asker
    from trailguard.account.wanted import Wanted

    Item = TypeVar("Item")


class Setting(NamedTuple):
    """A call that reads some properties of a thing, and what becomes of its answer.

    `absent` are the codes with which AWS says that there is none, `more` what else is said with the call.
    """

    call: str
    properties: tuple[str, ...]
    shape: Callable[[Any], dict[str, Any]]
    absent: tuple[str, ...] = ()
    more: tuple[tuple[str, str], ...] = ()


class Reading(NamedTuple):
    """What was found in one account and Region at some time, plain enough for JSON."""

    account: str
    region: str
    taken: str
    resources: list[Existing]
    refused: list[dict[str, str]]
    unread: list[dict[str, str]]
    trails: list[dict[str, Any]]
    shadows: list[str]
    stacks: list[dict[str, Any]]
    exports: list[dict[str, str]]

    @classmethod
    def of(cls, data: dict[str, Any]) -> Reading:
        """A reading from the JSON that was made of it."""
        return cls(**data | {"resources": [Existing(*each) for each in data["resources"]]})


class Part:
    """Reads in one account and Region, and keeps what is found.

    `account` may be another than the one that asks. With `wanted`, only what that names is read.
    """

    def __init__(self, asker: Asker, region: str, account: str = "", wanted: Wanted | None = None) -> None:
        self.asker = asker
        self.wanted = wanted
        self.account = account or asker.account
        self.region = region
        self.resources: list[Existing] = []
        self.refused: list[dict[str, str]] = []
        self.unread: list[dict[str, str]] = []
        self.trails: list[dict[str, Any]] = []
        self.shadows: list[str] = []
        self.stacks: list[dict[str, Any]] = []
        self.exports: list[dict[str, str]] = []

    @property
    def place(self) -> tuple[str, str]:
        """The account and the Region."""
        return self.account, self.region

    def arn(self, service: str, rest: str) -> str:
        """The ARN of something here."""
        return f"arn:{self.asker.partition}:{service}:{self.region}:{self.account}:{rest}"

    def wants(self, *ids: str) -> bool:
        """Tell whether something is to be read, by its names and ARNs."""
        return self.wanted is None or self.wanted.names(*ids)

    def ask(self, call: str, resource: str = "", absent: Iterable[str] = (), **request: Any) -> Any:
        """The answer to a call in this Region; raises as `Asker.ask` does."""
        return self.asker.ask(call, self.region, resource, absent, **request)

    def items(self, call: str, key: str, resource: str = "", **request: Any) -> Iterator[Any]:
        """The items at a key in all pages of an answer; raises as `Asker.ask` does."""
        for page in self.asker.pages(call, self.region, resource, **request):
            yield from page.get(key) or ()

    def settings(self, settings: Iterable[Setting], resource: str, **request: Any) -> dict[str, Any]:
        """Properties of a thing; those that were refused say so. Raises Gone when it is not there any more."""
        found: dict[str, Any] = {}
        for setting in settings:
            try:
                answer = self.ask(setting.call, resource, setting.absent, **request, **dict(setting.more))
            except Refused as error:
                self.note(error)
                found |= dict.fromkeys(setting.properties, unread(error.reason))
                continue
            if answer is not None:
                found |= setting.shape(answer)
        return found

    def note(self, error: Refused) -> None:
        """Keep a refusal."""
        if error.refusal._asdict() not in self.refused:
            self.refused.append(error.refusal._asdict())

    def lacks(self, types: Iterable[str], reason: str) -> None:
        """Keep that some types of resources were not read here."""
        self.unread += (
            {"account": self.account, "region": self.region, "type": each, "reason": reason} for each in types
        )

    def each(self, read: Callable[[Item], list[Existing]], items: Iterable[Item]) -> list[Existing]:
        """What is read of each of some items, several at once; those that went away in the meantime are left out."""

        def found(item: Item) -> list[Existing]:
            try:
                return read(item)
            except Gone:
                return []

        return self.asker.each(found, items)

    def reading(self, taken: str) -> Reading:
        """What was found, as it is kept."""
        found = {name: getattr(self, name) for name in Reading._fields if name != "taken"}
        return Reading(taken=taken, **found)

    def listed(self, types: tuple[str, ...], read: Callable[[], Iterable[Existing]]) -> None:
        """Take what a reader finds; when its list is refused, keep that and go on."""
        try:
            self.resources += read()
        except Refused as error:
            self.note(error)
            self.lacks(types, error.reason)
        except Gone:
            pass  # all of it went away in the meantime
