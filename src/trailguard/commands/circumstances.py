"""The command of a scan, and when asked for the day and the revision, for the report: what makes verdicts traceable.

Only what has a say in the verdicts is named, so that a report is the same whatever it is written to.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Iterator

    from trailguard.findings import Report

# The options that have a say, in the order in which they are named.
_OPTIONS = (
    "profile", "select", "ignore", "rules_dir", "config", "parameters", "region", "account_id", "partition", "fail_on",
    "fail_severity", "min_severity", "exit_zero", "diff", "baseline", "companions", "foreign_suppressions", "include",
    "exclude", "world", "no_config", "require_templates",
)  # fmt: skip
_SPELLED = {"companions": "with"}
_IN_ONE = ("select", "ignore", "include", "exclude")


def stated(report: Report, args: Namespace) -> Report:
    """The report with the command that it comes from, and with its revision and day where the user wants a stamp.

    Raises UserError when a stamp is wanted and there is no git revision.
    """
    from shlex import join

    told = [("command", join(_words(args)))]
    if args.stamp:
        from trailguard.acceptance.since import described

        told += [("revision", described(os.getcwd())), ("date", report.date)]
    if args.diff is not None:
        told.append(("compared with", args.diff))
    return report._replace(how=(*told, *report.how))


def _words(args: Namespace) -> Iterator[str]:
    """The command in words. Of parameters only the names: their values may be secret, and are told elsewhere."""
    yield from ("trailguard", "scan", *(args.paths or ["."]))
    for dest in _OPTIONS:
        value = getattr(args, dest)
        option = f"--{_SPELLED.get(dest, dest.replace('_', '-'))}"
        if value is True:
            yield option
        elif dest in _IN_ONE and value:
            yield from (option, ",".join(value))
        elif isinstance(value, list):
            yield from (word for item in value for word in (option, item))
        elif value:
            yield from (option, value)
    for name, _ in args.parameter:
        yield from ("--parameter", f"{name}=…")
