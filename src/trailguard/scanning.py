"""The pipeline: collect, judge, report. `scan` is also the Python API.

>>> from trailguard import Settings, scan
>>> report = scan(["templates"], Settings(profile="all"))
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import NamedTuple, Protocol

from trailguard import __version__
from trailguard.acceptance.idle import Seen, idle_notices
from trailguard.errors import display_name
from trailguard.findings import FileError, Finding, Notice, Report
from trailguard.judging.alone import judge_files
from trailguard.judging.deployments import is_in
from trailguard.judging.results import IDLE, FileResult, Task
from trailguard.reading.collected import Found, collect, names_below
from trailguard.reading.discovery import SKIPPED_FOLDERS, Others, excluded, state_of
from trailguard.rulebook.asked import Known, how
from trailguard.rulebook.shelf import load
from trailguard.settings.settings import Settings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from trailguard.findings import FrameworkInfo
    from trailguard.judging.offers import Key
    from trailguard.reading.accounts import Accounts
    from trailguard.reading.collected import File
    from trailguard.reading.kinship import Kinship
    from trailguard.reading.memory import Memory
    from trailguard.trails.facts.repairs import Repair


class Tick(Protocol):
    """Who is told how far a scan is."""

    def __call__(self, done: int, total: int, what: str) -> object:
        """Take note of how many files are done, how many there are (0: nobody knows yet), and what is done."""


def scan(
    paths: Sequence[str],
    settings: Settings,
    *,
    stdin: bytes | None = None,
    stdin_filename: str = "<stdin>",
    jobs: int = 1,
    evidence: bool = False,
    world: Sequence[str] = (),
    tick: Tick = lambda done, total, what: None,
    on: str = "",
    timed: bool = False,
) -> Report:
    """Judge files and folders; `-` among the paths stands for the template in `stdin`.

    `world` are folders whose templates are known, too, but are judged only where the given ones have to do with them.
    `evidence` asks for the delivery chains of the trails and the frameworks behind the rules, too. `tick` is told how
    many files of how many have been read, linked with others, and judged.
    `on` is the day, as an ISO date, on which suppressions have to be in force: today
    when it is not given. `timed` asks for how long each rule took on each template.
    Raises RuleError when a rule or profile cannot be used, ConfigError when the baseline cannot. What is wrong with a
    template is part of the report.
    """
    task = Task(settings, load(settings), on or time.strftime("%Y-%m-%d"), evidence, timed)
    given = (stdin_filename, stdin) if stdin is not None and "-" in paths else None
    return Look([path for path in paths if path != "-"], given, world, task, jobs, tick).outcome().report


class Outcome(NamedTuple):
    """What judging gave: the report, what may repair its findings, and the files that were read, by their names.

    `judged` are the names of the files that were judged, with those that belong together with them, `joined` those of
    all templates that may have a say in verdicts on others, and of what these include.
    """

    report: Report
    offers: Mapping[Key, tuple[Repair, ...]]
    files: Mapping[str, File]
    judged: frozenset[str] = frozenset()
    joined: frozenset[str] = frozenset()


class Look:
    """What a scan looks at, read once. It can be judged again as it would be with other contents of some files.

    `found` is what was read before, `memory` keeps what is found out about the bytes of files.
    """

    def __init__(
        self,
        paths: Sequence[str],
        given: tuple[str, bytes] | None,
        world: Sequence[str],
        task: Task,
        jobs: int = 1,
        tick: Tick = lambda done, total, what: None,
        found: Found | None = None,
        memory: Memory | None = None,
    ) -> None:
        self._memory = memory
        self._paths = paths
        self._task = task
        self._jobs = jobs
        self._tick = tick
        self._is_part = bool(world)
        self._area = _collected(paths, given, world, task, tick) if found is None else _Area(found, None)

    def outcome(self, contents: Mapping[str, File] = {}, names: Iterable[str] | None = None) -> Outcome:
        """Judge everything, or what belongs together with the files of some names.

        `contents` are files, by their names, that are to be taken for what they hold there.
        """
        area, task = self._area.with_contents(contents), self._task
        kinship = _kinship(area.found, task.settings, contents, self._tick, self._memory)
        if names is not None:
            area = area._replace(focus=frozenset(names))
        elif kinship is not None and area.focus is not None:
            area = area._replace(focus=area.focus | kinship.touched_before(self._paths))
        if kinship is not None and area.focus is not None:
            area = area._replace(focus=area.focus | kinship.includers(area.focus))
        results = _judged(area, kinship, task, self._jobs, self._tick)
        is_part = self._is_part or names is not None
        findings, notices = _accepted(results, task, None if is_part else _seen(area, results))
        notices |= _standing(kinship, task)
        report = _report(area, results, _errors(area, results, kinship), (findings, notices), task)
        report = report._replace(how=_how(results, report.results, task, kinship))
        files = {file.name: file for file in area.found.files}
        joined = frozenset() if kinship is None else frozenset(kinship.texts(()))
        read = {} if kinship is None else kinship.files()
        return Outcome(report, _offers(results), {**read, **files}, frozenset(results), joined)


def _offers(results: Mapping[str, FileResult]) -> Mapping[Key, tuple[Repair, ...]]:
    """What may repair the findings."""
    found = [offer for result in results.values() for offer in result.offers]
    if not found:
        return {}
    from trailguard.judging.offers import together

    return together(found)


class _Area(NamedTuple):
    """What a scan looks at; `focus` are the names of the files that are to be judged, None for all."""

    found: Found
    focus: frozenset[str] | None

    def holds(self, name: str) -> bool:
        """Tell whether a file is one of those that are to be judged."""
        return self.focus is None or name in self.focus

    def with_contents(self, contents: Mapping[str, File]) -> _Area:
        """The same with other contents of some files."""
        if not contents:
            return self
        files = tuple(contents.get(file.name, file) for file in self.found.files)
        return self._replace(found=self.found._replace(files=files))

    @property
    def size(self) -> int:
        """How many files there are to look at."""
        return self.found.looked_at if self.focus is None else len(self.focus)


def _collected(
    paths: Sequence[str], given: tuple[str, bytes] | None, world: Sequence[str], task: Task, tick: Tick
) -> _Area:
    """Read what is to be judged, and what may have to be known for it."""
    settings = task.settings
    asked = (settings.include, settings.exclude, settings.root)
    read = partial(tick, total=0, what="reading")
    if not world:
        return _Area(collect(paths, *asked, task.rulebook.selected, given, tick=read), None)
    # What is named is then what changed, which may be anything.
    named = [path for path in paths if not excluded(path, settings.exclude, settings.root)]
    found = collect([*named, *world], *asked, task.rulebook.selected, given, insist=False, tick=read)
    if _decides_all(named, settings):
        return _Area(found, None)
    focus = names_below(named, *asked) | ({given[0]} if given else set())
    return _Area(found, frozenset(focus | _deployed_with(named, found, settings)))


def _decides_all(paths: Iterable[str], settings: Settings) -> bool:
    """Tell whether one of some files has a say in every verdict: the configuration, the baseline, a rule."""
    files = {os.path.realpath(path) for path in (settings.source, settings.baseline) if path}
    folders = tuple(os.path.join(os.path.realpath(folder), "") for folder in settings.rule_dirs)
    return any(path in files or path.startswith(folders) for path in map(os.path.realpath, paths))


def _deployed_with(paths: Iterable[str], found: Found, settings: Settings) -> set[str]:
    """The names of the templates in the contexts whose parameter files are among some files."""
    named = set(map(os.path.realpath, paths))
    contexts = [item for item in settings.contexts if item.source and os.path.realpath(item.source) in named]
    return {file.name for file in found.files for item in contexts if is_in(file.name, item, settings.root)}


def _kinship(
    found: Found, settings: Settings, contents: Mapping[str, File], tick: Tick, memory: Memory | None = None
) -> Kinship | None:
    """What is known of the templates that refer to each other; None where none can, which saves the time to ask."""
    is_single = len(found.files) + len(found.idle) < 2
    if not found.snapshots and (not found.files or (is_single and not found.files[0].refers)):
        return None
    from trailguard.judging.deployments import pins_of
    from trailguard.reading.kinship import Kinship
    from trailguard.reading.loader import Loader

    leave_out = partial(excluded, exclude=settings.exclude, base=settings.root)
    others = Others(found.walked, settings.include, settings.exclude, settings.root, found.names)
    linked = partial(tick, total=0, what="linking")
    files = (*found.files, *(file for file in contents.values() if file not in found.files))
    loader = Loader(files, found.folders, found.names, leave_out, others.ending, linked, memory)
    kinship = Kinship(loader, _accounts(found, memory))
    kinship.gather(found.markers, pins_of(settings), found.idle)
    return kinship


def _accounts(found: Found, memory: Memory | None) -> Accounts | None:
    """What is known of accounts; None without a snapshot, which saves the time to import what reads one."""
    if not found.snapshots:
        return None
    from trailguard.reading.accounts import Accounts
    from trailguard.reading.snapshots import newest_first, read_snapshot

    folders = found.snapshots

    def build() -> Accounts:
        return Accounts(newest_first(map(read_snapshot, folders)))

    if memory is None:
        return build()
    return memory.latest(os.path.abspath(folders[0]), b"", "accounts", tuple(map(state_of, folders)), build)


def _judged(area: _Area, kinship: Kinship | None, task: Task, jobs: int, tick: Tick) -> dict[str, FileResult]:
    """The results of all files: first of those that have nothing to do with others, then of the rest."""
    names = kinship.names() if kinship is not None else set()
    joined = names | kinship.pieces() if kinship is not None else names
    alone = [file for file in area.found.files if file.marked and file.name not in joined and area.holds(file.name)]
    total = len(alone) + sum(map(area.holds, names))
    results: dict[str, FileResult] = {}
    for file, result in zip(alone, judge_files(alone, task, jobs), strict=True):
        results[file.name] = result
        tick(len(results), total, "judging")
    if kinship is None:
        return results
    from trailguard.judging.worlds import judge_together

    def judged(together: int) -> None:
        tick(min(len(alone) + together, total), total, "judging")

    judged(0)
    return results | judge_together(kinship, task, area.focus, jobs, judged)


def _errors(area: _Area, results: Mapping[str, FileResult], kinship: Kinship | None) -> set[FileError]:
    """What could not be read or judged, among what is to be judged or was found to have to do with it."""
    broken = (*area.found.errors, *(kinship.errors if kinship is not None else ()))
    errors = {error for error in broken if error.file in results or area.holds(error.file)}
    errors.update(kinship.accounts.errors if kinship is not None and kinship.accounts is not None else ())
    return errors.union(*(result.errors for result in results.values()))


def _seen(area: _Area, results: Mapping[str, FileResult]) -> Seen:
    """What this scan looked at."""
    files = tuple(display_name(name) for name in area.found.names)
    judged = {
        name: result.parameters
        for name, result in sorted(results.items())
        if result.is_template and result.ignored is None
    }
    return Seen(tuple(map(display_name, area.found.walked)), files, judged, SKIPPED_FOLDERS)


def _accepted(results: Mapping[str, FileResult], task: Task, seen: Seen | None) -> tuple[list[Finding], set[Notice]]:
    """All findings, with those accepted that the baseline holds, and all that there is to notice.

    `seen` is None where a part alone is judged: what the baseline and the settings name may then be in the rest.
    """
    settings = task.settings
    findings: list[Finding] = []
    notices: set[Notice] = set()
    for result in results.values():
        findings.extend(result.findings)
        notices.update(result.notices)
    if settings.baseline:
        from trailguard.acceptance import baseline

        known = baseline.read(settings.baseline, display_name(settings.baseline))
        findings, idle = baseline.apply(findings, known)
        notices.update(idle if seen is not None else ())
    notices.update(_idle_settings(findings, task, seen) if seen is not None else ())
    return findings, notices


def _idle_settings(findings: Sequence[Finding], task: Task, seen: Seen) -> list[Notice]:
    """What the settings name that is not there, or is of no use."""
    settings = task.settings
    if not (settings.waivers or settings.include or settings.exclude or settings.contexts or settings.parameters):
        return []
    from trailguard.acceptance.waivers import Look, waiver_notices

    look = Look(findings, task.today, task.rulebook.known(), task.asked(), seen)
    return [*waiver_notices(settings, look), *idle_notices(settings, seen)]


def _report(
    area: _Area,
    results: Mapping[str, FileResult],
    errors: Iterable[FileError],
    accepted: tuple[Iterable[Finding], Iterable[Notice]],
    task: Task,
) -> Report:
    """Everything in its order."""
    findings, notices = accepted
    findings = sorted(findings, key=order)
    idle = _idle(area, results)
    templates = sorted(idle | {name for name, result in results.items() if result.is_template})
    ignored = [item for item in area.found.ignored if area.holds(item[0])]
    ignored += [(name, result.ignored) for name, result in results.items() if result.ignored is not None]
    ignored += [(name, IDLE) for name in idle]
    return Report(
        version=__version__,
        profile=", ".join(task.settings.profiles),
        rules=tuple(rule.info for rule in task.rulebook.selected),
        results=tuple(findings),
        errors=tuple(sorted(errors)),
        notices=tuple(sorted(notices)),
        sources={name: result.lines for name, result in results.items() if result.lines},
        files=area.size,
        templates=len(templates),
        subjects=sum(result.subjects for result in results.values()),
        ignored=tuple(sorted(ignored)),
        template_names=tuple(templates),
        chains=tuple(sorted(chain for result in results.values() for chain in result.chains)),
        frameworks=_frameworks(task) if task.evidence else (),
        date=task.today,
        threshold=task.settings.threshold,
        timings=tuple(timing for result in results.values() for timing in result.timings),
    )


def _standing(kinship: Kinship | None, task: Task) -> set[Notice]:
    """What there is to notice about snapshots, and about stacks that none shows."""
    if (kinship is None or kinship.accounts is None) and not any(item.stack for item in task.settings.contexts):
        return set()
    from trailguard.judging.standing import notices

    return set(notices(kinship, task))


def _how(
    results: Mapping[str, FileResult], findings: Sequence[Finding], task: Task, kinship: Kinship | None
) -> tuple[tuple[str, str], ...]:
    """How the templates were judged, for whoever did not see the command."""
    public = {name for result in results.values() for name in result.public}
    public -= {name for result in results.values() for name in result.secret}
    known = Known()
    if kinship is not None and kinship.accounts is not None:
        from trailguard.judging.standing import matches, told_snapshots

        deployed = [(one.file, one.deployed.name, one.deployed.parameters) for one in matches(kinship)]
        known = Known(told_snapshots(kinship), deployed)
    return tuple(how(task.settings, task.rulebook, findings, public, known))


def _idle(area: _Area, results: Mapping[str, FileResult]) -> set[str]:
    """The templates that hold nothing to judge."""
    others = {file.name for file in area.found.files} | set(area.found.idle.values())
    return {name for name in others - results.keys() if area.holds(name)}


def order(finding: Finding) -> tuple[object, ...]:
    """Where a finding stands in a report."""
    file, span, path = finding.place
    return (file, span.line, finding.rule.id, span.column, finding.resource, path)


def _frameworks(task: Task) -> tuple[FrameworkInfo, ...]:
    """The frameworks behind the selected rules."""
    from trailguard.rulebook.frameworks import behind

    return behind(task.rulebook, task.settings)
