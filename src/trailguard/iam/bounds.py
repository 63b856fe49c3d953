"""Answers about a policy of which parts are open, where those parts have no say.

More that a policy allows only ever lets more through, and more that it denies only ever less. So an answer that is the
same for the document that allows the least and denies the most, and for the one that does the opposite, is the answer
for all documents in between.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import NoReturn, TypeVar

from trailguard.cloudformation.scenarios.variables import Split
from trailguard.iam.policy import Draft, Policy

T = TypeVar("T")


def settled(policy: Policy, ask: Callable[[Policy], T], told: Callable[[T], object]) -> T:
    """What `ask` finds out about a policy, which must be about what it lets through, or keeps out.

    `told` is what counts of the answer. Raises the Split of an open part that has a say.
    """
    draft = policy.draft
    if draft is None:
        return ask(policy)
    least = [index for index, allows in enumerate(draft.allows) if not allows]
    most = [index for index, allows in enumerate(draft.allows) if allows]
    try:
        is_settled = told(ask(draft.with_parts(least))) == told(ask(draft.with_parts(most)))
    except Split:
        is_settled = False
    if not is_settled:
        _raise_telling(draft, lambda chosen: told(ask(draft.with_parts(chosen))))
    return ask(draft.with_parts(()))


def _raise_telling(draft: Draft, ask: Callable[[Collection[int]], object]) -> NoReturn:
    """Raise the Split of a part that changes the answer, best by itself, else together with all others."""
    everything = set(range(len(draft.splits)))
    doubtful: Split | None = None
    for without in (set[int](), everything):
        usual = ask(without)
        for index, split in enumerate(draft.splits):
            try:
                changes = ask(without ^ {index}) != usual
            except Split:
                doubtful = doubtful or split
                continue
            if changes:
                raise split
    raise doubtful or draft.splits[0]
