"""The command line: `trailguard scan | rules | explain | graph | facts | test | init`.

Standard output carries the answer alone, everything else goes to standard error. What a command needs is imported when
it runs, so that a small scan starts fast.
"""

from __future__ import annotations

import gc
import os
import sys

from trailguard import __version__
from trailguard.commands.streams import flush, reconfigure, say, write

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable, Sequence
    from typing import Any

    from trailguard.findings import Report
    from trailguard.settings.settings import Settings

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
        flush(sys.stdout)
        flush(sys.stderr)


def _run(argv: list[str]) -> int:
    """Find the command and run it."""
    from trailguard.commands.options import COMMANDS, overview, parse

    for stream in (sys.stdout, sys.stderr):  # what the encoding lacks is spelled out, never an error
        reconfigure(stream, errors="backslashreplace")
    first = argv[0] if argv else ""
    if first in ("-h", "--help", "help"):
        return write(overview())
    if first in ("-V", "--version"):
        return write(f"trailguard {__version__}\n")
    if first in COMMANDS:
        return _COMMANDS[first](parse(first, argv[1:]))
    if not first:
        say(overview().rstrip())
        return 2
    return _unknown_command(first, tuple(COMMANDS))


def _unknown_command(word: str, known: tuple[str, ...]) -> int:
    from trailguard.errors import did_you_mean

    there = os.path.lexists(word) or word == "-"
    hint = f'; did you mean "trailguard scan {word}"?' if there else did_you_mean(word, known)
    say(f'error: there is no command "{word}"{hint}')
    return 2


def _refuse(error: Exception) -> int:
    """Say what stops the command: the user's configuration, rule or file, or a bug of ours."""
    from trailguard.errors import UserError

    if isinstance(error, UserError):
        say(f"error: {error}")
    elif isinstance(error, OSError) and error.strerror:
        say(f"error: {f'{error.filename}: ' if error.filename else ''}{error.strerror}")
    else:
        say(f"error: internal error: {type(error).__name__}: {error} (set {DEBUG}=1 to see where; please report it)")
    return 2


def _scan(args: Namespace) -> int:
    if not args.watch:
        return _scan_once(args)
    from trailguard.commands.watching import Snapshot, changes, snapshot
    from trailguard.settings.settings import Settings
    from trailguard.terminal import is_terminal

    paths = args.paths or ["."]
    if "-" in paths:
        say("error: standard input cannot be watched")
        return 2

    def look() -> Snapshot:
        try:
            return snapshot(paths, _settings(args, quiet=True))
        except Exception:  # a configuration that is being edited
            return snapshot(paths, Settings())

    for changed in changes(look):
        if is_terminal(sys.stdout):
            write("\x1b[2J\x1b[H")
        if changed:
            say(f"changed: {', '.join(changed[:5])}{', …' if len(changed) > 5 else ''}")
        try:
            _scan_once(args)
        except Exception as error:
            _refuse(error)
        say("watching; Ctrl-C ends it")
    return 0


def _scan_once(args: Namespace) -> int:
    from trailguard import scanning
    from trailguard.commands.output import is_wanted, write_report
    from trailguard.commands.progress import Progress

    settings = _settings(args)
    paths = args.paths or ["."]
    if paths.count("-") > 1:
        say('error: "-" can be given once')
        return 2
    beside = []
    if args.companions:
        from trailguard.hosts import companions

        beside = companions.programs(args.companions)
    stdin = sys.stdin.buffer.read() if "-" in paths else None
    given = {"stdin": stdin, "stdin_filename": args.stdin_filename, "jobs": args.jobs, "world": args.world}
    given["timed"] = args.profile_time
    with Progress(not args.quiet) as progress:
        report = scanning.scan(paths, settings, **given, evidence=is_wanted("html", args), tick=progress.step)
        if beside:
            progress.say(f"running {' and '.join(name for name, _ in beside)}")
            named = (args.stdin_filename, stdin) if stdin is not None else None
            report = companions.joined(report, beside, settings, named)
    if args.diff is not None:
        from trailguard.acceptance import since

        report, note = since.narrowed(report, args.diff, os.getcwd())
        say(note)
    if not report.templates and not report.errors:
        say(f"no CloudFormation template in {', '.join(map(_shown, paths))}")
    elif not report.subjects and not report.errors:
        say(f"no trail to judge in {', '.join(map(_shown, paths))}")
    incomplete = report.errors or (args.require_templates and not report.templates)
    status = write_report(report, args)
    if args.profile_time:
        from trailguard.commands.timings import summary

        say(summary(report))
    return 2 if incomplete else status or _threshold(report, settings)


def _shown(path: str) -> str:
    return "standard input" if path == "-" else path


def _threshold(report: Report, settings: Settings) -> int:
    """Tell whether a finding is at or above the threshold."""
    from trailguard.findings import counts

    return int(any(counts(item, settings.fail_on, settings.min_severity) for item in report.results))


def _settings(args: Namespace, quiet: bool = False) -> Settings:
    """Combine the configuration file with the options: what is chosen replaces, what is added adds."""
    from trailguard.settings.settings import Settings, load

    settings = Settings() if args.no_config else load(os.curdir, args.config)
    for note in settings.notes if not quiet else ():
        say(f"note: {note}")
    wanted = {
        key: getattr(args, key, None)
        for key in ("profile", "region", "account_id", "partition", "fail_on", "min_severity", "baseline")
    }
    changes: dict[str, Any] = {key: value for key, value in wanted.items() if value is not None}
    if wanted["profile"] is not None:
        changes["select"] = ()  # the profile that is asked for is the one to get
    for key in ("select", "include", "foreign_suppressions"):
        if getattr(args, key, None):
            changes[key] = tuple(getattr(args, key))
    for key in ("ignore", "exclude"):
        changes[key] = (*getattr(settings, key), *getattr(args, key, ()))
    given = getattr(args, "rules_dir", None)
    if isinstance(given, list):
        changes["rule_dirs"] = (*settings.rule_dirs, *given)
    asked: dict[str, str] = {}
    if getattr(args, "parameters", ()):
        from trailguard.settings.parameters import parameters_file

        for path in args.parameters:
            asked.update(parameters_file(path))
    asked.update(getattr(args, "parameter", ()))
    places = {key: changes[key] for key in ("region", "account_id", "partition") if key in changes}
    contexts = (  # what the command line says goes before what a context says
        context._replace(parameters={**context.parameters, **asked}, **places) for context in settings.contexts
    )
    return settings._replace(**changes, parameters={**settings.parameters, **asked}, contexts=tuple(contexts))


def _rules(args: Namespace) -> int:
    from trailguard.commands import rules_markdown, rules_text
    from trailguard.rulebook import shelf
    from trailguard.rulebook.frameworks import framework_of
    from trailguard.terminal import style_for, width_of

    settings = _settings(args)
    selected = shelf.load(settings).selected
    framework = framework_of(settings, settings.profile, selected)
    if args.format == "json":
        reconfigure(sys.stdout, encoding="utf-8")
        return write(rules_text.as_json(selected, settings.profile, framework))
    if args.format == "markdown":
        if framework is not None:
            return write(rules_markdown.framework_table(framework, selected))
        return write(rules_markdown.rule_table(selected))
    style, width = style_for(args.color, sys.stdout, os.environ), width_of(sys.stdout, os.environ)
    if framework is not None:
        return write(rules_text.framework_as_text(framework, selected, style, width))
    return write(rules_text.as_text(selected, settings.profile, style, width))


def _explain(args: Namespace) -> int:
    from trailguard.commands import rules_markdown, rules_text
    from trailguard.rulebook import shelf
    from trailguard.terminal import style_for, width_of

    rule = shelf.find(shelf.load(_settings(args)), args.rule)
    if args.format == "markdown":
        return write(rules_markdown.rule_page(rule))
    style = style_for(args.color, sys.stdout, os.environ)
    return write(rules_text.explain(rule, style, width_of(sys.stdout, os.environ)))


def _baseline(args: Namespace) -> int:
    from trailguard import scanning
    from trailguard.acceptance import baseline
    from trailguard.errors import display_name

    settings = _settings(args)
    target = args.output or settings.baseline or baseline.DEFAULT
    report = scanning.scan(args.paths or ["."], settings._replace(baseline=""))
    _say_errors(report)
    text = baseline.write(report.results, report.date)
    if target == "-":
        return write(text) or 2 * bool(report.errors)
    with open(target, "w", encoding="utf-8", newline="\n") as stream:
        stream.write(text)
    say(f"recorded {text.count('fingerprint')} findings in {display_name(target)}")
    return 2 * bool(report.errors)


def _say_errors(report: Report) -> None:
    for error in report.errors:
        say(f"error: {error.file}:{error.line}:{error.column}: {error.message}")


def _graph(args: Namespace) -> int:
    from trailguard import scanning
    from trailguard.reporters import graph

    paths = args.paths or ["."]
    report = scanning.scan(paths, _settings(args), evidence=True)
    _say_errors(report)
    if not report.chains:
        say(f"no trail in {', '.join(map(_shown, paths))}")
    reconfigure(sys.stdout, encoding="utf-8")
    status = write(graph.render(report.chains, args.format))
    return 2 if report.errors else status


def _facts(args: Namespace) -> int:
    if args.list:
        return _fact_list(args)
    if args.file is None:
        say("error: name a template, or list all facts with --list")
        return 2
    if args.format is not None:
        say("error: --format is for --list; the facts of a template are JSON")
        return 2
    import json

    from trailguard.cloudformation.source.nodes import SourceError
    from trailguard.errors import UserError
    from trailguard.judging import factsheet
    from trailguard.reporters.common import json_safe

    stdin = sys.stdin.buffer.read() if args.file == "-" else None
    name = "<stdin>" if stdin is not None else args.file
    try:
        found = factsheet.facts(name, _settings(args), stdin)
    except SourceError as error:
        raise UserError(name, error.line, error.column, error.message) from None
    reconfigure(sys.stdout, encoding="utf-8")
    return write(json_safe(json.dumps(found, ensure_ascii=False, indent=2)) + "\n")


def _fact_list(args: Namespace) -> int:
    from trailguard.commands import facts_text
    from trailguard.terminal import style_for, width_of
    from trailguard.trails.catalog import known_facts

    if args.file is not None:
        say("error: --list takes no template")
        return 2
    known = known_facts()
    reconfigure(sys.stdout, encoding="utf-8")
    if args.format == "json":
        return write(facts_text.as_json(known))
    if args.format == "markdown":
        return write(facts_text.as_markdown(known))
    style = style_for(args.color, sys.stdout, os.environ)
    return write(facts_text.as_text(known, style, width_of(sys.stdout, os.environ)))


def _test(args: Namespace) -> int:
    from trailguard.commands import rules_text
    from trailguard.judging import ruletests
    from trailguard.terminal import style_for, width_of

    outcome = ruletests.test_rules(args.rules_dir, _settings(args))
    if args.format == "json":
        reconfigure(sys.stdout, encoding="utf-8")
        status = write(rules_text.test_as_json(outcome))
    else:
        style = style_for(args.color, sys.stdout, os.environ)
        status = write(rules_text.test_as_text(outcome, style, width_of(sys.stdout, os.environ), args.verbose))
    if outcome.errors or not outcome.cases:
        return 2
    return status or int(not all(case.ok for case in outcome.cases))


def _init(args: Namespace) -> int:
    from trailguard.commands import init_template

    form = args.format or ("json" if args.output.lower().endswith(".json") else "yaml")
    text = init_template.template([name for name in init_template.SWITCHES if getattr(args, name)], form)
    if args.output == "-":
        return write(text)
    try:
        with open(args.output, "w" if args.force else "x", encoding="utf-8", newline="\n") as stream:
            stream.write(text)
    except FileExistsError:
        say(f"error: {args.output}: is there already (--force overwrites it)")
        return 2
    return 0


def _path(args: Namespace) -> int:
    from trailguard import hosts

    folder = {"cfn-lint": "cfn_lint_rules", "checkov": "checkov_checks"}[args.linter]
    return write(os.path.join(os.path.dirname(os.path.abspath(hosts.__file__)), folder) + "\n")


def _completion(args: Namespace) -> int:
    from trailguard.commands import completion
    from trailguard.rulebook import shelf
    from trailguard.rulebook.frameworks import load_frameworks
    from trailguard.settings.settings import Settings

    book = shelf.load(Settings(profile="all"))
    profiles = sorted({*book.profiles, *load_frameworks(Settings())})
    return write(completion.script(args.shell, profiles, [rule.id for rule in book.selected]))


_COMMANDS: dict[str, Callable[[Namespace], int]] = {
    "scan": _scan,
    "rules": _rules,
    "explain": _explain,
    "baseline": _baseline,
    "graph": _graph,
    "facts": _facts,
    "test": _test,
    "init": _init,
    "path": _path,
    "completion": _completion,
}


if __name__ == "__main__":
    sys.exit(main())
