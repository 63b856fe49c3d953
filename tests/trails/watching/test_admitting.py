"""How events come to reach the log group of a trail, and messages its topic, in the text of the template."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fixes.repairing import fixed, lines

STREAMS = "[logs:CreateLogStream, logs:PutLogEvents]"


def logging(
    service: str = "cloudtrail.amazonaws.com",
    actions: str = STREAMS,
    resource: str = "!GetAtt Group.Arn",
    group: str = "!GetAtt Group.Arn",
    role: str = "!GetAtt Role.Arn",
    more: str = "",
) -> str:
    """A trail with a log group and a role, any of which may be at fault."""
    return f"""
Resources:
  Group:
    Type: AWS::Logs::LogGroup
  Role:
    Type: AWS::IAM::Role
    Properties:
      RoleName: trail-to-logs
      AssumeRolePolicyDocument:
        Version: '2012-10-17'
        Statement:
          - Effect: Allow
            Principal: {{Service: {service}}}
            Action: sts:AssumeRole
      Policies:
        - PolicyName: logs
          PolicyDocument:
            Version: '2012-10-17'
            Statement:
              - Effect: Allow
                Action: {actions}
                Resource: {resource}
{more}
  Trail:
    Type: AWS::CloudTrail::Trail
    Properties:
      TrailName: audit
      S3BucketName: example-audit-logs
      IsLogging: true
      CloudWatchLogsLogGroupArn: {group}
      CloudWatchLogsRoleArn: {role}
"""


NAMES = [
    ("group", "!Sub 'arn:${AWS::Partition}:logs:${AWS::Region}:${AWS::AccountId}:log-group:${Group}'", "Group"),
    ("group", "!Sub 'arn:aws:logs:eu-west-1:${AWS::AccountId}:log-group:${Group}:*'", "Group"),
    ("role", "!Ref Role", "Role"),
    ("role", "!Sub 'arn:${AWS::Partition}:iam::${AWS::AccountId}:role/audit/${Role}'", "Role"),
    ("role", "!Sub 'arn:${AWS::Partition}:iam::${AWS::AccountId}:role/trail-to-logs'", "Role"),
]


@pytest.mark.parametrize(("what", "said", "target"), NAMES)
def test_what_is_named_as_text_or_wrong_is_referred_to(tmp_path: Path, what: str, said: str, target: str) -> None:
    found = lines("TG208", tmp_path, logging(**{what: said}))
    name = "CloudWatchLogsLogGroupArn" if what == "group" else "CloudWatchLogsRoleArn"
    assert found == [f"- {name}: {said}", f"+ {name}: !GetAtt {target}.Arn"]


def test_events_are_sent_to_what_is_there_for_them_for_a_price(tmp_path: Path) -> None:
    text = logging()
    text = text[: text.index("      CloudWatchLogsLogGroupArn")]
    assert lines("TG109", tmp_path, text, unsafe=True)[-2:] == [  # behind what other rules ask of the group then
        "+ CloudWatchLogsLogGroupArn: !GetAtt Group.Arn",
        "+ CloudWatchLogsRoleArn: !GetAtt Role.Arn",
    ]
    assert "charges" in fixed("TG109", tmp_path, {"template.yaml": text}).left[0]


def test_of_two_log_groups_a_person_chooses(tmp_path: Path) -> None:
    text = logging(more="  Other: {Type: AWS::Logs::LogGroup}")
    text = text[: text.index("      CloudWatchLogsLogGroupArn")]
    assert not fixed("TG109", tmp_path, {"template.yaml": text}, unsafe=True).texts


def test_the_trust_policy_gets_a_statement_and_keeps_the_other_service(tmp_path: Path) -> None:
    added = lines("TG208", tmp_path, logging(service="lambda.amazonaws.com"))
    assert sorted(added) == [
        "+ - Effect: Allow",
        "+ Action: sts:AssumeRole",
        "+ Principal:",
        "+ Service: cloudtrail.amazonaws.com",
    ]


def test_a_statement_that_grants_half_of_it_is_widened(tmp_path: Path) -> None:
    assert lines("TG208", tmp_path, logging(actions="[logs:CreateLogStream]")) == [
        "- Action: [logs:CreateLogStream]",
        "+ Action: [logs:CreateLogStream, logs:PutLogEvents]",
    ]


def test_a_statement_about_another_group_is_about_this_one_too(tmp_path: Path) -> None:
    resource = "!Sub 'arn:${AWS::Partition}:logs:${AWS::Region}:${AWS::AccountId}:log-group:other:*'"
    assert lines("TG208", tmp_path, logging(resource=resource)) == [
        f"- Resource: {resource}",
        "+ Resource:",
        f"+ - {resource}",
        "+ - !GetAtt Group.Arn",
    ]


def test_a_role_without_policies_gets_one(tmp_path: Path) -> None:
    text = logging()
    start, end = text.index("      Policies:"), text.index("  Trail:")
    added = lines("TG208", tmp_path, text[:start] + text[end:])
    assert added[:2] == ["+ Policies:", "+ - PolicyName: cloudtrail-to-logs"]
    assert added[-1] == "+ Resource: !GetAtt Group.Arn"


def test_a_policy_of_its_own_is_waited_for(tmp_path: Path) -> None:
    more = """
  Writing:
    Type: AWS::IAM::Policy
    Properties:
      PolicyName: writing
      Roles: [!Ref Role]
      PolicyDocument:
        Version: '2012-10-17'
        Statement:
          - Effect: Allow
            Action: [logs:CreateLogStream, logs:PutLogEvents]
            Resource: !GetAtt Group.Arn
"""
    text = logging(actions="[logs:CreateLogGroup]", more=more)
    assert lines("TG208", tmp_path, text) == ["+ DependsOn: Writing"]


def test_a_denial_of_the_role_is_for_people(tmp_path: Path) -> None:
    more = "              - {Effect: Deny, Action: logs:PutLogEvents, Resource: '*'}"
    result = fixed("TG208", tmp_path, {"template.yaml": logging(more=more)}, unsafe=True)
    assert not result.texts
    assert result.left


def test_cloudwatch_logs_is_let_into_the_key_of_the_group(tmp_path: Path) -> None:
    more = """
  Key:
    Type: AWS::KMS::Key
    Properties:
      KeyPolicy:
        Version: '2012-10-17'
        Statement:
          - Effect: Allow
            Principal: {AWS: !Sub "arn:${AWS::Partition}:iam::${AWS::AccountId}:root"}
            Action: kms:*
            Resource: '*'
"""
    text = logging(more=more).replace(
        "Logs::LogGroup\n", "Logs::LogGroup\n    Properties:\n      KmsKeyId: !GetAtt Key.Arn\n"
    )
    added = lines("TG208", tmp_path, text)
    assert "+ Service: !Sub logs.${AWS::Region}.${AWS::URLSuffix}" in added
    named = text.replace("KmsKeyId: !GetAtt Key.Arn", "KmsKeyId: !Ref Key")
    assert "+ KmsKeyId: !GetAtt Key.Arn" in lines("TG208", tmp_path, named)


# --- topics -----------------------------------------------------------------------------------------------------------


def publishing(topic: str = "", policy: str = "", name: str = "!Ref Topic", condition: str = "") -> str:
    return f"""
Conditions:
  InProduction: !Equals [!Ref AWS::Region, eu-west-1]
Resources:
  Topic:
    Type: AWS::SNS::Topic{condition}{topic}
{policy}
  Trail:
    Type: AWS::CloudTrail::Trail{condition}
    Properties:
      TrailName: audit
      S3BucketName: example-audit-logs
      IsLogging: true
      SnsTopicName: {name}
"""


POLICY = """
  Policy:
    Type: AWS::SNS::TopicPolicy
    Properties:
      Topics: [!Ref Topic]
      PolicyDocument:
        Version: '2012-10-17'
        Statement:
          - Sid: Events
            Effect: Allow
            Principal: {Service: events.amazonaws.com}
            Action: sns:Publish
            Resource: !Ref Topic
"""


def test_a_topic_gets_a_policy(tmp_path: Path) -> None:
    added = lines("TG209", tmp_path, publishing())
    assert added[:4] == ["+ DependsOn:", "+ - TopicPolicy", "+ TopicPolicy:", "+ Type: AWS::SNS::TopicPolicy"]
    assert {'+ AWS: "*"', "+ - sns:Publish", "+ AWS:SourceOwner: !Ref AWS::AccountId"} <= set(added)  # SNS's own
    arn = "arn:${AWS::Partition}:cloudtrail:${AWS::Region}:${AWS::AccountId}:trail/audit"
    assert added[-1] == f"+ aws:SourceArn: !Sub {arn}"


def test_the_policy_of_a_topic_is_made_where_the_topic_is(tmp_path: Path) -> None:
    added = lines("TG209", tmp_path, publishing(condition="\n    Condition: InProduction"))
    assert "+ Condition: InProduction" in added


def test_the_policy_that_is_there_gets_a_statement(tmp_path: Path) -> None:
    added = lines("TG209", tmp_path, publishing(policy=POLICY))
    assert added[0] == "+ - Sid: AWSCloudTrailPublish"
    assert "+ Resource: !Ref Topic" in added


def test_a_policy_for_the_topic_under_a_name_that_is_taken(tmp_path: Path) -> None:
    taken = "  TopicPolicy: {Type: AWS::SNS::Topic}"
    assert "+ TopicPolicy1:" in lines("TG209", tmp_path, publishing(policy=taken))


def test_the_key_of_a_topic_lets_cloudtrail_encrypt(tmp_path: Path) -> None:
    key = """
  Key:
    Type: AWS::KMS::Key
    Properties:
      KeyPolicy:
        Version: '2012-10-17'
        Statement:
          - Effect: Allow
            Principal: {AWS: !Sub "arn:${AWS::Partition}:iam::${AWS::AccountId}:root"}
            Action: kms:*
            Resource: '*'
"""
    grant = POLICY.replace("events.amazonaws.com", "cloudtrail.amazonaws.com")
    text = publishing(topic="\n    Properties:\n      KmsMasterKeyId: !Ref Key", policy=key + grant)
    added = lines("TG209", tmp_path, text)
    assert {"+ - kms:GenerateDataKey*", "+ - kms:Decrypt"} <= set(added)


def test_a_topic_that_is_named_as_text_is_waited_for(tmp_path: Path) -> None:
    topic = "\n    Properties:\n      TopicName: audit-news"
    grant = POLICY.replace("events.amazonaws.com", "cloudtrail.amazonaws.com")
    assert lines("TG209", tmp_path, publishing(topic=topic, policy=grant, name="audit-news")) == ["+ DependsOn: Topic"]


def test_a_deny_goes_on_exempting_whom_it_did(tmp_path: Path) -> None:
    """CloudTrail alone gets past it in addition: no other service does, and those that did still do."""
    grant = POLICY.replace("events.amazonaws.com", "cloudtrail.amazonaws.com")
    deny = """          - Sid: Others
            Effect: Deny
            Principal: '*'
            Action: sns:Publish
            Resource: !Ref Topic
            Condition:
              StringNotEquals: {'aws:PrincipalServiceName': events.amazonaws.com}
              Bool: {'aws:PrincipalIsAWSService': 'true'}
"""
    assert lines("TG209", tmp_path, publishing(policy=grant + deny)) == [
        "- StringNotEquals: {'aws:PrincipalServiceName': events.amazonaws.com}",
        "+ StringNotEquals: {'aws:PrincipalServiceName': [events.amazonaws.com, cloudtrail.amazonaws.com]}",
    ]
