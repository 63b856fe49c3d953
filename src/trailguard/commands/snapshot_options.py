"""The options of `trailguard snapshot`."""

from __future__ import annotations

import argparse

from trailguard.account.kinds import KINDS, kind_of
from trailguard.account.question import ROLE
from trailguard.commands.overview import COMMANDS
from trailguard.commands.parser import Parser, listed, matching
from trailguard.errors import did_you_mean
from trailguard.settings.settings import REGION

_ROLE_ARN = r"arn:aws[a-z-]*:iam::[0-9]{12}:role/[\w+=,.@/-]+"
_ROLE_NAME = r"[\w+=,.@/-]{1,512}"
_URL = r"https?://\S+"


def snapshot() -> Parser:
    """The parser of the command."""
    parser = Parser(
        "snapshot",
        COMMANDS["snapshot"],
        "[OPTION…] DIR",
        """\
  trailguard snapshot account/
  trailguard snapshot account/ --aws-region eu-west-1 --aws-region us-east-1 --for templates/
  trailguard snapshot organization/ --organization --all-regions
  trailguard snapshot --iam-policy > policy.json

exit status:
  0 written, 2 it could not be taken as asked, or an account let nobody in""",
    )
    parser.add_argument("folder", nargs="?", metavar="DIR", help="folder to write to: new, or with an older snapshot")
    where = parser.add_argument_group("where")
    text = "profile of your AWS configuration (default: AWS_PROFILE and the other usual places)"
    where.add_argument("--aws-profile", metavar="NAME", help=text)
    text = "Region to read (repeatable; default: that of your AWS configuration)"
    kind = matching(REGION, "a Region such as eu-west-1")
    where.add_argument("--aws-region", type=kind, action="append", default=[], metavar="REGION", help=text)
    where.add_argument("--all-regions", action="store_true", help="read every Region that each account has")
    text = "role to assume first"
    kind = matching(_ROLE_ARN, "the ARN of a role")
    where.add_argument("--role-arn", type=kind, metavar="ARN", help=text)
    text = "read every account of the organization, through a role in each"
    where.add_argument("--organization", action="store_true", help=text)
    kind = matching(_ROLE_NAME, "the name of a role")
    text = f"name of the role in each account (default: {ROLE})"
    where.add_argument("--organization-role", type=kind, metavar="NAME", help=text)
    kind = matching(_URL, "a URL")
    where.add_argument("--endpoint-url", type=kind, metavar="URL", help="ask this instead of AWS")
    what = parser.add_argument_group("what")
    text = f"read only these: resource types, or {', '.join(KINDS)} (repeatable)"
    what.add_argument("--only", type=_kinds, action="extend", default=[], metavar="TYPE,…", help=text)
    text = "read only what the templates in this file or folder name or import (repeatable)"
    what.add_argument("--for", action="append", default=[], dest="paths", metavar="PATH", help=text)
    text = "print the IAM policy that the other options need, and read nothing"
    what.add_argument("--iam-policy", action="store_true", help=text)
    return parser


def _kinds(value: str) -> list[str]:
    """Split names of kinds and types; gives the kinds."""
    kinds = []
    for word in listed(value):
        kind = kind_of(word)
        if kind is None:
            known = (*KINDS, *(each for one in KINDS.values() for each in one.types))
            raise argparse.ArgumentTypeError(f'"{word}" is not known{did_you_mean(word, known)}')
        kinds.append(kind)
    return kinds
