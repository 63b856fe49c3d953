"""`trailguard path`: the parts of the package that other programs are pointed to, and where they are."""

from __future__ import annotations

import os

# From the folder of the package. What a user types stays as it is when files move.
PARTS = {
    "cfn-lint": "hosts/cfn_lint_rules",
    "checkov": "hosts/checkov_checks",
    "config-schema": "schemas/config.schema.json",
    "report-schema": "schemas/report.schema.json",
    "rule-schema": "schemas/rule.schema.json",
}


def path_of(part: str) -> str:
    """The absolute path of a part."""
    package = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    return os.path.join(package, *PARTS[part].split("/"))
