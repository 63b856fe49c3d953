"""Whether CloudTrail may publish to the topic that a trail names.

Source: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-permissions-for-sns-notifications.html
(the topic's policy), https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html (the key of an encrypted topic)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial

from trailguard.cloudformation.scenarios.resolver import Scenario
from trailguard.cloudformation.scenarios.values import Pieces, Text, join_pieces, show, text_of
from trailguard.cloudformation.scenarios.waiting import reaches
from trailguard.cloudformation.template.template import Resource
from trailguard.iam.conditions import ContextValue, Undecided
from trailguard.iam.documents import read_document
from trailguard.iam.evaluate import Decision, Request, denials, grants
from trailguard.iam.policy import values_of
from trailguard.trails.bucket import requests
from trailguard.trails.facts.facts import Fact, FactSpec, agreed, all_of, is_empty, no, reason_unknown, unknown, yes
from trailguard.trails.facts.links import Link, elsewhere, names_something, unordered
from trailguard.trails.facts.names import nearest, same_here, same_name
from trailguard.trails.facts.refusals import malformed, refused
from trailguard.trails.facts.seen import delivered
from trailguard.trails.key import grants as key_grants
from trailguard.trails.key import keys, kinds

TOPIC = "AWS::SNS::Topic"
TOPIC_NAME = "SnsTopicName"
# The resources that put a policy on a topic, and the property that names the topic.
POLICIES = {"AWS::SNS::TopicPolicy": "Topics", "AWS::SNS::TopicInlinePolicy": "TopicArn"}

_TRUTH: Mapping[str, object] = {"type": "boolean"}
_ENCRYPTION_CONTEXT = "aws:sns:topicarn"


def topic_set(scenario: Scenario, trail: Resource) -> Fact:
    """Whether the trail names a topic."""
    return names_something(scenario, trail, TOPIC_NAME)


def topic_link(scenario: Scenario, trail: Resource) -> Link | None:
    """The topic of a trail; None when it names none."""
    return scenario.once(("topic", trail.id), lambda: _find(scenario, trail))


def _find(scenario: Scenario, trail: Resource) -> Link | None:
    named = topic_set(scenario, trail)
    text = text_of(scenario.value_of(trail, TOPIC_NAME))
    if named.value is False or text is None:
        return None
    for topic in nearest(scenario, trail, scenario.model.template.of_type(TOPIC)):
        if _is(scenario, trail, text, topic) and scenario.active(topic):
            return Link(text.node, topic)
    unseen = scenario.model.stacks.looks.unseen(TOPIC)
    return Link(text.node, None, elsewhere(f"topic {show(text)}", reason_unknown(text) or "", unseen))


def _is(scenario: Scenario, trail: Resource, text: Text, topic: Resource) -> bool:
    """Tell whether a name, or an ARN, is that of a topic. An ARN may name one of another account or Region."""
    own = Text(scenario.returned_pieces(topic, "TopicName"), text.node)
    name = _name(text.pieces)
    if name is None:
        return same_here(scenario, trail, text.pieces, topic, own.pieces)
    return same_name(scenario, text.pieces, scenario.returned_pieces(topic, "TopicArn"))


def _name(pieces: Pieces) -> Pieces | None:
    """The name in a topic's ARN; None for what is no ARN."""
    if not pieces or not isinstance(pieces[0], str) or not pieces[0].startswith("arn:"):
        return None
    colons = 0
    for index, piece in enumerate(pieces):
        parts = piece.split(":") if isinstance(piece, str) else [""]
        if colons + len(parts) > 5:
            return join_pieces((":".join(parts[5 - colons :]), *pieces[index + 1 :]))
        colons += len(parts) - 1
    return None


# --- the topic's policy ----------------------------------------------------------------------------------------------


def policies_of(scenario: Scenario, topic: Resource) -> Iterator[Resource]:
    """The policies that the template puts on a topic."""
    for kind, where in POLICIES.items():
        for policy in scenario.model.template.of_type(kind):
            ask = partial(_is_on, topic=topic, policy=policy, where=where)
            if scenario.agreed(("on the topic", topic.id, policy.id), ask):
                yield policy


def _is_on(scenario: Scenario, topic: Resource, policy: Resource, where: str) -> bool:
    """Tell whether a policy is made here and put on a topic."""
    if not scenario.active(policy):
        return False
    arn = scenario.returned_pieces(topic, "TopicArn")
    texts = (text_of(item) for item in values_of(scenario.value_of(policy, where)))
    return any(text is not None and same_name(scenario, text.pieces, arn) for text in texts)


def _doubt(scenario: Scenario) -> str | None:
    """Why there may be a policy that is not seen."""
    generator = scenario.model.template.generator
    if generator is not None:
        return f"{generator} may make a policy for the topic"
    for kind, where in POLICIES.items():
        for policy in scenario.model.template.of_type(kind):
            reason = scenario.agreed(("which topic", policy.id), partial(_hidden_topic, policy=policy, where=where))
            if reason is not None:
                return f"which topic {policy.id} is for is not known: {reason}"
    return None


def _unseen(scenario: Scenario, topic: Resource) -> str | None:
    """Why a topic that exists may have a policy that nobody saw."""
    stacks = scenario.model.stacks
    unread = next(filter(None, map(stacks.looks.unlisted, POLICIES)), None)
    return unread if stacks.observed(topic.id) is not None else None


def _hidden_topic(scenario: Scenario, policy: Resource, where: str) -> str | None:
    return reason_unknown(scenario.value_of(policy, where)) if scenario.active(policy) else None


def _publication(scenario: Scenario, trail: Resource, topic: Resource) -> Request:
    """CloudTrail's message that a log file was delivered."""
    return Request(
        service=requests.SERVICE,
        accounts=requests.LEGACY_ACCOUNTS,
        action="sns:Publish",
        resource=scenario.returned_pieces(topic, "TopicArn"),
        context=requests.trail_context(scenario, trail),
    )


Question = Callable[..., Decision]


def _asked(scenario: Scenario, trail: Resource, topic: Resource, policy: Resource, question: Question) -> Fact:
    """What one policy says to the message: whether it is granted, or whether it is not denied."""
    document = read_document(scenario, policy, "PolicyDocument")
    refusal = refused(document, malformed)
    if refusal is not None:
        fact = refusal.told("SNS", f"topic policy {policy.id}")
        return fact if question is grants else yes(policy.key, fact.because)
    decision = question(document, _publication(scenario, trail, topic), scenario.settle)
    because = f"{policy.id}: {decision.because}"
    if decision.outcome == "unknown":
        return unknown(decision.node, decision.reason, because)
    if (decision.outcome == "yes") is (question is grants):
        return yes(policy.key, f"{policy.id} {'lets' if question is grants else 'does not keep'} CloudTrail publish")
    return no(decision.node, because)


def _answered(question: Question) -> Callable[[Scenario, Resource, Resource], Fact]:
    def fact(scenario: Scenario, trail: Resource, topic: Resource) -> Fact:
        found = [_asked(scenario, trail, topic, policy, question) for policy in policies_of(scenario, topic)]
        if not found:
            doubt = _doubt(scenario) or _unseen(scenario, topic)
            if doubt is not None:
                return unknown(topic.key, doubt, f"the policy of {topic.id} is not known")
            if question is denials:
                return yes(topic.key, f"{topic.id} has no policy that could deny anything")
            return no(topic.key, f"{topic.id} has no policy, and without one its own account alone may publish")
        return agreed(found, "the topic")

    return fact


# --- the topic's key -------------------------------------------------------------------------------------------------


def _key_usable(scenario: Scenario, trail: Resource, topic: Resource) -> Fact:
    """Whether CloudTrail may encrypt the messages of an encrypted topic."""
    value = scenario.value_of(topic, "KmsMasterKeyId")
    if is_empty(value):
        return yes(topic.key, f"{topic.id} is not encrypted with a key")
    named = keys.key_of(scenario, topic)
    if named is None:
        fault = keys.key_set(scenario, topic)
        empty = is_empty(scenario.value_of(topic, "KmsMasterKeyId"))
        return yes(topic.key, f"{topic.id} is not encrypted with a key") if empty else fault
    node, key, reason = named.link
    if key is None:
        return unknown(node, reason, f"the key of {topic.id} is made elsewhere")
    hidden = Undecided("which source is told to the key of a topic is not documented")
    arn = Text(scenario.returned_pieces(topic, "TopicArn"), trail.key)
    context: dict[str, ContextValue] = {
        **requests.service_context(trail.key),
        "aws:sourcearn": hidden,
        "aws:sourceaccount": hidden,
        f"kms:encryptioncontext:{_ENCRYPTION_CONTEXT}": (arn,),
        "kms:encryptioncontextkeys": (Text((_ENCRYPTION_CONTEXT,), trail.key),),
    }
    calls = [(action, context) for action in ("kms:GenerateDataKey", "kms:Decrypt")]
    answers = (
        key_grants.permits(scenario, key, calls),
        keys.address_right(scenario, topic),
        kinds.enabled(scenario, key),
        kinds.symmetric(scenario, key, "Amazon SNS"),
    )
    return all_of(answers, yes(key.key, f"CloudTrail can encrypt messages with {key.id}"))


def _of_topic(build: Callable[[Scenario, Resource, Resource], Fact]) -> Callable[[Scenario, Resource], Fact]:
    """A fact about the topic of a trail."""

    def fact(scenario: Scenario, trail: Resource) -> Fact:
        link = topic_link(scenario, trail)
        if link is None:
            return no(trail.key, f"{trail.id} names no topic")
        if link.resource is None:
            return unknown(link.node, link.elsewhere, f"the topic of {trail.id} is made elsewhere")
        return build(scenario, trail, link.resource)

    return fact


def ordered(scenario: Scenario, trail: Resource) -> Fact:
    """Whether a topic that is made here is there before the trail; a topic policy may come later.

    Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-attribute-dependson.html
    """
    link = topic_link(scenario, trail)
    topic = link.resource if link is not None else None
    if topic is None or reaches(scenario, trail, topic):
        return yes(trail.key, f"{trail.id} names no topic that is made after it")
    return unordered(scenario, trail, topic, "named as text")


FACTS: Mapping[str, FactSpec] = {
    "topic.ordered": FactSpec(ordered, _TRUTH, "a topic that is made here is made before the trail"),
    "topic.set": FactSpec(topic_set, _TRUTH, "the trail names a topic"),
    "topic.delivered": delivered("notifications"),
    "topic.publish_allowed": FactSpec(_of_topic(_answered(grants)), _TRUTH, "a policy lets CloudTrail publish"),
    "topic.publish_not_denied": FactSpec(_of_topic(_answered(denials)), _TRUTH, "no Deny keeps CloudTrail out"),
    "topic.key_usable": FactSpec(
        _of_topic(_key_usable), _TRUTH, "an encrypted topic's key lets CloudTrail encrypt messages"
    ),
}
