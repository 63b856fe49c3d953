"""A policy of a trail's bucket, as something that requests can be put to."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from trailguard.cloudformation.scenarios.resolver import Scenario
from trailguard.cloudformation.template.template import Resource
from trailguard.iam.bounds import settled
from trailguard.iam.evaluate import Decision, Request, grantors, names_caller
from trailguard.iam.logic import NO, Tri, both, maybe
from trailguard.iam.policy import Policy, Statement
from trailguard.trails.bucket.buckets import LogBucket
from trailguard.trails.facts.facts import Fact
from trailguard.trails.facts.lists import told as told_of


class Site(NamedTuple):
    """A trail, its bucket and one policy of the bucket, in one scenario.

    `whole` is the policy with its open parts; `policy` is that, or what it is with some of them.
    """

    scenario: Scenario
    trail: Resource
    bucket: LogBucket
    resource: Resource
    policy: Policy
    whole: Policy

    def settled(self, build: Callable[[Site], Fact]) -> Fact:
        """A fact about what the policy lets through: its open parts are asked about only where they have a say."""
        return settled(self.whole, lambda one: build(self._replace(policy=one)), told_of)

    def find(self, look: Callable[[Site], list[tuple[Statement, Tri]]]) -> tuple[Statement, Tri] | None:
        """The first statement of which something is so, else of which it may be; None when there is none.

        More of them can only be found the more the policy allows.
        """

        def first(one: Policy) -> tuple[Statement, Tri] | None:
            found = look(self._replace(policy=one))
            return next((pair for pair in found if pair[1].is_yes), found[0] if found else None)

        return settled(self.whole, first, lambda found: found and found[1].state)

    def naming(self, request: Request) -> list[tuple[Statement, Tri]]:
        """The statements that let a request through and name the service principal itself, or may do so."""
        strict = request._replace(everyone=False, accounts=())

        def names_it(statement: Statement) -> Tri:
            named_in = statement.elements.get("Principal")
            known = NO if named_in is None else names_caller(named_in, strict, self.scenario.settle)
            return known if statement.fault is None else maybe(statement.fault)

        found = [(one, both((grants_it, names_it(one)))) for one, grants_it in self.ask_grantors(request)]
        return [(statement, answer) for statement, answer in found if not answer.is_no]

    def ask_grantors(self, request: Request) -> list[tuple[Statement, Tri]]:
        """The statements that let a request through."""
        return grantors(self.policy, request, self.scenario.settle)

    def ask(self, question: Callable[..., Decision], request: Request) -> Decision:
        """Put a request to the policy."""
        return question(self.policy, request, self.scenario.settle)
