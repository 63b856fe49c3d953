"""Asks one account, one call after the other or several at once, and tells refused from not there and from failed."""

from __future__ import annotations

import threading
from typing import Any, NamedTuple

from trailguard.account import aws
from trailguard.account.kinds import ACCOUNTS, ASSUME, IDENTITY, KINDS, ORGANIZATION, REGIONS
from trailguard.errors import UserError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import TypeVar

    from trailguard.account.threads import Threads

    Item = TypeVar("Item")
    Result = TypeVar("Result")

KNOWN = frozenset(
    {*(call for kind in KINDS.values() for call in kind.calls), IDENTITY, ORGANIZATION, ACCOUNTS, REGIONS}
)
_PAGE = {"s3:ListBuckets": 1000}  # without a size, S3 hands over all at once, and no Region of any
_TOKENS = ("NextToken", "nextToken")
# Throttled until botocore gave up: the next run has to ask again.
_BUSY = (
    "Throttling",
    "ThrottlingException",
    "ThrottledException",
    "TooManyRequestsException",
    "RequestLimitExceeded",
    "SlowDown",
    "RequestThrottled",
)
# It was listed, and has been deleted since.
_GONE = (
    "NoSuchBucket",
    "NotFoundException",
    "ResourceNotFoundException",
    "TrailNotFoundException",
    "NotFound",
    "EventDataStoreNotFoundException",
    "NoSuchEntity",
)


class Refusal(NamedTuple):
    """A call that AWS answered with no."""

    account: str
    region: str
    call: str
    resource: str
    code: str
    message: str

    @property
    def reason(self) -> str:
        """Why something is not known."""
        return f"{self.call} was refused: {self.code}"


class Refused(Exception):
    """A call that AWS answered with no."""

    def __init__(self, refusal: Refusal, headers: dict[str, str]) -> None:
        super().__init__(refusal.reason)
        self.refusal = refusal
        self.headers = headers

    @property
    def reason(self) -> str:
        """Why something is not known."""
        return self.refusal.reason


class Gone(Exception):
    """What is asked about is not there, or no longer."""


class Failed(Exception):
    """A call that came to no answer, however often it was tried; asking again later may help."""


class Traffic:
    """What all accounts share: the threads that ask, how many calls may be under way, and how many there were."""

    def __init__(self, pool: Threads) -> None:
        self.pool = pool
        self.gate = threading.BoundedSemaphore(aws.CONNECTIONS)
        self.calls = 0
        self._lock = threading.Lock()

    def count(self) -> None:
        """One more call."""
        with self._lock:
            self.calls += 1


class Asker:
    """Whoever asks one account; refusals are kept with the part that asked."""

    def __init__(self, clients: aws.Clients, account: str, partition: str, traffic: Traffic) -> None:
        self.clients = clients
        self.account = account
        self.partition = partition
        self.was_answered = False
        self.traffic = traffic
        self._once: dict[str, Any] = {}
        self._lock = threading.Lock()

    def ask(self, call: str, region: str, resource: str = "", absent: Iterable[str] = (), **request: Any) -> Any:
        """The answer to a call; None when AWS says with one of the codes in `absent` that there is none.

        Raises Refused, Gone or Failed; UserError when the credentials are of no use any more.
        """
        client, method = self._prepared(call, region)
        return self._guarded(call, region, resource, absent, lambda: getattr(client, method)(**request))

    def pages(self, call: str, region: str, resource: str = "", **request: Any) -> Iterator[Any]:
        """All pages of an answer; raises as `ask` does."""
        client, method = self._prepared(call, region)
        if client.can_paginate(method):
            size = {"PageSize": _PAGE[call]} if call in _PAGE else {}
            pages = iter(client.get_paginator(method).paginate(PaginationConfig=size, **request))
            while (page := self._guarded(call, region, resource, (), lambda: next(pages, None))) is not None:
                yield page
            return
        page = self.ask(call, region, resource, **request)
        yield page
        while (token := next((name for name in _TOKENS if page.get(name)), None)) is not None:
            page = self.ask(call, region, resource, **request, **{token: page[token]})
            yield page

    def each(self, function: Callable[[Item], Iterable[Result]], items: Iterable[Item]) -> list[Result]:
        """What a function makes of each of some items, several at once, in the order of the items."""
        return [result for results in self.traffic.pool.map(function, list(items)) for result in results]

    def entering(self, role_arn: str, region: str) -> aws.Clients:
        """The clients of whoever has assumed a role; raises as `ask` does."""
        found: aws.Clients = self._guarded(
            ASSUME, region, role_arn, (), lambda: self.clients.assuming(role_arn, region)
        )
        return found

    def once(self, name: str, find: Callable[[], Result]) -> Result:
        """What is found once for a whole account; a refusal is found once, too."""
        with self._lock:
            if name not in self._once:
                try:
                    self._once[name] = find()
                except (Refused, Gone) as error:
                    self._once[name] = error
        found: Any = self._once[name]
        if isinstance(found, Exception):
            raise found
        return found  # type: ignore[no-any-return]

    def _prepared(self, call: str, region: str) -> tuple[Any, str]:
        from botocore import xform_name

        if call not in KNOWN:
            raise KeyError(call)  # it would not be in the policy that users are given
        service, _, operation = call.partition(":")
        return self.clients.get(service, region), xform_name(operation)

    def _guarded(self, call: str, region: str, resource: str, absent: Iterable[str], run: Callable[[], Any]) -> Any:
        from botocore.exceptions import BotoCoreError, ClientError
        from botocore.parsers import ResponseParserError  # a page that something on the way answers

        try:
            with self.traffic.gate:
                answer = run()
        except (ClientError, BotoCoreError, ResponseParserError) as error:
            self.traffic.count()
            stopped = aws.no_way(error)
            if stopped is not None:
                raise UserError("", 0, 0, stopped) from None
            code, status = aws.code_of(error), aws.status_of(error)
            if code in absent:
                return None
            if not code or status >= 500 or code in _BUSY:
                raise Failed(f"{call} in {self.account}, {region}: {aws.line(error)}") from None
            if code in _GONE:
                raise Gone(f"{resource or call}: {code}") from None
            refusal = Refusal(self.account, region, call, resource, code, aws.message_of(error))
            raise Refused(refusal, aws.headers_of(error)) from None
        if answer is not None:  # as behind the last page
            self.traffic.count()
            self.was_answered = True
        return answer
