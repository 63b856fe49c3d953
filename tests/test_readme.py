"""Whatever the documents show is run: commands give the output that stands below them, files are accepted.

`python -m tests.test_readme` writes the outputs anew. Read the diff afterwards.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import tempfile
import textwrap
from pathlib import Path

import pytest

from tests import ROOT
from trailguard.findings import Suppression
from trailguard.rulebook.shelf import load_folder
from trailguard.scanning import scan
from trailguard.settings.settings import Settings, load

DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md"))]
GUIDE = ROOT / "docs" / "your-first-rule.md"
STACKS = ROOT / "docs" / "stacks.md"
LINTERS = ROOT / "docs" / "linters.md"  # tests/hosts runs what it shows
ACCOUNTS = ROOT / "docs" / "accounts.md"  # and tests/account what this one does
README = DOCUMENTS[0].read_text(encoding="utf-8")
CONSOLE = re.compile(r"(?<=^```console\n).*?(?=^```$)", re.MULTILINE | re.DOTALL)
PROGRAM = re.compile(r"^```python\n(.*?)^```\n\n```text\n(.*?)^```$", re.MULTILINE | re.DOTALL)
WIDTH = "100"


def transcript(block: str, folder: Path = ROOT) -> str:
    """Run the commands of a block in a folder and write what they print below each."""
    written = []
    status = 0
    for line in block.splitlines():
        if not line.startswith("$ "):
            continue
        words = shlex.split(line[2:])
        if words == ["echo", "$?"]:
            output = f"{status}\n"
        else:
            assert words[0] == "trailguard", line
            status, output = _run(line[2:] if {"|", "<"}.intersection(words) else words[1:], folder)
        written.append(f"{line}\n{output}")
    return "\n".join(written)


def _run(arguments: list[str] | str, folder: Path) -> tuple[int, str]:
    """Run the program with some arguments, or a line for the shell."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("TRAILGUARD", "FORCE_COLOR"))}
    program = [sys.executable, "-m", "trailguard"]
    shell = ["bash", "-c", f'trailguard() {{ {shlex.join(program)} "$@"; }}; {arguments}']
    done = subprocess.run(
        shell if isinstance(arguments, str) else [*program, *arguments],
        cwd=folder,
        env=kept | {"COLUMNS": WIDTH, "PYTHONUTF8": "1", "NO_COLOR": "1", "PYTHONPATH": str(ROOT / "src")},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        check=False,
    )
    return done.returncode, done.stdout


def blocks(language: str, text: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("block", blocks("console", README), ids=lambda block: block.splitlines()[0])
def test_readme_shows_what_is_printed(block: str) -> None:
    assert transcript(block) == block


def printed(program: str) -> str:
    """What a Python program of the README prints."""
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env=os.environ | {"PYTHONUTF8": "1", "PYTHONPATH": str(ROOT / "src")},
        stdout=subprocess.PIPE,
        encoding="utf-8",
        check=True,
    )
    return done.stdout


def test_readme_shows_what_the_api_gives() -> None:
    ((program, output),) = PROGRAM.findall(README)
    assert printed(program) == output


def test_readme_shows_something() -> None:
    assert len(blocks("console", README)) >= 3


def test_who_else_shows_output() -> None:
    showing = {path for path in DOCUMENTS[1:] if blocks("console", path.read_text(encoding="utf-8"))}
    assert showing == {GUIDE, STACKS, LINTERS, ACCOUNTS}


@pytest.mark.parametrize(
    "block", blocks("console", STACKS.read_text(encoding="utf-8")), ids=lambda block: block.splitlines()[0]
)
def test_the_page_about_stacks_shows_what_is_printed(block: str) -> None:
    assert transcript(block) == block


def followed(guide: str, folder: Path) -> str:
    """The guide as it reads when somebody follows it: files are written, commands are run, in the order of the text."""

    def step(match: re.Match[str]) -> str:
        language, block = match[1], match[2]
        if language == "console":
            return f"```console\n{transcript(block, folder)}```"
        named = re.match(r"# (\S+\.yaml)\n", block)
        assert named is not None, "a file says where it belongs"
        path = folder / named[1]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(block, encoding="utf-8")
        return match[0]

    return re.sub(r"^```(\w+)\n(.*?)^```$", step, guide, flags=re.MULTILINE | re.DOTALL)


@pytest.mark.slow
def test_the_guide_works_as_it_says(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    guide = GUIDE.read_text(encoding="utf-8")
    assert followed(guide, tmp_path) == guide


def test_configuration_example_is_accepted(tmp_path: Path) -> None:
    (example,) = (block for block in blocks("yaml", README) if "profile:" in block)
    (tmp_path / ".trailguard.yaml").write_text(example, encoding="utf-8")
    (tmp_path / "policies" / "trailguard").mkdir(parents=True)
    settings = load(str(tmp_path), None)
    assert settings.profile == "default"
    assert settings.notes == ()


def test_suppression_example_suppresses(tmp_path: Path) -> None:
    (example,) = (block for block in blocks("yaml", README) if "ignore[" in block)
    template = tmp_path / "t.yaml"
    template.write_text("Resources:\n" + textwrap.indent(example, "  "), encoding="utf-8")
    report = scan([str(template)], Settings(select=("TG101",)))
    (finding,) = report.results
    assert finding.suppressed == Suppression("comment", "a second trail covers the other Regions")


def test_rule_example_is_accepted(tmp_path: Path) -> None:
    example, repair = blocks("yaml", (ROOT / "docs" / "rules-as-data.md").read_text(encoding="utf-8"))
    folder = tmp_path / "ACME1-trail-name"
    folder.mkdir()
    (folder / "rule.yaml").write_text(example + repair, encoding="utf-8")
    (rule,) = load_folder(str(tmp_path))
    assert rule.id == "ACME1"
    assert rule.fix["unsafe"]


def test_continuous_integration_installs_as_the_readme_says() -> None:
    (command,) = (block for block in blocks("sh", README) if "pytest" in block)
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    for part in command.strip().split(" && "):
        words = part.replace(".venv", ".venv-ci").replace("python3 -m", "").split()
        pattern = r" (--\S+ )*".join(map(re.escape, words))
        assert re.search(pattern, script), part


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(path: Path) -> None:
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", path.read_text(encoding="utf-8")):
        assert (path.parent / target).exists(), target


if __name__ == "__main__":
    for page in (DOCUMENTS[0], STACKS):
        new = CONSOLE.sub(lambda match: transcript(match[0]), page.read_text(encoding="utf-8"))
        new = PROGRAM.sub(lambda match: match[0].removesuffix(match[2] + "```") + printed(match[1]) + "```", new)
        page.write_text(new, encoding="utf-8", newline="\n")
    with tempfile.TemporaryDirectory() as scratch:
        Path(scratch, ".git").mkdir()
        GUIDE.write_text(followed(GUIDE.read_text(encoding="utf-8"), Path(scratch)), encoding="utf-8", newline="\n")
