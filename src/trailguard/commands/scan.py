"""`trailguard scan`: judge, report, and say by the exit status whether something was found."""

from __future__ import annotations

import os
import sys

from trailguard.commands.settings_of import settings_of
from trailguard.commands.streams import read_input, refuse, say, shown, write
from trailguard.errors import UserError
from trailguard.findings import FileError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Sequence

    from trailguard.commands.progress import Progress
    from trailguard.findings import Report
    from trailguard.settings.settings import Settings


def scan(args: Namespace) -> int:
    """Scan once, or whenever a file changes; give the exit status."""
    if not args.watch:
        return _once(args)
    from trailguard.commands.watching import Snapshot, changes, snapshot
    from trailguard.settings.settings import Settings
    from trailguard.terminal import is_terminal

    paths = args.paths or ["."]
    if "-" in paths:
        say("error: standard input cannot be watched")
        return 2

    def look() -> Snapshot:
        try:
            return snapshot(paths, settings_of(args, quiet=True))
        except Exception:  # a configuration that is being edited
            return snapshot(paths, Settings())

    for changed in changes(look):
        if is_terminal(sys.stdout):
            write("\x1b[2J\x1b[H")
        if changed:
            say(f"changed: {', '.join(changed[:5])}{', …' if len(changed) > 5 else ''}")
        try:
            _once(args)
        except Exception as error:
            refuse(error)
        say("watching; Ctrl-C ends it")
    return 0


def _once(args: Namespace) -> int:
    from trailguard.commands.progress import Progress

    settings = settings_of(args)
    paths = args.paths or ["."]
    if paths.count("-") > 1:
        say('error: "-" can be given once')
        return 2
    stdin = read_input() if "-" in paths else None
    with Progress(not args.quiet) as progress:
        report = _judge(args, settings, paths, stdin, progress)
        if args.diff is not None:
            report = new_or_worse(args, settings, report, paths, progress)
        status = _told(args, report, paths, progress)
    if args.profile_time:
        from trailguard.commands.timings import summary

        say(summary(report))
    return status


def _told(args: Namespace, report: Report, paths: Sequence[str], progress: Progress) -> int:
    """Write the report and what there is to say beside it; give the exit status."""
    from trailguard.commands.circumstances import stated
    from trailguard.commands.output import write_report

    progress.wipe()
    if not report.templates and not report.errors:
        say(f"no CloudFormation template in {', '.join(map(shown, paths))}")
    elif not report.subjects and not report.errors:
        say(f"no trail to judge in {', '.join(map(shown, paths))}")
    if args.require_templates and not report.templates:
        places = ", ".join(map(shown, paths))
        report = report._replace(errors=(*report.errors, FileError(places, 0, 0, "no CloudFormation template there")))
    return max(write_report(stated(report, args), args, progress), report.status())


def _judge(
    args: Namespace, settings: Settings, paths: Sequence[str], stdin: bytes | None, progress: Progress
) -> Report:
    """The report of a scan, and of the linters that run beside it."""
    from trailguard import scanning
    from trailguard.commands.output import WITH_EVIDENCE, WITH_FIXES, is_wanted

    beside = []
    if args.companions:
        from trailguard.hosts import companions

        beside = companions.programs(args.companions)
    given = {"stdin": stdin, "stdin_filename": args.stdin_filename, "jobs": args.jobs, "world": args.world}
    given["timed"] = args.profile_time
    evidence = any(is_wanted(form, args) for form in WITH_EVIDENCE)
    report = scanning.scan(paths, settings, **given, evidence=evidence, tick=progress.step)
    if not args.no_fixes and any(is_wanted(form, args) for form in WITH_FIXES) and _faults(report):
        progress.say("looking for fixes")
        report = _with_fixes(report, args, settings, paths, stdin)
    if beside:
        progress.say(f"running {' and '.join(name for name, _ in beside)}")
        named = (args.stdin_filename, stdin) if stdin is not None else None
        report = companions.joined(report, beside, settings, named)
    return report


def _faults(report: Report) -> bool:
    """Tell whether there may be something to fix."""
    return any(one.is_fault for one in report.results)


def _with_fixes(
    report: Report, args: Namespace, settings: Settings, paths: Sequence[str], stdin: bytes | None
) -> Report:
    """The report with the fixes of its findings."""
    from trailguard.fixes.reporting import look_at, with_offers

    given = (args.stdin_filename, stdin) if stdin is not None else None
    named = [path for path in paths if path != "-"]
    return with_offers(report, look_at(named, settings, given, args.world, args.jobs, report.date))


def new_or_worse(
    args: Namespace, settings: Settings, report: Report, paths: Sequence[str], progress: Progress
) -> Report:
    """The part of a report that is new or worse than it was in a git revision."""
    from trailguard.acceptance import since

    progress.say(f"judging {args.diff}")
    here = os.getcwd()
    with since.checked_out(args.diff, here) as folder:
        os.chdir(folder)
        try:
            before = _before(args, settings, paths, here, progress)
        finally:
            os.chdir(here)
    narrow, note = since.narrowed(report, before, args.diff)
    progress.wipe()
    if note:
        say(note)
    return narrow


def _before(args: Namespace, now: Settings, paths: Sequence[str], here: str, progress: Progress) -> Report:
    """The report as it would have been in this folder; with the settings of now where the old ones cannot be read."""
    from copy import copy

    old = copy(args)
    old.no_fixes = True
    old.world = [_from(here, path) for path in args.world]
    named = [args.stdin_filename if path == "-" else _from(here, path) for path in paths]
    try:
        settings = settings_of(old, quiet=True)
    except UserError:
        settings = now._replace(root=now.root and os.path.abspath(os.path.relpath(now.root, here)))
    there = [path for path in named if os.path.lexists(path)]
    return _judge(old, settings._replace(baseline=""), there, None, progress)


def _from(here: str, path: str) -> str:
    """A path as it is seen from a folder, so that it means the same in another place."""
    return os.path.relpath(path, here) if os.path.isabs(path) else path
