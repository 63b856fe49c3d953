"""What several formats need, below all of them: links, file names, levels, and text that is safe in JSON."""

from __future__ import annotations

import os
import re
from typing import NamedTuple

from trailguard.findings import CONDITIONAL, FAIL, SEVERITIES, UNKNOWN, VERDICTS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from trailguard.findings import Finding, Fix, Report, Threshold

# Texts, which `re` makes patterns of when they are first used: compiling takes longer than most uses.
_SURROGATE = "[\ud800-\udfff]"
_STEERING = "[\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]"
HOME = "https://git.example.com/trailguard"  # as in pyproject.toml
LEVELS = {"critical": "error", "high": "error", "medium": "warning", "low": "note", "info": "note"}


def open_findings(report: Report) -> list[Finding]:
    """List what asks for attention: fail, conditional and unknown, unless suppressed."""
    return [finding for finding in report.results if finding.is_open]


class Shared(NamedTuple):
    """Findings with the same cause, which people see as one: the worst, and the others."""

    lead: Finding
    others: tuple[Finding, ...]

    @property
    def all(self) -> tuple[Finding, ...]:
        """The worst first."""
        return self.lead, *self.others


def by_cause(report: Report) -> list[Shared]:
    """What asks for attention, one for each cause: our own rules lead, the worst verdict, then the worst severity.

    Deployments that differ are told apart. What has several causes stands with each of them where others have them too.
    """
    groups: dict[object, list[Finding]] = {}
    for item in open_findings(report):
        groups.setdefault((item.contexts, item.cause) if item.cause else id(item), []).append(item)
    for key in [key for key, items in groups.items() if len(items[0].causes) > 1]:
        places = [(groups[key][0].contexts, cause) for cause in groups[key][0].causes]
        if all(place in groups for place in places):
            items = groups.pop(key)
            for place in places:
                groups[place].extend(items)
    return [_shared(sorted(items, key=_worst_first)) for items in groups.values()]


def _shared(items: list[Finding]) -> Shared:
    """What has several causes does not lead: it would tell of all of them."""
    lead, *others = sorted(items, key=lambda item: len(item.causes) > 1) if len(items) > 1 else items
    alike = [item for item in others if item.causes == lead.causes]
    related = dict.fromkeys(place for item in (lead, *alike) for place in item.related)
    return Shared(lead._replace(related=tuple(related)), tuple(others))


def _worst_first(item: Finding) -> tuple[bool, int, int, str, int, str]:
    place = item.place
    return (
        bool(item.rule.tool), VERDICTS.index(item.verdict), severity_rank(item.rule.severity), place.file,
        place.span.line, item.rule.id,
    )  # fmt: skip


def severity_rank(severity: str) -> int:
    """How bad a severity is: 0 for the worst."""
    return SEVERITIES.index(severity) if severity in SEVERITIES else len(SEVERITIES)


def also(shared: Shared) -> str:
    """What else the same cause does: "breaks TG202, TG203; leaves TG204 undecided". Nothing where it does nothing."""
    told: dict[str, dict[str, None]] = {}
    for item in shared.others:
        name = item.rule.id if item.resource == shared.lead.resource else f"{item.rule.id} of {item.resource}"
        when = f" when {assignments(item.witness)}" if item.witness and item.witness != shared.lead.witness else ""
        told.setdefault(item.verdict + when, {})[name] = None
    parts = []
    for verdict, names in told.items():
        kind, _, when = verdict.partition(" ")
        listed = ", ".join(names)
        texts = {FAIL: f"breaks {listed}", CONDITIONAL: f"breaks {listed} {when}".rstrip()}
        parts.append(texts.get(kind, f"leaves {listed} undecided"))
    return "; ".join(parts)


def judged(report: Report) -> list[tuple[str, str]]:
    """How the templates were judged, as pairs of a key and a text; the version and the profile are always there."""
    told = dict((("version", report.version), ("profile", report.profile), *report.how))
    order = ("version", "command", "revision", "date", "profile")
    return sorted(told.items(), key=lambda pair: order.index(pair[0]) if pair[0] in order else len(order))


def unusual(report: Report) -> list[tuple[str, str]]:
    """What has a say in the verdicts beside templates and profile."""
    usual = ("command", "profile", "configuration")
    return [(key, told) for key, told in report.how if key not in usual]


def remedy(item: Finding) -> str:
    """What to do, in one line. Nothing for what is unknown: nobody saw a fault, and the reason says what settles it."""
    return "" if item.verdict == UNKNOWN else " ".join(item.rule.remedy.split())


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


def name_bytes(name: str) -> bytes:
    """Give the bytes of a file name, which need not be UTF-8."""
    try:
        return name.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return readable(name).encode()


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
    if item.deployed:
        told.append(("as", f"deployed as {', '.join(item.deployed)}"))
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


_SHOWN = 20  # lines of a suggested fix


def suggestion(findings: Iterable[Finding], sources: Mapping[str, Sequence[str]]) -> list[str]:
    """The fix of the first of some findings that has one, in lines: what it does, then the lines that it changes."""
    fix = next((one.fix for one in findings if one.fix is not None), None)
    if fix is None:
        return []
    warning = f" (review it first: {fix.unsafe})" if fix.unsafe else ""
    lines = [line for file in dict.fromkeys(edit.file for edit in fix.edits) for line in _changed(fix, file, sources)]
    cut = [*lines[:_SHOWN], "…"] if len(lines) > _SHOWN else lines
    return [f"Suggested fix: {fix.title}{warning}", *cut]


def _changed(fix: Fix, file: str, sources: Mapping[str, Sequence[str]]) -> Iterator[str]:
    """The lines of a file that a fix changes, before and after, one edit after the other."""
    known = sources.get(file, ())
    for edit in fix.edits:
        first, column, last, end = edit.span
        if edit.file == file and last <= len(known):
            after = known[first - 1][: column - 1] + edit.text + known[last - 1][end - 1 :]
            yield from lines_between(list(known[first - 1 : last]), after.split("\n"))


def lines_between(old: list[str], new: list[str]) -> Iterator[str]:
    """The lines that differ, the old ones behind a minus and the new ones behind a plus."""
    same = 0
    while same < min(len(old), len(new)) and old[same] == new[same]:
        same += 1
    tail = 0
    while tail < min(len(old), len(new)) - same and old[-1 - tail] == new[-1 - tail]:
        tail += 1
    yield from (f"- {line}" for line in old[same : len(old) - tail])
    yield from (f"+ {line.rstrip(chr(13))}" for line in new[same : len(new) - tail])
