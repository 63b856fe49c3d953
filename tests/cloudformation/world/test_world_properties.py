"""Cutting a template into two stacks, or wrapping it as a nested stack, changes no verdict.

The templates are those of the rules' own examples: every value form, condition and policy that they hold crosses the
border between stacks. What changes is documented: a stack that imports is made after the whole one that exports.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests import ROOT
from trailguard.cloudformation.source.nodes import ListNode, MapNode, Node, SourceError, TextNode, literal
from trailguard.cloudformation.source.reading import parse
from trailguard.cloudformation.template.template import Template
from trailguard.findings import Finding, Report
from trailguard.judging.alone import judge_file
from trailguard.judging.results import Task
from trailguard.reporters import (
    csv_report,
    github,
    gitlab,
    graph,
    html_report,
    json_report,
    junit,
    markdown,
    sarif,
    text,
)
from trailguard.rulebook.shelf import Rulebook, load
from trailguard.scanning import scan
from trailguard.settings.settings import Settings

pytestmark = pytest.mark.slow

EXAMPLES = sorted((ROOT / "rules").glob("*/*/*"))
RULES = sorted((ROOT / "rules").glob("TG*"))
PRIVATE = re.compile("[\ue000-\uf8ff]")  # letters that mark texts while they are worked on: see source/letters.py


def plain(node: Node) -> Any:
    """A template as data that says the same in JSON."""
    if isinstance(node, MapNode):
        return {key: plain(child) for key, child in node.values.items()}
    if isinstance(node, ListNode):
        return [plain(item) for item in node.items]
    assert isinstance(node, TextNode)
    return literal(node)


@cache
def template_of(path: Path) -> dict[str, Any] | None:
    """An example as data; None when it is none that can be cut or wrapped."""
    try:
        template = Template(parse(path.read_bytes()))
    except SourceError:
        return None
    if template.problems or template.transforms or template.prefix:
        return None
    data = plain(template.root)
    assert isinstance(data, dict)
    return data


def told(findings: list[Finding], file: str) -> dict[tuple[str, str], tuple[str, tuple[tuple[str, str], ...]]]:
    """Verdicts by rule and subject, with the parameters of the witness, for the subjects of one file."""
    return {
        (item.rule.id, item.resource): (item.verdict, tuple(sorted(item.witness.items())))
        for item in findings
        if file in (item.home, "*")
    }


def write(folder: Path, **templates: dict[str, Any]) -> None:
    for name, template in templates.items():
        (folder / f"{name}.json").write_text(json.dumps(template))


@cache
def settings_of(folder: Path) -> tuple[Settings, Rulebook]:
    """What asks for the one rule of a folder."""
    settings = Settings(select=(folder.name[:5],))
    return settings, load(settings)


@cache
def usual(path: Path) -> dict[tuple[str, str], tuple[str, tuple[tuple[str, str], ...]]]:
    """The verdicts on an example as it is."""
    content = json.dumps(template_of(path)).encode()
    return told(list(judge_file("t.json", content, Task(*settings_of(path.parent.parent))).findings), "t.json")


def wrapped(template: dict[str, Any]) -> dict[str, Any]:
    """A parent that makes a nested stack of a template and hands all its own parameters on."""
    parameters = template.get("Parameters") or {}
    handed = {
        name: {"Fn::Join": [",", {"Ref": name}]} if is_list(parameter) else {"Ref": name}
        for name, parameter in parameters.items()
        if not str(parameter.get("Type")).startswith("AWS::SSM::Parameter::Value")
    }
    own = {name: parameters[name] for name in handed}
    properties = {"TemplateURL": "./child.json", "Parameters": handed}
    nested = {"Type": "AWS::CloudFormation::Stack", "Properties": properties}
    return {"Parameters": own, "Resources": {"Child": nested}}


def is_list(parameter: dict[str, Any]) -> bool:
    return "List<" in str(parameter.get("Type")) or parameter.get("Type") == "CommaDelimitedList"


def in_a_set(template: dict[str, Any]) -> dict[str, Any]:
    """The same with a stack set."""
    parent = wrapped(template)
    nested = parent["Resources"]["Child"]
    handed = [
        {"ParameterKey": key, "ParameterValue": value} for key, value in nested["Properties"]["Parameters"].items()
    ]
    properties = {"TemplateURL": "child.json", "Parameters": handed}
    nested.update({"Type": "AWS::CloudFormation::StackSet", "Properties": properties})
    return parent


def every_format(report: Report) -> Iterator[tuple[str, str]]:
    """A report in each format."""
    for module in (csv_report, html_report, json_report, junit, markdown, text):
        yield module.__name__, module.render(report)
    for module in (github, gitlab, sarif):
        yield module.__name__, module.render(report, ".", ".")
    for form in ("mermaid", "dot", "json"):
        yield form, graph.render(report.chains, form)


@pytest.mark.parametrize("wrap", [wrapped, in_a_set])
@pytest.mark.parametrize("folder", RULES, ids=lambda path: path.name[:5])
def test_a_nested_stack_is_judged_like_its_template(
    folder: Path,
    wrap: Callable[[dict[str, Any]], dict[str, Any]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    settings, _ = settings_of(folder)
    judged = 0
    report = None
    for path in sorted(folder.glob("*/*")):
        template = template_of(path)
        if template is None:
            continue
        write(tmp_path, parent=wrap(template), child=template)
        report = scan(["."], settings, evidence=True)
        assert report.errors == (), path.name
        assert PRIVATE.search(json.dumps(report, ensure_ascii=False)) is None, path.name
        found = told(list(report.results), "child.json")
        assert {key: without_files(value) for key, value in found.items()} == usual(path), path.name
        judged += 1
    assert judged > 3
    assert report is not None
    for form, written in every_format(report):
        assert written, form
        assert PRIVATE.search(written) is None, form


PSEUDO = "AWS::"
# TG104: a stack that imports comes after all of the one that exports. TG310: what is cut gets outputs.
BETTER = ("TG104", "TG310")


def mentions(value: Any, found: set[str]) -> set[str]:
    """The names that the functions in a piece of a template mention, conditions included."""
    if isinstance(value, list):
        for item in value:
            mentions(item, found)
    elif isinstance(value, dict):
        for key, item in value.items():
            if key in ("Ref", "Condition") and isinstance(item, str):
                found.add(item)
            elif key == "Fn::GetAtt":
                found.add(item.partition(".")[0] if isinstance(item, str) else item[0])
            elif key == "Fn::Sub":
                text = item if isinstance(item, str) else item[0]
                parts = text.split("${")[1:]
                own = item[1] if isinstance(item, list) else {}
                names = (part.partition("}")[0].partition(".")[0] for part in parts)
                found.update(name for name in names if name not in own)
            elif key in ("Fn::If", "Fn::FindInMap"):
                found.add(item[0])
            mentions(item, found)
    return found


def movable(template: dict[str, Any]) -> list[str]:
    """The buckets of a template and the policies on them, as far as they mention each other and nothing else."""
    resources = template["Resources"]
    kinds = (
        "AWS::S3::Bucket",
        "AWS::S3::BucketPolicy",
        "AWS::KMS::Key",
        "AWS::SNS::Topic",
        "AWS::SNS::TopicPolicy",
        "AWS::Logs::LogGroup",
    )
    chosen = {name for name, body in resources.items() if body.get("Type") in kinds and "Condition" not in body}
    while True:
        kept = set()
        for name in chosen:
            body = resources[name]
            names = mentions(body, set()) | set(waited(body))
            if all(other in chosen or other.startswith((PSEUDO, "!", "aws:")) for other in names):
                kept.add(name)
        if kept == chosen:
            return sorted(chosen)
        chosen = kept


def waited(body: dict[str, Any]) -> list[str]:
    named = body.get("DependsOn", [])
    return [named] if isinstance(named, str) else list(named)


class Cut:
    """Takes a template apart: what the rest mentions of the moved resources it imports."""

    def __init__(self, template: dict[str, Any], moved: list[str]) -> None:
        self.moved = moved
        self.outputs: dict[str, Any] = {}
        resources = template["Resources"]
        rest = {name: self.cut(body) for name, body in resources.items() if name not in moved}
        for body in rest.values():
            if "DependsOn" in body:
                body["DependsOn"] = [name for name in waited(body) if name not in moved]
        self.rest = {**template, "Resources": rest}
        if "Outputs" in template:
            self.rest["Outputs"] = self.cut(template["Outputs"])
        self.other = {"Resources": {name: resources[name] for name in moved}, "Outputs": self.outputs}

    def imported(self, value: dict[str, Any], name: str) -> dict[str, Any]:
        key = "".join(filter(str.isalnum, name))
        self.outputs[key] = {"Value": value, "Export": {"Name": {"Fn::Sub": f"${{AWS::StackName}}-{key}"}}}
        return {"Fn::ImportValue": f"logs-{key}"}

    def cut(self, value: Any) -> Any:
        if isinstance(value, list):
            return [self.cut(item) for item in value]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            ((key, argument),) = value.items()
            if key == "Ref" and argument in self.moved:
                return self.imported(value, argument)
            if key == "Fn::GetAtt":
                name = argument if isinstance(argument, str) else ".".join(argument)
                if name.partition(".")[0] in self.moved:
                    return self.imported(value, name)
            if key == "Fn::Sub":
                return {key: self.cut_text(argument)}
        return {key: self.cut(item) for key, item in value.items()}

    def cut_text(self, argument: Any) -> Any:
        text, names = argument if isinstance(argument, list) else (argument, {})
        names = {name: self.cut(value) for name, value in names.items()}
        for part in text.split("${")[1:]:
            name = part.partition("}")[0]
            target, dot, attribute = name.partition(".")
            if target in self.moved and target not in names:
                value = {"Fn::GetAtt": [target, attribute]} if dot else {"Ref": target}
                new = "Moved" + "".join(filter(str.isalnum, name))
                names[new] = self.imported(value, name)
                text = text.replace("${" + name + "}", "${" + new + "}")
        return [text, names] if names else text


@pytest.mark.parametrize("folder", RULES, ids=lambda path: path.name[:5])
def test_a_bucket_in_another_stack_is_judged_like_one_in_the_same(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    settings, _ = settings_of(folder)
    for path in sorted(folder.glob("*/*")):
        template = template_of(path)
        moved = movable(template) if template is not None else []
        if template is None or not moved or "AWS::StackName" in json.dumps([template["Resources"][x] for x in moved]):
            continue  # another stack has another name
        cut = Cut(template, moved)
        if not cut.outputs:
            continue
        write(tmp_path, trail=cut.rest, logs=cut.other)
        report = scan(["."], settings, evidence=True)
        assert report.errors == (), path.name
        assert PRIVATE.search(json.dumps(report, ensure_ascii=False)) is None, path.name
        found = {**told(list(report.results), "trail.json"), **told(list(report.results), "logs.json")}
        wanted = usual(path)
        for key, (verdict, witness) in wanted.items():
            better = [("pass", ())] if folder.name[:5] in BETTER else []
            assert without_files(found[key]) in [(verdict, witness), *better], path.name
        assert found.keys() == wanted.keys(), path.name


def without_files(value: tuple[str, tuple[tuple[str, str], ...]]) -> tuple[str, tuple[tuple[str, str], ...]]:
    """A verdict whose witness names parameters without the stack that they belong to."""
    verdict, witness = value
    return verdict, tuple(sorted((re.sub(r"^\w+\.json:", "", name), text) for name, text in witness))
