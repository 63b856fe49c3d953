"""Holds the facts of a subject against a rule, in every scenario, and says what may be claimed.

Inside one scenario the logic is Kleene's: one fact that fails decides, one that is unknown leaves the rule unknown.
Over the scenarios the verdicts are combined as the default-like ones demand.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from trailguard.cloudformation.scenarios.resolver import Scenario
from trailguard.cloudformation.scenarios.scenarios import MAX_LEAVES, Leaf, Scenarios, TooManyScenarios
from trailguard.cloudformation.source.nodes import Node
from trailguard.cloudformation.template.template import Resource
from trailguard.findings import CONDITIONAL, FAIL, NOT_APPLICABLE, OPEN, PASS, UNKNOWN, Verdict
from trailguard.rulebook.must import holds
from trailguard.rulebook.options import Requirement
from trailguard.rulebook.rule import Rule
from trailguard.trails.facts.facts import Cause, Fact

NEVER_MADE = "is made for no allowed choice of parameters"  # what is said of a subject that exists in no scenario
_NAMED = 8  # parameters that a reason names

FactSource = Callable[[Scenario, Resource, Requirement], Fact]


class Answer(NamedTuple):
    """What a rule finds in one scenario: an outcome, and the facts that decided it with the rule's words on each."""

    outcome: Verdict
    facts: tuple[tuple[Fact, str], ...]


class Judgement(NamedTuple):
    """The claim of one rule about one subject.

    `reason` says why it is unknown or not applicable. `causes` are what an open verdict rests on, the same for every
    rule that stumbles over them.
    """

    verdict: Verdict
    node: Node
    message: str
    witness: Mapping[str, str]
    reason: str | None
    related: tuple[tuple[Node, str], ...]
    causes: tuple[Cause, ...] = ()


Question = Callable[[Scenario], "Answer | None"]


def judge(scenarios: Scenarios, resource: Resource, question: Question) -> Judgement:
    """Judge one subject over all scenarios; the question has no answer where there is no such subject."""
    try:
        leaves = [leaf for leaf in scenarios.explore(question) if leaf.answer is not None]
    except TooManyScenarios as many:
        reason = _too_many(many.names)
        message = f"{resource.id} cannot be judged"
        return Judgement(UNKNOWN, resource.key, message, {}, reason, (), (Cause(resource.key, reason),))
    if not leaves:
        reason = f"{resource.id} {NEVER_MADE}"
        return Judgement(NOT_APPLICABLE, resource.key, reason, {}, reason, ())
    answered = [Leaf(leaf.assignment, leaf.answer, leaf.stack) for leaf in leaves if leaf.answer is not None]
    return _claim(scenarios, resource.key, answered)


def _too_many(names: Sequence[str]) -> str:
    """Why a question cannot be decided that hinges on too much, and what to do."""
    shown = ", ".join(names[:_NAMED]) + (", …" if len(names) > _NAMED else "")
    return (
        f"it hinges on more than {MAX_LEAVES:,} combinations of values of the parameters {shown}; "
        "pin some of them with --parameter"
    )


def answer(rule: Rule, scenario: Scenario, resource: Resource, fact: FactSource) -> Answer:
    """What a rule finds about a subject in one scenario."""
    gates: list[tuple[Fact, str]] = []  # unknown, and it decides whether the rule applies
    for requirement in rule.when:
        found = fact(scenario, resource, requirement)
        if found.unknown is not None:
            gates.append((found, requirement.message))
        elif not holds(requirement.must, found.value):
            return Answer(NOT_APPLICABLE, ((found, requirement.message),))
    failed: list[tuple[Fact, str]] = []
    open_: list[tuple[Fact, str]] = []
    first: Fact | None = None
    for requirement in rule.require:
        found = fact(scenario, resource, requirement)
        first = first or found
        if found.unknown is not None:
            open_.append((found, requirement.message))
        elif not holds(requirement.must, found.value):
            failed.append((found, requirement.message))
    if failed:
        return Answer(UNKNOWN, tuple(gates)) if gates else Answer(FAIL, tuple(failed))
    if open_:
        return Answer(UNKNOWN, tuple(open_))
    return Answer(PASS, ((first, ""),) if first is not None else ())


def _claim(scenarios: Scenarios, subject: Node, leaves: list[Leaf[Answer]]) -> Judgement:
    """Combine the scenarios: what holds in all default-like ones, what some choice of parameters breaks."""
    space = scenarios.model.space
    if len(leaves) == 1 and not leaves[0].assignment:  # the same in all scenarios, as it mostly is
        only = leaves[0].answer
        judgement = _judgement(only.outcome, only, {}, None)
        return judgement._replace(node=subject) if only.outcome == NOT_APPLICABLE else judgement
    from trailguard.cloudformation.scenarios.witnesses import default_like, disputed, witness  # late: see above

    found = [leaf.answer.outcome for leaf in leaves]
    outcomes = [PASS if answer == NOT_APPLICABLE else answer for answer in found]
    disputes = disputed(space, leaves, outcomes, scenarios.existence.can)
    answers = [answer if dispute is None else UNKNOWN for answer, dispute in zip(found, disputes, strict=True)]
    usual = default_like(space, leaves)
    failing = [answer == FAIL for answer in answers]
    if any(failing):
        all_usual = all(fails for fails, is_usual in zip(failing, usual, strict=True) if is_usual)
        index, values = witness(space, leaves, failing, scenarios.existence.keeps_defaults)
        failed = leaves[index].answer
        return _judgement(FAIL, failed, {}, None) if all_usual else _judgement(CONDITIONAL, failed, values, None)
    verdicts: tuple[Verdict, ...] = (UNKNOWN, PASS)
    for verdict in verdicts:
        if verdict in answers:
            told = [i for i, answer in enumerate(answers) if answer == verdict]
            index = min(told, key=lambda i: (found[i] != FAIL, not usual[i], len(leaves[i].assignment)))
            judgement = _judgement(verdict, leaves[index].answer, {}, disputes[index])
            return _with_choices(judgement, scenarios, leaves, answers) if verdict == UNKNOWN else judgement
    return _judgement(NOT_APPLICABLE, leaves[0].answer, {}, None)._replace(node=subject)


def _with_choices(
    judgement: Judgement, scenarios: Scenarios, leaves: list[Leaf[Answer]], answers: list[Verdict]
) -> Judgement:
    """Say with which parameter values something is unknown, when it is known with others."""
    from trailguard.cloudformation.scenarios.witnesses import witness

    open_ = [answer == UNKNOWN for answer in answers]
    _, values = witness(scenarios.model.space, leaves, open_, scenarios.existence.keeps_defaults)
    if not values:
        return judgement
    chosen = ", ".join(f"{name} = {value or '(empty)'}" for name, value in values.items())
    return judgement._replace(reason=f"with {chosen}, {judgement.reason}")


def _judgement(verdict: Verdict, answer: Answer, values: Mapping[str, str], dispute: str | None) -> Judgement:
    """Tell a verdict from the facts of one scenario; the first fact in the text gives the place."""
    facts = sorted(answer.facts, key=lambda item: (item[0].node.line, item[0].node.column))
    main = facts[0][0]
    message = _message(facts, answer.outcome == FAIL)
    if dispute is not None:
        message = f"it cannot be told whether this is so: {message}"
    related = [(fact.node, fact.because) for fact, _ in facts[1:] if fact.node is not main.node]
    related.extend(place for fact, _ in facts for place in fact.related)
    reason = None
    if verdict == UNKNOWN:
        reason = dispute or main.unknown
    elif verdict == NOT_APPLICABLE:
        reason = main.because
    causes: tuple[Cause, ...] = ()
    if verdict in OPEN:
        causes = (Cause(main.node, dispute),) if dispute else tuple(fact.stems_from for fact, _ in facts)
    return Judgement(verdict, main.node, message, values, reason, tuple(related), causes)


def _message(facts: list[tuple[Fact, str]], failed: bool) -> str:
    """What was found, and what it means; what means the same is told together, and what is the same once."""
    found: dict[str, dict[str, None]] = {}
    for fact, words in facts:
        found.setdefault(words if failed else "", {})[fact.because] = None
    told = [("; ".join(becauses), words) for words, becauses in found.items()]
    return "; ".join(f"{becauses}: {words}" if words else becauses for becauses, words in told)
