"""`trailguard facts --list` in its three forms."""

from __future__ import annotations

import json

from trailguard.commands.facts_text import as_json, as_markdown, as_text
from trailguard.terminal import Style
from trailguard.trails.catalog import KnownFact


def test_the_list_in_every_form() -> None:
    fact = KnownFact("a.b", ("trail", "key"), "it is | so", {"type": ["boolean", "null"]})
    anything = KnownFact("properties.NAME", (), "a property", {})
    text = as_text([anything, fact], Style(False), 80)
    assert text.startswith("trail\n  a.b  boolean or null\n    it is | so\n\nkey\n  a.b  boolean or null\n")
    assert "\n\nany resource\n  properties.NAME  anything\n    a property\n\n" in text
    assert json.loads(as_json([fact, anything])) == {
        "schema": "trailguard-fact-list/1",
        "facts": [
            {"name": "a.b", "subjects": ["trail", "key"], "description": "it is | so", "schema": fact.schema},
            {"name": "properties.NAME", "subjects": [], "description": "a property", "schema": {}},
        ],
    }
    page = as_markdown([fact, anything])
    head = "| fact | says | values |\n| --- | --- | --- |\n"
    assert f"\n## `key`\n\n{head}| `a.b` | it is \\| so | boolean or null |\n" in page
    assert page.endswith(f"\n## Any resource\n\n{head}| `properties.NAME` | a property | anything |\n")
