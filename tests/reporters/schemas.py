"""The published schema of reports, and the part of SARIF 2.1.0 that trailguard writes, stricter than the standard.

The SARIF part follows sections 3.13 to 3.58 of the standard for every property that is used, forbids all others, and
adds what GitHub code scanning asks for: no empty texts, columns, `help.text`, severities as text.
"""

from __future__ import annotations

import json
import os
from typing import Any, NamedTuple

import trailguard

FOLDER = os.path.join(os.path.dirname(trailguard.__file__), "schemas")


def published(name: str) -> dict[str, Any]:
    with open(os.path.join(FOLDER, name), encoding="utf-8") as stream:
        found: dict[str, Any] = json.load(stream)
    return found


REPORT = published("report.schema.json")
CONFIG = published("config.schema.json")

TEXT = {"type": "string", "minLength": 1}
POSITION = {"type": "integer", "minimum": 1}
LEVEL = {"enum": ["error", "warning", "note"]}


def table(required: str, optional: str = "", /, **properties: Any) -> dict[str, Any]:
    assert set(properties) == {*required.split(), *optional.split()}
    return {
        "type": "object",
        "required": required.split(),
        "properties": properties,
        "additionalProperties": False,
    }


def listed(item: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"type": "array", "items": item, **more}


MESSAGE = table("text", text=TEXT)
ARTIFACT = table(
    "uri",
    "uriBaseId",
    uri={
        "type": "string",
        "pattern": r"^(file:///)?([A-Za-z0-9._~!$&'()*+,;=:@/-]|%[0-9A-F]{2})+$",
        "not": {"pattern": r"^\./"},
    },
    uriBaseId={"const": "%SRCROOT%"},
)
REGION = table(
    "startLine startColumn",
    "endLine endColumn",
    startLine=POSITION,
    startColumn=POSITION,
    endLine=POSITION,
    endColumn=POSITION,
)
PHYSICAL = table(
    "artifactLocation region", artifactLocation=ARTIFACT, region={**REGION, "required": list(REGION["properties"])}
)
POINT = table("artifactLocation", "region", artifactLocation=ARTIFACT, region=REGION)
LOCATION = table(
    "physicalLocation",
    "logicalLocations",
    physicalLocation=PHYSICAL,
    logicalLocations=listed(table("name kind", name=TEXT, kind={"const": "resource"}), minItems=1),
)
RELATED = table("id physicalLocation message", id=POSITION, physicalLocation=PHYSICAL, message=MESSAGE)
RULE = table(
    "id name shortDescription fullDescription help defaultConfiguration properties",
    "helpUri",
    id=TEXT,
    name={**TEXT, "maxLength": 255},
    shortDescription=table("text", text={**TEXT, "maxLength": 1024}),
    fullDescription=table("text", text={**TEXT, "maxLength": 1024}),
    help=table("text markdown", text=TEXT, markdown=TEXT),
    helpUri={"type": "string", "pattern": "^https?://"},
    defaultConfiguration=table("level", level=LEVEL),
    properties=table(
        "tags controls precision security-severity",
        "",
        **{
            "controls": {"type": "object", "additionalProperties": listed(TEXT, minItems=1)},
            "tags": listed(TEXT, maxItems=20, minItems=1, contains={"const": "security"}),
            "precision": {"enum": ["very-high", "high", "medium", "low"]},
            "security-severity": {"type": "string", "pattern": r"^([1-9]\.\d|10\.0|0\.[1-9])$"},
        },
    ),
)
RESULT = table(
    "ruleId ruleIndex level message locations partialFingerprints properties",
    "relatedLocations suppressions",
    suppressions=listed(
        table(
            "kind status justification",
            kind={"enum": ["inSource", "external"]},
            status={"const": "accepted"},
            justification=TEXT,
        ),
        minItems=1,
        maxItems=1,
    ),
    ruleId=TEXT,
    ruleIndex={"type": "integer", "minimum": 0},
    level=LEVEL,
    message=MESSAGE,
    locations=listed(LOCATION, minItems=1, maxItems=1),
    relatedLocations=listed(RELATED, minItems=1, uniqueItems=True),
    partialFingerprints={"type": "object", "minProperties": 1, "additionalProperties": TEXT},
    properties=table("verdict severity subject", verdict=TEXT, severity=TEXT, subject=TEXT),
)
NOTIFICATION = table(
    "level message",
    "locations",
    level=LEVEL,
    message=MESSAGE,
    locations=listed(table("physicalLocation", physicalLocation=POINT)),
)
RUN = table(
    "tool automationDetails columnKind invocations results properties",
    properties=table("judged", judged={"type": "object", "required": ["version", "profile"]}),
    tool=table(
        "driver",
        driver=table(
            "name version semanticVersion informationUri rules",
            informationUri={"type": "string", "pattern": "^https://"},
            name={"const": "trailguard"},
            version=TEXT,
            semanticVersion=TEXT,
            rules=listed(RULE, uniqueItems=True),
        ),
    ),
    automationDetails=table("id", id={"type": "string", "pattern": "/$"}),
    columnKind={"const": "unicodeCodePoints"},
    invocations=listed(
        table(
            "executionSuccessful",
            "toolExecutionNotifications",
            executionSuccessful={"type": "boolean"},
            toolExecutionNotifications=listed(NOTIFICATION, minItems=1),
        ),
        minItems=1,
    ),
    results=listed(RESULT),
)
SARIF = table(
    "$schema version runs",
    "",
    **{
        "$schema": {"type": "string", "pattern": "^https://.*sarif-schema-2\\.1\\.0\\.json$"},
        "version": {"const": "2.1.0"},
        "runs": listed(RUN, minItems=1, maxItems=1),
    },
)


# What GitLab reads of a Code Quality report, and nothing else:
# https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format
CODE_QUALITY: dict[str, Any] = {
    "type": "array",
    "items": {
        "type": "object",
        "additionalProperties": False,
        "required": ["description", "check_name", "fingerprint", "severity", "location"],
        "properties": {
            "description": {"type": "string", "minLength": 1},
            "check_name": {"type": "string", "minLength": 1},
            "fingerprint": {"type": "string", "minLength": 1},
            "severity": {"enum": ["info", "minor", "major", "critical", "blocker"]},
            "location": {
                "type": "object",
                "additionalProperties": False,
                "required": ["path", "lines"],
                "properties": {
                    "path": {"type": "string", "minLength": 1, "not": {"pattern": "^\\./"}},
                    "lines": {
                        "type": "object",
                        "additionalProperties": False,
                        "required": ["begin"],
                        "properties": {
                            "begin": {"type": "integer", "minimum": 1},
                            "end": {"type": "integer", "minimum": 1},
                        },
                    },
                },
            },
        },
    },
}


class Element(NamedTuple):
    """What an element of a document may be: its attributes, its children, and whether it holds text."""

    required: str
    optional: str = ""
    children: str = ""
    text: bool = False


# JUnit's XML has no standard. This is a part of what Jenkins's xUnit plugin takes, and besides that the file and line
# of a case, which GitLab shows, and the number of all that were skipped:
# https://github.com/jenkinsci/xunit-plugin (junit-10.xsd)
# https://docs.gitlab.com/ci/testing/unit_test_reports/
JUNIT = {
    "testsuites": Element("name tests failures errors skipped time", children="testsuite"),
    "testsuite": Element("name tests failures errors skipped time", children="properties testcase"),
    "properties": Element("", children="property"),
    "property": Element("name value"),
    "testcase": Element("name classname file time", "line", children="failure error skipped"),
    "failure": Element("message type", text=True),
    "error": Element("message type"),
    "skipped": Element("message"),
}
