"""Templates that speak of the same thing by its physical name are judged together."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trailguard.findings import Report
from trailguard.scanning import scan
from trailguard.settings.settings import Context, Settings

Body: TypeAlias = "dict[str, Any]"
ACCOUNT, REGION = "111122223333", "eu-west-1"
WATCHED = ("CreateTrail", "UpdateTrail", "DeleteTrail", "StartLogging", "StopLogging")
PLACE: dict[str, Any] = {"account_id": ACCOUNT, "region": REGION}
ORDER = {"TG104", "TG208"}  # nothing tells the order of stacks


def resource(kind: str, **properties: Any) -> Body:
    return {"Type": f"AWS::{kind}", "Properties": properties}


def bucket(name: Any = "central-logs", **properties: Any) -> Body:
    return resource("S3::Bucket", BucketName=name, **properties)


def policy(name: Any = "central-logs", keys: Any = "arn:aws:s3:::central-logs/*") -> Body:
    caller = {"Effect": "Allow", "Principal": {"Service": "cloudtrail.amazonaws.com"}}
    owned = {"StringEquals": {"s3:x-amz-acl": "bucket-owner-full-control"}}
    statements = [
        {**caller, "Action": "s3:GetBucketAcl", "Resource": "arn:aws:s3:::central-logs"},
        {**caller, "Action": "s3:PutObject", "Resource": keys, "Condition": owned},
    ]
    return resource("S3::BucketPolicy", Bucket=name, PolicyDocument={"Version": "2012-10-17", "Statement": statements})


def trail(name: Any = "central-logs", **more: Any) -> Body:
    flags = dict.fromkeys(
        ("IsLogging", "IsMultiRegionTrail", "IncludeGlobalServiceEvents", "EnableLogFileValidation"), True
    )
    return resource("CloudTrail::Trail", S3BucketName=name, **flags, **more)


def group() -> Body:
    return resource("Logs::LogGroup", LogGroupName="/audit/trail", RetentionInDays=400)


def metric_filter(group_name: str = "/audit/trail", metric: str = "Changes") -> Body:
    pattern = " || ".join(f"($.eventName = {name})" for name in WATCHED)
    counted = {"MetricName": metric, "MetricNamespace": "Audit", "MetricValue": "1"}
    return resource(
        "Logs::MetricFilter",
        LogGroupName=group_name,
        FilterPattern="{ " + pattern + " }",
        MetricTransformations=[counted],
    )


def alarm(**more: Any) -> Body:
    said = {"MetricName": "Changes", "Namespace": "Audit", "Statistic": "Sum", "Period": 300, "EvaluationPeriods": 1}
    acts = {"Threshold": 1, "ComparisonOperator": "GreaterThanOrEqualToThreshold", "AlarmActions": [TOPIC]}
    return resource("CloudWatch::Alarm", **{**said, **acts, **more})


TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT}:security"
GROUP = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/audit/trail:*"


@contextmanager
def folder(files: dict[str, Body]) -> Iterator[None]:
    """A folder with templates, by the names of their files: each some resources, or a whole template."""
    before = os.getcwd()
    with tempfile.TemporaryDirectory() as place:
        os.chdir(place)
        try:
            for name, body in files.items():
                whole = body if "Resources" in body else {"Resources": body}
                Path(name).write_text(json.dumps(whole))
            yield
        finally:
            os.chdir(before)


def scanned(files: dict[str, Body], paths: tuple[str, ...] = (".",), **more: Any) -> Report:
    with folder(files):
        return scan(paths, Settings(**more))


def verdicts(report: Report, rule: str) -> list[tuple[str, str]]:
    """The verdicts of a rule, each with the file that it points into."""
    assert report.errors == ()
    return [(item.verdict, item.place.file) for item in report.results if item.rule.id == rule]


# --- bucket, policy and trail -----------------------------------------------------------------------------------------

APART: dict[str, Body] = {
    "trail.json": {"Trail": trail()},
    "archive.json": {"Bucket": bucket()},
    "policy.json": {"Policy": policy()},
}


def test_a_bucket_and_its_policy_in_other_files_are_the_trails() -> None:
    report = scanned(APART)
    assert verdicts(report, "TG201") == [("pass", "policy.json")]
    assert verdicts(report, "TG203") == [("pass", "policy.json")]
    assert verdicts(report, "TG301") == [("pass", "archive.json")]
    assert verdicts(report, "TG104") == [("unknown", "trail.json")]


def test_a_missing_policy_is_missed_where_the_bucket_is_made() -> None:
    report = scanned({name: body for name, body in APART.items() if name != "policy.json"})
    assert verdicts(report, "TG201") == [("fail", "archive.json")]


def test_an_account_in_the_policy_may_be_another_one() -> None:
    keys = {"Fn::Sub": "arn:aws:s3:::central-logs/AWSLogs/${AWS::AccountId}/*"}
    files = {**APART, "policy.json": {"Policy": policy(keys=keys)}}
    assert verdicts(scanned(files), "TG203") == [("unknown", "policy.json")]
    assert verdicts(scanned(files, account_id=ACCOUNT), "TG203") == [("pass", "policy.json")]


BUCKETS: dict[str, tuple[Body, dict[str, Any], str]] = {
    "substituted": ({"Fn::Sub": "central-${P}"}, {"P": {"Type": "String", "AllowedValues": ["logs"]}}, "pass"),
    "joined": ({"Fn::Join": ["-", ["central", "logs"]]}, {}, "pass"),
    "by default": ({"Ref": "P"}, {"P": {"Type": "String", "Default": "central-logs"}}, "unknown"),
    "another": ({"Fn::Sub": "central-${P}"}, {"P": {"Type": "String", "AllowedValues": ["data"]}}, "unknown"),
    "anything": ({"Ref": "P"}, {"P": {"Type": "String"}}, "unknown"),
}


@pytest.mark.parametrize("name", BUCKETS)
def test_names_are_known_however_they_are_written(name: str) -> None:
    written, parameters, expected = BUCKETS[name]
    archive = {"Parameters": parameters, "Resources": {"Bucket": bucket(written), "Policy": policy({"Ref": "Bucket"})}}
    files = {"trail.json": {"Trail": trail()}, "archive.json": archive}
    ((found, _),) = verdicts(scanned(files), "TG201")
    assert found == expected


def test_a_context_gives_names() -> None:
    parameters = {"Name": {"Type": "String"}}
    files = {
        "trail.json": {"Parameters": parameters, "Resources": {"Trail": trail({"Ref": "Name"})}},
        "archive.json": {"Bucket": bucket(), "Policy": policy()},
    }
    context = Context("prod", ("*.json",), {"Name": "central-logs"})
    assert verdicts(scanned(files, contexts=(context,)), "TG201") == [("pass", "archive.json")]
    context = Context("dev", ("*.json",), {"Name": "other-logs"})
    assert verdicts(scanned(files, contexts=(context,)), "TG201") == [("unknown", "trail.json")]


# --- alternatives -----------------------------------------------------------------------------------------------------


def test_of_two_templates_that_make_a_bucket_either_may_be_meant() -> None:
    good, bad = {"Bucket": bucket(), "Policy": policy({"Ref": "Bucket"})}, {"Bucket": bucket()}
    trails = {"trail.json": {"Trail": trail()}}
    assert verdicts(scanned({**trails, "a.json": good, "b.json": good}), "TG201") == [("pass", "a.json")]
    report = scanned({**trails, "a.json": good, "b.json": bad})
    assert verdicts(report, "TG201") == [("unknown", "b.json")]
    (found,) = [item for item in report.results if item.rule.id == "TG201"]
    assert found.reason is not None
    assert "a.json:Bucket or Bucket, and only one of these templates can be deployed" in found.reason


def test_each_of_them_is_judged_by_itself() -> None:
    good = {"Bucket": bucket(), "Policy": policy({"Ref": "Bucket"}), "Trail": trail({"Ref": "Bucket"})}
    bad = {"Bucket": bucket(), "Trail": trail({"Ref": "Bucket"})}
    report = scanned({"a.json": good, "b.json": bad, "trail.json": {"Trail": trail()}})
    assert verdicts(report, "TG201") == [("pass", "a.json"), ("fail", "b.json"), ("unknown", "b.json")]


def test_copies_of_a_bucket_and_its_policy_are_no_two_policies_of_one_bucket() -> None:
    copies = {f"{name[:-5]}-copy.json": body for name, body in APART.items()}
    report = scanned({**APART, **copies})
    assert [item for item, _ in verdicts(report, "TG201")] == ["unknown", "unknown"]
    assert [item for item, _ in verdicts(report, "TG203")] == ["pass", "pass"]
    del copies["archive-copy.json"]  # one bucket, and two that put a policy on it
    assert [item for item, _ in verdicts(scanned({**APART, **copies}), "TG201")] == ["fail", "fail"]


# --- names of an account and a Region ---------------------------------------------------------------------------------

WATCHING: dict[str, Body] = {
    "trail.json": {"Group": group(), "Trail": trail(CloudWatchLogsLogGroupArn=GROUP, CloudWatchLogsRoleArn="x")},
    "filter.json": {"Filter": metric_filter()},
    "alarm.json": {"Alarm": alarm()},
}


def test_filters_and_alarms_in_other_files_watch_where_they_are_in_one_place() -> None:
    ((found, _),) = verdicts(scanned(WATCHING, profile="all"), "TG403")
    assert found == "unknown"
    ((found, _),) = verdicts(scanned(WATCHING, profile="all", account_id=ACCOUNT, region=REGION), "TG403")
    assert found == "pass"


def test_an_alarm_that_never_fires_is_found_in_its_file() -> None:
    files = {**WATCHING, "alarm.json": {"Alarm": alarm(AlarmActions=[])}}
    report = scanned(files, profile="all", account_id=ACCOUNT, region=REGION)
    assert verdicts(report, "TG403") == [("fail", "alarm.json")]


def keyed(name: str) -> dict[str, Body]:
    """A trail with a key, and the key with an alias in another file."""
    everything = [
        {"Effect": "Allow", "Principal": principal, "Action": "kms:*", "Resource": "*"}
        for principal in ({"Service": "cloudtrail.amazonaws.com"}, {"AWS": f"arn:aws:iam::{ACCOUNT}:root"})
    ]
    key = resource("KMS::Key", KeyPolicy={"Version": "2012-10-17", "Statement": everything})
    alias = resource("KMS::Alias", AliasName="alias/audit", TargetKeyId={"Ref": "Key"})
    return {"trail.json": {"Trail": trail(KMSKeyId=name)}, "key.json": {"Key": key, "Alias": alias}}


@pytest.mark.parametrize("name", ["alias/audit", f"arn:aws:kms:{REGION}:{ACCOUNT}:alias/audit"])
def test_an_alias_of_another_stack_may_be_there_already(name: str) -> None:
    report = scanned(keyed(name), **PLACE)
    (found,) = [item for item in report.results if item.rule.id == "TG207"]
    assert (found.verdict, found.place.file) == ("unknown", "trail.json")
    assert found.reason is not None
    assert "chooses the order" in found.reason


@pytest.mark.parametrize("name", ["audit", f"arn:aws:sns:{REGION}:{ACCOUNT}:audit"])
def test_a_topic_of_another_stack_may_be_there_already(name: str) -> None:
    allowed = {"Effect": "Allow", "Principal": {"Service": "cloudtrail.amazonaws.com"}, "Action": "sns:Publish"}
    document = {"Version": "2012-10-17", "Statement": [{**allowed, "Resource": "*"}]}
    files = {
        "trail.json": {"Trail": trail(SnsTopicName=name)},
        "topic.json": {"Topic": resource("SNS::Topic", TopicName="audit")},
        "policy.json": {"Policy": resource("SNS::TopicPolicy", Topics=[TOPIC[:-8] + "audit"], PolicyDocument=document)},
    }
    report = scanned(files, **PLACE)
    (found,) = [item for item in report.results if item.rule.id == "TG209"]
    assert (found.verdict, found.place.file) == ("unknown", "trail.json")
    assert "nothing in the templates says whether" in found.message.lower()


def test_an_alias_of_another_account_is_another_one() -> None:
    report = scanned(keyed(f"arn:aws:kms:{REGION}:999999999999:alias/audit"), **PLACE)
    (found,) = [item for item in report.results if item.rule.id == "TG207"]
    assert (found.verdict, found.message) == ("unknown", "The key of Trail is made elsewhere")


@pytest.mark.parametrize("name", ["/audit/trail", "ct", "c"])
@pytest.mark.parametrize("metric", ["Changes", "C", "Changes of trails", "Trails, by name (4.5) [all]"])
@pytest.mark.parametrize("is_default", [False, True])
def test_names_of_any_length_and_of_several_words_are_found(name: str, metric: str, is_default: bool) -> None:
    said: Any = {"Ref": "Metric"} if is_default else metric
    parameters = {"Metric": {"Type": "String", "Default": metric}}
    files: dict[str, Body] = {
        "trail.json": {"Trail": trail(CloudWatchLogsLogGroupArn=GROUP.replace("/audit/trail", name))},
        "group.json": {"Group": resource("Logs::LogGroup", LogGroupName=name, RetentionInDays=7)},
        "filter.json": {"Filter": metric_filter(name, metric)},
        "alarm.json": {"Parameters": parameters, "Resources": {"Alarm": alarm(MetricName=said, AlarmActions=[])}},
    }
    report = scanned(files, select=("TG402", "TG403"), account_id=ACCOUNT, region=REGION)
    assert verdicts(report, "TG402") == [("fail", "group.json")]
    assert verdicts(report, "TG403") == [("fail", "alarm.json")]


WRITTEN: list[tuple[Any, Body]] = [
    ({"Fn::FindInMap": ["M", "All", "Name"]}, {"Mappings": {"M": {"All": {"Name": "ct"}}}}),
    ({"Fn::Select": [1, ["x", "ct"]]}, {}),
    ({"Fn::Join": ["", ["c", "t"]]}, {}),
    ({"Fn::Sub": "ct"}, {}),
    ({"Fn::Sub": "c${P}"}, {"Parameters": {"P": {"Type": "String", "Default": "t"}}}),
    ({"Fn::Sub": "${P}"}, {"Parameters": {"P": {"Type": "String", "Default": "ct"}}}),
    ({"Fn::Sub": ["${P}t", {"P": "c"}]}, {}),
    ({"Ref": "P"}, {"Parameters": {"P": {"Type": "String", "AllowedValues": ["ct"]}}}),
]


@pytest.mark.parametrize(("name", "more"), WRITTEN, ids=range(len(WRITTEN)))
def test_a_name_of_one_word_is_found_however_it_is_written(name: Any, more: Body) -> None:
    made = {"Group": resource("Logs::LogGroup", LogGroupName=name, RetentionInDays=7)}
    used = {"Trail": trail(CloudWatchLogsLogGroupArn=GROUP.replace("/audit/trail", "ct"))}
    report = scanned({"trail.json": used, "group.json": {**more, "Resources": made}}, profile="all", **PLACE)
    assert ("fail", "group.json") in verdicts(report, "TG402")


# --- cuts -------------------------------------------------------------------------------------------------------------

PARTS: dict[str, list[Body]] = {
    "Trail": [trail(CloudWatchLogsLogGroupArn=GROUP, CloudWatchLogsRoleArn="x"), trail()],
    "Bucket": [bucket(), bucket("other-logs"), bucket(ObjectLockEnabled=True)],
    "Policy": [policy(), policy("other-logs"), policy(keys="arn:aws:s3:::central-logs/elsewhere/*")],
    "Group": [group()],
    "Filter": [metric_filter()],
    "Alarm": [alarm(), alarm(Namespace="Other"), alarm(AlarmActions=[])],
}


@st.composite
def cuts(draw: st.DrawFn) -> tuple[Body, dict[str, Body]]:
    """Some resources in one template, and in several."""
    chosen = {
        name: draw(st.sampled_from(bodies)) for name, bodies in PARTS.items() if name == "Trail" or draw(st.booleans())
    }
    files: dict[str, Body] = {}
    for name, body in chosen.items():
        files.setdefault(f"{draw(st.sampled_from('abcd'))}.json", {})[name] = body
    return chosen, files


@given(cuts())
@settings(max_examples=40, deadline=None)
def test_a_world_that_is_cut_into_files_is_the_same_world(cut: tuple[Body, dict[str, Body]]) -> None:
    whole, files = cut

    def told(report: Report) -> list[tuple[str, str, str]]:
        assert report.errors == ()
        found = (item for item in report.results if item.rule.id not in ORDER)
        return sorted((item.rule.id, item.resource, item.verdict) for item in found)

    expected = told(scanned({"whole.json": whole}, profile="all", **PLACE))
    assert told(scanned(files, profile="all", **PLACE)) == expected
    assert told(scanned(files, paths=tuple(files), profile="all", **PLACE)) == expected
