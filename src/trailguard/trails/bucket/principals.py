"""Whom a statement of a bucket policy names besides CloudTrail's service principal, and how that is spelt.

Source: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-supported-regions.html (account IDs)
"""

from __future__ import annotations

from trailguard.cloudformation.scenarios.values import MapValue, Value, text_of
from trailguard.cloudformation.template.references import references
from trailguard.iam.policy import Statement, values_of
from trailguard.trails.bucket.requests import SERVICE


def builds_suffix(statement: Statement) -> bool:
    """Tell whether a principal is put together with `AWS::URLSuffix`."""
    place = statement.place("Principal", "NotPrincipal")
    return any(name == "AWS::URLSuffix" for name, _ in references(place))


def named_in_words(statement: Statement) -> str:
    """Whom a statement names that does not name the service principal."""
    value = statement.elements.get("Principal")
    if value is None:
        return f"everybody but a few, not to {SERVICE}"
    if "*" in _texts(value):
        return f'everybody ("*"), not to {SERVICE}'
    return f"the account IDs from which CloudTrail used to deliver in some Regions, not to {SERVICE}"


def _texts(value: Value) -> list[str]:
    if isinstance(value, MapValue):
        return [text for item in value.entries.values() for text in _texts(item)]
    return [text.literal or "" for text in map(text_of, values_of(value)) if text is not None]
