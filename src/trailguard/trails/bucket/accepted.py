"""Whether S3 takes a bucket policy at all. It refuses one as a whole, so that not a single grant in it takes effect.

Sources: https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html (which actions are about
buckets and which about objects, and the condition keys that S3 has) and
https://repost.aws/knowledge-center/s3-invalid-principal-in-policy-error and its siblings (what S3 says of a policy)
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

from trailguard.cloudformation.scenarios.resolver import Scenario
from trailguard.cloudformation.scenarios.values import Pieces, Symbol, Text, join_pieces, show, text_of
from trailguard.cloudformation.template.template import Resource
from trailguard.errors import nearest
from trailguard.iam.globs import Glob, glob
from trailguard.iam.patterns import overlaps
from trailguard.iam.policy import Part, Policy, Statement
from trailguard.trails.bucket.buckets import policy_of
from trailguard.trails.facts.facts import Fact
from trailguard.trails.facts.names import is_free
from trailguard.trails.facts.refusals import Refusal, malformed, refused


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


_OBJECTS: Final = frozenset(
    _words("""
    abortmultipartupload bypassgovernanceretention deleteobject deleteobjecttagging deleteobjectversion
    deleteobjectversiontagging getobject getobjectacl getobjectattributes getobjectlegalhold getobjectretention
    getobjecttagging getobjecttorrent getobjectversion getobjectversionacl getobjectversionattributes
    getobjectversionforreplication getobjectversiontagging getobjectversiontorrent initiatereplication
    listmultipartuploadparts objectowneroverridetobucketowner putobject putobjectacl putobjectlegalhold
    putobjectretention putobjecttagging putobjectversionacl putobjectversiontagging replicatedelete replicateobject
    replicatetags restoreobject updateobjectencryption
    """)
)
_BUCKETS: Final = frozenset(
    _words("""
    createbucket createbucketmetadatatableconfiguration deletebucket deletebucketmetadatatableconfiguration
    deletebucketpolicy deletebucketwebsite getaccelerateconfiguration getanalyticsconfiguration getbucketabac
    getbucketacl getbucketcors getbucketlocation getbucketlogging getbucketmetadatatableconfiguration
    getbucketnotification getbucketobjectlockconfiguration getbucketownershipcontrols getbucketpolicy
    getbucketpolicystatus getbucketpublicaccessblock getbucketrequestpayment getbuckettagging getbucketversioning
    getbucketwebsite getencryptionconfiguration getintelligenttieringconfiguration getinventoryconfiguration
    getlifecycleconfiguration getmetricsconfiguration getreplicationconfiguration listbucket
    listbucketmultipartuploads listbucketversions listtagsforresource pausereplication putaccelerateconfiguration
    putanalyticsconfiguration putbucketabac putbucketacl putbucketcors putbucketlogging putbucketnotification
    putbucketobjectlockconfiguration putbucketownershipcontrols putbucketpolicy putbucketpublicaccessblock
    putbucketrequestpayment putbuckettagging putbucketversioning putbucketwebsite putencryptionconfiguration
    putintelligenttieringconfiguration putinventoryconfiguration putlifecycleconfiguration putmetricsconfiguration
    putreplicationconfiguration tagresource untagresource updatebucketmetadatainventorytableconfiguration
    updatebucketmetadatajournaltableconfiguration
    """)
)
# The condition keys with the prefix s3; what follows a slash is the user's.
_KEYS: Final = _words("""
    AccessGrantScope AccessGrantsInstanceArn AccessGrantsLocationScope AccessPointNetworkOrigin AccessPointTag/
    BucketTag/ DataAccessPointAccount DataAccessPointArn ExistingJobOperation ExistingJobPriority ExistingObjectTag/
    InventoryAccessibleOptionalFields JobSuspendedCause ObjectCreationOperation RequestJobOperation
    RequestJobPriority RequestObjectTag/ RequestObjectTagKeys ResourceAccount TlsVersion authType delimiter
    destinationRegion if-match if-none-match isReplicationPauseRequest locationconstraint max-keys
    object-lock-legal-hold object-lock-mode object-lock-remaining-retention-days object-lock-retain-until-date prefix
    signatureAge signatureversion versionid x-amz-acl x-amz-bucket-namespace x-amz-content-sha256 x-amz-copy-source
    x-amz-grant-full-control x-amz-grant-read x-amz-grant-read-acp x-amz-grant-write x-amz-grant-write-acp
    x-amz-metadata-directive x-amz-object-ownership x-amz-server-side-encryption
    x-amz-server-side-encryption-aws-kms-key-id x-amz-server-side-encryption-customer-algorithm x-amz-storage-class
    x-amz-website-redirect-location
    """)
_KNOWN: Final = frozenset(key.lower() for key in _KEYS)
_PREFIX: Final = "s3:"
_ARN: Final = "arn:"

BUCKET, OBJECT = "bucket", "object"
_NEEDED: Final = ("s3:GetBucketAcl", "s3:PutObject")
_NOTHING: Final[frozenset[str]] = frozenset()


def refusal_fact(scenario: Scenario, policy: Resource) -> Fact | None:
    """That S3 refuses a bucket policy of the template; None when that is not certain."""

    def build() -> Fact | None:
        refusal = _refusal(scenario, policy)
        return None if refusal is None else _told(refusal, policy)

    return scenario.once(("refused", policy.id), build)


def misplaced_fact(scenario: Scenario, policy: Resource) -> Fact | None:
    """That a bucket policy is put on an ARN, in the words of its refusal; None when it is not."""
    refusal = _misplaced(scenario, policy)
    return None if refusal is None else _told(refusal, policy)


def _told(refusal: Refusal, policy: Resource) -> Fact:
    return refusal.told("S3", f"bucket policy {policy.id}")


def _refusal(scenario: Scenario, resource: Resource) -> Refusal | None:
    text = _bucket(scenario, resource)
    target = None if text is None else text.pieces
    return _misplaced(scenario, resource) or refused(
        policy_of(scenario, resource), lambda policy: _first(scenario, policy, target)
    )


def _misplaced(scenario: Scenario, resource: Resource) -> Refusal | None:
    """That a bucket policy is put on an ARN where the bucket's name goes; None for a name, or what may be one.

    Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-s3-bucketpolicy.html
    """
    text = _bucket(scenario, resource)
    first = text.pieces[0] if text is not None and text.pieces else ""
    if isinstance(first, Symbol) and is_free(first):
        variable = scenario.model.space.variables[first.name]
        if any(value is not None and value.startswith(_ARN) for value in variable.allowed or (variable.default,)):
            scenario.fix(first.name)
    if text is None or not isinstance(first, str) or not first.startswith(_ARN):
        return None
    return Refusal(text.node, f'its Bucket is "{show(text)}", an ARN where the name of a bucket goes')


def _bucket(scenario: Scenario, resource: Resource) -> Text | None:
    node = scenario.property_node(resource, "Bucket")
    return None if node is None else text_of(scenario.resolve(node))


def _first(scenario: Scenario, policy: Policy, target: Pieces | None) -> Refusal | None:
    """The first thing for which S3 refuses a policy on the bucket of a name; of a bucket that is not known, None."""
    wrong = malformed(policy)
    if wrong is not None:
        return wrong
    for statement in policy.certain:
        if statement.fault is None:
            found = next(_of_statement(scenario, statement, target, policy.draft is None), None)
            if found is not None:
                return found
    return None


def _of_statement(scenario: Scenario, statement: Statement, target: Pieces | None, whole: bool) -> Iterator[Refusal]:
    yield from _condition_keys(statement)
    resource, action = statement.resource, statement.action
    if target is None or resource is None or resource.negated:
        return
    kinds: set[str] = set()
    for text, tokens in zip(resource.texts, resource.globs, strict=True):
        fits = _kinds(scenario, tokens, target)
        if not fits:
            told = f'Resource "{show(text)}" of {statement.label} is neither the bucket nor anything in it'
            yield Refusal(text.node, told)
        kinds.update(fits)
    if action is not None and not action.negated and (whole or kinds):
        yield from _idle_actions(statement, action, resource, kinds)


def nearest_key(name: str) -> str | None:
    """The condition key of S3 that is meant by one that S3 does not have; None when that cannot be told."""
    close = nearest(name[len(_PREFIX) :], _KEYS)
    return None if close is None else _PREFIX + close


def _condition_keys(statement: Statement) -> Iterator[Refusal]:
    for clause in statement.clauses:
        if not clause.name.startswith(_PREFIX):
            continue
        key, slash, _ = clause.name[len(_PREFIX) :].partition("/")
        if key + slash not in _KNOWN:
            close = nearest(key + slash, _KEYS)
            hint = f"; did you mean {_PREFIX}{close}?" if close else ""
            yield Refusal(clause.node, f"{statement.label} asks for the condition key {clause.key}, "
                          f"which S3 does not have{hint}")  # fmt: skip


def _kinds(scenario: Scenario, tokens: Glob, target: Pieces) -> tuple[str, ...]:
    """What of a bucket a resource may name: the bucket, its objects, both or nothing."""
    arn = (f"arn:{scenario.model.partition}:s3:::", *target)
    asked = ((BUCKET, glob(join_pieces(arn), wild=False)), (OBJECT, glob(join_pieces((*arn, "/*")))))
    return tuple(kind for kind, things in asked if not overlaps((tokens,), things, scenario.settle).is_no)


def _idle_actions(statement: Statement, action: Part, resource: Part, kinds: set[str]) -> Iterator[Refusal]:
    """The actions that apply to none of the resources beside them; what CloudTrail needs is not at fault itself."""
    for text in action.texts:
        about = _about(text.literal.lower()) if text.literal is not None else _NOTHING
        if about and not about & kinds:
            other = "the bucket itself" if BUCKET in about else "objects"
            told = f"Action {text.literal} of {statement.label} is about {other}, which no Resource beside it names"
            yield Refusal(resource.node if text.literal in _NEEDED else text.node, told)


@lru_cache(256)
def _about(action: str) -> frozenset[str]:
    """What an action of S3 is about; nothing for one that is not known, or not about buckets or objects."""
    name = action.removeprefix(_PREFIX)
    if name == action:
        return frozenset((BUCKET, OBJECT)) if action == "*" else frozenset()
    named: tuple[tuple[str, frozenset[str]], ...] = ((BUCKET, _BUCKETS), (OBJECT, _OBJECTS))
    if "*" not in name and "?" not in name:
        return frozenset(kind for kind, actions in named if name in actions)
    pattern = re.compile("".join({"*": ".*", "?": "."}.get(letter, re.escape(letter)) for letter in name))
    return frozenset(kind for kind, actions in named if any(map(pattern.fullmatch, actions)))
