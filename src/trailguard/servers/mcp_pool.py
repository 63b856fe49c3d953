"""The processes that answer: started when they are needed, kept for the next request, ended with what they are at."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from typing import Any, cast

import anyio
from anyio.abc import ByteReceiveStream, ByteSendStream, Process
from anyio.streams.buffered import BufferedByteReceiveStream

from trailguard.servers.mcp_worker import failure

SECONDS = 300.0  # that an answer may take
_AT_MOST = 4  # processes
_CHUNK = 1_000_000_000  # bytes: an answer has an end, but none that is known beforehand


class _Worker:
    """A process, and what it says."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self._requests = cast("ByteSendStream", process.stdin)  # both are pipes
        self._answers = BufferedByteReceiveStream(cast("ByteReceiveStream", process.stdout))

    @property
    def is_alive(self) -> bool:
        """Whether it can be asked."""
        return self._process.returncode is None

    async def ask(self, request: bytes) -> bytes:
        """The line that it answers; raises BrokenResourceError, EndOfStream or IncompleteRead when it has ended."""
        await self._requests.send(request + b"\n")
        return await self._answers.receive_until(b"\n", _CHUNK)

    async def end(self) -> None:
        """End it, whatever it is at."""
        with anyio.CancelScope(shield=True):
            if self.is_alive:
                self._process.kill()
            await self._process.aclose()


class Pool:
    """Asks processes that look into a folder; at most a few requests are answered at a time, the others wait."""

    def __init__(self, folder: str, seconds: float = SECONDS) -> None:
        self._folder = folder
        self._seconds = seconds
        self._limit = anyio.CapacityLimiter(max(1, min(_AT_MOST, os.cpu_count() or 1)))
        self._idle: list[_Worker] = []

    async def __aenter__(self) -> Pool:
        """Nothing is started before it is needed."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """End all processes."""
        for worker in self._idle:
            await worker.end()

    async def ask(self, kind: str, name: str, arguments: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """The answer to a request. One that takes too long, or ends its process, is answered with an error."""
        request = json.dumps({"kind": kind, "name": name, "arguments": arguments}).encode()
        async with self._limit:
            try:
                with anyio.fail_after(self._seconds):
                    answer: dict[str, Any] = json.loads(await self._asked(request))
                    return answer
            except TimeoutError:
                return failure(f"it took more than {self._seconds:g} seconds, and was given up; ask for less at a time")
            except (anyio.BrokenResourceError, anyio.ClosedResourceError, anyio.EndOfStream, anyio.IncompleteRead):
                return failure("internal error: what was to answer has ended (please report it)")

    async def _asked(self, request: bytes) -> bytes:
        worker = await self._worker()
        try:
            answer = await worker.ask(request)
        except BaseException:  # cancelled, too: nobody waits for what it is at
            await worker.end()
            raise
        self._idle.append(worker)
        return answer

    async def _worker(self) -> _Worker:
        """One that waits, else a new one.

        It is started where the package lies, as Python would look for modules where it is started: that is nowhere
        that an assistant may write.
        """
        while self._idle:
            worker = self._idle.pop()
            if worker.is_alive:
                return worker
            await worker.end()
        here = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
        command = [sys.executable, "-m", "trailguard.servers.mcp_worker", self._folder]
        process = await anyio.open_process(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=None, cwd=here
        )
        return _Worker(process)
