"""`--diff`: what is new or worse since a git revision, whatever git and its configuration think of the files."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from trailguard.acceptance.since import checked_out, described
from trailguard.commands.cli import main
from trailguard.errors import UserError

TRAIL = """\
Parameters:
  Multi: {Type: String, Default: "true", AllowedValues: ["true", "false"]}
Mappings:
  Stages: {prod: {Multi: "true"}}
Conditions:
  Wide: !Equals [!Ref Multi, "true"]
Resources:
  Trail:
    Type: AWS::CloudTrail::Trail
    Properties:
      IsLogging: true
      IsMultiRegionTrail: VALUE
      S3BucketName: logs
"""
BAD = TRAIL.replace("VALUE", "false")
LOGS = """\
Resources:
  Logs: {Type: AWS::S3::Bucket}
  Trail:
    Type: AWS::CloudTrail::Trail
    DependsOn: Policy
    Properties: {IsLogging: true, IsMultiRegionTrail: true, S3BucketName: !Ref Logs}
"""
POLICY = """\
  Policy:
    Type: AWS::S3::BucketPolicy
    Properties:
      Bucket: !Ref Logs
      PolicyDocument: {Statement: [{Effect: Allow, Principal: "*", Action: "s3:*", Resource: "*"}]}
"""


def git(*arguments: str) -> None:
    command = ["git", "-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "commit.gpgsign=false", *arguments]
    subprocess.run(command, check=True, capture_output=True)


def commit() -> None:
    git("add", "-Af")
    git("commit", "-q", "--allow-empty", "-m", "one more")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    git("init", "-q")
    return tmp_path


Look = Callable[..., tuple[int, list[tuple[str, str, str]]]]


@pytest.fixture
def look(folder: Path, capsys: pytest.CaptureFixture[str]) -> Look:
    """Scan with --diff HEAD: the exit status, and the rules, files and verdicts that are reported."""

    def scan(*arguments: str, select: str = "TG101") -> tuple[int, list[tuple[str, str, str]]]:
        given = ["scan", "--diff", "HEAD", "--format", "json", "--select", select, *arguments]
        status = main(given)
        report: dict[str, Any] = json.loads(capsys.readouterr().out)
        return status, sorted((item["rule"], item["file"], item["verdict"]) for item in report["results"])

    return scan


def test_what_was_there_is_left_out_and_counted(folder: Path, look: Look, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "t.yaml").write_text(BAD)
    commit()
    assert look() == (0, [])
    (folder / "t.yaml").write_text("# moved lines\n\n" + BAD)
    assert look() == (0, [])
    assert main(["scan", "--diff", "HEAD", "--select", "TG101"]) == 0
    assert "note: 1 failure that was there in HEAD already is left out" in capsys.readouterr().err
    assert main(["scan", "--select", "TG101"]) == 1


CHANGES = [
    ("true", "IsMultiRegionTrail: true", "IsMultiRegionTrail: false"),
    ("true", "      IsMultiRegionTrail: true\n", ""),
    ("!Ref Multi", 'Default: "true"', 'Default: "false"'),
    ("!If [Wide, true, false]", '!Equals [!Ref Multi, "true"]', '!Equals [!Ref Multi, "no"]'),
    ("!FindInMap [Stages, prod, Multi]", 'prod: {Multi: "true"}', 'prod: {Multi: "false"}'),
]


@pytest.mark.parametrize(("value", "old", "new"), CHANGES)
def test_a_change_anywhere_that_breaks_it(value: str, old: str, new: str, folder: Path, look: Look) -> None:
    text = TRAIL.replace("VALUE", value)
    assert old in text
    (folder / "t.yaml").write_text(text)
    commit()
    before = look()
    (folder / "t.yaml").write_text(text.replace(old, new))
    assert before[0] == 0
    assert look() == (1, [("TG101", "t.yaml", "fail")])


def test_a_conditional_that_became_a_failure_and_one_with_a_wider_witness(folder: Path, look: Look) -> None:
    text = TRAIL.replace("VALUE", "!Ref Multi")
    (folder / "t.yaml").write_text(text)
    commit()
    assert look("--fail-on", "conditional") == (0, [])
    two = text.replace("Mappings:", '  Other: {Type: String, Default: "x"}\nMappings:').replace(
        "Conditions:\n", 'Conditions:\n  Odd: !Equals [!Ref Other, "y"]\n'
    )
    (folder / "t.yaml").write_text(two.replace("!Ref Multi\n", "!If [Odd, !Ref Multi, true]\n"))
    commit()
    assert look("--fail-on", "conditional") == (0, [])
    (folder / "t.yaml").write_text(two)
    assert look("--fail-on", "conditional") == (1, [("TG101", "t.yaml", "conditional")])


def test_a_context_s_parameter_file(folder: Path, look: Look) -> None:
    (folder / "t.yaml").write_text(TRAIL.replace("VALUE", "!Ref Multi"))
    (folder / ".trailguard.yaml").write_text("contexts: [{templates: t.yaml, parameters: prod.json}]\n")
    (folder / "prod.json").write_text('{"Multi": "true"}')
    commit()
    (folder / "prod.json").write_text('{"Multi": "false"}')
    assert look() == (1, [("TG101", "t.yaml", "fail")])


def test_an_argument_that_is_no_longer_handed_down(folder: Path, look: Look) -> None:
    (folder / "t.yaml").write_text(TRAIL.replace("VALUE", "!Ref Multi").replace('Default: "true"', 'Default: "false"'))
    parent = "Resources:\n  Audit:\n    Type: AWS::CloudFormation::Stack\n    Properties:\n      TemplateURL: t.yaml\n"
    (folder / "parent.yaml").write_text(parent + '      Parameters: {Multi: "true"}\n')
    commit()
    (folder / "parent.yaml").write_text(parent)
    assert look() == (1, [("TG101", "t.yaml", "fail")])


def test_a_policy_that_was_deleted(folder: Path, look: Look) -> None:
    (folder / "t.yaml").write_text(LOGS + POLICY)
    commit()
    (folder / "t.yaml").write_text(LOGS.replace("    DependsOn: Policy\n", ""))
    assert look(select="TG201")[0] == 1


def test_a_file_that_was_deleted(folder: Path, look: Look) -> None:
    text = LOGS + POLICY
    (folder / "logs.yaml").write_text(
        "Resources:\n  Logs: {Type: AWS::S3::Bucket}\n"
        + POLICY
        + ("Outputs: {Name: {Value: !Ref Logs, Export: {Name: central-logs}}}\n")
    )
    trail = text[: text.index("  Policy:")].replace("  Logs: {Type: AWS::S3::Bucket}\n", "")
    trail = trail.replace("    DependsOn: Policy\n", "").replace("!Ref Logs", "!ImportValue central-logs")
    (folder / "trail.yaml").write_text(trail)
    commit()
    assert look("--fail-on", "unknown", select="TG201") == (0, [])
    (folder / "logs.yaml").unlink()
    assert look("--fail-on", "unknown", select="TG201") == (1, [("TG201", "trail.yaml", "unknown")])


def test_a_suppression_that_was_taken_away_and_a_rule_that_was_switched_on(folder: Path, look: Look) -> None:
    (folder / "t.yaml").write_text(BAD.replace("Trail: false", "Trail: false  # trailguard: ignore[TG101] why"))
    commit()
    (folder / "t.yaml").write_text(BAD)
    assert look() == (1, [("TG101", "t.yaml", "fail")])
    (folder / ".trailguard.yaml").write_text("rules: {ignore: [TG101]}\n")
    assert look() == (0, [])
    commit()
    (folder / ".trailguard.yaml").unlink()
    assert look() == (1, [("TG101", "t.yaml", "fail")])


@pytest.mark.parametrize("name", ["new.yaml", "two words.yaml", 'a"b.yaml', "ü.yaml", "deep/er/new.yaml", "-n.yaml"])
def test_new_and_known_files_of_any_name(name: str, folder: Path, look: Look) -> None:
    (folder / "t.yaml").write_text(BAD)
    commit()
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(BAD)
    assert look() == (1, [("TG101", name, "fail")])
    commit()
    assert look() == (0, [])


def test_a_renamed_file_is_not_new_and_a_copy_is(folder: Path, look: Look) -> None:
    (folder / "t.yaml").write_text(BAD)
    commit()
    (folder / "t.yaml").rename(folder / "u.yaml")
    assert look() == (0, [])
    (folder / "v.yaml").write_text(BAD)
    status, found = look()
    assert (status, len(found)) == (1, 1)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
@pytest.mark.parametrize(
    "configuration", [("diff.noprefix", "true"), ("diff.mnemonicPrefix", "true"), ("core.autocrlf", "true")]
)
def test_git_s_own_settings_have_no_say(
    configuration: tuple[str, str], encoding: str, folder: Path, look: Look
) -> None:
    (folder / "t.yaml").write_bytes(TRAIL.replace("VALUE", "true").encode(encoding))
    (folder / ".gitattributes").write_text("*.yaml -diff\n")
    commit()
    git("config", *configuration)
    assert look() == (0, [])
    (folder / "t.yaml").write_bytes(BAD.encode(encoding))
    assert look() == (1, [("TG101", "t.yaml", "fail")])


def test_from_another_folder(folder: Path, look: Look, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("infra", "other"):
        (folder / name).mkdir()
        (folder / name / "t.yaml").write_text(BAD)
    commit()
    (folder / "infra" / "new.yaml").write_text(BAD)
    monkeypatch.chdir(folder / "other")
    assert look() == (0, [])
    assert look("../infra") == (1, [("TG101", "../infra/new.yaml", "fail")])
    assert look(str(folder / "infra")) == (1, [("TG101", str(folder / "infra" / "new.yaml"), "fail")])
    (folder / "fresh").mkdir()
    monkeypatch.chdir(folder / "fresh")
    (folder / "fresh" / "t.yaml").write_text(BAD)
    assert look() == (1, [("TG101", "t.yaml", "fail")])


def test_what_git_tracks_is_there_whatever_is_ignored(folder: Path) -> None:
    (folder / ".gitignore").write_text("*.yaml\n")
    (folder / "t.yaml").write_text(BAD)
    (folder / "link.yaml").symlink_to("t.yaml")
    commit()
    with checked_out("HEAD", ".") as place:
        assert sorted(path.name for path in Path(place).iterdir()) == [".git", "link.yaml", "t.yaml"]
        assert (Path(place) / "link.yaml").read_text() == BAD
    assert not Path(place).exists()


@pytest.mark.parametrize("revision", ["no-such-branch", "--output=x", "-h", "HEAD:t.yaml"])
def test_a_revision_that_is_not_one(revision: str, folder: Path) -> None:
    (folder / "t.yaml").write_text(BAD)
    commit()
    with pytest.raises(UserError), checked_out(revision, "."):
        pass
    assert not (folder / "x").exists()
    assert main(["scan", f"--diff={revision}"]) == 2


def test_outside_of_a_repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match="git rev-parse: "), checked_out("HEAD", "."):
        pass


@pytest.mark.parametrize("setting", ["core.fsmonitor", "remote.origin.uploadpack"])
def test_nothing_that_a_repository_configures_is_run(tmp_path: Path, setting: str) -> None:
    """A partial clone fetches what is missing with a program of its choice; so does what watches for changes."""
    (tmp_path / "a.yaml").write_text("a: 1\n", encoding="utf-8")
    mark = tmp_path / "mark"
    for words in (
        ["init", "-q"], ["add", "-A"], ["-c", "user.name=t", "-c", "user.email=t@e", "commit", "-q", "-m", "x"],
        ["config", setting, f"touch {mark};"], ["config", "remote.origin.url", str(tmp_path)],
        ["config", "remote.origin.promisor", "true"], ["config", "extensions.partialClone", "origin"],
    ):  # fmt: skip
        subprocess.run(["git", *words], cwd=tmp_path, check=True)
    described(str(tmp_path))
    with checked_out("HEAD", str(tmp_path)) as folder:
        assert (Path(folder) / "a.yaml").read_text(encoding="utf-8") == "a: 1\n"
    asked = ["git", "rev-parse", "HEAD:a.yaml"]
    (blob,) = subprocess.run(asked, cwd=tmp_path, capture_output=True, text=True, check=True).stdout.split()
    (tmp_path / ".git" / "objects" / blob[:2] / blob[2:]).unlink()
    with pytest.raises(UserError), checked_out("HEAD", str(tmp_path)):
        pass
    assert not mark.exists()
