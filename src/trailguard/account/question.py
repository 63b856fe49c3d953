"""What a snapshot is asked for."""

from __future__ import annotations

from typing import Any, NamedTuple

from trailguard import __version__
from trailguard.account.aws import Way
from trailguard.account.kinds import KINDS

ROLE = "OrganizationAccountAccessRole"  # that AWS Organizations makes in accounts that it makes


class Question(NamedTuple):
    """Which accounts, Regions and kinds of things; `paths` are templates of which only what they name is wanted."""

    way: Way = Way()
    regions: tuple[str, ...] = ()
    all_regions: bool = False
    organization: bool = False
    organization_role: str = ROLE
    kinds: tuple[str, ...] = tuple(KINDS)
    paths: tuple[str, ...] = ()

    def asked(self, by: str) -> dict[str, Any]:
        """What decides whether two snapshots are asked the same, as JSON gives it back."""
        way = {"profile": self.way.profile, "role_arn": self.way.role_arn, "endpoint_url": self.way.endpoint_url}
        told = {"by": by, **way, **self._asdict(), "version": __version__}
        del told["way"]
        return {key: list(value) if isinstance(value, tuple) else value for key, value in told.items()}
