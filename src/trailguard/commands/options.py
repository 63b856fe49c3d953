"""The options of each command. Only the parser that is asked for is built: building all of them takes 20 ms."""

from __future__ import annotations

import argparse
import re

from trailguard.commands.overview import COMMANDS
from trailguard.commands.parser import AUTO, Parser, choice, days, matching, one_of, pair, processes, repeated
from trailguard.commands.parts import PARTS
from trailguard.errors import did_you_mean
from trailguard.findings import OPEN, SEVERITIES
from trailguard.settings.settings import ACCOUNT_ID, LINTERS, MAX_AGE, PARTITION, REGION

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

FORMATS = ("text", "json", "sarif", "github", "gitlab", "junit", "markdown", "csv", "html")


def _output(value: str) -> tuple[str | None, str]:
    """Split FORMAT:FILE. A single letter is a Windows drive, and anything with a separator is a path."""
    head, colon, tail = value.partition(":")
    if not value or (colon and head in FORMATS and not tail):
        raise argparse.ArgumentTypeError(f'"{value}" names no file')
    if not colon or len(head) < 2 or not re.fullmatch(r"[A-Za-z_-]+", head):
        return None, value
    if head not in FORMATS:
        raise argparse.ArgumentTypeError(
            f'format "{head}" is not known{did_you_mean(head, FORMATS)}; a file is ./{value}'
        )
    return head, tail


def _parser(command: str, usage: str, examples: str) -> Parser:
    return Parser(command, COMMANDS[command], usage, examples)


def _rule_options(parser: Parser) -> None:
    group = parser.add_argument_group("rules")
    text = "rules to apply: default, all, a framework such as cis-aws-5.0 (repeatable, for all their rules)"
    group.add_argument("--profile", action="append", metavar="NAME", help=text)
    repeated(group, "--select", "RULE,…", "apply exactly these: ids, names or prefixes of ids such as TG2")
    repeated(group, "--ignore", "RULE,…", "also exclude these")
    group.add_argument(
        "--rules-dir", action="append", default=[], metavar="DIR", help="folder with your own rules (repeatable)"
    )
    _config_options(parser)


def _config_options(parser: Parser) -> None:
    group = parser.add_argument_group("configuration").add_mutually_exclusive_group()
    group.add_argument(
        "--config", metavar="FILE", help="use this file instead of the nearest .trailguard.yaml or pyproject.toml"
    )
    group.add_argument("--no-config", action="store_true", help="ignore configuration files")


def _deployment_options(parser: Parser) -> None:
    group = parser.add_argument_group("deployment", "Pin what is known; the verdicts then apply to this deployment.")
    group.add_argument(
        "--parameter",
        type=pair,
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="value of a parameter (repeatable)",
    )
    group.add_argument(
        "--parameters",
        action="append",
        default=[],
        metavar="FILE",
        help="file of parameter values (repeatable, later wins)",
    )
    group.add_argument(
        "--region", type=matching(REGION, "a Region such as eu-west-1"), metavar="REGION", help="value of AWS::Region"
    )
    group.add_argument(
        "--account-id", type=matching(ACCOUNT_ID, "12 digits"), metavar="ID", help="value of AWS::AccountId"
    )
    group.add_argument(
        "--partition",
        type=matching(PARTITION, "a partition such as aws or aws-cn"),
        metavar="NAME",
        help="value of AWS::Partition",
    )


def _colour_option(parser: Parser) -> None:
    choice(
        parser, "--color", ("auto", "always", "never"), "colour (default: on a terminal; NO_COLOR is honoured)", "auto"
    )


def _linters(parser: Any, name: str, text: str, dest: str) -> None:
    kind, shown = one_of(LINTERS), "|".join(LINTERS)
    parser.add_argument(name, type=kind, action="append", default=[], metavar=shown, dest=dest, help=text)


def _scan() -> Parser:
    parser = _parser(
        "scan",
        "[OPTION…] [PATH…]",
        """\
  trailguard scan
  trailguard scan templates/ --profile cis-aws-5.0 --fail-on conditional
  trailguard scan trail.yaml --parameters prod.json --region eu-west-1
  trailguard scan --output sarif:trailguard.sarif --output json:report.json
  cdk synth | trailguard scan - --stdin-filename app.yaml

exit status:
  0 no finding at or above the threshold, 1 at least one, 2 something could not be judged (2 wins over 1)""",
    )
    parser.add_argument("paths", nargs="*", metavar="PATH", help="files and folders; - is standard input (default: .)")
    parser.add_argument("--watch", action="store_true", help="scan again whenever a file changes, until Ctrl-C")
    _output_options(parser)
    _rule_options(parser)
    _status_options(parser)
    beside = parser.add_argument_group("other linters")
    text = "also run it on the same templates, with one report and one exit status (repeatable)"
    _linters(beside, "--with", text, "companions")
    text = "honor its own comments and Metadata where they suppress an equivalent check (repeatable)"
    _linters(beside, "--foreign-suppressions", text, "foreign_suppressions")
    _deployment_options(parser)
    files = parser.add_argument_group("files")
    _file_options(files)
    files.add_argument(
        "--world",
        action="append",
        default=[],
        metavar="DIR",
        help="also read the templates in DIR, or the snapshot there, but judge only what PATH affects (repeatable)",
    )
    text = f"report snapshots that are more than DAYS old (default: {MAX_AGE})"
    files.add_argument("--max-age", type=days, metavar="DAYS", help=text)
    files.add_argument(
        "--stdin-filename", default="<stdin>", metavar="NAME", help="name for standard input in the report"
    )
    text = "number of parallel processes; auto: one per processor where that saves time (default)"
    files.add_argument("--jobs", type=processes, default=AUTO, metavar="N|auto", help=text)
    return parser


def _output_options(parser: Parser) -> None:
    output = parser.add_argument_group("output")
    choice(output, "--format", FORMATS, "format of the report on standard output (default: text)", None)
    output.add_argument(
        "--output",
        type=_output,
        action="append",
        default=[],
        metavar="[FORMAT:]FILE",
        help="write the report to FILE instead of standard output, or with FORMAT: in addition to it (repeatable)",
    )
    _colour_option(parser)
    loudness = output.add_mutually_exclusive_group()
    loudness.add_argument("-q", "--quiet", action="store_true", help="one line for each finding, no summary")
    loudness.add_argument("-v", "--verbose", action="store_true", help="also list passed rules and skipped files")
    text = "print tables of the findings by rule and by file at the end"
    output.add_argument("--statistics", action="store_true", help=text)
    text = "name the git revision and the date in the report, which then differs from day to day"
    output.add_argument("--stamp", action="store_true", help=text)
    text = "keep suppressed results in SARIF, marked as such; GitHub opens an alert for each nevertheless"
    output.add_argument("--sarif-suppressed", action="store_true", help=text)
    text = "print to standard error how long each template and rule took"
    output.add_argument("--profile-time", action="store_true", help=text)


def _status_options(parser: Parser) -> None:
    status = parser.add_argument_group("exit status")
    choice(status, "--fail-on", OPEN, "the mildest verdict that makes the status 1 (default: fail)", None)
    choice(status, "--fail-severity", SEVERITIES, "the lowest severity that makes the status 1 (default: info)", None)
    text = "the lowest severity that is judged, shown and counted (default: info)"
    choice(status, "--min-severity", SEVERITIES, text, None)
    status.add_argument(
        "--exit-zero", action="store_true", default=None, help="exit with 0 instead of 1, for a gradual roll-out"
    )
    text = "report only what is new or worse compared with a git revision"
    status.add_argument("--diff", "--since", metavar="REV", help=text)
    status.add_argument(
        "--baseline", metavar="FILE", help="ignore findings that `trailguard baseline` recorded in FILE"
    )
    status.add_argument(
        "--require-templates", action="store_true", help="exit with 2 if no CloudFormation template is found"
    )


def _file_options(group: Any) -> None:
    repeated(group, "--include", "GLOB,…", "in folders, read these files instead of the usual ones")
    repeated(group, "--exclude", "GLOB,…", "also exclude these files and folders")


def _rules() -> Parser:
    parser = _parser(
        "rules",
        "[OPTION…]",
        "  trailguard rules --profile cis-aws-5.0 --profile hipaa\n  trailguard rules --profile all --format markdown",
    )
    choice(parser, "--format", ("text", "json", "markdown"), "how to write the list (default: text)", "text")
    _colour_option(parser)
    _rule_options(parser)
    return parser


def _explain() -> Parser:
    parser = _parser(
        "explain",
        "[OPTION…] ID|NAME",
        "  trailguard explain TG104\n  trailguard explain depends-on-bucket-policy",
    )
    parser.add_argument("rule", metavar="ID|NAME", help="the rule")
    choice(parser, "--format", ("text", "markdown"), "how to write it (default: text)", "text")
    _colour_option(parser)
    parser.add_argument("--rules-dir", action="append", default=[], metavar="DIR", help="folder with your own rules")
    _config_options(parser)
    return parser


def _baseline() -> Parser:
    parser = _parser(
        "baseline",
        "[OPTION…] [PATH…]",
        """\
  trailguard baseline
  trailguard scan --baseline .trailguard-baseline.json

exit status:
  0 recorded, 2 something could not be judged, or the file cannot be written""",
    )
    parser.add_argument("paths", nargs="*", metavar="PATH", help="files and folders (default: .)")
    text = "file to write (default: the configuration's baseline, else .trailguard-baseline.json)"
    parser.add_argument("--output", metavar="FILE", help=text)
    _rule_options(parser)
    _deployment_options(parser)
    _file_options(parser.add_argument_group("files"))
    return parser


def _graph() -> Parser:
    parser = _parser(
        "graph",
        "[OPTION…] [PATH…]",
        """\
  trailguard graph templates/ > chain.mmd
  trailguard graph --profile all --format dot | dot -Tsvg > chain.svg

exit status:
  0 drawn, 2 something could not be judged""",
    )
    parser.add_argument("paths", nargs="*", metavar="PATH", help="files and folders (default: .)")
    choice(parser, "--format", ("mermaid", "dot", "json"), "how to write it (default: mermaid)", "mermaid")
    _rule_options(parser)
    _deployment_options(parser)
    files = parser.add_argument_group("files")
    _file_options(files)
    return parser


def _facts() -> Parser:
    parser = _parser(
        "facts",
        "[OPTION…] FILE | --list",
        "  trailguard facts trail.yaml\n  trailguard facts trail.yaml --parameter MultiRegion=false\n"
        "  trailguard facts --list",
    )
    parser.add_argument("file", nargs="?", metavar="FILE", help="a template; - is standard input")
    parser.add_argument("--list", action="store_true", help="list every fact that rules can use, with its meaning")
    choice(parser, "--format", ("text", "json", "markdown"), "how to write the list (default: text)", None)
    _colour_option(parser)
    _deployment_options(parser)
    _config_options(parser)
    return parser


def _test() -> Parser:
    parser = _parser("test", "[OPTION…] [RULES_DIR]", "  trailguard test\n  trailguard test my-rules/")
    parser.add_argument(
        "rules_dir", nargs="?", metavar="RULES_DIR", help="a folder of rules (default: the built-in rules)"
    )
    choice(parser, "--format", ("text", "json"), "how to write the outcome (default: text)", "text")
    _colour_option(parser)
    parser.add_argument("-v", "--verbose", action="store_true", help="also list the examples that pass")
    _config_options(parser)
    return parser


def _init() -> Parser:
    parser = _parser(
        "init",
        "[OPTION…]",
        """\
  trailguard init > trail.yaml
  trailguard init --organization --sns --output trail.yaml
  trailguard init --no-cloudwatch --format json | jq .Resources

exit status:
  0 written, 2 it cannot be written, or the file is there already""",
    )
    text = "YAML with explanatory comments, or JSON (default: by the file's name, else yaml)"
    choice(parser, "--format", ("yaml", "json"), text, None)
    parser.add_argument("--output", default="-", metavar="FILE", help="write to FILE instead of standard output")
    parser.add_argument("--force", action="store_true", help="overwrite FILE")
    parts = parser.add_argument_group("parts")
    _switch(parts, "--organization", "record every account of the organization (default: one account)", False)
    _switch(parts, "--kms", "encrypt the logs with a key of their own (default: yes)", True)
    _switch(parts, "--cloudwatch", "copy the events to CloudWatch Logs, and watch the trail (default: yes)", True)
    _switch(parts, "--sns", "tell a topic of each log file (default: no)", False)
    return parser


def _switch(parser: Any, name: str, text: str, default: bool) -> None:
    action = parser.add_argument(name, action=argparse.BooleanOptionalAction, help=text)
    action.default = default  # given at once, older Pythons add it to the help in their own words


def _path() -> Parser:
    parser = _parser(
        "path",
        "NAME",
        """\
  checkov -d . --external-checks-dir "$(trailguard path checkov)"
  cfn-lint -a "$(trailguard path cfn-lint)" -- template.yaml
  trailguard path config-schema""",
    )
    text = "folders of checks for a linter; JSON Schemas of .trailguard.yaml, the JSON report and rule.yaml"
    parser.add_argument("part", type=one_of(tuple(PARTS)), metavar="NAME", choices=tuple(PARTS), help=text)
    return parser


def _completion() -> Parser:
    parser = _parser(
        "completion",
        "SHELL",
        """\
  source <(trailguard completion bash)
  trailguard completion zsh > "${fpath[1]}/_trailguard"
  trailguard completion fish > ~/.config/fish/completions/trailguard.fish""",
    )
    choice(parser, "shell", ("bash", "zsh", "fish"), "bash, zsh or fish", None)
    return parser


_PARSERS = {
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


def parser_of(command: str) -> Parser:
    """The parser of a command."""
    return _PARSERS[command]()


def parse(command: str, argv: Sequence[str]) -> argparse.Namespace:
    """Read the options of a command; ends the program on a usage error or on --help."""
    return parser_of(command).read(argv)
