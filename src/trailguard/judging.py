"""Judges templates: one file by itself, or those that belong together.

Whatever goes wrong with a template is an error of its file alone and never hides what is found in others.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from trailguard.chains import chains_of
from trailguard.cloudformation.renaming import bare
from trailguard.cloudformation.source import Mapping as MappingNode
from trailguard.cloudformation.source import SourceError, parse
from trailguard.cloudformation.template import Template, expands, looks_like_template
from trailguard.cloudformation.world import Member, Unit
from trailguard.config import Settings
from trailguard.contexts import Deployment, deployment, deployments, is_in, merged, usual
from trailguard.findings import NOT_APPLICABLE, PASS, Chain, FileError, Finding, Notice
from trailguard.judged import JudgedTemplate
from trailguard.loading import Loader
from trailguard.rulebook import Rulebook
from trailguard.suppression import Suppressions, suppress

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
    errors = {
        FileError(file, item.line, item.column, item.message)
        for file, (template, _) in files.items()
        for item in (template.problems if template is not None else ())
    }
    errors.update(error for one in verdicts for error in one.errors)
    subjects = {subject for one in verdicts for subject in one.subjects}
    written = {
        file: Suppressions(file, template, text, rulebook.known(), today()) for file, (template, text) in files.items()
    }
    findings = suppress(merged(item for one in verdicts for item in one.findings), written, settings, today())
    by_file: dict[str, list[Finding]] = {}
    for item in findings:
        by_file.setdefault(item.file, []).append(item)
    chains: dict[str, list[Chain]] = {}
    for chain in (chain for one in verdicts for chain in one.chains):
        chains.setdefault(chain.parts[0].file, []).append(chain)
    notices: dict[str, set[Notice]] = {}
    for notice in (notice for one in verdicts for notice in one.notices):
        notices.setdefault(notice.file, set()).add(notice)
    counts = Counter(file for file, _ in subjects)
    shown = {error.file for error in errors}
    for item in findings:
        if item.verdict not in (PASS, NOT_APPLICABLE):
            shown.update((item.file, *(place.file for place in item.related)))
    return {
        file: FileResult(
            findings=tuple(by_file.get(file, ())),
            errors=tuple(error for error in errors if error.file == file),
            notices=(*written[file].notices(), *notices.get(file, ())),
            lines=_lines(text) if file in shown else (),
            is_template=template is not None,
            subjects=counts[file],
            chains=tuple(chains.get(file, ())),
        )
        for file, (template, text) in files.items()
    }


def today() -> str:
    """The date, as an ISO date."""
    return time.strftime("%Y-%m-%d")


def _lines(text: str) -> tuple[str, ...]:
    """The lines of a file as editors count them."""
    return tuple(text.replace("\r\n", "\n").replace("\r", "\n").split("\n"))


def _unjudged(judged: JudgedTemplate) -> list[Notice]:
    """What makes resources that cannot be seen in a template as it stands."""
    section = judged.template.root.values.get("Resources")
    left = section.values if isinstance(section, MappingNode) else {}
    told = {True: "are not judged: it is expanded at deployment", False: "are judged for the default of its collection"}
    found = []
    for name, key in judged.template.generators.items():
        stack = judged.stacks.stack_of(name)
        text = f"the resources that {bare(name)} makes {told[name in left]}"
        found.append(Notice(stack.file if stack is not None else judged.file, key.line, text))
    return found


# --- templates that belong together -------------------------------------------------------------------------------


def judge_together(
    loader: Loader, settings: Settings, rulebook: Rulebook, chains: bool, focus: set[str] | None = None
) -> dict[str, FileResult]:
    """Judge the templates that a loader found to belong together, in every context; gives results by file.

    With a `focus`, only those are judged that belong together with one of its files.
    """
    told: list[Verdicts] = []
    notices: set[Notice] = set()
    for place, members, wanted in _worlds(loader, settings):
        world = loader.world(members, place.pins)
        notices.update(Notice(item.file, item.node.line, item.text) for item in world.remarks)
        units = [unit for unit in world.units if not wanted.isdisjoint(unit.files)]
        if focus is not None:
            units = [unit for unit in units if not focus.isdisjoint(unit.files)]
            near = {file for unit in units for file in unit.files} | focus
            notices = {notice for notice in notices if notice.file in near}
        told.extend(_judge_unit(unit, place, rulebook, chains) for unit in units)
    constructs = loader.constructs()
    if constructs:
        told = [one._replace(findings=[_with_construct(item, constructs) for item in one.findings]) for one in told]
    heard = {file for one in told for file, _ in one.subjects} | {notice.file for notice in notices}
    heard |= {file for one in told for item in one.findings for file in (item.file, *_places(item))}
    heard |= {error.file for one in told for error in one.errors} | {item.file for one in told for item in one.notices}
    files = {name: text for name, text in loader.texts().items() if name in heard}
    results = finish(files, told, settings, rulebook)
    own: dict[str, list[Notice]] = {}
    for notice in notices:
        own.setdefault(notice.file, []).append(notice)
    for name in sorted(loader.names() if focus is None else loader.names() & (results.keys() | focus)):
        result = results.get(name) or FileResult(
            is_template=True, ignored="it holds no resource that the rules are about"
        )
        results[name] = result._replace(notices=(*result.notices, *own.get(name, ())))
    return results


def _with_construct(finding: Finding, constructs: Mapping[tuple[str, str], str]) -> Finding:
    """A finding with the CDK construct that its subject was made from, where only the assembly tells it."""
    known = constructs.get((finding.subject_file or finding.file, finding.resource), "")
    return finding if finding.construct else finding._replace(construct=known)


def _places(finding: Finding) -> Iterable[str]:
    return (place.file for place in finding.related)


def _worlds(loader: Loader, settings: Settings) -> Iterable[tuple[Deployment, dict[str, Member], set[str]]]:
    """Each deployment with its members by path, and the files that are judged in it.

    A template that no context names takes part in all of them, and is judged by itself when nothing refers to it there.
    """
    names = {path: loader.name(path) for path in loader.loaded}
    inside = [
        (context, {path for path, name in names.items() if is_in(name, context, settings.root)})
        for context in settings.contexts
    ]
    free = names.keys() - {path for _, paths in inside for path in paths}
    for context, paths in inside:
        if paths:
            place = deployment(context, settings)
            yield place, loader.members(sorted(paths | free), place.pins), {names[path] for path in paths}
    if free:
        place = usual(settings)
        yield place, loader.members(sorted(free), place.pins), {names[path] for path in free}


def _judge_unit(unit: Unit, place: Deployment, rulebook: Rulebook, chains: bool) -> Verdicts:
    file = unit.files[0]
    try:
        return judge(JudgedTemplate(file, unit.template, unit.pins, unit.stacks, place.name), rulebook, chains)
    except Exception as error:
        return Verdicts([], [internal(name, error) for name in unit.files], set(), [], [])
