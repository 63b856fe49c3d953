"""`trailguard init --hook`: a template that can be deployed, gives no more rights than needed, and can be repaired."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from trailguard.commands import cli
from trailguard.commands.init_hook import template
from trailguard.hosts import hook
from trailguard.hosts.hook_settings import PREFIX, configured
from trailguard.hosts.hook_world import VARIABLE
from trailguard.scanning import scan
from trailguard.settings.settings import KEYS, Settings

LINT = "import sys; from cfnlint.runner.cli import main; sys.exit(main())"
DOCUMENT: Any = json.loads(template("json"))
RESOURCES = DOCUMENT["Resources"]


def statements(resource: str) -> list[dict[str, Any]]:
    """What a role allows, in its own policies and in the one beside it."""
    documents = [item["PolicyDocument"] for item in RESOURCES[resource]["Properties"]["Policies"]]
    documents += [
        item["Properties"]["PolicyDocument"]
        for item in RESOURCES.values()
        if item["Type"] == "AWS::IAM::RolePolicy" and item["Properties"]["RoleName"] == {"Ref": resource}
    ]
    return [statement for document in documents for statement in document["Statement"]]


def actions(resource: str) -> set[str]:
    found: set[str] = set()
    for statement in statements(resource):
        some = statement["Action"]
        found.update([some] if isinstance(some, str) else some)
    return found


@pytest.mark.parametrize("form", ["yaml", "json"])
def test_every_rule_is_kept(form: str) -> None:
    report = scan(["-"], Settings(profile="all"), stdin=template(form).encode())
    assert (report.errors, report.notices, report.status()) == ((), (), 0)
    assert [item.rule.id for item in report.results if item.is_open] == []
    assert report.templates == 1


@pytest.mark.hosts
@pytest.mark.parametrize("form", ["yaml", "json"])
def test_cfn_lint_accepts_it(tmp_path: Path, form: str) -> None:
    path = tmp_path / f"hook.{form}"
    path.write_text(template(form), encoding="utf-8")
    arguments = ["--regions", "us-east-1", "eu-central-1", "--format", "parseable", "--", str(path)]
    outcome = subprocess.run([sys.executable, "-c", LINT, *arguments], capture_output=True, text=True, check=False)
    assert (outcome.stdout, outcome.stderr, outcome.returncode) == ("", "", 0)


def test_the_function_may_do_what_it_does() -> None:
    asked = {"cloudformation:DescribeStacks", "cloudformation:DescribeChangeSet", "s3:GetObject"}
    assert actions("FunctionRole") == {*asked, "logs:CreateLogStream", "logs:PutLogEvents"}
    assert actions("HookRole") == {"lambda:InvokeFunction"}
    for role in ("FunctionRole", "HookRole"):
        assert all(statement["Resource"] != "*" for statement in statements(role))


def test_the_hook_never_stands_in_its_own_way() -> None:
    """A broken function would else keep the stack from being repaired that has it."""
    names = RESOURCES["Hook"]["Properties"]["StackFilters"]["StackNames"]["Exclude"]
    assert names["Fn::If"][0] == "HasExcludedStacks"
    assert "AWS::StackName" in json.dumps(names["Fn::If"][1])
    assert names["Fn::If"][2] == [{"Ref": "AWS::StackName"}]


def test_the_handler_is_there() -> None:
    properties = RESOURCES["Function"]["Properties"]
    module, _, name = properties["Handler"].rpartition(".")
    assert (module, getattr(hook, name)) == (hook.__name__, hook.handler)
    assert hook.PATIENCE + hook.RESERVE < properties["Timeout"] < 30


def test_its_variables_are_settings() -> None:
    variables = RESOURCES["Function"]["Properties"]["Environment"]["Variables"]
    assert set(variables) - {VARIABLE} <= {PREFIX + key.upper() for key in KEYS}
    assert set(DOCUMENT["Parameters"]["FailOn"]["AllowedValues"]) == {"", "fail", "conditional", "unknown"}


def test_the_configuration_of_the_package_counts_unless_told_otherwise(tmp_path: Path) -> None:
    (tmp_path / ".trailguard.yaml").write_text("profile: all\nfail_on: unknown\n", encoding="utf-8")
    parameters = DOCUMENT["Parameters"]
    variables = RESOURCES["Function"]["Properties"]["Environment"]["Variables"]
    usual = {name: parameters[value["Ref"]]["Default"] for name, value in variables.items() if "Ref" in value}
    settings = configured(str(tmp_path), usual)
    assert (settings.profile, settings.fail_on) == ("all", "unknown")
    assert set(usual) == {"TRAILGUARD_PROFILE", "TRAILGUARD_FAIL_ON"}


def test_without_a_package_there_is_a_bucket_alone() -> None:
    alone = {name for name, item in RESOURCES.items() if item.get("Condition") == "MakesBucket"}
    assert alone == {"Packages", "PackagesPolicy"}
    assert {item.get("Condition") for name, item in RESOURCES.items() if name not in alone} == {
        "HasPackage", "ReadsSnapshot",
    }  # fmt: skip
    assert all("Default" in item for item in DOCUMENT["Parameters"].values())


def test_what_can_be_chosen() -> None:
    properties = RESOURCES["Hook"]["Properties"]
    for name in ("FailureMode", "HookStatus", "TargetOperations"):
        assert properties[name] == {"Ref": name}
    assert properties["TargetFilters"]["Actions"] == {"Ref": "TargetActions"}
    assert DOCUMENT["Parameters"]["FailureMode"]["AllowedValues"] == ["FAIL", "WARN"]
    assert DOCUMENT["Parameters"]["TargetActions"]["Default"] == "CREATE,UPDATE"


def test_fits_into_a_request() -> None:
    assert len(template()) < 51_200
    template().encode("ascii")


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["init", "--hook"]) == 0
    assert capsys.readouterr() == (template(), "")
    path = tmp_path / "hook.json"
    assert cli.main(["init", "--hook", "--output", str(path)]) == 0
    assert path.read_text(encoding="utf-8") == template("json")


@pytest.mark.parametrize("part", ["--organization", "--no-kms", "--sns"])
def test_it_has_no_parts(part: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["init", "--hook", part]) == 2
    shown = part.replace("--no-", "--")
    assert capsys.readouterr() == ("", f"error: --hook has no parts, so that {shown} means nothing\n")
