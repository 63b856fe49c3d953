"""The command line: `trailguard scan | rules | explain | graph | facts | test | init`.

Standard output carries the answer alone, everything else goes to standard error. What a command needs is imported when
it runs, so that a small scan starts fast.
"""

from __future__ import annotations

import gc
import os
import sys
from importlib import import_module

from trailguard import __version__

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable, Sequence
    from typing import IO, Any

    from trailguard.config import Settings
    from trailguard.findings import Report

DEBUG = "TRAILGUARD_DEBUG"


def main(argv: Sequence[str] | None = None) -> int:
    """Run the program and give its exit status: 0, 1, 2 as documented, 130 when it is interrupted."""
    # Trees of templates are built and dropped whole; looking for cycles costs a tenth.
    gc.set_threshold(50_000, 20, 100)
    try:
        return _run(sys.argv[1:] if argv is None else list(argv))
    except KeyboardInterrupt:
        return 130
    except SystemExit as stop:  # argparse, after --help or a usage error
        return stop.code if isinstance(stop.code, int) else 2
    except Exception as error:
        if os.environ.get(DEBUG):
            raise
        return _refuse(error)
    finally:
        _flush(sys.stdout)
        _flush(sys.stderr)


def _run(argv: list[str]) -> int:
    """Find the command and run it."""
    from trailguard.arguments import COMMANDS, overview, parse

    for stream in (sys.stdout, sys.stderr):  # what the encoding lacks is spelled out, never an error
        _reconfigure(stream, errors="backslashreplace")
    first = argv[0] if argv else ""
    if first in ("-h", "--help", "help"):
        return _write(overview())
    if first in ("-V", "--version"):
        return _write(f"trailguard {__version__}\n")
    if first in COMMANDS:
        return _COMMANDS[first](parse(first, argv[1:]))
    if not first:
        _say(overview().rstrip())
        return 2
    return _unknown_command(first, tuple(COMMANDS))


def _unknown_command(word: str, known: tuple[str, ...]) -> int:
    from trailguard.config import nearest

    there = os.path.lexists(word) or word == "-"
    hint = f'; did you mean "trailguard scan {word}"?' if there else nearest(word, known)
    _say(f'error: there is no command "{word}"{hint}')
    return 2


def _refuse(error: Exception) -> int:
    """Say what stops the command: the user's configuration, rule or file, or a bug of ours."""
    place, message = getattr(error, "file", None), getattr(error, "message", None)
    if isinstance(place, str) and isinstance(message, str):
        from trailguard.settings_source import display_name

        place = display_name(place) if os.path.isabs(place) else place
        line, column = getattr(error, "line", 0), getattr(error, "column", 0)
        where = f"{place}:{line}:{column}: " if place and line else f"{place}: " if place else ""
        _say(f"error: {where}{message}")
    elif isinstance(error, OSError) and error.strerror:
        _say(f"error: {f'{error.filename}: ' if error.filename else ''}{error.strerror}")
    else:
        _say(f"error: internal error: {type(error).__name__}: {error} (set {DEBUG}=1 to see where; please report it)")
    return 2


def _scan(args: Namespace) -> int:
    from trailguard import scan

    settings = _settings(args)
    paths = args.paths or ["."]
    if paths.count("-") > 1:
        _say('error: "-" can be given once')
        return 2
    stdin = sys.stdin.buffer.read() if "-" in paths else None
    given = {"stdin": stdin, "stdin_filename": args.stdin_filename, "jobs": args.jobs, "world": args.world}
    report = scan.scan(paths, settings, evidence=_is_wanted("html", args), **given)
    if args.diff is not None:
        from trailguard import changes

        report, note = changes.narrowed(report, args.diff, os.getcwd())
        _say(note)
    if not report.templates and not report.errors:
        _say(f"no CloudFormation template in {', '.join(map(_shown, paths))}")
    elif not report.subjects and not report.errors:
        _say(f"no trail to judge in {', '.join(map(_shown, paths))}")
    status = _report(report, args) or _threshold(report, settings)
    return 2 if report.errors or (args.require_templates and not report.templates) else status


def _shown(path: str) -> str:
    return "standard input" if path == "-" else path


def _threshold(report: Report, settings: Settings) -> int:
    """Tell whether a finding is at or above the threshold."""
    from trailguard.findings import SEVERITIES, VERDICTS

    verdicts = VERDICTS[: VERDICTS.index(settings.fail_on) + 1]
    severities = SEVERITIES[: SEVERITIES.index(settings.min_severity) + 1]
    counted = (item for item in report.results if not item.suppressed)
    return int(any(item.verdict in verdicts and item.severity in severities for item in counted))


def _report(report: Report, args: Namespace) -> int:
    """Write the report wherever it is wanted; 2 when some file cannot be written."""
    status = 0
    printed = [args.format] if all(form for form, _ in args.output) else []
    for form, path in args.output:
        if path == "-":
            printed.append(form or args.format)
            continue
        text = _render(report, form or args.format or _by_extension(path), args, None)
        try:
            with open(path, "w", encoding="utf-8", errors="backslashreplace", newline="\n") as stream:
                stream.write(text)
        except (OSError, ValueError) as error:
            _say(f"error: {path}: cannot be written: {getattr(error, 'strerror', None) or error}")
            status = 2
    return max(status, *(_print_report(report, form, args) for form in printed), 0)


def _is_wanted(form: str, args: Namespace) -> bool:
    return any(form == (given or args.format or _by_extension(path)) for given, path in [(None, "-"), *args.output])


def _by_extension(path: str) -> str:
    known = {".json": "json", ".sarif": "sarif", ".xml": "junit", ".md": "markdown", ".csv": "csv", ".html": "html"}
    return known.get(os.path.splitext(path)[1].lower(), "text")


def _print_report(report: Report, form: str | None, args: Namespace) -> int:
    if form not in (None, "text"):
        _reconfigure(sys.stdout, encoding="utf-8", newline="\n")
    return _write(_render(report, form or "text", args, sys.stdout))


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
    from trailguard.discovery import repository

    return str(reporter.render(report, os.environ.get(_ROOTS[form]) or repository(cwd) or cwd, cwd))


_MODULES = {"json": "json_report", "csv": "csv_report", "html": "html_report"}
# The formats that name files from the repository's root, and the variable in which a CI runner tells where that is.
_ROOTS = {"sarif": "", "github": "GITHUB_WORKSPACE", "gitlab": "CI_PROJECT_DIR"}


def _settings(args: Namespace) -> Settings:
    """Combine the configuration file with the options: what is chosen replaces, what is added adds."""
    from trailguard.config import Settings, load, parameters_file

    settings = Settings() if args.no_config else load(os.getcwd(), args.config)
    for note in settings.notes:
        _say(f"note: {note}")
    wanted = {
        key: getattr(args, key, None)
        for key in ("profile", "region", "account_id", "partition", "fail_on", "min_severity", "baseline")
    }
    changes: dict[str, Any] = {key: value for key, value in wanted.items() if value is not None}
    if wanted["profile"] is not None:
        changes["select"] = ()  # the profile that is asked for is the one to get
    for key in ("select", "include"):
        if getattr(args, key, None):
            changes[key] = tuple(getattr(args, key))
    for key in ("ignore", "exclude"):
        changes[key] = (*getattr(settings, key), *getattr(args, key, ()))
    given = getattr(args, "rules_dir", None)
    if isinstance(given, list):
        changes["rule_dirs"] = (*settings.rule_dirs, *given)
    asked: dict[str, str] = {}
    for path in getattr(args, "parameters", ()):
        asked.update(parameters_file(path))
    asked.update(getattr(args, "parameter", ()))
    places = {key: changes[key] for key in ("region", "account_id", "partition") if key in changes}
    contexts = (  # what the command line says goes before what a context says
        context._replace(parameters={**context.parameters, **asked}, **places) for context in settings.contexts
    )
    return settings._replace(**changes, parameters={**settings.parameters, **asked}, contexts=tuple(contexts))


def _rules(args: Namespace) -> int:
    from trailguard import markdown_pages, rule_pages, rulebook
    from trailguard.controls import framework_of
    from trailguard.terminal import style_for, width_of

    settings = _settings(args)
    selected = rulebook.load(settings).selected
    framework = framework_of(settings, settings.profile, selected)
    if args.format == "json":
        _reconfigure(sys.stdout, encoding="utf-8")
        return _write(rule_pages.as_json(selected, settings.profile, framework))
    if args.format == "markdown":
        if framework is not None:
            return _write(markdown_pages.framework_table(framework, selected))
        return _write(markdown_pages.rule_table(selected))
    style, width = style_for(args.color, sys.stdout, os.environ), width_of(sys.stdout, os.environ)
    if framework is not None:
        return _write(rule_pages.framework_as_text(framework, selected, style, width))
    return _write(rule_pages.as_text(selected, settings.profile, style, width))


def _explain(args: Namespace) -> int:
    from trailguard import markdown_pages, rule_pages, rulebook
    from trailguard.terminal import style_for, width_of

    rule = rulebook.find(rulebook.load(_settings(args)), args.rule)
    if args.format == "markdown":
        return _write(markdown_pages.rule_page(rule))
    style = style_for(args.color, sys.stdout, os.environ)
    return _write(rule_pages.explain(rule, style, width_of(sys.stdout, os.environ)))


def _baseline(args: Namespace) -> int:
    from trailguard import baseline, scan
    from trailguard.discovery import display_name
    from trailguard.judging import today

    settings = _settings(args)
    target = args.output or settings.baseline or baseline.DEFAULT
    report = scan.scan(args.paths or ["."], settings._replace(baseline=""))
    _say_errors(report)
    text = baseline.write(report.results, today())
    if target == "-":
        return _write(text) or 2 * bool(report.errors)
    with open(target, "w", encoding="utf-8", newline="\n") as stream:
        stream.write(text)
    _say(f"recorded {text.count('fingerprint')} findings in {display_name(target)}")
    return 2 * bool(report.errors)


def _say_errors(report: Report) -> None:
    for error in report.errors:
        _say(f"error: {error.file}:{error.line}:{error.column}: {error.message}")


def _graph(args: Namespace) -> int:
    from trailguard import graphs, scan

    paths = args.paths or ["."]
    report = scan.scan(paths, _settings(args), evidence=True)
    _say_errors(report)
    if not report.chains:
        _say(f"no trail in {', '.join(map(_shown, paths))}")
    _reconfigure(sys.stdout, encoding="utf-8")
    status = _write(graphs.render(report.chains, args.format))
    return 2 if report.errors else status


def _facts(args: Namespace) -> int:
    import json

    from trailguard import factsheet
    from trailguard.cloudformation.source import SourceError
    from trailguard.config import ConfigError
    from trailguard.reporters.common import json_safe

    stdin = sys.stdin.buffer.read() if args.file == "-" else None
    name = "<stdin>" if stdin is not None else args.file
    try:
        found = factsheet.facts(name, _settings(args), stdin)
    except SourceError as error:
        raise ConfigError(name, error.line, error.column, error.message) from None
    _reconfigure(sys.stdout, encoding="utf-8")
    return _write(json_safe(json.dumps(found, ensure_ascii=False, indent=2)) + "\n")


def _test(args: Namespace) -> int:
    from trailguard import rule_pages, ruletests
    from trailguard.terminal import style_for, width_of

    outcome = ruletests.test_rules(args.rules_dir, _settings(args))
    if args.format == "json":
        _reconfigure(sys.stdout, encoding="utf-8")
        status = _write(rule_pages.test_as_json(outcome))
    else:
        style = style_for(args.color, sys.stdout, os.environ)
        status = _write(rule_pages.test_as_text(outcome, style, width_of(sys.stdout, os.environ), args.verbose))
    if outcome.errors or not outcome.cases:
        return 2
    return status or int(not all(case.ok for case in outcome.cases))


def _init(args: Namespace) -> int:
    from trailguard import initial

    form = args.format or ("json" if args.output.lower().endswith(".json") else "yaml")
    text = initial.template([name for name in initial.SWITCHES if getattr(args, name)], form)
    if args.output == "-":
        return _write(text)
    try:
        with open(args.output, "w" if args.force else "x", encoding="utf-8", newline="\n") as stream:
            stream.write(text)
    except FileExistsError:
        _say(f"error: {args.output}: is there already (--force overwrites it)")
        return 2
    return 0


_COMMANDS: dict[str, Callable[[Namespace], int]] = {
    "scan": _scan,
    "rules": _rules,
    "explain": _explain,
    "baseline": _baseline,
    "graph": _graph,
    "facts": _facts,
    "test": _test,
    "init": _init,
}


def _write(text: str) -> int:
    """Write to standard output; a reader who has gone away is no error, a full disk is."""
    if sys.stdout is None:
        return 0
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        _silence(sys.stdout)
    except OSError as error:
        _silence(sys.stdout)
        _say(f"error: standard output: {error.strerror}")
        return 2
    return 0


def _say(message: str) -> None:
    """Tell something on standard error, in which nothing of a template or a file name can be an escape sequence."""
    from trailguard.terminal import defuse, visible

    try:
        if sys.stderr is not None:
            sys.stderr.write("\n".join(map(visible, defuse(message).split("\n"))) + "\n")
    except OSError:
        _silence(sys.stderr)


def _reconfigure(stream: IO[str] | None, **how: str) -> None:
    change = getattr(stream, "reconfigure", None)
    if change is not None:
        change(**how)


def _flush(stream: IO[str] | None) -> None:
    try:
        if stream is not None:
            stream.flush()
    except (OSError, ValueError):
        _silence(stream)


def _silence(stream: IO[str] | None) -> None:
    """Send what is left to nowhere, so that the interpreter does not complain when it flushes at its end."""
    try:
        if stream is not None:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    except (OSError, ValueError):
        pass


if __name__ == "__main__":
    sys.exit(main())
