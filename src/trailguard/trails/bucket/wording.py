"""How the grants that CloudTrail needs are said where a bucket's policy stands, in the words of what is there.

Source: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/create-s3-bucket-policy-for-cloudtrail.html
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple, TypeAlias

from trailguard.cloudformation.scenarios.resolver import Scenario
from trailguard.cloudformation.scenarios.values import trim_start
from trailguard.cloudformation.source.changes import Data
from trailguard.cloudformation.source.nodes import ListNode, Node, TextNode, file_of, literal
from trailguard.cloudformation.stacks.renaming import bare
from trailguard.cloudformation.template.template import Resource, function_of
from trailguard.iam.policy import Policy
from trailguard.trails.bucket import requests
from trailguard.trails.bucket.buckets import LogBucket
from trailguard.trails.facts.phrases import (
    PARTITION,
    Name,
    Part,
    Phrase,
    joined,
    may_be_nothing,
    phrase_at,
    phrase_for,
    phrase_of,
    pseudo_phrase,
)
from trailguard.trails.facts.repairs import same_stack

Say: TypeAlias = "Callable[[Phrase], Data | None]"
SERVICE: Mapping[str, Data] = {"Service": requests.SERVICE}
ACL = "s3:x-amz-acl"
SOURCE_ARN, SOURCE_ACCOUNT = "aws:SourceArn", "aws:SourceAccount"

_ORGANIZATION = re.compile("org(anization)?s?[-_]?id", re.IGNORECASE)
_ORGANIZATION_ID = re.compile("(?<![a-z0-9-])o-[a-z0-9]{10,32}")
_ORGANIZATION_KEYS = ("aws:principalorgid", "aws:sourceorgid", "aws:resourceorgid")
_ANY_ORGANIZATION: Phrase = ("o-*",)


class Words(NamedTuple):
    """A trail and its bucket as they are told at a place: `here` is the policy, or what stands where one will.

    `policy` is what is there now.
    """

    scenario: Scenario
    trail: Resource
    bucket: LogBucket
    here: Resource
    policy: Policy | None = None

    def arn(self) -> Phrase | None:
        """The ARN of the bucket."""
        return arn_phrase(self.scenario, self.bucket, self.here, self.policy)

    def name(self) -> Phrase | None:
        """The bucket's name."""
        made = self.bucket.resource
        if made is not None and same_stack(self.scenario, made, self.here):
            return (Name(made.id),)
        return phrase_at(self.scenario, self.here, self.bucket.node)

    def account(self) -> Phrase | None:
        """The trail's account."""
        return pseudo_phrase(self.scenario, self.here, self.trail, "AWS::AccountId")

    def owners(self) -> list[Phrase] | None:
        """Whose folders the trail writes to: its account's, and those of the organization that it may be for."""
        account = self.account()
        if account is None:
            return None
        node = self.scenario.property_node(self.trail, "IsOrganizationTrail")
        is_never = node is None or (isinstance(node, TextNode) and literal(node) in (False, "false", "False", "FALSE"))
        return [account] if is_never else [account, self.organization()]

    def below(self, owner: Phrase, say: Say) -> list[Data] | None:
        """The ARNs of what is in the folder of an owner, whatever the prefix may be; None where nobody can say them."""
        arn = self.arn()
        if arn is None:
            return None
        node = self.scenario.property_node(self.trail, "S3KeyPrefix")
        found = self._below(node, lambda prefix: say(joined(*arn, "/", *prefix, "AWSLogs/", *owner, "/*")))
        return None if None in found else [value for value in found if value is not None]

    def _below(self, node: Node | None, say: Say, is_some: bool = False) -> list[Data | None]:
        """What is said of each prefix that a node may be; `is_some` tells that one is never empty."""
        call = function_of(node) if node is not None else None
        if node is None or (call is not None and call[0] == "Ref" and may_be_nothing(node)):
            return [say(())]
        said = phrase_at(self.scenario, self.here, node)
        if call is not None and call[0] == "Fn::If" and file_of(node) == file_of(self.here.body):
            test, *branches = call[1].items if isinstance(call[1], ListNode) else [node]
            ways = [self._below(branch, say, any(map(may_be_nothing, branches))) for branch in branches]
            if isinstance(test, TextNode) and all(len(way) == 1 and isinstance(way[0], Mapping) for way in ways):
                return [{"Fn::If": [bare(test.value), *(way[0] for way in ways)]}]
            return list({repr(value): value for way in ways for value in way}.values())
        if said is None:
            pieces = requests.prefix(self.scenario, self.trail)
            told = phrase_for(self.scenario, self.here, pieces)
            return [None if told is None else say(told)]
        nothing = [say(())] if not said or (not is_some and self._may_be_empty(said)) else []
        return [*nothing, *([say(joined(*said, "/"))] if said else [])]

    def _may_be_empty(self, phrase: Phrase) -> bool:
        """Tell whether a phrase of nothing but parameters can come to nothing."""
        model = self.scenario.model
        for part in phrase:
            name = part.name if isinstance(part, Name) else ""
            while name in model.stacks.bindings:
                handed = function_of(model.stacks.bindings[name].argument)
                is_name = handed is not None and handed[0] == "Ref" and isinstance(handed[1], TextNode)
                name = handed[1].value if is_name and handed is not None and isinstance(handed[1], TextNode) else ""
            variable = model.space.variables.get(name)
            if name not in model.template.parameters or variable is None or not variable.permits(""):
                return False
        return bool(phrase)

    def organization(self) -> Phrase:
        """The ID of the trail's organization, as far as it is told."""
        scenario, policy = self.scenario, self.policy
        if policy is not None:
            texts = policy.resource_texts()
            spelt = {str(piece) for text in texts for piece in text}
            for found in requests.organizations(scenario, self.trail, self.bucket, texts):
                said = None if found == requests.SOME_ORGANIZATION else phrase_for(scenario, self.here, found)
                literal = "".join(part for part in said or () if isinstance(part, str))
                if said is not None and any(literal in text for text in spelt):
                    return said
            named = (found for text in spelt for found in _ORGANIZATION_ID.findall(text))
            literal = next(named, "")
            if literal:
                return (literal,)
            for statement in policy.possible:
                for clause in statement.clauses:
                    for text in clause.values if clause.name in _ORGANIZATION_KEYS else ():
                        said = phrase_for(scenario, self.here, text.pieces)
                        if said is not None and (text.literal is None or _ORGANIZATION_ID.fullmatch(text.literal)):
                            return said
        stacks = scenario.model.stacks
        for name in scenario.model.template.parameters:
            if stacks.stack_of(name) is stacks.stack_of(self.here.id) and _ORGANIZATION.search(bare(name)):
                return (Name(name),)
        return _ANY_ORGANIZATION

    def bound(self) -> tuple[str, Phrase] | None:
        """The condition key and its value by which a grant is bound to the trail, else to its account."""
        scenario, here, trail = self.scenario, self.here, self.trail
        account = self.account()
        if account is None:
            return None
        region = pseudo_phrase(scenario, here, trail, "AWS::Region")
        node = scenario.property_node(trail, "TrailName")
        name = None if node is None else phrase_at(scenario, here, node)
        if not name or region is None:
            return SOURCE_ACCOUNT, account
        head = ("arn:", Name(PARTITION), ":cloudtrail:", *region, ":", *account)
        return SOURCE_ARN, joined(*head, ":trail/", *name)


def arn_phrase(scenario: Scenario, bucket: LogBucket, here: Resource, policy: Policy | None) -> Phrase | None:
    """The ARN of a bucket, as a policy says it already, else as it can be said where that stands."""
    return next(_arns(scenario, bucket, here, policy), None)


def _arns(scenario: Scenario, bucket: LogBucket, here: Resource, policy: Policy | None) -> Iterator[Phrase]:
    known = requests.bucket_arn(scenario, bucket)
    for statement in policy.possible if policy is not None else ():
        for text in statement.resource.texts if statement.resource is not None else ():
            rest, beyond = trim_start(text.pieces, known)
            if beyond or (rest and not str(rest[0]).startswith("/")):
                continue
            said = phrase_of(text.node) if policy is not None and text.node is not policy.node else None
            if said is not None and any(isinstance(part, Name) for part in said):
                yield portable(_before_slash(said))
    if bucket.resource is not None and same_stack(scenario, bucket.resource, here):
        yield (Name(f"{bucket.resource.id}.Arn"),)
    node = scenario.property_node(here, "Bucket")
    name = None if node is None else phrase_at(scenario, here, node)
    name = name or phrase_at(scenario, here, bucket.node)
    if name is not None:
        yield joined("arn:", Name(PARTITION), ":s3:::", *name)
    said = phrase_for(scenario, here, known)
    if said is not None:
        yield said


def _before_slash(phrase: Phrase) -> Phrase:
    found: list[Part] = []
    for part in phrase:
        if isinstance(part, str) and "/" in part:
            return joined(*found, part.partition("/")[0])
        found.append(part)
    return tuple(found)


def portable(phrase: Phrase) -> Phrase:
    """The same, with whatever partition the stack is in."""
    first = phrase[0] if phrase else ""
    if not isinstance(first, str):
        return phrase
    found = re.match("arn:aws[a-z-]*:", first)
    return joined("arn:", Name(PARTITION), ":", first[found.end() :], *phrase[1:]) if found else phrase
