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
from collections.abc import Iterator
from typing import Any, TextIO

from cfnlint.config import ConfigMixIn
from cfnlint.rules import CloudFormationLintRule, RuleMatch
from cfnlint.template import Template

from trailguard.findings import Span
from trailguard.hosts.shared import Gate, Told, asks_for_attention, sentence
from trailguard.reporters.common import link
from trailguard.rule_reader import Rule

DOCUMENTATION = "https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-user-guide.html"
OWN = "TG000"


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
        self._told = Told()

    def told(self, cfn: Template) -> Told:
        """What there is to tell of a template; asked for once for each rule."""
        if self._template is not cfn:
            self._template = cfn
            self._told = self.gate.told(cfn.filename) if cfn.filename else self.gate.told_of_text(self._text(cfn))
        return self._told

    def knows_lines(self, cfn: Template) -> bool:
        """Tell whether our lines are those of the text that cfn-lint was given."""
        return bool(cfn.filename) or self._stdin is not None

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
    rule_id = ""
    counting = True

    def match(self, cfn: Template) -> Iterator[RuleMatch]:
        """The findings of one rule in a template."""
        gate = _session.gate
        for finding in _session.told(cfn).results:
            if finding.rule == self.rule_id and asks_for_attention(finding) and gate.counts(finding) is self.counting:
                yield _match(cfn, list(finding.path), finding.span, sentence(finding))


class CannotBeJudged(_OfTrailguard):
    """What stops trailguard from judging a template."""

    id = f"E{OWN}"
    shortdesc = "trailguard cannot judge the template"
    description = "The template, trailguard's configuration or a rule is broken; no verdict can be given."
    source_url = DOCUMENTATION

    def match(self, cfn: Template) -> Iterator[RuleMatch]:
        """The errors in a template."""
        for error in _session.told(cfn).errors:
            yield _match(cfn, [], Span(error.line or 1, error.column or 1, error.line or 1, 1), error.message)


class WorthKnowing(_OfTrailguard):
    """Notices, such as a suppression that suppresses nothing."""

    id = f"I{OWN}"
    shortdesc = "trailguard has something to tell"
    description = "A suppression is of no use or has expired, or the template holds resources that cannot be seen."
    source_url = DOCUMENTATION

    def match(self, cfn: Template) -> Iterator[RuleMatch]:
        """The notices about a template."""
        for notice in _session.told(cfn).notices:
            yield _match(cfn, [], Span(notice.line or 1, 1, notice.line or 1, 1), notice.message)


def _match(cfn: Template, path: list[str | int], span: Span, message: str) -> RuleMatch:
    if not _session.knows_lines(cfn):
        return RuleMatch(path, message)
    location = (span.line - 1, span.column - 1, span.end_line - 1, span.end_column - 1)
    return RuleMatch(path, message, location=location)


def _class_of(rule: Rule, counting: bool) -> type[_OfTrailguard]:
    name = f"{'E' if counting else 'W'}{rule.id}"
    about = {
        "id": name,
        "shortdesc": rule.title,
        "description": " ".join(rule.why.split()),
        "source_url": link(rule.references) or DOCUMENTATION,
        "rule_id": rule.id,
        "counting": counting,
        "__module__": __name__,
        "__doc__": rule.title,
    }
    return type(name, (_OfTrailguard,), about)


CLASSES = {
    f"{'E' if counting else 'W'}{rule.id}": _class_of(rule, counting)
    for rule in _session.gate.rules
    for counting in (True, False)
}
globals().update(CLASSES)  # cfn-lint takes the classes that it finds in the module
__all__ = ["CannotBeJudged", "WorthKnowing", *CLASSES]  # noqa: PLE0604
