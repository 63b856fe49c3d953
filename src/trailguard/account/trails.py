"""Reads trails with their selectors, insights and delivery status, and event data stores.

Source: https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_Operations.html
"""

from __future__ import annotations

from typing import Any

from trailguard.account.asking import Refused
from trailguard.account.existing import Existing, existing, unread
from trailguard.account.kinds import KINDS
from trailguard.account.part import Part, Setting

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_TRAIL, _STORE = "AWS::CloudTrail::Trail", "AWS::CloudTrail::EventDataStore"
# CloudFormation's names of what CloudTrail describes.
_TRAIL_PROPERTIES = {
    "TrailName": "Name",
    "S3BucketName": "S3BucketName",
    "S3KeyPrefix": "S3KeyPrefix",
    "SnsTopicName": "SnsTopicARN",
    "IncludeGlobalServiceEvents": "IncludeGlobalServiceEvents",
    "IsMultiRegionTrail": "IsMultiRegionTrail",
    "IsOrganizationTrail": "IsOrganizationTrail",
    "EnableLogFileValidation": "LogFileValidationEnabled",
    "CloudWatchLogsLogGroupArn": "CloudWatchLogsLogGroupArn",
    "CloudWatchLogsRoleArn": "CloudWatchLogsRoleArn",
    "KMSKeyId": "KmsKeyId",
}
_STORE_PROPERTIES = (
    "AdvancedEventSelectors",
    "MultiRegionEnabled",
    "OrganizationEnabled",
    "RetentionPeriod",
    "TerminationProtectionEnabled",
    "KmsKeyId",
    "BillingMode",
    "FederationRoleArn",
)
# What AWS says about a trail's deliveries.
_STATUS = {
    "latest_delivery_time": "LatestDeliveryTime",
    "latest_delivery_error": "LatestDeliveryError",
    "latest_digest_delivery_time": "LatestDigestDeliveryTime",
    "latest_digest_delivery_error": "LatestDigestDeliveryError",
    "latest_notification_time": "LatestNotificationTime",
    "latest_notification_error": "LatestNotificationError",
    "latest_cloudwatch_logs_delivery_time": "LatestCloudWatchLogsDeliveryTime",
    "latest_cloudwatch_logs_delivery_error": "LatestCloudWatchLogsDeliveryError",
    "start_logging_time": "StartLoggingTime",
    "stop_logging_time": "StopLoggingTime",
}
_WAYS = {
    "delivery": "log files to S3",
    "digest_delivery": "digest files to S3",
    "notification": "notifications to SNS",
    "cloudwatch_logs_delivery": "events to CloudWatch Logs",
}
_NO_INSIGHTS = ("InsightNotEnabledException", "InsightNotEnabled")


def _selectors(answer: dict[str, Any]) -> dict[str, Any]:
    return {key: answer[key] for key in ("EventSelectors", "AdvancedEventSelectors") if answer.get(key)}


def _insights(answer: dict[str, Any]) -> dict[str, Any]:
    return {key: answer[key] for key in ("InsightSelectors", "InsightsDestination") if answer.get(key)}


_TRAIL_SETTINGS = (
    Setting("cloudtrail:GetEventSelectors", ("EventSelectors", "AdvancedEventSelectors"), _selectors),
    Setting("cloudtrail:GetInsightSelectors", ("InsightSelectors",), _insights, _NO_INSIGHTS),
)


def read(part: Part) -> None:
    """Read the trails whose home is in this account and Region; those that are seen here from elsewhere are kept."""

    def trails() -> Iterator[Existing]:
        for described in part.ask("cloudtrail:DescribeTrails", includeShadowTrails=True)["trailList"]:
            if not part.wants(described["Name"], described["TrailARN"]):
                continue
            if described["TrailARN"].split(":")[3:5] == [part.region, part.account]:
                yield from part.each(lambda told: _trail(part, told), [described])
            else:
                part.shadows.append(described["TrailARN"])

    part.listed(KINDS["trails"].types, trails)


def one(part: Part, arn: str) -> None:
    """Read a trail that is seen from another Region or account."""

    def trails() -> Iterator[Existing]:
        for described in part.ask("cloudtrail:DescribeTrails", arn, trailNameList=[arn])["trailList"]:
            yield from part.each(lambda told: _trail(part, told), [described])

    part.listed(KINDS["trails"].types, trails)


def _trail(part: Part, described: dict[str, Any]) -> list[Existing]:
    arn = described["TrailARN"]
    properties = {name: described.get(key) for name, key in _TRAIL_PROPERTIES.items()}
    properties |= part.settings(_TRAIL_SETTINGS, arn, TrailName=arn)
    status = _status(part, arn)
    properties["IsLogging"] = unread(status["unread"]) if "unread" in status else status["is_logging"]
    part.trails.append(status)
    return [existing(part.place, _TRAIL, arn, properties, name=described["Name"])]


def _status(part: Part, arn: str) -> dict[str, Any]:
    """When a trail delivered last, and what went wrong."""
    told: dict[str, Any] = {"arn": arn, "account": part.account, "region": part.region}
    try:
        answer = part.ask("cloudtrail:GetTrailStatus", arn, Name=arn)
    except Refused as error:
        part.note(error)
        return told | {"unread": error.reason}
    told["is_logging"] = answer["IsLogging"]
    for name, key in _STATUS.items():
        if answer.get(key):
            told[name] = answer[key] if isinstance(answer[key], str) else iso(answer[key])
    return told


def trouble(status: dict[str, Any]) -> str | None:
    """What is wrong with the deliveries of a trail, in words that follow its ARN; None when nothing is known to be."""
    if "unread" in status:
        return f"may deliver or not: {status['unread']}"
    if status["is_logging"] is False:
        return f"has not been logging{_since(status, 'stop_logging_time', ' since ')}"
    failing = {what: status[f"latest_{key}_error"] for key, what in _WAYS.items() if f"latest_{key}_error" in status}
    if not failing:
        return None
    said = "; ".join(f"{what}: {error}" for what, error in failing.items())
    if "latest_delivery_error" in status:
        return f"has not delivered{_since(status, 'latest_delivery_time', ' since ')} ({said})"
    return f"delivers, but not everything ({said})"


def delivery(status: dict[str, Any]) -> str:
    """What is known of the deliveries of a trail that has no trouble, in words that follow its ARN."""
    return (
        f"delivered last{_since(status, 'latest_delivery_time', ' at ')}"
        if "latest_delivery_time" in status
        else "has not delivered yet"
    )


def _since(status: dict[str, Any], key: str, word: str) -> str:
    return f"{word}{status[key]}" if key in status else ""


def iso(time: Any) -> str:
    """A time of an answer, in UTC."""
    from datetime import timezone

    return str(time.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"))


def read_stores(part: Part) -> None:
    """Read the event data stores of this account and Region."""

    def stores() -> list[Existing]:
        listed = {
            store["EventDataStoreArn"]: store.get("Name", "")
            for store in part.items("cloudtrail:ListEventDataStores", "EventDataStores")
        }
        own = [item for item in listed.items() if item[0].split(":")[4] == part.account and part.wants(*item)]
        return part.each(lambda item: _store(part, *item), own)

    part.listed(KINDS["stores"].types, stores)


def _store(part: Part, arn: str, name: str) -> list[Existing]:
    settings = (
        Setting("cloudtrail:GetEventDataStore", (*_STORE_PROPERTIES, "IngestionEnabled"), _store_properties),
        Setting("cloudtrail:GetInsightSelectors", ("InsightSelectors",), _insights, _NO_INSIGHTS),
    )
    properties = part.settings(settings, arn, EventDataStore=arn)
    state = properties.pop("Status", "ENABLED")
    properties = {"Name": name, **properties}
    made = existing(part.place, _STORE, arn, properties, name=name, physical=arn)
    if state not in ("ENABLED", "STOPPED_INGESTION"):
        made.notes["state"] = state
    return [made]


def _store_properties(answer: dict[str, Any]) -> dict[str, Any]:
    found = {key: answer[key] for key in _STORE_PROPERTIES if answer.get(key) is not None}
    if "FederationStatus" in answer:
        found["FederationEnabled"] = answer["FederationStatus"] in ("ENABLED", "ENABLING")
    state = answer.get("Status", "ENABLED")
    if state in ("ENABLED", "STOPPED_INGESTION"):
        found["IngestionEnabled"] = state == "ENABLED"
    return found | {"Status": state}
