"""trailguard's rules as checks of checkov: `checkov -d FOLDER --external-checks-dir "$(trailguard path checkov)"`.

Each rule is a check, TG203 is CKV_TG_203, on the resources that it is about: FAILED where something is found, SKIPPED
with the reason where a verdict is unknown. checkov gives checks one resource at a time, with parameters replaced by
their defaults; the verdicts are those of a scan of the files themselves. It drops what does not exist with the
defaults, and files that it cannot read, and has no way for a check to tell of them. So what is found there is added to
its report, as are templates that cannot be judged, as CKV_TG_000: whoever asks for one of our checks asks for that,
too, and has to skip it by name.

checkov takes an exception in a check for "nothing found"; none leaves this module.
Source: https://www.checkov.io/3.Custom%20Policies/Python%20Custom%20Policies.html
"""

from __future__ import annotations

import logging
import os
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

from checkov.cloudformation.checks.resource.base_resource_check import BaseResourceCheck
from checkov.cloudformation.runner import Runner
from checkov.common.bridgecrew.severities import Severities
from checkov.common.checks_infra.registry import get_graph_checks_registry
from checkov.common.graph.checks_infra.base_check import BaseGraphCheck
from checkov.common.models.enums import CheckCategories, CheckResult
from checkov.common.output.record import Record
from checkov.common.output.report import Report
from checkov.runner_filter import RunnerFilter

from trailguard.acceptance.other_linters import checkov_id
from trailguard.findings import NOT_APPLICABLE, OPEN, PASS, VERDICTS, FileError, Finding
from trailguard.hosts.shared import Gate, Told, sentence
from trailguard.reporters.common import link, readable
from trailguard.rulebook.rule import Rule
from trailguard.terminal import visible
from trailguard.trails import catalog

OWN = "CKV_TG_000"
LOGGER = logging.getLogger(__name__)


class Session:
    """What this run of checkov looks at, the verdicts on it, and which resources checkov has handed over."""

    def __init__(self, directories: Iterable[str] = (), files: Iterable[str] = (), skipped: Iterable[str] = ()) -> None:
        self._directories = list(directories)
        self._skipped = list(skipped)
        self.gate = Gate([*self._directories, *files])
        self.seen: set[tuple[str, str, str]] = set()
        self._located: dict[tuple[str, object], str] = {}
        self._results: dict[str, dict[tuple[str, str], list[Finding]]] = {}

    def locate(self, scanned: str, configuration: Mapping[str, Any]) -> str:
        """The path of a file; checkov names it from the folder that it scans, and in the properties in full."""
        properties = configuration.get("Properties")
        named = properties.get("__file__") if isinstance(properties, dict) else None
        if (scanned, named) not in self._located:
            self._located[scanned, named] = self._path_of(scanned, named)
        return self._located[scanned, named]

    def _path_of(self, scanned: str, named: object) -> str:
        relative = scanned.lstrip("/")
        candidates = [os.path.join(folder, relative) for folder in self._directories]
        for path in (named, *candidates, relative, scanned):
            if isinstance(path, str) and os.path.isfile(path):
                return os.path.realpath(path)
        return relative

    def results(self, file: str, resource: str, rule: str) -> list[Finding]:
        """The verdicts of a rule on a resource of a file; accepted findings are left out."""
        if file not in self._results:
            found = self._results[file] = {}
            for item in self.gate.told(file).subjects:
                if item.suppressed is None:
                    found.setdefault((item.resource, item.rule.id), []).append(item)
        return self._results[file].get((resource, rule), [])

    def files(self, folder: str | None) -> Iterator[str]:
        """The files that checkov was to look at, in one of its folders or, without one, by name."""
        inside = os.path.join(os.path.realpath(folder), "") if folder else ""
        for file in self.gate.files():
            if file.startswith(inside) and not any(re.search(pattern, file) for pattern in self._skipped):
                yield file


class RuleCheck(BaseResourceCheck):
    """A rule as a check. Its name says what was found in the resource at hand: checkov prints nothing else of ours."""

    def __init__(self, rule: Rule, session: Session) -> None:
        types = [catalog.resource_type(rule.subject)]
        if rule.subject in catalog.LINKS:
            types.append(catalog.TRAIL)  # which names a bucket, a key, … that is made elsewhere
        guideline = link(rule.references)
        super().__init__(rule.title, checkov_id(rule.id), [CheckCategories.LOGGING], types, guideline)
        self.severity = Severities[rule.severity.upper()]
        self.rule = rule
        self._session = session

    def run(
        self,
        scanned_file: str,
        entity_configuration: dict[str, Any],
        entity_name: str,
        entity_type: str,
        skip_info: dict[str, Any],
    ) -> dict[str, Any]:
        """Look the verdict up; a resource that the rule says nothing of is left out of the report."""
        self.name = self.rule.title
        try:
            file = self._session.locate(scanned_file, entity_configuration)
            self._session.seen.add((file, entity_name, self.rule.id))
            if skip_info:
                return _skipped(skip_info)
            results = self._session.results(file, entity_name, self.rule.id)
        except Exception as error:
            self.name += f": internal error, please report it: {type(error).__name__}: {error}"
            return {"result": CheckResult.FAILED, "evaluated_keys": []}
        return self.outcome(results)

    def outcome(self, results: Sequence[Finding]) -> dict[str, Any]:
        """What checkov is told of the verdicts on one resource; the name of the check says what was found."""
        worst = min(results, key=lambda item: VERDICTS.index(item.verdict), default=None)
        if worst is None or worst.verdict == NOT_APPLICABLE:
            return {"result": CheckResult.UNKNOWN, "evaluated_keys": []}
        if worst.verdict == PASS:
            return {"result": CheckResult.PASSED, "evaluated_keys": []}
        if not any(map(self._session.gate.counts, results)):
            return {"result": CheckResult.SKIPPED, "suppress_comment": f"{worst.verdict}: {sentence(worst)}"}
        told = [sentence(item) for item in results if item.verdict in OPEN]
        self.name = f"{self.rule.title}: " + "; ".join(dict.fromkeys(told))
        at_fault = "/".join(str(step) for step in worst.place.path[2:])
        return {"result": CheckResult.FAILED, "evaluated_keys": [at_fault] if at_fault else []}

    def scan_resource_conf(self, conf: dict[str, Any]) -> CheckResult:
        """Say nothing: `run` says it all."""
        return CheckResult.UNKNOWN


class OwnCheck(BaseGraphCheck):
    """That trailguard can judge the templates at all: for checkov's lists and options; `Rest` tells of failures."""

    def __init__(self) -> None:
        super().__init__()
        self.id = OWN
        self.name = "trailguard can judge the template"
        self.category = CheckCategories.LOGGING.name
        self.severity = Severities["HIGH"]

    def run(self, graph_connector: Any) -> tuple[list[dict[str, Any]], list[dict[str, Any]], list[dict[str, Any]]]:
        """Say nothing of what checkov has read."""
        return [], [], []

    def get_evaluated_keys(self) -> list[str]:
        """None: it is about whole templates."""
        return []


_Result = tuple[RuleCheck | OwnCheck, str, tuple[int, int], dict[str, Any]]


class Rest:
    """What is left to tell after all checks: of resources that checkov has not handed over, and of whole templates."""

    def __init__(self, session: Session, checks: Iterable[RuleCheck], own: OwnCheck) -> None:
        self._session = session
        self._checks = {check.rule.id: check for check in checks}
        self._own = own

    def join(self, runner: type[Runner]) -> None:
        """Have each report of checkov's runner end with what is left to tell."""
        reported = runner.get_graph_checks_report

        def get_graph_checks_report(this: Runner, root_folder: str | None, runner_filter: RunnerFilter) -> Report:
            report = reported(this, root_folder, runner_filter)
            for record in self.records(this.context or {}, root_folder, runner_filter):
                report.add_record(record)
            return report

        runner.get_graph_checks_report = get_graph_checks_report

    def records(self, context: Mapping[str, Any], folder: str | None, runner_filter: RunnerFilter) -> Iterator[Record]:
        """The lines of the report that are left; `context` is what checkov knows of the files that it has read."""
        read = {os.path.realpath(file): known for file, known in context.items()}
        files = dict.fromkeys([*read, *self._session.files(folder)])
        for file in files or ([os.path.realpath(folder or ".")] if self._session.gate.trouble else []):
            try:
                told = self._session.gate.told(file)
            except Exception as error:
                told = Told(errors=(FileError(file, 1, 1, f"internal error, please report it: {error!r}"),))
            resources = read.get(file, {}).get("Resources", {})
            for check, name, lines, outcome in self._results(file, told):
                if self._is_wanted(check, file, runner_filter):
                    skips = resources.get(name, {}).get("skipped_checks", ())
                    skip = next((skip for skip in skips if skip["id"] == check.id), None)
                    yield _record(check, _skipped(skip) if skip else outcome, file, name, lines, folder)

    def _is_wanted(self, check: RuleCheck | OwnCheck, file: str, runner_filter: RunnerFilter) -> bool:
        """Tell whether checkov's options ask for a check; for ours of whole templates, whether they do for any."""

        def asked(one: RuleCheck | OwnCheck) -> bool:
            return bool(runner_filter.should_run_check(one, report_type="cloudformation", file_origin_paths=[file]))

        if check is not self._own or asked(check):
            return asked(check)
        is_skipped = bool(runner_filter.skip_checks) and runner_filter.check_matches(
            OWN, None, runner_filter.skip_checks
        )
        return not is_skipped and any(map(asked, self._checks.values()))

    def _results(self, file: str, told: Told) -> Iterator[_Result]:
        for error in told.errors:
            self._own.name = f"trailguard cannot judge this: {visible(readable(error.message))}"
            line = max(error.line, 1)
            yield self._own, os.path.basename(file), (line, line), {"result": CheckResult.FAILED, "evaluated_keys": []}
        left: dict[tuple[str, str], list[Finding]] = {}
        for item in told.subjects:
            if item.is_open and (file, item.resource, item.rule.id) not in self._session.seen:
                left.setdefault((item.rule.id, item.resource), []).append(item)
        for (rule, name), found in left.items():
            first = found[0]
            span = (first.place.span.line, first.place.span.end_line)
            blocks = ((block.first, block.last) for block in first.blocks if os.path.realpath(block.file) == file)
            yield self._checks[rule], name, next(blocks, span), self._checks[rule].outcome(found)


def _skipped(skip: Mapping[str, str]) -> dict[str, Any]:
    return {"result": CheckResult.SKIPPED, "suppress_comment": skip.get("suppress_comment", "")}


def _record(
    check: RuleCheck | OwnCheck,
    result: dict[str, Any],
    file: str,
    name: str,
    lines: tuple[int, int],
    folder: str | None,
) -> Record:
    """A line of checkov's report."""
    first, last = lines
    code: list[tuple[int, str]] = []
    with suppress(OSError), open(file, encoding="utf-8", errors="replace") as stream:
        code = [(number, text) for number, text in enumerate(stream, 1) if first <= number <= last]
    record = Record(
        check_id=check.id,
        check_name=check.name,
        check_result=result,
        code_block=code,
        file_path=f"/{os.path.relpath(file, folder)}",
        file_line_range=[first, last],
        resource=name,
        evaluations={},
        check_class=check.__class__.__module__,
        file_abs_path=file,
        severity=check.severity,
    )
    record.set_guideline(check.guideline)
    return record


def _session() -> Session:
    """What checkov's command line and configuration name: folders, files, and what to leave out."""
    if "checkov" not in sys.argv[0]:
        return Session()
    try:
        from checkov.main import Checkov

        config = Checkov(sys.argv[1:]).config
        return Session(config.directory or (), config.file or (), config.skip_path or ())
    except (Exception, SystemExit):  # checkov says it itself
        return Session()


def load() -> None:
    """Make the checks known to checkov."""
    if any(check.id == OWN for check in get_graph_checks_registry("cloudformation").checks):
        return
    session = _session()
    if session.gate.trouble:
        LOGGER.error("trailguard: %s", session.gate.trouble)
    own = OwnCheck()
    RunnerFilter.notify_external_check(OWN)
    get_graph_checks_registry("cloudformation").checks.append(own)
    Rest(session, [RuleCheck(rule, session) for rule in session.gate.rules], own).join(Runner)
