"""The pages that are generated: one for each rule, their list, the controls of each framework, and the facts.

So are the ends of two: every option of the command line, every key of the configuration.

    python -m tests.test_docs

writes them anew. A page that has drifted from what it is made of is refused.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path, PurePosixPath

import pytest

from tests import ROOT, reference
from trailguard.commands import facts_text, rules_markdown
from trailguard.commands.options import parser_of
from trailguard.commands.overview import COMMANDS
from trailguard.errors import display_name
from trailguard.rulebook.frameworks import load_frameworks
from trailguard.rulebook.shelf import load
from trailguard.settings.settings import KEYS as SETTINGS
from trailguard.settings.settings import Settings
from trailguard.settings.settings import load as load_settings
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
    for path, tail in {"docs/command-line.md": reference.options(), "docs/configuration.md": reference.keys()}.items():
        head, mark, _ = (ROOT / path).read_text(encoding="utf-8").partition(reference.MARK)
        found[path] = f"{head}{mark}\n{tail}"
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


def test_every_option_is_on_its_page() -> None:
    page = (ROOT / "docs" / "command-line.md").read_text(encoding="utf-8")
    for command in COMMANDS:
        (section,) = re.findall(rf"^## trailguard {command}\n(.*?)(?=^## |\Z)", page, re.MULTILINE | re.DOTALL)
        help_text = parser_of(command).format_help()
        for option in set(re.findall(r"(?<![\w-])--?[a-z][a-z-]*", help_text.partition("examples:")[0])) - {
            "-h",
            "--help",
        }:
            assert re.search(rf"`{option}[` ]", section), (command, option)


def test_every_key_is_on_its_page_and_its_examples_are_accepted(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
    for folder in ("prod", "policies/trailguard"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "prod.json").write_text("{}", encoding="utf-8")
    sam = '[prod.deploy.parameters]\nparameter_overrides = "A=1"\n'
    (tmp_path / "prod" / "samconfig.toml").write_text(sam, encoding="utf-8")
    for key in SETTINGS:  # what the program reads, not what the schema says
        (section,) = re.findall(rf"^## {key}\n(.*?)(?=^## |\Z)", page, re.MULTILINE | re.DOTALL)
        examples = re.findall(r"^```yaml\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)
        assert examples, key
        for example in examples:
            path = tmp_path / "trailguard.yaml"
            path.write_text(example, encoding="utf-8")
            assert load_settings(".", str(path)) != Settings(source=display_name(str(path)), root=str(tmp_path)), key
    assert set(SETTINGS) == set(reference.SCHEMA["properties"])


def test_editors_can_check_the_configuration() -> None:
    page = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
    (line,) = re.findall(r"^# yaml-language-server: \$schema=(\S+)$", page, re.MULTILINE)
    assert (ROOT / "src" / "trailguard" / "schemas" / PurePosixPath(line).name).exists()


if __name__ == "__main__":
    (ROOT / "docs" / "rules").mkdir(parents=True, exist_ok=True)
    for stale in (ROOT / "docs" / "rules").iterdir():
        stale.unlink()
    for name, text in pages().items():
        (ROOT / name).write_text(text, encoding="utf-8")
