"""What a scan is asked for, what judging gives, and one result for each file from all that is found out about it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple, TypeVar

from trailguard.acceptance.rulings import Ruling
from trailguard.acceptance.waivers import accepted
from trailguard.acceptance.written import Suppressions
from trailguard.cloudformation.template.strays import strays
from trailguard.cloudformation.template.template import Template
from trailguard.findings import OPEN, Chain, FileError, Finding, Notice, Timing
from trailguard.judging.deployments import merged
from trailguard.judging.unmade import unmade
from trailguard.rulebook.shelf import Rulebook
from trailguard.settings.settings import Settings
from trailguard.trails import catalog

TYPE_CHECKING = False
if TYPE_CHECKING:
    from trailguard.judging.offers import Offer

Item = TypeVar("Item")

IDLE = "it holds no resource that the rules are about"


def _go_on() -> None:
    """Nothing ends the judging."""


class Task(NamedTuple):
    """What is asked of the templates of a scan.

    `today` is the day, as an ISO date, on which suppressions have to be in force; without any, none has expired.
    `evidence` asks for the delivery chains, too, `timed` for how long each rule takes, `repairs` for what may repair
    the findings. `heed` is called again and again while templates are judged; it may raise to end that.
    """

    settings: Settings
    rulebook: Rulebook
    today: str = ""
    evidence: bool = False
    timed: bool = False
    repairs: bool = False
    heed: Callable[[], object] = _go_on

    def kinds(self) -> frozenset[str]:
        """The resource types without which there is nothing to judge."""
        return frozenset(catalog.marking_type(rule.subject) for rule in self.rulebook.selected)

    def asked(self) -> set[str]:
        """The ids and names of the rules that are applied."""
        return {name for rule in self.rulebook.selected for name in (rule.id, rule.name)}


class Verdicts(NamedTuple):
    """What judging a template, or several together, gave: its subjects by file and logical ID."""

    findings: Sequence[Finding] = ()
    errors: Sequence[FileError] = ()
    subjects: frozenset[tuple[str, str]] = frozenset()
    notices: Sequence[Notice] = ()
    chains: Sequence[Chain] = ()
    timings: Sequence[Timing] = ()
    offers: Sequence[Offer] = ()

    def files(self) -> set[str]:
        """The files that something is said of."""
        named = {file for file, _ in self.subjects}
        named.update(item.file for part in (self.errors, self.notices) for item in part)
        for item in self.findings:
            named.update(_files_of(item))
        return named


class FileResult(NamedTuple):
    """What judging one file gave.

    `parameters` are those of a template, None where there may be others, `public` those whose values may be shown, and
    `secret` those whose values may not.
    """

    findings: tuple[Finding, ...] = ()
    errors: tuple[FileError, ...] = ()
    notices: tuple[Notice, ...] = ()
    lines: tuple[str, ...] = ()
    is_template: bool = False
    subjects: int = 0
    ignored: str | None = None
    chains: tuple[Chain, ...] = ()
    timings: tuple[Timing, ...] = ()
    parameters: frozenset[str] | None = None
    public: frozenset[str] = frozenset()
    secret: frozenset[str] = frozenset()
    offers: tuple[Offer, ...] = ()


class Text(NamedTuple):
    """A file that something may be said of: its text and its template; None for a part that templates include."""

    template: Template | None
    text: str


def results_of(files: Mapping[str, Text], verdicts: Sequence[Verdicts], task: Task) -> dict[str, FileResult]:
    """One result for each of the files, by name, from all that was found out about them."""
    written = {file: _suppressions(file, text, task) for file, text in files.items()}
    merged_findings = merged(item for one in verdicts for item in one.findings)
    findings = accepted(merged_findings, written, task.settings, task.today)
    errors = [*_problems(files, task), *(error for one in verdicts for error in one.errors)]
    by_file = _Sorted(
        findings=_by_file((item.place.file, item) for item in findings),
        errors=_by_file((error.file, error) for error in dict.fromkeys(errors)),
        notices=_by_file(
            (notice.file, notice) for notice in dict.fromkeys((*_noticed(verdicts, written), *unmade(findings)))
        ),
        chains=_by_file((chain.parts[0].file, chain) for one in verdicts for chain in one.chains),
        timings=_by_file((timing.file, timing) for one in verdicts for timing in one.timings),
        offers=_by_file((offer.key.file, offer) for one in verdicts for offer in one.offers),
        subjects=Counter(file for file, _ in {subject for one in verdicts for subject in one.subjects}),
        shown=_shown(findings, errors),
    )
    return {file: by_file.result(file, text) for file, text in files.items()}


class _Sorted(NamedTuple):
    """All that was found out, by file; `shown` are the files whose text a report shows."""

    findings: Mapping[str, Sequence[Finding]]
    errors: Mapping[str, Sequence[FileError]]
    notices: Mapping[str, Sequence[Notice]]
    chains: Mapping[str, Sequence[Chain]]
    timings: Mapping[str, Sequence[Timing]]
    offers: Mapping[str, Sequence[Offer]]
    subjects: Mapping[str, int]
    shown: set[str]

    def result(self, file: str, source: Text) -> FileResult:
        """What was found out about one file."""
        return FileResult(
            findings=tuple(self.findings.get(file, ())),
            errors=tuple(self.errors.get(file, ())),
            notices=tuple(self.notices.get(file, ())),
            lines=lines_of(source.text) if file in self.shown else (),
            is_template=source.template is not None,
            subjects=self.subjects.get(file, 0),
            chains=tuple(self.chains.get(file, ())),
            timings=tuple(self.timings.get(file, ())),
            offers=tuple(self.offers.get(file, ())),
            parameters=_parameters(source.template),
            public=_named(source.template, is_secret=False),
            secret=_named(source.template, is_secret=True),
        )


def _named(template: Template | None, is_secret: bool) -> frozenset[str]:
    found = template.parameters.values() if template is not None else ()
    return frozenset(parameter.name for parameter in found if parameter.is_secret is is_secret)


def _parameters(template: Template | None) -> frozenset[str] | None:
    """The names of a template's parameters; None when a macro may add others."""
    if template is None:
        return frozenset()
    return None if template.macros else frozenset(template.parameters)


def _suppressions(file: str, source: Text, task: Task) -> Suppressions:
    """What somebody accepts in a file."""
    others = _for_other_linters(file, source, task)
    known, asked = task.rulebook.known(), task.asked()
    return Suppressions(file, source.template, source.text, known, asked, task.today, others)


def _for_other_linters(file: str, source: Text, task: Task) -> list[Ruling]:
    """What is suppressed for other linters, if that is accepted."""
    if source.template is None or not task.settings.foreign_suppressions:
        return []
    from trailguard.acceptance.other_linters import rulings

    return rulings(file, source.template, source.text, task.settings.foreign_suppressions, task.rulebook.selected)


def _problems(files: Mapping[str, Text], task: Task) -> Iterable[FileError]:
    """What is wrong in templates that could be judged all the same."""
    kinds = task.kinds()
    for file, source in files.items():
        if source.template is not None:
            for item in (*source.template.problems, *strays(source.template, kinds)):
                yield FileError(file, item.line, item.column, item.message)


def _noticed(verdicts: Sequence[Verdicts], written: Mapping[str, Suppressions]) -> Iterable[Notice]:
    """What there is to notice; to be asked when it is settled which suppressions were of use."""
    for suppressions in written.values():
        yield from suppressions.notices()
    for one in verdicts:
        yield from one.notices


def _shown(findings: Iterable[Finding], errors: Iterable[FileError]) -> set[str]:
    """The files that a report shows excerpts of."""
    shown = {error.file for error in errors}
    for item in findings:
        if item.verdict in OPEN:
            shown.update(_files_of(item))
    return shown


def _files_of(finding: Finding) -> Iterable[str]:
    """The files that a finding names."""
    return (finding.place.file, *(place.file for place in finding.related))


def _by_file(items: Iterable[tuple[str, Item]]) -> dict[str, list[Item]]:
    """Things by the files that they belong to."""
    found: dict[str, list[Item]] = {}
    for file, item in items:
        found.setdefault(file, []).append(item)
    return found


def lines_of(text: str) -> tuple[str, ...]:
    """The lines of a file as editors count them."""
    return tuple(text.replace("\r\n", "\n").replace("\r", "\n").split("\n"))
