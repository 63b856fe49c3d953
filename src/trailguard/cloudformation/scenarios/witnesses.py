"""What may be claimed from the answers of all scenarios, and the smallest parameter values that show it.

A scenario is default-like when every parameter that has a default keeps it; where the subject does not exist under the
defaults, when just those defaults are changed, and as few as possible, that make it exist.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from trailguard.cloudformation.scenarios.parts import owner_of
from trailguard.cloudformation.scenarios.scenarios import Leaf
from trailguard.cloudformation.scenarios.space import Space
from trailguard.cloudformation.scenarios.variables import FREE, Assignment, Constraint, Same, Variable

T = TypeVar("T")

EXACT_LEAVES = 600  # beyond these, disputed answers are not told apart leaf by leaf
TRIED_LEAVES = 32  # failing leaves from which a witness is minimised


def _always(assignment: Assignment) -> bool:
    return True


def default_like(space: Space, leaves: Sequence[Leaf[T]]) -> list[bool]:
    """For each leaf, whether it holds a default-like scenario."""
    changes = [space.changed(leaf.stack) for leaf in leaves]
    fewest = min((len(change) for change in changes), default=0)
    return [len(change) == fewest for change in changes]


def opaque_reason(space: Space, assignment: Assignment) -> str | None:
    """Why a scenario rests on something that nobody can know before deployment; None when it does not."""
    for name in assignment:
        reason = space.variables[name].opaque
        if reason is not None:
            return reason
    return None


def disputed(
    space: Space, leaves: Sequence[Leaf[T]], answers: Sequence[str], can: Callable[[Assignment], bool] = _always
) -> list[str | None]:
    """For each leaf, why its answer cannot be claimed: what decides between it and another answer is not knowable.

    `can` tells whether a stack can be made with an assignment.
    """
    reasons = [opaque_reason(space, leaf.assignment) for leaf in leaves]
    if not any(reasons):
        return reasons
    if len(leaves) > EXACT_LEAVES:
        shared = next(filter(None, reasons))
        return [shared if len(set(answers)) > 1 else None] * len(leaves)
    disputes: list[str | None] = [None] * len(leaves)
    for index, leaf in enumerate(leaves):
        for other, rival in enumerate(leaves):
            reason = reasons[index] or reasons[other]
            if not reason or answers[index] == answers[other]:
                continue
            if _same_choice(space, leaf.assignment, rival.assignment, can):
                disputes[index] = reason
                break
    return disputes


def _same_choice(space: Space, left: Assignment, right: Assignment, can: Callable[[Assignment], bool]) -> bool:
    """Tell whether some choice of parameters leads to both, so that only the unknowable decides between them."""
    chosen = {name: constraint for name, constraint in left.items() if space.variables[name].opaque is None}
    pairs = [(space.variables[name], item, right.get(name, FREE)) for name, item in chosen.items()]
    if not all(compatible(*both) and not _set_apart(space, variable, *both) for variable, *both in pairs):
        return False
    return can(merged(right, chosen))


def _set_apart(space: Space, variable: Variable, left: Constraint, right: Constraint) -> bool:
    """Tell whether one is the value of a parameter that somebody chooses once, and the other is not."""
    for value, excluded in ((left.value, right.excluded), (right.value, left.excluded)):
        if isinstance(value, Same) and value in excluded:
            both = (variable, space.variables[value.name])
            return not any(one.several or one.opaque for one in both)
    return False


def witness(
    space: Space, leaves: Sequence[Leaf[T]], failing: Sequence[bool], makes: Callable[[Assignment], bool] = _always
) -> tuple[int, dict[str, str]]:
    """The failing leaf that takes the fewest parameter values to reach, and these values.

    With these values given, every other parameter at its default, and whatever is left chosen freely, the answer is
    always a failing one. `makes` tells whether a stack can be made with an assignment and the defaults.
    """
    starts = [(index, _needed(space, leaf)) for index, leaf in enumerate(leaves) if failing[index]]
    # Of two that are as short, the one that says "any other value" tells more than one with a value of its own.
    starts.sort(key=lambda start: (len(start[1]), sum(item.value is not None for item in start[1].values())))
    best: tuple[int, dict[str, Constraint]] | None = None
    for index, needed in starts[:TRIED_LEAVES]:
        smaller = _minimal(space, leaves, failing, needed, makes)
        if best is None or len(smaller) < len(best[1]):
            best = index, smaller
    if best is None:
        return 0, {}
    stack = leaves[best[0]].stack
    return best[0], {name: space.sample(stack, name) for name in sorted(set(map(owner_of, best[1])))}


def _needed(space: Space, leaf: Leaf[T]) -> dict[str, Constraint]:
    """What must be chosen to get to a leaf: all but the parameters that may stay at their defaults."""
    changed = space.changed(leaf.stack)
    decided = {**leaf.assignment, **{name: leaf.stack[name] for name in changed - space.changed(leaf.assignment)}}
    return {
        name: constraint
        for name, constraint in decided.items()
        if space.variables[name].opaque is None and (space.variables[name].default is None or name in changed)
    }


def _minimal(
    space: Space,
    leaves: Sequence[Leaf[T]],
    failing: Sequence[bool],
    needed: dict[str, Constraint],
    makes: Callable[[Assignment], bool],
) -> dict[str, Constraint]:
    for name in sorted(needed):
        smaller = {other: constraint for other, constraint in needed.items() if other != name}
        if _always_fails(space, leaves, failing, smaller, makes):
            needed = smaller
            continue
        constraint = needed[name]
        literals = Constraint(
            constraint.value, frozenset(item for item in constraint.excluded if isinstance(item, str))
        )
        if _always_fails(space, leaves, failing, {**needed, name: literals}, makes):
            needed[name] = literals
    for constraint in list(needed.values()):  # "unlike P" says nothing without a value for P
        for item in (constraint.value, *constraint.excluded):
            if isinstance(item, Same) and space.variables[item.name].default is None:
                needed.setdefault(item.name, FREE)
    return needed


def _always_fails(
    space: Space,
    leaves: Sequence[Leaf[T]],
    failing: Sequence[bool],
    chosen: Mapping[str, Constraint],
    makes: Callable[[Assignment], bool],
) -> bool:
    reached = [
        fails
        for leaf, fails in zip(leaves, failing, strict=True)
        if _reaches(space, chosen, leaf.assignment) and makes(merged(leaf.assignment, chosen))
    ]
    return bool(reached) and all(reached)


def _reaches(space: Space, chosen: Mapping[str, Constraint], assignment: Assignment) -> bool:
    """Tell whether a leaf can come about with the chosen values, defaults elsewhere, and free choice of the rest."""
    for name, constraint in assignment.items():
        default = space.variables[name].default
        mine = chosen.get(name)
        if mine is None:
            mine = FREE if default is None else Constraint(default, frozenset())
        if not compatible(mine, constraint):
            return False
    return True


def compatible(left: Constraint, right: Constraint) -> bool:
    """Tell whether some value satisfies both constraints, as far as literals go."""
    if isinstance(left.value, str) and isinstance(right.value, str):
        return left.value == right.value
    if isinstance(left.value, str):
        return left.value not in right.excluded
    return not isinstance(right.value, str) or right.value not in left.excluded


def merged(left: Assignment, right: Assignment) -> Assignment:
    """What two compatible assignments say together."""
    found = {**left}
    for name, constraint in right.items():
        known = found.get(name, FREE)
        value = constraint.value if known.value is None else known.value
        found[name] = Constraint(value, known.excluded | constraint.excluded)
    return found
