"""What a stack hands to a nested one may be a secret there."""

from __future__ import annotations

from typing import Any

from trailguard.account.stacks import _drop_secrets


def test_texts_for_nested_stacks_are_not_kept() -> None:
    handed = {"Password": "hunter2", "Port": 5432, "Bucket": {"Ref": "Bucket"}}
    nested = {"Type": "AWS::CloudFormation::Stack", "Properties": {"TemplateURL": "u", "Parameters": handed}}
    body: dict[str, Any] = {
        "Parameters": {"Secret": {"Type": "String", "NoEcho": True, "Default": "hunter2"}},
        "Resources": {"Nested": nested, "Odd": {"Type": "AWS::CloudFormation::Stack", "Properties": "text"}},
    }
    assert _drop_secrets(body) == {"Secret"}
    assert body["Resources"]["Nested"]["Properties"] == {
        "TemplateURL": "u",
        "Parameters": {"Bucket": {"Ref": "Bucket"}},
    }
    assert "hunter2" not in str(body)
