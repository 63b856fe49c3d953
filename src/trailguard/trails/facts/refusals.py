"""Policy documents that AWS is certain to refuse. A refused document takes effect in no part: it grants nothing.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html (what every policy must be),
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_sid.html (what IAM asks of a Sid), and
https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketPolicy.html (MalformedPolicy)
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple, TypeAlias

from trailguard.cloudformation.source.nodes import Node
from trailguard.iam.policy import Part, Policy, Statement
from trailguard.trails.facts.facts import Fact, no


class Refusal(NamedTuple):
    """Why AWS refuses a document, and the place that is at fault."""

    node: Node
    because: str

    def told(self, who: str, what: str) -> Fact:
        """The refusal as a fact, in the same words for every rule that the document matters to.

        `who` is the service that refuses it, `what` the document.
        """
        return no(self.node, f"{who} refuses {what} as a whole, so it grants nothing: {self.because}")


_SID = re.compile("[A-Za-z0-9]*")

Check: TypeAlias = "Callable[[Policy], Refusal | None]"


def refused(policy: Policy, check: Check) -> Refusal | None:
    """The refusal of a policy, of which parts may be open. Raises the Split of one that has a say.

    `check` finds the first refusal in a policy that is decided.
    """
    draft = policy.draft
    if draft is None:
        return check(policy)
    everything = range(len(draft.splits))
    least, most = draft.with_parts(()), draft.with_parts(everything)
    without, with_all = check(least), check(most)
    if without is not None and with_all == without:
        return without
    if without is None and with_all is None:
        aims = [part for part in everything if _aims_wider(least, draft.with_parts((part,)))]
        if not aims or check(draft.with_parts(set(everything).difference(aims))) is None:
            return None
        raise draft.splits[aims[0]]
    raise next(
        (draft.splits[part] for part in everything if check(draft.with_parts((part,))) != without), draft.splits[0]
    )


def _aims_wider(least: Policy, policy: Policy) -> bool:
    """Tell whether a statement that is there anyway names more resources in a policy."""
    anyway = {statement.index: statement for statement in least.certain}
    return any(
        _named(statement.resource) > _named(anyway[statement.index].resource)
        for statement in policy.certain
        if statement.index in anyway
    )


def _named(part: Part | None) -> int:
    return len(part.texts) if part is not None else 0


def malformed(policy: Policy) -> Refusal | None:
    """What is wrong with a policy of whatever kind."""
    certain = (problem for problem in policy.problems if problem.certain)
    problem = next(certain, None)
    if problem is not None:
        return Refusal(problem.node, problem.message)
    return next(_empty(policy), None) if policy.draft is None else None


def _empty(policy: Policy) -> Iterator[Refusal]:
    """The statements that list nothing where something must stand."""
    for statement in policy.certain:
        for name, value in _lists(statement):
            if not value:
                yield Refusal(statement.place(name, f"Not{name}"), f"{statement.label} has no {name}")


def _lists(statement: Statement) -> Iterator[tuple[str, int]]:
    if statement.fault is not None:
        return
    if statement.action is not None:
        yield "Action", len(statement.action.texts)
    if statement.resource is not None:
        yield "Resource", len(statement.resource.texts)


def malformed_in_iam(policy: Policy) -> Refusal | None:
    """What is wrong with a policy in IAM, which takes letters and digits in a Sid only, and each Sid once."""
    return malformed(policy) or next(_wrong_sids(policy.certain), None)


def _wrong_sids(statements: Iterable[Statement]) -> Iterator[Refusal]:
    seen: set[str] = set()
    for statement in statements:
        if not _SID.fullmatch(statement.sid):
            yield Refusal(statement.place("Sid"), f'Sid "{statement.sid}" may hold only letters and digits')
        elif statement.sid in seen:
            yield Refusal(statement.place("Sid"), f'two statements have the Sid "{statement.sid}"')
        if statement.sid:
            seen.add(statement.sid)
