"""The log group that a trail sends its events to: which one it is, and whether it can take them.

Source: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/send-cloudtrail-events-to-cloudwatch-logs.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypeAlias

from trailguard.cloudformation.scenarios.resolver import Scenario
from trailguard.cloudformation.scenarios.values import Pieces, Text, join_pieces, show, split_pieces, text_of
from trailguard.cloudformation.template.template import Resource
from trailguard.trails.facts.facts import Fact, FactSpec, no, reason_unknown, unknown, via, yes
from trailguard.trails.facts.links import Link, elsewhere, names_something
from trailguard.trails.facts.names import OPEN, is_free, may_be_arn, nearest, same_here, spelt
from trailguard.trails.facts.properties import pseudo
from trailguard.trails.facts.seen import delivered

GROUP = "AWS::Logs::LogGroup"
GROUP_ARN = "CloudWatchLogsLogGroupArn"

_TRUTH: Mapping[str, object] = {"type": "boolean"}
_MARK = ":log-group:"
_END = ":*"

# What is wrong with the ARN of a log group, and how to say so.
ArnFault: TypeAlias = Literal["other", "two ends", "nameless", "no end"]
_TOLD: Mapping[ArnFault, str] = {
    "other": "no ARN of a log group",
    "two ends": f'with one "{_END}" too many, because the Arn of a log group ends in it already',
    "nameless": "without the name of a log group",
    "no end": f'which does not end in "{_END}"',
}


# --- the log group ---------------------------------------------------------------------------------------------------


def group_set(scenario: Scenario, trail: Resource) -> Fact:
    """Whether the trail names a log group."""
    return names_something(scenario, trail, GROUP_ARN)


def log_group_link(scenario: Scenario, trail: Resource) -> Link | None:
    """The log group of a trail; None when it names none."""
    return scenario.once(("log group", trail.id), lambda: _find(scenario, trail))


def _find(scenario: Scenario, trail: Resource) -> Link | None:
    named = group_set(scenario, trail)
    text = text_of(scenario.value_of(trail, GROUP_ARN))
    if named.value is False or text is None:
        return None
    name = group_name(text.pieces)
    for group in nearest(scenario, trail, scenario.model.template.of_type(GROUP)):
        own = scenario.returned_pieces(group, "Ref")
        if same_here(scenario, trail, name, group, own) and scenario.active(group):
            return Link(text.node, group)
    what = f"log group {show(Text(name, text.node))}"
    return Link(text.node, None, elsewhere(what, reason_unknown(text) or "", scenario.model.stacks.looks.unseen(GROUP)))


def group_name(pieces: Pieces) -> Pieces:
    """The name in a log group's ARN; other text as it is. A trail's log group is one of its own account and Region."""
    for index, piece in enumerate(pieces):
        if isinstance(piece, str) and _MARK in piece:
            pieces = join_pieces((piece.partition(_MARK)[2], *pieces[index + 1 :]))
            break
    return without_end(pieces)


def without_end(pieces: Pieces) -> Pieces:
    """The ARN of a log group without the `:*` at its end."""
    last = pieces[-1] if pieces else None
    while isinstance(last, str) and last.endswith(_END):
        last = last.removesuffix(_END)
        pieces = join_pieces((*pieces[:-1], last))
    return pieces


def group_arn(scenario: Scenario, trail: Resource) -> Fact:
    """Whether the log group is named by its ARN, which ends in `:*` once."""
    value = scenario.value_of(trail, GROUP_ARN)
    text = text_of(value)
    if text is None:
        return no(value.node, f"{GROUP_ARN} of {trail.id} is a list or a map")
    shown = f"{GROUP_ARN} of {trail.id} is {show(text) or 'empty'}{via(value.node)}"
    fault = arn_fault(text.pieces)
    if fault is not None:
        return no(value.node, f"{shown}, {_TOLD[fault]}")
    if not _ends_right(text):
        for symbol in text.symbols:
            if is_free(symbol):
                scenario.fix(symbol.name)
        reason = reason_unknown(text) or f"which log group's ARN {show(text)} is shows only at deployment"
        return unknown(value.node, reason, f"whether {shown} ends in {_END} is not known")
    return yes(value.node, f"{trail.id} names a log group by its ARN")


def arn_fault(pieces: Pieces) -> ArnFault | None:
    """What keeps a text from being the ARN of a log group that ends in `:*` once; None when it is one, or may be."""
    if not may_be_arn(pieces, "logs", _MARK[1:]):
        return "other"
    whole = spelt(pieces)
    if whole.endswith(_END + _END):
        return "two ends"
    _, mark, rest = whole.partition(_MARK)
    if not mark or whole.startswith(OPEN):
        return None
    if rest.endswith(_END):
        return "nameless" if rest == _END else None
    return None if rest.endswith(OPEN) else "no end"


def _ends_right(text: Text) -> bool:
    """Tell whether a text without fault is known to be right."""
    first, last = text.pieces[0], text.pieces[-1]
    named = isinstance(first, str) and any(isinstance(piece, str) and _MARK in piece for piece in text.pieces)
    return named and isinstance(last, str) and last.endswith(_END)


def group_class(scenario: Scenario, trail: Resource) -> Fact:
    """Whether a log group that is made here is of a class that keeps events."""
    link = log_group_link(scenario, trail)
    if link is None or link.resource is None:
        return yes(trail.key, f"the log group of {trail.id} is not made by this template")
    group = link.resource
    value = scenario.value_of(group, "LogGroupClass")
    reason = reason_unknown(value)
    if reason is not None:
        return unknown(value.node, reason, f"the class of {group.id} is not known")
    text = text_of(value)
    if text is not None and scenario.equal(text, Text(("DELIVERY",), value.node)):
        because = f"LogGroupClass of {group.id} is DELIVERY{via(value.node)}, which is for Lambda's logs alone"
        return no(value.node, because)
    return yes(group.key, f"{group.id} takes CloudTrail's events")


def group_here(scenario: Scenario, trail: Resource) -> Fact:
    """Whether the log group is one of the trail's own account and Region: CloudTrail takes no other."""
    value = scenario.value_of(trail, GROUP_ARN)
    text = text_of(value)
    if text is None or arn_fault(text.pieces) or _account_and_region(text.pieces) is None:
        return yes(trail.key, f"{GROUP_ARN} of {trail.id} names no account and no Region")
    parts = split_pieces(text.pieces, ":")
    for part, name, what in ((1, "Partition", "partition"), (3, "Region", "Region"), (4, "AccountId", "account")):
        given, own = Text(parts[part], value.node), Text(pseudo(scenario, name, trail), value.node)
        if not scenario.equal(given, own):
            shown = show(given) or "nothing"
            because = f"{GROUP_ARN} of {trail.id} is {show(text)}{via(value.node)}, whose {what} is {shown}"
            return no(value.node, f"{because}, and that of {trail.id} is {show(own)}")
    return yes(value.node, f"the log group of {trail.id} is of its own account and Region")


def group_address(scenario: Scenario, trail: Resource) -> tuple[Pieces, Pieces, Pieces]:
    """The ARN of the log group without its end, and the account and the Region that it is in."""
    text = text_of(scenario.value_of(trail, GROUP_ARN))
    pieces = () if text is None else text.pieces
    where = pseudo(scenario, "AccountId", trail), pseudo(scenario, "Region", trail)
    if pieces and isinstance(pieces[0], str) and pieces[0].startswith("arn:"):
        return without_end(pieces), *(_account_and_region(pieces) or where)
    name = group_name(pieces)
    if spelt(name[:1]) == OPEN:
        return name, *where  # an ARN perhaps
    start = (f"arn:{scenario.model.partition}:logs:", *where[1], ":", *where[0])
    return join_pieces((*start, _MARK, *name)), *where


def _account_and_region(pieces: Pieces) -> tuple[Pieces, Pieces] | None:
    """The account and the Region that an ARN names; None where they cannot be told apart."""
    parts = split_pieces(pieces, ":")
    return (parts[4], parts[3]) if len(parts) >= 7 and parts[5] == ("log-group",) else None


FACTS: Mapping[str, FactSpec] = {
    "logs.group_set": FactSpec(group_set, _TRUTH, "the trail names a log group"),
    "logs.delivered": delivered("events"),
    "logs.group_arn": FactSpec(group_arn, _TRUTH, "the log group is named by its ARN, which ends in :* once"),
    "logs.group_here": FactSpec(
        group_here, _TRUTH, "the log group's ARN is of the trail's own account and Region, as far as it says so"
    ),
    "logs.group_class": FactSpec(group_class, _TRUTH, "a log group made here is of a class that keeps events"),
}
