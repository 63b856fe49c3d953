"""What a hook answers: a status, a message and an annotation for each finding, within what AWS takes.

Sources:
https://docs.aws.amazon.com/cloudformation-cli/latest/hooks-userguide/lambda-hooks-create-lambda-function.html
(the answer; messages are cut to 4,096 characters, to 1,024 for the Cloud Control API)
https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_Annotation.html (lengths)
https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html (an answer has 6 MB at most)
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Sequence
from typing import Literal, TypedDict

from trailguard.errors import UserError
from trailguard.findings import FAIL, Finding, Report, Severity, Suppression
from trailguard.hosts.hook_event import Event, HookError
from trailguard.hosts.shared import sentence
from trailguard.reporters.common import Shared, also, by_cause, link, readable, remedy, severity_rank
from trailguard.terminal import visible

MESSAGE, MESSAGE_OF_CONTROL = 4096, 1024  # characters
NAME, LINK, TEXT = 1024, 5120, 16384  # characters
MOST = 5_000_000  # bytes of the whole answer
MOST_ANNOTATIONS = 200  # AWS names no number, and an answer that it does not take would judge nothing
_LEVELS = {"critical": "CRITICAL", "high": "HIGH", "medium": "MEDIUM", "low": "LOW", "info": "INFORMATIONAL"}


class Annotation(TypedDict, total=False):
    """One finding, as the console and GetHookResult show it."""

    annotationName: str
    status: Literal["PASSED", "FAILED", "SKIPPED"]
    statusMessage: str
    remediationMessage: str
    remediationLink: str
    severityLevel: str


class Answer(TypedDict, total=False):
    """What the function gives to CloudFormation."""

    hookStatus: Literal["SUCCESS", "FAILED"]
    errorCode: Literal["NonCompliant", "InternalFailure"]
    message: str
    clientRequestToken: str
    callbackDelaySeconds: int
    annotations: list[Annotation]


def success(token: str, message: str) -> Answer:
    """The answer that lets a deployment go on."""
    return {"hookStatus": "SUCCESS", "message": message, "clientRequestToken": token, "callbackDelaySeconds": 0}


def failure(token: str, error: BaseException) -> Answer:
    """The answer when a deployment cannot be judged: the hook's failure mode decides what comes of it."""
    message = f"trailguard could not judge this deployment: {said(error)}"
    return _failed("InternalFailure", success(token, cut(message, MESSAGE_OF_CONTROL)))


def _failed(why: Literal["NonCompliant", "InternalFailure"], told: Answer) -> Answer:
    return {
        "hookStatus": "FAILED",
        "errorCode": why,
        "message": told["message"],
        "clientRequestToken": told["clientRequestToken"],
        "callbackDelaySeconds": told["callbackDelaySeconds"],
    }


def said(error: BaseException) -> str:
    """The text of an error; of our own kinds with its place."""
    if isinstance(error, UserError | HookError):
        return str(error)
    return f"internal error, please report it: {type(error).__name__}: {error}"


def answer(event: Event, report: Report, notes: Sequence[str] = (), besides: Collection[str] = frozenset()) -> Answer:
    """The answer to an event from the report about its template, and what else there is to say of how it was judged.

    Notices about the files `besides` are left out: what is of no use for one stack may be so for another. A finding
    that counts makes it NonCompliant. Without one, what could not be judged makes it an InternalFailure.
    """
    shared = sorted(by_cause(report), key=lambda one: _rank(one, report))
    is_counting = any(_counts(one, report) for one in shared)
    annotations = [_annotation(one, event, report) for one in shared]
    accepted = ((item, item.suppressed) for item in report.results if item.suppressed is not None)
    annotations += [_accepted(item, why, event) for item, why in accepted]
    errors = [": ".join([*_place(item.file, item.line, event), item.message]) for item in report.errors]
    limit = MESSAGE if event.stack_id else MESSAGE_OF_CONTROL
    remarks = [
        ": ".join([*_place(item.file, item.line, event), item.message])
        for item in report.notices
        if item.file not in besides
    ]
    rest = [*errors, *notes, *remarks]
    told = success(event.token, cut(_message(event, report, shared, rest), limit))
    if is_counting or errors:
        told = _failed("NonCompliant" if is_counting else "InternalFailure", told)
    if annotations:
        told["annotations"] = fitting(annotations)
    return told


def fitting(annotations: Sequence[Annotation], most: int = MOST) -> list[Annotation]:
    """The first annotations, as many as fit into an answer; the last one then says how many are left out."""
    kept: list[Annotation] = []
    for number, item in enumerate(annotations):
        most -= len(json.dumps(item)) + 2
        is_last = number == MOST_ANNOTATIONS - 1 and number + 1 < len(annotations)
        if most < 0 or is_last:
            left = len(annotations) - number
            kept.append({
                "annotationName": "trailguard",
                "status": "SKIPPED",
                "statusMessage": f"{left} more that do not fit into the answer; `trailguard scan` shows all of them",
                "severityLevel": "INFORMATIONAL",
            })  # fmt: skip
            break
        kept.append(item)
    return kept


def cut(text: str, most: int) -> str:
    """A text in one line that AWS takes: control characters are shown as escapes, and what is too long ends in "…"."""
    shown = visible(readable(text))
    return shown if len(shown) <= most else f"{shown[: most - 1]}…"


def _counts(shared: Shared, report: Report) -> bool:
    return any(map(report.threshold.counts, shared.all))


def _severity(shared: Shared) -> Severity:
    """The worst severity of the rules that one cause breaks."""
    return min((item.rule.severity for item in shared.all), key=severity_rank)


def _rank(shared: Shared, report: Report) -> tuple[bool, bool, int, str, int]:
    """Worst first: what stops the deployment, then by severity and place."""
    file, span, _ = shared.lead.place
    return (not _counts(shared, report), shared.lead.verdict != FAIL, severity_rank(_severity(shared)), file, span.line)


def _annotation(shared: Shared, event: Event, report: Report) -> Annotation:
    """One cause. What is not decided and does not count is SKIPPED, as nobody saw a fault."""
    lead = shared.lead
    told: Annotation = {
        "annotationName": cut(_name(lead), NAME),
        "status": "FAILED" if lead.verdict == FAIL or _counts(shared, report) else "SKIPPED",
        "statusMessage": cut("; ".join(filter(None, (_text(lead, event), also(shared)))), TEXT),
        "severityLevel": _LEVELS[_severity(shared)],
    }
    if remedy(lead):
        told["remediationMessage"] = cut(remedy(lead), TEXT)
    page = link(lead.rule.references)
    if page is not None and len(page) <= LINK:
        told["remediationLink"] = page
    return told


def _accepted(item: Finding, why: Suppression, event: Event) -> Annotation:
    """A finding that somebody accepts, and why."""
    until = f" until {why.expires}" if why.expires else ""
    return {
        "annotationName": cut(_name(item), NAME),
        "status": "SKIPPED",
        "statusMessage": cut(f"accepted{until}: {why.reason or why.kind}; {_text(item, event)}", TEXT),
        "severityLevel": _LEVELS[item.rule.severity],
    }


def _name(item: Finding) -> str:
    return f"{item.rule.id} {item.rule.name}"


def _text(item: Finding, event: Event) -> str:
    """Where it is, the verdict where that is not plain, and all that is to be said of it."""
    file, span, _ = item.place
    verdict = [] if item.verdict == FAIL else [item.verdict]
    return ": ".join([*_place(file, span.line, event), *verdict, sentence(item)])


def _place(file: str, line: int, event: Event) -> list[str]:
    """The line at fault, and its file where that is not what is deployed; a resource by itself has neither."""
    if file != event.name:
        return [f"{file}:{line}" if line else file]
    return [f"line {line}"] if line and event.target != "RESOURCE" else []


def _message(event: Event, report: Report, shared: Sequence[Shared], rest: Iterable[str]) -> str:
    """The whole outcome in some sentences, the worst first."""
    counting = [one.lead for one in shared if _counts(one, report)]
    left = len(shared) - len(counting)
    also_open = [f"{left} {'verdict is' if left == 1 else 'verdicts are'} open but no reason to fail"] if left else []
    if counting:
        some = f"{len(counting)} finding{'' if len(counting) == 1 else 's'} in {event.title}"
        first = f"{some}: {'; '.join(f'{_name(item)}: {_text(item, event)}' for item in counting)}"
    elif report.errors:
        first = f"{event.title} could not be judged"
    elif not report.subjects:
        first = f"{event.title} holds nothing that the rules are about"
    else:
        first = f"{event.title} may be deployed, by the rules of {report.profile}"
    return "; ".join([f"trailguard: {first}", *also_open, *rest])
