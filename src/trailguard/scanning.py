"""The pipeline: collect, judge, report. `scan` is also the Python API.

>>> from trailguard import Settings, scan
>>> report = scan(["templates"], Settings(profile="all"))
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import NamedTuple, TypeAlias

from trailguard import __version__
from trailguard.errors import display_name
from trailguard.findings import FileError, Finding, Notice, Report
from trailguard.judging.alone import judge_files
from trailguard.judging.results import IDLE, FileResult, Task
from trailguard.reading.collected import Found, collect, names_below
from trailguard.reading.discovery import Others, excluded
from trailguard.rulebook.asked import how
from trailguard.rulebook.shelf import load
from trailguard.settings.settings import Settings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from trailguard.findings import FrameworkInfo
    from trailguard.reading.kinship import Kinship

# Told how many are done, how many there are, and what they are.
Tick: TypeAlias = Callable[[int, int, str], None]


def scan(
    paths: Sequence[str],
    settings: Settings,
    *,
    stdin: bytes | None = None,
    stdin_filename: str = "<stdin>",
    jobs: int = 1,
    evidence: bool = False,
    world: Sequence[str] = (),
    tick: Tick | None = None,
    on: str = "",
    timed: bool = False,
) -> Report:
    """Judge files and folders; `-` among the paths stands for the template in `stdin`.

    `world` are folders whose templates are known, too, but are judged only where the given ones have to do with them.
    `evidence` asks for the delivery chains of the trails and the frameworks behind the rules, too. `tick` is told how
    many files of how many are judged. `on` is the day, as an ISO date, on which suppressions have to be in force: today
    when it is not given. `timed` asks for how long each rule took on each template.
    Raises RuleError when a rule or profile cannot be used, ConfigError when the baseline cannot. What is wrong with a
    template is part of the report.
    """
    task = Task(settings, load(settings), on or time.strftime("%Y-%m-%d"), evidence, timed)
    given = (stdin_filename, stdin) if stdin is not None and "-" in paths else None
    area = _collected([path for path in paths if path != "-"], given, world, task)
    kinship = _kinship(area.found, settings)
    if kinship is not None and area.focus is not None:
        area = area._replace(focus=area.focus | kinship.includers(area.focus))
    results = {**_judged_alone(area, kinship, task, jobs, tick), **_judged_together(area, kinship, task, jobs)}
    accepted = _accepted(results.values(), task, whole=not world)
    return _report(area, results, _errors(area, results, kinship), accepted, task)


class _Area(NamedTuple):
    """What a scan looks at; `focus` are the names of the files that are to be judged, None for all."""

    found: Found
    focus: frozenset[str] | None

    def holds(self, name: str) -> bool:
        """Tell whether a file is one of those that are to be judged."""
        return self.focus is None or name in self.focus

    @property
    def size(self) -> int:
        """How many files there are to look at."""
        return self.found.looked_at if self.focus is None else len(self.focus)


def _collected(paths: Sequence[str], given: tuple[str, bytes] | None, world: Sequence[str], task: Task) -> _Area:
    """Read what is to be judged, and what may have to be known for it."""
    settings = task.settings
    asked = (settings.include, settings.exclude, settings.root)
    if not world:
        return _Area(collect(paths, *asked, task.rulebook.selected, given), None)
    # What is named is then what changed, which may be anything.
    named = [path for path in paths if not excluded(path, world, settings.exclude, settings.root)]
    found = collect([*named, *world], *asked, task.rulebook.selected, given, insist=False)
    return _Area(found, frozenset(names_below(named, *asked) | ({given[0]} if given else set())))


def _kinship(found: Found, settings: Settings) -> Kinship | None:
    """What is known of the templates that refer to each other; None where none does, which saves the time to ask."""
    if not any(file.refers for file in found.files):
        return None
    from trailguard.judging.deployments import pins_of
    from trailguard.reading.kinship import Kinship
    from trailguard.reading.loader import Loader

    leave_out = partial(excluded, folders=found.folders, exclude=settings.exclude, base=settings.root)
    others = Others(found.walked, settings.include, settings.exclude, settings.root, found.names)
    kinship = Kinship(Loader(found.files, found.folders, found.names, leave_out, others.ending))
    kinship.gather(found.markers, pins_of(settings))
    return kinship


def _judged_alone(
    area: _Area, kinship: Kinship | None, task: Task, jobs: int, tick: Tick | None
) -> dict[str, FileResult]:
    """The results of the files that have nothing to do with others."""
    joined = kinship.names() | kinship.pieces() if kinship is not None else set()
    alone = [file for file in area.found.files if file.marked and file.name not in joined and area.holds(file.name)]
    judged = _counted(judge_files(alone, task, jobs), len(alone), tick)
    return {file.name: result for file, result in zip(alone, judged, strict=True)}


def _counted(results: Iterable[FileResult], total: int, tick: Tick | None) -> Iterator[FileResult]:
    for done, result in enumerate(results, 1):
        if tick is not None:
            tick(done, total, "templates")
        yield result


def _judged_together(area: _Area, kinship: Kinship | None, task: Task, jobs: int) -> dict[str, FileResult]:
    """The results of the files that belong together with others."""
    if kinship is None:
        return {}
    from trailguard.judging.worlds import judge_together

    return judge_together(kinship, task, area.focus, jobs)


def _errors(area: _Area, results: Mapping[str, FileResult], kinship: Kinship | None) -> set[FileError]:
    """What could not be read or judged, among what is to be judged or was found to have to do with it."""
    broken = (*area.found.errors, *(kinship.errors if kinship is not None else ()))
    errors = {error for error in broken if error.file in results or area.holds(error.file)}
    return errors.union(*(result.errors for result in results.values()))


def _accepted(results: Iterable[FileResult], task: Task, whole: bool) -> tuple[list[Finding], set[Notice]]:
    """All findings, with those accepted that the baseline holds, and all that there is to notice.

    Unless the `whole` is judged, the baseline may hold findings of what is not.
    """
    settings = task.settings
    findings: list[Finding] = []
    notices: set[Notice] = set()
    for result in results:
        findings.extend(result.findings)
        notices.update(result.notices)
    if settings.baseline:
        from trailguard.acceptance import baseline

        known = baseline.read(settings.baseline, display_name(settings.baseline))
        findings, idle = baseline.apply(findings, known)
        notices.update(idle if whole else ())
    if settings.waivers:
        from trailguard.acceptance.waivers import waiver_notices

        notices.update(waiver_notices(findings, settings, task.today, task.rulebook.known()))
    return findings, notices


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
    named = [item for result in results.values() for item in result.parameters.items()]
    public = {name for name, _ in named} - {name for name, is_public in named if not is_public}
    idle = _idle(area, results)
    templates = sorted(idle | {name for name, result in results.items() if result.is_template})
    ignored = [item for item in area.found.ignored if area.holds(item[0])]
    ignored += [(name, result.ignored) for name, result in results.items() if result.ignored is not None]
    ignored += [(name, IDLE) for name in idle]
    return Report(
        version=__version__,
        profile=task.settings.profile,
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
        how=tuple(how(task.settings, task.rulebook, findings, public)),
    )


def _idle(area: _Area, results: Mapping[str, FileResult]) -> set[str]:
    """The templates that hold nothing to judge."""
    others = {file.name for file in area.found.files} | area.found.idle
    return {name for name in others - results.keys() if area.holds(name)}


def order(finding: Finding) -> tuple[object, ...]:
    """Where a finding stands in a report."""
    file, span, path = finding.place
    return (file, span.line, finding.rule.id, span.column, finding.resource, path)


def _frameworks(task: Task) -> tuple[FrameworkInfo, ...]:
    """The frameworks behind the selected rules."""
    from trailguard.rulebook.frameworks import behind

    return behind(task.rulebook, task.settings)
