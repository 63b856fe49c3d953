"""The organization that `bench/organization.py` measures, small: calls grow with accounts, and none is made twice."""

from __future__ import annotations

import json
import subprocess
import tempfile
from pathlib import Path

import pytest
from organization import Organization, Size, interrupted, measured

pytestmark = [pytest.mark.aws, pytest.mark.slow]


def test_calls_are_in_proportion_to_accounts_and_bounded_at_once() -> None:
    (one, _, _, _), (three, most, _, _), (five, _, _, _) = (measured(Size(accounts, 2, 0.02)) for accounts in (1, 3, 5))
    assert five - three == three - one
    assert 4 < most <= 16


def test_an_interruption_goes_on_where_it_was() -> None:
    size = Size(12, 2, 0.02)
    whole = measured(size)[0]
    late = whole * 3 // 4
    first, second = interrupted(size, late)
    assert first >= late
    assert second < late  # what is left, and the parts that were under way: eight of 36 at the most


def test_all_of_it_is_there() -> None:
    with Organization(Size(3, 2, 0.0)) as organization, tempfile.TemporaryDirectory() as folder:
        command, environment = organization.command(folder)
        run = subprocess.run(command, env=environment, check=False, capture_output=True, text=True)
        assert run.returncode == 0, run.stderr
        assert "3 accounts, 6 Regions, " in run.stderr
        record = json.loads((Path(folder) / "snapshot.json").read_text(encoding="utf-8"))
        assert record["refused"] == record["missing"] == []
        assert len(list(Path(folder).glob("*/*/existing-1.yaml"))) == 6
        assert len(list(Path(folder).glob("*/*/stacks/audit.json"))) == 6
