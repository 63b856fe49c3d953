"""The role with which CloudTrail writes to a log group: which one it is, and what it may do.

What a role may do is said in many places: its own Policies, policies that are attached to it, managed policies. They
add up, and a Deny in any of them wins.
Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_managed-vs-inline.html and
https://docs.aws.amazon.com/aws-managed-policy/latest/reference/policy-list.html
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial
from typing import NamedTuple

from trailguard.cloudformation.scenarios.resolver import Scenario
from trailguard.cloudformation.scenarios.values import (
    Absent,
    ListValue,
    Pieces,
    Text,
    Unknown,
    Value,
    join_pieces,
    show,
    split_pieces,
    text_of,
)
from trailguard.cloudformation.scenarios.variables import Split
from trailguard.cloudformation.source.nodes import Node
from trailguard.cloudformation.template.template import Resource
from trailguard.iam.documents import about, mentions, read_document
from trailguard.iam.evaluate import Decision, Request, denials, grants
from trailguard.iam.policy import IDENTITY_POLICY, TRUST_POLICY, Policy, Statement, read_policy, values_of
from trailguard.trails.facts.facts import is_empty, reason_unknown
from trailguard.trails.facts.links import names_something
from trailguard.trails.facts.names import may_be_arn, nearest, same_here, same_name
from trailguard.trails.facts.properties import step_into

ROLE = "AWS::IAM::Role"
MANAGED_POLICY = "AWS::IAM::ManagedPolicy"
# Policies that are attached to a role from outside, and the property that names the role.
ATTACHED = {"AWS::IAM::Policy": "Roles", "AWS::IAM::RolePolicy": "RoleName", MANAGED_POLICY: "Roles"}

# Managed policies of AWS that grant all of CloudWatch Logs' writing on every log group.
WRITERS = frozenset(
    (
        "AdministratorAccess", "CloudWatchAgentAdminPolicy", "CloudWatchAgentServerPolicy", "CloudWatchFullAccess",
        "CloudWatchFullAccessV2", "CloudWatchLogsFullAccess", "PowerUserAccess",
        "service-role/AmazonAPIGatewayPushToCloudWatchLogs", "service-role/AWSLambdaBasicExecutionRole",
    )
)  # fmt: skip
_AWS_MANAGED = ":iam::aws:policy/"


_SERVICE = "logs"  # whose actions the role needs


class Grant(NamedTuple):
    """One policy of a role. `resource` is the resource that attaches it when that is not the role itself."""

    policy: Policy
    resource: Resource | None


class Permissions(NamedTuple):
    """What a role may do, as far as it is known.

    `writer` is the place that attaches a managed policy of AWS with which the role may write all logs. `doubts` are
    places that may grant more, and why that is not known.
    """

    role: Resource
    grants: tuple[Grant, ...]
    writer: Node | None
    doubts: tuple[tuple[Node, str], ...]

    def statements(self, without: Iterable[Resource] = ()) -> tuple[Statement, ...]:
        """All statements, but for those of some resources."""
        left_out = {resource.id for resource in without}
        counted = (one for one in self.grants if one.resource is None or one.resource.id not in left_out)
        return tuple(statement for one in counted for statement in one.policy.statements)

    @property
    def attached(self) -> list[Resource]:
        """The resources that attach policies to the role from outside."""
        return [one.resource for one in self.grants if one.resource is not None]

    def granted(self, scenario: Scenario, request: Request, without: Iterable[Resource] = ()) -> Decision:
        """Tell whether the role is granted a request, by all policies but those of some resources."""
        if self.writer is not None:
            return Decision("yes", self.writer, f"a managed policy of AWS allows {request.action}", "")
        decision = grants(self._together(without), request, scenario.settle)
        if decision.outcome == "no" and self.doubts:
            node, reason = self.doubts[0]
            return Decision("unknown", node, f"whether {self.role.id} may {request.action} is not known", reason)
        return decision

    def denied(self, scenario: Scenario, request: Request) -> Decision:
        """Tell whether a policy of the role denies a request."""
        return denials(self._together(), request, scenario.settle)

    def _together(self, without: Iterable[Resource] = ()) -> Policy:
        return Policy(self.role.key, self.statements(without), None)


def role_named(scenario: Scenario, trail: Resource, pieces: Pieces) -> Resource | None:
    """The role of this template that an ARN, or a name where an ARN belongs, means, whatever path the ARN has.

    CloudTrail takes roles of its own account only, where no two roles have the same name, whatever their paths.
    """
    behind = _behind_role(pieces)
    for role in nearest(scenario, trail, scenario.model.template.of_type(ROLE)):
        own = scenario.returned_pieces(role, "Ref")
        if behind is None:
            found = same_here(scenario, trail, pieces, role, own)
        else:
            whole = join_pieces((*_path(scenario, role), *own))
            last = split_pieces(behind, "/")[-1]
            found = any(same_here(scenario, trail, *pair) for pair in ((last, role, own), (behind, role, whole)))
        if found and scenario.active(role):
            return role
    return None


def _path(scenario: Scenario, role: Resource) -> Pieces:
    path = text_of(scenario.value_of(role, "Path"))
    return ("/",) if path is None or is_empty(path) else path.pieces


def may_be_role_arn(pieces: Pieces) -> bool:
    """Tell whether a text may be the ARN of a role, as far as it is spelt out."""
    return may_be_arn(pieces, "iam", "role/")


def _behind_role(pieces: Pieces) -> Pieces | None:
    """The path and the name in the ARN of a role; None for what is not one."""
    for index, piece in enumerate(pieces):
        if isinstance(piece, str) and (":role/" in piece or piece.endswith(":role")):
            return join_pieces((piece.partition(":role")[2], *pieces[index + 1 :]))
    return None


def permissions(scenario: Scenario, role: Resource) -> Permissions:
    """What a role of the template may do."""
    return scenario.once(("permissions", role.id), lambda: _collect(scenario, role))


def documents_of(scenario: Scenario, role: Resource) -> Iterator[tuple[str, Policy]]:
    """The policy documents of a role that are known, its trust policy first, each with what to call it."""
    trust = read_document(scenario, role, "AssumeRolePolicyDocument", TRUST_POLICY)
    yield f"the trust policy of {role.id}", trust
    for grant in permissions(scenario, role).grants:
        owner = grant.resource.id if grant.resource is not None else role.id
        yield f"a policy of {owner}", grant.policy


def _collect(scenario: Scenario, role: Resource) -> Permissions:
    found: list[Grant] = []
    doubts: list[tuple[Node, str]] = []

    def add(document: Value, resource: Resource | None) -> None:
        policy = read_policy(document, IDENTITY_POLICY)
        found.append(Grant(policy, resource))
        if policy.unknown is not None:
            doubts.append((policy.node, policy.unknown))

    generator = scenario.model.template.generator
    if generator is not None:
        doubts.append((role.key, f"{generator} may make a policy for {role.id}"))
    for item in _items(scenario, role, "Policies", doubts):
        add(step_into(item, "PolicyDocument"), None)
    writer: Node | None = None
    listed: list[Resource] = []
    for item in _items(scenario, role, "ManagedPolicyArns", doubts):
        text = text_of(item)
        name = None if text is None else _aws_managed(text)
        policy = None if text is None else _made_here(scenario, text)
        if name in WRITERS:
            writer = writer or item.node
        elif policy is not None:
            listed.append(policy)
            add(about(scenario, policy, "PolicyDocument", _SERVICE), None)
        else:
            shown = f"what the managed policy {name} of AWS" if name else "what a managed policy made elsewhere"
            doubts.append((item.node, reason_unknown(item) or f"{shown} grants is not in the scanned files"))
    for policy in _attached(scenario, role, doubts):
        if policy not in listed:
            add(about(scenario, policy, "PolicyDocument", _SERVICE), policy)
    return Permissions(role, tuple(found), writer, tuple(doubts))


def boundary(scenario: Scenario, role: Resource) -> Permissions | None:
    """What a role may do at most, by its permissions boundary; None when it has none.

    Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html
    """
    named = names_something(scenario, role, "PermissionsBoundary")
    text = text_of(scenario.value_of(role, "PermissionsBoundary"))
    if named.value is False or text is None:
        return None
    policy = _made_here(scenario, text)
    if policy is not None:
        document = read_policy(about(scenario, policy, "PolicyDocument", _SERVICE), IDENTITY_POLICY)
        doubts = () if document.unknown is None else ((document.node, document.unknown),)
        return Permissions(role, (Grant(document, None),), None, doubts)
    name = _aws_managed(text)
    if name in WRITERS:
        return Permissions(role, (), text.node, ())
    reason = reason_unknown(text) or f"what the permissions boundary {show(text)} allows is not in the scanned files"
    return Permissions(role, (), None, ((text.node, reason),))


def _items(scenario: Scenario, role: Resource, name: str, doubts: list[tuple[Node, str]]) -> tuple[Value, ...]:
    """The known items of a list property of the role."""
    value = about(scenario, role, name, _SERVICE) if name == "Policies" else scenario.value_of(role, name)
    if isinstance(value, Unknown):
        doubts.append((value.node, value.reason))
        return ()
    known = []
    for item in value.items if isinstance(value, ListValue) else ():
        if isinstance(item, Unknown) and name == "Policies":
            doubts.append((item.node, item.reason))
        elif not isinstance(item, Absent):
            known.append(item)
    return tuple(known)


def _aws_managed(text: Text) -> str | None:
    """The name, with its path, of a managed policy of AWS."""
    last = text.pieces[-1] if text.pieces else ""
    if not isinstance(last, str) or _AWS_MANAGED not in last:
        return None
    return last.partition(_AWS_MANAGED)[2]


def _made_here(scenario: Scenario, text: Text) -> Resource | None:
    for policy in scenario.model.template.of_type(MANAGED_POLICY):
        if same_name(scenario, text.pieces, scenario.returned_pieces(policy, "Ref")) and scenario.active(policy):
            return policy
    return None


def _attached(scenario: Scenario, role: Resource, doubts: list[tuple[Node, str]]) -> Iterator[Resource]:
    """The policies that resources of their own attach to the role, as far as they may have a say."""
    for kind, where in ATTACHED.items():
        for policy in scenario.model.template.of_type(kind):
            try:
                found = _attachment(scenario, role, policy, where)
            except Split:
                says = partial(_has_say, role=role, policy=policy, where=where)
                if any(scenario.outcomes(("attached", role.id, policy.id), says).answers):
                    raise
                continue
            if found is True:
                yield policy
            elif found:
                doubts.append((policy.key, f"{policy.id} may be attached to {role.id}: {found}"))


def _attachment(scenario: Scenario, role: Resource, policy: Resource, where: str) -> bool | str:
    """Tell whether a policy is made here and attached to a role; the reason when that is not known."""
    if not scenario.active(policy):
        return False
    name = scenario.returned_pieces(role, "Ref")
    texts = [text for text in map(text_of, values_of(scenario.value_of(policy, where))) if text is not None]
    if any(same_here(scenario, policy, text.pieces, role, name) for text in texts):
        return True
    return next((reason for reason in map(reason_unknown, texts) if reason is not None), False)


def _has_say(scenario: Scenario, role: Resource, policy: Resource, where: str) -> bool:
    """Tell whether a policy is, or may be, attached to a role and about what the role needs."""
    if _attachment(scenario, role, policy, where) is False:
        return False
    return mentions(scenario.value_of(policy, "PolicyDocument"), _SERVICE)
