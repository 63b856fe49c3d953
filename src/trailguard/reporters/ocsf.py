"""OCSF compliance findings (class 2003), one event a line, for Amazon Security Lake and other lakes of security data.

JSON Lines, and not an array, is what the ways into a lake read and split without being told: Spark and Glue, which
write the Parquet that Security Lake takes, Athena, Firehose, DuckDB. No key depends on what was found, so that a table
made of it keeps its columns: what has names of its own, such as parameters, is a list of names and values.

Sources: https://schema.ocsf.io/1.3.0/classes/compliance_finding and
https://docs.aws.amazon.com/security-lake/latest/userguide/custom-sources.html
"""

from __future__ import annotations

import datetime as dt
import json
import re
from uuid import NAMESPACE_URL, uuid5

from trailguard.findings import CONDITIONAL, FAIL, NOT_APPLICABLE, PASS, UNKNOWN
from trailguard.reporters.common import HOME, circumstances, json_safe, judged, link, remarks, remedy

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any, TypeAlias

    from trailguard.findings import FileError, Finding, Notice, Report, RuleInfo, Span

    Json: TypeAlias = dict[str, Any]

VERSION = "1.3.0"  # of the schema
_NAMESPACE = uuid5(NAMESPACE_URL, f"{HOME}/ns/ocsf")
_SEVERITIES = {
    "critical": (5, "Critical"),
    "high": (4, "High"),
    "medium": (3, "Medium"),
    "low": (2, "Low"),
    "info": (1, "Informational"),
}
# How OCSF calls what a check came to. It fails where some parameter values break it, and warns of what is not known.
_OUTCOMES = {
    PASS: (1, "Pass"),
    FAIL: (3, "Fail"),
    CONDITIONAL: (3, "Fail"),
    UNKNOWN: (2, "Warning"),
    NOT_APPLICABLE: (99, "Not Applicable"),
}
_RESOURCE_TYPES = {
    "trail": "AWS::CloudTrail::Trail",
    "event_data_store": "AWS::CloudTrail::EventDataStore",
    "bucket": "AWS::S3::Bucket",
    "key": "AWS::KMS::Key",
    "log_group": "AWS::Logs::LogGroup",
    "role": "AWS::IAM::Role",
    "topic": "AWS::SNS::Topic",
}
_REGION = r"[a-z]{2}(?:-[a-z0-9]+)+"
_SNAPSHOT = rf"(?:^|/)(\d{{12}})/({_REGION}|global)/"  # how stacks and the files of a snapshot are named
_TYPES = ["Software and Configuration Checks/Industry and Regulatory Standards"]


def render(report: Report) -> str:
    """Write one event for each verdict, then one for each error and each notice; nothing when there are none."""
    events = _Events(report)
    made = [*map(events.finding, report.results)]
    made += [events.aside(item, "error", item.column) for item in report.errors]
    made += [events.aside(item, "notice", 0) for item in report.notices]
    seen: dict[str, int] = {}
    lines = []
    for event in made:
        content = json.dumps(event)  # ASCII, the halves of surrogate pairs too
        seen[content] = seen.get(content, 0) + 1
        event["metadata"]["uid"] = str(uuid5(_NAMESPACE, f"{content}#{seen[content]}"))
        lines.append(json_safe(json.dumps(event, ensure_ascii=False)) + "\n")
    return "".join(lines)


class _Events:
    """Makes events, which all say when and how a scan judged."""

    def __init__(self, report: Report) -> None:
        self._version = report.version
        self._frameworks = {item.name: item.title or item.name for item in report.frameworks}
        asked = [item for item in report.frameworks if item.asked] or report.frameworks
        needed = [(self._frameworks[item.name], item.prerequisites) for item in asked]
        self._needed = [(title, one.rules) for title, one in needed if one is not None]
        self._time = _milliseconds(report.date)
        self._judged = [{"name": key, "value": text} for key, text in judged(report)]
        self._how = dict(report.how)

    def finding(self, item: Finding) -> Json:
        """The event of one verdict."""
        rule, accepted = item.rule, item.suppressed
        level = (1, "Informational") if item.verdict in (PASS, NOT_APPLICABLE) else _severity(rule.severity)
        file, line = item.home, item.place.span.line
        cloud, place = _where(self._how, item)
        resource = {"uid": f"{file}#{item.resource}", "name": item.resource or file, "namespace": file, **place}
        if item.subject in _RESOURCE_TYPES:
            resource["type"] = _RESOURCE_TYPES[item.subject]
        resource["data"] = {"file": item.place.file, "line": line, "logical_id": item.resource}
        event = self._event(level, rule.id, item.message or rule.title, accepted is not None, cloud)
        event["compliance"] = self._compliance(item)
        event["finding_info"] = {
            **self._information(item.fingerprint, rule.title or rule.id, item.place.file),
            "desc": rule.why or rule.title,
            "types": _TYPES,
            "analytic": {"uid": rule.id, "name": rule.name, "type_id": 1, "type": "Rule", "desc": rule.title},
        }
        event["resources"] = [resource]
        if accepted is not None:
            until = f" (until {accepted.expires})" if accepted.expires else ""
            event["comment"] = f"{accepted.kind}: {accepted.reason}{until}"
        if remedy(item) and item.verdict in (FAIL, CONDITIONAL):
            references = [one for one in rule.references if link((one,))]
            event["remediation"] = {"desc": remedy(item), **({"references": references} if references else {})}
        event["unmapped"] = {**self._unmapped("finding"), **_details(item)}
        return event

    def aside(self, item: FileError | Notice, kind: str, column: int) -> Json:
        """The event of what could not be judged, or of a notice: it is nothing that a rule asks for."""
        file = item.file or "-"
        is_error = kind == "error"
        cloud, place = _where(self._how)
        level = (0, "Unknown") if is_error else (1, "Informational")
        event = self._event(level, kind, item.message or kind, False, cloud)
        event["compliance"] = {
            "control": "trailguard",
            "standards": ["trailguard"],
            "requirements": [],
            "status": "Warning" if is_error else "Notice",
            "status_id": 2 if is_error else 99,
            "status_code": kind,
            "status_detail": item.message or kind,
        }
        title = "Not everything could be judged" if is_error else "Notice"
        uid = str(uuid5(_NAMESPACE, json.dumps([kind, item.file, item.line, item.message])))
        event["finding_info"] = {**self._information(uid, title, file), "desc": item.message or kind, "types": _TYPES}
        data = {"file": file, "line": item.line, "logical_id": ""}
        event["resources"] = [{"uid": file, "name": file, "namespace": file, **place, "data": data}]
        event["unmapped"] = {**self._unmapped(kind), "place": {"file": file, "line": item.line, "column": column}}
        return event

    def _event(self, level: tuple[int, str], code: str, message: str, accepted: bool, cloud: Json) -> Json:
        return {
            "activity_id": 1,
            "activity_name": "Create",
            "category_uid": 2,
            "category_name": "Findings",
            "class_uid": 2003,
            "class_name": "Compliance Finding",
            "type_uid": 200301,
            "type_name": "Compliance Finding: Create",
            "time": self._time,
            "timezone_offset": 0,
            "severity_id": level[0],
            "severity": level[1],
            "status_id": 3 if accepted else 1,
            "status": "Suppressed" if accepted else "New",
            "message": message,
            "metadata": {
                "version": VERSION,
                "profiles": ["cloud"],
                "event_code": code,
                "product": {
                    "name": "trailguard",
                    "vendor_name": "trailguard",
                    "uid": "trailguard",
                    "version": self._version or "0",
                    "url_string": HOME,
                },
            },
            "cloud": cloud,
        }

    def _information(self, uid: str, title: str, file: str) -> Json:
        return {
            "uid": uid,
            "title": title,
            "created_time": self._time,
            "modified_time": self._time,
            "data_sources": [file],
        }

    def _compliance(self, item: Finding) -> Json:
        """What the rule asks for, for which standards, and what came of it."""
        standards = {name: self._frameworks.get(name, name) for name in item.rule.controls}
        needing = [title for title, rules in self._needed if item.rule.id in rules]
        number, outcome = _OUTCOMES[item.verdict]
        return {
            "control": item.rule.id,
            "standards": list(dict.fromkeys((*standards.values(), *needing))) or ["trailguard"],
            "requirements": [f"{standards[name]} {one}" for name, ids in item.rule.controls.items() for one in ids],
            "status": outcome,
            "status_id": number,
            "status_code": item.verdict,
            "status_detail": "; ".join((item.message or item.rule.title, *remarks(item))),
        }

    def _unmapped(self, kind: str) -> Json:
        return {"kind": kind, "judged": self._judged}


def _details(item: Finding) -> Json:
    """What OCSF has no attribute for. The keys are always the same."""
    accepted = item.suppressed
    return {
        "rule": {"id": item.rule.id, "name": item.rule.name, "severity": item.rule.severity, "tool": item.rule.tool},
        "verdict": item.verdict,
        "reason": item.reason or "",
        "witness": [{"name": name, "value": value} for name, value in item.witness.items()],
        "cause": item.cause,
        "causes": list(item.causes),
        "controls": list(_controls(item.rule)),
        "place": {"file": item.place.file, **_span(item.place.span), "path": [str(step) for step in item.place.path]},
        "related": [{"file": one.file, **_span(one.span), "message": one.message} for one in item.related],
        "circumstances": [{"name": label, "value": text} for label, text in circumstances(item)],
        "suppressed": {
            "kind": accepted.kind if accepted is not None else "",
            "reason": accepted.reason if accepted is not None else "",
            "expires": (accepted.expires or "") if accepted is not None else "",
        },
    }


def _controls(rule: RuleInfo) -> Iterator[Json]:
    for framework, names, is_verified in rule.relations():
        for name in names:
            yield {"framework": framework, "control": name, "verified": is_verified}


def _span(span: Span) -> dict[str, int]:
    return span._asdict()


def _severity(severity: str) -> tuple[int, str]:
    return _SEVERITIES.get(severity, (99, severity or "Other"))


def _milliseconds(day: str) -> int:
    """The beginning of a day, in UTC, in milliseconds since 1970; 0 where no day is known."""
    if not re.fullmatch(r"\d{4}-\d\d-\d\d", day):
        return 0
    return (dt.date.fromisoformat(day) - dt.date(1970, 1, 1)).days * 86_400_000


def _where(how: Mapping[str, str], item: Finding | None = None) -> tuple[Json, Json]:
    """The cloud and the place of its resources, as far as anything says: a deployed stack, a snapshot, an option."""
    names = [*item.deployed] if item is not None and item.deployed else [item.home] if item is not None else []
    known = [match.groups() for match in (re.search(_SNAPSHOT, name) for name in names) if match is not None]
    accounts = {account for account, _ in known} or {how.get("account", "")}
    regions = {region for _, region in known} or {how.get("Region", "")}
    cloud: Json = {"provider": "AWS"}
    place: Json = {}
    account, region = ("".join(one) if len(one) == 1 else "" for one in (accounts, regions))
    if re.fullmatch(_REGION, region):
        cloud["region"] = place["region"] = region
    if re.fullmatch(r"\d{12}", account):
        cloud["account"] = {"uid": account, "name": account, "type_id": 10, "type": "AWS Account"}
    if re.fullmatch(r"[a-z-]+", how.get("partition", "")):
        place["cloud_partition"] = how["partition"]
    return cloud, place
