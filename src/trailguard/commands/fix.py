"""`trailguard fix`: write fixes that are proven, or show them, and say of the rest why it is left."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterable, Mapping, Sequence

from trailguard.commands.fixtext import asked, told
from trailguard.commands.progress import Progress
from trailguard.commands.settings_of import settings_of
from trailguard.commands.streams import read_input, say, shown, write, write_bytes
from trailguard.errors import UserError, did_you_mean
from trailguard.findings import Report
from trailguard.fixes.delivering import diff, edited, narrowed, written
from trailguard.fixes.edits import Edit
from trailguard.fixes.plans import Plan
from trailguard.fixes.repairing import Repaired, edits_of, repaired
from trailguard.fixes.reporting import look_at
from trailguard.judging.offers import Key, key_of
from trailguard.scanning import Look, Outcome
from trailguard.terminal import is_terminal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace

    from trailguard.settings.settings import Settings


def fix(args: Namespace) -> int:
    """Fix what can be fixed; give the exit status."""
    if args.interactive and not (is_terminal(sys.stdin) and is_terminal(sys.stdout)):
        raise UserError("", 0, 0, "--interactive needs a terminal; see what would be written with --diff")
    settings = settings_of(args)
    paths = args.paths or ["."]
    if paths.count("-") > 1 or ("-" in paths and args.interactive):
        raise UserError("", 0, 0, '"-" can be given once, and not with --interactive')
    stdin = read_input() if "-" in paths else None
    with Progress(not args.quiet) as progress:
        look, before = _looked(args, settings, paths, stdin, progress)
        _check_resources(args.resource, before.report)
        wanted = _wanted(args, settings, before.report, paths, progress)
        progress.say("proving fixes")
        result = repaired(look, before, wanted, args.unsafe)
        progress.wipe()
        if args.interactive:
            result = _chosen(look, before, wanted, args, result)
    report = narrowed(result.outcome.report, settings, args.rule, args.resource)
    if not report.templates and not report.errors:
        say(f"no CloudFormation template in {', '.join(map(shown, paths))}")
    return _delivered(args, before, result, report, stdin)


def _looked(
    args: Namespace, settings: Settings, paths: Sequence[str], stdin: bytes | None, progress: Progress
) -> tuple[Look, Outcome]:
    """What is there, judged by all rules."""
    given = (args.stdin_filename, stdin) if stdin is not None else None
    named = [path for path in paths if path != "-"]
    look = look_at(named, settings, given, args.world, args.jobs, time.strftime("%Y-%m-%d"), progress.step)
    return look, look.outcome()


def _check_resources(names: Iterable[str], report: Report) -> None:
    """Raise UserError for a resource that no rule is about, unless it may be in what could not be judged."""
    known = sorted({one.resource for one in report.results})
    for name in () if report.errors else names:
        if name not in known:
            raise UserError("", 0, 0, f'no rule is about a resource "{name}"{did_you_mean(name, known)}')


def _wanted(args: Namespace, settings: Settings, report: Report, paths: Sequence[str], progress: Progress) -> list[Key]:
    """What is to be fixed."""
    narrow = narrowed(report, settings, args.rule, args.resource)
    if args.diff is not None:
        from trailguard.commands.scan import new_or_worse

        narrow = new_or_worse(args, settings, narrow, paths, progress)
    return [key_of(one) for one in narrow.results if one.is_open]


def _chosen(look: Look, before: Outcome, wanted: Sequence[Key], args: Namespace, result: Repaired) -> Repaired:
    """What is left of a result when a person has been asked about each of its fixes; the rest is proven again."""
    answers: dict[tuple[Key, str], bool] = {}
    while True:
        for plan in result.plans:
            if (plan.key, plan.title) not in answers:
                answers[plan.key, plan.title] = asked(plan, _diff_of(plan, result, before))
        declined = {key for (key, _), yes in answers.items() if not yes}
        if declined.isdisjoint(plan.key for plan in result.plans):
            return result
        result = repaired(look, before, [key for key in wanted if key not in declined], args.unsafe)


def _diff_of(plan: Plan, result: Repaired, before: Outcome) -> str:
    """What a plan changes, as far as that can be told of it by itself."""
    fix = result.fixes.get(plan.key)
    parts = [] if fix is None else [diff(before, name, edits) for name, edits in edits_of(fix, before.files).items()]
    return b"".join(parts).decode("utf-8", "replace")


def _delivered(args: Namespace, before: Outcome, result: Repaired, report: Report, stdin: bytes | None) -> int:
    """Write what is fixed, or show it, and say what is left; give the exit status."""
    edits: Mapping[str, Sequence[Edit]] = dict(sorted(result.edits.items()))
    if args.show_diff:
        status = write_bytes(b"".join(diff(before, name, those) for name, those in edits.items()))
        say(told(result, report, args).rstrip("\n"))
        _say_where(before, edits)
        return max(status, 1 if edits and not report.errors else 0, report.status())
    own = args.stdin_filename if stdin is not None else ""
    together = [plan.files for plan in result.plans]
    faults = written(before, {name: those for name, those in edits.items() if name != own}, together)
    summary = told(result, report, args, [fault.file for fault in faults])
    if stdin is not None:
        status = write_bytes(edited(before, own, edits[own]) if own in edits else stdin)
        say(summary.rstrip("\n"))
    else:
        status = write(summary)
    for fault in faults:
        say(f"error: {shown(fault.file)}: {fault.message}")
    return max(status, report._replace(errors=(*report.errors, *faults)).status())


def _say_where(before: Outcome, names: Iterable[str]) -> None:
    """Say where a diff can be applied, if that is not here: git takes nothing outside the folder that it runs in."""
    paths = [os.path.abspath(before.files[name].path) for name in names]
    folder = os.path.commonpath([os.getcwd(), *map(os.path.dirname, paths)])
    if folder != os.getcwd():
        say(
            f"note: git apply changes only what is below the folder it runs in: run this in {shown(folder)} to apply it"
        )
