"""Findings that somebody accepted in the template itself: by a comment, or by Metadata on the resource.

Each counts in its own file only. One that suppresses nothing, names a rule that does not exist, or has expired, is
reported.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from trailguard.acceptance.in_comments import in_comments, may_hold
from trailguard.acceptance.in_metadata import in_metadata
from trailguard.acceptance.rulings import Ruling, expired, first, no_rule
from trailguard.cloudformation.template.template import Template
from trailguard.findings import Finding, Notice, Suppression


class Suppressions:
    """The suppressions written in one file, and which of them were of use.

    `known` holds the ids and names of all rules, `asked` of those that were applied, `today` is an ISO date. `foreign`
    are those for other linters, which may be of use there.
    """

    def __init__(
        self,
        file: str,
        template: Template | None,
        lines: str,
        known: Collection[str],
        asked: Collection[str],
        today: str,
        foreign: Iterable[Ruling] = (),
    ) -> None:
        self._today = today
        self._known = known
        self._asked = asked
        self._rulings: list[Ruling] = []
        self._wrong: list[Notice] = []
        if may_hold(lines):
            from trailguard.cloudformation.source.comments import comments

            self._take(in_comments(file, comments(lines)))
        if template is not None:
            self._take(in_metadata(file, template))
        self._foreign = list(foreign)
        self._used: set[int] = set()

    def _take(self, found: tuple[list[Ruling], list[Notice]]) -> None:
        self._rulings += found[0]
        self._wrong += found[1]

    def find(self, finding: Finding) -> Suppression | None:
        """What suppresses a finding, if anything does."""
        ruling = first(finding, [*self._rulings, *self._foreign], self._today)
        if ruling is None:
            return None
        self._used.add(id(ruling))
        return ruling.suppression

    def notices(self) -> list[Notice]:
        """Those that are malformed, those that name no rule, and those that are of no use."""
        found = list(self._wrong)
        for ruling in self._rulings:
            said = self._said(ruling)
            if said is not None:
                found.append(Notice(ruling.file, ruling.line, said))
        return found

    def _said(self, ruling: Ruling) -> str | None:
        """What is to be said of a suppression; nothing of one of a rule that was not applied."""
        if ruling.rule not in self._known:
            return f"the suppression names {no_rule(ruling.rule, self._known)}"
        if id(ruling) in self._used:
            return None
        if expired(ruling.suppression, self._today):
            return f"the suppression of {ruling.rule} expired on {ruling.suppression.expires}"
        return f"the suppression of {ruling.rule} suppresses nothing" if ruling.rule in self._asked else None
