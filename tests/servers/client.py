"""The SDK's own client, talking to a server that it starts, for tests that are not asynchronous themselves."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests import ROOT

COMMAND = [sys.executable, "-m", "trailguard", "mcp"]
_PLACES = filter(None, (str(ROOT / "src"), os.environ.get("PYTHONPATH")))  # an empty one is where it is started
ENVIRONMENT = {**os.environ, "PYTHONPATH": os.pathsep.join(_PLACES)}


class Assistant:
    """Asks a server as an assistant does."""

    def __init__(self, portal: Any, client: Any) -> None:
        self._portal = portal
        self.client = client

    def ask(self, function: Any, *arguments: Any) -> Any:
        """What an asynchronous function gives."""
        return self._portal.call(function, *arguments)

    def call(self, tool: str, **arguments: Any) -> Any:
        """The result of a tool."""
        return self.ask(self.client.call_tool, tool, arguments)

    def data(self, tool: str, **arguments: Any) -> Any:
        """The structured result of a tool, which is no error."""
        result = self.call(tool, **arguments)
        assert not result.is_error, result.content
        return result.structured_content


@contextmanager
def assistant(folder: object, *options: str, mode: str = "auto") -> Iterator[Assistant]:
    """An assistant with a server that looks into a folder; `mode` is how they agree on a protocol."""
    from anyio.from_thread import start_blocking_portal
    from mcp import Client, StdioServerParameters
    from mcp.client.stdio import stdio_client

    server = StdioServerParameters(
        command=COMMAND[0], args=[*COMMAND[1:], "--root", str(folder), *options], env=ENVIRONMENT
    )
    with start_blocking_portal() as portal:
        client = Client(stdio_client(server), mode=mode, read_timeout_seconds=60)
        with portal.wrap_async_context_manager(client) as connected:
            yield Assistant(portal, connected)
