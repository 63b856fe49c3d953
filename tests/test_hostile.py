"""Small inputs that once took minutes end with the right answer. What they take is measured by bench/hostile.py."""

from __future__ import annotations

from pathlib import Path

import pytest
from hostile_inputs import CASES, Case

from trailguard.scanning import scan
from trailguard.settings.settings import load


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_ends_with_the_right_answer(case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, text in case.make(case.small).items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    report = scan(["."], load(".")._replace(select=(case.rule,)))
    refused = {"refused"} if report.errors else set()
    assert refused or {item.verdict for item in report.results} == {case.verdict}
    assert refused == ({"refused"} & {case.verdict})
