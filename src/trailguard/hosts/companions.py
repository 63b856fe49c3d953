"""cfn-lint and checkov run beside a scan: their findings for the same templates go into the same report.

Both are programs of their own, on the PATH or beside this Python. Their suppressions and configuration files hold.
Findings of rules of ours that they run as well (trailguard.hosts) are left out, since the scan has them. A check that
asks for the same as a rule of ours (`equivalents` in its rule.yaml) shares the cause of that rule's finding.
"""

from __future__ import annotations

import glob
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

from trailguard.acceptance.waivers import accepted
from trailguard.errors import UserError
from trailguard.findings import FAIL, SEVERITIES, Block, FileError, Finding, Place, Report, RuleInfo, Severity, Span
from trailguard.judging.results import lines_of
from trailguard.rulebook.shelf import load
from trailguard.scanning import order
from trailguard.settings.settings import Settings

_LENGTH = 20_000  # of a command line; Windows takes 32,767 characters

_SEVERITIES = {"Error": "high", "Warning": "medium", "Informational": "info"}
# What cfn-lint says of itself: a template that it cannot read, a template or rule that breaks it, a bad configuration.
_BROKEN = ("E0000", "E0001", "E0002", "E0003")


class _Told(NamedTuple):
    """What a companion says: findings and errors, and the rules that they name."""

    findings: list[Finding]
    errors: list[FileError]
    rules: dict[str, RuleInfo]


def programs(names: Iterable[str]) -> list[tuple[str, str]]:
    """The companions by name, each with its program; raises UserError when one is not installed."""
    found = []
    for name in sorted(set(names)):
        program = shutil.which(name) or shutil.which(name, path=os.path.dirname(sys.executable))
        if program is None:
            raise UserError("", 0, 0, f"{name} is not installed (pip install {name})")
        found.append((name, program))
    return found


def joined(
    report: Report, commands: Sequence[tuple[str, str]], settings: Settings, stdin: tuple[str, bytes] | None = None
) -> Report:
    """The report with what the companions find in its templates; `commands` are their names and programs.

    `stdin` is the name and the content of a template that comes from standard input.
    """
    with tempfile.TemporaryDirectory(prefix="trailguard-") as scratch:
        broken = {error.file for error in report.errors}
        templates = [file for file in report.template_names if file not in broken]
        files = {os.path.realpath(file): file for file in templates if stdin is None or file != stdin[0]}
        if stdin is not None and stdin[0] in templates:
            path = os.path.join(os.path.realpath(scratch), "template.yaml")
            with open(path, "wb") as stream:
                stream.write(stdin[1])
            files[path] = stdin[0]
        with ThreadPoolExecutor(len(commands)) as pool:  # the companions at once, the parts of each in turn
            running = _Running()
            try:
                told = list(pool.map(lambda named: _ask(named[0], named[1], files, running), commands))
            except BaseException:  # the pool waits for them
                running.end()
                raise
    least = SEVERITIES.index(settings.min_severity)
    rules = {item.id: item for one in told for item in one.rules.values() if SEVERITIES.index(item.severity) <= least}
    findings = (item for one in told for item in one.findings if item.rule.id in rules)
    shared = _sharing(findings, report.results, settings)
    found = accepted(shared, {}, settings, report.date)
    sources = dict(report.sources)
    for file in {item.place.file for item in found} - sources.keys():
        sources[file] = _lines(file, stdin)
    return report._replace(
        rules=(*report.rules, *(rules[name] for name in sorted(rules))),
        results=tuple(sorted([*report.results, *found], key=order)),
        errors=tuple(sorted({*report.errors, *(error for one in told for error in one.errors)})),
        sources=sources,
    )


def _sharing(findings: Iterable[Finding], ours: Iterable[Finding], settings: Settings) -> Iterator[Finding]:
    """The findings of companions, with the cause of ours where a rule of ours finds the same in the same resource."""
    same: dict[str, list[str]] = {}
    for rule in load(settings).selected:
        for name in rule.equivalents:
            same.setdefault(name, []).append(rule.id)
    known: dict[tuple[str, str, str], Finding] = {}
    for item in ours:
        if item.is_open:
            known.setdefault((item.rule.id, item.home, item.resource), item)
    for item in findings:
        keys = ((rule, item.place.file, item.resource) for rule in same.get(item.rule.id, ()))
        twin = next((known[key] for key in keys if key in known), None)
        yield item if twin is None else item._replace(cause=twin.cause, causes=twin.causes, contexts=twin.contexts)


def _batches(files: Iterable[str]) -> Iterator[list[str]]:
    """The files in as many parts as command lines need."""
    batch: list[str] = []
    length = 0
    for file in sorted(files):
        if batch and length + len(file) > _LENGTH:
            yield batch
            batch, length = [], 0
        batch.append(file)
        length += len(file) + 3
    if batch:
        yield batch


class _Running:
    """The programs that run, so that none outlives a scan that somebody ends."""

    def __init__(self) -> None:
        self._processes: list[subprocess.Popen[bytes]] = []
        self._is_over = False

    def run(self, command: Sequence[str]) -> tuple[int, bytes, bytes]:
        """Run a program; gives its exit status, its output and its errors. Raises OSError when it cannot be run."""
        environment = {**os.environ, "LOG_LEVEL": "ERROR", "PYTHONUTF8": "1"}
        with subprocess.Popen(  # noqa: S603  # what the user asked for by name
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment
        ) as process:
            self._processes.append(process)
            if self._is_over:
                process.kill()
            out, err = process.communicate()
        return process.returncode, out, err

    def end(self) -> None:
        """End what runs, and what is started after that."""
        self._is_over = True
        for process in self._processes:
            process.kill()


def _ask(name: str, command: str, files: Mapping[str, str], running: _Running) -> _Told:
    """Run a companion on the templates; whatever it says that is no report is an error."""
    whole = _Told([], [], {})
    for batch in _batches(files):
        if name == "cfn-lint":
            options = ["--format", "json", "--template", *map(glob.escape, batch)]
        else:
            options = ["--framework", "cloudformation", "--output", "json", "--quiet", "--compact", "--skip-download"]
            options += ["--soft-fail", "--file", *batch]
        try:
            status, out, err = running.run([command, *options])
        except OSError as error:
            whole.errors.append(FileError(name, 0, 0, f"cannot be run: {error.strerror or error}"))
            continue
        try:
            part = _READERS[name](json.loads(out), files)
        except (ValueError, LookupError, TypeError, AttributeError):
            lines = [line for line in err.decode("utf-8", "replace").splitlines() if line.strip()]
            why = f": {lines[-1].strip()}" if lines else ""
            whole.errors.append(FileError(name, 0, 0, f"ended with status {status} and no report{why}"))
            continue
        whole.findings.extend(part.findings)
        whole.errors.extend(part.errors)
        whole.rules.update(part.rules)
    return whole


def _of_cfn_lint(answer: Any, files: Mapping[str, str]) -> _Told:
    told = _Told([], [], {})
    for item in answer or ():
        rule, start, end = item["Rule"], item["Location"]["Start"], item["Location"]["End"]
        file = files.get(os.path.realpath(item["Filename"] or ""), item["Filename"])
        name, message = rule["Id"], item["Message"]
        if name in _BROKEN:
            place = (start["LineNumber"], start["ColumnNumber"])
            told.errors.append(FileError(file, *place, f"cfn-lint {name}: {message}"))
        elif not name[1:].startswith("TG"):
            span = Span(start["LineNumber"], start["ColumnNumber"], end["LineNumber"], end["ColumnNumber"])
            path = tuple(item["Location"].get("Path") or ())
            resource = str(path[1]) if len(path) > 1 and path[0] == "Resources" else ""
            severity = _SEVERITIES.get(item["Level"], "medium")
            about = _rule("cfn-lint", name, rule["ShortDescription"], severity, rule["Source"], rule["Description"])
            told.rules[name] = about
            told.findings.append(_finding(about, resource, Place(file, span, path), message))
    return told


def _of_checkov(answer: Any, files: Mapping[str, str]) -> _Told:
    told = _Told([], [], {})
    for report in answer if isinstance(answer, list) else [answer or {}]:
        for item in report.get("results", {}).get("failed_checks", ()):
            name = item["check_id"]
            if name.startswith("CKV_TG_"):
                continue
            file = files.get(os.path.realpath(item["file_abs_path"]), item["file_abs_path"])
            resource = item["resource"].rpartition(".")[2]
            first, last = item["file_line_range"]
            severity = str(item.get("severity") or "medium").lower()
            about = _rule("checkov", name, item["check_name"], severity, item.get("guideline") or "", "")
            told.rules[name] = about
            path = ("Resources", resource)
            place, block = Place(file, Span(first, 1, first, 1), path), Block(file, first, last)
            told.findings.append(_finding(about, resource, place, item["check_name"], (block,)))
    return told


_READERS = {"cfn-lint": _of_cfn_lint, "checkov": _of_checkov}


def _rule(tool: str, name: str, title: str, severity: str, address: str, why: str) -> RuleInfo:
    level: Severity = next((known for known in SEVERITIES if known == severity), "medium")
    links = (address,) if address.startswith(("https://", "http://")) else ()
    remedy = f"See the documentation of {tool}."
    return RuleInfo(name, tool, title, level, why or f"A rule of {tool}: {title}", remedy, {}, links, tool=tool)


def _finding(rule: RuleInfo, resource: str, place: Place, message: str, blocks: tuple[Block, ...] = ()) -> Finding:
    parts = [rule.name, rule.id, place.file, resource, place.path, message]
    return Finding(
        rule=rule,
        verdict=FAIL,
        place=place,
        subject="template",
        resource=resource,
        message=message,
        witness={},
        reason=None,
        related=(),
        fingerprint=hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:32],
        blocks=blocks,
    )


def _lines(file: str, stdin: tuple[str, bytes] | None) -> tuple[str, ...]:
    """The lines of a template, for excerpts."""
    try:
        if stdin is not None and file == stdin[0]:
            data = stdin[1]
        else:
            with open(file, "rb") as stream:
                data = stream.read()
    except OSError:
        return ()
    return lines_of(data.decode("utf-8", "replace"))
