"""Templates and live trails judged with what a snapshot shows, whole: `trailguard scan` over folders."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from tests.snapshots import ACCOUNT, HERE, REGION, bucket, dumped, grants, policy, thing, trail, write
from trailguard import Report, Settings, scan
from trailguard.findings import Finding

OTHER = f"444455556666/{REGION}"
PLACE = Settings(account_id=ACCOUNT, region=REGION)
DAY = "(as of 2026-11-20)"
KEY_ID = "1234abcd-12ab-34cd-56ef-1234567890ab"
KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/{KEY_ID}"
TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT}:audit"
GROUP = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:audit"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/delivery/audit-writer"

TRAIL = """\
Parameters:
  Bucket: {Type: String, Default: ""}
Resources:
  Trail:
    Type: AWS::CloudTrail::Trail
    Properties:
      IsLogging: true
      IsMultiRegionTrail: true
      IncludeGlobalServiceEvents: true
      EnableLogFileValidation: true
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "t").mkdir()
    return tmp_path


def template(*properties: str, name: str = "trail.yaml", more: str = "") -> None:
    """Write a template with a trail, which lacks nothing but what is given."""
    lines = "".join(f"      {line}\n" for line in properties)
    Path("t", name).write_text(TRAIL + lines + more, encoding="utf-8")


def judged(settings: Settings = PLACE, paths: Sequence[str] = ("t",), world: Sequence[str] = ("snap",)) -> Report:
    """What is found, on the day after the snapshot."""
    report = scan(paths, settings, world=world, on="2026-11-21")
    assert not report.errors
    return report


def verdicts(report: Report, file: str = "t/trail.yaml") -> dict[str, str]:
    """The verdicts of the rules on a file, as the worst of each."""
    order = ("fail", "conditional", "unknown", "pass", "not_applicable")
    told = sorted(
        (item for item in report.results if item.place.file == file), key=lambda item: -order.index(item.verdict)
    )
    return {item.rule.id: item.verdict for item in told}


def found(report: Report, rule: str) -> Finding:
    """The one finding of a rule that is open."""
    (finding,) = (item for item in report.results if item.rule.id == rule and item.is_open)
    return finding


def is_settled(told: Mapping[str, str]) -> bool:
    """Tell whether nothing is open."""
    return {"fail", "conditional", "unknown"}.isdisjoint(told.values())


class TestWhatATemplateNames:
    def test_a_bucket_by_its_name(self) -> None:
        write(Path("snap"), {HERE: [bucket("audit-logs"), policy("audit-logs")]})
        template("S3BucketName: audit-logs")
        assert verdicts(judged(world=()))["TG203"] == "unknown"
        assert is_settled(verdicts(judged()))
        assert verdicts(judged())["TG104"] == "not_applicable"  # the policy is there, and nothing has to wait for it

    def test_by_a_parameter_that_is_given(self) -> None:
        write(Path("snap"), {HERE: [bucket("audit-logs"), policy("audit-logs")]})
        template("S3BucketName: !Ref Bucket")
        assert verdicts(judged())["TG203"] == "unknown"
        assert is_settled(verdicts(judged(PLACE._replace(parameters={"Bucket": "audit-logs"}))))

    def test_with_the_account_in_the_name(self) -> None:
        name = f"logs-{ACCOUNT}-{REGION}"
        write(Path("snap"), {HERE: [bucket(name), policy(name)]})
        template('S3BucketName: !Sub "logs-${AWS::AccountId}-${AWS::Region}"')
        assert is_settled(verdicts(judged()))
        assert verdicts(judged(Settings()))["TG203"] == "unknown"

    def test_a_policy_that_grants_nothing_is_told_at_the_template(self) -> None:
        acl, _ = grants("audit-logs")
        write(Path("snap"), {HERE: [bucket("audit-logs"), policy("audit-logs", [acl])]})
        template("S3BucketName: audit-logs")
        finding = found(judged(), "TG203")
        assert finding.verdict == "fail"
        assert (finding.place.file, finding.place.span.line) == ("t/trail.yaml", 11)
        assert finding.message.startswith(
            f"The policy of arn:aws:s3:::audit-logs {DAY}: no statement allows s3:PutObject"
        )
        (related,) = finding.related
        assert related.file == f"snap/{HERE}/existing-1.yaml"
        assert related.message == f"the policy of arn:aws:s3:::audit-logs {DAY}"
        lines = Path(related.file).read_text(encoding="utf-8").splitlines()
        assert lines[related.span.line - 1].strip() == "- Effect: Allow"

    def test_a_public_bucket_is_told_at_the_trail_that_names_it(self) -> None:
        everyone = {
            "Effect": "Allow",
            "Principal": "*",
            "Action": "s3:GetObject",
            "Resource": "arn:aws:s3:::audit-logs/*",
        }
        statements = [*grants("audit-logs"), everyone]
        write(Path("snap"), {HERE: [bucket("audit-logs"), policy("audit-logs", statements)]})
        template("S3BucketName: audit-logs")
        finding = found(judged(), "TG301")
        assert (finding.place.file, finding.place.span.line, finding.resource) == ("t/trail.yaml", 11, "Trail")
        assert f"arn:aws:s3:::audit-logs {DAY}" in finding.message

    def test_no_policy_is_none(self) -> None:
        write(Path("snap"), {HERE: [bucket("audit-logs")]})
        template("S3BucketName: audit-logs")
        assert verdicts(judged())["TG201"] == "fail"

    def test_the_whole_chain(self) -> None:
        write(
            Path("snap"), {HERE: [bucket("audit-logs"), policy("audit-logs"), *chain()], f"{ACCOUNT}/global": [role()]}
        )
        names = (f"KMSKeyId: {KEY}", f"SnsTopicName: {TOPIC}", f"CloudWatchLogsLogGroupArn: '{GROUP}:*'")
        template("S3BucketName: audit-logs", *names, f"CloudWatchLogsRoleArn: {ROLE}")
        told = verdicts(judged())
        assert is_settled(told)
        assert {told[rule] for rule in ("TG207", "TG208", "TG209")} == {"pass"}

    def test_a_key_by_its_alias(self) -> None:
        alias = thing(
            "AWS::KMS::Alias",
            f"arn:aws:kms:{REGION}:{ACCOUNT}:alias/audit",
            {"AliasName": "alias/audit", "TargetKeyId": KEY_ID},
        )
        write(Path("snap"), {HERE: [bucket("audit-logs"), policy("audit-logs"), *chain(), alias]})
        template("S3BucketName: audit-logs", "KMSKeyId: alias/audit")
        assert verdicts(judged())["TG207"] == "pass"

    def test_a_metric_filter_and_its_alarm(self) -> None:
        pattern = "{" + " || ".join(f"($.eventName={name})" for name in CALLS) + "}"
        filters = thing(
            "AWS::Logs::MetricFilter", f"{GROUP}:metric-filter/changes",
            {
                "FilterName": "changes", "LogGroupName": "audit", "FilterPattern": pattern,
                "MetricTransformations": [{"MetricName": "Changes", "MetricNamespace": "Audit", "MetricValue": "1"}],
            },
        )  # fmt: skip
        alarm = thing(
            "AWS::CloudWatch::Alarm", f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:trail changes",
            {
                "AlarmName": "trail changes", "Namespace": "Audit", "MetricName": "Changes", "Statistic": "Sum",
                "Threshold": 1, "Period": 300, "EvaluationPeriods": 1, "AlarmActions": [TOPIC],
                "ComparisonOperator": "GreaterThanOrEqualToThreshold",
            },
        )  # fmt: skip
        given = [bucket("audit-logs"), policy("audit-logs"), *chain()]
        template(
            "S3BucketName: audit-logs", f"CloudWatchLogsLogGroupArn: '{GROUP}:*'", f"CloudWatchLogsRoleArn: {ROLE}"
        )
        settings = PLACE._replace(select=("TG403",))
        for things, verdict in (((filters, alarm), "pass"), ((filters,), "fail"), ((), "fail")):
            write(Path("snap"), {HERE: [*given, *things], f"{ACCOUNT}/global": [role()]})
            assert verdicts(judged(settings))["TG403"] == verdict

    def test_what_no_snapshot_shows_stays_unknown(self) -> None:
        write(Path("snap"), {HERE: [bucket("audit-logs"), policy("audit-logs")]})
        template("S3BucketName: other-logs")
        finding = next(item for item in judged().results if item.rule.id == "TG203")
        assert finding.reason is not None
        assert finding.reason.endswith(f"no snapshot shows it in {HERE} {DAY}")


CALLS = ("CreateTrail", "UpdateTrail", "DeleteTrail", "StartLogging", "StopLogging")


def role() -> tuple[str, dict[str, object]]:
    """A role with which CloudTrail may write to the log group."""
    trust = {"Effect": "Allow", "Principal": {"Service": "cloudtrail.amazonaws.com"}, "Action": "sts:AssumeRole"}
    may = {"Effect": "Allow", "Action": ["logs:CreateLogStream", "logs:PutLogEvents"], "Resource": f"{GROUP}:*"}
    properties = {
        "RoleName": "audit-writer", "Path": "/delivery/",
        "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [trust]},
        "Policies": [{"PolicyName": "write", "PolicyDocument": {"Version": "2012-10-17", "Statement": [may]}}],
    }  # fmt: skip
    return thing("AWS::IAM::Role", ROLE, properties)


def chain() -> list[tuple[str, dict[str, object]]]:
    """A key, a topic and a log group of a trail."""
    root = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "kms:*", "Resource": "*"}
    service = {"Effect": "Allow", "Principal": {"Service": "cloudtrail.amazonaws.com"}}
    use = {**service, "Action": ["kms:GenerateDataKey*", "kms:DescribeKey"], "Resource": "*"}
    publish = {**service, "Action": "sns:Publish", "Resource": TOPIC}
    return [
        thing(
            "AWS::KMS::Key", KEY, {"KeyPolicy": {"Version": "2012-10-17", "Statement": [root, use]}, "Enabled": True}
        ),
        thing("AWS::SNS::Topic", TOPIC, {"TopicName": "audit"}),
        thing(
            "AWS::SNS::TopicPolicy",
            TOPIC,
            {"Topics": [TOPIC], "PolicyDocument": {"Version": "2012-10-17", "Statement": [publish]}},
        ),
        thing("AWS::Logs::LogGroup", GROUP, {"LogGroupName": "audit"}),
    ]


class TestWhatWinsAndWhatIsOne:
    def test_a_policy_in_the_template_takes_the_place_of_that_which_exists(self) -> None:
        write(Path("snap"), {HERE: [bucket("audit-logs"), policy("audit-logs")]})
        statements = json.dumps({"Version": "2012-10-17", "Statement": grants("audit-logs")[:1]})
        more = (
            "    DependsOn: Policy\n  Policy:\n    Type: AWS::S3::BucketPolicy\n"
            f"    Properties: {{Bucket: audit-logs, PolicyDocument: {statements}}}\n"
        )
        template("S3BucketName: audit-logs", more=more)
        told = verdicts(judged())
        assert (told["TG201"], told["TG203"], told["TG104"]) == ("pass", "fail", "pass")

    def test_a_bucket_of_the_same_name_in_the_template_is_the_one_that_exists(self) -> None:
        write(Path("snap"), {HERE: [bucket("audit-logs"), policy("audit-logs"), trail("main", "audit-logs")]})
        more = "  Logs:\n    Type: AWS::S3::Bucket\n    Properties: {BucketName: audit-logs}\n"
        template("S3BucketName: !Ref Logs", more=more)
        told = verdicts(judged())
        assert (told["TG201"], told["TG203"]) == ("pass", "pass")  # the policy exists, and stays

    def test_a_bucket_of_another_account_is_the_same_bucket(self) -> None:
        write(Path("snap"), {HERE: [], OTHER: [bucket("audit-logs"), policy("audit-logs")]})
        template("S3BucketName: audit-logs")
        assert is_settled(verdicts(judged()))

    def test_a_bucket_that_another_account_has_is_not_made_with_its_policy(self) -> None:
        write(Path("snap"), {HERE: [], OTHER: [bucket("audit-logs"), policy("audit-logs")]})
        more = "  Logs:\n    Type: AWS::S3::Bucket\n    Properties: {BucketName: audit-logs}\n"
        template("S3BucketName: !Ref Logs", more=more)
        assert verdicts(judged())["TG201"] == "fail"

    def test_a_topic_of_another_account_is_another_topic(self) -> None:
        name = f"arn:aws:sns:{REGION}:444455556666:audit"
        write(
            Path("snap"),
            {
                HERE: [bucket("audit-logs"), policy("audit-logs")],
                OTHER: [thing("AWS::SNS::Topic", name, {"TopicName": "audit"})],
            },
        )
        template("S3BucketName: audit-logs", "SnsTopicName: audit")
        assert verdicts(judged())["TG209"] == "unknown"
        template("S3BucketName: audit-logs", f"SnsTopicName: {name}")
        assert verdicts(judged())["TG209"] == "fail"  # it has no policy, and its own account is another one

    def test_a_live_trail_that_loses_its_policy_is_told_at_the_template(self) -> None:
        write(Path("snap"), {HERE: [bucket("audit-logs"), policy("audit-logs"), trail("main", "audit-logs")]})
        statements = json.dumps({"Version": "2012-10-17", "Statement": grants("audit-logs")[:1]})
        text = (
            "Resources:\n  Policy:\n    Type: AWS::S3::BucketPolicy\n"
            f"    Properties: {{Bucket: audit-logs, PolicyDocument: {statements}}}\n"
            "  T: {Type: AWS::CloudTrail::Trail, Properties: {S3BucketName: other, IsLogging: true}}\n"
        )
        Path("t/policy.yaml").write_text(text, encoding="utf-8")
        told = [item for item in judged().results if item.rule.id == "TG203" and item.verdict == "fail"]
        assert [(item.place.file, item.subject_file) for item in told] == [
            ("t/policy.yaml", f"snap/{HERE}/existing-1.yaml")
        ]

    def test_two_snapshots_are_one_world_and_the_newer_one_is_right(self) -> None:
        write(Path("snap"), {HERE: [bucket("audit-logs")]})
        write(Path("newer"), {HERE: [bucket("audit-logs"), policy("audit-logs")]}, taken="2026-11-20T09:00:00Z")
        write(Path("other"), {OTHER: [trail("main", "audit-logs", place=OTHER)]})
        template("S3BucketName: audit-logs")
        assert is_settled(verdicts(judged(world=("snap", "newer", "other"))))


class TestImports:
    def test_what_the_account_exports_is_known(self) -> None:
        export = {"account": ACCOUNT, "region": REGION, "name": "audit-Bucket", "value": "audit-logs", "stack": "audit"}
        write(
            Path("snap"),
            {HERE: [bucket("audit-logs"), policy("audit-logs", grants("audit-logs")[:1])]},
            exports=[export],
        )
        template("S3BucketName: !ImportValue audit-Bucket")
        finding = found(judged(), "TG203")
        assert finding.verdict == "fail"
        assert f"what stack {HERE}/audit {DAY} exports" in [item.message for item in finding.related]

    def test_an_export_of_another_region_is_none(self) -> None:
        export = {
            "account": ACCOUNT,
            "region": "us-east-1",
            "name": "audit-Bucket",
            "value": "audit-logs",
            "stack": "audit",
        }
        write(Path("snap"), {HERE: [bucket("audit-logs"), policy("audit-logs")]}, exports=[export])
        template("S3BucketName: !ImportValue audit-Bucket")
        assert verdicts(judged())["TG203"] == "unknown"

    def test_a_scanned_template_goes_before_an_export_that_is_there(self) -> None:
        export = {"account": ACCOUNT, "region": REGION, "name": "audit-Bucket", "value": "old-logs", "stack": "audit"}
        write(Path("snap"), {HERE: [bucket("old-logs"), policy("audit-logs"), bucket("audit-logs")]}, exports=[export])
        template("S3BucketName: !ImportValue audit-Bucket")
        Path("t/exporter.yaml").write_text(
            "Resources:\n  B: {Type: AWS::S3::Bucket, Properties: {BucketName: audit-logs}}\n"
            "Outputs:\n  Name: {Value: !Ref B, Export: {Name: audit-Bucket}}\n",
            encoding="utf-8",
        )
        assert is_settled(verdicts(judged()))

    def test_two_accounts_that_export_a_name_settle_nothing(self) -> None:
        exports = [
            {"account": account, "region": REGION, "name": "audit-Bucket", "value": "audit-logs", "stack": "audit"}
            for account in (ACCOUNT, "444455556666")
        ]
        write(Path("snap"), {HERE: [bucket("audit-logs"), policy("audit-logs")], OTHER: []}, exports=exports)
        template("S3BucketName: !ImportValue audit-Bucket")
        assert verdicts(judged(Settings()))["TG201"] == "unknown"
        assert verdicts(judged())["TG201"] == "pass"


class TestWhatIsLive:
    def live(self, *things: tuple[str, dict[str, object]], **more: object) -> Report:
        """What is found about an account by itself."""
        write(Path("snap"), {HERE: [bucket("audit-logs"), policy("audit-logs"), *things]}, **more)  # type: ignore[arg-type]
        return judged(Settings(), ["snap"], ())

    def test_trails_are_subjects(self) -> None:
        report = self.live(trail("main", "audit-logs"), trail("second", "audit-logs", IsLogging=False))
        finding = found(report, "TG106")
        arn = f"arn:aws:cloudtrail:{REGION}:{ACCOUNT}:trail/second"
        assert finding.message.startswith(f"IsLogging of {arn} {DAY} is false")
        assert sum(item.is_open for item in report.results) == 1
        assert report.status() == 1
        assert report.templates == 1

    def test_rules_about_templates_have_no_business_there(self) -> None:
        report = scan(
            [str(write(Path("s"), {HERE: [bucket("audit-logs"), policy("audit-logs"), trail("main", "audit-logs")]}))],
            Settings(profile="all"),
        )
        told = {item.rule.id: item.verdict for item in report.results}
        assert {told[rule] for rule in ("TG104", "TG210", "TG307", "TG309", "TG310")} == {"not_applicable"}

    def test_a_failed_last_delivery_fails(self) -> None:
        arn = f"arn:aws:cloudtrail:{REGION}:{ACCOUNT}:trail/main"
        failures = [{"arn": arn, "latest_delivery_error": "AccessDenied"}]
        finding = found(self.live(trail("main", "audit-logs"), trails=failures), "TG203")
        assert finding.verdict == "fail"
        message = f"The last delivery of log files of {arn} {DAY} failed with AccessDenied"
        assert finding.message.startswith(message)

    @pytest.mark.parametrize(
        ("key", "rule"),
        [
            ("latest_digest_delivery_error", "TG203"),
            ("latest_notification_error", "TG209"),
            ("latest_cloudwatch_logs_delivery_error", "TG208"),
        ],
    )
    def test_whatever_is_delivered(self, key: str, rule: str) -> None:
        arn = f"arn:aws:cloudtrail:{REGION}:{ACCOUNT}:trail/main"
        live = trail(
            "main", "audit-logs", SnsTopicName=TOPIC, CloudWatchLogsLogGroupArn=f"{GROUP}:*", CloudWatchLogsRoleArn=ROLE
        )
        write(
            Path("snap"),
            {HERE: [bucket("audit-logs"), policy("audit-logs"), *chain(), live], f"{ACCOUNT}/global": [role()]},
            trails=[{"arn": arn, key: "Refused"}],
        )
        report = judged(Settings(), ["snap"], ())
        assert [(item.rule.id, item.verdict) for item in report.results if item.is_open] == [(rule, "fail")]

    def test_what_could_not_be_read_stays_unknown(self) -> None:
        unread = {
            "Fn::Transform": {
                "Name": "TrailguardUnread",
                "Parameters": {"Reason": "s3:GetBucketPolicy was refused: AccessDenied"},
            }
        }
        write(Path("snap"), {HERE: [bucket("audit-logs"), policy("audit-logs", unread), trail("main", "audit-logs")]})
        report = judged(Settings(), ["snap"], ())
        told = {item.rule.id: item for item in report.results if item.verdict == "unknown"}
        assert {"TG202", "TG203"} <= told.keys()
        assert told["TG203"].reason == f"s3:GetBucketPolicy was refused: AccessDenied {DAY}"

    def test_what_was_not_listed_is_not_known_to_be_missing(self) -> None:
        reason = {
            "account": ACCOUNT,
            "region": REGION,
            "type": "AWS::S3::BucketPolicy",
            "reason": "not asked for (--only AWS::S3::Bucket)",
        }
        write(Path("snap"), {HERE: [bucket("audit-logs"), trail("main", "audit-logs")]}, unread=[reason])
        told = verdicts(judged(Settings(), ["snap"], ()), f"snap/{HERE}/existing-1.yaml")
        assert told["TG201"] == "unknown"

    def test_trails_of_two_accounts_that_share_a_bucket(self) -> None:
        statements = [*grants("audit-logs"), *grants("audit-logs", "444455556666")]
        write(
            Path("snap"),
            {
                HERE: [bucket("audit-logs"), policy("audit-logs", statements), trail("main", "audit-logs")],
                OTHER: [trail("other", "audit-logs", place=OTHER)],
            },
        )
        report = judged(Settings(), ["snap"], ())
        assert not [item for item in report.results if item.is_open]
        assert sum(item.rule.id == "TG203" for item in report.results) == 2

    @pytest.mark.parametrize(
        ("organization", "verdict"), [("o-abcde12345", "pass"), ("o-zyxwv98765", "fail"), ("", "pass")]
    )
    def test_the_organization_is_the_one_of_the_snapshot(self, organization: str, verdict: str) -> None:
        _, put = grants("audit-logs")
        mine = {**put, "Resource": "arn:aws:s3:::audit-logs/AWSLogs/o-abcde12345/*"}
        given = [bucket("audit-logs"), policy("audit-logs", [*grants("audit-logs"), mine])]
        live = trail("main", "audit-logs", IsOrganizationTrail=True)
        write(Path("snap"), {HERE: [*given, live]}, organization=organization)
        told = verdicts(judged(Settings(), ["snap"], ()), f"snap/{HERE}/existing-1.yaml")
        assert told["TG203"] == verdict

    def test_a_snapshot_below_a_folder_is_one(self) -> None:
        write(Path("t/deep/snap"), {HERE: [bucket("audit-logs"), policy("audit-logs"), trail("main", "audit-logs")]})
        template("S3BucketName: audit-logs")
        report = judged(PLACE, ["."], ())
        assert is_settled(verdicts(report))
        assert {item.resource for item in report.results if item.rule.id == "TG101"} == {"Trail", "TrailTrailMain"}

    def test_a_file_that_is_written_otherwise_is_read_too(self) -> None:
        things = dict([bucket("audit-logs"), policy("audit-logs"), trail("main", "audit-logs", IsLogging=False)])
        write(Path("snap"), {HERE: []})
        file = Path("snap", HERE, "existing-1.yaml")
        for text in (
            json.dumps({"Resources": things}, indent=1),
            dumped({"Resources": things}).replace("audit-logs", "&a audit-logs", 1),
        ):
            file.write_text(text, encoding="utf-8")
            finding = found(judged(Settings(), ["snap"], ()), "TG106")
            line = file.read_text(encoding="utf-8").splitlines()[finding.place.span.line - 1]
            assert "IsLogging" in line


def test_a_template_that_names_nothing_is_judged_as_without_a_snapshot() -> None:
    write(Path("snap"), {HERE: [bucket("audit-logs"), policy("audit-logs")]})
    more = "  Logs: {Type: AWS::S3::Bucket}\n"
    template("S3BucketName: !Ref Logs", more=more)
    with_one, without = judged(Settings()), judged(Settings(), world=())
    assert [item[1:7] for item in with_one.results] == [item[1:7] for item in without.results]


def test_nothing_of_boto3_is_imported() -> None:
    import subprocess
    import sys

    write(Path("snap"), {HERE: [bucket("audit-logs"), policy("audit-logs"), trail("main", "audit-logs")]})
    template("S3BucketName: audit-logs")
    code = (
        "import sys\nfrom trailguard import Settings, scan\nscan(['t'], Settings(), world=['snap'])\n"
        "assert not {'boto3', 'botocore', 'jsonschema'} & sys.modules.keys()\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
