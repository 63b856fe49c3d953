"""`trailguard mcp`: the tools and resources over the Model Context Protocol, on standard input and output.

Source: https://modelcontextprotocol.io/specification and https://py.sdk.modelcontextprotocol.io/
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, cast

import anyio
from mcp import types
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel.server import Server
from mcp.server.stdio import stdio_server
from mcp.shared.exceptions import MCPError

from trailguard import __version__
from trailguard.reporters.common import json_safe
from trailguard.rulebook.rule import unknown
from trailguard.servers.mcp_lines import Lines
from trailguard.servers.mcp_pool import Pool
from trailguard.servers.mcp_resources import SCHEME
from trailguard.servers.mcp_root import Root
from trailguard.servers.mcp_schemas import ABOUT, Tool, tools
from trailguard.servers.mcp_worker import failure
from trailguard.servers.mcp_writing import write

Context = ServerRequestContext[Any, Any]
_JSON = "application/json"


def serve(root: Root, writes: bool) -> None:
    """Serve until standard input ends. Tools that may write do so with `writes` alone."""
    anyio.run(_serve, root, writes)


async def _serve(root: Root, writes: bool) -> None:
    lines = cast("anyio.AsyncFile[str]", Lines(0))  # the SDK does no more with it than to go through it
    async with Pool(root.folder) as pool, stdio_server(lines) as (incoming, outgoing):
        server = Assistants(root, writes, pool).server()
        await server.run(incoming, outgoing, server.create_initialization_options())


class Assistants:
    """Answers the requests of assistants. What needs a template or a rule is asked of the pool."""

    def __init__(self, root: Root, writes: bool, pool: Pool) -> None:
        self._root = root
        self._writes = writes
        self._pool = pool
        self._writing = anyio.Lock()

    def server(self) -> Server[Any]:
        """The server of the SDK that asks this."""
        return Server(
            "trailguard",
            version=__version__,
            title="trailguard",
            description="Proves that CloudFormation templates record and keep an AWS CloudTrail audit trail",
            instructions=ABOUT,
            on_list_tools=self._list_tools,
            on_call_tool=self._call_tool,
            on_list_resources=self._list_resources,
            on_list_resource_templates=self._list_templates,
            on_read_resource=self._read_resource,
        )

    async def _list_tools(self, _: Context, params: types.PaginatedRequestParams | None) -> types.ListToolsResult:
        return types.ListToolsResult(tools=[self._described(tool) for tool in tools().values()])

    def _described(self, tool: Tool) -> types.Tool:
        """A tool; `write` is offered where it is allowed."""
        properties = {name: item for name, item in tool.takes["properties"].items() if self._writes or name != "write"}
        changes = tool.writes and self._writes
        hints = types.ToolAnnotations(
            read_only_hint=not changes,
            destructive_hint=changes and tool.name == "fix",
            idempotent_hint=True,
            open_world_hint=False,
        )
        return types.Tool(
            name=tool.name,
            title=tool.title,
            description=tool.description,
            input_schema={**tool.takes, "properties": properties},
            output_schema=tool.gives,
            annotations=hints,
        )

    async def _call_tool(self, _: Context, params: types.CallToolRequestParams) -> types.CallToolResult:
        if params.name not in tools():
            raise MCPError(types.INVALID_PARAMS, unknown("tool", params.name[:50], tools()))
        answer = await self._answer(params.name, params.arguments)
        data = answer["error"] if "error" in answer else answer["data"]
        text = json_safe(json.dumps(data, ensure_ascii=False))
        content: list[types.ContentBlock] = [types.TextContent(type="text", text=text)]
        return types.CallToolResult(content=content, structured_content=data, is_error="error" in answer)

    async def _answer(self, name: str, arguments: Mapping[str, Any] | None) -> dict[str, Any]:
        """The answer of a tool, after what it writes was written: one writes at a time, and to the end."""
        if not (arguments or {}).get("write"):
            return await self._pool.ask("tool", name, arguments)
        if tools()[name].writes and not self._writes:
            return failure("this server writes nothing: it was started without --write")
        async with self._writing:
            answer = await self._pool.ask("tool", name, arguments)
            if answer.get("changes"):
                with anyio.CancelScope(shield=True):
                    changes, data = answer["changes"], answer["data"]
                    answer["data"] = await anyio.to_thread.run_sync(write, changes, data, self._root)
            return answer

    async def _list_resources(
        self, _: Context, params: types.PaginatedRequestParams | None
    ) -> types.ListResourcesResult:
        found = _data(await self._pool.ask("list", "resources"))["resources"]
        return types.ListResourcesResult(resources=[types.Resource(**item, mime_type=_JSON) for item in found])

    async def _list_templates(
        self, _: Context, params: types.PaginatedRequestParams | None
    ) -> types.ListResourceTemplatesResult:
        kinds = {
            "rules": ("{id}", "A rule, by its id or name"),
            "frameworks": ("{name}", "The controls of a framework"),
        }
        found = [
            types.ResourceTemplate(uri_template=f"{SCHEME}{kind}/{part}", name=kind, description=text, mime_type=_JSON)
            for kind, (part, text) in kinds.items()
        ]
        return types.ListResourceTemplatesResult(resource_templates=found)

    async def _read_resource(self, _: Context, params: types.ReadResourceRequestParams) -> types.ReadResourceResult:
        uri = str(params.uri)
        text = json_safe(json.dumps(_data(await self._pool.ask("resource", uri)), ensure_ascii=False))
        return types.ReadResourceResult(contents=[types.TextResourceContents(uri=uri, mime_type=_JSON, text=text)])


def _data(answer: Mapping[str, Any]) -> dict[str, Any]:
    """The data of an answer; raises MCPError when it is an error."""
    if "error" in answer:
        raise MCPError(types.INVALID_PARAMS, answer["error"]["error"]["message"])
    data: dict[str, Any] = answer["data"]
    return data
