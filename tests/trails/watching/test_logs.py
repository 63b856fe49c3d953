"""The log group of a trail, its role, and what the role may do, held against an oracle that adds up the policies."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trailguard.cloudformation.scenarios.model import Model, Pins
from trailguard.cloudformation.scenarios.scenarios import Scenarios
from trailguard.cloudformation.source.reading import parse
from trailguard.cloudformation.template.template import Template
from trailguard.trails.facts.facts import Fact
from trailguard.trails.facts.links import Link
from trailguard.trails.facts.returns import RETURNS
from trailguard.trails.watching import groupkey, logs, writing

Json = Any
ARN = {"Fn::GetAtt": ["Group", "Arn"]}
ROLE = {"Fn::GetAtt": ["Role", "Arn"]}
WRITE = ["logs:CreateLogStream", "logs:PutLogEvents"]
LITERAL = "arn:aws:logs:eu-west-1:111122223333:log-group:audit:*"


OPEN = Pins()
HERE = Pins(region="eu-west-1", account_id="111122223333")


def model(resources: dict[str, Json], pins: Pins = OPEN, **sections: Json) -> Model:
    text = json.dumps({**sections, "Resources": resources})
    return Model(Template(parse(text.encode())), pins, RETURNS)


def facts(name: str, resources: dict[str, Json], pins: Pins = OPEN, **sections: Json) -> list[Fact]:
    """The fact about the trail in every scenario."""
    judged = model(resources, pins, **sections)
    trail = judged.template.resources["Trail"]
    build = {**logs.FACTS, **groupkey.FACTS, **writing.FACTS}[name].build
    return [leaf.answer for leaf in Scenarios(judged).explore(lambda scenario: build(scenario, trail))]


def fact(name: str, resources: dict[str, Json], pins: Pins = OPEN, **sections: Json) -> Fact:
    (found,) = facts(name, resources, pins, **sections)
    return found


def trail(group: Json = ARN, role: Json = ROLE, **more: Json) -> dict[str, Json]:
    properties = {"S3BucketName": "b", "IsLogging": True, "CloudWatchLogsLogGroupArn": group}
    properties |= {"CloudWatchLogsRoleArn": role, **more}
    return {"Type": "AWS::CloudTrail::Trail", "Properties": {k: v for k, v in properties.items() if v is not None}}


def allow(action: Json = WRITE, resource: Json = ARN, effect: str = "Allow", **more: Json) -> dict[str, Json]:
    return {"Effect": effect, "Action": action, "Resource": resource, **more}


def document(*statements: Json) -> dict[str, Json]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def trust(principal: Json = None, **more: Json) -> dict[str, Json]:
    who = principal or {"Service": "cloudtrail.amazonaws.com"}
    return document({"Effect": "Allow", "Principal": who, "Action": "sts:AssumeRole", **more})


def role(*statements: Json, trusted: Json = None, **more: Json) -> dict[str, Json]:
    inline = [{"PolicyName": "p", "PolicyDocument": document(*statements)}] if statements else []
    properties = {"AssumeRolePolicyDocument": trusted or trust(), "Policies": inline, **more}
    return {"Type": "AWS::IAM::Role", "Properties": properties}


def group(**properties: Json) -> dict[str, Json]:
    return {"Type": "AWS::Logs::LogGroup", "Properties": properties}


def template(*statements: Json, **more: Json) -> dict[str, Json]:
    return {"Trail": trail(**more), "Group": group(), "Role": role(*statements)}


# --- the log group ---------------------------------------------------------------------------------------------------

START = "arn:aws:logs:${AWS::Region}:${AWS::AccountId}:log-group:"


@pytest.mark.parametrize(
    ("value", "right"),
    [
        (ARN, True),
        ({"Fn::Sub": "${Group.Arn}"}, True),
        ({"Fn::Sub": START + "${Group}:*"}, True),
        ({"Fn::Sub": START + "${Name}:*"}, True),
        ({"Fn::Sub": START + "${Ssm}:*"}, True),
        (LITERAL, True),
        ({"Fn::Sub": "${Group.Arn}:*"}, False),
        ({"Ref": "Group"}, False),
        ({"Fn::Sub": "${Group}:*"}, False),
        ({"Fn::Sub": START + "${Group}"}, False),
        (LITERAL.removesuffix(":*"), False),
        ("audit", False),
        ("arn:aws:s3:::audit:*", False),
        ("arn:aws:iam:eu-west-1:111122223333:log-group:audit:*", False),
        (["list"], False),
        ({"Ref": "Name"}, None),
        ({"Fn::ImportValue": "group"}, None),
        ({"Fn::Sub": START + "${Name}"}, None),
        ({"Fn::Sub": "${Name}:*"}, None),
        ({"Ref": "Ssm"}, None),
    ],
)
def test_group_arn(value: Json, right: bool | None) -> None:
    parameters = {
        "Name": {"Type": "String"},
        "Ssm": {"Type": "AWS::SSM::Parameter::Value<String>", "Default": "/name"},
    }
    found = facts("logs.group_arn", {"Trail": trail(value), "Group": group()}, Parameters=parameters)
    assert found[-1].value is right
    assert (found[-1].unknown is not None) is (right is None)


def test_group_arn_by_parameter_is_judged_by_each_value() -> None:
    parameters = {"Arn": {"Type": "String", "AllowedValues": [LITERAL, "audit"]}}
    found = facts("logs.group_arn", {"Trail": trail({"Ref": "Arn"})}, Parameters=parameters)
    assert {item.value for item in found} == {True, False}


@pytest.mark.parametrize(
    ("value", "made"),
    [
        (ARN, True),
        ({"Ref": "Group"}, True),
        (LITERAL, True),
        ({"Fn::Sub": START + "${Group}:*"}, True),
        (LITERAL.replace("audit", "other"), False),
        ({"Fn::ImportValue": "group"}, False),
    ],
)
def test_log_group_is_found_by_its_name(value: Json, made: bool) -> None:
    judged = model({"Trail": trail(value), "Group": group(LogGroupName="audit")})
    subject = judged.template.resources["Trail"]
    (leaf,) = Scenarios(judged).explore(lambda scenario: logs.log_group_link(scenario, subject))
    assert isinstance(leaf.answer, Link)
    assert (leaf.answer.resource is not None) is made
    assert bool(leaf.answer.elsewhere) is not made


def test_trail_without_log_group_has_no_link() -> None:
    judged = model({"Trail": trail(None)})
    subject = judged.template.resources["Trail"]
    assert [leaf.answer for leaf in Scenarios(judged).explore(lambda s: logs.log_group_link(s, subject))] == [None]


@pytest.mark.parametrize(
    ("properties", "right"),
    [({}, True), ({"LogGroupClass": "STANDARD"}, True), ({"LogGroupClass": "INFREQUENT_ACCESS"}, True),
     ({"LogGroupClass": "DELIVERY"}, False), ({"LogGroupClass": {"Fn::ImportValue": "x"}}, None)],
)  # fmt: skip
def test_group_class(properties: Json, right: bool | None) -> None:
    assert fact("logs.group_class", {"Trail": trail(), "Group": group(**properties)}).value is right


# --- trust -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("trusted", "right"),
    [
        (trust(), True),
        (trust({"Service": ["ec2.amazonaws.com", "cloudtrail.amazonaws.com"]}), True),
        (trust({"Service": "ec2.amazonaws.com"}), False),
        (trust({"AWS": "arn:aws:iam::111122223333:root"}), False),
        (trust(Action="sts:TagSession"), False),
        (trust(Action="sts:*"), True),
        (document(*trust()["Statement"], {"Effect": "Deny", "Principal": "*", "Action": "sts:AssumeRole"}), False),
        (trust(Condition={"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}), None),
        (trust(Condition={"StringLike": {"aws:SourceArn": "*"}}), None),
        (trust(Resource="*"), False),  # AWS refuses it
        ({"Fn::ImportValue": "trust"}, None),
    ],
)
def test_trust(trusted: Json, right: bool | None) -> None:
    resources = {"Trail": trail(), "Group": group(), "Role": role(allow(), trusted=trusted)}
    assert fact("logs.role_trusts", resources).value is right


def test_name_of_a_role_is_no_arn() -> None:
    found = fact("logs.role_arn", template(allow(), role={"Ref": "Role"}))
    assert (found.value, found.because) == (
        False, "CloudWatchLogsRoleArn of Trail is ${Role} (from Role), the name of Role, where its ARN belongs",
    )  # fmt: skip


# --- permissions -----------------------------------------------------------------------------------------------------

STREAM = {"Fn::Sub": START + "${Group}:log-stream:${AWS::AccountId}_CloudTrail_${AWS::Region}*"}
ORGANIZATION = {"Fn::Sub": START + "${Group}:log-stream:o-abcdefghij_*"}


@pytest.mark.parametrize(
    ("statements", "right"),
    [
        ([allow()], True),
        ([allow(resource="*")], True),
        ([allow(resource=STREAM)], True),
        ([allow("logs:*", [STREAM])], True),
        ([allow(WRITE[0]), allow(WRITE[1], STREAM)], True),
        ([allow(resource={"Fn::Sub": START + "${Group}"})], False),
        ([allow(resource={"Ref": "Group"})], False),
        ([allow(resource={"Fn::Sub": "${Group.Arn}:log-stream:*"})], False),
        ([allow(WRITE[0])], False),
        ([], False),
        ([allow(), allow("logs:*", "*", "Deny")], False),
        ([allow(), allow("logs:DeleteLogStream", "*", "Deny")], True),
        ([allow(Condition={"StringEquals": {"aws:PrincipalTag/a": "b"}})], None),
        ([allow(Principal="*")], False),  # AWS refuses it
        ([allow(resource={"Fn::ImportValue": "arn"})], None),
    ],
)
def test_permissions(statements: list[Json], right: bool | None) -> None:
    assert fact("logs.role_permits", template(*statements)).value is right


@pytest.mark.parametrize(
    ("resources", "right"),
    [
        ([STREAM], False),
        ([ORGANIZATION], False),
        ([STREAM, ORGANIZATION], True),
        ([ARN], True),
        (["arn:aws:logs:*:*:log-group:*:log-stream:*"], True),
        ([STREAM, "arn:aws:logs:*:*:log-group:*:log-stream:o-*"], True),
        ([STREAM, {"Fn::Sub": "arn:aws:logs:*:*:log-group:${Group}:log-stream:${Id}_*"}], True),
        ([STREAM, {"Fn::Sub": START + "${Group}:log-stream:undefined_*"}], False),
    ],
)
def test_permissions_of_an_organization_trail(resources: list[Json], right: bool) -> None:
    judged = template(allow(resource=resources), IsOrganizationTrail=True)
    found = facts("logs.role_permits", judged, Parameters={"Id": {"Type": "String", "AllowedPattern": "o-.{10}"}})
    assert {item.value for item in found} == {right}


def attached(kind: str, *statements: Json, **more: Json) -> dict[str, Json]:
    return {"Type": kind, "Properties": {"PolicyDocument": document(*statements), **more}}


BY_NAME = {"Roles": [{"Ref": "Role"}]}


@pytest.mark.parametrize(
    ("policy", "listed", "right", "ordered"),
    [
        (attached("AWS::IAM::Policy", allow(), **BY_NAME), [], True, False),
        (attached("AWS::IAM::ManagedPolicy", allow(), **BY_NAME), [], True, False),
        (attached("AWS::IAM::RolePolicy", allow(), RoleName={"Ref": "Role"}), [], True, False),
        (attached("AWS::IAM::ManagedPolicy", allow()), [{"Ref": "Extra"}], True, True),
        (attached("AWS::IAM::ManagedPolicy", allow()), [], False, True),
        (attached("AWS::IAM::Policy", allow(), Roles=["other"]), [], False, True),
        (attached("AWS::IAM::Policy", allow(), Roles=[{"Fn::ImportValue": "r"}]), [], None, True),
        (group(), ["arn:aws:iam::aws:policy/CloudWatchLogsFullAccess"], True, True),
        (group(), [{"Fn::Sub": "arn:${AWS::Partition}:iam::aws:policy/AdministratorAccess"}], True, True),
        (group(), ["arn:aws:iam::aws:policy/CloudWatchLogsReadOnlyAccess"], None, True),
        (group(), ["arn:aws:iam::111122223333:policy/CloudWatchLogsFullAccess"], None, True),
    ],
)
def test_permissions_of_attached_policies(policy: Json, listed: Json, right: bool | None, ordered: bool) -> None:
    resources = {"Trail": trail(), "Group": group(), "Role": role(ManagedPolicyArns=listed), "Extra": policy}
    assert fact("logs.role_permits", resources).value is right
    assert fact("logs.ordered", resources).value is ordered
    resources["Trail"]["DependsOn"] = "Extra"
    assert fact("logs.ordered", resources).value is True


def test_permissions_boundary_leaves_it_open() -> None:
    resources = {"Trail": trail(), "Group": group(), "Role": role(allow(), PermissionsBoundary="arn:x")}
    assert fact("logs.role_permits", resources).unknown is not None
    resources["Role"] = role(allow(WRITE[0]), PermissionsBoundary="arn:x")
    assert fact("logs.role_permits", resources).value is False


@pytest.mark.parametrize("name", ["logs.role_trusts", "logs.role_permits", "logs.ordered"])
def test_role_made_elsewhere_is_not_known(name: str) -> None:
    found = fact(name, {"Trail": trail(role={"Fn::ImportValue": "role"}), "Group": group()})
    assert "scan the template that does together with this one" in (found.unknown or "")


@pytest.mark.parametrize(
    ("path", "arn", "found", "right"),
    [
        ("/team/", "arn:aws:iam::111122223333:role/team/audit", True, True),
        ("/team/", "arn:aws:iam::111122223333:role/audit", True, False),
        ("/team/", "arn:aws:iam::111122223333:role/other/audit", True, False),
        ("/team/", "arn:aws:iam::111122223333:role/team/my-audit", False, True),
        ("/team/", "arn:aws:iam::444455556666:role/team/audit", True, False),
        ("/team/", "arn:aws:iam::444455556666:role/elsewhere", False, False),
        ("/team/", {"Fn::GetAtt": "Role.Arn"}, True, True),
        ("/team/", {"Fn::Sub": "arn:aws:iam::${AWS::AccountId}:role/team/${Role}"}, True, True),
        ("/team/", {"Fn::Sub": "arn:${AWS::Partition}:iam::${AWS::AccountId}:role/${Role}"}, True, False),
        ("/team/", {"Ref": "Role"}, True, False),
        ("/team/", "audit", True, False),
        ("/team/", "elsewhere", False, False),
        ("/team/", "arn:aws:iam::111122223333:user/audit", False, False),
        ("/", "arn:aws:iam::111122223333:role/audit", True, True),
        ("/", "arn:aws:iam::111122223333:role//audit", True, False),
        (None, "arn:aws:iam::111122223333:role/audit", True, True),
        (None, "arn:aws:iam::111122223333:role/team/audit", True, False),
        ({"Ref": "AWS::NoValue"}, "arn:aws:iam::111122223333:role/audit", True, True),
        ({"Fn::Sub": "/${AWS::Region}/"}, "arn:aws:iam::111122223333:role/eu-west-1/audit", True, True),
    ],
)
def test_role_is_found_by_its_name_and_named_by_its_arn(path: Json, arn: Json, found: bool, right: bool) -> None:
    made = role(allow(), RoleName="audit", **({} if path is None else {"Path": path}))
    resources = {"Trail": trail(role=arn), "Group": group(), "Role": made}
    assert (fact("logs.role_permits", resources, HERE).unknown is None) is found
    assert fact("logs.role_arn", resources, HERE).value is right


def test_role_arn_of_an_account_is_right_in_that_account() -> None:
    for arn in ("arn:aws:iam::111122223333:role/audit", "arn:aws:iam::111122223333:role/elsewhere"):
        resources = {"Trail": trail(role=arn), "Role": role(allow(), RoleName="audit")}
        assert {item.value for item in facts("logs.role_arn", resources)} == {True, False}


@pytest.mark.parametrize(
    ("value", "right"),
    [
        (ARN, True),
        (LITERAL, True),
        ({"Fn::Sub": START + "audit:*"}, True),
        (LITERAL.replace("eu-west-1", "us-east-1"), False),
        (LITERAL.replace("111122223333", "444455556666"), False),
        (LITERAL.replace("eu-west-1", ""), False),
        (LITERAL.replace("arn:aws:", "arn:aws-cn:"), False),
        ("audit", True),  # another fact tells
        ({"Fn::ImportValue": "group"}, True),
        ({"Fn::Sub": "arn:aws:logs:${Where}:111122223333:log-group:audit:*"}, True),
        ({"Fn::Sub": "arn:aws:logs:${Which}:111122223333:log-group:audit:*"}, False),
    ],
)
def test_log_group_is_of_the_own_account_and_region(value: Json, right: bool) -> None:
    parameters = {
        "Where": {"Type": "String", "AllowedValues": ["eu-west-1"]},
        "Which": {"Type": "String", "AllowedValues": ["us-east-1", "us-west-2"]},
    }
    found = facts("logs.group_here", {"Trail": trail(value), "Group": group()}, HERE, Parameters=parameters)
    assert {item.value for item in found} == {right}


# --- the key of the log group ----------------------------------------------------------------------------------------

KEY_ARN = {"Fn::GetAtt": ["Key", "Arn"]}
ALL = ["kms:Encrypt*", "kms:Decrypt*", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:Describe*"]
GROUP = "arn:aws:logs:eu-west-1:111122223333:log-group:audit"


def let_in(who: Json = "logs.eu-west-1.amazonaws.com", actions: Json = None, **more: Json) -> dict[str, Json]:
    principal = {"Service": who} if isinstance(who, str) or "Fn::Sub" in who else who
    return {"Effect": "Allow", "Principal": principal, "Action": actions or ALL, "Resource": "*", **more}


def bound(operator: str, key: str, value: str) -> dict[str, Json]:
    return let_in(Condition={operator: {key: value}})


def keyed(*statements: Json, named: Json = KEY_ARN, **more: Json) -> dict[str, Json]:
    key = {"KeyPolicy": document(*statements), **more} if statements else more
    return {
        "Trail": trail(),
        "Group": group(LogGroupName="audit", KmsKeyId=named),
        "Role": role(allow()),
        "Key": {"Type": "AWS::KMS::Key", "Properties": key},
        "Alias": {"Type": "AWS::KMS::Alias", "Properties": {"AliasName": "alias/k", "TargetKeyId": {"Ref": "Key"}}},
    }


CONTEXT = "kms:EncryptionContext:aws:logs:arn"


@pytest.mark.parametrize(
    ("statement", "right"),
    [
        (let_in(), True),
        (let_in({"Fn::Sub": "logs.${AWS::Region}.amazonaws.com"}), True),
        (let_in({"Fn::Sub": "logs.${AWS::Region}.${AWS::URLSuffix}"}), True),
        (let_in(actions="kms:*"), True),
        (let_in({"AWS": "*"}), True),
        (let_in("logs.us-east-1.amazonaws.com"), False),
        (let_in("cloudtrail.amazonaws.com"), False),
        (let_in("logs.amazonaws.com"), None),
        (let_in({"AWS": "arn:aws:iam::111122223333:root"}), False),
        (let_in(actions=["kms:GenerateDataKey*", "kms:Decrypt"]), None),
        (let_in(actions=["kms:GenerateDataKey*", "kms:Encrypt"]), False),
        (let_in(actions=["kms:Decrypt*", "kms:Encrypt*"]), False),
        (let_in(actions=["kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey"]), True),
        (bound("ArnEquals", CONTEXT, GROUP), True),
        (bound("StringEquals", CONTEXT, GROUP), True),
        (bound("ArnLike", CONTEXT, "arn:aws:logs:*:111122223333:*"), True),
        (bound("ArnEquals", CONTEXT, GROUP + ":*"), False),
        (bound("ArnEquals", CONTEXT, GROUP.replace("audit", "other")), False),
        (bound("StringLike", "kms:EncryptionContext:aws:cloudtrail:arn", "*"), False),
        (bound("StringEquals", "aws:SourceAccount", "111122223333"), None),
        (bound("StringEquals", "kms:ViaService", "logs.eu-west-1.amazonaws.com"), None),
        ({"Fn::ImportValue": "statement"}, None),
    ],
)
def test_key_of_the_log_group(statement: Json, right: bool | None) -> None:
    assert fact("logs.group_key", keyed(statement), HERE).value is right


@pytest.mark.parametrize(
    ("named", "right"),
    [
        (KEY_ARN, True),
        ({"Fn::Sub": "arn:${AWS::Partition}:kms:${AWS::Region}:${AWS::AccountId}:key/${Key}"}, True),
        ({"Fn::Sub": "arn:${AWS::Partition}:kms:${AWS::Region}:${AWS::AccountId}:alias/k"}, True),
        ({"Fn::Sub": "arn:${AWS::Partition}:kms:us-east-1:${AWS::AccountId}:alias/k"}, False),
        ({"Ref": "Key"}, False),
        ({"Ref": "Alias"}, False),
        ("alias/k", False),
        ("arn:aws:kms:eu-west-1:111122223333:alias/aws/logs", False),
        ("arn:aws:kms:eu-west-1:111122223333:alias/elsewhere", None),
        ("arn:aws:s3:::logs", False),
        ({"Fn::ImportValue": "key"}, None),
        ({"Ref": "AWS::NoValue"}, True),
        ("", True),
        ([], False),
    ],
)
def test_key_of_the_log_group_is_named_by_an_arn(named: Json, right: bool | None) -> None:
    assert fact("logs.group_key", keyed(let_in(), named=named), HERE).value is right


def test_key_of_the_log_group_must_be_of_use() -> None:
    assert fact("logs.group_key", keyed(), HERE).value is False
    assert fact("logs.group_key", keyed(let_in(), Enabled=False), HERE).value is False
    assert fact("logs.group_key", keyed(let_in(), KeySpec="HMAC_256"), HERE).value is False
    elsewhere = {**keyed(let_in()), "Trail": trail(LITERAL.replace("audit", "other"))}
    assert fact("logs.group_key", elsewhere, HERE).value is True


def test_key_of_the_log_group_in_one_region() -> None:
    found = facts("logs.group_key", keyed(let_in("logs.us-east-1.amazonaws.com")))
    assert {item.value for item in found} == {True, False}


# --- permissions boundaries ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("bounds", "right"),
    [
        ([allow("logs:*", "*")], True),
        ([allow("*", "*")], True),
        ([allow()], True),
        ([allow("s3:*", "*")], False),
        ([allow(WRITE[0], "*")], False),
        ([allow("logs:*", "arn:aws:logs:*:*:log-group:other:*")], False),
        ([allow("*", "*"), allow("logs:PutLogEvents", "*", "Deny")], False),
        ([allow("*", "*"), allow("logs:Delete*", "*", "Deny")], True),
        ([allow("*", "*", Condition={"StringEquals": {"aws:PrincipalTag/a": "b"}})], None),
        ([{"Fn::ImportValue": "statement"}], None),
    ],
)
def test_permissions_boundary_made_here_is_judged(bounds: list[Json], right: bool | None) -> None:
    resources = {
        "Trail": trail(),
        "Group": group(),
        "Role": role(allow(), PermissionsBoundary={"Ref": "Limits"}),
        "Limits": {"Type": "AWS::IAM::ManagedPolicy", "Properties": {"PolicyDocument": document(*bounds)}},
    }
    assert fact("logs.role_permits", resources).value is right
    resources["Role"] = role(PermissionsBoundary={"Ref": "Limits"})
    assert fact("logs.role_permits", resources).value is False  # a boundary grants nothing


def test_permissions_boundary_by_arn() -> None:
    limits = {
        "Type": "AWS::IAM::ManagedPolicy",
        "Properties": {"ManagedPolicyName": "l", "Path": "/p/", "PolicyDocument": document(allow("s3:*", "*"))},
    }
    for arn, right in (
        ("arn:aws:iam::aws:policy/PowerUserAccess", True),
        ("arn:aws:iam::aws:policy/ReadOnlyAccess", None),
        ("arn:aws:iam::111122223333:policy/p/l", False),
        ("arn:aws:iam::111122223333:policy/elsewhere", None),
        ({"Ref": "AWS::NoValue"}, True),
        ({"Fn::ImportValue": "limits"}, None),
    ):
        resources = {
            "Trail": trail(),
            "Group": group(),
            "Role": role(allow(), PermissionsBoundary=arn),
            "Limits": limits,
        }
        assert fact("logs.role_permits", resources, HERE).value is right, arn


# Statements: actions, resources that cover every stream of CloudTrail and others that cover none of them.
COVERING = [ARN, STREAM, "*", "arn:aws:logs:*:*:log-group:*"]
MISSING = [{"Fn::Sub": START + "${Group}"}, "arn:aws:logs:*:*:log-group:other:*", "arn:aws:s3:::*"]
STATEMENTS = st.builds(
    allow,
    st.lists(st.sampled_from([*WRITE, "logs:GetLogEvents"]), min_size=1, max_size=2),
    st.sampled_from([*COVERING, *MISSING]),
    st.sampled_from(["Allow", "Allow", "Allow", "Deny"]),
)
SOURCES = st.lists(st.lists(STATEMENTS, min_size=1, max_size=2), min_size=3, max_size=3)


@settings(max_examples=60, deadline=None)
@given(SOURCES)
def test_policies_add_up_and_a_deny_wins(sources: list[list[Json]]) -> None:
    inline, separate, listed = sources
    resources = {
        "Trail": {**trail(), "DependsOn": "Separate"},
        "Group": group(),
        "Role": role(*inline, ManagedPolicyArns=[{"Ref": "Listed"}]),
        "Separate": attached("AWS::IAM::Policy", *separate, **BY_NAME),
        "Listed": attached("AWS::IAM::ManagedPolicy", *listed),
    }
    every = [statement for source in sources for statement in source]

    def says(effect: str, action: str) -> bool:
        return any(
            item["Effect"] == effect and action in item["Action"] and item["Resource"] in COVERING for item in every
        )

    expected = all(says("Allow", action) and not says("Deny", action) for action in WRITE)
    assert fact("logs.role_permits", resources).value is expected
