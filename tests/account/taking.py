"""Takes snapshots and reads what they hold."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

from trailguard.commands.cli import main


def taken(folder: Path, *options: str, status: int = 0) -> dict[str, Any]:
    """The record of a snapshot that is taken now."""
    assert main(["snapshot", str(folder), *options]) == status
    return record(folder)


def record(folder: Path) -> dict[str, Any]:
    """The record of a snapshot."""
    told: dict[str, Any] = json.loads((folder / "snapshot.json").read_text(encoding="utf-8"))
    return told


def resources(folder: Path) -> dict[tuple[str, str], dict[str, Any]]:
    """Everything in the templates of a snapshot, by type and ARN, each with the `place` of its file."""
    found = {}
    for path in templates(folder):
        body = yaml.safe_load(path.read_text(encoding="utf-8"))
        for resource in body["Resources"].values():
            resource["place"] = path.parent.relative_to(folder).as_posix()
            key = resource["Type"], resource["Metadata"]["trailguard"]["arn"]
            assert key not in found
            found[key] = resource
    return found


def templates(folder: Path) -> list[Path]:
    """The templates of what exists."""
    return sorted(folder.glob("*/*/existing-*.yaml"))


def files(folder: Path) -> dict[str, bytes]:
    """All files of a snapshot but its record, by their paths."""
    found = {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    del found["snapshot.json"]
    return found


def linted(folder: Path) -> str:
    """What cfn-lint has against the templates of what exists, at error level."""
    command = [sys.executable, "-c", "from cfnlint.runner import main; main()", "--non-zero-exit-code", "error"]
    command += ["--ignore-checks", "W", "I", "--", *map(str, templates(folder))]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    return result.stdout + result.stderr


def unread(value: Any) -> str | None:
    """Why a value could not be read; None for one that was."""
    if isinstance(value, dict) and value.get("Fn::Transform", {}).get("Name") == "TrailguardUnread":
        return str(value["Fn::Transform"]["Parameters"]["Reason"])
    return None
