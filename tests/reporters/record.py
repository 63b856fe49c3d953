"""Writes the golden texts anew: `python -m tests.reporters.record`. Read the diff afterwards."""

from __future__ import annotations

import os

from tests.reporters.test_reporters import FORMATS, GOLDEN, recorded

if __name__ == "__main__":
    os.makedirs(GOLDEN, exist_ok=True)
    for name, render in FORMATS.items():
        with open(os.path.join(GOLDEN, name), "w", encoding="utf-8", newline="") as stream:
            stream.write(render(recorded(name)))
