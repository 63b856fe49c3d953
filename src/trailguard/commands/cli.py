"""The command line: `trailguard scan | rules | explain | snapshot | graph | facts | test | init`.

Standard output carries the answer alone, everything else goes to standard error. What a command needs is imported when
it runs, so that a small scan starts fast.
"""

from __future__ import annotations

import gc
import os
import sys

from trailguard import __version__
from trailguard.commands.process import Ended, own_process
from trailguard.commands.settings_of import settings_of
from trailguard.commands.streams import DEBUG, flush, read_input, reconfigure, refuse, say, shown, write

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable, Sequence

    from trailguard.findings import Report


def main(argv: Sequence[str] | None = None) -> int:
    """Run the program and give its exit status: 0, 1, 2 as documented, 128 and the signal's number when one ends it.

    Without arguments of its own, it is the whole process, whose streams, signals and warnings are its business.
    """
    # Trees of templates are built and dropped whole; looking for cycles costs a tenth.
    gc.set_threshold(50_000, 20, 100)
    try:
        if argv is None:
            own_process()
        return _run(sys.argv[1:] if argv is None else list(argv))
    except KeyboardInterrupt:
        return 130
    except Ended as end:
        return end.status
    except SystemExit as stop:  # argparse, after --help or a usage error
        return stop.code if isinstance(stop.code, int) else 2
    except Exception as error:
        if os.environ.get(DEBUG):
            raise
        return refuse(error)
    finally:
        flush(sys.stdout)
        flush(sys.stderr)


def _run(argv: list[str]) -> int:
    """Find the command and run it."""
    from trailguard.commands.options import parse
    from trailguard.commands.overview import COMMANDS, overview

    for stream in (sys.stdout, sys.stderr):  # what the encoding lacks is spelled out, never an error
        reconfigure(stream, errors="backslashreplace")
    first = argv[0] if argv else ""
    if first in ("-h", "--help", "help"):
        return _help(argv[1:] if first == "help" else [])
    if first in ("-V", "--version"):
        return write(f"trailguard {__version__}\n")
    if first in COMMANDS:
        return _COMMANDS[first](parse(first, argv[1:]))
    if not first:
        say(overview().rstrip())
        return 2
    return _unknown_command(first, tuple(COMMANDS))


def _help(words: list[str]) -> int:
    """Write the help of the program, or of a command."""
    from trailguard.commands.options import parse
    from trailguard.commands.overview import COMMANDS, overview

    if not words:
        return write(overview())
    if words[0] in COMMANDS:
        parse(words[0], ["--help"])
    return _unknown_command(words[0], tuple(COMMANDS))


def _unknown_command(word: str, known: tuple[str, ...]) -> int:
    from trailguard.errors import did_you_mean

    there = os.path.lexists(word) or word == "-"
    hint = f'; did you mean "trailguard scan {word}"?' if there else did_you_mean(word, known)
    say(f'error: there is no command "{word}"{hint}')
    return 2


def _scan(args: Namespace) -> int:
    from trailguard.commands.scan import scan

    return scan(args)


def _fix(args: Namespace) -> int:
    from trailguard.commands.fix import fix

    return fix(args)


def _rules(args: Namespace) -> int:
    from trailguard.commands import rules_markdown, rules_text
    from trailguard.rulebook import shelf
    from trailguard.rulebook.frameworks import asked_for
    from trailguard.terminal import style_for, width_of

    settings = settings_of(args)
    rulebook = shelf.load(settings)
    selected, frameworks = rulebook.selected, asked_for(settings, rulebook)
    if args.format == "json":
        reconfigure(sys.stdout, encoding="utf-8")
        return write(rules_text.as_json(selected, ", ".join(settings.profiles), tuple(frameworks.values())))
    style, width = style_for(args.color, sys.stdout, os.environ), width_of(sys.stdout, os.environ)
    parts = []
    for name in settings.profiles:
        framework = frameworks.get(name)
        members = rulebook.rules if settings.select else rulebook.profiles[name]
        rules = [rule for rule in selected if rule.id in members]
        if args.format == "markdown":
            told = rules_markdown.framework_table(framework, rules) if framework else rules_markdown.rule_table(rules)
        elif framework is not None:
            told = rules_text.framework_as_text(framework, rules, style, width)
        else:
            told = rules_text.as_text(rules, name, style, width)
        parts.append(told)
    return write("\n".join(parts))


def _explain(args: Namespace) -> int:
    from trailguard.commands import rules_markdown, rules_text
    from trailguard.rulebook import shelf
    from trailguard.terminal import style_for, width_of

    rule = shelf.find(shelf.load(settings_of(args)), args.rule)
    if args.format == "markdown":
        return write(rules_markdown.rule_page(rule))
    style = style_for(args.color, sys.stdout, os.environ)
    return write(rules_text.explain(rule, style, width_of(sys.stdout, os.environ)))


def _baseline(args: Namespace) -> int:
    import json

    from trailguard import files, scanning
    from trailguard.acceptance import baseline
    from trailguard.errors import display_name

    settings = settings_of(args)
    target = args.output or settings.baseline or baseline.DEFAULT
    report = scanning.scan(args.paths or ["."], settings._replace(baseline=""))
    _say_errors(report)
    text = baseline.write(report.results, report.date, baseline.DEFAULT if target == "-" else target)
    if target == "-":
        return write(text) or 2 * bool(report.errors)
    try:
        files.replace(target, text)
    except (OSError, ValueError) as error:
        say(f"error: {files.cannot_write(target, error)}")
        return 2
    recorded = json.loads(text)["findings"]
    say(f"recorded {len(recorded)} findings in {display_name(target)}")
    return 2 * bool(report.errors)


def _say_errors(report: Report) -> None:
    for error in report.errors:
        say(f"error: {error.file}:{error.line}:{error.column}: {error.message}")


def _snapshot(args: Namespace) -> int:
    from trailguard.commands.snapshot import snapshot

    return snapshot(args)


def _graph(args: Namespace) -> int:
    from trailguard import scanning
    from trailguard.reporters import graph

    paths = args.paths or ["."]
    report = scanning.scan(paths, settings_of(args), evidence=True)
    _say_errors(report)
    if not report.chains:
        say(f"no trail in {', '.join(map(shown, paths))}")
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

    stdin = read_input() if args.file == "-" else None
    name = "<stdin>" if stdin is not None else args.file
    try:
        found = factsheet.facts(name, settings_of(args), stdin)
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

    outcome = ruletests.test_rules(args.rules_dir, settings_of(args))
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
    from trailguard import files, init_template
    from trailguard.commands import init_hook
    from trailguard.commands.options import parser_of

    form = args.format or ("json" if args.output.lower().endswith(".json") else "yaml")
    if args.hook:
        usual = parser_of("init").get_default
        parts = [f"--{name}" for name in init_template.SWITCHES if getattr(args, name) != usual(name)]
        if parts:
            say(f"error: --hook has no parts, so that {parts[0]} means nothing")
            return 2
        text = init_hook.template(form)
    else:
        text = init_template.template([name for name in init_template.SWITCHES if getattr(args, name)], form)
    if args.output == "-":
        return write(text)
    try:
        (files.replace if args.force else files.create)(args.output, text)
    except FileExistsError:
        say(f"error: {args.output}: is there already (--force overwrites it)")
        return 2
    except (OSError, ValueError) as error:
        say(f"error: {files.cannot_write(args.output, error)}")
        return 2
    return 0


def _lsp(args: Namespace) -> int:
    from trailguard.commands.lsp import lsp

    return lsp(args)


def _mcp(args: Namespace) -> int:
    from trailguard.commands.mcp import mcp

    return mcp(args)


def _path(args: Namespace) -> int:
    from trailguard.commands.parts import path_of

    return write(path_of(args.part) + "\n")


def _completion(args: Namespace) -> int:
    from trailguard.commands import completion
    from trailguard.rulebook import shelf
    from trailguard.rulebook.frameworks import load_frameworks
    from trailguard.settings.settings import Settings

    book = shelf.load(Settings(profile="all"))
    profiles = sorted({*book.profiles, *load_frameworks(Settings(), book)})
    return write(completion.script(args.shell, profiles, [rule.id for rule in book.selected]))


_COMMANDS: dict[str, Callable[[Namespace], int]] = {
    "scan": _scan,
    "fix": _fix,
    "rules": _rules,
    "explain": _explain,
    "baseline": _baseline,
    "snapshot": _snapshot,
    "graph": _graph,
    "facts": _facts,
    "test": _test,
    "init": _init,
    "lsp": _lsp,
    "mcp": _mcp,
    "path": _path,
    "completion": _completion,
}


if __name__ == "__main__":
    sys.exit(main())
