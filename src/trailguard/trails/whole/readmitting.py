"""Corrects a bucket policy that S3 refuses, and guards what then comes into force.

As long as S3 refuses a policy it grants nothing to anybody; what it would let through, nobody has missed yet.
"""

from __future__ import annotations

from collections.abc import Iterator

from trailguard.trails.bucket.amending import guarded
from trailguard.trails.bucket.guarding import sites_of
from trailguard.trails.facts.repairs import Fault, Repair
from trailguard.trails.whole import rewording


def bucket_policy(fault: Fault) -> Iterator[Repair]:
    """Correct what is at fault in the policy of the trail's bucket, by itself and with the guards that it lacks."""
    guards = tuple(change for site, paper in sites_of(fault) for change in guarded(site, paper, is_refused=True))
    for repair in rewording.policies(fault):
        yield repair
        if guards:
            yield repair._replace(changes=(*repair.changes, *guards))
