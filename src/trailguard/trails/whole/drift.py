"""Whether a trail that exists is as the template says that made it: property by property, and in effect.

What cannot be known on either side is no difference: a parameter without a value, a property that nobody could read.
Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-cloudtrail-trail.html,
https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_AdvancedFieldSelector.html (what basic selectors are
as advanced ones)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple, cast

from trailguard.cloudformation.scenarios.intrinsics import Unbuildable
from trailguard.cloudformation.scenarios.model import Model, Pins
from trailguard.cloudformation.scenarios.resolver import Scenario
from trailguard.cloudformation.scenarios.values import Absent, Flag, ListValue, MapValue, Null, Value, text_of
from trailguard.cloudformation.scenarios.variables import Split
from trailguard.cloudformation.source.nodes import Node
from trailguard.cloudformation.stacks.observed import Twin
from trailguard.cloudformation.stacks.stacks import Stacks
from trailguard.cloudformation.template.template import Resource
from trailguard.trails.facts.facts import BOOLEAN_TEXTS, Fact, FactSpec
from trailguard.trails.facts.returns import RETURNS

UNSEEN, UNCHANGED, CHANGED = "not seen", "unchanged", "changed"
_BOOLEANS = (
    "IsLogging", "IsMultiRegionTrail", "IncludeGlobalServiceEvents", "EnableLogFileValidation", "IsOrganizationTrail",
)  # fmt: skip
_SELECTORS = ("EventSelectors", "AdvancedEventSelectors")
_ANY_EVENT = {"eventCategory": {"Equals": ["Management"]}}


class _NotKnown(Exception):
    """Raised where a value is not known."""


class Difference(NamedTuple):
    """A property that differs: its name, where the template and the trail say it, and what each says for people.

    "" where that would be too long to tell.
    """

    name: str
    node: Node
    live: Node
    said: str
    lives: str


# --- values -----------------------------------------------------------------------------------------------------------


def _data(value: Value) -> Any:
    """A value as plain data; raises _NotKnown where a part of it is open."""
    if isinstance(value, (Absent, Null)):
        return None
    if isinstance(value, Flag):
        return value.value
    if isinstance(value, ListValue):
        return [_data(item) for item in value.items]
    if isinstance(value, MapValue):
        return {name: _data(item) for name, item in value.entries.items()}
    text = text_of(value)
    if text is None or text.literal is None:
        raise _NotKnown
    return text.literal


def _truth(data: Any) -> bool:
    """A Boolean of a trail, which is false where nothing is said."""
    return BOOLEAN_TEXTS.get(data, False) if isinstance(data, str) else bool(data)


def _text(data: Any) -> str:
    return "" if data is None else str(data)


def _last(data: Any) -> str:
    """The name in an ARN, or a name."""
    return _text(data).rpartition(":")[2]


def _key(data: Any) -> str:
    """The ID of a key; which key an alias stands for is not known here."""
    text = _text(data)
    if text.startswith("alias/") or ":alias/" in text:
        raise _NotKnown
    return text.rpartition("/")[2]


def _group(data: Any) -> str:
    return _text(data).removesuffix(":*")


def _insights(data: Any) -> list[str]:
    return sorted({str(item.get("InsightType")) for item in data or () if isinstance(item, dict)})


# The properties that are compared one by one, and what each means.
_MEANINGS: Mapping[str, Callable[[Any], Any]] = {
    **dict.fromkeys(_BOOLEANS, _truth),
    "S3BucketName": _text,
    "S3KeyPrefix": _text,
    "KMSKeyId": _key,
    "SnsTopicName": _last,
    "CloudWatchLogsLogGroupArn": _group,
    "CloudWatchLogsRoleArn": _text,
    "InsightSelectors": _insights,
}


# --- selectors --------------------------------------------------------------------------------------------------------


def _advanced(basic: Any, advanced: Any) -> list[str]:
    """Selectors of either kind as advanced ones, in an order that says nothing; without any, those that AWS sets."""
    found = [_fields(item) for item in advanced or ()]
    for item in basic or ():
        found.extend(_from_basic(item))
    if not basic and not advanced:
        found.append(_ANY_EVENT)
    return sorted(repr(sorted((name, sorted(tests.items())) for name, tests in one.items())) for one in found)


def _fields(item: Any) -> dict[str, dict[str, list[str]]]:
    fields: dict[str, dict[str, list[str]]] = {}
    for field in item.get("FieldSelectors") or () if isinstance(item, dict) else ():
        tests = {name: sorted(map(_word, words)) for name, words in field.items() if name != "Field" and words}
        fields.setdefault(str(field.get("Field")), {}).update(tests)
    return fields


def _from_basic(item: Any) -> Iterator[dict[str, dict[str, list[str]]]]:
    given = item if isinstance(item, dict) else {}
    kind = given.get("ReadWriteType") or "All"
    only = {} if kind == "All" else {"readOnly": {"Equals": [str(kind == "ReadOnly").lower()]}}
    if given.get("IncludeManagementEvents") is None or _truth(given.get("IncludeManagementEvents")):
        left_out = sorted(map(_word, given.get("ExcludeManagementEventSources") or ()))
        without = {"eventSource": {"NotEquals": left_out}} if left_out else {}
        yield {"eventCategory": {"Equals": ["Management"]}, **only, **without}
    for data in given.get("DataResources") or ():
        values = sorted(map(_word, data.get("Values") or ()))
        which = {} if any(value.count(":") < 5 for value in values) else {"resources.ARN": {"StartsWith": values}}
        yield {
            "eventCategory": {"Equals": ["Data"]}, "resources.type": {"Equals": [_word(data.get("Type"))]},
            **only, **which,
        }  # fmt: skip


def _word(data: Any) -> str:
    return str(data).lower() if isinstance(data, bool) else str(data)


# --- the two sides ----------------------------------------------------------------------------------------------------


def _values(scenario: Scenario, resource: Resource, *names: str) -> list[Value]:
    return [scenario.value_of(resource, name) for name in names]


def _compared(
    here: Scenario, made: Resource, there: Scenario, live: Resource, names: tuple[str, ...], mean: Callable[..., Any]
) -> Difference | None:
    """How some properties, which mean something together, differ; None where they do not, or it is not known."""
    try:
        said, lives = _values(here, made, *names), _values(there, live, *names)
        means = [mean(*map(_data, values)) for values in (said, lives)]
    except (_NotKnown, Split, Unbuildable, AttributeError, TypeError):  # what is not known, or not as AWS takes it
        return None
    if means[0] == means[1]:
        return None
    name = next((name for name, value in zip(names, said, strict=True) if not isinstance(value, Absent)), names[0])
    told = [f"{_shown(value)}" for value in means]
    if mean is _advanced:
        told = ["", ""]
    return Difference(name, _place(said), _place(lives), *told)


def _place(values: list[Value]) -> Node:
    return next((value.node for value in values if not isinstance(value, Absent)), values[0].node)


def _shown(meaning: Any) -> str:
    if isinstance(meaning, bool):
        return str(meaning).lower()
    text = ", ".join(meaning) if isinstance(meaning, list) else meaning
    return text or "not set"


def differences(here: Scenario, made: Resource, there: Scenario, live: Resource) -> list[Difference]:
    """How a trail that exists (`there`, `live`) differs from the template that made it (`here`, `made`)."""
    found = [_compared(here, made, there, live, (name,), mean) for name, mean in _MEANINGS.items()]
    if not isinstance(here.value_of(made, "TrailName"), Absent):
        found.append(_compared(here, made, there, live, ("TrailName",), _last))
    found.append(_compared(here, made, there, live, _SELECTORS, _advanced))
    return [one for one in found if one is not None]


# --- facts ------------------------------------------------------------------------------------------------------------


def _there(scenario: Scenario, twin: Twin) -> tuple[Scenario, Resource | None]:
    """The only scenario in which the twin of a trail is known."""

    def build() -> Scenario:
        account, region = twin.place
        stacks = twin.stacks if isinstance(twin.stacks, Stacks) else None
        return Scenario(Model(twin.template, Pins({}, region, account), RETURNS, stacks), {})

    memo = scenario.model.memo
    key = ("twin", id(twin))
    if key not in memo:
        memo[key] = build()
    other = cast("Scenario", memo[key])
    return other, twin.template.resources.get(twin.resource)


def state(scenario: Scenario, trail: Resource) -> Fact:
    """Whether the trail that exists is as the template says that made it, as far as both are known."""
    twin = scenario.model.stacks.twin(trail.id)
    if twin is None:
        return Fact(UNSEEN, trail.key, f"no snapshot shows {trail.id} as a stack of its template made it")
    other, resource = _there(scenario, twin)
    if resource is None:
        return Fact(UNSEEN, trail.key, f"{trail.id} is not in the template of {twin.title}")
    seen = scenario.model.stacks.observed(trail.id)
    if seen is not None:
        found = differences(other, resource, scenario, trail)
        told = [_lately(one, twin.title) for one in found]
        places = [(one.live, one.node, f"what {twin.title} was made of") for one in found]
    else:
        found = differences(scenario, trail, other, resource)
        told = [_beside(one, twin.title) for one in found]
        places = [(one.node, one.live, twin.title) for one in found]
    if not found:
        return Fact(UNCHANGED, trail.key, f"{trail.id} is as its template says")
    related = tuple((there, words) for _, there, words in places)
    return Fact(CHANGED, places[0][0], f"{trail.id} differs: {'; '.join(told)}", None, related)


def _beside(one: Difference, there: str) -> str:
    if not one.said and not one.lives:
        return f"{one.name} picks other events here than in {there}"
    return f"{one.name} is {one.said} here and {one.lives} in {there}"


def _lately(one: Difference, maker: str) -> str:
    if not one.said and not one.lives:
        return f"{one.name} picks other events than when {maker} made it"
    return f"{one.name} is {one.lives} and was {one.said} when {maker} made it"


FACTS: Mapping[str, FactSpec] = {
    "deployed.state": FactSpec(
        state,
        {"enum": [UNSEEN, UNCHANGED, CHANGED]},
        "whether a snapshot shows the trail as its template made it, and as the template says",
    ),
}
