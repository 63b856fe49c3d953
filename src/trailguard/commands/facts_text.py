"""The facts that rules can ask for, as people and programs read them: the list as text, JSON and Markdown."""

from __future__ import annotations

import json

from trailguard.commands.rules_markdown import escaped, table
from trailguard.reporters.common import json_safe
from trailguard.rulebook.described import fact_data
from trailguard.terminal import paragraph

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from trailguard.terminal import Style
    from trailguard.trails.catalog import KnownFact

ANY_RESOURCE = "any resource"


def _by_subject(known: Sequence[KnownFact]) -> dict[str, list[KnownFact]]:
    """The facts of each subject; those of any resource come last."""
    found: dict[str, list[KnownFact]] = {}
    for fact in sorted(known, key=lambda fact: not fact.subjects):
        for subject in fact.subjects or (ANY_RESOURCE,):
            found.setdefault(subject, []).append(fact)
    return found


def as_text(known: Sequence[KnownFact], style: Style, width: int) -> str:
    """List the facts of each subject, what each says and its values."""
    lines = []
    for subject, facts in _by_subject(known).items():
        lines.append(style.paint(subject, "bold"))
        for fact in facts:
            lines.append(f"  {fact.name}  {style.paint(values_of(fact.schema), 'dim')}")
            lines.append(paragraph(fact.description, width, "    "))
        lines.append("")
    told = "a value is null where it cannot be known; `trailguard facts TEMPLATE` shows the values of a template"
    return "\n".join([*lines, paragraph(told, width)]) + "\n"


def as_json(known: Sequence[KnownFact]) -> str:
    """Write the facts for programs: name, subjects (none: any resource), description, and the values' JSON Schema."""
    return json_safe(json.dumps(fact_data(known), ensure_ascii=False, indent=2)) + "\n"


def as_markdown(known: Sequence[KnownFact]) -> str:
    """The facts as a page: a table for each subject."""
    lines = [
        "# Facts",
        "",
        "What a rule can ask for: `require` and `when` name a fact, and `must` is a JSON Schema for its value.",
        "`trailguard facts --list` prints this list, `trailguard facts TEMPLATE` the values in a template. A value",
        "that cannot be known is null. [rules-as-data.md](rules-as-data.md) tells how a rule uses facts.",
        "",
    ]
    for subject, facts in _by_subject(known).items():
        title = subject[:1].upper() + subject[1:] if subject == ANY_RESOURCE else f"`{subject}`"
        rows = ([f"`{fact.name}`", escaped(fact.description), values_of(fact.schema)] for fact in facts)
        lines += [f"## {title}", "", table(("fact", "says", "values"), rows)]
    return "\n".join(lines).rstrip() + "\n"


def values_of(schema: Mapping[str, object]) -> str:
    """The values that a schema allows, in words."""
    types = schema.get("type", "anything")
    return " or ".join(map(str, types)) if isinstance(types, list) else str(types)
