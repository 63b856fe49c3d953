"""`trailguard snapshot`: reads what exists in AWS accounts, and says on standard error what came of it."""

from __future__ import annotations

import json
import os

from trailguard.account.aws import Way
from trailguard.account.kinds import KINDS, iam_policy
from trailguard.account.question import ROLE, Question
from trailguard.commands.progress import Progress
from trailguard.commands.streams import say, write
from trailguard.errors import UserError, display_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace

    from trailguard.account.snapshot import Outcome

_MOST = 20  # trails without trouble that are listed


def snapshot(args: Namespace) -> int:
    """Take a snapshot, or print the policy that taking it needs; gives the exit status."""
    question = _question(args)
    if args.iam_policy:
        return write(json.dumps(_policy(question), indent=2) + "\n")
    if args.folder is None:
        raise UserError("", 0, 0, "name the folder that the snapshot is written to")
    from trailguard.account.snapshot import take

    with Progress(True) as progress:
        outcome = take(question, args.folder, lambda done, total: progress.step(done, total, "reading", "part"))
    _tell(outcome, args.folder)
    return 2 if outcome.shut else 0


def _question(args: Namespace) -> Question:
    if args.all_regions and args.aws_region:
        raise UserError("", 0, 0, "--aws-region and --all-regions exclude each other")
    if args.organization_role and not args.organization:
        raise UserError("", 0, 0, "--organization-role needs --organization")
    for path in args.paths:
        if not os.path.exists(path):
            raise UserError(path, 0, 0, "is not there")
    return Question(
        way=Way(args.aws_profile or "", args.role_arn or "", args.endpoint_url or ""),
        regions=tuple(sorted(set(args.aws_region))),
        all_regions=args.all_regions,
        organization=args.organization,
        organization_role=args.organization_role or ROLE,
        kinds=tuple(kind for kind in KINDS if kind in args.only or not args.only),
        paths=tuple(sorted(set(args.paths))),
    )


def _policy(question: Question) -> dict[str, object]:
    roles = [question.way.role_arn] if question.way.role_arn else []
    roles += [f"arn:*:iam::*:role/{question.organization_role}"] * question.organization
    return iam_policy(question.kinds, all_regions=question.all_regions, organization=question.organization, roles=roles)


def _tell(outcome: Outcome, folder: str) -> None:
    """Say what was read, what was refused, and which trails do not deliver."""
    name = display_name(folder)
    counts = ((outcome.accounts, "account"), (outcome.places, "Region"), (outcome.resources, "resource"))
    told = ", ".join(f"{number:,} {word}{'' if number == 1 else 's'}" for number, word in counts)
    say(f"{name}: {told} ({outcome.calls:,} calls)")
    for line in outcome.trails[:_MOST]:
        say(f"trail: {line}")
    if len(outcome.trails) > _MOST:
        say(f"trail: {len(outcome.trails) - _MOST:,} more; {name}/snapshot.json lists all")
    for line in outcome.troubles:
        say(f"warning: {line}")
    if outcome.refused:
        are = "calls were" if outcome.refused > 1 else "call was"
        say(f"warning: {outcome.refused:,} {are} refused; {name}/snapshot.json lists them")
    for account in outcome.shut:
        say(f"error: account {account} let nobody in; {name}/snapshot.json says why")
