"""How what AWS refuses of a trail is corrected, in the text of the template."""

from __future__ import annotations

from pathlib import Path
from textwrap import indent

import pytest

from tests.fixes.repairing import fixed, lines


def template(properties: str, more: str = "", bucket: str = "example-audit-logs", logging: str = "true") -> str:
    first = f"S3BucketName: {bucket}\n" if bucket else ""
    second = f"IsLogging: {logging}\n" if logging else ""
    body = indent(first + second + properties.strip("\n"), " " * 6)
    return f"""
Resources:
{more}
  Trail:
    Type: AWS::CloudTrail::Trail
    Properties:
{body}
"""


CORRECTED = [
    pytest.param("IsOrganisationTrail: false", ["IsOrganizationTrail: false"], id="misspelt"),
    pytest.param("LogFileValidationEnabled: true", ["EnableLogFileValidation: true"], id="of-the-api"),
    pytest.param("Arn: whatever", [], id="returned"),
    pytest.param("EnableLogFileValidation: enabled", ["EnableLogFileValidation: true"], id="enabled"),
    pytest.param("EventSelectors:\n  ReadWriteType: All", ["- ReadWriteType: All"], id="no-list"),
    pytest.param("EventSelectors:\n  - ReadWriteType: all", ["- ReadWriteType: All"], id="letter-case"),
    pytest.param("EventSelectors:\n  - ReadWriteTyp: All", ["- ReadWriteType: All"], id="misspelt-inside"),
    pytest.param(
        "IsMultiRegionTrail: true", ["IncludeGlobalServiceEvents: true"], id="multi-region-without-global-events"
    ),
    pytest.param(
        "EventSelectors:\n  - DataResources:\n      - {Type: 'AWS::S3::Object', Values: ['arn:aws:s3:::*']}",
        ["- {Type: 'AWS::S3::Object', Values: ['arn:aws:s3']}"],
        id="star-for-all-buckets",
    ),
    pytest.param(
        "EventSelectors:\n  - DataResources:\n      - Type: AWS::S3::Object\n        Values:\n        - arn:aws:s3:::p",
        ["- arn:aws:s3:::p/"],
        id="bucket-without-slash",
    ),
    pytest.param(
        "EventSelectors:\n  - DataResources:\n      - Type: AWS::S3::Object\n        Values:\n          - '*'",
        ["- !Sub arn:${AWS::Partition}:s3"],
        id="all-buckets",
    ),
    pytest.param(
        "EventSelectors:\n  - DataResources:\n      - Values: ['arn:aws:lambda']",
        ["Type: AWS::Lambda::Function"],
        id="type-of-a-data-resource",
    ),
    pytest.param(
        "AdvancedEventSelectors:\n  - FieldSelectors:\n      - Field: eventcategory\n        Equals: [Management]",
        ["- Field: eventCategory"],
        id="field",
    ),
    pytest.param(
        "AdvancedEventSelectors:\n  - FieldSelectors:\n      - Field: eventCategory\n        Equals: [management]",
        ["Equals: [Management]"],
        id="category",
    ),
]


@pytest.mark.parametrize(("properties", "wanted"), CORRECTED)
def test_what_is_meant_is_written(tmp_path: Path, properties: str, wanted: list[str]) -> None:
    found = lines("TG113", tmp_path, template(properties))
    assert [line[2:] for line in found if line.startswith("+")] == wanted


def test_what_is_required_is_added_where_there_is_one_answer(tmp_path: Path) -> None:
    assert lines("TG113", tmp_path, template("EnableLogFileValidation: true", logging="")) == ["+ IsLogging: true"]
    assert fixed("TG113", tmp_path, {"template.yaml": template("", bucket="")}, unsafe=True).left


def test_a_trail_without_a_bucket_gets_the_one_whose_policy_lets_it_in(tmp_path: Path) -> None:
    more = """
  Logs:
    Type: AWS::S3::Bucket
  Others:
    Type: AWS::S3::Bucket
  Policy:
    Type: AWS::S3::BucketPolicy
    Properties:
      Bucket: !Ref Logs
      PolicyDocument:
        Version: '2012-10-17'
        Statement:
          - Effect: Allow
            Principal: {Service: cloudtrail.amazonaws.com}
            Action: s3:GetBucketAcl
            Resource: !GetAtt Logs.Arn
            Condition: {StringEquals: {aws:SourceAccount: !Ref AWS::AccountId}}
          - Effect: Allow
            Principal: {Service: cloudtrail.amazonaws.com}
            Action: s3:PutObject
            Resource: !Sub '${Logs.Arn}/AWSLogs/${AWS::AccountId}/*'
            Condition:
              StringEquals:
                aws:SourceAccount: !Ref AWS::AccountId
                s3:x-amz-acl: bucket-owner-full-control
"""
    assert set(lines("TG113", tmp_path, template("", more, bucket=""))) == {
        "+ S3BucketName: !Ref Logs",
        "+ DependsOn: Policy",
    }


RETURNS = [
    ("CloudWatchLogsRoleArn", "!Ref Role", "!GetAtt Role.Arn"),
    ("CloudWatchLogsLogGroupArn", "!Ref Group", "!GetAtt Group.Arn"),
    ("CloudWatchLogsLogGroupArn", "!Sub '${Group.Arn}:*'", "!GetAtt Group.Arn"),
    ("CloudWatchLogsRoleArn", "Role", "!GetAtt Role.Arn"),
]


@pytest.mark.parametrize(("name", "said", "meant"), RETURNS)
def test_a_reference_gives_what_the_property_takes(tmp_path: Path, name: str, said: str, meant: str) -> None:
    more = """
  Group:
    Type: AWS::Logs::LogGroup
  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Version: '2012-10-17'
        Statement: [{Effect: Allow, Principal: {Service: cloudtrail.amazonaws.com}, Action: sts:AssumeRole}]
      Policies:
        - PolicyName: logs
          PolicyDocument:
            Version: '2012-10-17'
            Statement: [{Effect: Allow, Action: [logs:CreateLogStream, logs:PutLogEvents], Resource: '*'}]
"""
    values = {"CloudWatchLogsLogGroupArn": "!GetAtt Group.Arn", "CloudWatchLogsRoleArn": "!GetAtt Role.Arn", name: said}
    properties = "\n".join(f"{key}: {value}" for key, value in values.items())
    assert lines("TG113", tmp_path, template(properties, more)) == [f"- {name}: {said}", f"+ {name}: {meant}"]


def test_what_is_of_another_kind_is_replaced_by_the_only_one_where_somebody_agrees(tmp_path: Path) -> None:
    more = "  Group: {Type: AWS::Logs::LogGroup}\n  News: {Type: AWS::SNS::Topic}"
    text = template("SnsTopicName: !Ref Group", more)
    assert not fixed("TG113", tmp_path, {"template.yaml": text}).texts
    assert "a guess" in fixed("TG113", tmp_path, {"template.yaml": text}).left[0]
    several = template("SnsTopicName: !Ref Group", more + "\n  Other: {Type: AWS::SNS::Topic}")
    assert not fixed("TG113", tmp_path, {"template.yaml": several}, unsafe=True).texts


def test_insights_into_data_events_take_data_events(tmp_path: Path) -> None:
    text = template("InsightSelectors: [{InsightType: ApiErrorRateInsight, EventCategories: [Data]}]")
    assert not fixed("TG113", tmp_path, {"template.yaml": text}).texts
    assert "+ DataResources:" in lines("TG113", tmp_path, text, unsafe=True)


def test_the_one_role_goes_with_the_log_group(tmp_path: Path) -> None:
    more = """
  Group:
    Type: AWS::Logs::LogGroup
  Other:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Version: '2012-10-17'
        Statement: [{Effect: Allow, Principal: {Service: lambda.amazonaws.com}, Action: sts:AssumeRole}]
  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Version: '2012-10-17'
        Statement: [{Effect: Allow, Principal: {Service: cloudtrail.amazonaws.com}, Action: sts:AssumeRole}]
      Policies:
        - PolicyName: logs
          PolicyDocument:
            Version: '2012-10-17'
            Statement: [{Effect: Allow, Action: [logs:CreateLogStream, logs:PutLogEvents], Resource: '*'}]
"""
    text = template("CloudWatchLogsLogGroupArn: !GetAtt Group.Arn", more)
    assert lines("TG113", tmp_path, text) == ["+ CloudWatchLogsRoleArn: !GetAtt Role.Arn"]


def test_one_of_two_kinds_of_selectors_is_for_a_person_to_choose(tmp_path: Path) -> None:
    properties = """
EventSelectors:
  - ReadWriteType: All
AdvancedEventSelectors:
  - FieldSelectors:
      - Field: eventCategory
        Equals: [Management]
"""
    assert not fixed("TG113", tmp_path, {"template.yaml": template(properties)}).texts
    assert fixed("TG113", tmp_path, {"template.yaml": template(properties)}, unsafe=True).unsafe


@pytest.mark.parametrize("said", ["!Sub ['${B}/', {B: Payments}]", "Payments", "!Ref Payments", "!GetAtt Payments.Arn"])
def test_a_bucket_of_the_template_is_meant_with_all_that_is_in_it(tmp_path: Path, said: str) -> None:
    properties = f"EventSelectors:\n  - DataResources:\n      - Type: AWS::S3::Object\n        Values: [{said}]"
    (_, added) = lines("TG113", tmp_path, template(properties, "  Payments: {Type: AWS::S3::Bucket}"))
    assert added.replace("'", "").replace('"', "") in (
        "+ Values: [!Sub ${Payments.Arn}/]",
        "+ Values: [!Sub arn:${AWS::Partition}:s3:::${Payments}/]",
    )


RESPELT = [
    ("TrailName: audit..trail", "TrailName: audit.trail"),
    ("TrailName: audit-", "TrailName: audit"),
    ("TrailName: !Sub '${AWS::StackName}--audit'", "TrailName: !Sub '${AWS::StackName}-audit'"),
    ("SnsTopicName: audit news", "SnsTopicName: audit-news"),
]


@pytest.mark.parametrize(("said", "near"), RESPELT)
def test_the_nearest_name_is_for_people_to_agree_to(tmp_path: Path, said: str, near: str) -> None:
    assert not fixed("TG113", tmp_path, {"template.yaml": template(said)}).texts
    assert lines("TG113", tmp_path, template(said), unsafe=True) == [f"- {said}", f"+ {near}"]


def test_a_bucket_that_is_made_here_gets_a_name_that_s3_takes(tmp_path: Path) -> None:
    more = "  Logs:\n    Type: AWS::S3::Bucket\n    Properties:\n      BucketName: Audit_Logs"
    found = lines("TG113", tmp_path, template("", more, bucket="!Ref Logs"), unsafe=True)
    assert "+ BucketName: audit-logs" in found


@pytest.mark.parametrize("name", ["TrailName: ab", "TrailName: 10.0.0.1", "S3KeyPrefix: [audit, trail]"])
def test_what_has_no_nearest_name_is_for_people(tmp_path: Path, name: str) -> None:
    result = fixed("TG113", tmp_path, {"template.yaml": template(name)}, unsafe=True)
    assert not result.texts
    assert result.left
