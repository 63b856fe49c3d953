"""Writes what exists as templates: sorted, the same bytes for the same things, in parts that CloudFormation takes."""

from __future__ import annotations

import re
from typing import Any

from trailguard.account.existing import ELSEWHERE, GLOBAL, Existing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

# Fewer than CloudFormation takes, which is 500 resources and 1 MB.
# Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html
MOST_RESOURCES = 499
MOST_BYTES = 1_000_000
_HEAD = 1_000  # bytes for what stands before the resources
_TEXT = "tag:yaml.org,2002:str"
_WORD = re.compile(
    r"[A-Za-z][\w./:-]+"
)  # a text without quotes, unless YAML means something else by it: "y" is a Boolean


def templates(resources: Iterable[Existing], makers: Mapping[tuple[str, ...], dict[str, str]]) -> list[str]:
    """The templates of what exists in one account and Region; none for nothing.

    `makers` has, by account, Region, type and physical ID, the stack that made a thing and what it is called there.
    """
    parts: list[list[str]] = []
    size = MOST_BYTES
    place = ("", "")
    for each in sorted(resources, key=lambda one: (one.type, one.name, one.arn)):
        maker = makers.get((each.account, each.region, each.type, each.physical), {})
        text = _indented(as_yaml({each.logical_id: _resource(each, maker)}))
        place, length = (each.account, each.region), len(text.encode())
        if size + length > MOST_BYTES or len(parts[-1]) == MOST_RESOURCES:
            parts.append([])
            size = _HEAD
        parts[-1].append(text)
        size += length
    return [_head(*place, number, len(parts)) + "".join(part) for number, part in enumerate(parts, 1)]


def _resource(one: Existing, maker: Mapping[str, str]) -> dict[str, Any]:
    return {
        "Type": one.type,
        "Metadata": {"trailguard": {"arn": one.arn, **maker, **one.notes}},
        "Properties": one.properties,
    }


def _head(account: str, region: str, number: int, total: int) -> str:
    where = "an account that is not known" if account == ELSEWHERE else f"account {account}"
    where += "" if region == GLOBAL else f", {region}"
    return (
        as_yaml(
            {
                "AWSTemplateFormatVersion": "2010-09-09",
                "Description": f"What exists in {where}, written by trailguard snapshot (part {number} of {total})",
                "Metadata": {"trailguard": {"existing": {"account": account, "region": region}}},
            }
        )
        + "Resources:\n"
    )


def _indented(text: str) -> str:
    return "".join(f"  {line}" for line in text.splitlines(keepends=True))


def as_yaml(value: Any) -> str:
    """A value as YAML in which no text can be taken for a number, a date or a word of YAML, and no line is broken."""
    import yaml

    class Dumper(getattr(yaml, "CSafeDumper", yaml.SafeDumper)):  # type: ignore[misc]
        def ignore_aliases(self, _: Any) -> bool:
            return True

    def text(dumper: Any, value: str) -> Any:
        is_word = _WORD.fullmatch(value) and dumper.resolve(yaml.ScalarNode, value, (True, False)) == _TEXT
        return dumper.represent_scalar(_TEXT, value, style=None if is_word else '"')

    Dumper.add_representer(str, text)
    found: str = yaml.dump(value, Dumper=Dumper, sort_keys=False, width=2**30, allow_unicode=True)
    return found
