"""What the tools answer: the same verdicts, edits and words as `scan`, `fix` and `explain` on the command line."""

from __future__ import annotations

import base64
import itertools
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from tests import ROOT
from trailguard.commands.cli import main
from trailguard.fixes.reporting import look_at, with_offers
from trailguard.init_template import template
from trailguard.reporters import json_report
from trailguard.rulebook.shelf import load
from trailguard.scanning import scan
from trailguard.servers.mcp_root import Root
from trailguard.servers.mcp_schemas import tools
from trailguard.servers.mcp_worker import answered
from trailguard.servers.mcp_writing import write
from trailguard.settings.settings import Settings

RULES = load(Settings(profile="all")).selected
EXAMPLES = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "rules").glob("*/fail/*"))[::40]
BROKEN = "rules/TG104-depends-on-bucket-policy/fail/plain.yaml"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A root of its own."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def asked(kind: str, name: str, **arguments: Any) -> dict[str, Any]:
    """The answer to a request about the working directory."""
    return answered({"kind": kind, "name": name, "arguments": arguments}, Root("."))


def data_of(tool: str, **arguments: Any) -> Any:
    """What a tool gives, which must be what its schema says."""
    answer = asked("tool", tool, **arguments)
    assert "error" not in answer, answer
    Draft202012Validator(tools()[tool].gives).validate(answer["data"])
    return answer["data"]


def error_of(tool: str, **arguments: Any) -> dict[str, Any]:
    """What a tool says is wrong."""
    error: dict[str, Any] = asked("tool", tool, **arguments)["error"]["error"]
    return error


@pytest.mark.parametrize("name", sorted(tools()))
def test_schemas_are_json_schemas_of_objects(name: str) -> None:
    for schema in (tools()[name].takes, tools()[name].gives):
        Draft202012Validator.check_schema(schema)
        assert schema["type"] == "object"


@pytest.mark.parametrize("path", EXAMPLES)
def test_scan_gives_the_json_report(
    path: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The command line's, what the Python API reports, and what assistants get are one and the same."""
    monkeypatch.chdir(ROOT)
    data = data_of("scan", path=path, profile=["all"], results="all", limit=1000)
    assert data.pop("left_out") == {"results": 0, "rules": 0, "skipped": 0}
    assert "/results/*/message" in data.pop("quoted")
    settings = Settings(profile="all")
    report = scan([path], settings)
    assert json_report.data(with_offers(report, look_at([path], settings, on=report.date))) == data
    main(["scan", path, "--profile", "all", "--format", "json", "--no-config"])
    told = json.loads(capsys.readouterr().out)
    assert told["judged"].pop("command") == f"trailguard scan {path} --profile all --no-config"
    assert told == data
    assert [json_report.result(one)["message"] for one in report.results] == [one["message"] for one in data["results"]]


def test_a_text_is_judged_as_the_file_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    text = (ROOT / BROKEN).read_text(encoding="utf-8")
    assert data_of("scan", path=BROKEN) == data_of("scan", path=BROKEN, text=text)
    nameless = data_of("scan", text=text)
    assert {one["file"] for one in nameless["results"]} == {"<text>"}


def test_only_what_asks_for_attention_is_given_unless_all_is_wanted(here: Path) -> None:
    (here / "a.yaml").write_text((ROOT / BROKEN).read_text(encoding="utf-8"), encoding="utf-8")
    (here / "b.yaml").write_text("a: 1\n", encoding="utf-8")
    all_ = data_of("scan", results="all", limit=1000, fixes=False)
    open_ = data_of("scan", fixes=False)
    assert open_["results"] == [one for one in all_["results"] if one["verdict"] not in ("pass", "not_applicable")]
    assert {one["id"] for one in open_["rules"]} == {one["rule"] for one in open_["results"]}
    assert open_["summary"] == all_["summary"]
    assert all_["skipped"] == [{"file": "b.yaml", "reason": "it is not a CloudFormation template"}]
    assert open_["left_out"] == {
        "results": len(all_["results"]) - len(open_["results"]),
        "rules": len(all_["rules"]) - len(open_["rules"]),
        "skipped": 1,
    }
    pages = [
        data_of("scan", results="all", limit=10, offset=start, fixes=False)["results"] for start in range(0, 200, 10)
    ]
    assert [one for page in pages for one in page] == all_["results"]


def test_what_is_known_of_the_deployment_has_a_say(here: Path) -> None:
    text = (
        template(())
        .replace("IsMultiRegionTrail: true", "IsMultiRegionTrail: !Ref Wide")
        .replace("Parameters:\n", "Parameters:\n  Wide: {Type: String, AllowedValues: ['true', 'false']}\n", 1)
    )
    (one,) = data_of("scan", text=text, select=["TG101"])["results"]
    assert (one["verdict"], one["witness"]) == ("conditional", {"Wide": "false"})
    assert data_of("scan", text=text, select=["TG101"], parameters={"Wide": "true"})["results"] == []


def test_the_configuration_of_the_root_counts_and_names_nothing_outside_of_it(here: Path) -> None:
    (here / ".git").mkdir()
    inside = here / "app"
    inside.mkdir()
    config = inside / ".trailguard.yaml"
    (here / "baseline.json").write_text("secret", encoding="utf-8")
    text = (ROOT / BROKEN).read_text(encoding="utf-8")
    (inside / "a.yaml").write_text(text, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(inside)
        config.write_text("rules: {ignore: [TG104]}\n", encoding="utf-8")
        assert "TG104" not in {one["rule"] for one in data_of("scan")["results"]}
        config.write_text("baseline: ../baseline.json\n", encoding="utf-8")
        assert "leads out" in error_of("scan")["message"]
        config.unlink()
        (here / ".trailguard.yaml").write_text("rules: {ignore: [TG104]}\n", encoding="utf-8")
        assert "TG104" not in {one["rule"] for one in data_of("scan")["results"]}, "the one above is the user's"


def test_links_in_a_folder_and_names_in_a_template_lead_nowhere(here: Path) -> None:
    outside, inside = here / "outside", here / "inside"
    for folder in (outside, inside):
        folder.mkdir()
    (outside / "secret.yaml").write_text((ROOT / BROKEN).read_text(encoding="utf-8"), encoding="utf-8")
    (inside / "link.yaml").symlink_to(outside / "secret.yaml")
    (inside / "folder").symlink_to(outside)
    nested = "{Type: AWS::CloudFormation::Stack, Properties: {TemplateURL: %s}}"
    names = ("../outside/secret.yaml", str(outside / "secret.yaml"), "link.yaml", "folder/secret.yaml")
    stacks = "".join(f"  S{number}: {nested % name}\n" for number, name in enumerate(names))
    included = "".join(
        f"  I{number}: {{Fn::Transform: {{Name: AWS::Include, Parameters: {{Location: {name}}}}}}}\n"
        for number, name in enumerate(names)
    )
    (inside / "parent.yaml").write_text(f"Resources:\n{stacks}{included}", encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(inside)
        raw = json.dumps(
            [data_of("scan", results="all", limit=1000), data_of("facts", path="parent.yaml"), data_of("fix")]
        )
    assert "TrailBucket" not in raw


def test_an_example_of_a_users_rule_is_no_way_out(here: Path) -> None:
    outside, inside = here / "outside.yaml", here / "inside"
    outside.write_text("secret: 1\n", encoding="utf-8")
    rule = inside / "mine" / "X901-mine"
    (rule / "pass").mkdir(parents=True)
    (rule / "pass" / "plain.yaml").symlink_to(outside)
    head = "id: X901\nname: mine\ntitle: t\nseverity: low\nsubject: trail\nwhy: w\nremedy: r\n"
    (rule / "rule.yaml").write_text(
        head + "require: [{fact: properties.IsLogging, must: {const: true}, message: m}]\n", encoding="utf-8"
    )
    (inside / ".trailguard.yaml").write_text("rule_dirs: [mine]\n", encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(inside)
        told = data_of("explain", rule="X901")
    assert (told["ships"], told["good"], told["bad"]) == (False, None, None)


DEEP = f"Resources: {{T: {{Type: AWS::CloudTrail::Trail, Properties: {{S3BucketName: {'[' * 5000}{']' * 5000}}}}}}}"
LAUGHS = "a: &a [x]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{before}'] * 8)}]\n" for before, name in itertools.pairwise("abcdefghijklmnopqrs")
)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Resources: {a: [", "is never closed"),
        ("\x00\x01\x02", ""),
        ("{" * 100_000, ""),
        ("- " * 100_000, ""),
        ("a: &a [*a]", ""),
        ("a: " * 20_000, ""),
        (DEEP, ""),
        (LAUGHS, ""),
    ],
    ids=["open", "binary", "braces", "lists", "loop", "maps", "deep", "laughs"],
)
def test_hostile_text_is_an_error_of_the_report_or_of_the_tool(here: Path, text: str, message: str) -> None:
    found = data_of("scan", text=text, profile=["all"])
    assert message in "".join(one["message"] for one in found["errors"])
    assert not any("internal" in one["message"] for one in found["errors"])
    for tool in ("facts", "fix"):
        answer = asked("tool", tool, text=text)
        assert "internal" not in json.dumps(answer), tool


def test_a_text_of_too_many_bytes_is_refused(here: Path) -> None:
    assert "bytes" in error_of("scan", text="é" * (5 * 1024 * 1024))["message"]


def test_wrong_names_are_answered_with_the_nearest(here: Path) -> None:
    assert error_of("explain", rule="multi-regoin")["message"].endswith('did you mean "multi-region"?')
    assert 'did you mean "cis-aws-5.0"?' in error_of("scan", profile=["cis-aws-50"])["message"]
    assert "there is no rule" in error_of("fix", rules=["XX9"], text=template(()))["message"]
    assert error_of("facts", path="none.yaml") == {
        "message": "cannot be read: no such file or directory", "file": "none.yaml", "line": None, "column": None,
    }  # fmt: skip
    (here / "folder").mkdir()
    assert (
        "is not a" in error_of("facts", path="folder")["message"]
        or "cannot" in error_of("facts", path="folder")["message"]
    )
    broken = error_of("facts", text="a: [1")
    assert (broken["file"], broken["line"]) == ("<text>", 1)
    assert "world" in error_of("scan", text="a: 1", world=["."])["message"]
    assert "write" in error_of("fix", text="a: 1", write=True)["message"]
    assert "path" in error_of("init", write=True)["message"]
    resource = asked("resource", "trailguard://rule")["error"]["error"]
    assert 'did you mean "trailguard://rules"?' in resource["message"]
    assert "there is no framework" in asked("resource", "trailguard://frameworks/cis")["error"]["error"]["message"]


def test_a_rule_that_cannot_be_read_is_told_with_its_place(here: Path) -> None:
    (here / ".trailguard.yaml").write_text("profile: [\n", encoding="utf-8")
    error = error_of("scan")
    assert (error["file"], error["line"] is None) == (".trailguard.yaml", False)


@pytest.mark.parametrize("rule", RULES[::9], ids=lambda rule: rule.id)
def test_explain_gives_all_of_a_rule(here: Path, rule: Any) -> None:
    told = data_of("explain", rule=rule.name)
    assert (told["rule"]["id"], told["rule"]["why"], told["ships"]) == (rule.id, rule.why, True)
    assert told["bad"]["text"] == Path(rule.plainest("fail")).read_text(encoding="utf-8")
    assert asked("resource", f"trailguard://rules/{rule.id}")["data"] == told


def test_facts_are_those_of_the_command_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    data = data_of("facts", path=BROKEN)
    del data["quoted"]
    main(["facts", BROKEN])
    assert json.loads(capsys.readouterr().out) == data
    (trail,) = data_of("facts", path=BROKEN, resources=["Trail"])["subjects"][:1]
    assert trail["resource"] == "Trail"


def test_fix_gives_what_the_command_line_would_write(here: Path) -> None:
    file = here / "a.yaml"
    file.write_text((ROOT / BROKEN).read_text(encoding="utf-8"), encoding="utf-8")
    command = [sys.executable, "-m", "trailguard", "fix", "a.yaml", "--diff"]
    shown = subprocess.run(command, capture_output=True, check=False).stdout.decode()
    answer = asked("tool", "fix", path="a.yaml", write=True)
    (fixed,), (change,) = answer["data"]["files"], answer["changes"]
    assert fixed["diff"] == shown != ""
    assert file.read_text(encoding="utf-8") == (ROOT / BROKEN).read_text(encoding="utf-8"), "nothing is written here"
    assert main(["fix", "a.yaml", "-q"]) in (0, 1)
    assert file.read_text(encoding="utf-8") == fixed["text"]
    assert base64.b64decode(change[3]) == file.read_bytes()
    again = data_of("fix")
    assert again["files"] == again["fixed"] == []


def test_fix_says_what_is_left_and_why(here: Path) -> None:
    data = data_of(
        "fix", text="Resources: {T: {Type: AWS::CloudTrail::Trail, Properties: {S3BucketName: b, IsLogging: false}}}"
    )
    assert {one["rule"] for one in data["fixed"]}.isdisjoint(one["rule"] for one in data["left"])
    assert data["left"]
    assert all(one["why"] and "--" not in one["why"] for one in data["left"])


def test_init_gives_the_template_of_the_command_line(here: Path) -> None:
    assert data_of("init")["template"] == template(("kms", "cloudwatch"))
    assert data_of("init", sns=True, kms=False, format="json")["template"] == template(("cloudwatch", "sns"), "json")


def changed(folder: Path, name: str, old: bytes | None, new: bytes) -> dict[str, Any]:
    """What comes of writing one file."""
    spelled = [None if data is None else base64.b64encode(data).decode() for data in (old, new)]
    return write([[name, name, *spelled]], {"file": name, "written": False, "error": None}, Root(str(folder)))


def test_a_file_is_written_if_it_is_what_was_judged(here: Path) -> None:
    file = here / "a.yaml"
    file.write_bytes(b"old")
    assert changed(here, "a.yaml", b"old", b"new")["written"]
    assert file.read_bytes() == b"new"
    assert "changed meanwhile" in changed(here, "a.yaml", b"old", b"newer")["error"]
    assert file.read_bytes() == b"new"


def test_a_new_file_takes_the_place_of_none(here: Path) -> None:
    assert changed(here, "a.yaml", None, b"new")["written"]
    assert "there already" in changed(here, "a.yaml", None, b"newer")["error"]
    assert (here / "a.yaml").read_bytes() == b"new"
    assert "cannot be written" in changed(here, "none/a.yaml", None, b"new")["error"]


def test_nothing_is_written_through_a_link_that_appeared(here: Path) -> None:
    inside = here / "inside"
    inside.mkdir()
    (here / "a.yaml").write_bytes(b"old")
    (inside / "a.yaml").symlink_to(here / "a.yaml")
    for old in (b"old", None):
        assert "leads out" in changed(inside, "a.yaml", old, b"new")["error"]
    assert (here / "a.yaml").read_bytes() == b"old"


def test_scan_and_fix_import_nothing_of_it() -> None:
    """What the extra brings costs seconds."""
    code = (
        "import sys; from trailguard.commands.cli import main; main(['scan', sys.argv[1], '--format', 'json']);"
        "main(['fix', sys.argv[1], '--diff']);"
        "heavy = ('mcp', 'anyio', 'pydantic', 'asyncio', 'trailguard.servers');"
        "sys.exit(any(name == one or name.startswith(one + '.') for name in sys.modules for one in heavy))"
    )
    done = subprocess.run([sys.executable, "-c", code, str(ROOT / BROKEN)], capture_output=True, check=False)
    assert (done.returncode, b"trailguard-report/1" in done.stdout) == (0, True)


def test_without_the_extra_it_says_what_to_install() -> None:
    code = "import sys; sys.modules['mcp'] = None; from trailguard.commands.cli import main; sys.exit(main(['mcp']))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        'error: what serves assistants is not installed: pip install "trailguard[mcp]" (there is no mcp)\n'
    )


def test_the_root_of_the_file_system_must_be_meant(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir("/")
    assert main(["mcp"]) == 2
    assert "name the folder to look into with --root" in capsys.readouterr().err
    assert main(["mcp", "--root", "none"]) == 2
    assert capsys.readouterr().err == "error: none: is not a folder\n"
