"""Where the reports of a scan go: standard output and files, each in its format."""

from __future__ import annotations

import os
import sys
from importlib import import_module

from trailguard.commands.streams import reconfigure, say, write
from trailguard.files import cannot_write, replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from typing import IO

    from trailguard.commands.progress import Progress
    from trailguard.findings import Report


WITH_FIXES = ("json", "sarif", "github", "gitlab")  # the formats that carry fixes
WITH_EVIDENCE = ("html", "oscal", "ocsf")  # the formats that tell of frameworks


def write_report(report: Report, args: Namespace, progress: Progress) -> int:
    """Write the report wherever it is wanted; 2 when some file cannot be written."""
    status = 0
    wanted = max(len(args.output), 1)
    printed = [args.format] if all(form for form, _ in args.output) else []
    for count, (form, path) in enumerate(args.output):
        progress.step(count, wanted, "writing")
        if path == "-":
            printed.append(form or args.format)
            continue
        text = _render(report, form or args.format or _by_extension(path), args, None)
        try:
            replace(path, text)
        except (OSError, ValueError) as error:
            progress.wipe()
            say(f"error: {cannot_write(path, error)}")
            status = 2
    status = max(status, *(_print_report(report, form, args, progress) for form in printed), 0)
    if args.statistics:
        from trailguard.reporters import statistics

        table = statistics.render(report)
        if printed in ([None], ["text"]):  # other formats are for programs
            return max(status, write("\n" + table))
        say(table.rstrip())
    return status


def is_wanted(form: str, args: Namespace) -> bool:
    """Tell whether a format is among those asked for."""
    return any(form == (given or args.format or _by_extension(path)) for given, path in [(None, "-"), *args.output])


def _by_extension(path: str) -> str:
    name = path.lower()
    for form in ("oscal", "ocsf"):  # both are JSON, and the names for them that others know say which
        if name.endswith((f".{form}.json", f".{form}.jsonl")):
            return form
    known = {".json": "json", ".sarif": "sarif", ".xml": "junit", ".md": "markdown", ".csv": "csv", ".html": "html"}
    return known.get(os.path.splitext(name)[1], "text")


def _print_report(report: Report, form: str | None, args: Namespace, progress: Progress) -> int:
    form = form or "text"
    if form != "text":
        reconfigure(sys.stdout, encoding="utf-8", newline="\n")
    wanted = max(len(args.output), 1)
    progress.step(wanted - 1, wanted, "writing")
    text = _render(report, form, args, sys.stdout)
    progress.wipe()  # it may be the same terminal
    return write(text)


def _render(report: Report, form: str, args: Namespace, stream: IO[str] | None) -> str:
    """Render the report in one format; `stream` is None for a file."""
    cwd = os.getcwd()
    if form == "text":
        from trailguard.reporters import text
        from trailguard.terminal import Style, style_for, width_of

        style = Style(args.color == "always") if stream is None else style_for(args.color, stream, os.environ)
        width = width_of(stream, os.environ)
        return text.render(report, style, width, int(args.verbose) - int(args.quiet))
    reporter = import_module(f"trailguard.reporters.{_MODULES.get(form, form)}")
    if form not in _ROOTS:
        return str(reporter.render(report))
    from trailguard.reading.ignored import repository

    more = {"suppressed": True} if form == "sarif" and args.sarif_suppressed else {}
    return str(reporter.render(report, os.environ.get(_ROOTS[form]) or repository(cwd) or cwd, cwd, **more))


_MODULES = {"json": "json_report", "csv": "csv_report", "html": "html_report"}
# The formats that name files from the repository's root, and the variable in which a CI runner tells where that is.
_ROOTS = {"sarif": "", "github": "GITHUB_WORKSPACE", "gitlab": "CI_PROJECT_DIR"}
