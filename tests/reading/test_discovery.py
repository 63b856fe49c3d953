from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pathspec import GitIgnoreSpec

from trailguard.reading import ignored
from trailguard.reading.discovery import TEMPLATE, Candidate, Content, Unreadable, discover, may_hold, read

if TYPE_CHECKING:
    from collections.abc import Sequence

NAMES = ("a", "b", "ab", "a.b", "c", "a ", "#a")
PARTS = ("a", "b", "ab", "*", "**", "a*", "*b", "?", "[ab]", "\\a", "[!a]b", "a.b", "*.b", "a ")
LINES = st.tuples(
    st.sampled_from(("", "", "!", "/", "!/", " ")),
    st.lists(st.sampled_from(PARTS), min_size=1, max_size=3).map("/".join),
    st.sampled_from(("", "/", " ")),
).map(lambda parts: "".join(parts).rstrip("\\") or "a")
MARKERS = (b"AWS::CloudTrail::",)


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder that is the working directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def make(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("{}\n")


def found(*paths: str, include: Sequence[str] = (), exclude: Sequence[str] = (), base: str = "") -> list[str]:
    """What is discovered; what cannot be read is marked."""
    given = discover(paths or ["."], include, exclude, base)
    return [f"{item.path}: {item.message}" if isinstance(item, Unreadable) else item.path for item in given]


class TestPatterns:
    def test_the_usual_names_in_all_folders(self, tree: Path) -> None:
        make(
            tree, "a.yaml", "b.yml", "c.json", "d.template", "e.cfn", "f.txt", "yaml", "g.yaml.bak", "in/deep/er/h.yaml"
        )
        assert found() == ["a.yaml", "b.yml", "c.json", "d.template", "e.cfn", "in/deep/er/h.yaml"]

    @pytest.mark.parametrize(
        ("include", "expected"),
        [
            (["*.txt"], ["a.txt"]),
            (["*.txt", "*.cfn"], ["a.txt", "b.cfn"]),
            (["stack-?.yaml"], ["in/stack-1.yaml"]),
            (["in/*.yaml"], ["in/stack-1.yaml", "in/stack-10.yaml"]),
            (["./in/*.yaml"], ["in/stack-1.yaml", "in/stack-10.yaml"]),
            (["in"], ["in/other.md", "in/stack-1.yaml", "in/stack-10.yaml"]),
            (["**/stack-10.yaml"], ["in/stack-10.yaml"]),
            (["**/a.txt"], ["a.txt"]),
            (["Makefile"], ["Makefile"]),
            (["*.TXT"], []),
        ],
    )
    def test_include_replaces_the_usual_names(self, tree: Path, include: list[str], expected: list[str]) -> None:
        make(tree, "a.txt", "b.cfn", "Makefile", "in/stack-1.yaml", "in/stack-10.yaml", "in/other.md")
        assert found(include=include) == expected

    @pytest.mark.parametrize(
        ("exclude", "expected"),
        [
            (["a.yaml"], ["b/c.yaml", "b/old/d.yaml"]),
            (["old"], ["a.yaml", "b/a.yaml", "b/c.yaml"]),
            (["old/"], ["a.yaml", "b/a.yaml", "b/c.yaml"]),
            (["b/old"], ["a.yaml", "b/a.yaml", "b/c.yaml"]),
            (["b/*"], ["a.yaml"]),
            (["b/**"], ["a.yaml"]),
            (["./b/"], ["a.yaml"]),
            (["**/b"], ["a.yaml"]),
            (["**/old/**"], ["a.yaml", "b/a.yaml", "b/c.yaml"]),
            (["[ab].yaml", "c.*"], ["b/old/d.yaml"]),
            (["*.json"], ["a.yaml", "b/a.yaml", "b/c.yaml", "b/old/d.yaml"]),
        ],
    )
    def test_exclude_leaves_out_files_and_folders(self, tree: Path, exclude: list[str], expected: list[str]) -> None:
        make(tree, "a.yaml", "b/a.yaml", "b/c.yaml", "b/old/d.yaml")
        assert found(exclude=exclude) == expected

    @pytest.mark.parametrize("root", ["top", "top/", "./top", "ABSOLUTE"])
    @pytest.mark.parametrize("pattern", ["top/in/old", "old", "**/old", "top/**/old/*.yaml", "/top/in/old/", "o?d"])
    def test_patterns_are_seen_from_the_working_directory(self, tree: Path, root: str, pattern: str) -> None:
        make(tree, "top/in/a.yaml", "top/in/old/b.yaml")
        given = found(str(tree / "top") if root == "ABSOLUTE" else root, exclude=[pattern])
        assert [os.path.basename(path) for path in given] == ["a.yaml"]

    @pytest.mark.parametrize("pattern", ["in/old", "/old", "top/*.yaml", "top/*/b", "TOP"])
    def test_a_star_stops_at_a_slash_and_a_path_begins_where_patterns_are_seen_from(
        self, tree: Path, pattern: str
    ) -> None:
        make(tree, "top/in/old/b.yaml")
        assert found("top", exclude=[pattern]) == ["top/in/old/b.yaml"]

    def test_a_later_pattern_takes_back(self, tree: Path) -> None:
        make(tree, "a.yaml", "b.yaml", "in/b.yaml")
        assert found(exclude=["*.yaml", "!b.yaml"]) == ["b.yaml", "in/b.yaml"]
        assert found(include=["*.yaml", "!b.yaml"]) == ["a.yaml"]

    def test_patterns_are_relative_to_the_folder_of_the_configuration(
        self, tree: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        make(tree, "top/in/a.yaml", "top/in/old/b.yaml")
        monkeypatch.chdir(tree / "top" / "in")
        assert found(exclude=["top/in/old"], base=str(tree)) == ["a.yaml"]
        assert found(include=["top/in/*"], base=str(tree)) == ["a.yaml", "old/b.yaml"]

    def test_a_named_file_is_given_whatever_patterns_say(self, tree: Path) -> None:
        make(tree, "notes.txt", ".hidden.yaml", "node_modules/x.yaml")
        names = ["notes.txt", ".hidden.yaml", "node_modules/x.yaml"]
        assert list(discover(names, (), ["*"])) == [Candidate(name, True) for name in names]

    def test_a_named_hidden_folder_is_walked(self, tree: Path) -> None:
        make(tree, ".aws-sam/build/template.yaml", "node_modules/x/y.yaml")
        assert found(".aws-sam", "node_modules") == [".aws-sam/build/template.yaml", "node_modules/x/y.yaml"]


class TestOrder:
    def test_sorted_by_name_within_each_folder_files_first(self, tree: Path) -> None:
        make(tree, "b/z.yaml", "b/a.yaml", "B.yaml", "a.yaml", "a/x.yaml", "é.yaml", "c.yaml")
        assert found() == ["B.yaml", "a.yaml", "c.yaml", "é.yaml", "a/x.yaml", "b/a.yaml", "b/z.yaml"]
        assert found() == found()

    def test_each_file_is_given_once(self, tree: Path) -> None:
        make(tree, "in/a.yaml", "in/b.yaml")
        once = ["in/a.yaml", "in/b.yaml"]
        assert found("in", "in") == once
        assert found("in", "./in", "in/") == once
        assert found("in/../in", "in") == ["in/../in/a.yaml", "in/../in/b.yaml"]
        assert [os.path.basename(path) for path in found(".", str(tree))] == ["a.yaml", "b.yaml"]

    def test_a_file_named_beside_its_folder_counts_as_named(self, tree: Path) -> None:
        make(tree, "in/a.yaml", "in/b.yaml")
        for paths in (["in", "in/a.yaml"], ["in/a.yaml", "in"], [str(tree / "in" / "a.yaml"), "in"]):
            given = [(os.path.basename(item.path), item) for item in discover(paths)]
            assert [(name, isinstance(item, Candidate) and item.explicit) for name, item in given] == [
                ("a.yaml", True),
                ("b.yaml", False),
            ]

    def test_what_does_not_exist_is_said(self, tree: Path) -> None:
        make(tree, "a.yaml")
        assert found("nowhere", ".", "gone.yaml") == [
            "nowhere: cannot be read: no such file or directory",
            "gone.yaml: cannot be read: no such file or directory",
            "a.yaml",
        ]


class TestSkipped:
    def test_hidden_and_installed_folders_and_hidden_files(self, tree: Path) -> None:
        make(tree, ".hidden.yaml", ".git/a.yaml", ".venv/b.yaml", "venv/c.yaml", "node_modules/d/e.json", "x/.y/f.yaml")
        make(tree, "x/node_modules/g.json", "lib/site-packages/h.yaml", "__pycache__/i.json", "seen.yaml")
        assert found() == ["seen.yaml"]

    def test_a_file_may_have_the_name_of_such_a_folder(self, tree: Path) -> None:
        make(tree, "venv", "node_modules")
        assert found(include=["venv", "node_modules"]) == ["node_modules", "venv"]

    def test_a_folder_with_the_name_of_a_template(self, tree: Path) -> None:
        make(tree, "a.yaml/b.yaml")
        assert found() == ["a.yaml/b.yaml"]

    def test_an_empty_folder(self, tree: Path) -> None:
        assert found() == []


class TestGitIgnore:
    @pytest.fixture
    def repository(self, tree: Path) -> Path:
        (tree / ".git").mkdir()
        return tree

    def test_only_inside_a_repository(self, tree: Path) -> None:
        make(tree, "a.yaml", "b.yaml")
        (tree / ".gitignore").write_text("a.yaml\n")
        assert found() == ["a.yaml", "b.yaml"]
        (tree / ".git").write_text("gitdir: elsewhere\n")  # as in a worktree
        assert found() == ["b.yaml"]

    def test_folders_anchors_negation(self, repository: Path) -> None:
        make(
            repository,
            "build/a.yaml",
            "in/build/b.yaml",
            "dist/c.yaml",
            "in/dist/d.yaml",
            "gen/e.yaml",
            "gen/keep.yaml",
        )
        (repository / ".gitignore").write_text("# made\nbuild/\n/dist\n\ngen/*\n!gen/keep.yaml\n")
        assert found() == ["gen/keep.yaml", "in/dist/d.yaml"]

    def test_an_ignored_folder_hides_even_what_is_wanted_back(self, repository: Path) -> None:
        make(repository, "gen/keep.yaml")
        (repository / ".gitignore").write_text("gen/\n!gen/keep.yaml\n")
        assert found() == []

    def test_the_innermost_file_decides(self, repository: Path) -> None:
        make(repository, "a.yaml", "in/a.yaml", "in/b.yaml", "in/deep/a.yaml", "in/deep/b.yaml", "other/b.yaml")
        (repository / ".gitignore").write_text("a.yaml\n")
        (repository / "in" / ".gitignore").write_text("!a.yaml\nb.yaml\n")
        (repository / "in" / "deep" / ".gitignore").write_text("/a.yaml\n")
        assert found() == ["in/a.yaml", "other/b.yaml"]

    def test_files_above_the_scanned_folder_count(self, repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        make(repository, "in/deep/a.yaml", "in/deep/b.yaml", "in/deep/c.yaml")
        (repository / ".gitignore").write_text("in/deep/a.yaml\n")
        (repository / "in" / ".gitignore").write_text("/deep/b.yaml\n")
        assert found("in/deep") == ["in/deep/c.yaml"]
        monkeypatch.chdir(repository / "in" / "deep")
        assert found() == ["c.yaml"]

    def test_files_above_the_repository_do_not_count(self, tree: Path) -> None:
        make(tree, "repo/a.yaml")
        (tree / ".gitignore").write_text("*.yaml\n")
        (tree / "repo" / ".git").mkdir()
        assert found("repo") == ["repo/a.yaml"]

    @pytest.mark.parametrize("pattern", ["cdk.out", "cdk.out/", "*.out", "/cdk.out/"])
    def test_an_ignored_folder_that_is_named_is_read(self, repository: Path, pattern: str) -> None:
        make(repository, "cdk.out/a.template.json", "cdk.out/in/b.yaml", "cdk.out/in/c.yaml")
        (repository / ".gitignore").write_text(f"{pattern}\n")
        (repository / "cdk.out" / "in" / ".gitignore").write_text("c.yaml\n")
        assert found("cdk.out") == ["cdk.out/a.template.json", "cdk.out/in/b.yaml"]
        assert found("cdk.out/in") == ["cdk.out/in/b.yaml"]
        assert found() == []

    def test_an_ignored_file_that_is_named_is_read(self, repository: Path) -> None:
        make(repository, "a.yaml")
        (repository / ".gitignore").write_text("*.yaml\n")
        assert found("a.yaml") == ["a.yaml"]

    def test_lines_that_are_no_pattern_do_no_harm(self, repository: Path) -> None:
        make(repository, "a.yaml", "b.yaml")
        (repository / ".gitignore").write_bytes(b"\xef\xbb\xbfb.yaml\n!\n\\\n\xff\xfe\n[\n***\\\n")
        assert found() == ["a.yaml"]

    def test_only_lines_that_may_fit_are_made_patterns(self, repository: Path) -> None:
        make(repository, "a.yaml", "b.yaml", "in/c.yaml", "in/kept.yaml", "made/d.yaml")
        lines = [f"build/f{number}.yaml\nx{number}*\n*{number}.o" for number in range(2000)]
        (repository / ".gitignore").write_text("\n".join((*lines, "in/*", "!in/k*.yaml", "b.?aml", "made/")))
        assert found() == ["a.yaml", "in/kept.yaml"]

    @settings(deadline=None)
    @given(st.lists(LINES, min_size=1, max_size=4), st.lists(st.sampled_from(NAMES), min_size=1, max_size=3))
    def test_says_what_all_patterns_together_say(self, lines: list[str], names: list[str]) -> None:
        path = "/".join(names)
        assert ignored.Rules(lines).verdict(path) is GitIgnoreSpec.from_lines(lines).check_file(path).include

    def test_a_git_ignore_that_cannot_be_read_ignores_nothing(
        self, repository: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        make(repository, "a.yaml", "in/b.yaml")
        (repository / ".gitignore").write_text("*\n")
        (repository / "in" / ".gitignore").mkdir()

        def refuse(*args: object, **more: object) -> object:
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr(ignored, "open", refuse, raising=False)
        assert found() == ["a.yaml", "in/b.yaml"]

    def test_ignored_links_are_not_followed(self, repository: Path) -> None:
        (repository / "a.yaml").symlink_to("nowhere")
        (repository / ".gitignore").write_text("a.yaml\n")
        assert found() == []


class TestLinks:
    def test_loops_of_folders(self, tree: Path) -> None:
        make(tree, "in/a.yaml")
        (tree / "in" / "up").symlink_to(tree, target_is_directory=True)
        (tree / "in" / "self.yaml").symlink_to(tree / "in", target_is_directory=True)
        assert found() == ["in/a.yaml"]

    def test_a_link_to_itself_and_a_broken_one_are_said(self, tree: Path) -> None:
        make(tree, "a.yaml")
        (tree / "b.yaml").symlink_to("b.yaml")
        (tree / "c.yaml").symlink_to("nowhere.yaml")
        (tree / "d.txt").symlink_to("nowhere.txt")
        assert found() == [
            "a.yaml",
            "b.yaml: cannot be read: too many levels of symbolic links",
            "c.yaml: cannot be read: no such file or directory",
        ]
        assert found(exclude=["b.*", "c.yaml"]) == ["a.yaml"]

    def test_out_of_the_root(self, tree: Path) -> None:
        make(tree, "root/a.yaml", "outside/b.yaml", "root-too/c.yaml")
        (tree / "root" / "b.yaml").symlink_to(tree / "outside" / "b.yaml")
        (tree / "root" / "c.yaml").symlink_to("../root-too/c.yaml")
        (tree / "root" / "folder").symlink_to(tree / "outside", target_is_directory=True)
        (tree / "root" / "folder.yaml").symlink_to(tree / "outside", target_is_directory=True)
        assert found("root") == ["root/a.yaml"]

    @pytest.mark.parametrize("root", [".", "./", "ABSOLUTE", "../HERE"])
    def test_to_a_file_inside_is_followed_unless_the_file_is_read_anyway(self, tree: Path, root: str) -> None:
        make(tree, "in/a.yaml", "in/plain.txt")
        (tree / "same.yaml").symlink_to("in/a.yaml")
        (tree / "text.yaml").symlink_to("in/plain.txt")
        (tree / "again.yaml").symlink_to("text.yaml")
        top = {"ABSOLUTE": str(tree), "../HERE": f"../{tree.name}"}.get(root, root)
        assert [os.path.basename(path) for path in found(top)] == ["a.yaml", "again.yaml"]

    def test_a_named_link_is_followed_anywhere(self, tree: Path) -> None:
        make(tree, "outside/b.yaml", "root/a.yaml")
        (tree / "root" / "b.yaml").symlink_to(tree / "outside" / "b.yaml")
        (tree / "folder").symlink_to(tree / "outside", target_is_directory=True)
        assert found("root/b.yaml", "folder") == ["root/b.yaml", "folder/b.yaml"]

    def test_the_root_may_be_a_link(self, tree: Path) -> None:
        make(tree, "real/a.yaml", "real/plain.txt")
        (tree / "real" / "link.yaml").symlink_to("plain.txt")
        (tree / "root").symlink_to("real", target_is_directory=True)
        assert found("root") == ["root/a.yaml", "root/link.yaml"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no pipes with names")
class TestPipes:
    def test_a_pipe_in_a_folder_is_not_opened(self, tree: Path) -> None:
        make(tree, "a.yaml")
        os.mkfifo(tree / "b.yaml")
        (tree / "c.yaml").symlink_to("b.yaml")
        assert found() == ["a.yaml"]

    def test_a_named_pipe_never_blocks(self, tree: Path) -> None:
        os.mkfifo(tree / "pipe.yaml")
        answers: list[object] = []
        reader = threading.Thread(target=lambda: answers.append(read("pipe.yaml", True, MARKERS)), daemon=True)
        reader.start()
        reader.join(5)
        assert answers == [Unreadable("pipe.yaml", "is not a regular file")]


class TestRead:
    def test_what_names_no_marker_is_none_unless_named(self, tree: Path) -> None:
        make(tree, "a.yaml")
        assert read("a.yaml", False, MARKERS) is None
        assert read("a.yaml", True, MARKERS) == Content(b"{}\n", True)

    def test_what_names_the_marker_is_read(self, tree: Path) -> None:
        (tree / "a.yaml").write_bytes(b"Type: AWS::CloudTrail::Trail")
        assert read("a.yaml", False, MARKERS) == Content(b"Type: AWS::CloudTrail::Trail", True)

    def test_what_refers_to_other_templates_is_read_apart(self, tree: Path) -> None:
        (tree / "a.yaml").write_bytes(b"Resources: {A: {Type: AWS::CloudFormation::Stack}}")
        links = (b"AWS::CloudFormation::Stack",)
        assert read("a.yaml", False, MARKERS, links) == Content((tree / "a.yaml").read_bytes(), False)
        assert read("a.yaml", False, MARKERS) == TEMPLATE

    def test_what_has_gone_is_said(self, tree: Path) -> None:
        assert read("a.yaml", False, MARKERS) == Unreadable("a.yaml", "cannot be read: no such file or directory")

    def test_without_permission(self, tree: Path) -> None:
        make(tree, "a.yaml", "closed/b.yaml")
        (tree / "a.yaml").chmod(0)
        (tree / "closed").chmod(0)
        try:
            if os.access("a.yaml", os.R_OK):
                pytest.skip("whoever runs this may read everything")
            denied = "cannot be read: permission denied"
            assert read("a.yaml", False, MARKERS) == Unreadable("a.yaml", denied)
            assert found() == ["a.yaml", f"closed: {denied}"]
        finally:
            (tree / "closed").chmod(0o700)

    def test_a_folder_that_cannot_be_listed_is_said(self, tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        make(tree, "a.yaml", "closed/b.yaml", "open/c.yaml")
        scandir = os.scandir

        def refuse(path: str) -> object:
            if os.path.basename(path) == "closed":
                raise PermissionError(13, "Permission denied")
            return scandir(path)

        monkeypatch.setattr(os, "scandir", refuse)
        assert found() == ["a.yaml", "closed: cannot be read: permission denied", "open/c.yaml"]

    @pytest.mark.parametrize("at", [0, 5 * 1024 * 1024 - 8, 9 * 1024 * 1024])
    def test_a_template_too_large_for_anybody_is_refused(self, tree: Path, at: int) -> None:
        with open("large.yaml", "wb") as stream:
            stream.truncate(10 * 1024 * 1024)
            stream.seek(at)
            stream.write(b"Type: AWS::CloudTrail::Trail")
        large = Unreadable("large.yaml", "is 10 MB large; CloudFormation takes templates of up to 1 MB")
        assert read("large.yaml", False, MARKERS) == large
        assert read("large.yaml", True, MARKERS) == large

    def test_other_large_files_are_passed_over_unless_named(self, tree: Path) -> None:
        with open("large.json", "wb") as stream:
            stream.truncate(10 * 1024 * 1024)
        assert read("large.json", False, MARKERS) is None
        assert isinstance(read("large.json", True, MARKERS), Unreadable)


class TestMayHold:
    @pytest.mark.parametrize(
        "data",
        [
            b"Type: AWS::CloudTrail::Trail",
            b'{"Type": "AWS::\\u0043loudTrail::Trail"}',
            b'{"Type": "AWS\\u003a\\u003AcloudTrail"}',
            b'Type: "AWS::\\x43loudTrail::Trail"',
            b'Type: "AWS::\\U00000043loudTrail::Trail"',
            b'Type: "AWS::Cloud\\\n    Trail::Trail"',
            b'Type: "AWS::Cloud\\\r\n\tTrail::Trail"',
            b'Type: "AWS::Cloud\\\rTrail::Trail"',
            b'Type: "AWS:\\\n:Cloud\\\nTrail:\\\n  :Trail"',
            "\ufeffType: AWS::CloudTrail::Trail".encode("utf-16-le"),
            "\ufeffType: AWS::CloudTrail::Trail".encode("utf-16-be"),
            '\ufeff{"Type": "AWS::\\u0043loudTrail::Trail"}'.encode("utf-16-le"),
            b"\xff junk AWS::CloudTrail::Trail \xfe",
        ],
    )
    def test_ways_to_spell_the_marker(self, data: bytes) -> None:
        assert may_hold(data, MARKERS)

    @pytest.mark.parametrize(
        "data",
        [
            b"",
            b"Type: AWS::S3::Bucket",
            b"aws::cloudtrail::trail",
            b'{"text": "caf\\u00e9 \\n \\"quoted\\""}',
            b'text: "goes on \\\n  here"',
            "\ufeff{}".encode("utf-16-le"),
            b"\xff\xfe\x00",
        ],
    )
    def test_what_cannot_hold_it(self, data: bytes) -> None:
        assert not may_hold(data, MARKERS)

    def test_any_of_several_markers_will_do(self) -> None:
        assert may_hold(b"Type: AWS::KMS::Key", (*MARKERS, b"AWS::KMS::"))
