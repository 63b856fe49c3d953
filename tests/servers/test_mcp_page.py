"""docs/assistants.md: every set-up works as it is copied, and the exchange is what is said."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from typing import Any

import pytest

from tests import ROOT
from tests.servers.client import Assistant, assistant
from trailguard.commands.options import parse
from trailguard.servers.mcp_schemas import tools

PAGE = (ROOT / "docs" / "assistants.md").read_text(encoding="utf-8")
SET_UP, _, EXCHANGE = PAGE.partition("\n## An exchange\n")
JSON = re.compile(r"^```json\n(.*?)^```$", re.MULTILINE | re.DOTALL)
CONFIGURATIONS = [json.loads(block) for block in JSON.findall(SET_UP)]
BLOCKS = [json.loads(block) for block in JSON.findall(EXCHANGE)]


def servers() -> Iterator[list[str]]:
    """The commands of the page."""
    for configuration in CONFIGURATIONS:
        ((_, found),) = configuration.items()
        assert list(found) == ["trailguard"]
        yield [found["trailguard"]["command"], *found["trailguard"]["args"]]
    (line,) = re.findall(r"^claude mcp add trailguard -- (.*)$", SET_UP, re.MULTILINE)
    yield shlex.split(line)


def test_every_set_up_starts_it() -> None:
    roots = []
    for command, name, *options in servers():
        assert (command, name) == ("trailguard", "mcp")
        roots.append(parse("mcp", options).root)
    assert roots == [None, "/home/me/templates", "${workspaceFolder}", "${workspaceFolder}", None]


def test_the_page_names_every_tool_and_argument() -> None:
    for tool in tools().values():
        assert f"\n| `{tool.name}` | " in PAGE
        assert [name for name in tool.takes["properties"] if name != "fixes" and f"`{name}`" not in PAGE] == []


def holds(found: Any, shown: Any) -> bool:
    """Tell whether all that is shown is in what was found."""
    if isinstance(shown, dict):
        return all(holds(found[name], item) for name, item in shown.items())
    if isinstance(shown, list):
        return len(found) == len(shown) and all(map(holds, found, shown))
    return bool(found == shown)


@pytest.fixture(scope="module")
def reader() -> Iterator[Assistant]:
    with assistant(ROOT) as found:
        yield found


@pytest.mark.servers
@pytest.mark.parametrize("number", [0, 1])
def test_the_exchange_is_what_is_said(reader: Assistant, number: int) -> None:
    tool = re.findall(r"calls `(\w+)`", EXCHANGE)[number]
    arguments, shown = BLOCKS[2 * number : 2 * number + 2]
    data = reader.data(tool, **arguments)
    assert holds(data, shown), data


def test_the_exchange_is_one() -> None:
    assert len(BLOCKS) == 4
    assert len(CONFIGURATIONS) == 4
