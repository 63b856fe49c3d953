"""Whether a new key's policy lets nobody change it, held against an oracle that knows only the documentation."""

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
from trailguard.trails.facts.returns import RETURNS
from trailguard.trails.key import lockout

ACCOUNT = "111122223333"
PINS = Pins(region="us-east-1", account_id=ACCOUNT)
ROOT = {"AWS": {"Fn::Sub": "arn:${AWS::Partition}:iam::${AWS::AccountId}:root"}}
ROLE = {"Type": "AWS::IAM::Role", "Properties": {}}


def facts(key: dict[str, Any], pins: Pins = PINS, **sections: Any) -> list[Fact]:
    """Whether the policy may be changed, in every scenario."""
    text = json.dumps({**sections, "Resources": {"Key": key, "Role": ROLE}})
    model = Model(Template(parse(text.encode())), pins, RETURNS)
    subject = model.template.resources["Key"]
    return [leaf.answer for leaf in Scenarios(model).explore(lambda scenario: lockout.changeable(scenario, subject))]


def fact(*statements: Any, pins: Pins = PINS, **properties: Any) -> Fact:
    (only,) = facts(key(*statements, **properties), pins)
    return only


def key(*statements: Any, **properties: Any) -> dict[str, Any]:
    policy = {"Version": "2012-10-17", "Statement": list(statements)}
    return {"Type": "AWS::KMS::Key", "Properties": {"KeyPolicy": policy, **properties}}


def allow(principal: Any, action: Any = "kms:*", effect: str = "Allow", **more: Any) -> dict[str, Any]:
    return {"Effect": effect, "Principal": principal, "Action": action, "Resource": "*", **more}


def when(condition: Any, principal: Any = "*", effect: str = "Allow") -> dict[str, Any]:
    return allow(principal, effect=effect, Condition=condition)


@pytest.mark.parametrize(
    ("principal", "expected"),
    [
        (ROOT, True),
        ({"AWS": ACCOUNT}, True),
        ({"AWS": {"Ref": "AWS::AccountId"}}, True),
        ({"AWS": f"arn:aws:iam::{ACCOUNT}:user/admin"}, True),
        ({"AWS": f"arn:aws:sts::{ACCOUNT}:assumed-role/admin/session"}, True),
        ({"AWS": {"Fn::GetAtt": "Role.Arn"}}, True),
        ({"AWS": ["arn:aws:iam::444455556666:root", {"Fn::GetAtt": "Role.Arn"}]}, True),
        ("*", True),
        ({"AWS": "*"}, True),
        ({"AWS": "444455556666"}, False),
        ({"AWS": "arn:aws:iam::444455556666:root"}, False),
        ({"Service": "cloudtrail.amazonaws.com"}, False),
        ({"Service": ["logs.amazonaws.com", "cloudformation.amazonaws.com"]}, False),
        ({"AWS": {"Fn::ImportValue": "admins"}}, None),
        ({"AWS": "AIDAJQABLZS4A3QDU576Q"}, None),
        ({"AWS": {"Fn::GetAtt": "Role.RoleId"}}, None),
        ({"Federated": "cognito-identity.amazonaws.com"}, None),
        ({"Fn::ImportValue": "admins"}, None),
    ],
)
def test_somebody_in_the_account_is_named(principal: Any, expected: bool | None) -> None:
    found = fact(allow({"Service": "logs.amazonaws.com"}), allow(principal))
    assert (found.value, found.unknown is None) == (expected, expected is not None), found


@pytest.mark.parametrize(
    ("action", "expected"),
    [
        ("kms:PutKeyPolicy", True),
        ("KMS:putkeypolicy", True),
        (["kms:Describe*", "kms:Put*"], True),
        ("*", True),
        ("kms:Encrypt", False),
        (["kms:Create*", "kms:Get*"], False),
        ({"Fn::ImportValue": "actions"}, None),
    ],
)
def test_the_policy_may_be_put(action: Any, expected: bool | None) -> None:
    assert fact(allow(ROOT, action)).value is expected


def test_everything_but_the_policy_may_be_put() -> None:
    but = {"Effect": "Allow", "Principal": ROOT, "Resource": "*"}
    assert fact({**but, "NotAction": "kms:PutKeyPolicy"}).value is False
    assert fact({**but, "NotAction": "kms:ScheduleKeyDeletion"}).value is True


@pytest.mark.parametrize(
    ("condition", "allowed", "denied"),
    [
        ({"StringEquals": {"kms:CallerAccount": ACCOUNT}}, True, False),
        ({"StringEquals": {"kms:CallerAccount": {"Ref": "AWS::AccountId"}}}, True, False),
        ({"StringEquals": {"kms:CallerAccount": "444455556666"}}, False, True),
        ({"StringNotEquals": {"aws:PrincipalAccount": ACCOUNT}}, False, True),
        ({"Bool": {"aws:SecureTransport": "false"}}, False, True),
        ({"Bool": {"aws:PrincipalIsAWSService": "false"}}, True, False),
        ({"StringLike": {"kms:EncryptionContext:aws:cloudtrail:arn": "*"}}, False, True),
        ({"StringEquals": {"aws:SourceAccount": ACCOUNT}}, False, True),
        ({"ArnLike": {"aws:PrincipalArn": f"arn:aws:iam::{ACCOUNT}:role/admin"}}, True, True),
        ({"ArnNotLike": {"aws:PrincipalArn": f"arn:aws:iam::{ACCOUNT}:role/admin"}}, True, True),
        ({"StringEquals": {"aws:PrincipalTag/team": "audit"}}, True, True),
        ({"StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}}, None, None),
        ({"StringEquals": {"kms:ViaService": "s3.us-east-1.amazonaws.com"}}, None, None),
        ({"Fn::ImportValue": "condition"}, None, None),
    ],
)
def test_conditions(condition: Any, allowed: bool | None, denied: bool | None) -> None:
    assert fact(when(condition)).value is allowed
    assert fact(when(condition, ROOT)).value is allowed
    assert fact(allow(ROOT), when(condition, effect="Deny")).value is denied


@pytest.mark.parametrize(
    ("principal", "expected"),
    [
        ("*", False),
        ({"AWS": "*"}, False),
        ({"AWS": {"Fn::GetAtt": "Role.Arn"}}, True),
        ({"AWS": "arn:aws:iam::444455556666:root"}, True),
        ({"Service": "logs.amazonaws.com"}, True),
        (ROOT, None),
        ({"AWS": {"Fn::ImportValue": "nobody"}}, None),
    ],
)
def test_a_deny_must_hit_everybody(principal: Any, expected: bool | None) -> None:
    assert fact(allow(ROOT), allow(principal, "kms:Put*", "Deny")).value is expected
    assert fact(allow(ROOT), allow(principal, "kms:ScheduleKeyDeletion", "Deny")).value is True


def test_a_statement_without_action_or_resource_has_no_effect() -> None:
    for name in ("Action", "Resource"):
        void = {element: value for element, value in allow(ROOT).items() if element != name}
        assert fact(void).value is False
        assert fact(allow(ROOT), {**void, "Principal": "*", "Effect": "Deny"}).value is True
    assert fact({name: value for name, value in allow(ROOT).items() if name != "Principal"}).value is None


def test_not_principal() -> None:
    def but(principal: Any, effect: str = "Allow") -> dict[str, Any]:
        return {"Effect": effect, "NotPrincipal": principal, "Action": "kms:*", "Resource": "*"}

    assert fact(but({"Service": "logs.amazonaws.com"})).value is True
    assert fact(but(ROOT)).value is None
    assert fact(allow(ROOT), but(ROOT, "Deny")).value is None


@pytest.mark.parametrize(
    ("bypass", "expected"),
    [(True, True), ("true", True), (False, False), ("false", False), ({"Fn::ImportValue": "x"}, None)],
)
def test_the_check_may_be_bypassed(bypass: Any, expected: bool | None) -> None:
    assert fact(allow({"AWS": "444455556666"}), BypassPolicyLockoutSafetyCheck=bypass).value is expected
    assert fact(allow(ROOT), BypassPolicyLockoutSafetyCheck=bypass).value is True


def test_a_copy_of_a_key_cannot_bypass_the_check() -> None:
    made = key(allow({"AWS": "444455556666"}), PrimaryKeyArn="x", BypassPolicyLockoutSafetyCheck=True)
    (found,) = facts({**made, "Type": "AWS::KMS::ReplicaKey"})
    assert found.value is False


def test_without_a_policy_the_account_may() -> None:
    for properties in ({}, {"KeyPolicy": {"Ref": "AWS::NoValue"}}):
        (found,) = facts({"Type": "AWS::KMS::Key", "Properties": properties})
        assert found.value is True


def test_policy_as_text() -> None:
    (found,) = facts({"Type": "AWS::KMS::Key", "Properties": {"KeyPolicy": json.dumps({"Statement": [allow("*")]})}})
    assert found.value is True


def test_another_account_is_known_when_the_own_is() -> None:
    found = facts(key(allow({"AWS": "444455556666"})), Pins())
    assert {item.value for item in found} == {True, False}
    found = facts(key(allow(ROOT)), Pins())
    assert {item.value for item in found} == {True}


def test_parameters() -> None:
    made = key(allow({"AWS": {"Ref": "Admin"}}))
    free = facts(made, Parameters={"Admin": {"Type": "String"}})
    assert [item.value for item in free] == [True]
    other = "arn:aws:iam::444455556666:root"
    bound = facts(made, Parameters={"Admin": {"Type": "String", "AllowedValues": [other, ACCOUNT]}})
    assert {item.value for item in bound} == {True, False}
    default = facts(made, Parameters={"Admin": {"Type": "String", "Default": other}})
    assert {item.value for item in default} == {True, False}
    account = key(allow({"AWS": {"Fn::Sub": "arn:aws:iam::${Account}:root"}}))
    given = facts(account, Parameters={"Account": {"Type": "String"}})
    assert [item.value for item in given] == [True]
    wrong = facts(account, Parameters={"Account": {"Type": "String", "AllowedValues": ["444455556666", ACCOUNT]}})
    assert {item.value for item in wrong} == {True, False}
    stored = facts(made, Parameters={"Admin": {"Type": "AWS::SSM::Parameter::Value<String>", "Default": "/admin"}})
    assert {item.value for item in stored} == {None}


def test_an_optional_grant_decides() -> None:
    optional = {"Fn::If": ["Own", allow(ROOT), {"Ref": "AWS::NoValue"}]}
    sections: dict[str, Any] = {
        "Parameters": {"P": {"Type": "String", "AllowedValues": ["yes", "no"]}},
        "Conditions": {"Own": {"Fn::Equals": [{"Ref": "P"}, "yes"]}},
    }
    found = facts(key(allow({"Service": "logs.amazonaws.com"}), optional), **sections)
    assert {item.value for item in found} == {True, False}


# --- any statements together -----------------------------------------------------------------------------------------

# What each part of a statement says of a change of the policy by some principal of the account: for an Allow whether it
# reaches somebody, for a Deny whether it hits everybody.
PRINCIPALS: tuple[tuple[Any, bool, bool], ...] = (
    ("*", True, True),
    ({"AWS": f"arn:aws:iam::{ACCOUNT}:role/admin"}, True, False),
    ({"AWS": "arn:aws:iam::444455556666:root"}, False, False),
    ({"Service": "cloudtrail.amazonaws.com"}, False, False),
)
ACTIONS = (("kms:*", True), ("kms:PutKeyPolicy", True), (["kms:Encrypt", "kms:Get*"], False))
CONDITIONS: tuple[tuple[Any, bool, bool], ...] = (
    ({}, True, True),
    ({"StringEquals": {"kms:CallerAccount": ACCOUNT}}, True, True),
    ({"Null": {"aws:SourceArn": "false"}}, False, False),
    ({"ArnLike": {"aws:PrincipalArn": "*"}}, True, False),
)
STATEMENTS = st.tuples(
    st.sampled_from(("Allow", "Deny")),
    st.sampled_from(PRINCIPALS),
    st.sampled_from(ACTIONS),
    st.sampled_from(CONDITIONS),
)


@settings(deadline=None, max_examples=200)
@given(st.lists(STATEMENTS, max_size=4), st.booleans())
def test_statements_add_up(statements: list[Any], bypass: bool) -> None:
    written = []
    reached = locked = False
    for effect, (principal, somebody, everybody), (action, put), (condition, may_hold, always_holds) in statements:
        written.append(allow(principal, action, effect, **({"Condition": condition} if condition else {})))
        reached = reached or (effect == "Allow" and somebody and put and may_hold)
        locked = locked or (effect == "Deny" and everybody and put and always_holds)
    expected = bypass or (reached and not locked)
    assert fact(*written, BypassPolicyLockoutSafetyCheck=bypass).value is expected
