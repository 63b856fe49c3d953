"""Guards the grants that a bucket policy gives CloudTrail: which ACL, for whose trail, and to whom by name.

Source: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/create-s3-bucket-policy-for-cloudtrail.html and
cross-service-confused-deputy-prevention.html
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from trailguard.cloudformation.scenarios.values import ListValue, MapValue, Piece, Symbol, Text, spelt
from trailguard.cloudformation.source.changes import Change, Data, Replace, at
from trailguard.cloudformation.stacks.renaming import bare
from trailguard.cloudformation.template.references import references
from trailguard.iam.callers import account_of
from trailguard.iam.conditions import Clause
from trailguard.iam.evaluate import Request, denied_wholly, grantors
from trailguard.iam.policy import Caller, Statement
from trailguard.trails.bucket import calls, requests
from trailguard.trails.bucket.buckets import log_bucket
from trailguard.trails.bucket.sites import Site
from trailguard.trails.bucket.wording import ACL, SERVICE, SOURCE_ACCOUNT, SOURCE_ARN, Words
from trailguard.trails.facts.phrases import Phrase
from trailguard.trails.facts.repairs import Fault, Repair, decided
from trailguard.trails.facts.statements import Paper, clauses_on, new_sid, paper_of

EQUALS = "StringEquals"
SOURCES = (SOURCE_ARN.lower(), SOURCE_ACCOUNT.lower())
LOST = "the sources that the statement is bound to now would lose it"
_OTHERS = "others whom the statement names are held to it, too"
_CLOSED = "everybody else whom the statement lets in is shut out"
_OWN = frozenset(("s3:getbucketacl", "s3:putobject"))
_FOLDER = "AWSLogs/"


def sites_of(fault: Fault) -> Iterator[tuple[Site, Paper]]:
    """The policies of the trail's bucket, with all that they may say, and how they were written."""
    bucket = log_bucket(fault.scenario, fault.resource)
    for site in calls.sites(fault.scenario, fault.resource, bucket) if bucket is not None else ():
        paper = paper_of(fault.scenario, site.resource)
        if paper is not None and site.whole.unknown is None:
            whole = site.whole
            shown = whole if whole.draft is None else whole._replace(certain=whole.possible, draft=None)
            yield site._replace(policy=shown, whole=shown), paper


def words_of(site: Site) -> Words:
    """The words in which the site's policy says things."""
    return Words(site.scenario, site.trail, site.bucket, site.resource, site.whole)


def owner_control(fault: Fault) -> Iterator[Repair]:
    """Ask for the ACL that CloudTrail sends, in each statement that lets it write with another."""
    for site, paper in sites_of(fault):
        leaking = leaks(site, (request for request, _ in calls.with_other_acls(site)))
        check = requests.acl_check(site.scenario, site.trail, site.bucket)
        checking = [one for one, answer in grantors(site.policy, check, site.scenario.settle) if answer.is_yes]
        needed = checking if all(one in leaking for one in checking) else []
        plainly = tuple(change for one in leaking for change in paper.ask(one, EQUALS, ACL, requests.OWNER_ACL))
        apart = tuple(
            change
            for one in leaking
            for change in (
                _apart(site, paper, one) if one in needed else paper.ask(one, EQUALS, ACL, requests.OWNER_ACL)
            )
        )
        unsafe = _OTHERS if any(shared(one) for one in leaking) else taken(site, leaking, ACL)
        if needed:
            yield Repair("Grant the write in a statement of its own, with the ACL that CloudTrail sends", apart, unsafe)
        if leaking:
            yield Repair(f"Ask for {ACL} = {requests.OWNER_ACL}", plainly, unsafe)


def _apart(site: Site, paper: Paper, statement: Statement) -> tuple[Change, ...]:
    """Take the write out of a statement that grants the look at the bucket's ACL too, which carries no ACL."""
    principal, resource = paper.value_at(statement, "Principal"), _objects(site, paper, statement)
    if principal is None or resource is None or statement.action is None or statement.action.negated:
        return ()
    condition: dict[str, Data] = {}
    stated = statement.elements.get("Condition")
    for operator, asked in stated.entries.items() if isinstance(stated, MapValue) else ():
        names = asked.entries if isinstance(asked, MapValue) else {}
        condition[operator] = {name: paper.value_at(statement, "Condition", operator, name) for name in names}
    equals = condition.get(EQUALS)
    condition[EQUALS] = {ACL: requests.OWNER_ACL, **(equals if isinstance(equals, dict) else {})}
    write: dict[str, Data] = {
        **new_sid(site.whole, "AWSCloudTrailWrite"),
        "Effect": "Allow",
        "Principal": principal,
        "Action": "s3:PutObject",
        "Resource": resource,
        "Condition": condition,
    }
    literals = [text.literal for text in statement.action.texts]
    kept: list[Data] = [text for text in literals if text is not None and "*" not in text and text.lower() not in _OWN]
    action: Data = ["s3:GetBucketAcl", *kept] if kept else "s3:GetBucketAcl"
    return paper.put(statement, ("Action",), action), paper.new(write)


def _objects(site: Site, paper: Paper, statement: Statement) -> Data | None:
    """What of the resources of a statement is not the bucket itself, to be copied."""
    value = statement.elements.get("Resource")
    if isinstance(value, ListValue) and not paper.in_text:
        arn = requests.bucket_arn(site.scenario, site.bucket)
        kept = [at(item.node) for item in value.items if not isinstance(item, Text) or item.pieces != arn]
        if kept:
            return kept[0] if len(kept) == 1 else kept
    return paper.value_at(statement, "Resource")


def source_bound(fault: Fault) -> Iterator[Repair]:
    """Bind each statement that serves the trails of other accounts to this one, else to its account."""
    for site, paper in sites_of(fault):
        words = words_of(site)
        leaking = leaks(site, (request for request, _ in calls.for_strangers(site)))
        alone = [one for one in leaking if not shared(one)]
        account = _said(paper, [(key, said) for key, said in _accounts(words)])
        trails = [one.bound() for one in (words, *companions(words))]
        arns = _said(paper, [found for found in trails if found is not None and found[0] == SOURCE_ARN])
        told = leaking[0].label if len(leaking) == 1 else "the grants"
        unsafe = shut_out(site, leaking) or taken(site, leaking, SOURCE_ARN, SOURCE_ACCOUNT)
        unsafe = unsafe or (LOST if any(map(names_several, (part for one in leaking for part in one.clauses))) else "")
        if arns is not None and len(arns[1]) == len(trails) and len(alone) == len(leaking):
            yield Repair(f"Bind {told} to the trail's ARN", _bound(paper, leaking, EQUALS, *arns), unsafe)
        if account is not None:
            changes = tuple(
                change
                for one in leaking
                for change in _bound(paper, [one], EQUALS if one in alone else EQUALS + "IfExists", *account)
            )
            yield Repair(f"Bind {told} to the trail's account", changes, unsafe)


def _bound(
    paper: Paper, statements: Iterable[Statement], operator: str, key: str, values: list[Data]
) -> tuple[Change, ...]:
    value = values[0] if len(values) == 1 else values
    return tuple(change for one in statements for change in paper.ask(one, operator, key, value))


def _said(paper: Paper, bounds: list[tuple[str, Phrase]]) -> tuple[str, list[Data]] | None:
    values = [paper.say(said) for _, said in bounds]
    return None if not values or None in values else (bounds[0][0], list(values))


def _accounts(words: Words) -> Iterator[tuple[str, Phrase]]:
    account = words.account()
    if account is not None:
        yield SOURCE_ACCOUNT, account


def companions(words: Words) -> Iterator[Words]:
    """The other trails that deliver into the bucket."""
    scenario = words.scenario
    for other in scenario.model.template.of_type(words.trail.type):
        if other is not words.trail and scenario.active(other):
            bucket = log_bucket(scenario, other)
            if bucket is not None and bucket.name == words.bucket.name:
                yield words._replace(trail=other)


def shut_out(site: Site, statements: Iterable[Statement]) -> str:
    """Why a person should look at a bound: the statements open folders of others, whose trails the template lacks."""
    for statement in statements:
        for text in statement.resource.texts if statement.resource is not None else ():
            owner = _owner(text)
            if owner is not None and not _is_own(site, owner):
                return f"{spelt((owner,))}, whose folder the statement opens, may have trails of its own"
    return ""


def _owner(text: Text) -> Piece | None:
    """Whose folder a resource is about; None where it does not say so."""
    for number, piece in enumerate(text.pieces):
        if isinstance(piece, str) and _FOLDER in piece:
            rest = piece.rpartition(_FOLDER)[2]
            return rest.partition("/")[0] if rest else next(iter(text.pieces[number + 1 :]), None)
    return None


def _is_own(site: Site, owner: Piece) -> bool:
    """Tell whether a folder is that of the trail's account, or may be any."""
    model = site.scenario.model
    if requests.is_organization_trail(site.scenario, site.trail):
        return isinstance(owner, Symbol) or owner.startswith("o-") or not owner.isdecimal()
    if isinstance(owner, Symbol):
        return bare(owner.name) == "AWS::AccountId"
    named = owner.isdecimal() or owner.startswith("o-")
    return not named or owner == model.fixed.get(model.pseudo("AWS::AccountId", site.trail.id))


def names_several(clause: Clause) -> bool:
    """Tell whether a clause holds a grant to several trails or accounts; one that is wrong may be a slip."""
    return clause.name in SOURCES and len(clause.values) > 1 and clause.test is not None and not clause.test.negated


def taken(site: Site, statements: Iterable[Statement], *keys: str) -> str:
    """Which parameter or mapping decides what statements ask of some condition keys; "" when none does."""
    names = [key.lower() for key in keys]
    asked = (value.node for one in statements for _, _, value in clauses_on(one, *names))
    found = (decided(site.scenario, node) for node in asked)
    return next((why for why in found if why and not why.startswith("Fn::")), "")


def leaks(site: Site, asked: Iterable[Request]) -> list[Statement]:
    """The statements that let through what they should not, and no Deny stops, in their order."""
    settle = site.scenario.settle
    return granting(site, (one for one in asked if denied_wholly(site.policy, one, settle).outcome != "yes"))


def granting(site: Site, asked: Iterable[Request]) -> list[Statement]:
    """The statements that let some calls through, in their order."""
    found: dict[int, Statement] = {}
    for request in asked:
        for statement, answer in grantors(site.policy, request, site.scenario.settle):
            if answer.is_yes:
                found[statement.index] = statement
    return [found[index] for index in sorted(found)]


def shared(statement: Statement) -> bool:
    """Tell whether a statement is for others besides CloudTrail, too."""
    callers = others(statement)
    return bool(callers) and not (all(one.kind == "*" for one in callers) and is_for_cloudtrail(statement))


def others(statement: Statement) -> list[Caller]:
    """Whom a statement names besides CloudTrail."""
    principal = statement.principal
    if principal is None or principal.negated:
        return list(principal.callers) if principal is not None else []
    return [caller for caller in principal.callers if not _is_service(caller) and not _is_legacy(caller)]


def _is_service(caller: Caller) -> bool:
    return caller.kind == "Service" and (caller.text.literal == requests.SERVICE or _is_suffixed(caller))


def _is_suffixed(caller: Caller) -> bool:
    """Tell whether an entry is CloudTrail's name put together with `AWS::URLSuffix`."""
    first = caller.text.pieces[0] if caller.text.pieces else ""
    built = any(name == "AWS::URLSuffix" for name, _ in references(caller.text.node))
    return built and isinstance(first, str) and first.startswith("cloudtrail.")


def _is_legacy(caller: Caller) -> bool:
    return caller.kind == "AWS" and account_of(caller.text.literal or "") in requests.LEGACY_ACCOUNTS


def service_principal(fault: Fault) -> Iterator[Repair]:
    """Name CloudTrail's service principal where the accounts of old, everybody or a misspelt service are named."""
    title = f"Name the service principal {requests.SERVICE}"
    for site, paper in sites_of(fault):
        check = requests.acl_check(site.scenario, site.trail, site.bucket)
        asked = [check, *calls.puts(site)]
        named = {one.index for request in asked for one, answer in site.naming(request) if answer.is_yes}
        grants = granting(site, asked)
        changes = [change for one in grants for change in _corrected(paper, one)]
        if changes:
            yield Repair(title, tuple(changes))
        wrong = [one for one in grants if one.index not in named]
        told = _CLOSED if any(not is_for_cloudtrail(one) for one in wrong) else ""
        if wrong:
            yield Repair(title, tuple(change for one in wrong for change in _named(paper, one)), told)


def _corrected(paper: Paper, statement: Statement) -> Iterator[Change]:
    """Spell the service as it is called everywhere."""
    callers = statement.principal.callers if statement.principal is not None else ()
    for caller in callers:
        if caller.kind == "Service" and _is_suffixed(caller):
            if paper.in_text:
                yield paper.put(statement, ("Principal", "Service"), requests.SERVICE)
            else:
                yield Replace(at(caller.text.node), requests.SERVICE)


def _named(paper: Paper, statement: Statement) -> tuple[Change, ...]:
    principal = statement.principal
    if principal is not None and principal.negated:
        gone = ("NotPrincipal",)
        return paper.put(statement, gone, SERVICE), paper.rename(statement, gone, "Principal")
    everybody = principal is None or any(caller.kind == "*" for caller in principal.callers)
    if not everybody and others(statement):
        return (paper.append(statement, ("Principal", "Service"), requests.SERVICE),)
    return (paper.put(statement, ("Principal",), SERVICE),)


def is_for_cloudtrail(statement: Statement) -> bool:
    """Tell whether a statement was plainly written for CloudTrail: it grants what CloudTrail does, and no more."""
    principal, action, resource = statement.principal, statement.action, statement.resource
    if principal is not None and not principal.negated and not any(one.kind == "*" for one in principal.callers):
        return True  # nobody loses anything
    if action is None or action.negated or resource is None or resource.negated:
        return False
    actions = {(text.literal or "").lower() for text in action.texts}
    logs = all("AWSLogs/" in "".join(map(str, text.pieces)) for text in resource.texts)
    return actions <= _OWN and (actions == {"s3:getbucketacl"} or logs)
