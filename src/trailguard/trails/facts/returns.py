"""What `Ref` and `Fn::GetAtt` return for the resources of a trail's delivery chain.

`${Property}` stands for the property's value, or for the value that AWS generates when it is not set; `${Property|x}`
for the property's value, or `x`.
Source: the "Return values" of each resource type in the CloudFormation template reference.
"""

from __future__ import annotations

from collections.abc import Mapping

_ARN = "arn:${AWS::Partition}:"
_HERE = "${AWS::Region}:${AWS::AccountId}:"

RETURNS: Mapping[str, Mapping[str, str]] = {
    "AWS::CloudTrail::Trail": {
        "Ref": "${TrailName}",
        "Arn": _ARN + "cloudtrail:" + _HERE + "trail/${TrailName}",
    },
    "AWS::S3::Bucket": {
        "Ref": "${BucketName}",
        "Arn": _ARN + "s3:::${BucketName}",
        "DomainName": "${BucketName}.s3.${AWS::URLSuffix}",
        "RegionalDomainName": "${BucketName}.s3.${AWS::Region}.${AWS::URLSuffix}",
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
}
