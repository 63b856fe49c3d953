"""How much does an account settle? Makes one up that holds what templates name, and a stack that was made of each.

    python bench/accounts.py FOLDER            # any folder of templates: prints how many unknown verdicts are decided
    python bench/accounts.py FOLDER --keep DIR # leaves the snapshot and the configuration there

Every template has a deployed stack with an actual value for each of its parameters: its default, the first of its
allowed values, else a value of the right kind. What the trails of a template name under these values and no template
makes exists in the account: buckets, keys, topics, log groups and roles that let CloudTrail in, and the values that are
imported. What is known only when a template is made, or is not a template, stays unknown.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import warnings
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from trailguard import Settings, scan
from trailguard.cloudformation.scenarios.intrinsics import Unbuildable
from trailguard.cloudformation.scenarios.model import Model, Pins
from trailguard.cloudformation.scenarios.resolver import Scenario
from trailguard.cloudformation.scenarios.values import ListValue, Text, text_of
from trailguard.cloudformation.scenarios.variables import Split
from trailguard.cloudformation.source.nodes import Node, SourceError, plain
from trailguard.cloudformation.source.reading import parse
from trailguard.cloudformation.stacks.exchanges import imports_of
from trailguard.cloudformation.template.template import Template, looks_like_template
from trailguard.cloudformation.world.nesting import APPLICATION, STACK, STACK_SET
from trailguard.findings import Finding, Report
from trailguard.reading.discovery import Candidate, discover
from trailguard.settings.settings import Context
from trailguard.trails.facts.returns import RETURNS

ACCOUNT, REGION = "111122223333", "us-east-1"
HERE = f"{ACCOUNT}/{REGION}"
KEY = "1234abcd-12ab-34cd-56ef-1234567890ab"
SERVICE = {"Service": "cloudtrail.amazonaws.com"}
TRAIL = "AWS::CloudTrail::Trail"

# What a parameter may be that has neither default nor allowed values, by what it is called.
GUESSES = (
    (("bucket", "s3"), "actual-audit-logs"),
    (("kms", "key", "cmk"), f"arn:aws:kms:{REGION}:{ACCOUNT}:key/{KEY}"),
    (("topic", "sns"), f"arn:aws:sns:{REGION}:{ACCOUNT}:actual-topic"),
    (("role",), f"arn:aws:iam::{ACCOUNT}:role/actual-role"),
    (("loggroup", "log-group", "cloudwatch"), f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:actual-group:*"),
    (("orgid", "organizationid", "organization"), "o-abcde12345"),
    (("account",), ACCOUNT),
    (("region",), REGION),
)
INNER = {"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}}  # what is in nested stacks whose template is not there
INSTANCE = "0a1b2c3d-0a1b-2c3d-4e5f-0a1b2c3d4e5f"


class Plain(yaml.CSafeDumper):
    """Writes what is there twice twice, as a snapshot does."""

    def ignore_aliases(self, data: object) -> bool:
        """Tell that nothing is an alias."""
        return True


class Account:
    """The account as it grows: what exists by ARN, the stacks by name, the exports by name."""

    def __init__(self) -> None:
        self.things: dict[str, dict[tuple[str, str], dict[str, Any]]] = {HERE: {}}  # by ACCOUNT/REGION
        self.stacks: dict[str, tuple[Any, dict[str, str]]] = {}
        self.exports: dict[str, str] = {}

    def add(self, kind: str, arn: str, properties: Mapping[str, Any]) -> None:
        """Let something exist."""
        known = {"Type": kind, "Metadata": {"trailguard": {"arn": arn}}, "Properties": dict(properties)}
        region, account = arn.split(":")[3:5]
        place = f"{account or ACCOUNT}/{region or REGION}"
        self.things.setdefault(place, {}).setdefault((kind, arn), known)

    def bucket(self, name: str) -> None:
        """Let a bucket exist to which CloudTrail may deliver."""
        arn = f"arn:aws:s3:::{name}"
        self.add("AWS::S3::Bucket", arn, {"BucketName": name})
        acl = {"StringEquals": {"s3:x-amz-acl": "bucket-owner-full-control"}}
        write = {"Action": "s3:PutObject", "Resource": f"{arn}/*", "Condition": acl}
        statements = [
            {"Effect": "Allow", "Principal": SERVICE, **one}
            for one in ({"Action": "s3:GetBucketAcl", "Resource": arn}, write)
        ]
        self.add("AWS::S3::BucketPolicy", arn, {"Bucket": name, "PolicyDocument": _policy(*statements)})

    def key(self, name: str) -> None:
        """Let a key exist with which CloudTrail may encrypt; by its ID, its ARN or an alias."""
        last = name.partition(":key/")[2] or name
        alias = name.rpartition(":")[2] if "alias/" in name else ""
        arn = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/{KEY if alias else last}"
        if name.startswith("arn:") and not alias:
            arn = name
        root = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "kms:*"}
        use = {"Effect": "Allow", "Action": ["kms:GenerateDataKey*", "kms:DescribeKey", "kms:Decrypt"]}
        services = {"Service": ["cloudtrail.amazonaws.com", f"logs.{REGION}.amazonaws.com"]}
        statements = [{**root, "Resource": "*"}, {**use, "Principal": services, "Resource": "*"}]
        self.add(
            "AWS::KMS::Key", arn, {"KeyPolicy": _policy(*statements), "Enabled": True, "KeySpec": "SYMMETRIC_DEFAULT"}
        )
        if alias:
            where = f"arn:aws:kms:{REGION}:{ACCOUNT}:{alias}"
            self.add("AWS::KMS::Alias", where, {"AliasName": alias, "TargetKeyId": arn.rpartition("/")[2]})

    def topic(self, name: str) -> None:
        """Let a topic exist to which CloudTrail may publish."""
        arn = name if name.startswith("arn:") else f"arn:aws:sns:{REGION}:{ACCOUNT}:{name}"
        self.add("AWS::SNS::Topic", arn, {"TopicName": arn.rpartition(":")[2]})
        grant = {"Effect": "Allow", "Principal": SERVICE, "Action": "sns:Publish", "Resource": arn}
        self.add("AWS::SNS::TopicPolicy", arn, {"Topics": [arn], "PolicyDocument": _policy(grant)})

    def group(self, arn: str) -> None:
        """Let a log group exist."""
        name = arn.partition(":log-group:")[2].removesuffix(":*") or arn
        self.add("AWS::Logs::LogGroup", f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{name}", {"LogGroupName": name})

    def role(self, arn: str) -> None:
        """Let a role exist with which CloudTrail may write to any log group."""
        trust = {"Effect": "Allow", "Principal": SERVICE, "Action": "sts:AssumeRole"}
        writes = {"Effect": "Allow", "Action": ["logs:CreateLogStream", "logs:PutLogEvents"], "Resource": "*"}
        name = arn.rpartition("/")[2]
        policies = [{"PolicyName": "write", "PolicyDocument": _policy(writes)}]
        self.add(
            "AWS::IAM::Role", arn, {"RoleName": name, "AssumeRolePolicyDocument": _policy(trust), "Policies": policies}
        )

    def policy(self, arn: str) -> None:
        """Let a managed policy exist that allows everything: a boundary, mostly."""
        name = arn.rpartition("/")[2]
        allowed = {"Effect": "Allow", "Action": "*", "Resource": "*"}
        properties = {"ManagedPolicyName": name, "PolicyDocument": _policy(allowed)}
        self.add("AWS::IAM::ManagedPolicy", arn, properties)

    def write(self, folder: Path) -> None:
        """Write the snapshot."""
        contexts = []
        for place, things in self.things.items():
            (folder / place / "stacks").mkdir(parents=True)
            contexts.append(_context(place, f"{place}/existing-*.yaml"))
            bodies = list(things.values())
            for number, start in enumerate(range(0, len(bodies), 499), 1):
                part = {f"Thing{index}": body for index, body in enumerate(bodies[start : start + 499], start)}
                text = yaml.dump({"Resources": part}, Dumper=Plain, sort_keys=False)
                (folder / place / f"existing-{number}.yaml").write_text(text, encoding="utf-8")
        for name, (template, parameters) in self.stacks.items():
            file = folder / HERE / "stacks" / f"{name}.json"
            file.write_text(json.dumps(template), encoding="utf-8", errors="replace")
            context = _context(f"{HERE}/{name}", f"{HERE}/stacks/{name}.json")
            contexts.append({**context, "parameters": parameters})
        exports = [
            {"account": ACCOUNT, "region": REGION, "name": name, "value": value, "stack": "exporter"}
            for name, value in sorted(self.exports.items())
        ]
        world = {"contexts": contexts, "exports": exports}
        (folder / "world.yaml").write_text(yaml.dump(world, Dumper=Plain), encoding="utf-8")
        told = {"schema": "trailguard-snapshot/1", "taken": "2026-11-29T00:00:00Z"}
        (folder / "snapshot.json").write_text(json.dumps(told), encoding="utf-8")


def _context(name: str, pattern: str) -> dict[str, Any]:
    account, region, *_ = name.split("/")
    return {"name": name, "templates": [pattern], "account_id": account, "region": region}


def _policy(*statements: Mapping[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


# --- templates --------------------------------------------------------------------------------------------------------


def actual(template: Template) -> dict[str, str]:
    """A value for each parameter, as somebody may have deployed the template."""
    model = Model(template, Pins({}, REGION, ACCOUNT), RETURNS)
    found = {}
    for name, parameter in template.parameters.items():
        variable = model.space.variables[name]
        if parameter.is_stored or parameter.default is None:
            lowered = name.lower()
            fitting = (value for words, value in GUESSES if any(word in lowered for word in words))
            options = [*fitting, *(value for _, value in GUESSES)] if not parameter.allowed_values else []
            value = next(filter(variable.permits, options), None) or model.space.sample({}, name)
            found.update({name: value} if variable.permits(value) else {})
        else:
            found[name] = parameter.default
    return found


def _asked(scenario: Scenario, node: Node) -> Iterator[str]:
    """The texts that a node comes to, where they are known."""
    try:
        value = scenario.resolve(node)
    except (Split, Unbuildable):
        return
    for item in value.items if isinstance(value, ListValue) else (value,):
        text = text_of(item)
        if isinstance(text, Text) and text.literal:
            yield text.literal


def grow(account: Account, template: Template, parameters: Mapping[str, str], name: str) -> None:
    """Let exist what a template names, as it was deployed."""
    pins = Pins({**parameters, "AWS::StackName": name}, REGION, ACCOUNT)
    scenario = Scenario(Model(template, pins, RETURNS), {})
    for taken in imports_of(template.root.values):
        for found in _asked(scenario, taken.name):
            account.exports.setdefault(found, _imported(taken.kind, taken.property, found))
    wanted = (
        (TRAIL, "S3BucketName", account.bucket),
        (TRAIL, "KMSKeyId", account.key),
        (TRAIL, "SnsTopicName", account.topic),
        (TRAIL, "CloudWatchLogsLogGroupArn", account.group),
        (TRAIL, "CloudWatchLogsRoleArn", account.role),
        ("AWS::SNS::Topic", "KmsMasterKeyId", account.key),
        ("AWS::Logs::LogGroup", "KmsKeyId", account.key),
        ("AWS::IAM::Role", "PermissionsBoundary", account.policy),
        ("AWS::IAM::Role", "ManagedPolicyArns", account.policy),
    )
    for kind, key, add in wanted:
        for resource in template.of_type(kind):
            try:
                node = scenario.property_node(resource, key)
            except (Split, Unbuildable):
                continue
            for text in _asked(scenario, node) if node is not None else ():
                add(account.exports.get(text, text))
            for use in _imports(node) if node is not None else ():
                for text in _asked(scenario, use):
                    add(account.exports[text])


def _imports(node: Node) -> Iterator[Node]:
    values = getattr(node, "values", None)
    if isinstance(values, dict):
        if "Fn::ImportValue" in values:
            yield values["Fn::ImportValue"]
        for child in values.values():
            yield from _imports(child)


def _imported(kind: str, key: str, name: str) -> str:
    """A value of the kind that is imported."""
    for words, value in GUESSES:
        if any(word in key.lower() for word in words) or (not kind and any(word in name.lower() for word in words)):
            return value
    return "actual-value"


def templates_below(folder: str) -> Iterator[tuple[str, Template]]:
    """The templates below a folder."""
    for item in discover([folder]):
        if isinstance(item, Candidate):
            try:
                document = parse(Path(item.path).read_bytes())
                if looks_like_template(document.root):
                    yield item.path, Template(document)
            except (SourceError, OSError, RecursionError):
                continue


def _nested(template: Template, parameters: Mapping[str, str], name: str) -> Iterator[str]:
    """The names of the stacks that the stack of a template made; what is in them nobody knows: a topic, say."""
    for resource in template.resources.values():
        if resource.type in (STACK, APPLICATION):
            yield f"{name}-{resource.id}-ABCDEF123456"
        elif resource.type == STACK_SET:
            scenario = Scenario(Model(template, Pins(parameters, REGION, ACCOUNT), RETURNS), {})
            node = scenario.property_node(resource, "StackSetName")
            made = next(_asked(scenario, node), "") if node is not None else ""
            yield f"StackSet-{made or f'{name}-{resource.id}-ABCDEF123456'}-{INSTANCE}"


def build(folder: str) -> tuple[Account, dict[str, str]]:
    """The account for the templates below a folder, and the stack of each template by its path."""
    account = Account()
    stacks: dict[str, str] = {}
    for number, (path, template) in enumerate(templates_below(folder)):
        if not template.resources:
            continue
        name = f"stack{number}"
        try:
            parameters = actual(template)
            grow(account, template, parameters, name)
        except (Split, Unbuildable, RecursionError, ValueError):
            continue
        account.stacks[name] = plain(template.document.root), parameters
        for child in _nested(template, parameters, name):
            account.stacks[child] = INNER, {}
        stacks[path] = name
    return account, stacks


# --- measuring --------------------------------------------------------------------------------------------------------


def unknown(report: Report) -> Counter[str]:
    """The unknown verdicts by whether a trail, or what makes stacks that nobody sees, is the subject."""
    return Counter(_group(item) for item in report.results if item.verdict == "unknown")


def _group(item: Finding) -> str:
    return "of stacks whose template is not there" if item.message.startswith("The stack of ") else "of trails"


def ambiguous(report: Report, stacks: Mapping[str, str], root: str) -> tuple[Context, ...]:
    """Contexts for the templates that several stacks may have been made of: copies of each other."""
    files = {item.file for item in report.notices if item.message.startswith("several deployed stacks")}
    names = {os.path.relpath(path, root): name for path, name in stacks.items()}
    return tuple(
        Context(f"{HERE}/{names[file]}", (f"/{file}",), stack=f"{HERE}/{names[file]}", number=number)
        for number, file in enumerate(sorted(files & names.keys()))
    )


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder")
    parser.add_argument("--keep", metavar="DIR")
    parser.add_argument("--list", action="store_true", help="list what is still unknown")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    os.chdir(options.folder)
    before = scan(["."], Settings())
    account, stacks = build(".")
    with tempfile.TemporaryDirectory() as made:
        folder = Path(options.keep or made) / "snapshot"
        folder.mkdir(parents=True)
        account.write(folder)
        after = scan(["."], Settings(), world=[str(folder)])
        contexts = ambiguous(after, stacks, ".")
        if contexts:
            after = scan(["."], Settings(contexts=contexts, root=os.getcwd()), world=[str(folder)])
    things = sum(map(len, account.things.values()))
    print(
        f"{before.templates} templates, {len(account.stacks)} stacks, {things} things, {len(account.exports)} exports"
    )
    print(f"{len(contexts)} copies matched by contexts")
    for group, count in sorted(unknown(before).items()):
        left = unknown(after)[group]
        print(f"unknown {group}: {count} before, {left} after: {(count - left) / count:.0%} decided")
    total = sum(unknown(before).values())
    print(
        f"all: {total} before, {sum(unknown(after).values())} after; errors {len(before.errors)}, {len(after.errors)}"
    )
    for verdict in ("pass", "fail", "conditional"):
        print(f"{verdict}: {before.summary()[verdict]} before, {after.summary()[verdict]} after")
    if options.list:
        for item in after.results:
            if item.verdict == "unknown":
                print(
                    item.rule.id, item.place.file, item.resource, "|", item.message[:90], "|", (item.reason or "")[:200]
                )


if __name__ == "__main__":
    main()
