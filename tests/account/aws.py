"""An account with an audit trail and what belongs to it, made through the APIs of a server that plays AWS."""

from __future__ import annotations

import json
from typing import Any

ACCOUNT = "123456789012"  # that moto gives to whoever has made-up keys
REGION = "eu-west-1"
OTHER_REGION = "us-east-1"
TRAIL = f"arn:aws:cloudtrail:{REGION}:{ACCOUNT}:trail/org-audit"
TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT}:audit"
STORE = f"arn:aws:cloudtrail:{REGION}:{ACCOUNT}:eventdatastore/0ec5fd28-3a84-4c5d-9f5e-0a1b2c3d4e5f"
SECRET = "hunter2-and-no-more"  # stands in places that a snapshot must not show


def client(
    url: str, service: str, region: str = REGION, keys: tuple[str, str, str | None] = ("AKIAEXAMPLE", "made-up", None)
) -> Any:
    """A client with made-up keys, or with some that were given."""
    import boto3

    names = ("aws_access_key_id", "aws_secret_access_key", "aws_session_token")
    return boto3.client(service, endpoint_url=url, region_name=region, **dict(zip(names, keys, strict=True)))


def policy(*statements: dict[str, Any]) -> str:
    """A policy document of some statements."""
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def fill(url: str) -> None:
    """Make the account."""
    key = _key(url)
    _buckets(url, key)
    _watching(url)
    role = _roles(url)
    _trail(url, key, role)
    _stacks(url)


def _key(url: str) -> str:
    kms = client(url, "kms")
    root = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "kms:*", "Resource": "*"}
    use = {
        "Effect": "Allow",
        "Principal": {"Service": "cloudtrail.amazonaws.com"},
        "Action": ["kms:GenerateDataKey*", "kms:DescribeKey"],
        "Resource": "*",
    }
    key = kms.create_key(Policy=policy(root, use), Description='for trails: "all" of them')["KeyMetadata"]
    kms.enable_key_rotation(KeyId=key["KeyId"])
    kms.create_alias(AliasName="alias/audit", TargetKeyId=key["KeyId"])
    doomed = kms.create_key(Description="")["KeyMetadata"]
    kms.schedule_key_deletion(KeyId=doomed["KeyId"], PendingWindowInDays=7)
    return str(key["Arn"])


def _buckets(url: str, key: str) -> None:
    s3 = client(url, "s3")
    here = {"LocationConstraint": REGION}
    for name in ("audit-logs", "access-logs", "plain"):
        s3.create_bucket(Bucket=name, CreateBucketConfiguration=here)
    s3.create_bucket(Bucket="locked", CreateBucketConfiguration=here, ObjectLockEnabledForBucket=True)
    client(url, "s3", OTHER_REGION).create_bucket(Bucket="over-there")
    s3.put_object(Bucket="plain", Key="secret.txt", Body=SECRET.encode())
    on = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
    s3.put_public_access_block(Bucket="audit-logs", PublicAccessBlockConfiguration=dict.fromkeys(on, True))
    s3.put_bucket_versioning(Bucket="audit-logs", VersioningConfiguration={"Status": "Enabled"})
    owner = {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
    s3.put_bucket_ownership_controls(Bucket="audit-logs", OwnershipControls=owner)
    default = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}
    rule = {"ApplyServerSideEncryptionByDefault": default, "BucketKeyEnabled": True}
    s3.put_bucket_encryption(Bucket="audit-logs", ServerSideEncryptionConfiguration={"Rules": [rule]})
    rules = [
        {
            "ID": "old",
            "Status": "Enabled",
            "Filter": {"And": {"Prefix": "AWSLogs/", "Tags": [{"Key": "k", "Value": "v"}]}},
            "Transitions": [{"Days": 90, "StorageClass": "GLACIER"}],
            "Expiration": {"Days": 3650},
            "NoncurrentVersionExpiration": {"NoncurrentDays": 30},
            "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7},
        },
        {
            "ID": "off",
            "Status": "Disabled",
            "Filter": {"Prefix": ""},
            "Expiration": {"ExpiredObjectDeleteMarker": True},
        },
    ]
    s3.put_bucket_lifecycle_configuration(Bucket="audit-logs", LifecycleConfiguration={"Rules": rules})
    target = {"LoggingEnabled": {"TargetBucket": "access-logs", "TargetPrefix": "s3/"}}
    own_id = s3.get_bucket_acl(Bucket="access-logs")["Owner"]["ID"]
    owned = [{"Permission": "FULL_CONTROL", "Grantee": {"Type": "CanonicalUser", "ID": own_id}}]
    delivery = {"Type": "Group", "URI": "http://acs.amazonaws.com/groups/s3/LogDelivery"}
    granted = [{"Permission": each, "Grantee": delivery} for each in ("WRITE", "READ_ACP")]
    s3.put_bucket_acl(Bucket="access-logs", AccessControlPolicy={"Owner": {"ID": own_id}, "Grants": owned + granted})
    s3.put_bucket_logging(Bucket="audit-logs", BucketLoggingStatus=target)
    retention = {"Mode": "GOVERNANCE", "Days": 30}
    lock = {"ObjectLockEnabled": "Enabled", "Rule": {"DefaultRetention": retention}}
    s3.put_object_lock_configuration(Bucket="locked", ObjectLockConfiguration=lock)
    s3.put_bucket_policy(Bucket="audit-logs", Policy=log_policy("audit-logs"))


def log_policy(bucket: str) -> str:
    """The policy with which CloudTrail may deliver to a bucket."""
    service = {"Effect": "Allow", "Principal": {"Service": "cloudtrail.amazonaws.com"}}
    written = f"arn:aws:s3:::{bucket}/AWSLogs/{ACCOUNT}/*"
    own = {"StringEquals": {"s3:x-amz-acl": "bucket-owner-full-control", "aws:SourceArn": TRAIL}}
    return policy(
        service | {"Action": "s3:GetBucketAcl", "Resource": f"arn:aws:s3:::{bucket}"},
        service | {"Action": "s3:PutObject", "Resource": written, "Condition": own},
        {
            "Effect": "Deny",
            "Principal": "*",
            "Action": "s3:*",
            "Resource": [f"arn:aws:s3:::{bucket}/*", f"arn:aws:s3:::{bucket}"],
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        },
    )


def _watching(url: str) -> None:
    client(url, "sns").create_topic(Name="audit", Attributes={"KmsMasterKeyId": "alias/audit"})
    client(url, "sns").create_topic(Name="line.fifo", Attributes={"FifoTopic": "true"})
    logs = client(url, "logs")
    logs.create_log_group(logGroupName="/audit/trail")
    logs.put_retention_policy(logGroupName="/audit/trail", retentionInDays=365)
    logs.put_metric_filter(
        logGroupName="/audit/trail",
        filterName="changes",
        filterPattern="{ ($.eventName = CreateTrail) || ($.eventName = StopLogging) }",
        metricTransformations=[
            {"metricName": "Changes", "metricNamespace": "Audit", "metricValue": "1", "defaultValue": 0}
        ],
    )
    client(url, "cloudwatch").put_metric_alarm(
        AlarmName="trail changes",
        MetricName="Changes",
        Namespace="Audit",
        Statistic="Sum",
        Period=300,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanOrEqualToThreshold",
        AlarmActions=[TOPIC],
        TreatMissingData="notBreaching",
    )
    events = client(url, "events")
    events.put_rule(Name="root", EventPattern=json.dumps({"detail-type": ["AWS API Call via CloudTrail"]}))
    sent = json.dumps({"password": SECRET})
    events.put_targets(Rule="root", Targets=[{"Id": "b", "Arn": TOPIC, "Input": sent}, {"Id": "a", "Arn": TOPIC}])
    events.create_event_bus(Name="own")
    events.put_rule(Name="root", EventBusName="own", EventPattern=json.dumps({"source": ["me"]}), State="DISABLED")


def _roles(url: str) -> str:
    iam = client(url, "iam")
    trust = {"Effect": "Allow", "Principal": {"Service": "cloudtrail.amazonaws.com"}, "Action": "sts:AssumeRole"}
    role = iam.create_role(RoleName="trail-to-logs", AssumeRolePolicyDocument=policy(trust), Path="/audit/")["Role"]
    write = {"Effect": "Allow", "Action": ["logs:PutLogEvents", "logs:CreateLogStream"], "Resource": "*"}
    iam.put_role_policy(RoleName="trail-to-logs", PolicyName="write", PolicyDocument=policy(write))
    more = iam.create_policy(PolicyName="more", Path="/audit/", PolicyDocument=policy(write | {"Action": "logs:Get*"}))
    iam.attach_role_policy(RoleName="trail-to-logs", PolicyArn=more["Policy"]["Arn"])
    iam.create_policy(PolicyName="idle", PolicyDocument=policy(write))
    iam.create_service_linked_role(AWSServiceName="autoscaling.amazonaws.com")
    return str(role["Arn"])


def _trail(url: str, key: str, role: str) -> None:
    cloudtrail = client(url, "cloudtrail")
    cloudtrail.create_trail(
        Name="org-audit",
        S3BucketName="audit-logs",
        S3KeyPrefix="",
        IsMultiRegionTrail=True,
        EnableLogFileValidation=True,
        SnsTopicName="audit",
        KmsKeyId=key,
        CloudWatchLogsLogGroupArn=f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/audit/trail:*",
        CloudWatchLogsRoleArn=role,
    )
    cloudtrail.start_logging(Name="org-audit")
    cloudtrail.put_insight_selectors(TrailName="org-audit", InsightSelectors=[{"InsightType": "ApiCallRateInsight"}])
    data = {"Type": "AWS::S3::Object", "Values": ["arn:aws:s3"]}
    selector = {"ReadWriteType": "All", "IncludeManagementEvents": True, "DataResources": [data]}
    cloudtrail.put_event_selectors(TrailName="org-audit", EventSelectors=[selector])


STACK = f"""\
Parameters:
  Name: {{Type: String}}
  Password: {{Type: String, NoEcho: true, Default: {SECRET}}}
Resources:
  LogBucket:
    Type: AWS::S3::Bucket
    Properties: {{BucketName: !Ref Name}}
  Queue:
    Type: AWS::SQS::Queue
    Properties: {{QueueName: {SECRET}}}
Outputs:
  Bucket:
    Value: !Ref LogBucket
    Export: {{Name: stack-bucket-name}}
"""


def _stacks(url: str) -> None:
    cloudformation = client(url, "cloudformation")
    values = {"Name": "made-by-stack", "Password": SECRET}
    given = [{"ParameterKey": key, "ParameterValue": value} for key, value in values.items()]
    cloudformation.create_stack(StackName="audit", TemplateBody=STACK, Parameters=given)
    alone = {"Resources": {"Queue": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "alone"}}}}
    cloudformation.create_stack(StackName="no-business", TemplateBody=json.dumps(alone))
