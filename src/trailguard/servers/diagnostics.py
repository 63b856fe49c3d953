"""What a report says of a file, as an editor shows it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

from lsprotocol import types as lsp

from trailguard.findings import Chain, FileError, Finding, Notice, Report, Span, Threshold
from trailguard.reporters import json_report
from trailguard.reporters.common import link, readable, sentences
from trailguard.servers.positions import Lines

SOURCE = "trailguard"
_MILD = ("low", "info")


class Told(NamedTuple):
    """What there is to tell in a file: findings whose place is there, errors, notices, the chains of its trails."""

    findings: tuple[Finding, ...] = ()
    errors: tuple[FileError, ...] = ()
    notices: tuple[Notice, ...] = ()
    chains: tuple[Chain, ...] = ()


def by_file(report: Report) -> dict[str, Told]:
    """What a report tells of each file, by its name."""
    named = [item.place.file for item in report.results if item.is_open or item.suppressed]
    named += [item.file for part in (report.errors, report.notices) for item in part]
    named += [chain.parts[0].file for chain in report.chains]
    found: dict[str, tuple[list[Finding], list[FileError], list[Notice], list[Chain]]] = {
        name: ([], [], [], []) for name in dict.fromkeys(named)
    }
    for finding in report.results:
        if finding.place.file in found:
            found[finding.place.file][0].append(finding)
    for error in report.errors:
        found[error.file][1].append(error)
    for notice in report.notices:
        found[notice.file][2].append(notice)
    for chain in report.chains:
        found[chain.parts[0].file][3].append(chain)
    return {name: Told(*map(tuple, lists)) for name, lists in found.items()}  # type: ignore[arg-type]


class Where(NamedTuple):
    """How files become addresses, and places in them positions: both by the name of the file in reports."""

    uri: Callable[[str], str]
    lines: Callable[[str], Lines]


def diagnostics(told: Told, where: Where, lines: Lines, threshold: Threshold) -> list[lsp.Diagnostic]:
    """Everything that asks for attention in a file."""
    found = [_of_finding(one, where, lines, threshold) for one in told.findings if one.is_open]
    found += [_of_error(one, lines) for one in told.errors]
    found += [_of_notice(one, lines) for one in told.notices]
    return found


def severity(finding: Finding, threshold: Threshold) -> lsp.DiagnosticSeverity:
    """An error is what makes `trailguard scan` end with 1; the rest is a warning, or information where it is mild."""
    if threshold.counts(finding):
        return lsp.DiagnosticSeverity.Error
    mild = finding.rule.severity in _MILD
    return lsp.DiagnosticSeverity.Information if mild else lsp.DiagnosticSeverity.Warning


def message(finding: Finding) -> str:
    """What was found, and when that is so."""
    return readable("\n".join((finding.message or finding.rule.title, *sentences(finding))))


def _of_finding(finding: Finding, where: Where, lines: Lines, threshold: Threshold) -> lsp.Diagnostic:
    page = link(finding.rule.references)
    return lsp.Diagnostic(
        range=lines.range(finding.place.span),
        message=message(finding),
        severity=severity(finding, threshold),
        code=finding.rule.id,
        code_description=lsp.CodeDescription(page) if page else None,
        source=SOURCE,
        related_information=list(_related(finding, where)) or None,
        data=json_report.result(finding._replace(fix=None)),
    )


def _related(finding: Finding, where: Where) -> Iterable[lsp.DiagnosticRelatedInformation]:
    for place in finding.related:
        location = lsp.Location(where.uri(place.file), where.lines(place.file).range(place.span))
        yield lsp.DiagnosticRelatedInformation(location, readable(place.message))


def _of_error(error: FileError, lines: Lines) -> lsp.Diagnostic:
    span = Span(error.line, error.column, error.line, error.column + 1)
    area = lines.range(span) if error.line and error.column else lines.line(error.line)
    return lsp.Diagnostic(area, readable(error.message), lsp.DiagnosticSeverity.Error, source=SOURCE)


def _of_notice(notice: Notice, lines: Lines) -> lsp.Diagnostic:
    area = lines.line(notice.line)
    return lsp.Diagnostic(area, readable(notice.message), lsp.DiagnosticSeverity.Information, source=SOURCE)
