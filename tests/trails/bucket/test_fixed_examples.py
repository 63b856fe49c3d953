"""Every example in which a rule about the log bucket fails: fixed, and then passing, or left with its reason."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import ROOT
from tests.trails.bucket.fixing import LEFT, SAFE, UNSAFE, fixed

RULES = (
    "TG105", "TG201", "TG202", "TG203", "TG204", "TG205", "TG206", "TG301", "TG302", "TG303", "TG305", "TG307", "TG308",
    "TG310",
)  # fmt: skip

# What no program can decide, and why.
_TWO = "which statements of two policies shall stay, somebody has to say"
LEFT_TO_PEOPLE = {
    "TG201/second-policy-by-parameter.yaml": _TWO,
    "TG201/two-policies-by-name-and-by-ref.yaml": _TWO,
    "TG201/two-policies.yaml": _TWO,
    "TG201/policy-moves-to-another-bucket.yaml": "the other bucket would be left without its policy",
    "TG204/deny-the-service.yaml": "a Deny names CloudTrail itself: somebody meant it",
    "TG204/plain.yaml": "a Deny of everything to everybody also denies plain HTTP, and what is left of that is not known",
    "TG305/imported-and-short.yaml": "the days of another rule come from a stack that is not among the scanned files",
}

# Versions and files that are kept longer cost storage.
COSTLY = ("TG303", "TG305")

# What a parameter or a condition decides now, and what others are granted.
_POLICY = "a condition decides whether there is a policy"
_PARAMETER = "a parameter decides"
_GRANTED = "somebody else is let in now"
TO_BE_LOOKED_AT = {
    "TG105/everybody-unguarded.yaml": _GRANTED,
    "TG201/no-policy-for-one-environment.yaml": _POLICY,
    "TG201/policy-condition-false-by-default.yaml": _POLICY,
    "TG201/policy-condition-true-by-default.yaml": _POLICY,
    "TG201/policy-in-one-region-only.yaml": _POLICY,
    "TG201/policy-on-the-name-by-one-suffix.yaml": _PARAMETER,
    "TG203/acl-by-parameter.yaml": _PARAMETER,
    "TG203/policy-condition-false-by-default.yaml": _POLICY,
    **{
        f"TG301/{name}.yaml": _GRANTED
        for name in (
            "acl-by-mapping", "acl-free-parameter", "acl-in-development", "all-but-one-network", "authenticated-read",
            "central-bucket-for-everybody", "everybody-in-a-list", "everybody", "not-principal", "optional-policy",
            "plain", "principal-parameter", "whole-internet",
        )
    },
    "TG301/setting-by-parameter.yaml": _PARAMETER,
    "TG302/free-parameter.yaml": _PARAMETER,
    "TG302/imported-and-off.yaml": "another stack decides",
    "TG307/parameter-of-language-extensions.yaml": _PARAMETER,
    "TG308/optional-policy.yaml": _POLICY,
}  # fmt: skip


def _expected(rule: str, example: str) -> str:
    name = f"{rule}/{example}"
    if name in LEFT_TO_PEOPLE:
        return LEFT
    return UNSAFE if name in TO_BE_LOOKED_AT or rule in COSTLY else SAFE


def _examples(rule: str) -> Iterator[Path]:
    (folder,) = (ROOT / "rules").glob(f"{rule}-*")
    return iter(sorted((folder / "fail").iterdir()))


@pytest.mark.slow
@pytest.mark.parametrize("rule", RULES)
def test_every_failing_example_is_fixed_once_and_for_all_or_left_with_a_reason(rule: str, tmp_path: Path) -> None:
    found: dict[str, set[str]] = {}
    for path in _examples(rule):
        result = fixed([str(path)], rule)
        if not result.standing:
            continue
        found[path.name] = set(result.standing.values())
        for text in result.texts.values():
            again = tmp_path / path.name
            again.write_text(text, encoding="utf-8")
            assert not fixed([str(again)], rule).texts, path.name
    assert found == {example: {_expected(rule, example)} for example in found}
    known = {name.partition("/")[2] for name in (*LEFT_TO_PEOPLE, *TO_BE_LOOKED_AT) if name.startswith(rule)}
    assert known <= found.keys()
