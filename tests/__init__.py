"""The tests: folders mirror `src/trailguard`; what is about the whole project stands at the top."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
