"""trailguard's rules as rules of cfn-lint: `cfn-lint -a trailguard.hosts.cfn_lint -- TEMPLATE…`.

cfn-lint reads an id by its first letter. So each rule has two: with E where `trailguard scan` would end with status 1,
with W where it tells of something that does not count (by default: what breaks for some parameter values only, and what
is not known). ETG000 is what could not be judged, ITG000 a notice. The rules are those of the configuration that
`trailguard scan` would use.
Source: https://github.com/aws-cloudformation/cfn-lint/blob/main/docs/getting_started/rules.md
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable
from typing import Any, TextIO

from cfnlint.config import ConfigMixIn
from cfnlint.match import Match
from cfnlint.rules import CloudFormationLintRule, RuleMatch
from cfnlint.template import Template

from trailguard.acceptance.other_linters import cfn_lint_ids
from trailguard.findings import Span
from trailguard.hosts.shared import Gate, Told, sentence
from trailguard.reporters.common import link
from trailguard.rulebook.rule import Rule

DOCUMENTATION = "https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-user-guide.html"
BROKEN = "ETG000"
NOTICE = "ITG000"


class _Recorder:
    """Standard input that remembers what was read from it: cfn-lint keeps the template, not its text."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self.lines: list[str] = []

    def readline(self, size: int = -1) -> str:
        """Read a line, as cfn-lint's `fileinput` does."""
        line = self._stream.readline(size)
        self.lines.append(line)
        return line

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


class _Session:
    """The templates of this run of cfn-lint and what there is to tell of the one at hand."""

    def __init__(self) -> None:
        self._stdin: _Recorder | None = None
        templates = _templates()
        if templates is not None and not templates and sys.stdin is not None and not sys.stdin.isatty():
            self._stdin = _Recorder(sys.stdin)
            sys.stdin = self._stdin
        self.gate = Gate(templates or ())
        self._template: Template | None = None
        self._matches: dict[str, list[RuleMatch]] = {}

    def matches(self, cfn: Template) -> dict[str, list[RuleMatch]]:
        """What there is to tell of a template, by the id of a rule; every rule asks, one after the other."""
        if self._template is not cfn:
            self._template = cfn
            told = self.gate.told(cfn.filename) if cfn.filename else self.gate.told_of_text(self._text(cfn))
            self._matches = self._of(told, bool(cfn.filename) or self._stdin is not None)
        return self._matches

    def _of(self, told: Told, knows_lines: bool) -> dict[str, list[RuleMatch]]:
        """What is told as cfn-lint takes it; unless our lines are those of its text, it finds the path itself."""
        found: dict[str, list[RuleMatch]] = {}

        def tell(name: str, path: list[str | int], span: Span, message: str) -> None:
            start, end = (span.line - 1, span.column - 1), (span.end_line - 1, span.end_column - 1)
            where = {"location": (*start, *end)} if knows_lines else {}
            found.setdefault(name, []).append(RuleMatch(path, message, **where))

        for finding in (item for item in told.results if item.is_open):
            counting, other = cfn_lint_ids(finding.rule.id)
            name = counting if self.gate.counts(finding) else other
            tell(name, list(finding.place.path), finding.place.span, sentence(finding))
        for error in told.errors:
            line, column = error.line or 1, error.column or 1
            tell(BROKEN, [], Span(line, column, line, column), error.message)
        for notice in told.notices:
            line = notice.line or 1
            tell(NOTICE, [], Span(line, 1, line, 1), notice.message)
        return found

    def _text(self, cfn: Template) -> bytes:
        """The text of a template without a name; one that was handed over by a program is written anew."""
        if self._stdin is not None:
            return "".join(self._stdin.lines).encode("utf-8", "surrogateescape")
        return json.dumps(cfn.template, default=str).encode()


def _templates() -> list[str] | None:
    """The templates that cfn-lint's command line and configuration name; None when it is no command line at all."""
    if not os.path.basename(sys.argv[0]).startswith("cfn-lint") and "cfnlint" not in sys.argv[0]:
        return None
    try:
        config = ConfigMixIn(sys.argv[1:])
        return [] if config.deployment_files else list(config.templates or ())
    except (Exception, SystemExit):  # cfn-lint says it itself
        return []


_session = _Session()


class _OfTrailguard(CloudFormationLintRule):
    """What all rules share; it has no id, so that cfn-lint leaves it out."""

    tags: list[str] = ["resources", "cloudtrail", "trailguard"]  # noqa: RUF012

    def match(self, cfn: Template) -> list[RuleMatch]:
        """The findings of one rule in a template."""
        return _session.matches(cfn).get(self.id, [])

    def matchall(self, filename: str, cfn: Template) -> Iterable[Match]:
        """The same as cfn-lint asks for it; it takes its time even where there is nothing to tell."""
        found: Iterable[Match] = super().matchall(filename, cfn) if self.id in _session.matches(cfn) else ()
        return found

    def matchall_resource_properties(self, *_: object) -> tuple[()]:
        """Nothing: templates are judged as a whole."""
        return ()


class CannotBeJudged(_OfTrailguard):
    """What stops trailguard from judging a template."""

    id = BROKEN
    shortdesc = "trailguard cannot judge the template"
    description = "The template, trailguard's configuration or a rule is broken; no verdict can be given."
    source_url = DOCUMENTATION


class WorthKnowing(_OfTrailguard):
    """Notices, such as a suppression that suppresses nothing."""

    id = NOTICE
    shortdesc = "trailguard has something to tell"
    description = "A suppression is of no use or has expired, or the template holds resources that cannot be seen."
    source_url = DOCUMENTATION


def _class_of(rule: Rule, name: str) -> type[_OfTrailguard]:
    about = {
        "id": name,
        "shortdesc": rule.title,
        "description": " ".join(rule.why.split()),
        "source_url": link(rule.references) or DOCUMENTATION,
        "__module__": __name__,
        "__doc__": rule.title,
    }
    return type(name, (_OfTrailguard,), about)


CLASSES = {name: _class_of(rule, name) for rule in _session.gate.rules for name in cfn_lint_ids(rule.id)}
globals().update(CLASSES)  # cfn-lint takes the classes that it finds in the module
__all__ = ["CannotBeJudged", "WorthKnowing", *CLASSES]  # noqa: PLE0604
