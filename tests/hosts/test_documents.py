"""What docs/linters.md shows is run; `python -m tests.hosts.test_documents` writes the outputs anew."""

from __future__ import annotations

import re
import shlex
import sys

import pytest

from tests import ROOT
from tests.hosts.running import FOLDER, cfn_lint, checkov_command, run
from trailguard.rulebook.rule import read_rule

pytestmark = pytest.mark.hosts

PAGE = ROOT / "docs" / "linters.md"
BLOCK = re.compile(r"(?<=^```console\n)\$ (.*)\n((?:.*\n)*?)(?=^```$)", re.MULTILINE)


def shown(command: str) -> str:
    """What a command prints, in the checkout."""
    words = shlex.split(command.replace('"$(trailguard path checkov)"', shlex.quote(str(FOLDER / "checkov_checks"))))
    if words[0] == "cfn-lint":
        return cfn_lint(ROOT, *words[1:]).out.rstrip("\n") + "\n"
    done = run([checkov_command(), *words[1:], "--skip-download"], ROOT, NO_COLOR="1")
    return re.sub(r"[ \t]+$", "", done.out.strip("\n").replace("\t", "    "), flags=re.MULTILINE) + "\n"


def renewed(text: str) -> str:
    """The page with the outputs as they are."""
    return BLOCK.sub(lambda match: f"$ {match[1]}\n{shown(match[1])}", text)


def test_the_page_shows_what_is_printed() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert len(BLOCK.findall(text)) == 2
    assert text == renewed(text)


def test_the_page_names_every_equivalent() -> None:
    text = PAGE.read_text(encoding="utf-8")
    (row,) = re.findall(r"^\| checkov's `CKV_AWS_67`.*$", text, re.MULTILINE)
    rules = (read_rule(str(path)) for path in sorted((ROOT / "rules").glob("TG*")))
    known = {rule.id: rule.equivalents for rule in rules if rule.equivalents}
    numbers = re.findall(r"`(?:CKV_AWS_)?(\d+)`", row)
    assert dict(zip(re.findall(r"TG\d+", row), ((f"CKV_AWS_{number}",) for number in numbers), strict=True)) == known


if __name__ == "__main__":
    PAGE.write_text(renewed(PAGE.read_text(encoding="utf-8")), encoding="utf-8", newline="\n")
    sys.stdout.write(f"{PAGE.name} is written anew\n")
