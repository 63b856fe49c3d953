"""Which key a trail names and what it lets CloudTrail do, held against oracles that know only the documentation."""

from __future__ import annotations

import itertools
import json
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trailguard.cloudformation.scenarios.model import Model, Pins
from trailguard.cloudformation.scenarios.scenarios import Scenarios
from trailguard.cloudformation.source.reading import parse
from trailguard.cloudformation.template.template import Template
from trailguard.trails.facts.facts import Fact
from trailguard.trails.facts.returns import RETURNS
from trailguard.trails.key import encryption, keys
from trailguard.trails.whole import lake

PINS = Pins(region="us-east-1", account_id="111122223333")
UUID = "1234abcd-12ab-34cd-56ef-1234567890ab"
HERE = "arn:aws:kms:us-east-1:111122223333:"
TRAIL_ARN = "arn:aws:cloudtrail:us-east-1:111122223333:trail/audit"
SERVICE = {"Service": "cloudtrail.amazonaws.com"}
REPLICA = {"Type": "AWS::KMS::ReplicaKey", "Properties": {"PrimaryKeyArn": "arn:aws:kms:eu-west-1:1:key/mrk-1"}}


def model(resources: dict[str, Any], **sections: Any) -> Model:
    text = json.dumps({**sections, "Resources": resources})
    return Model(Template(parse(text.encode())), PINS, RETURNS)


def facts(name: str, resources: dict[str, Any], subject: str = "Trail", **sections: Any) -> list[Fact]:
    """The fact about a resource in every scenario."""
    made = model(resources, **sections)
    subjects = made.template.resources
    build = {**encryption.FACTS, **encryption.KEY_FACTS, **lake.FACTS}[name].build
    return [leaf.answer for leaf in Scenarios(made).explore(lambda scenario: build(scenario, subjects[subject]))]


def fact(name: str, resources: dict[str, Any], subject: str = "Trail", **sections: Any) -> Fact:
    (only,) = facts(name, resources, subject, **sections)
    return only


def trail(key: Any = None, **properties: Any) -> dict[str, Any]:
    known = {"TrailName": "audit", "S3BucketName": "logs", "IsLogging": True, **properties}
    return {"Type": "AWS::CloudTrail::Trail", "Properties": known if key is None else {**known, "KMSKeyId": key}}


def store(key: Any = None, **properties: Any) -> dict[str, Any]:
    known = properties if key is None else {**properties, "KmsKeyId": key}
    return {"Type": "AWS::CloudTrail::EventDataStore", "Properties": known}


def allow(*actions: str, condition: Any = None, effect: str = "Allow", principal: Any = None) -> dict[str, Any]:
    statement = {"Effect": effect, "Principal": principal or SERVICE, "Action": list(actions), "Resource": "*"}
    return statement if condition is None else {**statement, "Condition": condition}


def key(*statements: Any, **properties: Any) -> dict[str, Any]:
    policy = {"KeyPolicy": {"Version": "2012-10-17", "Statement": list(statements)}} if statements else {}
    return {"Type": "AWS::KMS::Key", "Properties": {**policy, **properties}}


def bucket(**properties: Any) -> dict[str, Any]:
    return {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "logs", **properties}}


def bucket_key(enabled: Any = True, algorithm: str = "aws:kms") -> dict[str, Any]:
    rule = {"BucketKeyEnabled": enabled, "ServerSideEncryptionByDefault": {"SSEAlgorithm": algorithm}}
    return bucket(BucketEncryption={"ServerSideEncryptionConfiguration": [rule]})


ALIAS = {"Type": "AWS::KMS::Alias", "Properties": {"AliasName": "alias/logs", "TargetKeyId": {"Ref": "Key"}}}
USE = allow("kms:GenerateDataKey*", "kms:DescribeKey")


def via(operator: str, service: str, effect: str = "Allow") -> dict[str, Any]:
    return allow("kms:*", condition={operator: {"kms:ViaService": service}}, effect=effect)


# --- which key ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (UUID, True),
        ("mrk-1234abcd12ab34cd56ef1234567890ab", True),
        (f"{HERE}key/{UUID}", True),
        ("alias/logs", True),
        ("alias/aws", True),
        (f"{HERE}alias/logs", True),
        (f"{HERE}alias/aws/s3", False),
        ("alias/aws/s3", False),
        ("alias/", False),
        ("", False),
        (" ", False),
        ("logs", False),
        (f"key/{UUID}", False),
        ("arn:aws:sns:us-east-1:111122223333:topic", False),
        ("arn:aws:iam::111122223333:role/key/x", False),
        (f"{HERE}grant/x", False),
        ("arn:aws", False),
        (True, False),
        ([], False),
        ({"Ref": "AWS::NoValue"}, False),
        ({"Ref": "Key"}, True),
        ({"Fn::GetAtt": ["Key", "KeyId"]}, True),
        ({"Fn::GetAtt": "Key.Arn"}, True),
        ({"Ref": "Alias"}, True),
        ({"Ref": "Copy"}, True),
        ({"Fn::Sub": "${Key.Arn}"}, True),
        ({"Fn::Sub": "key/${Key}"}, False),
        ({"Fn::Sub": "${Key}-x"}, False),
        ({"Fn::Sub": "alias/${AWS::StackName}"}, True),
        ({"Ref": "Bucket"}, False),
        ({"Fn::GetAtt": "Bucket.Arn"}, False),
        ({"Ref": "Topic"}, False),
        ({"Fn::ImportValue": "key"}, None),
        ({"Fn::Sub": ["alias/${X}", {"X": {"Fn::ImportValue": "key"}}]}, None),
        ({"Fn::Sub": ["alias/logs-${X}", {"X": {"Fn::ImportValue": "key"}}]}, True),
        ({"Fn::Sub": ["arn:aws:kms:us-east-1:${X}:key/k", {"X": {"Fn::ImportValue": "key"}}]}, True),
        ({"Fn::Sub": ["arn:aws:kms:us-east-1:${X}:alias/aws/s3", {"X": {"Fn::ImportValue": "key"}}]}, False),
        ({"Fn::Sub": ["arn:aws:kms:us-east-1:1:${X}", {"X": {"Fn::ImportValue": "key"}}]}, None),
        ({"Fn::Sub": ["arn:aws:sns:us-east-1:1:${X}", {"X": {"Fn::ImportValue": "key"}}]}, False),
        ({"Fn::GetAtt": "Custom.Key"}, None),
    ],
)
@pytest.mark.parametrize("make", [trail, store])
def test_key_is_set(make: Any, value: Any, expected: bool | None) -> None:
    resources = {
        "Trail": make(value),
        "Key": key(USE),
        "Copy": REPLICA,
        "Alias": ALIAS,
        "Bucket": {"Type": "AWS::S3::Bucket"},
        "Topic": {"Type": "AWS::SNS::Topic"},
        "Custom": {"Type": "Custom::Key"},
    }
    found = fact("encryption.key_set", resources)
    assert found.value is expected, found
    assert (found.unknown is None) is (expected is not None)


LEGAL = re.compile(
    r"(arn:[a-z-]+:kms:[^:]*:[^:]*:)?alias/(?!aws/).+|arn:[a-z-]+:kms:[^:]*:[^:]*:key/.*"
    r"|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|mrk-[0-9a-f]{32}",
    re.DOTALL,
)
PARTS = st.sampled_from(["arn:aws:kms:", "r:1:", "alias/", "aws/", "key/", "s3", "arn:aws:sns:", UUID, "logs", "", ":"])


@pytest.mark.slow
@settings(deadline=None, max_examples=300)
@given(st.lists(st.lists(PARTS, min_size=1, max_size=3, unique=True), min_size=1, max_size=4))
def test_names_in_parts_are_read_as_names_in_one_piece(choices: list[list[str]]) -> None:
    """A name that parameters make up is judged as each of the names that it can be."""
    parameters = {
        f"P{index}": {"Type": "String", "AllowedValues": values, "Default": values[0]}
        for index, values in enumerate(choices)
    }
    value = {"Fn::Sub": "".join(f"${{{name}}}" for name in parameters)}
    found = facts("encryption.key_set", {"Trail": trail(value)}, Parameters=parameters)
    spelt = {"".join(parts) for parts in itertools.product(*choices)}
    assert {item.value for item in found} == {LEGAL.fullmatch(text) is not None for text in spelt}


@pytest.mark.parametrize(
    ("parameter", "expected"),
    [
        ({}, {True, False}),
        ({"Default": ""}, {True, False}),
        ({"MinLength": 1}, {True}),
        ({"AllowedPattern": "arn:.+"}, {True}),
        ({"AllowedPattern": "(arn:.+)?"}, {True, False}),
        ({"AllowedValues": ["alias/a", "alias/b"]}, {True}),
        ({"AllowedValues": ["alias/a", "alias/aws/s3"]}, {True, False}),
        ({"Default": "alias/aws/s3"}, {True, False}),
    ],
)
def test_parameter_may_be_empty(parameter: dict[str, Any], expected: set[bool]) -> None:
    found = facts(
        "encryption.key_set", {"Trail": trail({"Ref": "P"})}, Parameters={"P": {"Type": "String", **parameter}}
    )
    assert {item.value for item in found} == expected


@pytest.mark.parametrize(
    ("value", "made"),
    [
        ({"Ref": "Key"}, "Key"),
        ({"Fn::GetAtt": "Key.Arn"}, "Key"),
        ({"Fn::GetAtt": ["Key", "KeyId"]}, "Key"),
        ({"Fn::Sub": "arn:${AWS::Partition}:kms:${AWS::Region}:${AWS::AccountId}:key/${Key}"}, "Key"),
        ({"Fn::Sub": "arn:aws:kms:eu-west-1:444455556666:key/${Key}"}, "Key"),
        ({"Fn::Join": ["", ["arn:aws:kms:us-east-1:1:key/", {"Ref": "Key"}]]}, "Key"),
        ({"Ref": "Alias"}, "Key"),
        ("alias/logs", "Key"),
        (f"{HERE}alias/logs", "Key"),
        ({"Ref": "Other"}, "Other"),
        ({"Ref": "Copy"}, "Copy"),
        ({"Fn::GetAtt": "Copy.Arn"}, "Copy"),
        ({"Ref": "CopyAlias"}, "Copy"),
        ("alias/other", ""),
        (UUID, ""),
        (f"{HERE}key/{UUID}", ""),
        ({"Ref": "FarAlias"}, ""),
        ({"Fn::ImportValue": "key"}, ""),
        ({"Ref": "AWS::NoValue"}, None),
        ("", None),
        ("alias/aws/s3", None),
    ],
)
def test_link_finds_the_key(value: Any, made: str | None) -> None:
    resources = {
        "Trail": trail(value),
        "Other": key(USE),
        "Key": key(USE),
        "Alias": ALIAS,
        "Copy": REPLICA,
        "CopyAlias": {
            "Type": "AWS::KMS::Alias",
            "Properties": {"AliasName": "alias/c", "TargetKeyId": {"Ref": "Copy"}},
        },
        "FarAlias": {"Type": "AWS::KMS::Alias", "Properties": {"AliasName": "alias/f", "TargetKeyId": UUID}},
    }
    whole = model(resources)
    links = [
        leaf.answer
        for leaf in Scenarios(whole).explore(
            lambda scenario: encryption.key_link(scenario, whole.template.resources["Trail"])
        )
    ]
    (link,) = links
    if made is None:
        assert link is None
    else:
        assert link is not None
        assert (link.resource.id if link.resource else "") == made
        assert link.resource or "scan" in link.elsewhere


def test_link_follows_conditions() -> None:
    resources = {
        "Trail": trail("alias/logs"),
        "Key": {**key(USE), "Condition": "Own"},
        "Alias": {**ALIAS, "Condition": "Own"},
    }
    sections: dict[str, Any] = {
        "Parameters": {"P": {"Type": "String", "AllowedValues": ["yes", "no"]}},
        "Conditions": {"Own": {"Fn::Equals": [{"Ref": "P"}, "yes"]}},
    }
    found = facts("key.grants_encryption", resources, **sections)
    assert [item.value for item in found] == [True, None]


# --- what the key lets CloudTrail do --------------------------------------------------------------------------------


S3 = "kms:EncryptionContext:aws:s3:arn"
FOLDER = "arn:aws:s3:::logs/AWSLogs/111122223333/"
SENT = {
    "aws:SourceArn": [TRAIL_ARN],
    "aws:SourceAccount": ["111122223333"],
    "kms:EncryptionContext:aws:cloudtrail:arn": [TRAIL_ARN],
    S3: [FOLDER, FOLDER + "CloudTrail/x.json.gz"],
    "aws:PrincipalOrgID": [],
}
PATTERNS = (
    "*",
    TRAIL_ARN,
    "arn:aws:cloudtrail:*:111122223333:trail/*",
    "arn:aws:cloudtrail:*:444455556666:trail/*",
    "arn:aws:cloudtrail:us-east-1:*:trail/a?dit",
    "111122223333",
    FOLDER,
    "arn:aws:s3:::logs/*",
    "arn:aws:s3:::other/*",
    "o-a1b2c3d4e5",
)
OPERATORS = ("StringEquals", "StringLike", "StringNotEquals", "StringNotLike", "StringEqualsIfExists")


Call = dict[str, "str | None"]
CALLS: list[Call] = [
    {**{name: texts[0] if texts else None for name, texts in SENT.items()}, S3: place} for place in SENT[S3]
]


def holds(operator: str, sent: str | None, patterns: list[str]) -> bool:
    """Whether a test holds for what a call sends, by the book."""
    negated, wild = "Not" in operator, "Like" in operator
    if sent is None:
        return negated or "IfExists" in operator
    spelt = (re.escape(one).replace(r"\*", ".*").replace(r"\?", ".") if wild else re.escape(one) for one in patterns)
    return any(re.fullmatch(one, sent) for one in spelt) is not negated


Condition = dict[str, dict[str, list[str]]]
TESTS = st.tuples(
    st.sampled_from(OPERATORS),
    st.sampled_from(sorted(SENT)),
    st.lists(st.sampled_from(PATTERNS), min_size=1, max_size=2),
)


@settings(deadline=None, max_examples=300)
@given(st.lists(st.lists(TESTS, max_size=2), min_size=1, max_size=2))
def test_conditions_decide_as_they_are_sent(statements: list[list[tuple[str, str, list[str]]]]) -> None:
    """One of the statements must hold for the trial at set-up, and one for each log file."""
    conditions: list[Condition] = []
    for tests in statements:
        condition: Condition = {}
        for operator, name, patterns in tests:
            condition.setdefault(operator, {}).setdefault(name, patterns)
        conditions.append(condition)
    granting = [allow("kms:GenerateDataKey*", condition=condition) for condition in conditions]
    resources = {"Trail": trail({"Ref": "Key"}), "Key": key(*granting), "Bucket": bucket()}
    expected = all(any(_holds_all(condition, call) for condition in conditions) for call in CALLS)
    assert fact("key.grants_encryption", resources).value is expected


def _holds_all(condition: Condition, call: Call) -> bool:
    return all(
        holds(operator, call[name], wanted) for operator, tests in condition.items() for name, wanted in tests.items()
    )


CONTEXT = "kms:EncryptionContext:aws:cloudtrail:arn"


@pytest.mark.parametrize(
    ("statements", "encryption_granted", "description_granted"),
    [
        ((), False, False),
        ((USE,), True, True),
        ((allow("kms:*"),), True, True),
        ((allow("kms:GenerateDataKey"),), True, False),
        ((allow("kms:GenerateDataKeyWithoutPlaintext"),), False, False),
        ((allow("kms:Encrypt", "kms:Describe*"),), False, True),
        ((allow("kms:*", principal={"AWS": "arn:aws:iam::111122223333:root"}),), False, False),
        ((allow("kms:*", principal={"Service": "logs.amazonaws.com"}),), False, False),
        ((allow("kms:*", principal="*"),), True, True),
        ((allow("kms:*", condition={"StringLike": {CONTEXT: "arn:aws:cloudtrail:*"}}),), True, False),
        ((allow("kms:*", condition={"ArnLike": {CONTEXT: "arn:aws:cloudtrail:*:*:trail/*"}}),), True, False),
        ((allow("kms:*", condition={"Null": {CONTEXT: "true"}}),), False, True),
        ((allow("kms:*", condition={"StringEquals": {"kms:CallerAccount": "111122223333"}}),), None, None),
        ((allow("kms:*", condition={"StringLike": {"kms:EncryptionContext:aws:sns:topicArn": "*"}}),), False, False),
        ((allow("kms:*", condition={"Null": {"kms:EncryptionContext:aws:sns:topicArn": "true"}}),), True, True),
        ((via("StringEquals", "s3.us-east-1.amazonaws.com"),), None, False),
        ((via("StringLike", "s3.*"),), None, False),
        ((via("StringEquals", "s3.eu-west-1.amazonaws.com"),), False, False),
        ((via("StringEquals", "cloudtrail.us-east-1.amazonaws.com"),), False, False),
        ((via("StringEquals", "s3.us-east-1.amazonaws.com"), via("Null", "true")), True, True),
        ((via("StringEqualsIfExists", "s3.us-east-1.amazonaws.com"),), True, True),
        ((USE, via("StringNotLike", "s3.*", effect="Deny")), None, False),
        ((allow("kms:*", condition={"StringEquals": {"aws:SourceArn": TRAIL_ARN}}),), True, True),
        ((USE, allow("kms:*", effect="Deny", condition={"Bool": {"aws:SecureTransport": "false"}})), True, True),
        ((USE, allow("kms:Describe*", effect="Deny", principal="*")), True, False),
        (
            (USE, allow("kms:*", effect="Deny", condition={"StringNotEquals": {"aws:PrincipalOrgID": "o"}})),
            False,
            False,
        ),
        ((USE, allow("kms:*", effect="Deny", condition={"StringLike": {"kms:ViaService": "s3.*"}})), None, True),
        ((USE, {"Fn::ImportValue": "statement"}), None, None),
        (({name: value for name, value in USE.items() if name != "Resource"},), False, False),
        (({name: value for name, value in USE.items() if name != "Action"},), False, False),
        ((USE, {"Effect": "Deny", "Principal": "*", "Action": "kms:*"}), True, True),
        (({name: value for name, value in USE.items() if name != "Principal"},), False, False),  # KMS refuses it
    ],
)
def test_policy_lets_cloudtrail_in(
    statements: tuple[Any, ...], encryption_granted: bool | None, description_granted: bool | None
) -> None:
    resources = {"Trail": trail({"Ref": "Key"}), "Key": key(*statements), "Bucket": bucket()}
    assert fact("key.grants_encryption", resources).value is encryption_granted
    assert fact("key.grants_describe", resources).value is description_granted


def test_facts_of_a_key_are_null_without_one() -> None:
    for value in (None, "", "alias/aws/s3", "my-key"):
        found = fact("key.grants_encryption", {"Trail": trail(value)})
        assert (found.value, found.unknown) == (None, None)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"Ref": "Key"}, True),
        ({"Fn::GetAtt": "Key.Arn"}, True),
        ({"Ref": "Alias"}, True),
        ("alias/logs", True),
        (f"{HERE}alias/logs", True),
        ({"Fn::Sub": HERE + "key/${Key}"}, True),
        ({"Fn::Sub": "arn:${AWS::Partition}:kms:${AWS::Region}:${AWS::AccountId}:key/${Key}"}, True),
        ({"Fn::Sub": "arn:aws:kms:eu-west-1:${AWS::AccountId}:key/${Key}"}, False),
        ({"Fn::Sub": "arn:aws:kms:${AWS::Region}:444455556666:key/${Key}"}, False),
        ({"Fn::Sub": "arn:aws-cn:kms:${AWS::Region}:${AWS::AccountId}:key/${Key}"}, False),
        (HERE.replace("us-east-1", "us-east-2") + "alias/logs", False),
        (HERE.replace("us-east-1", "us-east-2") + f"key/{UUID}", True),
        ("alias/aws/s3", True),
    ],
)
def test_arn_of_a_key_made_here_is_its_own(value: Any, expected: bool) -> None:
    resources = {"Trail": trail(value), "Key": key(USE), "Alias": ALIAS}
    assert fact("key.address_right", resources).value is expected


@pytest.mark.parametrize(
    ("made", "granted", "expected"),
    [
        (bucket(), False, True),
        (bucket_key(), False, False),
        (bucket_key(), True, True),
        (bucket_key("true"), False, False),
        (bucket_key(False), False, True),
        (bucket_key(algorithm="AES256"), False, True),
        (bucket_key({"Fn::ImportValue": "x"}), False, None),
        (bucket_key({"Fn::ImportValue": "x"}), True, True),
        (bucket(BucketEncryption={"Fn::ImportValue": "x"}), False, None),
    ],
)
def test_bucket_key_takes_decrypt(made: dict[str, Any], granted: bool, expected: bool | None) -> None:
    statements = (USE, allow("kms:Decrypt")) if granted else (USE,)
    resources = {"Trail": trail({"Ref": "Key"}), "Key": key(*statements), "Bucket": made}
    assert fact("key.grants_decrypt", resources).value is expected


def test_organization_trail_is_the_management_accounts() -> None:
    bound = allow("kms:*", condition={"StringEquals": {"aws:SourceArn": TRAIL_ARN, CONTEXT: TRAIL_ARN}})
    resources = {"Trail": trail({"Ref": "Key"}, IsOrganizationTrail=True), "Key": key(bound), "Bucket": bucket()}
    assert fact("key.grants_encryption", resources).value is True


# --- what the key is ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "properties", "expected"),
    [
        ("key.enabled", {}, True),
        ("key.enabled", {"Enabled": True}, True),
        ("key.enabled", {"Enabled": "false"}, False),
        ("key.enabled", {"Enabled": {"Fn::ImportValue": "x"}}, None),
        ("key.symmetric", {}, True),
        ("key.symmetric", {"KeySpec": "SYMMETRIC_DEFAULT", "KeyUsage": "ENCRYPT_DECRYPT", "Origin": "AWS_KMS"}, True),
        ("key.symmetric", {"KeySpec": "RSA_2048"}, False),
        ("key.symmetric", {"KeySpec": "HMAC_256", "KeyUsage": "GENERATE_VERIFY_MAC"}, False),
        ("key.symmetric", {"KeyUsage": "SIGN_VERIFY"}, False),
        ("key.symmetric", {"Origin": "EXTERNAL"}, False),
        ("key.symmetric", {"KeySpec": {"Fn::ImportValue": "x"}}, None),
        ("key.symmetric", {"KeySpec": {"Fn::ImportValue": "x"}, "Origin": "EXTERNAL"}, False),
    ],
)
def test_kind_of_key(name: str, properties: dict[str, Any], expected: bool | None) -> None:
    resources = {"Trail": trail({"Ref": "Key"}), "Key": key(USE, **properties)}
    assert fact(name, resources).value is expected


def test_kind_of_key_by_parameter_is_one_that_kms_makes() -> None:
    resources = {"Trail": trail({"Ref": "Key"}), "Key": key(USE, KeySpec={"Ref": "Spec"})}
    found = facts("key.symmetric", resources, Parameters={"Spec": {"Type": "String"}})
    assert [item.value for item in found] == [True, False]


def test_replica_has_its_own_policy_and_another_kind() -> None:
    replica = {"Type": "AWS::KMS::ReplicaKey", "Properties": {**REPLICA["Properties"], **key(USE)["Properties"]}}  # type: ignore[dict-item]
    resources = {"Trail": trail({"Fn::GetAtt": "Key.Arn"}), "Key": replica}
    assert fact("key.grants_describe", resources).value is True
    assert "another Region" in (fact("key.symmetric", resources).unknown or "")
    assert fact("key.rotatable", resources, "Key").value is False


@pytest.mark.parametrize(
    ("value", "rest", "expected"),
    [
        ("alias/logs", {}, False),
        (f"{HERE}alias/logs", {}, False),
        ("alias/logs", {"DependsOn": "Alias"}, True),
        ("alias/logs", {"DependsOn": ["Key"]}, False),
        ({"Ref": "Alias"}, {}, True),
        ({"Ref": "Key"}, {}, True),
        ("alias/elsewhere", {}, True),
    ],
)
def test_alias_is_made_before_the_trail(value: Any, rest: dict[str, Any], expected: bool) -> None:
    resources = {"Trail": {**trail(value), **rest}, "Key": key(USE), "Alias": ALIAS}
    assert fact("key.alias_ready", resources).value is expected


# --- event data stores ----------------------------------------------------------------------------------------------


LAKE = ("kms:GenerateDataKey", "kms:Decrypt")


@pytest.mark.parametrize(
    ("statements", "expected"),
    [
        ((allow(*LAKE),), True),
        ((allow(LAKE[0]), allow(LAKE[1])), True),
        ((USE,), False),
        ((), False),
        ((allow(*LAKE, condition={"StringEquals": {"aws:SourceAccount": "111122223333"}}),), False),
        ((allow(*LAKE, condition={"StringEqualsIfExists": {"aws:SourceAccount": "111122223333"}}),), True),
        ((allow(*LAKE, condition={"StringLike": {CONTEXT: "*"}}),), None),
        ((allow(*LAKE), allow("kms:*", effect="Deny", condition={"StringNotEquals": {"aws:SourceArn": "x"}})), False),
    ],
)
def test_lake_sends_no_source(statements: tuple[Any, ...], expected: bool | None) -> None:
    assert (
        fact("key.usable_by_lake", {"Lake": store({"Ref": "Key"}), "Key": key(*statements)}, "Lake").value is expected
    )


def test_key_of_a_lake_elsewhere_is_not_judged() -> None:
    for value in (UUID, {"Fn::ImportValue": "key"}, None):
        assert fact("key.usable_by_lake", {"Lake": store(value)}, "Lake").value is True


@pytest.mark.parametrize(
    ("properties", "expected"),
    [
        ({}, 366),
        ({"BillingMode": "EXTENDABLE_RETENTION_PRICING"}, 366),
        ({"BillingMode": "FIXED_RETENTION_PRICING"}, 2557),
        ({"RetentionPeriod": 90}, None),
        ({"RetentionPeriod": {"Ref": "AWS::NoValue"}}, 366),
    ],
)
def test_days_by_default(properties: dict[str, Any], expected: int | None) -> None:
    assert fact("retention.default_days", {"Lake": store(**properties)}, "Lake").value == expected


def test_property_is_spelt_as_cloudformation_spells_it() -> None:
    whole = model({"Trail": trail("alias/x"), "Lake": store("alias/x")})
    assert [keys.property_of(item) for item in whole.template.resources.values()] == ["KMSKeyId", "KmsKeyId"]
