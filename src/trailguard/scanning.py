"""The pipeline: discover, read, resolve, judge, report. This is also the Python API.

>>> from trailguard.config import Settings
>>> from trailguard.scan import scan
>>> report = scan(["templates"], Settings())
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import TypeAlias

from trailguard import __version__
from trailguard.acceptance import baseline
from trailguard.acceptance.written import waiver_notices
from trailguard.findings import ControlInfo, Finding, FrameworkInfo, Report, RuleInfo
from trailguard.judging.alone import IDLE, FileResult, judge_file, today
from trailguard.reading.collected import File, Found, collect, names_below
from trailguard.reading.discovery import Others, display_name, excluded
from trailguard.rulebook.rule import Rule
from trailguard.rulebook.shelf import Rulebook, load
from trailguard.settings.settings import Settings

TYPE_CHECKING = False
if TYPE_CHECKING:
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
) -> Report:
    """Judge files and folders; `-` among the paths stands for the template in `stdin`.

    `world` are folders whose templates are known, too, but are judged only where the given ones have to do with them.
    `evidence` asks for the delivery chains of the trails and the frameworks behind the rules, too. `tick` is told how
    many files of how many are judged.
    Raises RuleError when a rule or profile cannot be used, ConfigError when the baseline cannot. What is wrong with a
    template is part of the report.
    """
    rulebook = load(settings)
    named = [path for path in paths if path != "-"]
    given = (stdin_filename, stdin) if stdin is not None and "-" in paths else None
    asked = (settings.include, settings.exclude, settings.root)
    if world:  # what is named is then what changed, which may be anything
        named = [path for path in named if not excluded(path, world, settings.exclude, settings.root)]
    found = collect([*named, *world], *asked, rulebook.selected, given, insist=not world)
    focus = names_below(named, *asked) | ({stdin_filename} if given else set()) if world else None
    kinship = _kinship(found, settings)
    joined = kinship.names() if kinship is not None else set()
    alone = [file for file in found.files if file.marked and file.name not in joined and _is_in(file.name, focus)]
    judged = _judge_all(alone, settings, rulebook, jobs, evidence)
    results = dict(zip((file.name for file in alone), _counted(judged, len(alone), tick), strict=True))
    broken = found.errors
    if kinship is not None:
        from trailguard.judging.worlds import judge_together

        results.update(judge_together(kinship, settings, rulebook, evidence, focus))
        broken = (*broken, *kinship.errors)
    findings = [finding for result in results.values() for finding in result.findings]
    errors = {error for error in broken if error.file in results or _is_in(error.file, focus)}
    errors.update(error for result in results.values() for error in result.errors)
    notices = {notice for result in results.values() for notice in result.notices}
    if settings.baseline:
        known = baseline.read(settings.baseline, display_name(settings.baseline))
        findings, idle_notices = baseline.apply(findings, known)
        notices.update(idle_notices if not world else ())
    if settings.waivers:
        notices.update(waiver_notices(findings, settings, today(), rulebook.known()))
    others = ({file.name for file in found.files} | found.idle) - results.keys()
    idle = {name for name in others if _is_in(name, focus)}
    templates = sorted(idle | {name for name, result in results.items() if result.is_template})
    ignored = [(name, result.ignored) for name, result in results.items() if result.ignored is not None]
    ignored += [(name, IDLE) for name in idle]
    return Report(
        version=__version__,
        profile=settings.profile,
        rules=tuple(_rule_info(rule) for rule in rulebook.selected),
        results=tuple(sorted(findings, key=order)),
        errors=tuple(sorted(errors)),
        notices=tuple(sorted(notices)),
        sources={name: result.lines for name, result in results.items() if result.lines},
        files=found.looked_at if focus is None else len(focus),
        templates=len(templates),
        subjects=sum(result.subjects for result in results.values()),
        ignored=tuple(sorted([*(item for item in found.ignored if _is_in(item[0], focus)), *ignored])),
        template_names=tuple(templates),
        chains=tuple(sorted(chain for result in results.values() for chain in result.chains)),
        frameworks=_frameworks(settings, rulebook) if evidence else (),
    )


def _frameworks(settings: Settings, rulebook: Rulebook) -> tuple[FrameworkInfo, ...]:
    """The frameworks that the selected rules name, the one that was asked for first; each with all of its controls."""
    from trailguard.rulebook.frameworks import Framework, load_frameworks

    named = {name for rule in rulebook.selected for name in rule.controls}
    known = load_frameworks(settings)
    found = [known.get(name) or Framework(name, name, "", "", {}) for name in [*known, *sorted(named - known.keys())]]
    rules = tuple(rulebook.rules.values())
    return tuple(
        FrameworkInfo(
            item.name,
            item.title,
            item.about,
            item.source,
            tuple(
                ControlInfo(control.id, control.title, control.undecidable, tuple(rule.id for rule in behind))
                for control, behind in item.coverage(rules)
            ),
        )
        for item in sorted(found, key=lambda item: item.name != settings.profile)
        if item.name in named
    )


def _kinship(found: Found, settings: Settings) -> Kinship | None:
    """What is known of the templates that refer to each other; None where none does, which saves the time to ask."""
    if not any(file.refers for file in found.files):
        return None
    from trailguard.judging.deployments import pins_of
    from trailguard.reading.kinship import Kinship
    from trailguard.reading.loader import Loader

    leave_out = partial(excluded, folders=found.folders, exclude=settings.exclude, base=settings.root)
    others = Others(found.walked, settings.include, settings.exclude, settings.root)
    kinship = Kinship(Loader(found.files, found.folders, found.names, leave_out, others.ending))
    kinship.gather(found.markers, pins_of(settings))
    return kinship


def _is_in(name: str, focus: set[str] | None) -> bool:
    return focus is None or name in focus


def order(finding: Finding) -> tuple[object, ...]:
    """Where a finding stands in a report."""
    return (finding.file, finding.span.line, finding.rule, finding.span.column, finding.resource, finding.path)


def _rule_info(rule: Rule) -> RuleInfo:
    return RuleInfo(
        rule.id, rule.name, rule.title, rule.severity, rule.why, rule.remedy, rule.controls, rule.references
    )


def _counted(results: Iterable[FileResult], total: int, tick: Tick | None) -> Iterator[FileResult]:
    for done, result in enumerate(results, 1):
        if tick is not None:
            tick(done, total, "templates")
        yield result


def _judge_all(
    files: list[File], settings: Settings, rulebook: Rulebook, jobs: int, chains: bool
) -> Iterator[FileResult]:
    judge = partial(_judge, settings=settings, rulebook=rulebook, chains=chains)
    if jobs <= 1 or len(files) < 2:
        yield from map(judge, files)
        return
    from concurrent.futures import ProcessPoolExecutor

    chunk = max(1, len(files) // (jobs * 4))
    with ProcessPoolExecutor(min(jobs, len(files))) as pool:
        yield from pool.map(judge, files, chunksize=chunk)


def _judge(file: File, settings: Settings, rulebook: Rulebook, chains: bool) -> FileResult:
    return judge_file(file.name, file.data, settings, rulebook, chains)
