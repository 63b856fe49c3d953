"""What a scan says: verdicts, findings, errors and the report that holds them.

Everything here is a frozen value, built whole and never edited afterwards. Reporters see these types and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final, Literal, NamedTuple, TypeAlias

# Verdicts and severities are plain text, so that they print, sort and serialise as they are.
Verdict: TypeAlias = Literal["fail", "conditional", "unknown", "pass", "not_applicable"]
Severity: TypeAlias = Literal["critical", "high", "medium", "low", "info"]

FAIL: Final = "fail"
CONDITIONAL: Final = "conditional"
UNKNOWN: Final = "unknown"
PASS: Final = "pass"
NOT_APPLICABLE: Final = "not_applicable"

# All worst first; OPEN are the verdicts that ask for attention.
OPEN: Final[tuple[Verdict, ...]] = (FAIL, CONDITIONAL, UNKNOWN)
VERDICTS: Final[tuple[Verdict, ...]] = (*OPEN, PASS, NOT_APPLICABLE)
SEVERITIES: Final[tuple[Severity, ...]] = ("critical", "high", "medium", "low", "info")


class Span(NamedTuple):
    """A stretch of source text. Lines and columns count from 1 in Unicode code points; the end column is exclusive."""

    line: int
    column: int
    end_line: int
    end_column: int


class Place(NamedTuple):
    """Where something is: a file, its span there, and the path that leads to it from the root of the template.

    `file` is relative to the working directory where it lies in it, with "/".
    """

    file: str
    span: Span
    path: tuple[str | int, ...] = ()


class Related(NamedTuple):
    """A second place that explains a finding, such as the parameter or the policy statement that decides it."""

    file: str
    span: Span
    message: str


class Block(NamedTuple):
    """The first and the last line of a resource in its file, both from 1."""

    file: str
    first: int
    last: int


class Suppression(NamedTuple):
    """Why a finding is accepted, and in which manner."""

    kind: Literal["comment", "metadata", "waiver", "baseline"]
    reason: str
    expires: str | None = None


class Unverified(NamedTuple):
    """Controls, by framework, that rest on one mapping alone: who made it, and the ISO date when it was read.

    Nobody has held it against the framework's own text.
    """

    source: str
    date: str
    controls: Mapping[str, tuple[str, ...]]


class RuleInfo(NamedTuple):
    """What a report says of a rule.

    `controls` are all controls behind which it stands, those of `unverified` too.
    `tool` is the linter beside trailguard that it belongs to, "" for our own. `changed` says in what it differs from
    how it ships, since its user set options or the severity.
    """

    id: str
    name: str
    title: str
    severity: Severity
    why: str
    remedy: str
    controls: Mapping[str, tuple[str, ...]]
    references: tuple[str, ...]
    unverified: Unverified | None = None
    tool: str = ""
    changed: tuple[str, ...] = ()

    def relations(self) -> Iterator[tuple[str, tuple[str, ...], bool]]:
        """The controls by framework, and whether they were verified: those that were come first in each."""
        loose = self.unverified.controls if self.unverified is not None else {}
        for framework, names in self.controls.items():
            unsure = loose.get(framework, ())
            firm = tuple(name for name in names if name not in unsure)
            if firm:
                yield framework, firm, True
            if unsure:
                yield framework, unsure, False


class FileEdit(NamedTuple):
    """What stands in a span of a file becomes `text`, which may hold line breaks."""

    file: str
    span: Span
    text: str


class Fix(NamedTuple):
    """Edits that were proven to make a rule pass and nothing else worse, all of which belong together.

    `title` says what they do. `unsafe` says why a person should look at them first, "" where nobody needs to.
    """

    title: str
    unsafe: str
    edits: tuple[FileEdit, ...]


class Finding(NamedTuple):
    """One verdict of one rule on one subject.

    `place` is that of the value at fault, or of the resource when something is missing. `message` says what was found
    and what it should be. `witness` holds the parameter values that break the rule (empty when none are needed),
    `reason` why a verdict is unknown or not applicable. `contexts` names the deployments in which the template was
    judged so (none for the only one): nested stacks by their way from the root, and contexts of the configuration.
    `subject_file` is the file of the subject where the fix belongs into another one, `construct` the path of the CDK
    construct that made the subject. `blocks` are the subject and the resource at fault. Findings with the same `cause`,
    of whatever rules, are open for the very same reason at the same place; it is empty for those that are not open.
    `causes` are those of each of its mistakes, of which it may have several. `fix` repairs it, if that was asked for.
    `deployed` names the stacks as which the template was judged, with the parameters that these have.
    """

    rule: RuleInfo
    verdict: Verdict
    place: Place
    subject: str
    resource: str
    message: str
    witness: Mapping[str, str]
    reason: str | None
    related: tuple[Related, ...]
    fingerprint: str
    contexts: tuple[str, ...] = ()
    subject_file: str = ""
    construct: str = ""
    blocks: tuple[Block, ...] = ()
    suppressed: Suppression | None = None
    cause: str = ""
    causes: tuple[str, ...] = ()
    fix: Fix | None = None
    deployed: tuple[str, ...] = ()

    @property
    def home(self) -> str:
        """The file of the subject."""
        return self.subject_file or self.place.file

    @property
    def is_open(self) -> bool:
        """Whether it asks for attention, and nobody has accepted it."""
        return self.verdict in OPEN and self.suppressed is None

    @property
    def is_fault(self) -> bool:
        """Whether some deployment breaks the rule, and nobody has accepted it."""
        return self.verdict in (FAIL, CONDITIONAL) and self.suppressed is None

    def accepted(self, why: Suppression) -> Finding:
        """The same finding, which somebody accepts."""
        return self._replace(suppressed=why)


class Ruling(NamedTuple):
    """What a rule says of a part of a delivery chain."""

    rule: str
    name: str
    verdict: Verdict
    message: str


# The kinds of parts and connections of a delivery chain, and what each is called.
PART_NAMES: Mapping[str, str] = {
    "trail": "trail", "bucket": "bucket", "policy": "bucket policy", "key": "key", "log_group": "log group",
    "role": "role", "topic": "topic",
}  # fmt: skip
CONNECTION_NAMES: Mapping[str, str] = {
    "bucket": "delivers to", "policy": "is governed by", "order": "is created after", "key": "encrypts with",
    "log_group": "sends events to", "role": "is written with", "topic": "notifies",
}  # fmt: skip


class Part(NamedTuple):
    """A part of a delivery chain: the trail, or something that it uses.

    `kind` is one of PART_NAMES. `file` and `line` are "" and 0 for
    what none of the templates makes; `name` then says why nothing is known of it.
    """

    kind: str
    name: str
    file: str
    line: int
    rulings: tuple[Ruling, ...]


class Connection(NamedTuple):
    """How two parts of a chain are connected: their indexes, what the connection is, and what the rules say of it.

    `kind` is one of CONNECTION_NAMES. `always` tells that it is there in every deployment.
    """

    source: int
    target: int
    kind: str
    always: bool
    rulings: tuple[Ruling, ...]


class Chain(NamedTuple):
    """The delivery chain of a trail, which is its first part, in one deployment or in all that are alike."""

    parts: tuple[Part, ...]
    connections: tuple[Connection, ...]
    contexts: tuple[str, ...]


class FileError(NamedTuple):
    """Something that could not be judged as asked. `line` and `column` are 1-based, or 0 when no place is known."""

    file: str
    line: int
    column: int
    message: str


class Notice(NamedTuple):
    """Something worth telling that is neither a finding nor an error, such as a suppression that suppresses nothing."""

    file: str
    line: int
    message: str


class Prerequisites(NamedTuple):
    """Rules without which no control that rests on the trail is met, why, and the rules that imply them, all by id."""

    title: str
    why: str
    implied_by: tuple[str, ...]
    rules: tuple[str, ...]


class ControlInfo(NamedTuple):
    """A control of a framework: why no template can decide it (None when rules stand behind it), and those rules.

    `rules` are the ids of all rules behind it, of those too that were not asked; `unverified` are those of them that
    stand there by one unverified mapping alone. `prerequisites` are the rules that have to hold besides.
    """

    id: str
    title: str
    undecidable: str | None
    rules: tuple[str, ...]
    unverified: tuple[str, ...] = ()
    prerequisites: tuple[str, ...] = ()


class FrameworkInfo(NamedTuple):
    """A framework: its name as a profile, its title, which part of it is meant, where it was read, its controls.

    `date` is the ISO date when it was read, `note` what else there is to know. `unverified` are the sources, each with
    its date, on which alone some of the controls rest. `asked` tells that a profile was asked for that is this one.
    """

    name: str
    title: str
    about: str
    source: str
    controls: tuple[ControlInfo, ...]
    date: str = ""
    note: str = ""
    prerequisites: Prerequisites | None = None
    unverified: tuple[tuple[str, str], ...] = ()
    asked: bool = False


class Timing(NamedTuple):
    """How long a rule took on the subjects of a file: seconds of CPU. "" is what was done before any rule."""

    file: str
    rule: str
    seconds: float


class Threshold(NamedTuple):
    """What makes a scan end with status 1: the mildest verdict and the mildest severity that do.

    With `forgiven` nothing does.
    """

    fail_on: Verdict = "fail"
    fail_severity: Severity = "info"
    forgiven: bool = False

    def counts(self, finding: Finding) -> bool:
        """Tell whether a finding is at or above the threshold."""
        verdicts = VERDICTS[: VERDICTS.index(self.fail_on) + 1]
        severities = SEVERITIES[: SEVERITIES.index(self.fail_severity) + 1]
        return finding.verdict in verdicts and finding.rule.severity in severities and finding.suppressed is None


class Report(NamedTuple):
    """The whole outcome of a scan, sorted, ready to print.

    `sources` maps each file named by a finding or an error that could be decoded to its lines (without line ends), for
    excerpts. `files` counts the files looked at, `templates` those that are CloudFormation templates, `subjects` the
    trails and other subjects judged. `ignored` lists the files that were passed over, with the reason (for `-v`).
    `template_names` are the files that are templates. `chains` holds the delivery chains of the trails, `frameworks`
    those that the rules' controls belong to, and `timings` how long each rule took, where they were asked for. `since`
    is the revision when only what changed since then is told. `date` is the day, as an ISO date, on which suppressions
    had to be in force, `threshold` what makes the exit status 1. `profile` names all profiles, with ", " in between.
    `how` says in pairs of a key and a text how the templates were judged, as far as that is not what is usual.
    """

    version: str
    profile: str
    rules: tuple[RuleInfo, ...]
    results: tuple[Finding, ...]
    errors: tuple[FileError, ...]
    notices: tuple[Notice, ...]
    sources: Mapping[str, tuple[str, ...]]
    files: int
    templates: int
    subjects: int
    ignored: tuple[tuple[str, str], ...] = ()
    chains: tuple[Chain, ...] = ()
    template_names: tuple[str, ...] = ()
    frameworks: tuple[FrameworkInfo, ...] = ()
    since: str = ""
    timings: tuple[Timing, ...] = ()
    date: str = ""
    threshold: Threshold = Threshold()
    how: tuple[tuple[str, str], ...] = ()

    def status(self) -> int:
        """The exit status: 2 when something could not be judged as asked, 1 when a finding counts, else 0."""
        if self.errors:
            return 2
        return int(not self.threshold.forgiven and any(map(self.threshold.counts, self.results)))

    def summary(self) -> dict[str, int]:
        """Count everything: files, templates, subjects, each verdict (the suppressed apart), suppressed, errors."""
        counts = {"files": self.files, "templates": self.templates, "subjects": self.subjects}
        counts.update(dict.fromkeys((PASS, FAIL, CONDITIONAL, UNKNOWN, NOT_APPLICABLE, "suppressed"), 0))
        for finding in self.results:
            counts["suppressed" if finding.suppressed else finding.verdict] += 1
        counts["errors"] = len(self.errors)
        return counts


def worst(rulings: tuple[Ruling, ...]) -> Verdict:
    """The worst verdict of some rulings; not applicable when there is none."""
    return min((item.verdict for item in rulings), key=VERDICTS.index, default=NOT_APPLICABLE)
