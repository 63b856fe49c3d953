"""A snapshot of an account that moto's server plays, asked over HTTP."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from tests.account.aws import ACCOUNT, OTHER_REGION, REGION, SECRET, STORE, TOPIC, TRAIL
from tests.account.front import Answer, Call, Front, as_json
from tests.account.taking import files, linted, resources, taken, templates, unread
from trailguard.account.kinds import KINDS

pytestmark = pytest.mark.aws


def test_everything_is_there_in_the_shape_of_templates(front: Front, tmp_path: Path) -> None:
    record = taken(tmp_path / "it")
    found = resources(tmp_path / "it")
    assert record["refused"] == record["unread"] == record["missing"] == []
    assert record["by"].startswith(f"arn:aws:sts::{ACCOUNT}:")
    assert record["accounts"] == {ACCOUNT: {"entered": True, "regions": [REGION]}}
    kinds = {kind for kind, _ in found}
    lacking = {"AWS::CloudTrail::EventDataStore", "AWS::KMS::ReplicaKey", "AWS::CloudWatch::CompositeAlarm"}
    assert kinds == {each for name, kind in KINDS.items() for each in kind.types if name != "stacks"} - lacking
    trail = found["AWS::CloudTrail::Trail", TRAIL]["Properties"]
    (key,) = (arn for (kind, arn), one in found.items() if kind == "AWS::KMS::Key" and one["Properties"]["Enabled"])
    assert trail == {
        "TrailName": "org-audit",
        "S3BucketName": "audit-logs",
        "S3KeyPrefix": "",
        "SnsTopicName": TOPIC,
        "IncludeGlobalServiceEvents": True,
        "IsMultiRegionTrail": True,
        "IsOrganizationTrail": False,
        "EnableLogFileValidation": True,
        "CloudWatchLogsLogGroupArn": f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/audit/trail:*",
        "CloudWatchLogsRoleArn": f"arn:aws:iam::{ACCOUNT}:role/audit/trail-to-logs",
        "KMSKeyId": key,
        "EventSelectors": [
            {
                "ReadWriteType": "All",
                "IncludeManagementEvents": True,
                "DataResources": [{"Type": "AWS::S3::Object", "Values": ["arn:aws:s3"]}],
            }
        ],
        "InsightSelectors": [{"InsightType": "ApiCallRateInsight"}],
        "IsLogging": True,
    }
    assert found["AWS::IAM::Role", trail["CloudWatchLogsRoleArn"]]["place"] == f"{ACCOUNT}/global"


def test_buckets_have_all_their_settings(front: Front, tmp_path: Path) -> None:
    taken(tmp_path / "it", "--only", "buckets")
    found = resources(tmp_path / "it")
    names = ("access-logs", "audit-logs", "locked", "made-by-stack", "plain")
    assert {one["Properties"]["BucketName"] for (kind, _), one in found.items() if kind == "AWS::S3::Bucket"} == {
        *names
    }
    audit = found["AWS::S3::Bucket", "arn:aws:s3:::audit-logs"]["Properties"]
    assert audit["VersioningConfiguration"] == {"Status": "Enabled"}
    assert audit["OwnershipControls"] == {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
    assert set(audit["PublicAccessBlockConfiguration"].values()) == {True}
    assert audit["LoggingConfiguration"] == {"DestinationBucketName": "access-logs", "LogFilePrefix": "s3/"}
    assert audit["LifecycleConfiguration"]["Rules"] == [
        {
            "Id": "old",
            "Status": "Enabled",
            "Prefix": "AWSLogs/",
            "TagFilters": [{"Key": "k", "Value": "v"}],
            "ExpirationInDays": 3650,
            "Transitions": [{"StorageClass": "GLACIER", "TransitionInDays": 90}],
            "NoncurrentVersionExpiration": {"NoncurrentDays": 30},
            "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7},
        },
        {"Id": "off", "Status": "Disabled", "ExpiredObjectDeleteMarker": True},
    ]
    (rule,) = audit["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert rule["BucketKeyEnabled"] is True
    assert rule["ServerSideEncryptionByDefault"]["SSEAlgorithm"] == "aws:kms"
    assert "AccessControl" not in audit
    assert found["AWS::S3::Bucket", "arn:aws:s3:::plain"]["Properties"] == {"BucketName": "plain"}
    locked = found["AWS::S3::Bucket", "arn:aws:s3:::locked"]["Properties"]
    assert locked["ObjectLockEnabled"] is True
    retention = {"DefaultRetention": {"Mode": "GOVERNANCE", "Days": 30}}
    assert locked["ObjectLockConfiguration"] == {"ObjectLockEnabled": "Enabled", "Rule": retention}
    access = found["AWS::S3::Bucket", "arn:aws:s3:::access-logs"]["Properties"]
    assert access["AccessControl"] == "LogDeliveryWrite"
    allowed, *_ = found["AWS::S3::BucketPolicy", "arn:aws:s3:::audit-logs"]["Properties"]["PolicyDocument"]["Statement"]
    assert allowed["Action"] == "s3:GetBucketAcl"


def test_cfn_lint_accepts_every_template(front: Front, tmp_path: Path) -> None:
    taken(tmp_path / "it")
    assert templates(tmp_path / "it")
    assert linted(tmp_path / "it") == ""


def test_an_unchanged_account_gives_the_same_bytes(front: Front, tmp_path: Path) -> None:
    taken(tmp_path / "one")
    taken(tmp_path / "two")
    before = {path: (tmp_path / "one" / path).stat().st_mtime_ns for path in files(tmp_path / "one")}
    taken(tmp_path / "one")
    assert files(tmp_path / "one") == files(tmp_path / "two")
    after = {path: (tmp_path / "one" / path).stat().st_mtime_ns for path in before}
    assert after == before  # what says the same is not even written again


def test_no_secrets(front: Front, tmp_path: Path) -> None:
    """Neither a NoEcho parameter, nor what an event rule sends, nor what other resources of a stack are given."""
    taken(tmp_path / "it")
    told = "".join(path.read_text(encoding="utf-8") for path in (tmp_path / "it").rglob("*") if path.is_file())
    assert "made-by-stack" in told
    assert SECRET not in told
    assert not [call for call in front.calls if call.name == "s3:GetObject"]


def test_stacks_say_how_they_were_deployed(front: Front, tmp_path: Path) -> None:
    taken(tmp_path / "it")
    world = yaml.safe_load((tmp_path / "it" / "world.yaml").read_text(encoding="utf-8"))
    stack = f"{ACCOUNT}/{REGION}/audit"
    assert world["exports"] == [
        {"account": ACCOUNT, "region": REGION, "name": "stack-bucket-name", "value": "made-by-stack", "stack": "audit"}
    ]
    contexts = {context["name"]: context for context in world["contexts"]}
    assert [*contexts] == [f"{ACCOUNT}/{REGION}", stack, f"{ACCOUNT}/global"]
    assert contexts[stack] == {
        "name": stack,
        "templates": [f"{ACCOUNT}/{REGION}/stacks/audit.json"],
        "account_id": ACCOUNT,
        "region": REGION,
        "parameters": {"Name": "made-by-stack"},
    }
    assert contexts[f"{ACCOUNT}/global"]["templates"] == [f"{ACCOUNT}/global/existing-*.yaml"]
    made = resources(tmp_path / "it")["AWS::S3::Bucket", "arn:aws:s3:::made-by-stack"]["Metadata"]["trailguard"]
    assert made == {"arn": "arn:aws:s3:::made-by-stack", "stack": stack, "logical_id": "LogBucket"}


def test_roles_have_their_trust_and_their_permissions(front: Front, tmp_path: Path) -> None:
    taken(tmp_path / "it", "--only", "AWS::IAM::Role")
    found = resources(tmp_path / "it")
    role = found["AWS::IAM::Role", f"arn:aws:iam::{ACCOUNT}:role/audit/trail-to-logs"]["Properties"]
    assert role["Path"] == "/audit/"
    assert role["ManagedPolicyArns"] == [f"arn:aws:iam::{ACCOUNT}:policy/audit/more"]
    assert role["Policies"][0]["PolicyDocument"]["Statement"][0]["Action"] == [
        "logs:CreateLogStream",
        "logs:PutLogEvents",
    ]
    assert role["AssumeRolePolicyDocument"]["Statement"][0]["Principal"] == {"Service": "cloudtrail.amazonaws.com"}
    assert {arn for kind, arn in found if kind == "AWS::IAM::ManagedPolicy"} == set(role["ManagedPolicyArns"])


def test_a_key_that_is_going_to_be_deleted_says_so(front: Front, tmp_path: Path) -> None:
    taken(tmp_path / "it", "--only", "keys")
    keys = [one for (kind, _), one in resources(tmp_path / "it").items() if kind == "AWS::KMS::Key"]
    assert sorted((key["Properties"]["Enabled"], key["Metadata"]["trailguard"].get("state")) for key in keys) == [
        (False, "PendingDeletion"),
        (True, None),
    ]


def failing(call: Call) -> Answer | None:
    """A trail that has not been able to deliver."""
    if call.name != "cloudtrail:GetTrailStatus":
        return None
    return as_json(
        {
            "IsLogging": True,
            "LatestDeliveryTime": 1790000000,
            "LatestDeliveryError": "AccessDenied",
            "LatestDigestDeliveryTime": 1790000001,
            "LatestNotificationError": "AuthorizationError",
            "LatestCloudWatchLogsDeliveryTime": 1790000002,
            "StartLoggingTime": 1780000000,
        }
    )


def test_a_trail_that_fails_to_deliver_is_told(
    front: Front, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with front.replying(failing):
        record = taken(tmp_path / "it", "--only", "trails")
    assert record["trails"] == [
        {
            "arn": TRAIL,
            "account": ACCOUNT,
            "region": REGION,
            "is_logging": True,
            "latest_delivery_time": "2026-09-21T14:13:20Z",
            "latest_delivery_error": "AccessDenied",
            "latest_digest_delivery_time": "2026-09-21T14:13:21Z",
            "latest_notification_error": "AuthorizationError",
            "latest_cloudwatch_logs_delivery_time": "2026-09-21T14:13:22Z",
            "start_logging_time": "2026-05-28T20:26:40Z",
        }
    ]
    said = capsys.readouterr().err
    assert f"warning: {TRAIL} has not delivered since 2026-09-21T14:13:20Z" in said
    assert "log files to S3: AccessDenied; notifications to SNS: AuthorizationError" in said


def stores(call: Call) -> Answer | None:
    """Two event data stores, on two pages; the second was deleted in between."""
    second = STORE.replace("0ec5fd28", "1ec5fd28")
    match call.name.partition(":")[2]:
        case "ListEventDataStores" if call.says("page-2"):
            return as_json({"EventDataStores": [{"EventDataStoreArn": second, "Name": "gone"}]})
        case "ListEventDataStores":
            return as_json({"EventDataStores": [{"EventDataStoreArn": STORE, "Name": "lake"}], "NextToken": "page-2"})
        case "GetEventDataStore" if call.says(second):
            body = b'{"__type": "EventDataStoreNotFoundException", "message": "no"}'
            return Answer(400, body, {"Content-Type": "application/x-amz-json-1.1"})
        case "GetEventDataStore":
            selector = {"Name": "all", "FieldSelectors": [{"Field": "eventCategory", "Equals": ["Management"]}]}
            return as_json(
                {
                    "EventDataStoreArn": STORE,
                    "Name": "lake",
                    "Status": "STOPPED_INGESTION",
                    "AdvancedEventSelectors": [selector],
                    "MultiRegionEnabled": True,
                    "OrganizationEnabled": False,
                    "RetentionPeriod": 2557,
                    "TerminationProtectionEnabled": True,
                    "BillingMode": "EXTENDABLE_RETENTION_PRICING",
                    "CreatedTimestamp": 1780000000,
                }
            )
        case "GetInsightSelectors" if call.says("eventdatastore"):
            body = b'{"__type": "InsightNotEnabledException", "message": "no"}'
            return Answer(400, body, {"Content-Type": "application/x-amz-json-1.1"})
    return None


def test_event_data_stores(front: Front, tmp_path: Path) -> None:
    with front.replying(stores):
        record = taken(tmp_path / "it", "--only", "stores")
    assert record["refused"] == []
    ((key, store),) = resources(tmp_path / "it").items()
    assert key == ("AWS::CloudTrail::EventDataStore", STORE)
    assert store["Properties"] == {
        "Name": "lake",
        "AdvancedEventSelectors": [
            {"Name": "all", "FieldSelectors": [{"Field": "eventCategory", "Equals": ["Management"]}]}
        ],
        "MultiRegionEnabled": True,
        "OrganizationEnabled": False,
        "RetentionPeriod": 2557,
        "TerminationProtectionEnabled": True,
        "BillingMode": "EXTENDABLE_RETENTION_PRICING",
        "IngestionEnabled": False,
    }
    assert linted(tmp_path / "it") == ""


def test_several_regions_and_all(front: Front, tmp_path: Path) -> None:
    taken(tmp_path / "two", "--only", "buckets", "--aws-region", REGION, "--aws-region", OTHER_REGION)
    assert (
        resources(tmp_path / "two")["AWS::S3::Bucket", "arn:aws:s3:::over-there"]["place"]
        == f"{ACCOUNT}/{OTHER_REGION}"
    )
    record = taken(tmp_path / "all", "--only", "alarms", "--all-regions")
    assert len(record["accounts"][ACCOUNT]["regions"]) > 10
    assert record["asked"]["regions"] == "all"


def test_what_was_not_asked_is_not_taken_for_absent(front: Front, tmp_path: Path) -> None:
    record = taken(tmp_path / "it", "--only", "trails,buckets")
    reasons = {(each["region"], each["type"]): each["reason"] for each in record["unread"]}
    assert reasons[REGION, "AWS::Logs::MetricFilter"] == "it was not asked for (--only)"
    assert reasons["global", "AWS::IAM::Role"] == "it was not asked for (--only)"
    assert (REGION, "AWS::S3::Bucket") not in reasons


def test_a_trail_is_read_at_its_home(front: Front, tmp_path: Path) -> None:
    """Who asks another Region sees the trail there too; it is written once, with its bucket and its key."""
    record = taken(tmp_path / "it", "--aws-region", OTHER_REGION)
    found = resources(tmp_path / "it")
    home = f"{ACCOUNT}/{REGION}"
    assert found["AWS::CloudTrail::Trail", TRAIL]["place"] == home
    assert found["AWS::S3::Bucket", "arn:aws:s3:::audit-logs"]["place"] == home
    assert found["AWS::S3::Bucket", "arn:aws:s3:::access-logs"]["place"] == home
    assert ("AWS::S3::Bucket", "arn:aws:s3:::plain") not in found
    kinds = [kind for kind, _ in found if found[kind, _]["place"] == home]
    assert kinds.count("AWS::KMS::Key") == 1
    assert {"AWS::SNS::Topic", "AWS::Logs::LogGroup", "AWS::Logs::MetricFilter"} <= set(kinds)
    assert record["trails"][0]["arn"] == TRAIL
    assert record["missing"] == []


def test_what_is_unread_is_marked(front: Front, tmp_path: Path) -> None:
    refuse = {"s3:GetBucketVersioning", "s3:GetBucketPolicy", "kms:GetKeyPolicy", "cloudtrail:GetTrailStatus"}
    with front.replying(lambda call: denied(call) if call.name in refuse else None):
        record = taken(tmp_path / "it")
    found = resources(tmp_path / "it")
    bucket = found["AWS::S3::Bucket", "arn:aws:s3:::audit-logs"]["Properties"]
    assert unread(bucket["VersioningConfiguration"]) == "s3:GetBucketVersioning was refused: AccessDenied"
    policy = found["AWS::S3::BucketPolicy", "arn:aws:s3:::audit-logs"]["Properties"]["PolicyDocument"]
    assert unread(policy) == "s3:GetBucketPolicy was refused: AccessDenied"
    trail = found["AWS::CloudTrail::Trail", TRAIL]["Properties"]
    assert unread(trail["IsLogging"]) == "cloudtrail:GetTrailStatus was refused: AccessDeniedException"
    assert record["trails"][0]["unread"] == "cloudtrail:GetTrailStatus was refused: AccessDeniedException"
    assert {each["call"] for each in record["refused"]} == refuse
    assert linted(tmp_path / "it") == ""


def denied(call: Call) -> Answer:
    from tests.account.front import error

    code = "AccessDenied" if call.name.startswith(("s3:", "sns:", "iam:")) else "AccessDeniedException"
    return error(call, 403, code)


COMPOSITE = f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:any"
REPLICA = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/mrk-0123456789abcdef0123456789abcdef"


def composite(call: Call) -> Answer | None:
    """An alarm that is made of others, and one on a search of metrics; moto answers no such call over HTTP."""
    if call.name != "cloudwatch:DescribeAlarms":
        return None
    metric = {"Namespace": "Audit", "MetricName": "Changes", "Dimensions": [{"Name": "Account", "Value": ACCOUNT}]}
    stat = {"Metric": metric, "Period": 300, "Stat": "Sum"}
    queries = [
        {"Id": "m1", "MetricStat": stat, "ReturnData": False},
        {"Id": "e1", "Expression": "m1 * 2", "Label": "twice", "ReturnData": True},
    ]
    many = {
        "AlarmName": "twice",
        "AlarmArn": COMPOSITE.replace(":any", ":twice"),
        "ActionsEnabled": True,
        "AlarmActions": [TOPIC],
        "OKActions": [],
        "InsufficientDataActions": [],
        "StateValue": "OK",
        "EvaluationPeriods": 3,
        "DatapointsToAlarm": 2,
        "Threshold": 0.5,
        "ComparisonOperator": "GreaterThanThreshold",
        "Metrics": queries,
    }
    together = {
        "AlarmName": "any",
        "AlarmArn": COMPOSITE,
        "ActionsEnabled": False,
        "AlarmActions": [TOPIC],
        "AlarmRule": "ALARM(twice) OR ALARM(changes)",
        "StateValue": "ALARM",
    }
    return as_json({"MetricAlarms": [many], "CompositeAlarms": [together]})


def test_alarms_that_are_made_of_others(front: Front, tmp_path: Path) -> None:
    with front.replying(composite):
        taken(tmp_path / "it", "--only", "alarms")
    found = resources(tmp_path / "it")
    assert found["AWS::CloudWatch::CompositeAlarm", COMPOSITE]["Properties"] == {
        "AlarmName": "any",
        "ActionsEnabled": False,
        "AlarmActions": [TOPIC],
        "AlarmRule": "ALARM(twice) OR ALARM(changes)",
    }
    alarm = found["AWS::CloudWatch::Alarm", COMPOSITE.replace(":any", ":twice")]["Properties"]
    assert [query["Id"] for query in alarm["Metrics"]] == ["m1", "e1"]
    assert (alarm["Threshold"], alarm["DatapointsToAlarm"]) == (0.5, 2)
    assert "StateValue" not in alarm
    assert linted(tmp_path / "it") == ""


def replicated(call: Call) -> Answer | None:
    """A key that is a replica of one in another Region, and one that AWS manages."""
    managed = REPLICA.replace("mrk-0", "0")
    match call.name:
        case "kms:ListKeys":
            return as_json({"Keys": [{"KeyId": arn.rpartition("/")[2], "KeyArn": arn} for arn in (REPLICA, managed)]})
        case "kms:DescribeKey":
            told = {"KeyId": REPLICA.rpartition("/")[2], "Arn": REPLICA, "Enabled": True, "KeyState": "Enabled"}
            if call.says(managed):
                return as_json({"KeyMetadata": told | {"KeyManager": "AWS", "Arn": managed}})
            primary = {"Arn": REPLICA.replace(REGION, OTHER_REGION), "Region": OTHER_REGION}
            copies = {"MultiRegionKeyType": "REPLICA", "PrimaryKey": primary, "ReplicaKeys": []}
            more = {"MultiRegion": True, "MultiRegionConfiguration": copies, "KeyManager": "CUSTOMER"}
            return as_json({"KeyMetadata": told | more})
        case "kms:GetKeyPolicy":
            return as_json({"Policy": '{"Version": "2012-10-17", "Statement": []}'})
        case "kms:ListAliases":
            aliases = [{"AliasName": "alias/aws/s3", "AliasArn": "a", "TargetKeyId": "k"}]
            return as_json({"Aliases": [*aliases, {"AliasName": "alias/idle", "AliasArn": "b"}]})
    return None


def test_a_key_that_is_a_replica(front: Front, tmp_path: Path) -> None:
    with front.replying(replicated):
        record = taken(tmp_path / "it", "--only", "keys")
    ((key, replica),) = resources(tmp_path / "it").items()
    assert key == ("AWS::KMS::ReplicaKey", REPLICA)
    assert replica["Properties"] == {
        "Enabled": True,
        "PrimaryKeyArn": REPLICA.replace(REGION, OTHER_REGION),
        "KeyPolicy": {"Version": "2012-10-17", "Statement": []},
    }
    assert record["refused"] == []
    assert "kms:GetKeyRotationStatus" not in {call.name for call in front.calls}


def test_what_was_listed_and_is_gone(front: Front, tmp_path: Path) -> None:
    """A bucket, a topic, a stack are deleted between the list and the look at them."""
    from tests.account.front import error

    gone = {
        "s3:GetBucketVersioning": (404, "NoSuchBucket"),
        "sns:GetTopicAttributes": (404, "NotFound"),
        "cloudformation:ListStackResources": (400, "ValidationError"),
        "kms:DescribeKey": (400, "NotFoundException"),
        "events:ListTargetsByRule": (400, "ResourceNotFoundException"),
        "cloudtrail:GetTrailStatus": (400, "TrailNotFoundException"),
    }
    with front.replying(lambda call: error(call, *gone[call.name]) if call.name in gone else None):
        record = taken(tmp_path / "it")
    assert record["refused"] == record["unread"] == []
    kinds = {kind for kind, _ in resources(tmp_path / "it")}
    assert kinds == {
        "AWS::CloudWatch::Alarm",
        "AWS::IAM::ManagedPolicy",
        "AWS::IAM::Role",
        "AWS::KMS::Alias",
        "AWS::Logs::LogGroup",
        "AWS::Logs::MetricFilter",
    }


def protected(call: Call) -> Answer | None:
    """A log group with all its settings; moto knows fewer."""
    name = "/audit/trail"
    if call.name == "logs:DescribeLogGroups":
        group = {"logGroupName": name, "logGroupClass": "STANDARD", "deletionProtectionEnabled": True}
        key = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/0"
        return as_json({"logGroups": [group | {"retentionInDays": 400, "kmsKeyId": key}]})
    if call.name == "logs:DescribeMetricFilters":
        counted = {"metricName": "M", "metricNamespace": "N", "metricValue": "1", "unit": "Count"}
        told = {
            "filterName": "f",
            "logGroupName": name,
            "filterPattern": "",
            "metricTransformations": [counted | {"dimensions": {"b": "$.b", "a": "$.a"}}],
            "applyOnTransformedLogs": True,
            "fieldSelectionCriteria": '@aws.region = "eu-west-1"',
            "emitSystemFieldDimensions": ["@aws.account"],
        }
        return as_json({"metricFilters": [told]})
    return None


def test_log_groups_and_filters_have_all_their_settings(front: Front, tmp_path: Path) -> None:
    with front.replying(protected):
        taken(tmp_path / "it", "--only", "logs")
    group, told = (one["Properties"] for one in resources(tmp_path / "it").values())
    assert group == {
        "LogGroupName": "/audit/trail",
        "RetentionInDays": 400,
        "KmsKeyId": f"arn:aws:kms:{REGION}:{ACCOUNT}:key/0",
        "LogGroupClass": "STANDARD",
        "DeletionProtectionEnabled": True,
    }
    assert told == {
        "FilterName": "f",
        "FilterPattern": "",
        "LogGroupName": "/audit/trail",
        "MetricTransformations": [
            {
                "MetricName": "M",
                "MetricNamespace": "N",
                "MetricValue": "1",
                "Unit": "Count",
                "Dimensions": [{"Key": "a", "Value": "$.a"}, {"Key": "b", "Value": "$.b"}],
            }
        ],
        "ApplyOnTransformedLogs": True,
        "FieldSelectionCriteria": '@aws.region = "eu-west-1"',
        "EmitSystemFieldDimensions": ["@aws.account"],
    }
    assert linted(tmp_path / "it") == ""
