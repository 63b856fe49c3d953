"""The options of each command. Only the parser that is asked for is built: building all of them takes 20 ms."""

from __future__ import annotations

import argparse
import re

from trailguard.commands.groups import (
    colour_option,
    config_options,
    deployment_options,
    file_options,
    linters,
    parser_for,
    rule_options,
    threshold_options,
    world_options,
)
from trailguard.commands.parser import Parser, choice, one_of, repeated
from trailguard.commands.parts import PARTS
from trailguard.errors import did_you_mean

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

FORMATS = ("text", "json", "sarif", "github", "gitlab", "junit", "markdown", "csv", "html", "oscal", "ocsf")


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


def _scan() -> Parser:
    parser = parser_for(
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
    rule_options(parser)
    _status_options(parser)
    beside = parser.add_argument_group("other linters")
    text = "also run it on the same templates, with one report and one exit status (repeatable)"
    linters(beside, "--with", text, "companions")
    text = "honor its own comments and Metadata where they suppress an equivalent check (repeatable)"
    linters(beside, "--foreign-suppressions", text, "foreign_suppressions")
    deployment_options(parser)
    world_options(parser.add_argument_group("files"))
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
    colour_option(parser)
    loudness = output.add_mutually_exclusive_group()
    loudness.add_argument("-q", "--quiet", action="store_true", help="one line for each finding, no summary")
    loudness.add_argument("-v", "--verbose", action="store_true", help="also list passed rules and skipped files")
    text = "print tables of the findings by rule and by file at the end"
    output.add_argument("--statistics", action="store_true", help=text)
    text = "name the git revision and the date in the report, which then differs from day to day"
    output.add_argument("--stamp", action="store_true", help=text)
    text = "keep suppressed results in SARIF, marked as such; GitHub opens an alert for each nevertheless"
    output.add_argument("--sarif-suppressed", action="store_true", help=text)
    text = "look for no fixes, which JSON, SARIF, GitHub and GitLab carry; it takes a part of the time"
    output.add_argument("--no-fixes", action="store_true", help=text)
    text = "print to standard error how long each template and rule took"
    output.add_argument("--profile-time", action="store_true", help=text)


def _status_options(parser: Parser) -> None:
    status = parser.add_argument_group("exit status")
    threshold_options(status, "--diff", "--since")
    status.add_argument(
        "--require-templates", action="store_true", help="exit with 2 if no CloudFormation template is found"
    )


def _rules() -> Parser:
    parser = parser_for(
        "rules",
        "[OPTION…]",
        "  trailguard rules --profile cis-aws-5.0 --profile hipaa\n  trailguard rules --profile all --format markdown",
    )
    choice(parser, "--format", ("text", "json", "markdown"), "how to write the list (default: text)", "text")
    colour_option(parser)
    rule_options(parser)
    return parser


def _explain() -> Parser:
    parser = parser_for(
        "explain",
        "[OPTION…] ID|NAME",
        "  trailguard explain TG104\n  trailguard explain depends-on-bucket-policy",
    )
    parser.add_argument("rule", metavar="ID|NAME", help="the rule")
    choice(parser, "--format", ("text", "markdown"), "how to write it (default: text)", "text")
    colour_option(parser)
    parser.add_argument("--rules-dir", action="append", default=[], metavar="DIR", help="folder with your own rules")
    config_options(parser)
    return parser


def _baseline() -> Parser:
    parser = parser_for(
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
    rule_options(parser)
    deployment_options(parser)
    file_options(parser.add_argument_group("files"))
    return parser


def _graph() -> Parser:
    parser = parser_for(
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
    rule_options(parser)
    deployment_options(parser)
    files = parser.add_argument_group("files")
    file_options(files)
    return parser


def _facts() -> Parser:
    parser = parser_for(
        "facts",
        "[OPTION…] FILE | --list",
        "  trailguard facts trail.yaml\n  trailguard facts trail.yaml --parameter MultiRegion=false\n"
        "  trailguard facts --list",
    )
    parser.add_argument("file", nargs="?", metavar="FILE", help="a template; - is standard input")
    parser.add_argument("--list", action="store_true", help="list every fact that rules can use, with its meaning")
    choice(parser, "--format", ("text", "json", "markdown"), "how to write the list (default: text)", None)
    colour_option(parser)
    deployment_options(parser)
    config_options(parser)
    return parser


def _test() -> Parser:
    parser = parser_for("test", "[OPTION…] [RULES_DIR]", "  trailguard test\n  trailguard test my-rules/")
    parser.add_argument(
        "rules_dir", nargs="?", metavar="RULES_DIR", help="a folder of rules (default: the built-in rules)"
    )
    choice(parser, "--format", ("text", "json"), "how to write the outcome (default: text)", "text")
    colour_option(parser)
    parser.add_argument("-v", "--verbose", action="store_true", help="also list the examples that pass")
    config_options(parser)
    return parser


def _init() -> Parser:
    parser = parser_for(
        "init",
        "[OPTION…]",
        """\
  trailguard init > trail.yaml
  trailguard init --organization --sns --output trail.yaml
  trailguard init --no-cloudwatch --format json | jq .Resources
  trailguard init --hook --output trailguard-hook.yaml

exit status:
  0 written, 2 it cannot be written, or the file is there already""",
    )
    text = "YAML with explanatory comments, or JSON (default: by the file's name, else yaml)"
    choice(parser, "--format", ("yaml", "json"), text, None)
    parser.add_argument("--output", default="-", metavar="FILE", help="write to FILE instead of standard output")
    parser.add_argument("--force", action="store_true", help="overwrite FILE")
    text = "print instead what deploys a CloudFormation Hook, which judges stacks before they are made; it has no parts"
    parser.add_argument("--hook", action="store_true", help=text)
    parts = parser.add_argument_group("parts")
    _switch(parts, "--organization", "record every account of the organization (default: one account)", False)
    _switch(parts, "--kms", "encrypt the logs with a key of their own (default: yes)", True)
    _switch(parts, "--cloudwatch", "copy the events to CloudWatch Logs, and watch the trail (default: yes)", True)
    _switch(parts, "--sns", "tell a topic of each log file (default: no)", False)
    return parser


def _switch(parser: Any, name: str, text: str, default: bool) -> None:
    action = parser.add_argument(name, action=argparse.BooleanOptionalAction, help=text)
    action.default = default  # given at once, older Pythons add it to the help in their own words


def _mcp() -> Parser:
    parser = parser_for(
        "mcp",
        "[OPTION…]",
        """\
  trailguard mcp
  trailguard mcp --root templates/
  claude mcp add trailguard -- trailguard mcp

exit status:
  0 the assistant has hung up, 2 it could not be served""",
    )
    text = "the folder that the assistant may look into; nothing outside of it is read (default: the working directory)"
    parser.add_argument("--root", metavar="DIR", help=text)
    text = "let the tools fix and init write to files in it, when the assistant asks for that"
    parser.add_argument("--write", action="store_true", help=text)
    return parser


def _snapshot() -> Parser:
    from trailguard.commands.snapshot_options import snapshot

    return snapshot()


def _path() -> Parser:
    parser = parser_for(
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


def _lsp() -> Parser:
    return parser_for(
        "lsp",
        "",
        """\
  trailguard lsp

It speaks the Language Server Protocol over standard input and output; docs/editors.md says how editors start it.

exit status:
  0 the client said goodbye, 1 it just went away, 2 pygls is missing: pip install "trailguard[lsp]\"""",
    )


def _completion() -> Parser:
    parser = parser_for(
        "completion",
        "SHELL",
        """\
  source <(trailguard completion bash)
  trailguard completion zsh > "${fpath[1]}/_trailguard"
  trailguard completion fish > ~/.config/fish/completions/trailguard.fish""",
    )
    choice(parser, "shell", ("bash", "zsh", "fish"), "bash, zsh or fish", None)
    return parser


def _fix() -> Parser:
    parser = parser_for(
        "fix",
        "[OPTION…] [PATH…]",
        """\
  trailguard fix --diff
  trailguard fix templates/
  trailguard fix trail.yaml --rule TG101,TG104 --unsafe
  trailguard fix - < trail.yaml > fixed.yaml

exit status:
  0 nothing is left at or above the threshold (with --diff: and there is nothing to write), 1 something is,
  2 something could not be judged or written""",
    )
    parser.add_argument("paths", nargs="*", metavar="PATH", help="files and folders; - is standard input (default: .)")
    fixing = parser.add_argument_group("fixing")
    how = fixing.add_mutually_exclusive_group()
    text = "print what would change as a unified diff for `git apply`, and write nothing"
    how.add_argument("--diff", action="store_true", dest="show_diff", help=text)
    how.add_argument("--interactive", action="store_true", help="show each fix and ask whether to write it")
    text = "also write fixes that a person should look at, such as those that replace a parameter by a value"
    fixing.add_argument("--unsafe", action="store_true", help=text)
    repeated(fixing, "--rule", "RULE,…", "fix what these rules find: ids, names or prefixes of ids such as TG2")
    repeated(fixing, "--resource", "NAME,…", "fix what is found about these resources, by logical ID")
    output = parser.add_argument_group("output")
    colour_option(output)
    output.add_argument("-q", "--quiet", action="store_true", help="no progress, and no word on what is left")
    rule_options(parser)
    threshold_options(parser.add_argument_group("exit status"), "--since")
    deployment_options(parser)
    world_options(parser.add_argument_group("files"))
    parser.set_defaults(companions=[], profile_time=False, format=None, output=[], no_fixes=True)
    return parser


_PARSERS = {
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


def parser_of(command: str) -> Parser:
    """The parser of a command."""
    return _PARSERS[command]()


def parse(command: str, argv: Sequence[str]) -> argparse.Namespace:
    """Read the options of a command; ends the program on a usage error or on --help."""
    return parser_of(command).read(argv)
