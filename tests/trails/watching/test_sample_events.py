"""Filter patterns held against an oracle that reads whole events of the calls that change trails.

The events are as in https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-examples.html; what
a pattern says of one is written from https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html.
"""

from __future__ import annotations

import random
from fnmatch import fnmatchcase
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from trailguard.trails.watching.filterpatterns import EVENTS, event, matches, misses, parse

Json = Any


def sample(name: str, user: str, address: str) -> Json:
    """The event of a call that was carried out."""
    return {
        "eventVersion": "1.11",
        "userIdentity": {"type": user, "accountId": "111122223333"},
        "eventTime": "2026-11-29T13:00:00Z",
        "eventSource": "cloudtrail.amazonaws.com",
        "eventName": name,
        "awsRegion": "eu-west-1",
        "sourceIPAddress": address,
        "userAgent": "aws-cli/2.0",
        "readOnly": False,
        "eventID": "6a7e8feb-b491-4cf7-a9f1-bf3703467718",
        "eventType": "AwsApiCall",
        "managementEvent": True,
        "recipientAccountId": "111122223333",
        "eventCategory": "Management",
    }


SAMPLES = {
    name: [sample(name, user, address) for user in ("Root", "IAMUser") for address in ("192.0.2.1", "198.51.100.7")]
    for name in EVENTS
}
MISSING = object()
TEXTS = ["CreateTrail", "StopLogging", "*Trail", "St*", "*o*", "cloudtrail.amazonaws.com", "iam*", "Root", "192.0.2.*"]
FIELDS = ["eventName", "eventSource", "eventType", "readOnly", "managementEvent", "errorCode", "errorMessage"]
FIELDS += ["userIdentity.type", "sourceIPAddress", "eventCategory"]
STATES = ["IS TRUE", "IS FALSE", "IS NULL", "EXISTS", "NOT EXISTS"]


def value(of: Json, field: str) -> Json:
    for part in field.split("."):
        of = of.get(part, MISSING) if isinstance(of, dict) else MISSING
    return of


def says(field: str, operator: str, wanted: str, of: Json) -> bool:
    """One test of a field of an event."""
    found = value(of, field)
    if operator in ("EXISTS", "NOT EXISTS"):
        return (found is MISSING) is (operator == "NOT EXISTS")
    if operator.startswith("IS "):
        return found is {"TRUE": True, "FALSE": False, "NULL": None}[operator[3:]]
    return isinstance(found, str) and fnmatchcase(found, wanted) is (operator == "=")


class Pattern:
    """A pattern made at random: its text, and whether it matches an event."""

    text: str

    def __init__(self, choice: random.Random, depth: int = 3) -> None:
        self.inner: list[Pattern] = []
        if depth and choice.random() < 0.6:
            self.sign = choice.choice(["&&", "||"])
            self.inner = [Pattern(choice, depth - 1) for _ in range(choice.randint(2, 3))]
            space = choice.choice(["", " "])
            self.text = f"{space}{self.sign}{space}".join(f"({one.text})" for one in self.inner)
            return
        field = choice.choice(FIELDS)
        # What a comparison says of a field that is missing, true or false is not documented.
        spelt = field not in ("readOnly", "managementEvent", "errorCode", "errorMessage")
        operator = choice.choice(["=", "!=", *STATES] if spelt else STATES)
        wanted = choice.choice(TEXTS) if operator in ("=", "!=") else ""
        self.test = field, operator, wanted
        self.text = f"$.{field} {operator} " + (choice.choice(["{}", '"{}"']).format(wanted) if wanted else "")

    def holds(self, of: Json) -> bool:
        if not self.inner:
            return says(*self.test, of)
        return (all if self.sign == "&&" else any)(one.holds(of) for one in self.inner)


@settings(max_examples=400, deadline=None)
@given(st.randoms(use_true_random=False), st.sampled_from(EVENTS))
def test_answer_holds_for_every_sample(choice: random.Random, name: str) -> None:
    pattern = Pattern(choice)
    answers = {pattern.holds(of) for of in SAMPLES[name]}
    term = parse(f"{{ {pattern.text} }}")
    found = matches(term, event(name))
    if isinstance(found, str):  # some field decides of which nothing is known, as the samples show where they differ
        assert any(field in pattern.text for field in ("userIdentity.type", "sourceIPAddress")), (pattern.text, found)
    else:
        assert answers == {found}, pattern.text
    if answers == {True}:
        assert not misses(term, event(name)) or isinstance(found, str), pattern.text
    if answers == {True, False}:
        assert isinstance(found, str), pattern.text
