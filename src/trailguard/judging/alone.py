"""Judges a file by itself, and makes one result of all that is found out about files.

Whatever goes wrong with a template is an error of its file alone and never hides what is found in others.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import NamedTuple, TypeVar

from trailguard.acceptance.written import Ruling, Suppressions, suppress
from trailguard.cloudformation.source.nodes import MapNode, SourceError
from trailguard.cloudformation.source.reading import parse
from trailguard.cloudformation.stacks.renaming import bare
from trailguard.cloudformation.template.template import Template, expands, looks_like_template
from trailguard.findings import NOT_APPLICABLE, PASS, Chain, FileError, Finding, Notice
from trailguard.judging.chains import chains_of
from trailguard.judging.deployments import Deployment, deployments, merged
from trailguard.judging.subjects import JudgedTemplate
from trailguard.rulebook.shelf import Rulebook
from trailguard.settings.settings import Settings

Item = TypeVar("Item")

IDLE = "it holds no resource that the rules are about"


class FileResult(NamedTuple):
    """What judging one file gave."""

    findings: tuple[Finding, ...] = ()
    errors: tuple[FileError, ...] = ()
    notices: tuple[Notice, ...] = ()
    lines: tuple[str, ...] = ()
    is_template: bool = False
    subjects: int = 0
    ignored: str | None = None
    chains: tuple[Chain, ...] = ()


class Verdicts(NamedTuple):
    """What judging a template, or several together, gave: its subjects by file and logical ID."""

    findings: list[Finding]
    errors: list[FileError]
    subjects: set[tuple[str, str]]
    notices: list[Notice]
    chains: list[Chain]


def judge_file(file: str, data: bytes, settings: Settings, rulebook: Rulebook, chains: bool = False) -> FileResult:
    """Judge a file by itself. Never raises: whatever goes wrong with it is an error of that file alone."""
    lines = _lines(data.decode("utf-8", "replace"))
    try:
        document = parse(data)
        if not looks_like_template(document.root):
            return FileResult(ignored="it is no CloudFormation template")
        template = Template(document)
        told = [
            judge(
                JudgedTemplate(file, pinned_template(template, place), place.pins, context=place.name), rulebook, chains
            )
            for place in deployments(file, settings)
        ]
        return finish({file: (template, document.text)}, told, settings, rulebook)[file]
    except SourceError as error:
        place = FileError(file, error.line, error.column, error.message)
        return FileResult(errors=(place,), lines=lines, is_template=True)
    except Exception as error:
        return FileResult(errors=(internal(file, error),), is_template=True)


def pinned_template(template: Template, place: Deployment) -> Template:
    """The template as it is in a deployment: its loops run over the parameters that are known there."""
    document = template.document
    return Template(document, place.pins.parameters) if place.pins.parameters and expands(document) else template


def internal(file: str, error: Exception) -> FileError:
    """What is told of a bug; in our own tests it is raised."""
    if isinstance(error, RecursionError):
        return FileError(file, 0, 0, "references in the template nest too deeply")
    if os.environ.get("TRAILGUARD_DEBUG"):
        raise error
    return FileError(file, 0, 0, f"internal error, please report it: {type(error).__name__}: {error}")


def judge(judged: JudgedTemplate, rulebook: Rulebook, chains: bool) -> Verdicts:
    """Ask all rules about all their subjects; with the delivery chains, if these are wanted."""
    errors = refused(judged)
    findings: list[Finding] = []
    subjects: set[tuple[str, str]] = set()
    for rule in rulebook.selected if not errors else ():
        for subject in judged.subjects(rule.subject):
            subjects.add(judged.name_of(subject.resource))
            findings.append(judged.finding(rule, subject))
    found = list(chains_of(judged, rulebook.selected)) if chains and not errors else []
    return Verdicts(findings, errors, subjects, _unjudged(judged), found)


def refused(judged: JudgedTemplate) -> list[FileError]:
    """The values that somebody fixed for parameters which do not accept them."""
    found = []
    for name in judged.model.refused_pins():
        node = judged.template.parameters[name].node
        file, shown = judged.place_of(node), bare(name)
        message = f"parameter {shown} does not accept the value {judged.model.fixed[name]!r} that was given for it"
        found.append(FileError(file, node.line, node.column, message))
    return found


def finish(
    files: Mapping[str, tuple[Template | None, str]], told: Iterable[Verdicts], settings: Settings, rulebook: Rulebook
) -> dict[str, FileResult]:
    """One result for each file from all that was found out about them; takes their templates and their texts."""
    verdicts = list(told)
    problems = [
        FileError(file, item.line, item.column, item.message)
        for file, (template, _) in files.items()
        for item in (template.problems if template is not None else ())
    ]
    errors = by_file((error.file, error) for part in (problems, *(one.errors for one in verdicts)) for error in part)
    notices = by_file((notice.file, notice) for one in verdicts for notice in one.notices)
    chains = by_file((chain.parts[0].file, chain) for one in verdicts for chain in one.chains)
    counts = Counter(file for file, _ in {subject for one in verdicts for subject in one.subjects})
    written = {
        file: Suppressions(
            file, template, text, rulebook.known(), today(), _foreign(template, text, settings, rulebook)
        )
        for file, (template, text) in files.items()
    }
    findings = suppress(merged(item for one in verdicts for item in one.findings), written, settings, today())
    found = by_file((item.file, item) for item in findings)
    shown = set(errors)
    for item in findings:
        if item.verdict not in (PASS, NOT_APPLICABLE):
            shown.update((item.file, *(place.file for place in item.related)))
    return {
        file: FileResult(
            findings=tuple(found.get(file, ())),
            errors=tuple(dict.fromkeys(errors.get(file, ()))),
            notices=(*written[file].notices(), *dict.fromkeys(notices.get(file, ()))),
            lines=_lines(text) if file in shown else (),
            is_template=template is not None,
            subjects=counts[file],
            chains=tuple(chains.get(file, ())),
        )
        for file, (template, text) in files.items()
    }


def _foreign(template: Template | None, text: str, settings: Settings, rulebook: Rulebook) -> list[Ruling]:
    """What is suppressed for other linters, if that is accepted."""
    if template is None or not settings.foreign_suppressions:
        return []
    from trailguard.acceptance.other_linters import rulings

    return rulings(template, text, settings.foreign_suppressions, rulebook.selected)


def by_file(items: Iterable[tuple[str, Item]]) -> dict[str, list[Item]]:
    """Things by the files that they belong to."""
    found: dict[str, list[Item]] = {}
    for file, item in items:
        found.setdefault(file, []).append(item)
    return found


def today() -> str:
    """The date, as an ISO date."""
    return time.strftime("%Y-%m-%d")


def _lines(text: str) -> tuple[str, ...]:
    """The lines of a file as editors count them."""
    return tuple(text.replace("\r\n", "\n").replace("\r", "\n").split("\n"))


def _unjudged(judged: JudgedTemplate) -> list[Notice]:
    """What makes resources that cannot be seen in a template as it stands."""
    section = judged.template.root.values.get("Resources")
    left = section.values if isinstance(section, MapNode) else {}
    told = {True: "are not judged: it is expanded at deployment", False: "are judged for the default of its collection"}
    found = []
    for name, key in judged.template.generators.items():
        stack = judged.stacks.stack_of(name)
        text = f"the resources that {bare(name)} makes {told[name in left]}"
        found.append(Notice(stack.file if stack is not None else judged.file, key.line, text))
    return found
