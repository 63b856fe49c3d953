"""How a trail comes to record more, in the text of its template."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fixes.repairing import fixed, lines

TRAIL = """
    Resources:
      Trail:
        Type: AWS::CloudTrail::Trail
        Properties:
          S3BucketName: example-audit-logs
          IsLogging: true
"""
WHOLE = TRAIL + "          IsMultiRegionTrail: true\n          IncludeGlobalServiceEvents: true\n"
TWO = (
    WHOLE
    + """
      Second:
        Type: AWS::CloudTrail::Trail
        Properties:
          S3BucketName: example-audit-logs
          IsLogging: true
          IncludeGlobalServiceEvents: true
"""
)


def test_a_trail_of_all_regions_gets_the_global_events_that_it_needs(tmp_path: Path) -> None:
    assert lines("TG101", tmp_path, TRAIL) == ["+ IsMultiRegionTrail: true", "+ IncludeGlobalServiceEvents: true"]


def test_global_events_that_are_there_stay_as_they_are(tmp_path: Path) -> None:
    template = TRAIL + "          IncludeGlobalServiceEvents: 'true'\n          IsMultiRegionTrail: 'false'\n"
    assert lines("TG101", tmp_path, template) == ["- IsMultiRegionTrail: 'false'", "+ IsMultiRegionTrail: 'true'"]


def test_a_second_trail_of_all_regions_is_for_a_person_to_decide(tmp_path: Path) -> None:
    safe = fixed("TG101", tmp_path, {"template.yaml": TWO})
    assert not safe.texts
    assert "Trail records all Regions already, and each further copy is charged" in safe.left[0]
    assert fixed("TG101", tmp_path, {"template.yaml": TWO}, unsafe=True).unsafe == (
        "Trail records all Regions already, and each further copy is charged",
    )


SELECTORS = [
    pytest.param(
        "EventSelectors: [{ReadWriteType: WriteOnly}]",
        ["- EventSelectors: [{ReadWriteType: WriteOnly}]", "+ EventSelectors: [{ReadWriteType: All}]"],
        id="mode",
    ),
    pytest.param(
        """EventSelectors:
            - IncludeManagementEvents: true
              ExcludeManagementEventSources:
                - kms.amazonaws.com
        """,
        ["- ExcludeManagementEventSources:", "- - kms.amazonaws.com"],
        id="excluded",
    ),
    pytest.param(
        """EventSelectors:
            - IncludeManagementEvents: false
              ReadWriteType: ReadOnly  # for a while
        """,
        [
            "- - IncludeManagementEvents: false",
            "- ReadWriteType: ReadOnly  # for a while",
            "+ - IncludeManagementEvents: true",
            "+ ReadWriteType: All  # for a while",
        ],
        id="all-of-one-selector",
    ),
    pytest.param(
        """EventSelectors:
            - ReadWriteType: WriteOnly
              DataResources:
                - Type: AWS::S3::Object
                  Values: ["arn:aws:s3:::payments/"]
        """,
        ["+ - ReadWriteType: All", "+ IncludeManagementEvents: true"],
        id="no-more-data-events",
    ),
    pytest.param(
        """AdvancedEventSelectors:
            - FieldSelectors:
                - Field: eventCategory
                  Equals: [Management]
                - Field: readOnly
                  Equals: ["false"]
        """,
        ["- - Field: readOnly", '- Equals: ["false"]'],
        id="advanced",
    ),
    pytest.param(
        """AdvancedEventSelectors:
            - FieldSelectors:
                - Field: eventCategory
                  Equals: [Data]
                - Field: resources.type
                  Equals: ["AWS::S3::Object"]
        """,
        ["+ - Name: Management events", "+ FieldSelectors:", "+ - Field: eventCategory", "+ Equals:", "+ - Management"],
        id="advanced-without-management",
    ),
]


@pytest.mark.parametrize(("selectors", "wanted"), SELECTORS)
def test_management_events(tmp_path: Path, selectors: str, wanted: list[str]) -> None:
    assert lines("TG107", tmp_path, f"{WHOLE}          {selectors}") == wanted


def test_a_selector_that_a_parameter_narrows_stays_and_gets_one_beside_it(tmp_path: Path) -> None:
    parameter = "\n    Parameters:\n      Mode: {Type: String, Default: All}"
    template = f"{parameter}{WHOLE}          EventSelectors: [{{ReadWriteType: !Ref Mode}}]\n"
    result = fixed("TG107", tmp_path, {"template.yaml": template})
    assert not result.left
    assert "!Ref Mode" in result.texts["template.yaml"]  # it stays: a selector beside it takes nothing away


def test_insights_and_data_events_cost_and_are_never_safe(tmp_path: Path) -> None:
    for rule, word in (("TG110", "data events are charged"), ("TG111", "insights are charged")):
        assert not fixed(rule, tmp_path, {"template.yaml": WHOLE}).texts
        assert word in fixed(rule, tmp_path, {"template.yaml": WHOLE}, unsafe=True).unsafe[0]


def test_data_events_join_a_selector_that_takes_all(tmp_path: Path) -> None:
    template = WHOLE + "          EventSelectors:\n            - ReadWriteType: All\n"
    assert lines("TG110", tmp_path, template, unsafe=True) == [
        "+ DataResources:",
        "+ - Type: AWS::S3::Object",
        "+ Values:",
        "+ - !Sub arn:${AWS::Partition}:s3",
    ]


ONE = """
  {name}:
    Type: AWS::CloudTrail::Trail
    Properties: {{S3BucketName: example-audit-logs, IsLogging: true, IsMultiRegionTrail: {multi}}}
"""
BY_REGION = "Conditions:\n  Home: {{Fn::Equals: [{region}, us-east-1]}}\n  Here: {{Condition: Home}}\nResources:\n"
IN_SET = """
Resources:
  Everywhere:
    Type: AWS::CloudFormation::StackSet
    Properties:
      StackSetName: trails
      PermissionModel: SELF_MANAGED
      StackInstancesGroup:
        - DeploymentTargets: {{Accounts: ['111122223333']}}
          Regions: {regions}
      TemplateBody: |
        Resources:
          Trail:
            Type: AWS::CloudTrail::Trail
            Properties: {{S3BucketName: example-audit-logs, IsLogging: true}}
"""


@pytest.mark.parametrize(
    ("template", "reason"),
    [
        (
            BY_REGION.format(region="!Ref AWS::Region") + ONE.format(name="Trail", multi="!If [Here, true, false]"),
            "the Region decides it now, and each further copy of all Regions is charged",
        ),
        (
            IN_SET.format(regions="[eu-west-1, us-east-1]"),
            "Everywhere makes it in several Regions, and each further copy of all Regions is charged",
        ),
        (IN_SET.format(regions="[eu-west-1]"), ""),
        (
            BY_REGION.format(region="!Ref AWS::AccountId") + ONE.format(name="Trail", multi="!If [Here, true, false]"),
            "",
        ),
    ],
    ids=["by Region", "a set of Regions", "a set of one Region", "by account"],
)
def test_a_trail_of_all_regions_in_each_region_is_for_a_person_to_decide(
    tmp_path: Path, template: str, reason: str
) -> None:
    found = fixed("TG101", tmp_path, {"template.yaml": template}, unsafe=True)
    assert found.unsafe == (reason,)


def test_of_two_trails_of_one_region_the_first_is_made_one_of_all(tmp_path: Path) -> None:
    two = "Resources:" + "".join(ONE.format(name=name, multi="false") for name in ("First", "Second"))
    found = fixed("TG101", tmp_path, {"template.yaml": two})
    assert found.unsafe == ("",)
    (left,) = found.left
    assert "each further copy is charged" in left
