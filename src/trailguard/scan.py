"""The pipeline: discover, read, resolve, judge, report. This is also the Python API.

>>> from trailguard.config import Settings
>>> from trailguard.scan import scan
>>> report = scan(["templates"], Settings())
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from trailguard import __version__
from trailguard.cloudformation.source import Document, SourceError, parse
from trailguard.cloudformation.template import Template, looks_like_template
from trailguard.config import Settings
from trailguard.discovery import TEMPLATE, Candidate, Unreadable, discover, display_name, read
from trailguard.findings import (
    NOT_APPLICABLE,
    PASS,
    FileError,
    Finding,
    Notice,
    Report,
    RuleInfo,
)
from trailguard.judged import JudgedTemplate
from trailguard.rule_reader import Rule
from trailguard.rulebook import Rulebook, load
from trailguard.suppression import suppress, waiver_notices
from trailguard.trails import catalog


class FileResult(NamedTuple):
    """What judging one file gave."""

    findings: tuple[Finding, ...] = ()
    errors: tuple[FileError, ...] = ()
    notices: tuple[Notice, ...] = ()
    lines: tuple[str, ...] = ()
    is_template: bool = False
    subjects: int = 0
    ignored: str | None = None


def scan(
    paths: Sequence[str],
    settings: Settings,
    *,
    stdin: bytes | None = None,
    stdin_filename: str = "<stdin>",
    jobs: int = 1,
) -> Report:
    """Judge files and folders; `-` among the paths stands for the template in `stdin`.

    Raises RuleError when a rule or profile cannot be used. What is wrong with a template is part of the report.
    """
    rulebook = load(settings)
    work, errors, ignored, looked_at, templates = _collect(paths, settings, rulebook, stdin, stdin_filename)
    results = _judge_all(work, settings, rulebook, jobs)
    findings: list[Finding] = []
    notices: list[Notice] = []
    sources: dict[str, tuple[str, ...]] = {}
    subjects = 0
    for (file, _, _), result in zip(work, results, strict=True):
        findings.extend(result.findings)
        errors.extend(result.errors)
        notices.extend(result.notices)
        subjects += result.subjects
        templates += result.is_template
        if result.lines:
            sources[file] = result.lines
        if result.ignored is not None:
            ignored.append((file, result.ignored))
    if settings.waivers:
        notices.extend(waiver_notices(findings, settings, _today(), rulebook.known()))
    return Report(
        version=__version__,
        profile=settings.profile,
        rules=tuple(_rule_info(rule) for rule in rulebook.selected),
        results=tuple(sorted(findings, key=_order)),
        errors=tuple(sorted(set(errors))),
        notices=tuple(sorted(notices)),
        sources=sources,
        files=looked_at,
        templates=templates,
        subjects=subjects,
        ignored=tuple(sorted(ignored)),
    )


Work = tuple[str, bytes, bool]  # file name for the report, bytes, whether the user named it


def _collect(
    paths: Sequence[str], settings: Settings, rulebook: Rulebook, stdin: bytes | None, stdin_filename: str
) -> tuple[list[Work], list[FileError], list[tuple[str, str]], int, int]:
    """Read what must be judged: (work, errors, ignored files, files looked at, templates that need no judging)."""
    markers = _markers(rulebook.selected)
    work: list[Work] = []
    errors: list[FileError] = []
    ignored: list[tuple[str, str]] = []
    looked_at = templates = 0
    if stdin is not None and "-" in paths:
        looked_at += 1
        work.append((stdin_filename, stdin, True))
    others = [path for path in paths if path != "-"]
    for item in discover(others, settings.include, settings.exclude, settings.root) if others else ():
        looked_at += 1
        file = display_name(item.path)
        data = read(item.path, item.explicit, markers) if isinstance(item, Candidate) else item
        if isinstance(data, bytes):
            work.append((file, data, item.explicit if isinstance(item, Candidate) else False))
        elif data == TEMPLATE:
            templates += 1
            ignored.append((file, "it holds no resource that the rules are about"))
        elif not isinstance(data, Unreadable):
            ignored.append((file, "it is no CloudFormation template"))
        else:
            errors.append(FileError(file, 0, 0, data.message))
    return work, errors, ignored, looked_at, templates


def _markers(rules: Iterable[Rule]) -> tuple[bytes, ...]:
    """Bytes without which a file holds no subject of the rules: the services of their resource types."""
    types = {catalog.marking_type(rule.subject) for rule in rules}
    marks = {catalog.MARKS[rule.subject] for rule in rules if rule.subject in catalog.MARKS}
    found = {kind.rpartition("::")[0].encode() + b"::" for kind in types}
    return tuple(sorted(found | marks)) or (b"AWS::CloudTrail::",)


def _order(finding: Finding) -> tuple[object, ...]:
    return (finding.file, finding.span.line, finding.rule, finding.span.column, finding.resource, finding.path)


def _rule_info(rule: Rule) -> RuleInfo:
    return RuleInfo(
        rule.id, rule.name, rule.title, rule.severity, rule.why, rule.remedy, rule.controls, rule.references
    )


def _judge_all(work: list[Work], settings: Settings, rulebook: Rulebook, jobs: int) -> list[FileResult]:
    if jobs <= 1 or len(work) < 2:
        return [judge_file(file, data, explicit, settings, rulebook) for file, data, explicit in work]
    from concurrent.futures import ProcessPoolExecutor
    from functools import partial

    chunk = max(1, len(work) // (jobs * 4))
    with ProcessPoolExecutor(min(jobs, len(work))) as pool:
        return list(pool.map(partial(_judge_work, settings=settings, rulebook=rulebook), work, chunksize=chunk))


def _judge_work(work: Work, settings: Settings, rulebook: Rulebook) -> FileResult:
    file, data, explicit = work
    return judge_file(file, data, explicit, settings, rulebook)


def judge_file(file: str, data: bytes, explicit: bool, settings: Settings, rulebook: Rulebook) -> FileResult:
    """Judge one file. Never raises: whatever goes wrong with it is an error of that file alone."""
    try:
        return _judge_document(file, parse(data), settings, rulebook)
    except SourceError as error:
        place = FileError(file, error.line, error.column, error.message)
        return FileResult(errors=(place,), lines=split_lines(data.decode("utf-8", "replace")), is_template=True)
    except RecursionError:
        return FileResult(
            errors=(FileError(file, 0, 0, "references in the template nest too deeply"),), is_template=True
        )
    except Exception as error:
        if os.environ.get("TRAILGUARD_DEBUG"):
            raise
        message = f"internal error, please report it: {type(error).__name__}: {error}"
        return FileResult(errors=(FileError(file, 0, 0, message),), is_template=True)


def split_lines(text: str) -> tuple[str, ...]:
    """The lines of a file as editors count them."""
    return tuple(text.replace("\r\n", "\n").replace("\r", "\n").split("\n"))


def _judge_document(file: str, document: Document, settings: Settings, rulebook: Rulebook) -> FileResult:
    if not looks_like_template(document.root):
        return FileResult(ignored="it is no CloudFormation template")
    template = Template(document)
    judged = JudgedTemplate(file, template, settings)
    errors = [FileError(file, item.line, item.column, item.message) for item in template.problems]
    for name in judged.model.refused_pins():
        node = template.parameters[name].node
        message = f"parameter {name} does not accept the value {settings.parameters[name]!r} that was given for it"
        errors.append(FileError(file, node.line, node.column, message))
    findings: list[Finding] = []
    subjects: set[str] = set()
    if not errors or not judged.model.refused_pins():
        for rule in rulebook.selected:
            for subject in judged.subjects(rule.subject):
                subjects.add(subject.resource.id)
                findings.append(judged.finding(rule, subject))
    findings, notices = suppress(findings, file, template, document.text, settings, _today(), rulebook.known())
    shown = errors or any(finding.verdict not in (PASS, NOT_APPLICABLE) for finding in findings)
    lines = split_lines(document.text) if shown else ()
    notices.extend(_unjudged(file, template))
    return FileResult(tuple(findings), tuple(errors), tuple(notices), lines, True, len(subjects))


def _today() -> str:
    return time.strftime("%Y-%m-%d")


def _unjudged(file: str, template: Template) -> tuple[Notice, ...]:
    """What makes resources that cannot be seen in the template as it stands."""
    loops = [
        Notice(file, key.line, f"the resources that {name} makes are not judged: it is expanded at deployment")
        for name, key in template.generators.items()
    ]
    inner = [
        Notice(file, resource.key.line, f"the template in the TemplateBody of {resource.id} is not judged")
        for resource in template.of_type("AWS::CloudFormation::StackSet")
        if "TemplateBody" in getattr(resource.attribute("Properties"), "values", ())
    ]
    return (*loops, *inner)
