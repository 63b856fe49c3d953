"""Judges templates by themselves, each in the deployments that the configuration names.

Whatever goes wrong with a template is an error of its file alone and never hides what is found in others.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence

from trailguard.cloudformation.source.nodes import SourceError
from trailguard.cloudformation.source.reading import parse
from trailguard.cloudformation.stacks.renaming import bare
from trailguard.cloudformation.template.strays import as_template
from trailguard.cloudformation.template.template import Template, expands, looks_like_template
from trailguard.findings import Chain, FileError, Finding, Notice, Timing
from trailguard.judging.defaults import refused_defaults
from trailguard.judging.deployments import Deployment, deployments
from trailguard.judging.results import FileResult, Task, Text, Verdicts, lines_of, results_of
from trailguard.judging.spreading import spread
from trailguard.judging.subjects import JudgedTemplate, Subject
from trailguard.judging.unmade import is_unmade
from trailguard.reading.collected import File
from trailguard.reading.faults import internal, unfinished
from trailguard.rulebook.rule import Rule

TYPE_CHECKING = False
if TYPE_CHECKING:
    from trailguard.judging.offers import Offer

_PART = "it has no section Resources: its resources are judged as those of a template by itself"
_SEEN = {
    "any": "judged for any item: its collection is not known",
    "default": "judged for the default of its collection",
    "one": "not judged: it is written at deployment",
    "none": "not judged: it is expanded at deployment",
}


def judge_files(files: Sequence[File], task: Task, jobs: int = 1) -> Iterator[FileResult]:
    """Judge files by themselves, in as many processes as `jobs` says; gives one result for each, in their order."""
    return spread(lambda file: judge_file(file.name, file.data, task), files, jobs, _lost)


def _lost(file: File, how: str) -> FileResult:
    """What is said of a file that nobody could judge, because the process that did so `ended` somehow."""
    return FileResult(errors=(unfinished(file.name, how),), is_template=True)


def judge_file(file: str, data: bytes, task: Task) -> FileResult:
    """Judge a file by itself. Never raises: whatever goes wrong with it is an error of that file alone."""
    try:
        document = parse(data)
        is_template = looks_like_template(document.root)
        whole = document if is_template else as_template(document, task.kinds())
        if whole is None:
            return FileResult(ignored="it is not a CloudFormation template")
        template = Template(whole)
        verdicts = [_judge_in(file, template, place, task) for place in deployments(file, task.settings)]
        verdicts += [] if whole is document else [Verdicts(notices=[Notice(file, 0, _PART)])]
        return results_of({file: Text(template, document.text)}, verdicts, task)[file]
    except SourceError as error:
        place = FileError(file, error.line, error.column, error.message)
        return FileResult(errors=(place,), lines=lines_of(data.decode("utf-8", "replace")), is_template=True)
    except Exception as error:
        return FileResult(errors=(internal(file, error),), is_template=True)


def _judge_in(file: str, template: Template, place: Deployment, task: Task) -> Verdicts:
    """Judge a template in one deployment: its loops run over the parameters that are known there."""
    document = template.document
    pinned = Template(document, place.pins.parameters) if place.pins.parameters and expands(document) else template
    return judge(JudgedTemplate(file, pinned, place.pins, context=place.name), task)


def judge(judged: JudgedTemplate, task: Task) -> Verdicts:
    """Ask all rules about all their subjects; with the delivery chains, if these are wanted."""
    errors = _refused(judged)
    if errors:
        return Verdicts(errors=errors, notices=_unjudged(judged))
    rules = task.rulebook.selected
    findings: list[Finding] = []
    subjects: set[tuple[str, str]] = set()
    timings: list[Timing] = []
    offers: list[Offer] = []
    offering = _offering(judged) if task.repairs else None
    for rule in rules:
        started = time.process_time() if task.timed else 0.0
        for subject in judged.subjects(rule.subject):
            task.heed()
            subjects.add(judged.name_of(subject.resource))
            finding = judged.finding(rule, subject)
            findings.append(finding)
            if offering is not None:
                offers.extend(offering(rule, subject, finding))
        if task.timed:
            timings.append(Timing(judged.file, rule.id, time.process_time() - started))
    notices = [*_unjudged(judged), *refused_defaults(judged, is_judged=not any(map(is_unmade, findings)))]
    return Verdicts(findings, errors, frozenset(subjects), notices, _chains(judged, task), timings, offers)


def _offering(judged: JudgedTemplate) -> Callable[[Rule, Subject, Finding], Iterator[Offer]]:
    """What gives the repairs that a finding may have."""
    from trailguard.judging.offers import offers_for  # late: a scan that only judges needs none
    from trailguard.judging.sharing import Sharing

    sharing = Sharing(judged)
    return lambda rule, subject, finding: offers_for(judged, rule, subject, finding, sharing)


def _chains(judged: JudgedTemplate, task: Task) -> Sequence[Chain]:
    """The delivery chains of the trails, if these are wanted."""
    if not task.evidence:
        return ()
    from trailguard.judging.chains import chains_of

    return list(chains_of(judged, task.rulebook.selected))


def _refused(judged: JudgedTemplate) -> list[FileError]:
    """The values that somebody fixed for parameters which do not accept them."""
    found = []
    for name in judged.model.refused_pins():
        node = judged.template.parameters[name].node
        file, shown = judged.place_of(node), bare(name)
        message = f"parameter {shown} does not accept the value {judged.model.fixed[name]!r} that was given for it"
        found.append(FileError(file, node.line, node.column, message))
    return found


def _unjudged(judged: JudgedTemplate) -> list[Notice]:
    """What makes resources that cannot be seen in a template as it stands."""
    found = []
    for name, maker in judged.template.generators.items():
        text = f"the resources that {bare(name)} makes are {_SEEN[maker.seen]}"
        found.append(Notice(judged.place_of(maker.key), maker.key.line, text))
    return found
