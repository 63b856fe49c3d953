"""Judges templates that belong together, in every context.

Whatever goes wrong with some of them never hides what is found in others.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from trailguard.cloudformation.world.world import Member, Unit
from trailguard.findings import Finding, Notice
from trailguard.judging.alone import IDLE, FileResult, Verdicts, by_file, finish, internal, judge
from trailguard.judging.deployments import Deployment, deployment, is_in, usual
from trailguard.judging.subjects import JudgedTemplate
from trailguard.reading.kinship import Kinship
from trailguard.rulebook.shelf import Rulebook
from trailguard.settings.settings import Settings


def judge_together(
    kinship: Kinship, settings: Settings, rulebook: Rulebook, chains: bool, focus: set[str] | None = None
) -> dict[str, FileResult]:
    """Judge the templates that are known to belong together, in every context; gives results by file.

    With a `focus`, only those are judged that belong together with one of its files.
    """
    told: list[Verdicts] = []
    notices: set[Notice] = set()
    for place, members, wanted in _worlds(kinship, settings):
        world = kinship.world(members, place.pins)
        notices.update(Notice(item.file, item.node.line, item.text) for item in world.remarks)
        units = [unit for unit in world.units if not wanted.isdisjoint(unit.files)]
        if focus is not None:
            units = [unit for unit in units if not focus.isdisjoint(unit.files)]
            near = {file for unit in units for file in unit.files} | focus
            notices = {notice for notice in notices if notice.file in near}
        told.extend(_judge_unit(unit, place, rulebook, chains) for unit in units)
    constructs = kinship.constructs()
    if constructs:
        told = [one._replace(findings=[_with_construct(item, constructs) for item in one.findings]) for one in told]
    heard = {file for one in told for file, _ in one.subjects} | {notice.file for notice in notices}
    heard |= {file for one in told for item in one.findings for file in (item.file, *_places(item))}
    heard |= {error.file for one in told for error in one.errors} | {item.file for one in told for item in one.notices}
    files = {name: text for name, text in kinship.texts().items() if name in heard}
    results = finish(files, told, settings, rulebook)
    own = by_file((notice.file, notice) for notice in notices)
    for name in sorted(kinship.names() if focus is None else kinship.names() & (results.keys() | focus)):
        result = results.get(name) or FileResult(is_template=True, ignored=IDLE)
        results[name] = result._replace(notices=(*result.notices, *own.get(name, ())))
    return results


def _with_construct(finding: Finding, constructs: Mapping[tuple[str, str], str]) -> Finding:
    """A finding with the CDK construct that its subject was made from, where only the assembly tells it."""
    known = constructs.get((finding.subject_file or finding.file, finding.resource), "")
    return finding if finding.construct else finding._replace(construct=known)


def _places(finding: Finding) -> Iterable[str]:
    return (place.file for place in finding.related)


def _worlds(kinship: Kinship, settings: Settings) -> Iterable[tuple[Deployment, dict[str, Member], set[str]]]:
    """Each deployment with its members by path, and the files that are judged in it.

    A template that no context names takes part in all of them, and is judged by itself when nothing refers to it there.
    """
    names = {path: kinship.name(path) for path in kinship.loaded}
    inside = [
        (context, {path for path, name in names.items() if is_in(name, context, settings.root)})
        for context in settings.contexts
    ]
    free = names.keys() - {path for _, paths in inside for path in paths}
    for context, paths in inside:
        if paths:
            place = deployment(context, settings)
            yield place, kinship.members(sorted(paths | free), place.pins), {names[path] for path in paths}
    if free:
        place = usual(settings)
        yield place, kinship.members(sorted(free), place.pins), {names[path] for path in free}


def _judge_unit(unit: Unit, place: Deployment, rulebook: Rulebook, chains: bool) -> Verdicts:
    file = unit.files[0]
    try:
        return judge(JudgedTemplate(file, unit.template, unit.pins, unit.stacks, place.name), rulebook, chains)
    except Exception as error:
        return Verdicts([], [internal(name, error) for name in unit.files], set(), [], [])
