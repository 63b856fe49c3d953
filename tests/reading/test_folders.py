"""Scanning a folder gives what scanning all its files by their names gives, for random worlds and file names.

A file that is named is always looked at. In a folder these are the files with the usual extensions, and those that they
make stacks of, whatever these are called: the other files are left out here.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from trailguard.cloudformation.source.nodes import Document
from trailguard.cloudformation.source.reading import parse
from trailguard.findings import Finding, Report
from trailguard.reading import loader
from trailguard.reading.discovery import DEFAULT_INCLUDE
from trailguard.scanning import scan
from trailguard.settings.settings import Settings

Tree: TypeAlias = "dict[str, Any]"
Pick: TypeAlias = "Callable[[list[Any]], Any]"

STEMS = ["trail", "logs", "my trail", "a(b)", "x~y", "c,d", "bücher", "a%20b", "il", "v1.trail", "trail-x"]
ENDINGS = [".yaml", ".json", ".template", ".YAML", ".Json", ".txt", "", ".yaml.j2"]
HANDED = ["audit", "audit-", "audit-logs"]
CLOUDTRAIL = "cloudtrail.amazonaws.com"


class World(NamedTuple):
    """Templates by file name, and the files that each of them makes stacks of."""

    files: dict[str, Tree]
    children: dict[str, set[str]]


class Builder:
    """Makes one template: values that are written in many ways, with the parameters and mappings that these need."""

    def __init__(self, pick: Pick) -> None:
        self.pick = pick
        self.root: Tree = {"Resources": {}}

    def say(self, text: str, *more: str) -> Any:
        """A text, written in one of the ways in which templates write one that is known before the deployment."""
        way = self.pick(["plain", "plain", "sub", "join", "dash", "map", "find", *more])
        half = len(text) // 2
        name = f"V{len(self.root.get('Parameters', {})) + len(self.root.get('Mappings', {}))}"
        if way == "sub":
            return {"Fn::Sub": text}
        if way == "join":
            return {"Fn::Join": ["", [text[:half], text[half:]]]}
        if way == "dash" and "-" in text:
            return {"Fn::Join": ["-", text.split("-")]}
        if way == "map":
            return {"Fn::Sub": [text[:half] + "${Rest}", {"Rest": text[half:]}]}
        if way == "find":
            self.root.setdefault("Mappings", {})[name] = {"All": {"Text": text}}
            return {"Fn::FindInMap": [name, "All", "Text"]}
        if way in ("default", "one"):
            says = {"AllowedValues": [text]} if way == "one" else {}
            self.root.setdefault("Parameters", {})[name] = {"Type": "String", "Default": text, **says}
            return {"Ref": name}
        if way == "if":
            self.root.setdefault("Conditions", {})["Yes"] = {"Fn::Equals": ["a", "a"]}
            return {"Fn::If": ["Yes", text, "other"]}
        return text

    def named(self) -> Any:
        """The name of an export: in full, with the stack's name in it, or what is handed to the template."""
        way = self.pick(["say", "say", "say", "stack", "parameter", "glued", "bare", "single"])
        if way == "say":
            return self.say("audit-logs", "default", "one", "if")
        if way == "stack":
            return {"Fn::Sub": "${AWS::StackName}-logs"}
        if way == "single":
            return "x"
        self.root.setdefault("Parameters", {})["P"] = {"Type": "String"}
        if way == "bare":
            return {"Ref": "P"}
        return {"Fn::Sub": "${P}-logs" if way == "parameter" else "${P}logs"}

    def called(self) -> Any:
        """The name of a bucket."""
        return self.say("audit-logs", "default", "one", "if")

    def add(self, name: str, kind: str, properties: Tree, **more: Any) -> None:
        """Add a resource."""
        self.root["Resources"][name] = {"Type": kind, **more, "Properties": properties}

    def bucket(self) -> Any:
        """What a trail or a policy names as its bucket."""
        way = self.pick(["import", "import", "import", "import", "own", "parameter", "literal"])
        if way == "own":
            self.add("Bucket", "AWS::S3::Bucket", {})
            return {"Ref": "Bucket"}
        if way == "parameter":
            self.root.setdefault("Parameters", {})["P"] = {"Type": "String"}
            return {"Ref": "P"}
        return {"Fn::ImportValue": self.named()} if way == "import" else self.called()

    def trail(self) -> None:
        """Add a trail, its type written out or put together by a loop."""
        body: Tree = {"IsLogging": True, "IsMultiRegionTrail": True, "S3BucketName": self.bucket()}
        if self.pick([False, False, False, True]):
            self.root["Transform"] = "AWS::LanguageExtensions"
            trail = {"Type": "AWS::${X}::Trail", "Properties": body}
            self.root["Resources"]["Fn::ForEach::Each"] = ["X", ["CloudTrail"], {"T${X}": trail}]
        else:
            self.add("Trail", "AWS::CloudTrail::Trail", body)

    def policy(self) -> None:
        """Add a bucket policy that lets CloudTrail in, or everybody out."""
        effect, principal = self.pick([("Allow", {"Service": CLOUDTRAIL}), ("Deny", "*")])
        statement = {"Effect": effect, "Principal": principal, "Action": "s3:*", "Resource": "*"}
        self.add(
            "Policy", "AWS::S3::BucketPolicy", {"Bucket": self.bucket(), "PolicyDocument": {"Statement": statement}}
        )

    def export(self) -> None:
        """Export the bucket, or what is imported."""
        value = {"Ref": "Bucket"} if "Bucket" in self.root["Resources"] else {"Fn::ImportValue": self.named()}
        self.root.setdefault("Outputs", {})["Out"] = {"Value": value, "Export": {"Name": self.named()}}

    def stack(self, child: str) -> None:
        """Make a stack of another file, found by its path or by its name behind a URL."""
        url = self.pick(
            [
                lambda: child,
                lambda: "./" + child,
                lambda: {"Fn::Sub": "https://${AWS::Region}.s3.amazonaws.com/some/" + child},
                lambda: "https://s3.amazonaws.com/some/" + child,
                lambda: self.say("https://s3.amazonaws.com/some/" + child),
                lambda: {"Fn::Join": ["/", ["https://s3.amazonaws.com", {"Ref": "AWS::Region"}, self.say(child)]]},
            ]
        )()
        handed = {"P": self.say(self.pick(HANDED))}
        kind = self.pick(["AWS::CloudFormation::Stack", "AWS::CloudFormation::Stack", "AWS::Serverless::Application"])
        where = "Location" if kind.startswith("AWS::Serverless") else "TemplateURL"
        self.add("Nested", kind, {where: url, "Parameters": handed})

    def unseen(self) -> None:
        """Add something that may make a trail which nobody sees, or surely makes none."""
        far = {"Name": "AWS::Include", "Parameters": {"Location": "s3://b/k"}}
        url = "https://s3.amazonaws.com/b/"
        stack = "AWS::CloudFormation::Stack"
        self.pick(
            [
                lambda: self.add("Vpc", stack, {"TemplateURL": "gone.yaml"}),
                lambda: self.add("Vpc", stack, {"TemplateURL": url + "vpc.json"}),
                lambda: self.add("Vpc", stack, {"TemplateURL": self.say(url + "cloudtrail.json")}),
                lambda: self.add("AuditTrail", stack, {"TemplateURL": {"Ref": "P"}}),
                lambda: self.add("Set", stack + "Set", {"TemplateBody": {"Fn::GetAtt": "Q.Body"}}),
                lambda: self.add("Set", stack + "Set", {"TemplateBody": {"Fn::ToJsonString": self.inner()}}),
                lambda: self.add("Module", "Our::Trail::Any::MODULE", {}),
                lambda: self.add("Module", "Our::Queue::Any::MODULE", {}),
                lambda: self.root["Resources"].update({"Fn::Transform": far}),
                lambda: self.root.update(Transform=far),
                lambda: self.add("Queue", "AWS::SQS::Queue", {"Fn::Transform": far}),
                lambda: self.root.update(Stray=self.inner()["Resources"]["Trail"]),
                self.open_loop,
            ]
        )()

    def inner(self) -> Tree:
        return {"Resources": {"Trail": {"Type": "AWS::CloudTrail::Trail", "Properties": {"S3BucketName": "b"}}}}

    def open_loop(self) -> None:
        """Add a loop over items that nobody knows."""
        self.root["Transform"] = "AWS::LanguageExtensions"
        kind = self.pick(["AWS::${X}::Trail", "AWS::CloudTrail::Trail", "AWS::SQS::${X}"])
        body = {"T${X}": {"Type": kind, "Properties": {"IsLogging": {"Ref": "X"}}}}
        self.root["Resources"]["Fn::ForEach::Each"] = ["X", {"Ref": "Items"}, body]

    def include(self, part: str) -> None:
        """Include a file among the resources, or as sections."""
        call = {"Name": "AWS::Include", "Parameters": {"Location": part}}
        if self.pick([True, False]):
            self.root["Resources"]["Fn::Transform"] = call
        else:
            self.root["Transform"] = call


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """A few files that make stacks of each other, import, export and include."""

    def pick(items: list[Any]) -> Any:
        return draw(st.sampled_from(items))

    size = draw(st.integers(2, 6))
    names = [stem + pick(ENDINGS) for stem in draw(st.permutations(STEMS))[:size]]
    files: dict[str, Tree] = {}
    children: dict[str, set[str]] = {}
    for number, name in enumerate(names):
        builder = Builder(pick)
        role = pick(["trail", "trail", "logs", "logs", "policy", "policy", "parent", "includer", "unseen", "other"])
        if role == "trail":
            builder.trail()
        elif role == "policy":
            builder.policy()
        elif role == "logs":
            is_named = pick([False, True])
            builder.add("Bucket", "AWS::S3::Bucket", {"BucketName": builder.called()} if is_named else {})
        elif role == "unseen":
            builder.unseen()
        elif role == "includer":
            part = Builder(pick)
            getattr(part, pick(["trail", "policy", "export"]))()
            builder.include(f"part{number}.inc")
            is_deep = "Fn::Transform" in builder.root["Resources"]
            files[f"part{number}.inc"] = part.root["Resources"] if is_deep else part.root
            if is_deep:
                builder.root.update(
                    {key: node for key, node in part.root.items() if key not in ("Resources", "Outputs")}
                )
        if not builder.root["Resources"]:
            builder.add("Queue", "AWS::SQS::Queue", {"QueueName": {"Fn::ImportValue": builder.named()}})
        later = names[number + 1 :]
        if later and (role == "parent" or pick([False, False, True])):
            child = pick(later)
            builder.stack(child)
            children[name] = {child}
        if role == "logs" or (role != "includer" and pick([True, False, False])):
            builder.export()
        files[name] = builder.root
    return World(files, children)


def is_usual(name: str) -> bool:
    return name.lower().endswith(tuple(pattern[1:] for pattern in DEFAULT_INCLUDE))


def looked_at(world: World) -> list[str]:
    """The files that a scan of the folder has to look at: the usual ones, and those that they make stacks of."""
    pending = [name for name in world.files if is_usual(name)]
    found: list[str] = []
    while pending:
        name = pending.pop()
        if name not in found:
            found.append(name)
            pending.extend(world.children.get(name, ()))
    return sorted(found)


@contextmanager
def folder(world: World) -> Iterator[Path]:
    """The world as files of a folder in which the test runs."""
    before = os.getcwd()
    with tempfile.TemporaryDirectory() as name:
        try:
            os.chdir(name)
            for path, tree in world.files.items():
                Path(path).write_text(json.dumps(tree, ensure_ascii=False, indent=2), encoding="utf-8")
            yield Path(name)
        finally:
            os.chdir(before)


def told(report: Report) -> tuple[list[Finding], list[Any], int]:
    return list(report.results), list(report.errors), report.subjects


PINNED = Settings(parameters={"P": "audit"}, region="eu-west-1", account_id="111122223333")


@pytest.mark.slow
@settings(
    max_examples=int(os.environ.get("FOLDER_EXAMPLES", "150")), deadline=None, suppress_health_check=list(HealthCheck)
)
@given(worlds(), st.sampled_from([Settings(), Settings(), PINNED]))
def test_a_folder_is_what_its_files_are(world: World, chosen: Settings) -> None:
    with folder(world):
        by_folder, by_names = scan(["."], chosen), scan(looked_at(world), chosen)
    assert told(by_folder) == told(by_names)


def trail(bucket: Any) -> Tree:
    """A template with a trail."""
    body = {"IsLogging": True, "IsMultiRegionTrail": True, "S3BucketName": bucket}
    return {"Resources": {"Trail": {"Type": "AWS::CloudTrail::Trail", "Properties": body}}}


def bucket(name: Any, **sections: Any) -> Tree:
    """A template that exports a bucket."""
    output = {"Value": {"Ref": "Bucket"}, "Export": {"Name": name}}
    return {"Resources": {"Bucket": {"Type": "AWS::S3::Bucket"}}, "Outputs": {"Out": output}, **sections}


def nests(url: Any, **handed: Any) -> Tree:
    """A template that makes a stack of another one."""
    stack = {"Type": "AWS::CloudFormation::Stack", "Properties": {"TemplateURL": url, "Parameters": handed}}
    return {"Resources": {"Nested": stack}}


def includes(location: str) -> Tree:
    """A template all of whose resources stand in another file."""
    return {"Transform": {"Name": "AWS::Include", "Parameters": {"Location": location}}}


TEXT: Tree = {"Type": "String"}
# Names that share a word only through what fills them.
OPEN = {"Fn::Sub": "${AWS::StackName}-audit-${AWS::Region}"}
P = {"Parameters": {"P": TEXT}}
AUDIT = {"Fn::ImportValue": "audit-logs"}


def denies(name: Any) -> Tree:
    """A template that puts a policy on a bucket and says nothing of CloudTrail."""
    statement = {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*"}
    properties = {"Bucket": name, "PolicyDocument": {"Statement": statement}}
    return {"Resources": {"Policy": {"Type": "AWS::S3::BucketPolicy", "Properties": properties}}}


def both(*trees: Tree) -> Tree:
    """One template of several."""
    resources = {name: body for tree in trees for name, body in tree["Resources"].items()}
    return {key: node for tree in trees for key, node in tree.items()} | {"Resources": resources}


GROUP = {"Resources": {"Group": {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": "audit"}}}}
MAPPED = {"Mappings": {"M": {"a": {"b": "audit-logs"}}}}
RELATED: dict[str, dict[str, Tree]] = {
    "a default": {"b": bucket({"Ref": "P"}, Parameters={"P": {**TEXT, "Default": "audit-logs"}})},
    "a default in Sub": {"b": bucket({"Fn::Sub": "${P}"}, Parameters={"P": {**TEXT, "Default": "audit-logs"}})},
    "handed": {"b": bucket({"Ref": "P"}, **P), "c": nests("b.yaml", P="audit-logs")},
    "handed in part": {"b": bucket({"Fn::Sub": "${P}s"}, **P), "c": nests("b.yaml", P="audit-log")},
    "by two": {
        "b": bucket({"Ref": "P"}, **P),
        "c": nests("b.yaml", P="audit-logs"),
        "d": nests("b.yaml", P="audit-logs"),
    },
    "by the trail's and another": {
        "a": both(trail(AUDIT), nests("b.yaml", P="audit-logs")),
        "b": bucket({"Ref": "P"}, **P),
        "c": nests("b.yaml", P="audit-logs"),
    },
    "given": {"a": trail({"Fn::ImportValue": OPEN}), "b": bucket({"Fn::Sub": "${P}-x1"}, **P)},
    "a resource's": {"a": trail({"Fn::ImportValue": OPEN}), "b": both(bucket({"Fn::Sub": "${Group}-x1"}), GROUP)},
    "joined": {"b": bucket({"Fn::Join": ["", ["audit-", "lo", "gs"]]})},
    "mapped": {"b": bucket({"Fn::FindInMap": ["M", "a", "b"]}, **MAPPED)},
    "without a word": {"a": trail({"Fn::ImportValue": "x"}), "b": bucket("x")},
    "a policy elsewhere": {"b": bucket("audit-logs"), "c": denies(AUDIT)},
    "a policy by way of a third": {
        "b": bucket("audit-logs"),
        "c": {**bucket("second"), "Outputs": {"Out": {"Value": AUDIT, "Export": {"Name": "second"}}}},
        "d": denies({"Fn::Sub": ["${B}", {"B": {"Fn::ImportValue": "second"}}]}),
    },
}


@pytest.mark.parametrize("name", RELATED)
@pytest.mark.parametrize("chosen", [Settings(), PINNED, Settings(parameters={"P": "audit"})])
def test_exports_are_found_whatever_names_them(name: str, chosen: Settings) -> None:
    files = {f"{stem}.yaml": tree for stem, tree in ({"a": trail(AUDIT)} | RELATED[name]).items()}
    with folder(World(files, {})):
        by_folder, by_names = scan(["."], chosen), scan(sorted(files), chosen)
    assert told(by_folder) == told(by_names)


@pytest.mark.parametrize("name", ["my trail.yaml", "a(b)~c,d.txt", "b\u00fccher", "a%20b.yaml.j2", "TRAIL.YAML"])
@pytest.mark.parametrize(
    "url",
    [
        lambda name: name,
        lambda name: "https://s3.amazonaws.com/some/" + name,
        lambda name: {"Fn::Sub": ["https://${B}/${N}", {"B": "example.com", "N": name}]},
        lambda name: {"Fn::Join": ["", ["https://example.com/", name[:3], name[3:]]]},
    ],
)
def test_nested_templates_are_found_whatever_they_are_called(name: str, url: Callable[[str], Any]) -> None:
    parameters = {"Parameters": {"Name": TEXT}}
    child = {**trail({"Ref": "Name"}), **parameters}
    with folder(World({"parent.yaml": nests(url(name), Name="handed-down"), name: child}, {})):
        report = scan(["."], Settings())
    contexts = {finding.contexts for finding in report.results}
    by_itself = set() if url(name) == name else {()}  # behind a URL, a name is a guess
    assert (report.subjects, contexts) == (1, {("Nested of parent.yaml",), *by_itself})


@pytest.mark.parametrize("location", ["part.yaml", "./deep/part.inc", "part"])
def test_a_trail_in_an_included_file_is_judged(location: str) -> None:
    world = World({"audit.yaml": includes(location)}, {})
    with folder(world):
        Path("deep").mkdir()
        Path(location).write_text(json.dumps(trail("logs")), encoding="utf-8")
        report = scan(["audit.yaml" if location == "part.yaml" else "."], Settings())
    assert report.subjects == 1
    assert {finding.place.file for finding in report.results} <= {"audit.yaml", location.removeprefix("./")}


@pytest.mark.parametrize("name", ["trail.YAML", "trail.Json", "trail.TEMPLATE", "trail.yML", "trail.CFN"])
def test_extensions_may_be_written_in_capital_letters(name: str) -> None:
    with folder(World({name: trail("logs")}, {})):
        assert scan(["."], Settings()).subjects == 1


def test_a_type_may_be_put_together_by_a_loop() -> None:
    body = trail("logs")["Resources"]["Trail"]["Properties"]
    loop = ["X", ["CloudTrail"], {"T${X}": {"Type": "AWS::${X}::Trail", "Properties": body}}]
    template = {"Transform": "AWS::LanguageExtensions", "Resources": {"Fn::ForEach::Each": loop}}
    with folder(World({"a.yaml": template}, {})):
        assert scan(["."], Settings()).subjects == 1


def test_a_property_may_be_put_together_by_a_loop() -> None:
    parent = {"Transform": "AWS::LanguageExtensions", **nests("")}
    loop = {"Fn::ForEach::Each": ["K", ["URL"], {"Template${K}": "trail.txt"}]}
    parent["Resources"]["Nested"]["Properties"] = loop
    with folder(World({"a.yaml": parent, "trail.txt": trail("logs")}, {})):
        assert scan(["."], Settings()).subjects == 1


def test_a_nested_template_that_is_not_there_is_told_without_a_trail_beside_it() -> None:
    with folder(World({"a.yaml": nests("missing.yaml")}, {})):
        (notice,) = scan(["."], Settings()).notices
    assert notice.message == "the template of Nested is not there: missing.yaml"


def test_what_has_nothing_to_do_with_a_trail_is_not_parsed(monkeypatch: pytest.MonkeyPatch) -> None:
    parsed: list[bytes] = []

    def counted(data: bytes) -> Document:
        parsed.append(data)
        return parse(data)

    monkeypatch.setattr(loader, "parse", counted)
    other = bucket("other-name")
    strangers = {f"vpc{number}.yaml": bucket({"Fn::Sub": "${AWS::StackName}-vpc"}) for number in range(20)}
    users = {f"user{number}.yaml": nests(f"vpc{number}.yaml") for number in range(20)}
    world = {"a.yaml": trail({"Fn::ImportValue": "audit-logs"}), "b.yaml": bucket("audit-logs"), "c.yaml": other}
    with folder(World({**world, **strangers, **users}, {})):
        report = scan(["."], Settings())
    assert (report.files, report.templates, len(parsed)) == (43, 43, 2)


@pytest.mark.parametrize("part", [{}, {"Resources": {}}])
@pytest.mark.parametrize("url", ["child.txt", "https://s3.amazonaws.com/some/child.txt"])
def test_an_included_file_may_be_empty(url: str, part: Tree) -> None:
    child: Tree = {"Resources": {"Fn::Transform": includes("part.inc")["Transform"]}}
    files = {"a.yaml": both(trail("logs"), nests(url)), "child.txt": child, "part.inc": part}
    with folder(World(files, {})):
        by_folder, by_names = scan(["."], Settings()), scan(["a.yaml", "child.txt"], Settings())
    assert (told(by_folder), by_folder.templates) == (told(by_names), by_names.templates)
    assert by_folder.subjects == 1


def test_a_name_in_an_included_part_is_found_in_other_files() -> None:
    policy = {"Bucket": "audit-logs", "PolicyDocument": {"Version": "2012-10-17", "Statement": []}}
    part = {"S3BucketName": "audit-logs", "IsLogging": True, "IsMultiRegionTrail": True}
    include = {"Fn::Transform": {"Name": "AWS::Include", "Parameters": {"Location": "part.json"}}}
    world = World(
        {
            "t.json": {"Resources": {"Trail": {"Type": "AWS::CloudTrail::Trail", "Properties": include}}},
            "part.json": part,
            "policy.json": {"Resources": {"Policy": {"Type": "AWS::S3::BucketPolicy", "Properties": policy}}},
        },
        {},
    )
    with folder(world):
        by_folder, by_names = scan(["."], Settings()), scan(looked_at(world), Settings())
    assert told(by_folder) == told(by_names)
    assert "policy.json" in {one.place.file for one in by_folder.results}


@pytest.mark.parametrize("end", ["\n", ""])
def test_names_are_heard_in_json_on_one_line(end: str) -> None:
    """What stands behind a text on its line has nothing to do with it."""
    export = {"Value": {"Ref": "Bucket"}, "Export": {"Name": {"Fn::Sub": "${AWS::StackName}-logs"}}}
    made = {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "audit-logs"}}
    logs = {"Resources": {"Bucket": made}, "Outputs": {"Out": export}}
    with folder(World({"trail.json": trail("audit-logs"), "logs.json": logs}, {})):
        for path in ("trail.json", "logs.json"):
            Path(path).write_text(json.dumps(json.loads(Path(path).read_text("utf-8"))) + end, encoding="utf-8")
        report = scan(["."], Settings(select=("TG201",)))
    assert [one.place.file for one in report.results] == ["logs.json"]
