"""The pipeline: discover, read, resolve, judge, report. This is also the Python API.

>>> from trailguard.config import Settings
>>> from trailguard.scan import scan
>>> report = scan(["templates"], Settings())
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Sequence
from importlib import import_module
from typing import NamedTuple

from trailguard import __version__
from trailguard.cloudformation.model import Model, Pins
from trailguard.cloudformation.resolver import Scenario
from trailguard.cloudformation.scenarios import Scenarios, TooManyScenarios
from trailguard.cloudformation.source import Document, SourceError, parse
from trailguard.cloudformation.template import Resource, Template, looks_like_template
from trailguard.cloudformation.witnesses import default_like
from trailguard.config import Settings
from trailguard.discovery import TEMPLATE, Candidate, Unreadable, discover, read
from trailguard.findings import (
    NOT_APPLICABLE,
    PASS,
    UNKNOWN,
    FileError,
    Finding,
    Notice,
    Related,
    Report,
    RuleInfo,
)
from trailguard.judge import Judgement, judge
from trailguard.places import Places, span_of
from trailguard.rulebook import Requirement, Rule, Rulebook, load
from trailguard.suppression import suppress, waiver_notices
from trailguard.trails import catalog
from trailguard.trails.facts import Fact
from trailguard.trails.returns import RETURNS


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
        notices.extend(waiver_notices(findings, settings, _today(), set(rulebook.rules) | rulebook.names()))
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
    types = {catalog.resource_type(rule.subject) for rule in rules}
    return tuple(sorted({kind.rpartition("::")[0].encode() + b"::" for kind in types})) or (b"AWS::CloudTrail::",)


def display_name(path: str) -> str:
    """A path as reports show it: relative to the working directory where that is possible, with slashes."""
    if os.path.isabs(path):
        here = os.getcwd()
        if path.startswith(here + os.sep):
            path = path[len(here) + 1 :]
    return os.path.normpath(path).replace(os.sep, "/")


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
            for resource in template.of_type(catalog.resource_type(rule.subject)):
                subjects.add(resource.id)
                findings.append(judged.finding(rule, resource))
    findings, notices = suppress(
        findings, file, template, document.text, settings, _today(), set(rulebook.rules) | rulebook.names()
    )
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


class JudgedTemplate:
    """A template with its scenarios, ready to be asked by rules."""

    def __init__(self, file: str, template: Template, settings: Settings) -> None:
        pins = Pins(settings.parameters, settings.region, settings.account_id, settings.partition)
        self.file = file
        self.template = template
        self.model = Model(template, pins, RETURNS)
        self.scenarios = Scenarios(self.model)
        self.places = Places(template)

    def finding(self, rule: Rule, resource: Resource) -> Finding:
        """One rule's verdict on one subject."""
        judgement = judge(rule, self.scenarios, resource, _fact)
        if self.template.macros:
            reason = f"macro {self.template.macros[0]} may rewrite the whole template before it is deployed"
            judgement = judgement._replace(verdict=UNKNOWN, reason=reason, witness={})
        return self._told(rule, resource, judgement)

    def _told(self, rule: Rule, resource: Resource, judgement: Judgement) -> Finding:
        path = self.places.path(judgement.node, resource.id) or ("Resources", resource.id)
        full_path = (*self.template.prefix, *path)
        owner = str(path[1]) if path[0] == "Resources" and len(path) > 1 else resource.id
        related = tuple(Related(self.file, span_of(node), words) for node, words in judgement.related)
        return Finding(
            rule=rule.id,
            name=rule.name,
            title=rule.title,
            severity=rule.severity,
            verdict=judgement.verdict,
            file=self.file,
            subject=rule.subject,
            resource=resource.id,
            path=full_path,
            span=span_of(judgement.node),
            message=_sentence(judgement),
            remedy=rule.remedy,
            controls=rule.controls,
            references=rule.references,
            witness=judgement.witness,
            reason=judgement.reason,
            related=related,
            fingerprint=fingerprint(rule.id, self.file, resource.id, owner, full_path),
        )


def _fact(scenario: Scenario, resource: Resource, requirement: Requirement) -> Fact:
    return catalog.fact_of(scenario, resource, requirement.fact, requirement.wanted)


def _sentence(judgement: Judgement) -> str:
    text = judgement.message
    return text[:1].upper() + text[1:] if text.partition(" ")[0].islower() else text


def fingerprint(rule: str, file: str, resource: str, owner: str, path: tuple[str | int, ...]) -> str:
    """What stays the same about a finding when lines move: 20 hexadecimal digits."""
    text = "\0".join((rule, file, resource, owner, *map(str, path)))
    return _sha256(text.encode("utf-8", "surrogatepass"))[:20]


def _sha256(data: bytes) -> str:
    """SHA-256 from Python's own module where it has one: hashlib loads OpenSSL, which takes 5 ms."""
    for name in ("_sha2", "_sha256", "hashlib"):
        try:
            return str(import_module(name).sha256(data).hexdigest())
        except ImportError:
            continue
    raise ImportError("no module for SHA-256")


def facts(path: str, settings: Settings, stdin: bytes | None = None) -> dict[str, object]:
    """The facts of every subject of a template, each with the scenarios in which it holds: JSON-able.

    Raises OSError when the file cannot be read and SourceError when it is no template.
    """
    if stdin is None:
        with open(path, "rb") as stream:
            stdin = stream.read()
    template = Template(parse(stdin))
    judged = JudgedTemplate(display_name(path), template, settings)
    subjects = []
    for name, kind in catalog.DEFAULT_SUBJECTS.items():
        for resource in template.of_type(kind):
            known = {fact: _told_fact(judged, resource, fact) for fact in catalog.fact_names(name, resource)}
            subjects.append({"subject": name, "resource": resource.id, "line": resource.key.line, "facts": known})
    return {"schema": "trailguard-facts/1", "file": judged.file, "subjects": subjects}


def _told_fact(judged: JudgedTemplate, resource: Resource, name: str) -> list[dict[str, object]]:
    """A fact's values: one entry for each way in which parameters decide it, the default-like ones first."""

    def question(scenario: Scenario) -> Fact | None:
        return catalog.fact_of(scenario, resource, name) if scenario.active(resource) else None

    try:
        leaves = [leaf for leaf in judged.scenarios.explore(question) if leaf.answer is not None]
    except TooManyScenarios:
        return [{"value": None, "unknown": "it hinges on too many combinations of parameter values"}]
    space = judged.model.space
    told: list[tuple[bool, dict[str, object]]] = []
    for leaf, usual in zip(leaves, default_like(space, leaves), strict=True):
        fact = leaf.answer
        if fact is None:
            continue
        span = span_of(fact.node)
        names = [item for item in sorted(leaf.assignment) if not item.startswith("?")]
        entry: dict[str, object] = {
            "value": fact.value,
            "because": fact.because,
            "when": {item: space.sample(leaf.assignment, item) for item in names},
            "default": usual,
            "line": span.line,
            "column": span.column,
        }
        if fact.unknown is not None:
            entry["unknown"] = fact.unknown
        told.append((not usual, entry))
    return [entry for _, entry in sorted(told, key=lambda item: item[0])]
