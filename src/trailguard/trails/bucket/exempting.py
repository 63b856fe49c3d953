"""Takes CloudTrail out of a Deny of a bucket policy that is meant for others; the Deny stays what it is for them.

A Deny that names CloudTrail itself, and nothing but that it shall not, is left to people: somebody meant it.
Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html (of the key
aws:PrincipalServiceName, which is there only when a service calls)
"""

from __future__ import annotations

from collections.abc import Iterator

from trailguard.cloudformation.source.changes import Change, Data, Replace, at
from trailguard.cloudformation.source.nodes import TextNode
from trailguard.iam.conditions import Clause
from trailguard.iam.evaluate import Request, denials
from trailguard.iam.policy import Statement
from trailguard.trails.bucket import calls, requests
from trailguard.trails.bucket.amending import LIKE, has_wildcard
from trailguard.trails.bucket.guarding import SOURCES, sites_of, taken, words_of
from trailguard.trails.bucket.sites import Site
from trailguard.trails.bucket.wording import SOURCE_ACCOUNT, SOURCE_ARN
from trailguard.trails.facts.repairs import Fault, Repair
from trailguard.trails.facts.statements import Paper

CALLER = "aws:PrincipalServiceName"
_TLS = "aws:securetransport"
_UNEQUAL, _UNEQUAL_IF_EXISTS = "StringNotEquals", "StringNotEqualsIfExists"


def delivery_not_denied(fault: Fault) -> Iterator[Repair]:
    """Let no Deny stop what CloudTrail does."""
    for site, paper in sites_of(fault):
        check = requests.acl_check(site.scenario, site.trail, site.bucket)
        asked = [check, *calls.puts(site)]
        hitting = [one for one in site.policy.statements if _hits(site, one, asked)]
        if not hitting:
            continue
        unsafe = taken(site, hitting, SOURCE_ARN, SOURCE_ACCOUNT)
        plain = [_exempted(paper, one) for one in hitting]
        best = [next(_corrected(site, paper, one), ()) or _exempted(paper, one) for one in hitting]
        named = ", ".join(one.label for one in hitting)
        title = f"Exempt CloudTrail from {named}"
        for ways, told in ((best, title if best == plain else f"Correct {named}"), (plain, title)):
            if all(ways):
                yield Repair(told, tuple(change for way in ways for change in way), unsafe)
            if best == plain:
                break


def _hits(site: Site, statement: Statement, asked: list[Request]) -> bool:
    alone = site.policy._replace(certain=(statement,))
    return any(denials(alone, call, site.scenario.settle).outcome == "yes" for call in asked)


def _corrected(site: Site, paper: Paper, statement: Statement) -> Iterator[tuple[Change, ...]]:
    """What a Deny must have meant: an exception that is filled in, plain HTTP, the trails of others."""
    part = statement.resource
    for text in part.texts if part is not None and part.negated and not paper.in_text else ():
        if isinstance(text.node, TextNode) and "${" in text.node.value:
            yield (Replace(at(text.node), {"Fn::Sub": text.node.value}),)
    for clause in statement.clauses:
        if clause.name == _TLS and clause.operator.startswith("Bool"):
            yield (paper.put(statement, ("Condition", clause.operator, clause.key), "false"),)
        if clause.name in SOURCES and clause.operator in LIKE and has_wildcard(clause):
            yield (paper.rename(statement, ("Condition", clause.operator), LIKE[clause.operator]),)
        if clause.name in SOURCES and clause.test is not None and clause.test.negated:
            bound = words_of(site).bound()
            value = None if bound is None else paper.say(bound[1])
            if bound is not None and value is not None and clause.name == bound[0].lower():
                yield (_more(paper, statement, clause, value),)


def _exempted(paper: Paper, statement: Statement) -> tuple[Change, ...]:
    """A Deny that CloudTrail is no more about; nothing for one that is about CloudTrail by name."""
    principal = statement.principal
    if principal is None:
        return ()
    if principal.negated:
        return (paper.append(statement, ("NotPrincipal", "Service"), requests.SERVICE),)
    if any(caller.text.literal == requests.SERVICE for caller in principal.callers):
        return ()
    for clause in statement.clauses:
        if clause.name == CALLER.lower() and clause.operator in (_UNEQUAL, _UNEQUAL_IF_EXISTS):
            return (_more(paper, statement, clause, requests.SERVICE),)
    operators = {clause.operator for clause in statement.clauses}
    operator = _UNEQUAL_IF_EXISTS if _UNEQUAL_IF_EXISTS in operators else _UNEQUAL
    return (paper.put(statement, ("Condition", operator, CALLER), requests.SERVICE),)


def _more(paper: Paper, statement: Statement, clause: Clause, value: Data) -> Change:
    """One exception more: those whom a Deny excepts already stay excepted."""
    return paper.append(statement, ("Condition", clause.operator, clause.key), value)
