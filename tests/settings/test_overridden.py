"""Settings that a program hands over go before those of a file, and are checked as those are."""

from __future__ import annotations

from typing import Any

import pytest

from trailguard import Settings
from trailguard.errors import ConfigError
from trailguard.settings.settings import overridden

FILE = Settings(profile="cis-aws-5.0", select=("TG101",), ignore=("TG102",), region="eu-west-1")


@pytest.mark.parametrize(
    ("given", "changes"),
    [
        ({}, {}),
        ({"profile": "all"}, {"profile": "all", "select": ()}),
        ({"profile": ["default", "hipaa"]}, {"profile": "default, hipaa", "select": ()}),
        ({"rules": {"ignore": ["TG2"]}}, {"ignore": ("TG2",)}),
        ({"account_id": "111122223333", "fail_on": "unknown"}, {"account_id": "111122223333", "fail_on": "unknown"}),
        ({"parameters": {"Days": 30, "All": True}}, {"parameters": {"Days": "30", "All": "true"}}),
    ],
)
def test_what_is_handed_over_goes_first(given: dict[str, Any], changes: dict[str, Any]) -> None:
    assert overridden(FILE, given, "the editor") == FILE._replace(**changes)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"profle": "all"}, 'unknown key "profle"; did you mean "profile"?'),
        ({"region": "Berlin"}, "region must be a Region such as eu-west-1"),
        ({"rules": {"selekt": []}}, "select"),
    ],
)
def test_what_is_wrong_is_said(given: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        overridden(FILE, given, "the editor")
    assert message in str(caught.value)
    assert str(caught.value).startswith("the editor: ")
