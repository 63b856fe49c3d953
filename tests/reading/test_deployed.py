"""Which deployed stack a template is judged as, and what that settles."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.snapshots import ACCOUNT, HERE, REGION, Thing, bucket, grants, policy, thing, trail, write
from trailguard import Report, Settings, scan
from trailguard.settings.settings import Context, load

PLACE = Settings(account_id=ACCOUNT, region=REGION)
AUDIT = f"{HERE}/audit"
TRAIL: dict[str, Any] = {
    "Type": "AWS::CloudTrail::Trail",
    "Properties": {
        "IsLogging": True, "IsMultiRegionTrail": True, "IncludeGlobalServiceEvents": True,
        "EnableLogFileValidation": True, "S3BucketName": {"Ref": "Bucket"},
    },
}  # fmt: skip
WHOLE: dict[str, Any] = {"Parameters": {"Bucket": {"Type": "String"}}, "Resources": {"Trail": TRAIL}}
LOGS = [bucket("audit-logs"), policy("audit-logs")]
LIVE = trail("audit-Trail-1A2B", "audit-logs", f"{AUDIT}/Trail")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "t").mkdir()
    return tmp_path


def account(stacks: Mapping[str, Mapping[str, Any]], things: Sequence[Thing] = (*LOGS, LIVE), **more: Any) -> None:
    """An account with some stacks: templates and parameters."""
    write(Path("snap"), {HERE: things}, stacks, **more)


def template(text: Any = WHOLE, name: str = "trail.json") -> None:
    """Write a template."""
    Path("t", name).write_text(json.dumps(text, indent=1), encoding="utf-8")


USUAL = Settings()


def judged(settings: Settings = USUAL, paths: Sequence[str] = ("t",), world: Sequence[str] = ("snap",)) -> Report:
    """What is found."""
    report = scan(paths, settings, world=world, on="2026-11-21")
    assert not report.errors
    return report


def verdict(report: Report, rule: str) -> str:
    """The verdict of a rule on the one trail of the templates."""
    (found,) = (item for item in report.results if item.rule.id == rule and item.resource == "Trail")
    return found.verdict


STACK = {"template": WHOLE, "parameters": {"Bucket": "audit-logs"}}


class TestEqualResources:
    def test_the_only_stack_with_them_is_meant(self) -> None:
        account({AUDIT: STACK, f"{HERE}/other": {"template": {"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}}}})
        template()
        report = judged()
        assert verdict(report, "TG203") == "pass"
        assert {item.deployed for item in report.results} == {(AUDIT,)}
        assert ("as deployed as", f"{AUDIT} (t/trail.json) with Bucket = audit-logs") in report.how

    def test_never_by_the_name_of_the_file(self) -> None:
        changed = {**WHOLE, "Resources": {"Tracer": TRAIL}}
        account({AUDIT: {"template": changed, "parameters": {"Bucket": "audit-logs"}}})
        template(name="audit.json")
        report = judged()
        assert verdict(report, "TG203") == "unknown"
        assert {item.deployed for item in report.results} == {()}

    def test_other_types_are_other_resources(self) -> None:
        other = {"Resources": {"Trail": {"Type": "AWS::SNS::Topic"}}}
        account({AUDIT: {"template": other, "parameters": {"Bucket": "audit-logs"}}})
        template()
        assert verdict(judged(), "TG203") == "unknown"

    def test_of_two_stacks_neither_is_meant_and_both_are_named(self) -> None:
        account({AUDIT: STACK, f"{HERE}/second": STACK})
        template()
        report = judged()
        assert verdict(report, "TG203") == "unknown"
        (told,) = (item.message for item in report.notices if item.file == "t/trail.json")
        assert f"{AUDIT}, {HERE}/second" in told

    def test_of_two_templates_neither_is_meant_unless_they_are_copies(self) -> None:
        account({AUDIT: STACK})
        template()
        template(name="copy.json")
        report = judged()
        assert {item.verdict for item in report.results if item.rule.id == "TG203"} == {"pass"}
        changed = {**TRAIL, "Properties": {**TRAIL["Properties"], "IsLogging": False}}
        template({**WHOLE, "Resources": {"Trail": changed}}, name="copy.json")
        report = judged()
        assert {item.verdict for item in report.results if item.rule.id == "TG203"} == {"unknown"}
        told = {item.file: item.message for item in report.notices}
        assert told.keys() == {"t/trail.json", "t/copy.json"}
        assert (
            "stack 111122223333/eu-west-1/audit has the same resources as each of t/copy.json, t/trail.json"
            in told["t/copy.json"]
        )

    @pytest.mark.parametrize("settings", [Settings(region=REGION), Settings(parameters={"AWS::StackName": "audit"})])
    def test_what_is_given_tells_them_apart(self, settings: Settings) -> None:
        account({AUDIT: STACK, f"{ACCOUNT}/us-east-1/second": STACK})
        template()
        assert verdict(judged(settings), "TG203") == "pass"

    def test_what_is_given_goes_before_what_the_stack_has(self) -> None:
        account({AUDIT: STACK})
        template()
        assert verdict(judged(Settings(parameters={"Bucket": "no-logs"})), "TG203") == "unknown"

    def test_a_parameter_that_the_snapshot_does_not_tell_stays_free(self) -> None:
        given = {**TRAIL, "Properties": {**TRAIL["Properties"], "IsLogging": {"Ref": "On"}}}
        whole = {
            "Parameters": {"Bucket": {"Type": "String"}, "On": {"Type": "String", "Default": "true"}},
            "Resources": {"Trail": given},
        }
        account({AUDIT: {"template": whole, "parameters": {"Bucket": "audit-logs"}}})
        template(whole)
        assert verdict(judged(), "TG106") == "conditional"
        account({AUDIT: {"template": whole, "parameters": {"Bucket": "audit-logs", "On": "true"}}})
        assert verdict(judged(), "TG106") == "pass"

    def test_a_parameter_of_the_parameter_store_has_the_value_that_was_read(self) -> None:
        whole = {
            **WHOLE,
            "Parameters": {"Bucket": {"Type": "AWS::SSM::Parameter::Value<String>", "Default": "/audit/bucket"}},
        }
        account({AUDIT: {"template": whole, "parameters": {"Bucket": "audit-logs"}}})
        template(whole)
        assert verdict(judged(), "TG203") == "pass"
        assert verdict(judged(Settings(parameters={"Bucket": "/audit/other"})), "TG203") == "unknown"

    def test_secret_values_are_not_shown(self) -> None:
        whole = {**WHOLE, "Parameters": {"Bucket": {"Type": "String"}, "Word": {"Type": "String", "NoEcho": True}}}
        account({AUDIT: {"template": whole, "parameters": {"Bucket": "audit-logs", "Word": "hush"}}})
        template(whole)
        assert "hush" not in repr(judged().how)


class TestContexts:
    def config(self, *contexts: Mapping[str, Any]) -> Settings:
        """The settings of a configuration with some contexts."""
        Path(".trailguard.yaml").write_text(json.dumps({"contexts": contexts}), encoding="utf-8")
        return load(".")

    def test_the_stack_that_is_named_is_meant_whatever_it_holds(self) -> None:
        account({AUDIT: {"template": {"Resources": {"Other": TRAIL}}, "parameters": {"Bucket": "audit-logs"}}})
        template()
        report = judged(self.config({"templates": "t/*.json", "stack": AUDIT}))
        assert verdict(report, "TG203") == "pass"
        assert report.results[0].contexts == (AUDIT,)
        assert report.results[0].deployed == (AUDIT,)

    def test_its_own_values_go_before_those_of_the_stack(self) -> None:
        account({AUDIT: STACK})
        template()
        settings = self.config({"templates": "t/*.json", "stack": AUDIT, "parameters": {"Bucket": "no-logs"}})
        assert verdict(judged(settings), "TG203") == "unknown"

    def test_each_of_two_stacks_of_a_template(self) -> None:
        account(
            {AUDIT: STACK, f"{HERE}/second": {**STACK, "parameters": {"Bucket": "bad-logs"}}},
            [*LOGS, bucket("bad-logs")],
        )
        template()
        names = ("audit", "second")
        settings = self.config(*({"name": name, "templates": "t/*.json", "stack": f"{HERE}/{name}"} for name in names))
        told = {item.contexts: item.verdict for item in judged(settings).results if item.rule.id == "TG203"}
        assert told == {("audit",): "pass", ("second",): "fail"}

    def test_values_of_another_deployment_are_not_mixed_with_those_of_a_stack(self) -> None:
        account({AUDIT: STACK})
        template(
            {**WHOLE, "Parameters": {"Bucket": {"Type": "String"}, "Stage": {"Type": "String", "Default": "prod"}}}
        )
        settings = self.config({"name": "dev", "templates": "t/*.json", "parameters": {"Stage": "dev"}})
        assert verdict(judged(settings), "TG203") == "unknown"

    def test_a_stack_that_no_snapshot_shows_is_told(self) -> None:
        account({AUDIT: STACK})
        template()
        settings = self.config({"templates": "t/*.json", "stack": f"{HERE}/adit"})
        (notice,) = judged(settings).notices
        assert (notice.file, notice.line) == (".trailguard.yaml", 1)
        assert notice.message.startswith(f"no snapshot shows stack {HERE}/adit, so its parameters are not known")
        assert notice.message.endswith(f'did you mean "{AUDIT}"?')
        (notice,) = judged(settings, world=()).notices
        assert notice.message.endswith("give the snapshot that does with --world")

    def test_a_name_in_the_wrong_form_is_an_error(self) -> None:
        from trailguard.errors import ConfigError

        with pytest.raises(ConfigError, match=r"must be a stack such as 111122223333/eu-west-1/audit"):
            self.config({"templates": "t/*.json", "stack": "audit"})


class TestOneThing:
    def test_what_a_stack_made_is_what_its_template_makes(self) -> None:
        """The live trail of a template that is judged is not judged beside it."""
        account({AUDIT: STACK})
        template()
        report = judged(paths=("t", "snap"), world=())
        assert {item.resource for item in report.results if item.subject == "trail"} == {"Trail"}
        alone = judged(paths=("snap",), world=())
        assert {item.resource for item in alone.results if item.subject == "trail"} == {LIVE[0]}

    @pytest.mark.parametrize("settings", [PLACE, Settings()])
    def test_a_trail_of_the_same_name_in_the_same_place_is_the_same(self, settings: Settings) -> None:
        """Though no stack is known that was made of the template."""
        named = {**TRAIL, "Properties": {**TRAIL["Properties"], "TrailName": "main", "S3BucketName": "audit-logs"}}
        template({"Resources": {"Trail": named}})
        account({}, [*LOGS, trail("main", "audit-logs")])
        settings = settings._replace(select=("TG106", "TG113", "TG601"))
        report = judged(settings)
        assert {(item.rule.id, item.verdict) for item in report.results} == {(rule, "pass") for rule in settings.select}
        both = judged(settings, ("t", "snap"), ())
        subjects = {item.resource for item in both.results}
        assert subjects == ({"Trail"} if settings.region else {"Trail", "TrailTrailMain"})

    def test_its_name_is_the_one_that_it_has(self) -> None:
        """A live trail of somebody else delivers to the bucket that the template makes without a name."""
        logs = {"Type": "AWS::S3::Bucket"}
        grant = {"Version": "2012-10-17", "Statement": grants("audit-logs-1a2b")[:1]}
        made = {"Type": "AWS::S3::BucketPolicy", "Properties": {"Bucket": {"Ref": "Logs"}, "PolicyDocument": grant}}
        whole = {
            "Resources": {
                "Logs": logs,
                "Policy": made,
                "Trail": {**TRAIL, "Properties": {**TRAIL["Properties"], "S3BucketName": {"Ref": "Logs"}}},
            }
        }
        things = [
            bucket("audit-logs-1a2b", f"{AUDIT}/Logs"), policy("audit-logs-1a2b", made_by=f"{AUDIT}/Policy"),
            trail("audit-Trail-1A2B", "audit-logs-1a2b", f"{AUDIT}/Trail"), trail("theirs", "audit-logs-1a2b"),
        ]  # fmt: skip
        account({AUDIT: {"template": whole}}, things)
        template(whole)
        told = {
            (item.resource, item.place.file)
            for item in judged().results
            if item.rule.id == "TG203" and item.verdict == "fail"
        }
        assert told == {("Trail", "t/trail.json"), ("TrailTrailTheirs", "t/trail.json")}

    def test_what_the_template_does_not_hold_any_more_is_gone(self) -> None:
        made = {"Type": "AWS::S3::BucketPolicy", "Properties": {"Bucket": "audit-logs", "PolicyDocument": {}}}
        before = {**WHOLE, "Resources": {"Trail": TRAIL, "Policy": made}}
        things = [bucket("audit-logs"), policy("audit-logs", made_by=f"{AUDIT}/Policy"), LIVE]
        template()
        settings = Settings(contexts=(Context("c", ("t/*.json",), stack=AUDIT),))
        for kept, verdicts in (({}, "fail"), ({"DeletionPolicy": "Retain"}, "pass")):
            resources = {**before["Resources"], "Policy": {**made, **kept}}
            account(
                {AUDIT: {"template": {**before, "Resources": resources}, "parameters": {"Bucket": "audit-logs"}}},
                things,
            )
            assert verdict(judged(settings), "TG201") == verdicts

    def test_nested_stacks_are_those_of_their_names(self) -> None:
        parent = {
            "Resources": {
                "Child": {
                    "Type": "AWS::CloudFormation::Stack",
                    "Properties": {"TemplateURL": "child.json", "Parameters": {"Bucket": "audit-logs"}},
                }
            }
        }
        child = f"{HERE}/root-Child-ABCDEF123456"
        things = [*LOGS, trail("root-Child-Trail", "audit-logs", f"{child}/Trail", IsLogging=False)]
        account({f"{HERE}/root": {"template": parent}, child: STACK}, things)
        template(parent, "root.json")
        template(WHOLE, "child.json")
        report = judged(Settings(select=("TG106", "TG203", "TG602")), paths=("t", "snap"), world=())
        told = {(item.rule.id, item.resource): item.verdict for item in report.results}
        assert told == {("TG106", "Trail"): "pass", ("TG203", "Trail"): "pass", ("TG602", "Trail"): "fail"}

    def test_a_nested_template_that_is_not_there_is_the_one_that_was_deployed(self) -> None:
        url = {"TemplateURL": "https://example.com/trail/child.json", "Parameters": {"Bucket": "audit-logs"}}
        parent = {"Resources": {"TrailStack": {"Type": "AWS::CloudFormation::Stack", "Properties": url}}}
        topic = {"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}}
        child = f"{HERE}/root-TrailStack-ABCDEF123456"
        template(parent, "root.json")
        account({f"{HERE}/root": {"template": parent}, f"{HERE}/other": STACK})
        assert {item.verdict for item in judged().results} == {"unknown"}  # a trail may be in it
        account({f"{HERE}/root": {"template": parent}, child: {"template": topic}})
        assert judged().results == ()
        account(
            {f"{HERE}/root": {"template": parent}, child: STACK}, [*LOGS, trail("main", "audit-logs", f"{child}/Trail")]
        )
        assert judged().results == ()  # there is one, which is judged where it lives
        report = judged(paths=("t", "snap"), world=())
        assert {item.resource for item in report.results if item.subject == "trail"} == {"TrailTrailMain"}

    def test_the_template_of_a_stack_set_is_that_of_its_instances(self) -> None:
        properties = {"StackSetName": {"Ref": "Name"}, "TemplateURL": "https://example.com/trail.json"}
        parent = {
            "Parameters": {"Name": {"Type": "String"}},
            "Resources": {"TrailSet": {"Type": "AWS::CloudFormation::StackSet", "Properties": properties}},
        }
        template(parent, "root.json")
        instance = f"444455556666/{REGION}/StackSet-org-trails-0a1b2c3d-0a1b-2c3d-4e5f-0a1b2c3d4e5f"
        root = {"template": parent, "parameters": {"Name": "org-trails"}}
        account({f"{HERE}/root": root})
        assert {item.verdict for item in judged().results} == {"unknown"}
        account({f"{HERE}/root": root, instance: {"template": {"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}}}})
        assert judged().results == ()


class TestDrift:
    def test_both_ways(self) -> None:
        changed = trail("audit-Trail-1A2B", "audit-logs", f"{AUDIT}/Trail", IsLogging=False)
        account({AUDIT: STACK}, [*LOGS, changed])
        template()
        settings = Settings(select=("TG602",))
        (here,) = judged(settings).results
        assert (here.verdict, here.place.file) == ("fail", "t/trail.json")
        assert here.message.startswith("Trail differs: IsLogging is true here and false in arn:aws:cloudtrail:")
        (there,) = judged(settings, ("snap",), ()).results
        assert (there.verdict, there.place.file) == ("fail", f"snap/{HERE}/existing-1.yaml")
        assert f"IsLogging is false and was true when stack {AUDIT} made it" in there.message

    def test_none(self) -> None:
        account({AUDIT: STACK})
        template()
        assert [item.verdict for item in judged(Settings(select=("TG602",))).results] == ["pass"]

    def test_a_reference_is_what_it_came_to(self) -> None:
        logs = {"Type": "AWS::S3::Bucket"}
        key = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
        given = {**TRAIL["Properties"], "S3BucketName": {"Ref": "Logs"}, "KMSKeyId": {"Fn::GetAtt": ["Key", "Arn"]}}
        whole = {"Resources": {"Logs": logs, "Key": {"Type": "AWS::KMS::Key"}, "Trail": {**TRAIL, "Properties": given}}}
        things = [
            bucket("x-logs", f"{AUDIT}/Logs"), thing("AWS::KMS::Key", key, {}, f"{AUDIT}/Key"),
            trail("t", "x-logs", f"{AUDIT}/Trail", KMSKeyId=key),
        ]  # fmt: skip
        account({AUDIT: {"template": whole}}, things)
        template(whole)
        assert [item.verdict for item in judged(Settings(select=("TG602",))).results] == ["pass"]
        things[2] = trail("t", "y-logs", f"{AUDIT}/Trail", KMSKeyId=key)
        account({AUDIT: {"template": whole}}, things)
        (finding,) = judged(Settings(select=("TG602",))).results
        assert "S3BucketName is x-logs here and y-logs in" in finding.message

    def test_without_a_snapshot_it_does_not_apply(self) -> None:
        template()
        (finding,) = judged(Settings(select=("TG602",)), world=()).results
        assert finding.verdict == "not_applicable"
