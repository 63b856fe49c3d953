"""The properties of a trail, and of what is inside them: which there are, and which texts they take.

Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-cloudtrail-trail.html
and the registry schema of AWS::CloudTrail::Trail, both of October 2026
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, TypeAlias

from trailguard.cloudformation.scenarios.values import Pieces
from trailguard.errors import nearest
from trailguard.trails.facts.spelling import Fault, at_most, either

KNOWN_AT = "October 2026"  # when the properties below were all that there are


class Word(NamedTuple):
    """A text: one of a few, if there are `choices`, else of `most` characters at most."""

    choices: tuple[str, ...] = ()
    most: int | None = None

    def fault(self) -> Fault | None:
        """What is wrong with a text here."""
        if self.choices:
            return self._other
        return None if self.most is None else at_most(self.most)

    def _other(self, pieces: Pieces) -> str | None:
        text = "".join(piece for piece in pieces if isinstance(piece, str))
        is_literal = all(isinstance(piece, str) for piece in pieces)
        return None if text in self.choices or not is_literal else f"which {self._meant(text)}"

    def _meant(self, text: str) -> str:
        if len(self.choices) < 4:
            return f"is not {either(self.choices)}"
        near = nearest(text, self.choices)
        return f"it does not take{'' if near is None else f'; did you mean {near}?'}"


class Truth(NamedTuple):
    """A Boolean."""


class Many(NamedTuple):
    """A list of things of one shape, with at least and at most so many items, of which no two are the same."""

    of: Shape
    least: int = 0
    most: int | None = None
    unique: bool = True


class Fields(NamedTuple):
    """A map of properties; `required` ones must be there. `called` is what has them."""

    called: str
    of: Mapping[str, Shape]
    required: tuple[str, ...] = ()


Shape: TypeAlias = "Word | Truth | Many | Fields"

_TEXT = Word()
_TEXTS = Many(_TEXT)
_SOME_TEXTS = Many(Word(most=2048), least=1)
_CATEGORIES = ("Management", "Data")

_DATA_RESOURCE = Fields(
    "a data resource",
    {
        "Type": Word(
            (
                "AWS::S3::Object", "AWS::Lambda::Function", "AWS::DynamoDB::Table", "AWS::S3Outposts::Object",
                "AWS::ManagedBlockchain::Node", "AWS::S3ObjectLambda::AccessPoint", "AWS::EC2::Snapshot",
                "AWS::S3::AccessPoint", "AWS::DynamoDB::Stream",
            )
        ),
        "Values": _TEXTS,
    },
    ("Type",),
)  # fmt: skip
_EVENT_SELECTOR = Fields(
    "an event selector",
    {
        "DataResources": Many(_DATA_RESOURCE),
        "ExcludeManagementEventSources": Many(Word(("kms.amazonaws.com", "rdsdata.amazonaws.com"))),
        "IncludeManagementEvents": Truth(),
        "ReadWriteType": Word(("All", "ReadOnly", "WriteOnly")),
    },
)
_FIELD_SELECTOR = Fields(
    "a field selector",
    {
        "Field": Word(most=1000),
        "Equals": _SOME_TEXTS,
        "NotEquals": _SOME_TEXTS,
        "StartsWith": _SOME_TEXTS,
        "NotStartsWith": _SOME_TEXTS,
        "EndsWith": _SOME_TEXTS,
        "NotEndsWith": _SOME_TEXTS,
    },
    ("Field",),
)
_ADVANCED_SELECTOR = Fields(
    "an advanced event selector",
    {"FieldSelectors": Many(_FIELD_SELECTOR, least=1), "Name": Word(most=1000)},
    ("FieldSelectors",),
)
_INSIGHT_SELECTOR = Fields(
    "an insight selector",
    {
        "EventCategories": Many(Word(_CATEGORIES)),
        "InsightType": Word(("ApiCallRateInsight", "ApiErrorRateInsight")),
    },
)
_AGGREGATION = Fields(
    "an aggregation configuration",
    {
        "EventCategory": Word(("Data",)),
        "Templates": Many(Word(("API_ACTIVITY", "RESOURCE_ACCESS", "USER_ACTIONS")), least=1, most=50),
    },
    ("EventCategory", "Templates"),
)
# https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_Tag.html and API_AddTags.html
_TAG = Fields("a tag", {"Key": Word(most=128), "Value": Word(most=256)}, ("Key", "Value"))
TRAIL = Fields(
    "a trail",
    {
        "AdvancedEventSelectors": Many(_ADVANCED_SELECTOR),
        "AggregationConfigurations": Many(_AGGREGATION, most=1),
        "CloudWatchLogsLogGroupArn": _TEXT,
        "CloudWatchLogsRoleArn": _TEXT,
        "EnableLogFileValidation": Truth(),
        "EventSelectors": Many(_EVENT_SELECTOR),
        "IncludeGlobalServiceEvents": Truth(),
        "InsightSelectors": Many(_INSIGHT_SELECTOR),
        "IsLogging": Truth(),
        "IsMultiRegionTrail": Truth(),
        "IsOrganizationTrail": Truth(),
        "KMSKeyId": _TEXT,
        "S3BucketName": _TEXT,
        "S3KeyPrefix": Word(most=200),
        "SnsTopicName": _TEXT,
        "Tags": Many(_TAG, most=50, unique=False),
        "TrailName": _TEXT,
    },
)  # names, ARNs, what is required of a trail, and how much it takes, have facts of their own
