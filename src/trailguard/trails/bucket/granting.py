"""Grants CloudTrail what a bucket policy does not: corrects the statement that is meant, or adds one, or the policy.

Source: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/create-s3-bucket-policy-for-cloudtrail.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from trailguard.cloudformation.source.changes import Data, Replace, at
from trailguard.cloudformation.source.nodes import TextNode
from trailguard.iam.evaluate import grants
from trailguard.trails.bucket import calls, files, requests
from trailguard.trails.bucket.amending import CHECK, WRITE, Need, corrections
from trailguard.trails.bucket.buckets import log_bucket
from trailguard.trails.bucket.founding import founded
from trailguard.trails.bucket.guarding import EQUALS, sites_of, words_of
from trailguard.trails.bucket.sites import Site
from trailguard.trails.bucket.wording import ACL, SERVICE, Words
from trailguard.trails.facts.phrases import Phrase
from trailguard.trails.facts.repairs import Fault, Repair
from trailguard.trails.facts.statements import Paper, new_sid

_SIDS = {CHECK: "AWSCloudTrailAclCheck", WRITE: "AWSCloudTrailWrite"}
_DOES = {CHECK: "read the bucket's ACL", WRITE: "write the trail's files"}


def acl_check(fault: Fault) -> Iterator[Repair]:
    """Let CloudTrail look at the bucket's ACL."""
    yield from _policy(fault)
    for site, paper in sites_of(fault):
        arn = words_of(site).arn()
        if arn is not None:
            call = requests.acl_check(site.scenario, site.trail, site.bucket)
            yield from _granted(site, paper, Need(CHECK, [call], [arn]))


def log_write(fault: Fault) -> Iterator[Repair]:
    """Let CloudTrail write all that the trail writes."""
    yield from _policy(fault)
    yield from _prefix(fault)
    for site, paper in sites_of(fault):
        words = words_of(site)
        folders = words.folders()
        if folders is None:
            continue
        scenario, trail = site.scenario, site.trail
        own = files.writes(scenario, trail, site.bucket, site.whole, files.account_folders(scenario, trail))
        needs = [(folders[0], [write.request for write in own])]
        if len(folders) > 1:
            found = calls.organizations(site)
            whole = [files.organization_folder(scenario, trail, one) for one in found]
            needs.append(
                (folders[1], [one.request for one in files.writes(scenario, trail, site.bucket, site.whole, whole)])
            )
        missing = [
            (folder, asked)
            for folder, asked in needs
            if any(grants(site.policy, one, scenario.settle).outcome != "yes" for one in asked)
        ]
        resources = [words.below(folder) for folder, _ in missing]
        said = [one for one in resources if one is not None]
        if said and len(said) == len(resources):
            asked = [one for _, some in missing for one in some]
            yield from _granted(site, paper, Need(WRITE, asked, said))


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
    statement = standard(words_of(site), need.action, need.resources, paper)
    if statement is not None:
        whole = {**new_sid(site.whole, _SIDS[need.action]), **statement}
        yield Repair(f"Add a statement that lets CloudTrail {does}", (paper.new(whole),))


def standard(words: Words, action: str, resources: Sequence[Phrase], paper: Paper) -> dict[str, Data] | None:
    """The statement of AWS's own policy for an action, bound to the trail or its account."""
    bound = words.bound()
    said = [paper.say(one) for one in resources]
    value = None if bound is None else paper.say(bound[1])
    if None in said or bound is None or value is None:
        return None
    asked: Mapping[str, Data] = {ACL: requests.OWNER_ACL} if action == WRITE else {}
    return {
        "Effect": "Allow",
        "Principal": SERVICE,
        "Action": action,
        "Resource": said[0] if len(said) == 1 else said,
        "Condition": {EQUALS: {**asked, bound[0]: value}},
    }
