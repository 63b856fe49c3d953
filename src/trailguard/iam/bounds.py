"""Answers about a policy of which parts are open, where those parts have no say."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from trailguard.iam.policy import Policy

T = TypeVar("T")


def settled(policy: Policy, ask: Callable[[Policy], T], told: Callable[[T], object]) -> T:
    """What `ask` finds out about a policy, which must be about what it lets through, or keeps out.

    `told` is what counts of the answer. Raises the Split of an open part that has a say.
    """
    draft = policy.draft
    if draft is None:
        return ask(policy)
    from trailguard.cloudformation.scenarios import drafts  # late: most policies have no open parts

    return drafts.settled(draft.splits, draft.allows, lambda chosen: ask(draft.with_parts(chosen)), told)
