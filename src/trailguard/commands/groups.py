"""The groups of options that several commands take."""

from __future__ import annotations

from trailguard.commands.overview import COMMANDS
from trailguard.commands.parser import AUTO, Parser, choice, days, matching, one_of, pair, processes, repeated
from trailguard.findings import OPEN, SEVERITIES
from trailguard.settings.settings import ACCOUNT_ID, LINTERS, MAX_AGE, PARTITION, REGION

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def parser_for(command: str, usage: str, examples: str) -> Parser:
    """The parser of a command."""
    return Parser(command, COMMANDS[command], usage, examples)


def rule_options(parser: Parser) -> None:
    """Add the options that choose rules."""
    group = parser.add_argument_group("rules")
    text = "rules to apply: default, all, a framework such as cis-aws-5.0 (repeatable, for all their rules)"
    group.add_argument("--profile", action="append", metavar="NAME", help=text)
    repeated(group, "--select", "RULE,…", "apply exactly these: ids, names or prefixes of ids such as TG2")
    repeated(group, "--ignore", "RULE,…", "also exclude these")
    group.add_argument(
        "--rules-dir", action="append", default=[], metavar="DIR", help="folder with your own rules (repeatable)"
    )
    config_options(parser)


def config_options(parser: Parser) -> None:
    """Add the options that choose a configuration."""
    group = parser.add_argument_group("configuration").add_mutually_exclusive_group()
    group.add_argument(
        "--config", metavar="FILE", help="use this file instead of the nearest .trailguard.yaml or pyproject.toml"
    )
    group.add_argument("--no-config", action="store_true", help="ignore configuration files")


def deployment_options(parser: Parser) -> None:
    """Add the options that pin what is known of the deployment."""
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


def colour_option(parser: Any) -> None:
    """Add the option for colour."""
    choice(
        parser, "--color", ("auto", "always", "never"), "colour (default: on a terminal; NO_COLOR is honoured)", "auto"
    )


def linters(parser: Any, name: str, text: str, dest: str) -> None:
    """Add an option that names other linters."""
    kind, shown = one_of(LINTERS), "|".join(LINTERS)
    parser.add_argument(name, type=kind, action="append", default=[], metavar=shown, dest=dest, help=text)


def file_options(group: Any) -> None:
    """Add the options that choose files in folders."""
    repeated(group, "--include", "GLOB,…", "in folders, read these files instead of the usual ones")
    repeated(group, "--exclude", "GLOB,…", "also exclude these files and folders")


def threshold_options(group: Any, *since: str) -> None:
    """Add the options that say what counts; `since` are the names of the one for what is new since a revision."""
    choice(group, "--fail-on", OPEN, "the mildest verdict that makes the status 1 (default: fail)", None)
    choice(group, "--fail-severity", SEVERITIES, "the lowest severity that makes the status 1 (default: info)", None)
    text = "the lowest severity that is judged, shown and counted (default: info)"
    choice(group, "--min-severity", SEVERITIES, text, None)
    group.add_argument(
        "--exit-zero", action="store_true", default=None, help="exit with 0 instead of 1, for a gradual roll-out"
    )
    text = "report only what is new or worse compared with a git revision"
    group.add_argument(*since, dest="diff", metavar="REV", help=text)
    group.add_argument("--baseline", metavar="FILE", help="ignore findings that `trailguard baseline` recorded in FILE")


def world_options(group: Any) -> None:
    """Add the options that choose files, what else to know, and how to read it."""
    file_options(group)
    group.add_argument(
        "--world",
        action="append",
        default=[],
        metavar="DIR",
        help="also read the templates in DIR, or the snapshot there, but judge only what PATH affects (repeatable)",
    )
    text = f"report snapshots that are more than DAYS old (default: {MAX_AGE})"
    group.add_argument("--max-age", type=days, metavar="DAYS", help=text)
    group.add_argument(
        "--stdin-filename", default="<stdin>", metavar="NAME", help="name for standard input in the report"
    )
    text = "number of parallel processes; auto: one per processor where that saves time (default)"
    group.add_argument("--jobs", type=processes, default=AUTO, metavar="N|auto", help=text)
