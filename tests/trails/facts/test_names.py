"""Whether a text may be an ARN of some kind, as far as it is spelt out."""

from __future__ import annotations

import pytest

from trailguard.cloudformation.scenarios.values import GENERATED, OPAQUE, VARIABLE, Pieces, Symbol, join_pieces
from trailguard.trails.facts.names import may_be_arn

PARTITION = Symbol(VARIABLE, "AWS::Partition")
ACCOUNT = Symbol(VARIABLE, "AWS::AccountId")
PARAMETER = Symbol(VARIABLE, "Name")
ROLE = Symbol(GENERATED, "Role")
IMPORTED = Symbol(OPAQUE, "audit-role")

ARNS: list[tuple[Pieces, bool]] = [
    (("arn:aws:iam::111122223333:role/logs",), True),
    (("arn:aws:iam::111122223333:role/audit/logs",), True),
    (("arn:", PARTITION, ":iam::", ACCOUNT, ":role/", ROLE), True),
    (("arn:aws:iam::111122223333:user/logs",), False),
    (("arn:aws:s3:::logs",), False),
    (("arn:", PARTITION, ":s3:::", PARAMETER), False),
    (("arn:aws:iam::111122223333:role",), False),
    (("arn:aws:iam",), False),
    (("logs",), False),
    ((ROLE,), False),
    ((PARTITION,), False),
    ((PARAMETER,), True),
    ((IMPORTED,), True),
    ((PARAMETER, "/logs"), True),
    (("arn:aws:", PARAMETER), True),
    (("arn:aws:i", PARAMETER), True),
    (("arn:aws:s3", PARAMETER), False),
    (("arn:aws:iam::", PARAMETER), True),
    (("arn:aws:iam::111122223333:", PARAMETER), True),
    (("arn:aws:iam::111122223333:ro", PARAMETER), True),
    (("arn:aws:iam::111122223333:role/", PARAMETER, "/logs"), True),
    (("arn:aws:iam::111122223333:us", PARAMETER), False),
    (("arn:aws:iam::111122223333:", ROLE), False),
    (("role/", PARAMETER), False),
]


@pytest.mark.parametrize(("pieces", "may"), ARNS)
def test_arns_of_roles(pieces: Pieces, may: bool) -> None:
    assert may_be_arn(join_pieces(pieces), "iam", "role/") is may


def test_arns_of_any_resource() -> None:
    assert may_be_arn(("arn:aws:kms:eu-west-1:111122223333:key/1",), "kms")
    assert not may_be_arn(("arn:aws:s3:::logs",), "kms")
