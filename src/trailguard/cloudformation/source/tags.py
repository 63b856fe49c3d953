"""The tags of YAML documents: CloudFormation's short forms, the standard ones, and those that nobody knows."""

from __future__ import annotations

import re

from trailguard.cloudformation.source.nodes import cut
from trailguard.errors import nearest

LOOP = "Fn::ForEach::"  # a loop, followed by its name
STANDARD = "tag:yaml.org,2002:"
_MOST_HINTS = 20  # looking for the nearest name costs, and a file with hundreds of unknown tags is not a template

# "!Ref" -> "Ref", "!Sub" -> "Fn::Sub"
SHORT_FORMS = {"!Ref": "Ref", "!Condition": "Condition"}
for _name in (
    "And", "Base64", "Cidr", "Contains", "EachMemberEquals", "EachMemberIn", "Equals", "FindInMap", "GetAtt", "GetAZs",
    "GetStackOutput", "If", "ImportValue", "Join", "Length", "Not", "Or", "RefAll", "Select", "Split", "Sub",
    "ToJsonString", "Transform", "ValueOf", "ValueOfAll",
):  # fmt: skip
    SHORT_FORMS[f"!{_name}"] = f"Fn::{_name}"

# Standard tags by the kind of node that they may stand on; the others that YAML 1.1 knows make no sense in a template.
TEXT_TAGS = frozenset({"!", f"{STANDARD}str"})
VALUE_TAGS = frozenset(f"{STANDARD}{name}" for name in ("bool", "float", "int", "null"))
MAPPING_TAGS = frozenset({"!", f"{STANDARD}map"})
SEQUENCE_TAGS = frozenset({"!", f"{STANDARD}seq"})


# What tells a template of org-formation, which has tags of its own, such as `!Include` and `!ReadFile`.
# Source: https://github.com/org-formation/org-formation-cli/blob/master/docs/cloudformation-resources.md
_ORG_FORMATION = re.compile(
    r"""^(?:AWSTemplateFormatVersion\s*:\s*["']?2010-09-09-OC\b|(?:Default)?Organization(?:Bindings?)?\s*:)""",
    re.MULTILINE,
)


def is_of_org_formation(text: str) -> bool:
    """Tell whether a document is a template of org-formation."""
    return _ORG_FORMATION.search(text) is not None


def problem(tag: str, written: str, seen: int, is_extended: bool = False) -> str | None:
    """Say what is wrong with a tag that is none of the above; None when a preprocessor will replace it.

    `tag` is what it means, `written` its text in the document, `seen` how many unknown tags came before. `is_extended`
    tells that the document is one of a preprocessor that has tags of its own.
    """
    if tag.startswith(STANDARD):
        return f"the tag {cut(written)} cannot be used here"
    if "::" in tag:  # !Rain::Module and the like
        return None
    hint = nearest(written[:40], SHORT_FORMS, 0.7) if seen < _MOST_HINTS else None
    if is_extended and hint is None:
        return None
    return f"unknown tag {cut(written)}" + (f'; did you mean "{hint}"?' if hint else "")
