"""What `Ref` and `Fn::GetAtt` return for the resources of a trail's delivery chain.

`${Property}` stands for the property's value, or for the value that AWS generates when it is not set; `${Property|x}`
for the property's value, or `x`.
Source: the "Return values" of each resource type in the CloudFormation template reference.
"""

from __future__ import annotations

from trailguard.cloudformation.scenarios.model import Returns, Spelling

_ARN = "arn:${AWS::Partition}:"
_HERE = "${AWS::Region}:${AWS::AccountId}:"


def _of_bucket(text: str) -> Spelling:
    """What a bucket returns, `${BucketName}` in it.

    The name of a bucket in the namespace of its account and Region is put together from the prefix, else a prefix
    begins a name that is generated.
    Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-s3-bucket.html
    (BucketNamePrefix, BucketNamespace)
    """
    regional = "${BucketNamePrefix}-${AWS::AccountId}-${AWS::Region}-an"
    ways = (
        ("BucketName", None, text),
        ("BucketNamespace", "account-regional", text.replace("${BucketName}", regional)),
        ("BucketNamePrefix", None, text.replace("${BucketName}", "${BucketNamePrefix}${BucketName}")),
    )
    return Spelling(ways, text)


RETURNS: Returns = {
    "AWS::CloudTrail::Trail": {
        "Ref": "${TrailName}",
        "Arn": _ARN + "cloudtrail:" + _HERE + "trail/${TrailName}",
    },
    "AWS::S3::Bucket": {
        "Ref": _of_bucket("${BucketName}"),
        "Arn": _of_bucket(_ARN + "s3:::${BucketName}"),
        "DomainName": _of_bucket("${BucketName}.s3.${AWS::URLSuffix}"),
        "DualStackDomainName": _of_bucket("${BucketName}.s3.dualstack.${AWS::Region}.${AWS::URLSuffix}"),
        "RegionalDomainName": _of_bucket("${BucketName}.s3.${AWS::Region}.${AWS::URLSuffix}"),
        "WebsiteURL": _of_bucket("http://${BucketName}.s3-website-${AWS::Region}.${AWS::URLSuffix}"),
    },
    "AWS::S3::BucketPolicy": {"Ref": "${Bucket}"},
    "AWS::KMS::Key": {"Ref": "${KeyId}", "KeyId": "${KeyId}", "Arn": _ARN + "kms:" + _HERE + "key/${KeyId}"},
    "AWS::KMS::ReplicaKey": {"Ref": "${KeyId}", "KeyId": "${KeyId}", "Arn": _ARN + "kms:" + _HERE + "key/${KeyId}"},
    "AWS::KMS::Alias": {"Ref": "${AliasName}"},
    "AWS::Logs::LogGroup": {
        "Ref": "${LogGroupName}",
        "Arn": _ARN + "logs:" + _HERE + "log-group:${LogGroupName}:*",
    },
    "AWS::IAM::Role": {
        "Ref": "${RoleName}",
        "Arn": _ARN + "iam::${AWS::AccountId}:role${Path|/}${RoleName}",
    },
    "AWS::IAM::ManagedPolicy": {
        "Ref": _ARN + "iam::${AWS::AccountId}:policy${Path|/}${ManagedPolicyName}",
        "PolicyArn": _ARN + "iam::${AWS::AccountId}:policy${Path|/}${ManagedPolicyName}",
    },
    "AWS::SNS::Topic": {
        "Ref": _ARN + "sns:" + _HERE + "${TopicName}",
        "TopicArn": _ARN + "sns:" + _HERE + "${TopicName}",
        "TopicName": "${TopicName}",
    },
    "AWS::Lambda::Function": {
        "Ref": "${FunctionName}",
        "Arn": _ARN + "lambda:" + _HERE + "function:${FunctionName}",
    },
    "AWS::DynamoDB::Table": {"Ref": "${TableName}", "Arn": _ARN + "dynamodb:" + _HERE + "table/${TableName}"},
    "AWS::CloudWatch::Alarm": {"Ref": "${AlarmName}", "Arn": _ARN + "cloudwatch:" + _HERE + "alarm:${AlarmName}"},
    "AWS::CloudWatch::CompositeAlarm": {
        "Ref": "${AlarmName}",
        "Arn": _ARN + "cloudwatch:" + _HERE + "alarm:${AlarmName}",
    },
}
