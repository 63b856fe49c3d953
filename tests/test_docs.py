"""The pages that are generated: one for each rule, their list, the controls of each framework, and the facts.

    python -m tests.test_docs

writes them anew. A page that has drifted from what it is made of is refused.
"""

from __future__ import annotations

from functools import cache

import pytest

from tests import ROOT
from trailguard.commands import facts_text, rules_markdown
from trailguard.rulebook.frameworks import load_frameworks
from trailguard.rulebook.shelf import load
from trailguard.settings.settings import Settings
from trailguard.trails.catalog import known_facts

BOOK = load(Settings(profile="all"))
RULES = BOOK.selected
FRAMEWORKS = load_frameworks(Settings(), BOOK)


@cache
def pages() -> dict[str, str]:
    """What the generated files hold, by path from the project's root."""
    found = {f"docs/rules/{rule.id}.md": rules_markdown.rule_page(rule) for rule in RULES}
    found["docs/rules/README.md"] = rules_markdown.rule_index(RULES)
    found["docs/controls.md"] = rules_markdown.framework_index(tuple(FRAMEWORKS.values()), RULES)
    found["docs/facts.md"] = facts_text.as_markdown(known_facts())
    return found


def test_nothing_else_lies_there() -> None:
    there = {path.relative_to(ROOT).as_posix() for path in (ROOT / "docs" / "rules").iterdir()}
    assert there == {path for path in pages() if path.startswith("docs/rules/")}


@pytest.mark.parametrize("path", sorted(pages()))
def test_a_page_is_what_its_rule_says(path: str) -> None:
    assert (ROOT / path).read_text(encoding="utf-8") == pages()[path], "see the top of this file"


def test_a_page_says_what_explain_says() -> None:
    """Both are made from the same rule, and leave nothing of it out."""
    for rule in RULES:
        page = pages()[f"docs/rules/{rule.id}.md"]
        for text in (rule.title, rule.why, rule.remedy):
            assert rules_markdown.escaped(text) in page, rule.id
        for name, option in rule.options.items():
            assert f"| `{name}` | {rules_markdown.escaped(option.description)} |" in page, rule.id
        for heading in ("## Why", "## Remedy", "## Good", "## Bad"):
            assert page.count(f"\n{heading}\n") == 1, (rule.id, heading)


if __name__ == "__main__":
    (ROOT / "docs" / "rules").mkdir(parents=True, exist_ok=True)
    for stale in (ROOT / "docs" / "rules").iterdir():
        stale.unlink()
    for name, text in pages().items():
        (ROOT / name).write_text(text, encoding="utf-8")
