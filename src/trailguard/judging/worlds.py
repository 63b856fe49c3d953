"""Judges templates that belong together, in every context.

Whatever goes wrong with some of them never hides what is found in others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial

from trailguard.cloudformation.scenarios.model import Pins
from trailguard.cloudformation.world.trees import Member
from trailguard.cloudformation.world.world import Group, World
from trailguard.findings import Notice
from trailguard.judging.alone import judge
from trailguard.judging.deployments import Deployment, deployment, is_in, usual
from trailguard.judging.results import IDLE, FileResult, Task, Text, Verdicts, results_of
from trailguard.judging.spreading import spread
from trailguard.judging.standing import scanned, standing
from trailguard.judging.subjects import Constructs, JudgedTemplate
from trailguard.reading.accounts import replaced, trail_names
from trailguard.reading.faults import internal, unfinished
from trailguard.reading.kinship import Kinship
from trailguard.settings.settings import Settings


def judge_together(
    kinship: Kinship,
    task: Task,
    focus: frozenset[str] | None = None,
    jobs: int = 1,
    tick: Callable[[int], object] = lambda done: None,
) -> dict[str, FileResult]:
    """Judge the templates that are known to belong together, in every context; gives results by file.

    With a `focus`, only those are judged that belong together with one of its files. `jobs` is the number of processes
    to work in. `tick` is told how many files have been judged.
    """
    verdicts = list(_verdicts(kinship, task, focus, jobs, tick))
    heard = {file for one in verdicts for file in one.files()}
    files = {name: Text(*source) for name, source in kinship.texts(heard).items() if name in heard}
    results = results_of(files, verdicts, task)
    results = {**results, **standing(results, kinship, focus)}
    known = kinship.names() if focus is None else kinship.names() & focus
    idle = FileResult(is_template=True, ignored=IDLE)
    return {**results, **dict.fromkeys(sorted(known - results.keys()), idle)}


def _verdicts(
    kinship: Kinship, task: Task, focus: frozenset[str] | None, jobs: int, tick: Callable[[int], object]
) -> Iterator[Verdicts]:
    """What is found out in each world, and what is remarkable about how its templates belong together."""
    constructs = kinship.constructs()
    judged: set[str] = set()
    gone: dict[str, frozenset[str]] = {}
    twins: set[tuple[str | None, str | None, str]] = set()
    for place, members, wanted in _worlds(kinship, task.settings):
        try:
            world = kinship.world(members, place.pins)
        except Exception as error:  # then each is judged by itself, and each says that it was not meant so
            yield from (_judge_alone(one, error, place, task) for one in members.values() if one.file in wanted)
            continue
        gone.update(replaced(world.stacks()))
        twins.update((*one.environment, name) for one in members.values() for name in trail_names(one))
        groups = [group for group in world.groups(wanted) if focus is None or not focus.isdisjoint(group.files)]
        near = {file for group in groups for file in group.files} | (focus or set())
        remarks = (Notice(item.file, item.node.line, item.text) for item in world.remarks)
        yield Verdicts(notices=[notice for notice in remarks if focus is None or notice.file in near])
        judge_one = partial(_judge_group, world=world, place=place, task=task, constructs=constructs)
        for group, found in zip(groups, spread(judge_one, groups, jobs, _lost), strict=True):
            judged.update(group.files)
            tick(len(judged))
            yield found
    yield from _live(partial(kinship.live, gone, twins), kinship, task, focus, jobs)


def _live(
    live: Callable[..., World], kinship: Kinship, task: Task, focus: frozenset[str] | None, jobs: int
) -> Iterator[Verdicts]:
    """What is found out about what is live in the snapshots that are to be judged."""
    folders = scanned(kinship, focus)
    if not folders:
        return
    world = live(task.kinds(), folders)
    place = Deployment("", Pins())
    groups = list(world.groups({stack.file for stack in world.stacks()}))
    judge_one = partial(_judge_group, world=world, place=place, task=task, constructs={})
    yield from spread(judge_one, groups, jobs, _lost)


def _worlds(kinship: Kinship, settings: Settings) -> Iterator[tuple[Deployment, Mapping[str, Member], set[str]]]:
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
            stacks = kinship.meant(context.stack, paths) if context.stack else None if context.parameters else {}
            own = kinship.members(sorted(paths), place.pins, stacks)
            yield place, {**own, **kinship.members(sorted(free), place.pins, {})}, {names[path] for path in paths}
    if free:
        place = usual(settings)
        yield place, kinship.members(sorted(free), place.pins, {}), {names[path] for path in free}


def _judge_alone(member: Member, error: Exception, place: Deployment, task: Task) -> Verdicts:
    """Judge a template without the others, whose connections could not be worked out."""
    fault = internal(member.file, error)
    try:
        found = judge(JudgedTemplate(member.file, member.template, place.pins, context=place.name), task)
    except Exception:
        return Verdicts(errors=[fault])
    return found._replace(errors=[*found.errors, fault])


def _lost(group: Group, how: str) -> Verdicts:
    """What is said of templates that nobody could judge, because the process that did so ended somehow."""
    return Verdicts(errors=[unfinished(name, how) for name in group.files])


def _judge_group(group: Group, world: World, place: Deployment, task: Task, constructs: Constructs) -> Verdicts:
    """Judge what belongs together, as one."""
    try:
        unit = world.unit(group)
        judged = JudgedTemplate(group.files[0], unit.template, unit.pins, unit.stacks, place.name, constructs)
        return judge(judged, task)
    except Exception as error:
        return Verdicts(errors=[internal(name, error) for name in group.files])
