"""Patterns of file names, held against git itself."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pathspec import GitIgnoreSpec

from trailguard.judging.deployments import is_in
from trailguard.settings.globs import Globs, cleaned, fault, moved, seen_from, suffixes
from trailguard.settings.settings import Context

PATTERNS = [
    "a", "a/", "/a", "a/b", "a/b/", "/a/b", "a/*", "a/**", "**/a", "**/a/b", "a/**/b", "*.yaml", "*.a", "a/*.yaml", "?",
    "[ab]", "*", "**", "a*", "a b", "/*.yaml", "**/a/**", "x.yaml", "b/**/*.yaml", "\\a", "a.b", "*.b/",
]  # fmt: skip
NAMES = ("a", "b", "ab", "a.b", "x.yaml", "a b", ".a")
PATHS = st.lists(st.sampled_from(NAMES), min_size=1, max_size=4).map("/".join)
PARTS = st.lists(st.sampled_from(("a", "b", "*", "**", "a*", "*.b", "*.yaml", "a.b", "?")), min_size=1, max_size=3)
LINES = st.tuples(st.sampled_from(("", "", "/", "!")), PARTS.map("/".join), st.sampled_from(("", "/", "/**"))).map(
    "".join
)


def all_paths() -> list[str]:
    found = list(NAMES)
    for _ in range(2):
        found += [f"{path}/{name}" for path in found for name in NAMES[:5] if path.count("/") < 3]
    return sorted(set(found))


@pytest.mark.parametrize("pattern", PATTERNS)
def test_a_pattern_means_what_it_means_to_git(pattern: str, tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    (tmp_path / ".gitignore").write_text(f"{pattern}\n")
    paths = all_paths()
    command = ["git", "check-ignore", "--no-index", "--stdin", "-z"]
    asked = "\0".join(paths).encode()
    said = subprocess.run(command, cwd=tmp_path, input=asked, capture_output=True, check=False).stdout.decode()
    assert [path for path in paths if Globs([pattern]).fits_below(path)] == sorted(filter(None, said.split("\0")))


@settings(deadline=None)
@given(st.lists(LINES, min_size=1, max_size=3), PATHS)
def test_what_is_compared_without_the_library_says_the_same(lines: list[str], path: str) -> None:
    assert Globs(lines).fits_below(path) is bool(GitIgnoreSpec.from_lines(lines).match_file(path))


@pytest.mark.parametrize(
    ("pattern", "path", "fits"),
    [
        ("infra/*.yaml", "infra/top.yaml", True),
        ("infra/*.yaml", "infra/sub/deep.yaml", False),
        ("infra/**/*.yaml", "infra/top.yaml", True),
        ("infra/**/*.yaml", "infra/sub/deep.yaml", True),
        ("infra", "infra/sub/deep.yaml", True),
        ("./infra", "infra/top.yaml", True),
        ("./infra", "sub/infra/top.yaml", False),
        ("infra", "sub/infra/top.yaml", True),
        (".", "infra/top.yaml", True),
    ],
)
def test_a_context_names_files_as_everything_else_does(pattern: str, path: str, fits: bool) -> None:
    assert is_in(path, Context("c", (pattern,)), "") is fits
    assert Globs([pattern]).fits(path) is fits


def test_patterns_of_the_command_line_are_seen_from_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = tmp_path / "in [1]" / "deep"
    here.mkdir(parents=True)
    monkeypatch.chdir(here)
    base = str(tmp_path)
    assert [moved(pattern, base) for pattern in ("*.yaml", "a/", "!b")] == ["*.yaml", "a/", "!b"]
    for pattern, path in (("a/b", "a/b"), ("./a", "a"), ("!a/b", "a/b"), (f"{here}/a", "a"), ("../a", "../a")):
        patterns = ["**", moved(pattern, base)] if pattern.startswith("!") else [moved(pattern, base)]
        assert Globs(patterns, base).fits(path) is not pattern.startswith("!"), pattern
        assert not Globs([moved(pattern, base)], base).fits(f"x/{path}")
    assert Globs([moved("a/b", str(tmp_path / "other"))], str(tmp_path / "other")).fits("a/b")
    assert moved("a/b", "") == "a/b"


def test_a_pattern_may_be_the_whole_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert cleaned(f"{tmp_path}/a/*.yaml", "") == "/a/*.yaml"
    assert Globs([f"{tmp_path}/a"]).fits("a/b")
    assert Globs(["a"]).fits(str(tmp_path / "a" / "b"))
    assert seen_from(str(tmp_path / "a"), str(tmp_path / "b")) == "../a"


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("", "fits nothing"),
        ("!", "fits nothing"),
        ("#a", "fits nothing"),
        ("a\\", "ends in a backslash"),
        ("a\\\\", None),
        ("a", None),
        ("!a", None),
    ],
)
def test_what_is_no_pattern(pattern: str, message: str | None) -> None:
    said = fault(pattern)
    assert said is message if said is None or message is None else said.startswith(message)


def test_endings_are_enough_unless_something_is_taken_back() -> None:
    assert suffixes(["*.yaml", "*.a.b", "a", "*.y?"]) == (".yaml", ".a.b")
    assert suffixes(["*.yaml", "!x.yaml"]) == ()
    assert os.sep not in suffixes(["*.a/b"])
