"""Reads roles with their trust and permissions, and the policies that are attached to them.

Roles that AWS services make for themselves are left out: no trail can use one.
Source: https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetAccountAuthorizationDetails.html
"""

from __future__ import annotations

from typing import Any

from trailguard.account.existing import Existing, document, existing
from trailguard.account.kinds import KINDS
from trailguard.account.part import Part

_ROLE, _POLICY = KINDS["roles"].types
_OF_SERVICES = "/aws-service-role/"


def read(part: Part, region: str) -> None:
    """Read the roles of an account through some Region."""

    def roles() -> list[Existing]:
        asked = ["Role", "LocalManagedPolicy", "AWSManagedPolicy"]
        pages = list(part.asker.pages("iam:GetAccountAuthorizationDetails", region, Filter=asked))
        told = [role for page in pages for role in page.get("RoleDetailList") or ()]
        made_by_users = (role for role in told if not role["Path"].startswith(_OF_SERVICES))
        kept = [role for role in made_by_users if part.wants(role["RoleName"], role["Arn"])]
        attached = {policy["PolicyArn"] for role in kept for policy in role.get("AttachedManagedPolicies") or ()}
        attached |= {
            role["PermissionsBoundary"]["PermissionsBoundaryArn"] for role in kept if "PermissionsBoundary" in role
        }
        policies = {policy["Arn"]: policy for page in pages for policy in page.get("Policies") or ()}
        made = [_role(part, role) for role in kept]
        return made + [_policy(part, policy) for arn, policy in policies.items() if arn in attached]

    part.listed(KINDS["roles"].types, roles)


def _role(part: Part, told: dict[str, Any]) -> Existing:
    inline = sorted(told.get("RolePolicyList") or (), key=lambda policy: str(policy["PolicyName"]))
    properties = {
        "RoleName": told["RoleName"],
        "Path": told["Path"],
        "AssumeRolePolicyDocument": document(told["AssumeRolePolicyDocument"]),
        "Policies": [
            {"PolicyName": policy["PolicyName"], "PolicyDocument": document(policy["PolicyDocument"])}
            for policy in inline
        ]
        or None,
        "ManagedPolicyArns": sorted(policy["PolicyArn"] for policy in told.get("AttachedManagedPolicies") or ())
        or None,
        "PermissionsBoundary": told.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn"),
    }
    return existing(part.place, _ROLE, told["Arn"], properties, name=told["RoleName"])


def _policy(part: Part, told: dict[str, Any]) -> Existing:
    arn = told["Arn"]
    (current,) = (version for version in told["PolicyVersionList"] if version["IsDefaultVersion"])
    path, _, name = arn.partition(":policy")[2].rpartition("/")
    properties = {
        "ManagedPolicyName": name,
        "Path": f"{path}/",
        "PolicyDocument": document(current["Document"]),
    }
    made = existing(part.place, _POLICY, arn, properties, name=name, physical=arn)
    if arn.split(":")[4] == "aws":
        made.notes["aws_managed"] = True
    return made
