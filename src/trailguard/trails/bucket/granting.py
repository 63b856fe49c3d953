"""Grants CloudTrail what a bucket policy does not: corrects the statement that is meant, or adds one, or the policy.

Source: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/create-s3-bucket-policy-for-cloudtrail.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from trailguard.cloudformation.source.changes import Data, Replace, at
from trailguard.cloudformation.source.nodes import TextNode
from trailguard.iam.evaluate import Request, grants
from trailguard.trails.bucket import calls, files, requests
from trailguard.trails.bucket.amending import CHECK, WRITE, Need, corrections
from trailguard.trails.bucket.buckets import log_bucket
from trailguard.trails.bucket.founding import founded
from trailguard.trails.bucket.guarding import EQUALS, sites_of, words_of
from trailguard.trails.bucket.sites import Site
from trailguard.trails.bucket.wording import ACL, SERVICE, Words
from trailguard.trails.facts.repairs import Fault, Repair
from trailguard.trails.facts.statements import Paper, new_sid

_SIDS = {CHECK: "AWSCloudTrailAclCheck", WRITE: "AWSCloudTrailWrite"}
_DOES = {CHECK: "read the bucket's ACL", WRITE: "write the trail's files"}


def acl_check(fault: Fault) -> Iterator[Repair]:
    """Let CloudTrail look at the bucket's ACL."""
    yield from _policy(fault)
    for site, paper in sites_of(fault):
        arn = words_of(site).arn()
        value = None if arn is None else paper.say(arn)
        if value is not None:
            call = requests.acl_check(site.scenario, site.trail, site.bucket)
            yield from _granted(site, paper, Need(CHECK, [call], [value]))


def log_write(fault: Fault) -> Iterator[Repair]:
    """Let CloudTrail write all that the trail writes."""
    yield from _policy(fault)
    yield from _prefix(fault)
    for site, paper in sites_of(fault):
        words = words_of(site)
        owners = words.owners()
        asked: list[Request] = []
        values: list[Data] = []
        for owner, calls_of in zip(owners or (), (_own, _of_organization), strict=False):
            missing = [one for one in calls_of(site) if not _is_granted(site, one)]
            below = words.below(owner, paper.say) if missing else []
            if below is None:
                return
            asked += missing
            values += below
        if asked and values:
            yield from _granted(site, paper, Need(WRITE, asked, values))


def _own(site: Site) -> list[Request]:
    folders = files.account_folders(site.scenario, site.trail)
    return [one.request for one in files.writes(site.scenario, site.trail, site.bucket, site.whole, folders)]


def _of_organization(site: Site) -> list[Request]:
    scenario, trail = site.scenario, site.trail
    if not requests.is_organization_trail(scenario, trail):
        return []
    folders = [files.organization_folder(scenario, trail, one) for one in calls.organizations(site)]
    return [one.request for one in files.writes(scenario, trail, site.bucket, site.whole, folders)]


def _is_granted(site: Site, call: Request) -> bool:
    return grants(site.policy, call, site.scenario.settle).outcome == "yes"


def _policy(fault: Fault) -> Iterator[Repair]:
    """A policy for a bucket that has none."""
    bucket = log_bucket(fault.scenario, fault.resource)
    if bucket is not None and not bucket.policies:
        yield from founded(fault, bucket)


def _prefix(fault: Fault) -> Iterator[Repair]:
    """Fill in the prefix of a trail that is written as if it were."""
    node = fault.scenario.unwrap(fault.scenario.property_node(fault.resource, "S3KeyPrefix"))
    if isinstance(node, TextNode) and "${" in node.value:
        yield Repair("Fill in the names in S3KeyPrefix with Fn::Sub", (Replace(at(node), {"Fn::Sub": node.value}),))


def _granted(site: Site, paper: Paper, need: Need) -> Iterator[Repair]:
    does = _DOES[need.action]
    yield from corrections(site, paper, need)
    statement = standard(words_of(site), need, paper)
    if statement is not None:
        whole = {**new_sid(site.whole, _SIDS[need.action]), **statement}
        yield Repair(f"Add a statement that lets CloudTrail {does}", (paper.new(whole),))


def standard(words: Words, need: Need, paper: Paper) -> dict[str, Data] | None:
    """The statement of AWS's own policy for an action, bound to the trail or its account."""
    bound = words.bound()
    value = None if bound is None else paper.say(bound[1])
    if bound is None or value is None:
        return None
    asked: Mapping[str, Data] = {ACL: requests.OWNER_ACL} if need.action == WRITE else {}
    return {
        "Effect": "Allow",
        "Principal": SERVICE,
        "Action": need.action,
        "Resource": need.values[0] if len(need.values) == 1 else list(need.values),
        "Condition": {EQUALS: {**asked, bound[0]: value}},
    }
