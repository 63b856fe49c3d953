"""The files that CloudTrail writes for a trail: the folders that must be granted whole, and what keys in them are like.

Source: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-find-log-files.html and
cloudtrail-log-file-examples.html (log files), cloudtrail-log-file-validation-digest-file-structure.html (digest files),
logging-insights-events-with-cloudtrail.html (the folder of Insights events; that their keys go on like those of log
files is not said there)
"""

from __future__ import annotations

import string
from collections.abc import Iterable
from typing import NamedTuple

from trailguard.cloudformation.scenarios.resolver import Scenario
from trailguard.cloudformation.scenarios.values import ListValue, Pieces, Text, Unknown, join_pieces, text_of
from trailguard.cloudformation.template.template import Resource
from trailguard.iam.evaluate import Request
from trailguard.iam.globs import Glob, Wild, glob
from trailguard.iam.policy import Policy
from trailguard.trails.bucket import requests, sealing
from trailguard.trails.bucket.buckets import LogBucket
from trailguard.trails.facts.facts import boolean

LOGS, DIGESTS, INSIGHTS = "CloudTrail", "CloudTrail-Digest", "CloudTrail-Insight"

_DIGIT = Wild("?", False, "1", string.digits)
_ACCOUNT: Glob = (_DIGIT,) * 12
_DAY: Glob = (*(_DIGIT,) * 4, "/", _DIGIT, _DIGIT, "/", _DIGIT, _DIGIT, "/")
# The rest of a file's name: a time and a text of letters and digits; of a digest file, the trail's name and more.
_TIMED: Glob = (
    Wild("*", True, "20260101T0000Z", string.digits + "TZ"),
    "_",
    Wild("*", True, "x", string.ascii_letters + string.digits),
)
_NAMED: Glob = (Wild("*", True, "x", string.ascii_letters + string.digits + "._-"),)
# A Region is written like us-east-1 or us-gov-west-1.
_REGION: Glob = (
    Wild("?", False, "u", string.ascii_lowercase),
    Wild("?", False, "s", string.ascii_lowercase),
    Wild("*", True, "-east", string.ascii_lowercase + "-"),
    "-",
    _DIGIT,
)


class Folder(NamedTuple):
    """A folder of files that the trail writes: `pieces` is where their keys begin, `what` names them for people.

    `keys` tell what the keys look like, each whole; `kind` is that of the files, nothing for several together.
    """

    pieces: Pieces
    what: str
    keys: tuple[Glob, ...]
    kind: str


def account_folders(scenario: Scenario, trail: Resource) -> list[Folder]:
    """The folders of the trail's own account."""
    own, start = _own(scenario, trail, "AccountId"), _start(scenario, trail)
    accounts = (glob(own, wild=False),)
    return [
        Folder(join_pieces((*start, *own, f"/{kind}/")), what, _keys(scenario, trail, start, accounts, kind), kind)
        for kind, what in _kinds(scenario, trail)
    ]


def organization_folder(scenario: Scenario, trail: Resource, organization: Pieces) -> Folder:
    """The folder of the organization as a whole: each of its accounts has its own in it, known to nobody here."""
    start = (*_start(scenario, trail), *organization, "/")
    return Folder(join_pieces(start), "log files of the organization's accounts", (), "")


def organization_folders(scenario: Scenario, trail: Resource, organization: Pieces) -> list[Folder]:
    """The folders in the folder of the organization."""
    start = join_pieces((*_start(scenario, trail), *organization, "/"))
    accounts = (glob(_own(scenario, trail, "AccountId"), wild=False), _ACCOUNT)
    return [
        Folder(
            join_pieces((*start, f"{requests.EVERYTHING}/{kind}/")),
            f"{what} of the organization's accounts",
            _keys(scenario, trail, start, accounts, kind),
            kind,
        )
        for kind, what in _kinds(scenario, trail)
    ]


def _start(scenario: Scenario, trail: Resource) -> Pieces:
    return join_pieces((*requests.prefix(scenario, trail), "AWSLogs/"))


def _own(scenario: Scenario, trail: Resource, name: str) -> Pieces:
    text = text_of(scenario.pseudo(f"AWS::{name}", trail, trail.key))
    return () if text is None else text.pieces


def _kinds(scenario: Scenario, trail: Resource) -> list[tuple[str, str]]:
    kinds = [(LOGS, "log files")]
    if validates(scenario, trail):
        kinds.append((DIGESTS, "digest files"))
    if _has_insights(scenario, trail):
        kinds.append((INSIGHTS, "Insights events"))
    return kinds


def _keys(scenario: Scenario, trail: Resource, start: Pieces, accounts: Iterable[Glob], kind: str) -> tuple[Glob, ...]:
    """What the keys of files look like: START/ACCOUNT/KIND/REGION/YYYY/MM/DD/ACCOUNT_KIND_REGION_....json.gz."""
    regions = (glob(_own(scenario, trail, "Region"), wild=False), _REGION)
    head = glob(start, wild=False)
    rest = _NAMED if kind == DIGESTS else _TIMED
    return tuple(
        (*head, *account, *f"/{kind}/", *region, "/", *_DAY, *account, *f"_{kind}_", *region, "_", *rest, *".json.gz")
        for account in accounts
        for region in regions
    )


def validates(scenario: Scenario, trail: Resource) -> bool:
    """Tell whether the trail writes digest files."""
    value = boolean(scenario, scenario.value_of(trail, "EnableLogFileValidation"))
    if isinstance(value, Unknown):
        return scenario.assume("log file validation", value.reason)
    return value is True


def _has_insights(scenario: Scenario, trail: Resource) -> bool:
    """Tell whether the trail looks for insights, of whatever type."""
    value = scenario.value_of(trail, "InsightSelectors")
    if isinstance(value, Unknown):
        return scenario.assume("insight selectors", value.reason)
    return isinstance(value, ListValue) and bool(value.items)


class Write(NamedTuple):
    """A call that writes the files of a folder.

    `otherwise` is the same call with the headers of a trail without a key, for files of which it is not certain that
    they are encrypted with the trail's key.
    """

    request: Request
    what: str
    otherwise: Request | None


def writes(
    scenario: Scenario, trail: Resource, bucket: LogBucket, policy: Policy, folders: Iterable[Folder]
) -> list[Write]:
    """The calls that write the files of each folder, into the bucket with a policy."""
    arn = requests.bucket_arn(scenario, bucket)
    head = (*glob(arn, wild=False), "/")
    context = requests.base_context(scenario, trail, bucket)
    context["s3:x-amz-acl"] = (Text((requests.OWNER_ACL,), trail.key),)
    plain, sealed = sealing.plain(trail), sealing.headers(scenario, trail, policy)
    found = []
    for folder in folders:
        request = Request(
            service=requests.SERVICE,
            accounts=requests.LEGACY_ACCOUNTS,
            action="s3:PutObject",
            resource=join_pieces((*arn, "/", *folder.pieces, requests.EVERYTHING)),
            context={**context, **(sealed or plain)},
            shapes=tuple((*head, *key) for key in folder.keys),
        )
        unsure = sealed is not None and folder.kind in (DIGESTS, INSIGHTS)
        found.append(Write(request, folder.what, unsealed(request, trail) if unsure else None))
    return found


def unsealed(request: Request, trail: Resource) -> Request:
    """The same call for a trail without a key."""
    return request._replace(context={**request.context, **sealing.plain(trail)})
