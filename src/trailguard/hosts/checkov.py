"""trailguard's rules as checks of checkov: `checkov -d FOLDER --external-checks-dir "$(trailguard path checkov)"`.

Each rule is a check, TG203 is CKV_TG_203, on the resources that it is about: FAILED where something is found, SKIPPED
with the reason where a verdict is unknown. checkov gives checks one resource at a time, with parameters replaced by
their defaults, and drops what does not exist with the defaults; so the verdicts are those of a scan of the files
themselves, and CKV_TG_000 fails for what no other check could report: templates that cannot be judged, and findings on
resources that checkov drops.

checkov takes an exception in a check for "nothing found"; none leaves this module.
Source: https://www.checkov.io/3.Custom%20Policies/Python%20Custom%20Policies.html
"""

from __future__ import annotations

import logging
import os
import re
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from checkov.cloudformation.checks.resource.base_resource_check import BaseResourceCheck
from checkov.common.bridgecrew.severities import Severities
from checkov.common.checks_infra.registry import get_graph_checks_registry
from checkov.common.graph.checks_infra.base_check import BaseGraphCheck
from checkov.common.graph.graph_builder import CustomAttributes
from checkov.common.models.enums import CheckCategories, CheckResult
from checkov.runner_filter import RunnerFilter

from trailguard.findings import CONDITIONAL, FAIL, NOT_APPLICABLE, PASS, UNKNOWN, VERDICTS, Finding
from trailguard.foreign import checkov_id
from trailguard.hosts.shared import Gate, asks_for_attention, sentence
from trailguard.reporters.common import link
from trailguard.rule_reader import Rule
from trailguard.trails import catalog

OWN = "CKV_TG_000"
LOGGER = logging.getLogger(__name__)


class Session:
    """What this run of checkov looks at, the verdicts on it, and which resources checkov has handed over."""

    def __init__(self, directories: Iterable[str] = (), files: Iterable[str] = (), skipped: Iterable[str] = ()) -> None:
        self._directories = list(directories)
        self._skipped = list(skipped)
        self.gate = Gate([*self._directories, *files])
        self.seen: set[tuple[str, str]] = set()
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
                    found.setdefault((item.resource, item.rule), []).append(item)
        return self._results[file].get((resource, rule), [])

    def unread(self, read: Collection[str]) -> Iterator[str]:
        """The files that checkov was to look at and has read no resource of; it ends with status 0 all the same.

        It looks at one folder after the other, so of several only those count that it has read something of.
        """
        folders = [os.path.join(os.path.realpath(folder), "") for folder in self._directories]
        if len(folders) > 1:
            folders = [folder for folder in folders if any(file.startswith(folder) for file in read)]
        for file in self.gate.files():
            inside = not self._directories or file.startswith(tuple(folders))
            if inside and file not in read and not any(re.search(pattern, file) for pattern in self._skipped):
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
        self._rule = rule
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
        self.name = self._rule.title
        try:
            file = self._session.locate(scanned_file, entity_configuration)
            self._session.seen.add((file, entity_name))
            if skip_info:
                return {"result": CheckResult.SKIPPED, "suppress_comment": skip_info["suppress_comment"]}
            results = self._session.results(file, entity_name, self._rule.id)
        except Exception as error:
            self.name += f": internal error, please report it: {type(error).__name__}: {error}"
            return {"result": CheckResult.FAILED, "evaluated_keys": []}
        worst = min(results, key=lambda item: VERDICTS.index(item.verdict), default=None)
        if worst is None or worst.verdict == NOT_APPLICABLE:
            return {"result": CheckResult.UNKNOWN, "evaluated_keys": []}
        if worst.verdict == PASS:
            return {"result": CheckResult.PASSED, "evaluated_keys": []}
        if worst.verdict == UNKNOWN and not self._session.gate.counts(worst):
            return {"result": CheckResult.SKIPPED, "suppress_comment": f"unknown: {sentence(worst)}"}
        told = [sentence(item) for item in results if item.verdict in (FAIL, CONDITIONAL, UNKNOWN)]
        self.name += ": " + "; ".join(dict.fromkeys(told))
        at_fault = "/".join(str(step) for step in worst.path[2:])
        return {"result": CheckResult.FAILED, "evaluated_keys": [at_fault] if at_fault else []}

    def scan_resource_conf(self, conf: dict[str, Any]) -> CheckResult:
        """Say nothing: `run` says it all."""
        return CheckResult.UNKNOWN


class RestCheck(BaseGraphCheck):
    """What the other checks cannot report; checkov runs it after them, on everything that it has read."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.id = OWN
        self.name = "trailguard can judge the template, and finds nothing on resources that checkov leaves out"
        self.category = CheckCategories.LOGGING.name
        self.severity = Severities["HIGH"]
        self._session = session

    def run(self, graph_connector: Any) -> tuple[list[dict[str, Any]], list[dict[str, Any]], list[dict[str, Any]]]:
        """Give the resources that pass (none: there is nothing to say of them) and those that fail."""
        resources: dict[str, dict[str, Any]] = {}
        for _, data in _nodes(graph_connector):
            if data.get(CustomAttributes.BLOCK_TYPE) == "resource":
                name = str(data.get(CustomAttributes.BLOCK_NAME)).rpartition(".")[2]
                file = os.path.realpath(str(data.get(CustomAttributes.FILE_PATH)))
                resources.setdefault(file, {})[name] = data
        failed: dict[int, Any] = {}
        for file, found in resources.items():
            for name, text in self._rest(file):
                LOGGER.warning("trailguard: %s: %s", os.path.relpath(file), text)
                data = found.get(name) or next(iter(found.values()))
                failed[id(data)] = data
        for file in self._session.unread(resources):
            for _, text in self._rest(file):
                LOGGER.warning("trailguard: %s: %s", os.path.relpath(file), text)
                data = _any(resources) or {**_NOWHERE, CustomAttributes.FILE_PATH: f"trailguard: {file}: {text}"}
                failed[id(data)] = data
        return [], list(failed.values()), []

    def _rest(self, file: str) -> Iterable[tuple[str, str]]:
        """What is left to say of a file: the resource and the text."""
        try:
            told = self._session.gate.told(file)
        except Exception as error:
            yield "", f"internal error, please report it: {type(error).__name__}: {error}"
            return
        for item in told.errors:
            yield "", f"line {item.line}: {item.message}"
        for finding in told.subjects:
            broken = finding.verdict != UNKNOWN or self._session.gate.counts(finding)
            if broken and asks_for_attention(finding) and (file, finding.resource) not in self._session.seen:
                yield finding.resource, f"{checkov_id(finding.rule)} on {finding.resource}: {sentence(finding)}"

    def get_evaluated_keys(self) -> list[str]:
        """None: it is about whole resources."""
        return []


# A resource in no file: where checkov has nothing to report a failure on, it stops at this one instead of passing.
_NOWHERE = {
    CustomAttributes.BLOCK_TYPE: "resource",
    CustomAttributes.BLOCK_NAME: "none.none",
    CustomAttributes.ID: "none",
}


def _any(resources: Mapping[str, Mapping[str, Any]]) -> Any:
    return next((data for found in resources.values() for data in found.values()), None)


def _nodes(graph: Any) -> Any:
    """The nodes of checkov's graph, which comes in two kinds."""
    try:
        return graph.nodes(data=True)
    except TypeError:
        return graph.nodes()


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
    for rule in session.gate.rules:
        RuleCheck(rule, session)
    RunnerFilter.notify_external_check(OWN)
    get_graph_checks_registry("cloudformation").checks.append(RestCheck(session))
