"""Who asks, and which accounts and Regions there are to ask."""

from __future__ import annotations

from typing import NamedTuple

from trailguard.account import aws
from trailguard.account.asking import Asker, Failed, Gone, Refusal, Refused, Traffic
from trailguard.account.kinds import ACCOUNTS, IDENTITY, ORGANIZATION, REGIONS
from trailguard.errors import UserError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from trailguard.account.question import Question

_NO_REGION = "no Region is set: name some with --aws-region, or take --all-regions"
_FIRST = "us-east-1"  # asked who asks, when no Region is named


class Survey(NamedTuple):
    """What there is to be read, and by whom: for each account, by its ID, who asks it, and its Regions."""

    by: str
    organization: str | None
    askers: dict[str, Asker]
    regions: dict[str, list[str]]
    names: dict[str, str]
    refused: list[Refusal]


def survey(question: Question, clients: aws.Clients, traffic: Traffic) -> Survey:
    """Find the accounts and Regions; raises UserError when AWS cannot be asked, and Failed when it does not answer."""
    home = next(iter(question.regions), clients.region) or (_FIRST if question.all_regions else "")
    if not home:
        raise UserError("", 0, 0, _NO_REGION)
    by, own = _caller(Asker(clients, "", "aws", traffic), home)
    if question.way.role_arn:
        clients = _entered(own, question.way.role_arn, home)
        by, own = _caller(Asker(clients, "", "aws", traffic), home)
    refused: list[Refusal] = []
    organization = _organization(own, home, refused)
    askers, names = {own.account: own}, {}
    if question.organization:
        names = _accounts(own, home)
        askers |= _members(question, own, home, sorted(names), refused)
    regions = {account: _regions(question, asker, home, refused) for account, asker in askers.items()}
    return Survey(by, organization, dict(sorted(askers.items())), regions, names, refused)


def _caller(asker: Asker, region: str) -> tuple[str, Asker]:
    """Who asks, and who asks the account that this one is in."""
    try:
        told = asker.ask(IDENTITY, region)
    except Refused as error:
        told = error.refusal
        raise UserError("", 0, 0, f"AWS does not accept the credentials: {told.code}: {told.message}") from None
    except Failed as error:
        raise UserError("", 0, 0, f"AWS cannot be reached: {str(error).partition(': ')[2]}") from None
    arn = told["Arn"]
    return arn, Asker(asker.clients, told["Account"], arn.split(":")[1], asker.traffic)


def _entered(asker: Asker, role_arn: str, region: str) -> aws.Clients:
    try:
        return asker.entering(role_arn, region)
    except Refused as error:
        said = error.refusal
        raise UserError("", 0, 0, f"role {role_arn} cannot be assumed: {said.code}: {said.message}") from None


def _organization(asker: Asker, region: str, refused: list[Refusal]) -> str | None:
    """The ID of the organization; None without one, or when it may not be known."""
    try:
        told = asker.ask(ORGANIZATION, region, absent=("AWSOrganizationsNotInUseException",))
    except Refused as error:
        refused.append(error.refusal)
        return None
    return None if told is None else str(told["Organization"]["Id"])


def _accounts(asker: Asker, region: str) -> dict[str, str]:
    """The names of the accounts of the organization that are in use, by their IDs."""
    try:
        pages = list(asker.pages(ACCOUNTS, region))
    except (Refused, Gone) as error:
        why = "ask with the organization's management account, or with one that administers for it"
        raise UserError("", 0, 0, f"the accounts of the organization cannot be listed: {error}; {why}") from None
    told = [account for page in pages for account in page["Accounts"]]
    return {each["Id"]: each["Name"] for each in told if each.get("State", each.get("Status")) == "ACTIVE"}


def _members(
    question: Question, own: Asker, region: str, accounts: list[str], refused: list[Refusal]
) -> dict[str, Asker]:
    """Who asks the other accounts of the organization, as far as they let somebody in."""

    def enter(account: str) -> list[Asker | Refusal]:
        role = f"arn:{own.partition}:iam::{account}:role/{question.organization_role}"
        try:
            return [Asker(own.entering(role, region), account, own.partition, own.traffic)]
        except Refused as error:
            return [error.refusal._replace(account=account)]

    entered = own.each(enter, [account for account in accounts if account != own.account])
    refused += (each for each in entered if isinstance(each, Refusal))
    return {each.account: each for each in entered if isinstance(each, Asker)}


def _regions(question: Question, asker: Asker, home: str, refused: list[Refusal]) -> list[str]:
    """The Regions to be read in an account: those that were named, all that it has, or the user's own."""
    if not question.all_regions:
        return sorted(set(question.regions)) or [home]
    try:
        return sorted(region["RegionName"] for region in asker.ask(REGIONS, home)["Regions"])
    except Refused as error:
        refused.append(error.refusal)
        return []
