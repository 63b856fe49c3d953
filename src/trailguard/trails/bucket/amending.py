"""Corrects the statement of a bucket policy that is meant to grant CloudTrail something, and does not.

What is meant is the statement that names CloudTrail, or lets it in, and comes nearest: a wrong path, an action of
nearly the same name, a condition that is never met.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from trailguard.cloudformation.source.changes import Change, Data
from trailguard.iam.callers import named, resources
from trailguard.iam.conditions import ABSENT, Clause, Undecided, conditions_hold
from trailguard.iam.evaluate import Request, about_action, about_resource
from trailguard.iam.globs import glob
from trailguard.iam.inclusion import Group
from trailguard.iam.operators import NULL
from trailguard.iam.patterns import covers
from trailguard.iam.policy import Statement
from trailguard.trails.bucket import calls, requests
from trailguard.trails.bucket.guarding import EQUALS, LOST, SOURCES, names_several, shared, shut_out, taken, words_of
from trailguard.trails.bucket.sites import Site
from trailguard.trails.facts.phrases import phrase_for
from trailguard.trails.facts.repairs import Repair
from trailguard.trails.facts.statements import Paper

CHECK, WRITE = "s3:GetBucketAcl", "s3:PutObject"
LIKE = {"StringEquals": "StringLike", "StringNotEquals": "StringNotLike"}  # which take wildcards
_SHARED = "others whom the statement names are let in by it, too"


class Need(NamedTuple):
    """What is to be granted: the calls that are not let through, and the resources that they are about, as values."""

    action: str
    calls: Sequence[Request]
    values: Sequence[Data]


class _Miss(NamedTuple):
    """A statement, how near it comes, and what of it keeps the calls from being granted."""

    statement: Statement
    rank: int
    action: bool
    resource: bool
    clauses: tuple[Clause, ...]


def corrections(site: Site, paper: Paper, need: Need) -> Iterator[Repair]:
    """The ways to correct the statement that is meant; none where no statement is."""
    statements = [one for one in site.policy.statements if one.fault is None]
    found = [_miss(site, one, need) for one in statements if one.effect is not None and one.effect.literal == "Allow"]
    meant = max(found, key=lambda one: one.rank, default=None)
    if meant is None or not meant.rank:
        return
    statement = meant.statement
    unsafe = taken(site, [statement], *(clause.key for clause in meant.clauses))
    unsafe = unsafe or (_SHARED if shared(statement) and (meant.clauses or meant.resource) else "")
    unsafe = unsafe or (LOST if any(names_several(clause) for clause in meant.clauses) else "")
    plain = [paper.put(statement, ("Action",), need.action)] if meant.action else []
    asked, asking = _asked(site, paper, meant, need)
    for fitted, told in _fitted(site, paper, meant, need):
        words = [word for word in (f"Grant {need.action}" if meant.action else "", told, asking) if word]
        yield Repair("; ".join(words) or f"Correct {statement.label}", (*plain, *fitted, *asked), unsafe)


def _miss(site: Site, statement: Statement, need: Need) -> _Miss:
    settle, first = site.scenario.settle, need.calls[0]
    does = about_action(statement.action, first, settle).is_yes
    names = named(statement.principal, first._replace(accounts=()), settle).is_yes
    clauses = {
        id(clause): clause
        for call in need.calls
        for clause in statement.clauses
        if not conditions_hold((clause,), call.context, settle).answer.is_yes
    }
    fits = all(_covers(site, statement, call) for call in need.calls)
    slip = not does and (_is_slip(statement, need.action) or (fits and _is_idle(site, statement)))
    touches = fits or any(about_resource(statement.resource, call, settle).is_yes for call in need.calls)
    negated = statement.resource is not None and statement.resource.negated and not fits
    rank = (2 if does else 1) * 4 + 2 * fits + touches + (not clauses)
    return _Miss(
        statement, rank if names and (does or slip) and not negated else 0, slip, not fits, tuple(clauses.values())
    )


def _is_slip(statement: Statement, action: str) -> bool:
    """Tell whether the actions of a statement are of nearly the same name."""
    part = statement.action
    if part is None or part.negated or not part.texts:
        return False
    start, middle = ("s3:get", "acl") if action == CHECK else ("s3:put", "object")
    names = [(text.literal or "").lower() for text in part.texts]
    return all(name.startswith(start) and middle in name for name in names)


def _is_idle(site: Site, statement: Statement) -> bool:
    """Tell whether a statement grants CloudTrail, and nobody else, nothing that it does."""
    part = statement.action
    asked = (requests.acl_check(site.scenario, site.trail, site.bucket), *calls.puts(site)[:1])
    uses = part is None or part.negated or any(about_action(part, call, site.scenario.settle).is_yes for call in asked)
    return not uses and not shared(statement)


def _covers(site: Site, statement: Statement, call: Request) -> bool:
    """Tell whether the resources of a statement are all that a call is about."""
    part = statement.resource
    if part is None:
        return False
    return covers((Group(resources(part, call), part.negated),), glob(call.resource), site.scenario.settle).is_yes


# --- the resource ----------------------------------------------------------------------------------------------------


def _fitted(site: Site, paper: Paper, meant: _Miss, need: Need) -> Iterator[tuple[list[Change], str]]:
    """The ways to make a statement be about the right resources; what is of use for something else stays."""
    statement = meant.statement
    if not meant.resource:
        yield [], ""
        return
    told = "the bucket" if need.action == CHECK else "the trail's folders"
    in_place = [paper.put(statement, ("Resource",), need.values[0] if len(need.values) == 1 else list(need.values))]
    beside = [paper.append(statement, ("Resource",), value) for value in need.values]
    ways = [(in_place, f"Correct the resource to {told}"), (beside, f"Add {told} to the resources")]
    is_own = _is_only_about(statement, need.action) or meant.action
    several = statement.resource is not None and len(statement.resource.texts) > 1
    yield from ways if is_own and not (several and shut_out(site, [statement])) else ways[:0:-1]


def _is_only_about(statement: Statement, action: str) -> bool:
    part = statement.action
    return (
        part is not None
        and not part.negated
        and {(text.literal or "").lower() for text in part.texts} == {action.lower()}
    )


# --- conditions ------------------------------------------------------------------------------------------------------


def _asked(site: Site, paper: Paper, meant: _Miss, need: Need) -> tuple[list[Change], str]:
    """Make conditions that the calls do not meet such that they do."""
    statement = meant.statement
    if not meant.clauses:
        return [], ""
    held: list[Change] = []
    for clause in meant.clauses:
        right = _right(site, paper, clause, need.calls[0])
        like = LIKE.get(clause.operator)
        if clause.name in SOURCES and like is not None and has_wildcard(clause):
            held.append(paper.rename(statement, ("Condition", clause.operator), like))
        elif clause.name in SOURCES:
            held += _bound(site, paper, statement)
        elif right is None:
            held.append(paper.remove(statement, ("Condition", clause.operator, clause.key)))
        else:
            held += paper.ask(statement, EQUALS if _is_odd(clause) else clause.operator, clause.key, right)
    keys = ", ".join(dict.fromkeys(clause.key for clause in meant.clauses))
    return held, f"Correct the condition on {keys}"


def has_wildcard(clause: Clause) -> bool:
    """Tell whether a clause asks for a pattern."""
    return any("*" in str(piece) for text in clause.values for piece in text.pieces if isinstance(piece, str))


def _is_odd(clause: Clause) -> bool:
    """Tell whether an operator does not ask for a value."""
    return clause.test is None or clause.test.negated or clause.test.kind == NULL or clause.test.every is not None


def _right(site: Site, paper: Paper, clause: Clause, call: Request) -> Data | None:
    """What a clause has to ask for, so that a call meets it; None where the call sends nothing that can be told."""
    sent = call.context.get(clause.name, ABSENT)
    if isinstance(sent, Undecided) or len(sent) != 1:
        return None
    said = phrase_for(site.scenario, paper.resource, sent[0].pieces)
    return None if said is None else paper.say(said)


def _bound(site: Site, paper: Paper, statement: Statement) -> tuple[Change, ...]:
    """Bind a statement to the trail, or to its account, whatever it is bound to."""
    bound = words_of(site).bound()
    value = None if bound is None else paper.say(bound[1])
    if bound is None or value is None:
        return ()
    return paper.ask_instead(statement, EQUALS, bound[0], value, other_sources(statement, bound[0]))


def other_sources(statement: Statement, key: str) -> list[tuple[str, str]]:
    """What a statement asks of the source of a call by other keys than one, each with its operator."""
    asked = (one for one in statement.clauses if one.name in SOURCES and one.name != key.lower())
    return [(one.operator, one.key) for one in asked]
