"""Whether a rule of EventBridge hands the calls that change a trail on to somebody.

CloudTrail hands each call on to EventBridge as an event; a rule with a pattern picks events and has targets for them.
Source: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html (patterns) and
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-service-event-cloudtrail.html (what the events look like)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from typing import Final, NamedTuple, TypeAlias

from trailguard.cloudformation.scenarios.resolver import Scenario
from trailguard.cloudformation.scenarios.values import (
    Flag,
    ListValue,
    MapValue,
    Null,
    Text,
    Unknown,
    Value,
    show,
    text_of,
)
from trailguard.cloudformation.scenarios.variables import Split
from trailguard.cloudformation.source.nodes import MapNode, Node
from trailguard.cloudformation.template.references import references
from trailguard.cloudformation.template.template import Resource
from trailguard.iam.jsontext import read_json
from trailguard.iam.reading import Problems
from trailguard.trails.facts.facts import (
    BOOLEAN_TEXTS,
    Fact,
    all_of,
    any_of,
    is_empty,
    no,
    one_of,
    reason_unknown,
    unknown,
    yes,
)
from trailguard.trails.facts.names import is_free, same_place
from trailguard.trails.watching.filterpatterns import CLOUDTRAIL, Match, every, is_one_of, some

RULE = "AWS::Events::Rule"
STATES = ("ENABLED", "DISABLED", "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS")

PATTERN = "EventPattern"
MAX_PARAMETERS = 8  # in patterns, of all rules together: each may double the work
TOO_MANY = (
    f"the patterns of the rules of EventBridge take more than {MAX_PARAMETERS} parameters; "
    "pin some of them with --parameter"
)

Known: TypeAlias = "str | bool | None"
SOME: Final = "\1"  # stands for text that is there, whatever it is
_SAID: Mapping[tuple[str, ...], Known] = {
    ("version",): "0",
    ("source",): "aws.cloudtrail",
    ("detail-type",): "AWS API Call via CloudTrail",
    **dict.fromkeys([("id",), ("account",), ("time",), ("region",)], SOME),
    ("detail", "eventSource"): CLOUDTRAIL,
    ("detail", "eventType"): "AwsApiCall",
    ("detail", "eventCategory"): "Management",
    ("detail", "readOnly"): False,
    ("detail", "managementEvent"): True,
    ("detail", "errorCode"): None,
    ("detail", "errorMessage"): None,
}


class Watcher(NamedTuple):
    """A rule of EventBridge: whether it hands anything on, and the pattern of the events that it picks."""

    resource: Resource
    acts: Fact
    pattern: Value

    def sees(self, scenario: Scenario, name: str) -> Fact:
        """Whether the rule hands a call on."""
        return all_of((self._matches(scenario, name), self.acts), self.acts)

    def _matches(self, scenario: Scenario, name: str) -> Fact:
        event = {**_SAID, ("detail", "eventName"): name}
        asked = _Event(scenario, event)
        found = asked.matches(self.pattern, ())
        because = f"{self.resource.id} matches {name}"
        if isinstance(found, str):
            reason = TOO_MANY if asked.is_too_much else found
            return unknown(self.pattern.node, reason, f"whether {because} is not known")
        fine = yes(self.pattern.node, because)
        return fine if found else no(self.pattern.node, f"{self.resource.id} does not match {name}")


def watchers(scenario: Scenario, trail: Resource, names: Iterable[str]) -> tuple[list[Watcher], Split | None]:
    """The rules beside a trail that may hand on one of some calls, and a question that is open of them."""
    rules = scenario.model.template.of_type(RULE)
    asks = [((trail.id, rule.id), partial(_watcher, trail=trail, rule=rule, names=tuple(names))) for rule in rules]
    found, open_ = scenario.among("event rule", asks, lambda watcher: watcher is not None)
    return [watcher for watcher in found if watcher is not None], open_


def seen(scenario: Scenario, found: Iterable[Watcher], name: str, place: Node) -> Fact:
    """Whether one of some rules hands a call on."""
    nothing = no(place, f"no rule of EventBridge hands {name} on")
    answers = [watcher.sees(scenario, name) for watcher in found]
    return any_of(answers, next((answer for answer in answers if answer.value is False), nothing))


def _watcher(scenario: Scenario, trail: Resource, rule: Resource, names: tuple[str, ...]) -> Watcher | None:
    if not scenario.active(rule) or not same_place(scenario, rule, trail):
        return None
    pattern = scenario.value_of(rule, PATTERN)
    if is_empty(pattern):
        return None  # it works by a schedule
    if isinstance(pattern, Text):
        pattern = _spelt(pattern)
    watcher = Watcher(rule, _acts(scenario, rule), pattern)
    return watcher if any(watcher.sees(scenario, name).value is not False for name in names) else None


def _hinges_on_many(scenario: Scenario) -> bool:
    """Tell whether the patterns of all rules take more parameters than can be asked about."""

    def build() -> bool:
        template = scenario.model.template
        bodies = (rule.attribute("Properties") for rule in template.of_type(RULE))
        patterns = (body.values.get(PATTERN) if isinstance(body, MapNode) else body for body in bodies)
        names = {name for pattern in patterns if pattern is not None for name, _ in references(pattern)}
        return len(names & template.parameters.keys()) > MAX_PARAMETERS

    return scenario.once("parameters of event patterns", build)


def _spelt(text: Text) -> Value:
    """A pattern that is written as JSON text."""
    read = read_json(text, Problems())
    return read._replace(reason=read.reason.replace("policy", "pattern")) if isinstance(read, Unknown) else read


def _acts(scenario: Scenario, rule: Resource) -> Fact:
    """Whether a rule is on, gets the events of AWS, and has a target."""
    return all_of(
        (_is_on(scenario, rule), _has_events(scenario, rule), _has_target(scenario, rule)),
        yes(rule.key, f"{rule.id} hands events on"),
    )


def _is_on(scenario: Scenario, rule: Resource) -> Fact:
    value = scenario.value_of(rule, "State")
    state, _, reason = one_of(scenario, None if is_empty(value) else value, STATES, "ENABLED")
    if reason is not None:
        return unknown(value.node, reason, f"whether {rule.id} is on is not known")
    return yes(value.node, f"{rule.id} is on") if state != "DISABLED" else no(value.node, f"{rule.id} is disabled")


def _has_events(scenario: Scenario, rule: Resource) -> Fact:
    value = scenario.value_of(rule, "EventBusName")
    text = text_of(value)
    name = "default" if is_empty(value) else show(text) if text is not None else ""
    if name.rpartition("/")[2] == "default":
        return yes(value.node, f"{rule.id} is on the default event bus")
    reason = "AWS hands its events to the default event bus; whether they are handed on to another is not known"
    return unknown(value.node, reason, f"whether {rule.id} sees the calls is not known")


def _has_target(scenario: Scenario, rule: Resource) -> Fact:
    value = scenario.value_of(rule, "Targets")
    if isinstance(value, ListValue) and value.items:
        return yes(value.node, f"{rule.id} has a target")
    reason = reason_unknown(value)
    if reason is not None:
        return unknown(value.node, reason, f"whether {rule.id} has a target is not known")
    return no(value.node, f"{rule.id} has no target")


# --- patterns --------------------------------------------------------------------------------------------------------


class _Event:
    """An event, as far as it is known, that patterns are held against.

    `is_too_much` tells afterwards that a parameter was left open because there are too many to ask about.
    """

    def __init__(self, scenario: Scenario, known: Mapping[tuple[str, ...], Known]) -> None:
        self.scenario = scenario
        self.known = known
        self.is_too_much = False

    def matches(self, pattern: Value, path: tuple[str, ...]) -> Match:
        """Tell whether a pattern, or the part of one at a path, matches."""
        if isinstance(pattern, Unknown):
            return pattern.reason
        if isinstance(pattern, ListValue):
            return some(self._item(item, path) for item in pattern.items)
        if not isinstance(pattern, MapValue):
            return False  # EventBridge refuses it: a value belongs into a list
        return every(
            some(self.matches(one, path) for one in inner.items)
            if name == "$or" and isinstance(inner, ListValue)
            else self.matches(inner, (*path, name))
            for name, inner in pattern.entries.items()
        )

    def _item(self, item: Value, path: tuple[str, ...]) -> Match:
        """One of the alternatives for a field: a value, or a comparison."""
        if isinstance(item, Unknown):
            return item.reason
        field = ".".join(path)
        is_known = path in self.known
        known = self.known.get(path)
        if isinstance(item, MapValue):
            if len(item.entries) != 1:
                return f"what the pattern asks of {field} cannot be read"
            ((name, wanted),) = item.entries.items()
            if name == "exists" and is_known:
                meaning = wanted.value if isinstance(wanted, Flag) else BOOLEAN_TEXTS.get(self._literal(wanted) or "")
                return (
                    f"what the pattern asks of {field} cannot be read"
                    if meaning is None
                    else (known is not None) is meaning
                )
            if known is None and is_known:
                return False  # a comparison takes a field that is there
            if not isinstance(known, str) or known == SOME:
                return f"it depends on {field} of the event"
            return self._compared(name, wanted, known)
        if not is_known or known == SOME:
            return f"it depends on {field} of the event"
        return self._equals(item, known, field)

    def _equals(self, item: Value, known: Known, field: str) -> Match:
        if isinstance(item, Null) or known is None:
            return False  # null is a value, and a field that is missing has none
        if isinstance(known, bool):
            if isinstance(item, Flag):
                return item.value is known
            return f"what the pattern asks of {field}, which is true or false, cannot be told"
        if isinstance(item, Flag):
            return False
        literal = self._literal(item)
        return f"the value that {field} is compared with is not known" if literal is None else literal == known

    def _compared(self, name: str, wanted: Value, known: str) -> Match:
        """A comparison by name, such as `prefix`, with a text."""
        if name == "anything-but":
            found = self._is_any_of(wanted, known)
            return found if isinstance(found, str) else not found
        if name in ("numeric", "cidr"):
            return False  # the texts that are known are no numbers, and no addresses
        fold = isinstance(wanted, MapValue) and set(wanted.entries) == {"equals-ignore-case"}
        if fold and isinstance(wanted, MapValue):
            wanted, known = wanted.entries["equals-ignore-case"], known.lower()
        literal = self._literal(wanted)
        if literal is None:
            return f"the value of {name} in the pattern is not known"
        literal = literal.lower() if fold else literal
        if name == "prefix":
            return known.startswith(literal)
        if name == "suffix":
            return known.endswith(literal)
        if name == "equals-ignore-case":
            return known.lower() == literal.lower()
        if name == "wildcard" and "\\" not in literal:
            return is_one_of(literal, known)
        return f'the comparison "{name}" is none that is known here'

    def _is_any_of(self, wanted: Value, known: str) -> Match:
        """Tell whether a text is one of what `anything-but` excludes: texts, or comparisons with texts."""
        if isinstance(wanted, ListValue):
            return some(self._is_any_of(item, known) for item in wanted.items)
        if isinstance(wanted, MapValue) and len(wanted.entries) == 1:
            ((name, inner),) = wanted.entries.items()
            items = inner.items if isinstance(inner, ListValue) else (inner,)
            return some(self._compared(name, item, known) for item in items)
        literal = self._literal(wanted)
        return "what anything-but excludes is not known" if literal is None else literal == known

    def _literal(self, value: Value) -> str | None:
        """A text of the pattern; None when it is not known, or is no text."""
        text = text_of(value)
        if text is None:
            return None
        for symbol in text.symbols:
            if is_free(symbol):
                if _hinges_on_many(self.scenario):
                    self.is_too_much = True
                    return None
                self.scenario.fix(symbol.name)
        return text.literal
