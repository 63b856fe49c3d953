"""Examples are about a rule as it is written, whatever a repository asks of its own templates."""

from __future__ import annotations

import pytest

from tests import ROOT
from trailguard.findings import Severity
from trailguard.judging import ruletests  # whole: the names in it begin with test
from trailguard.settings.settings import Context, Settings, Waiver

(RETENTION,) = (ROOT / "rules").glob("TG305-*")
(REGIONS,) = (ROOT / "rules").glob("TG101-*")
LEAST: Severity = "critical"


@pytest.mark.parametrize(
    "settings",
    [
        Settings(),
        Settings(options={"TG305": {"days": 3000}}),
        Settings(parameters={"Days": "1", "MultiRegion": "false", "Multi": "false"}),
        Settings(contexts=(Context("odd", ("**",), {"Days": "1", "MultiRegion": "false", "Multi": "false"}),)),
        Settings(min_severity=LEAST, ignore=("TG305", "TG101")),
        Settings(waivers=tuple(Waiver(rule, "**", "", "all of it", "9999-12-31") for rule in ("TG101", "TG305"))),
    ],
    ids=("nothing", "option", "parameters", "context", "severity", "waivers"),
)
def test_a_repository_s_settings_do_not_matter(settings: Settings) -> None:
    for folder in (RETENTION, REGIONS):
        report = ruletests.test_rules(str(folder), settings)
        assert report.errors == ()
        assert len(report.cases) > 2
        assert [(case.file, case.explanation) for case in report.cases if not case.ok] == []
