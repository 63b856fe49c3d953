"""What several formats need, below all of them: links, file names, levels, and text that is safe in JSON."""

from __future__ import annotations

import os
import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from trailguard.findings import Finding, Report, Threshold

# Texts, which `re` makes patterns of when they are first used: compiling takes longer than most uses.
_SURROGATE = "[\ud800-\udfff]"
_STEERING = "[\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]"
LEVELS = {"critical": "error", "high": "error", "medium": "warning", "low": "note", "info": "note"}


def open_findings(report: Report) -> list[Finding]:
    """List what asks for attention: fail, conditional and unknown, unless suppressed."""
    return [finding for finding in report.results if finding.is_open]


def level(finding: Finding, threshold: Threshold) -> str:
    """Give the level that other tools know: an error is what makes the exit status 1, the rest is a warning."""
    return "error" if threshold.counts(finding) else "warning"


def link(references: Iterable[str]) -> str | None:
    """Pick the first reference that is a web address."""
    return next((item for item in references if item.startswith(("https://", "http://"))), None)


def assignments(witness: Mapping[str, str]) -> str:
    """Write parameter values as people read them: `A = 1, B = "x y"`."""
    return ", ".join(f"{key} = {_quoted(value)}" for key, value in witness.items())


def _quoted(value: str) -> str:
    return f'"{value}"' if not value or value != value.strip() or any(char in value for char in ' ,="') else value


def from_root(file: str, root: str, cwd: str) -> str:
    """Name a file from the repository's root, with "/"; a file outside of it keeps its absolute name."""
    if file.startswith("<"):  # standard input without a name
        return file
    absolute, base = _real(os.path.join(cwd, file)), _real(root)
    inside = absolute == base or absolute.startswith(base.rstrip(os.sep) + os.sep)
    return (os.path.relpath(absolute, base) if inside else absolute).replace(os.sep, "/")


def _real(path: str) -> str:
    """Follow symbolic links, as far as the name can be one of a file at all."""
    try:
        return os.path.realpath(path)
    except ValueError:
        return os.path.normpath(path)


def readable(text: str) -> str:
    r"""Spell out halves of surrogate pairs (`\udc80`), which no encoding and few JSON readers accept."""
    return re.sub(_SURROGATE, lambda match: f"\\u{ord(match[0]):04x}", text)


def json_safe(text: str) -> str:
    """Do the same inside JSON text, and write what could steer a terminal as JSON escapes, which lose nothing."""
    return re.sub(_STEERING, lambda match: f"\\u{ord(match[0]):04x}", re.sub(_SURROGATE, _spelled, text))


def _spelled(match: re.Match[str]) -> str:
    return f"\\\\u{ord(match[0]):04x}"  # in JSON, the backslash itself is escaped


def circumstances(item: Finding) -> list[tuple[str, str]]:
    """Where a finding's subject is, and in which deployments: labels and texts."""
    told = []
    if item.subject_file:
        told.append(("about", f"{item.resource} in {item.subject_file}"))
    if item.contexts:
        told.append(("in", "; ".join(item.contexts)))
    if item.construct:
        told.append(("made by", item.construct))
    return told


def remarks(item: Finding) -> list[str]:
    """When a finding holds, where its subject is, and why nothing more is known of it."""
    when = [f"when {assignments(item.witness)}"] if item.witness else []
    because = [f"because {item.reason.rstrip('.')}"] if item.reason else []
    return [*when, *(f"{label} {text}" for label, text in circumstances(item)), *because]


def sentences(item: Finding) -> list[str]:
    """The same, each with a capital letter and a full stop."""
    return [f"{text[:1].upper()}{text[1:]}." for text in remarks(item)]
