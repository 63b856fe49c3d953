"""The options of each command. Only the parser that is asked for is built: building all of them takes 20 ms."""

from __future__ import annotations

import argparse
import os
import re

from trailguard.config import ACCOUNT_ID, FAIL_ON, PARTITION, REGION, nearest
from trailguard.findings import SEVERITIES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any, NoReturn

FORMATS = ("text", "json", "sarif", "github", "gitlab", "junit", "markdown", "csv", "html")

COMMANDS = {
    "scan": "judge templates",
    "rules": "list the rules of a profile",
    "explain": "explain one rule: why, remedy, controls, examples",
    "baseline": "record today's findings, so that only new ones count",
    "graph": "draw the delivery chain of each trail, with verdicts",
    "facts": "print the facts that rules see in a template",
    "test": "run each rule against its own examples",
    "init": "print a template of an audit trail that passes every rule",
}

HELP = """\
usage: trailguard COMMAND [OPTION…] [ARGUMENT…]

Proves that CloudFormation templates record and keep an AWS CloudTrail audit trail, and shows what breaks it.

commands:
{commands}

options:
  -h, --help     show this help; `trailguard COMMAND --help` tells the options of a command
  -V, --version  show the version

examples:
  trailguard scan                          judge every template below this folder
  trailguard scan trail.yaml               judge one
  trailguard scan --profile cis-aws-5.0    with the rules of a framework
  trailguard explain TG104                 tell why a rule matters and what to do
  trailguard init > trail.yaml             start with a template that passes every rule

exit status: 0 nothing found, 1 something found, 2 something could not be judged as asked
"""


def overview() -> str:
    """Write the help of the program itself."""
    return HELP.format(commands="\n".join(f"  {name:<13}  {text}" for name, text in COMMANDS.items()))


class Layout(argparse.RawDescriptionHelpFormatter):
    """Help as wide as the terminal, found without shutil, whose import takes longer than parsing."""

    def __init__(self, prog: str) -> None:
        columns = os.environ.get("COLUMNS", "")
        try:
            width = int(columns) if columns.isdecimal() else os.get_terminal_size().columns
        except (OSError, ValueError):
            width = 80
        super().__init__(prog, width=max(width - 2, 20))


class Parser(argparse.ArgumentParser):
    """A parser whose errors are one line, name the nearest option, and point to the help."""

    def __init__(self, command: str, usage: str, examples: str) -> None:
        super().__init__(
            prog=f"trailguard {command}",
            usage=f"trailguard {command} {usage}",  # making it up takes argparse longer than parsing
            description=COMMANDS[command].capitalize() + ".",
            epilog="examples:\n" + examples,
            formatter_class=Layout,
            allow_abbrev=False,
        )

    def error(self, message: str) -> NoReturn:
        """Say what is wrong and end with status 2."""
        self.exit(2, f"error: {message}\n(see `{self.prog} --help`)\n")

    def read(self, argv: Sequence[str]) -> argparse.Namespace:
        """Parse; arguments and options may be mixed."""
        arguments, rest = self.parse_known_intermixed_args(argv)
        if rest:
            options = [name for action in self._actions for name in action.option_strings if name.startswith("--")]
            word = rest[0].partition("=")[0]
            hint = nearest(word, options) if word.startswith("-") else ""
            known = hint if "did you mean" in hint else ""
            self.error(f"unknown {'option' if word.startswith('-') else 'argument'} {word}{known}")
        return arguments


def _one_of(known: tuple[str, ...]) -> Callable[[str], str]:
    def check(value: str) -> str:
        if value not in known:
            raise argparse.ArgumentTypeError(f'"{value}" is not known{nearest(value, known)}')
        return value

    return check


def _matching(pattern: str, what: str) -> Callable[[str], str]:
    def check(value: str) -> str:
        if not re.fullmatch(pattern, value):
            raise argparse.ArgumentTypeError(f'"{value}" is not {what}')
        return value

    return check


def _listed(value: str) -> list[str]:
    return [part for part in (piece.strip() for piece in value.split(",")) if part]


def _pair(value: str) -> tuple[str, str]:
    key, equals, text = value.partition("=")
    if not equals or not key:
        raise argparse.ArgumentTypeError(f'"{value}" must be written KEY=VALUE')
    return key, text


def _jobs(value: str) -> int:
    if not value.isdecimal() or not 1 <= len(value) <= 4 or int(value) < 1:
        raise argparse.ArgumentTypeError(f'"{value}" is not a number of processes, 1 or more')
    return int(value)


def _output(value: str) -> tuple[str | None, str]:
    """Split FORMAT:FILE. A single letter is a Windows drive, and anything with a separator is a path."""
    head, colon, tail = value.partition(":")
    if not value or (colon and head in FORMATS and not tail):
        raise argparse.ArgumentTypeError(f'"{value}" names no file')
    if not colon or len(head) < 2 or not re.fullmatch(r"[A-Za-z_-]+", head):
        return None, value
    if head not in FORMATS:
        raise argparse.ArgumentTypeError(f'format "{head}" is not known{nearest(head, FORMATS)}; a file is ./{value}')
    return head, tail


def _choice(parser: Any, name: str, known: tuple[str, ...], text: str, default: str | None) -> None:
    parser.add_argument(name, type=_one_of(known), metavar="|".join(known), default=default, help=text)


def _repeated(parser: Any, name: str, metavar: str, text: str) -> None:
    parser.add_argument(name, type=_listed, action="extend", default=[], metavar=metavar, help=text)


def _rule_options(parser: Parser) -> None:
    group = parser.add_argument_group("rules")
    group.add_argument(
        "--profile", metavar="NAME", help="rules to apply: default, all, a framework such as cis-aws-5.0"
    )
    _repeated(group, "--select", "RULE,…", "apply exactly these, by id or name")
    _repeated(group, "--ignore", "RULE,…", "leave these out, too")
    group.add_argument(
        "--rules-dir", action="append", default=[], metavar="DIR", help="folder with rules of your own (repeatable)"
    )
    _config_options(parser)


def _config_options(parser: Parser) -> None:
    group = parser.add_argument_group("configuration").add_mutually_exclusive_group()
    group.add_argument(
        "--config", metavar="FILE", help="read this file, not the nearest .trailguard.yaml or pyproject.toml"
    )
    group.add_argument("--no-config", action="store_true", help="read no configuration file")


def _deployment_options(parser: Parser) -> None:
    group = parser.add_argument_group("deployment", "Pin what is known; the verdicts then hold for this deployment.")
    group.add_argument(
        "--parameter",
        type=_pair,
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
        "--region", type=_matching(REGION, "a Region such as eu-west-1"), metavar="REGION", help="value of AWS::Region"
    )
    group.add_argument(
        "--account-id", type=_matching(ACCOUNT_ID, "12 digits"), metavar="ID", help="value of AWS::AccountId"
    )
    group.add_argument(
        "--partition",
        type=_matching(PARTITION, "a partition such as aws or aws-cn"),
        metavar="NAME",
        help="value of AWS::Partition",
    )


def _colour_option(parser: Parser) -> None:
    _choice(
        parser, "--color", ("auto", "always", "never"), "colour (default: on a terminal; NO_COLOR is honoured)", "auto"
    )


def _scan() -> Parser:
    parser = Parser(
        "scan",
        "[OPTION…] [PATH…]",
        """\
  trailguard scan
  trailguard scan templates/ --profile cis-aws-5.0 --fail-on conditional
  trailguard scan trail.yaml --parameters prod.json --region eu-west-1
  trailguard scan --output sarif:trailguard.sarif --output json:report.json
  cdk synth | trailguard scan - --stdin-filename app.yaml

exit status:
  0 nothing at or above the threshold, 1 something is, 2 something could not be judged as asked (2 wins)""",
    )
    parser.add_argument("paths", nargs="*", metavar="PATH", help="files and folders; - is standard input (default: .)")
    output = parser.add_argument_group("output")
    _choice(output, "--format", FORMATS, "how to write the report to standard output (default: text)", None)
    output.add_argument(
        "--output",
        type=_output,
        action="append",
        default=[],
        metavar="[FORMAT:]FILE",
        help="FILE takes the place of standard output, FORMAT:FILE comes on top of it (repeatable)",
    )
    _colour_option(parser)
    loudness = output.add_mutually_exclusive_group()
    loudness.add_argument("-q", "--quiet", action="store_true", help="one line for each finding, no summary")
    loudness.add_argument("-v", "--verbose", action="store_true", help="tell of passes and skipped files, too")
    _rule_options(parser)
    status = parser.add_argument_group("exit status")
    _choice(status, "--fail-on", FAIL_ON, "the mildest verdict that makes it 1 (default: fail)", None)
    _choice(status, "--min-severity", SEVERITIES, "the mildest severity that makes it 1 (default: info)", None)
    status.add_argument("--diff", metavar="REV", help="report only what changed since a git revision")
    status.add_argument("--baseline", metavar="FILE", help="findings that `trailguard baseline` recorded do not count")
    status.add_argument("--require-templates", action="store_true", help="2 when there is no template")
    _deployment_options(parser)
    files = parser.add_argument_group("files")
    _file_options(files)
    files.add_argument(
        "--world",
        action="append",
        default=[],
        metavar="DIR",
        help="know the templates below DIR, too: judge only what PATH has to do with (repeatable)",
    )
    files.add_argument("--stdin-filename", default="<stdin>", metavar="NAME", help="what to call standard input")
    files.add_argument("--jobs", type=_jobs, default=1, metavar="N", help="processes to work with (default: 1)")
    return parser


def _file_options(group: Any) -> None:
    _repeated(group, "--include", "GLOB,…", "in folders, read these files instead of the usual ones")
    _repeated(group, "--exclude", "GLOB,…", "leave these files and folders out, too")


def _rules() -> Parser:
    parser = Parser(
        "rules",
        "[OPTION…]",
        "  trailguard rules --profile cis-aws-3.0\n  trailguard rules --profile all --format markdown",
    )
    _choice(parser, "--format", ("text", "json", "markdown"), "how to write the list (default: text)", "text")
    _colour_option(parser)
    _rule_options(parser)
    return parser


def _explain() -> Parser:
    parser = Parser(
        "explain", "[OPTION…] ID|NAME", "  trailguard explain TG104\n  trailguard explain depends-on-bucket-policy"
    )
    parser.add_argument("rule", metavar="ID|NAME", help="the rule")
    _choice(parser, "--format", ("text", "markdown"), "how to write it (default: text)", "text")
    _colour_option(parser)
    parser.add_argument("--rules-dir", action="append", default=[], metavar="DIR", help="folder with rules of your own")
    _config_options(parser)
    return parser


def _baseline() -> Parser:
    parser = Parser(
        "baseline",
        "[OPTION…] [PATH…]",
        """\
  trailguard baseline
  trailguard scan --baseline .trailguard-baseline.json

exit status:
  0 recorded, 2 something could not be judged as asked, or the file cannot be written""",
    )
    parser.add_argument("paths", nargs="*", metavar="PATH", help="files and folders (default: .)")
    text = "where to (default: the configuration's baseline, else .trailguard-baseline.json)"
    parser.add_argument("--output", metavar="FILE", help=text)
    _rule_options(parser)
    _deployment_options(parser)
    _file_options(parser.add_argument_group("files"))
    return parser


def _graph() -> Parser:
    parser = Parser(
        "graph",
        "[OPTION…] [PATH…]",
        """\
  trailguard graph templates/ > chain.mmd
  trailguard graph --profile all --format dot | dot -Tsvg > chain.svg

exit status:
  0 drawn, 2 something could not be judged as asked""",
    )
    parser.add_argument("paths", nargs="*", metavar="PATH", help="files and folders (default: .)")
    _choice(parser, "--format", ("mermaid", "dot", "json"), "how to write it (default: mermaid)", "mermaid")
    _rule_options(parser)
    _deployment_options(parser)
    files = parser.add_argument_group("files")
    _file_options(files)
    return parser


def _facts() -> Parser:
    parser = Parser(
        "facts",
        "[OPTION…] FILE",
        "  trailguard facts trail.yaml\n  trailguard facts trail.yaml --parameter MultiRegion=false",
    )
    parser.add_argument("file", metavar="FILE", help="a template; - is standard input")
    _deployment_options(parser)
    _config_options(parser)
    return parser


def _test() -> Parser:
    parser = Parser("test", "[OPTION…] [RULES_DIR]", "  trailguard test\n  trailguard test my-rules/")
    parser.add_argument(
        "rules_dir", nargs="?", metavar="RULES_DIR", help="a folder of rules (default: the rules that ship)"
    )
    _choice(parser, "--format", ("text", "json"), "how to write the outcome (default: text)", "text")
    _colour_option(parser)
    parser.add_argument("-v", "--verbose", action="store_true", help="tell of the examples that hold, too")
    _config_options(parser)
    return parser


def _init() -> Parser:
    parser = Parser(
        "init",
        "[OPTION…]",
        """\
  trailguard init > trail.yaml
  trailguard init --organization --sns --output trail.yaml
  trailguard init --no-cloudwatch --format json | jq .Resources

exit status:
  0 written, 2 it cannot be written, or the file is there already""",
    )
    text = "YAML with comments that explain it, or JSON (default: by the file's name, else yaml)"
    _choice(parser, "--format", ("yaml", "json"), text, None)
    parser.add_argument("--output", default="-", metavar="FILE", help="write it there, not to standard output")
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


_PARSERS = {
    "scan": _scan,
    "rules": _rules,
    "explain": _explain,
    "baseline": _baseline,
    "graph": _graph,
    "facts": _facts,
    "test": _test,
    "init": _init,
}


def parse(command: str, argv: Sequence[str]) -> argparse.Namespace:
    """Read the options of a command; ends the program on a usage error or on --help."""
    return _PARSERS[command]().read(argv)
