"""Documents that texts hold are edited inside, in whatever kind of text they stand."""

from __future__ import annotations

import json
from collections.abc import Callable
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fixes.layouts import Layout
from tests.fixes.test_any_layout import SETTINGS, documents, find, is_function, meaning, places, read, seen, trees
from trailguard.cloudformation.source.changes import Append, Put, Remove, Rename, Replace, at
from trailguard.cloudformation.source.nodes import MapNode, TextNode
from trailguard.cloudformation.source.reading import parse
from trailguard.fixes.changing import edits_for
from trailguard.fixes.edits import Unwritable, applied


def in_text(random: Random, inner: str, kind: str) -> str:
    """A document that holds another one as text."""
    if kind == "json":
        return json.dumps({"A": 1, "Doc": inner, "Z": "é"}, indent=random.choice([None, 2]))
    if kind == "'":
        return "A: 1\nDoc: '" + inner.replace("'", "''") + "'  # after\nZ: é\n"
    if kind == '"':
        return f"A: 1\nDoc: {json.dumps(inner, ensure_ascii=False)}  # after\nZ: é\n"
    blanks = " " * random.choice([1, 2, 4])
    head = kind + ("-" if not inner.endswith("\n") else "")
    body = "\n".join(blanks + line if line else "" for line in inner.removesuffix("\n").split("\n"))
    return f"A: 1\nDoc: {head}  # before\n{body}\nZ: é\n"


@st.composite
def held(draw: Callable[..., Any]) -> tuple[str, bool]:
    """A document that holds another one, and whether that is YAML."""
    data = draw(documents)
    random = draw(st.randoms(use_true_random=False))
    kind = draw(st.sampled_from(["json", "'", '"', "|", ">"]))
    if kind == "|" and draw(st.booleans()):
        layout = Layout(random, anchors=False)
        lines = "\n".join(layout.block(data, 0)) + "\n"
        return in_text(random, lines, kind), True
    indent = None if kind == "'" else random.choice([None, 2])
    inner = json.dumps(data, indent=indent, ensure_ascii=False)
    if not inner.replace("\n", "").isprintable() or random.choice([True, False]):
        inner = json.dumps(data, indent=indent)
    return in_text(random, inner, kind), False


def inner_text(text: str) -> str:
    root = read(text)
    assert isinstance(root, MapNode)
    node = root.values["Doc"]
    assert isinstance(node, TextNode)
    return node.value


@SETTINGS
@given(held(), trees, st.data())
def test_put_and_append(document: tuple[str, bool], value: Any, data: st.DataObject) -> None:
    text, _ = document
    before = inner_text(text)
    tree = meaning(read(before))
    ways = [way for way, node in places(read(before)) if isinstance(node, MapNode)]
    ways = [way for way in ways if not is_function(value_at(tree, way))]
    way = data.draw(st.sampled_from(ways))
    value_at(tree, way)["New"] = [value]
    place = at(find(text, ("Doc",))).below(*way)
    changes: list[Put | Append] = [Put(place, ("New",), [value]), Append(place, ("New",), value)]
    change = data.draw(st.sampled_from(changes))
    if has_function([value]) and not is_template(before):
        with pytest.raises(Unwritable, match="cannot hold"):
            edits_for(text, [change])
        return
    edited = applied(text, edits_for(text, [change]))
    assert seen(meaning(read(inner_text(edited)))) == seen(tree)
    outside = meaning(read(edited))
    assert {key: node for key, node in outside.items() if key != "Doc"} == {"A": "1", "Z": "é"}
    again = change._replace(at=at(find(edited, ("Doc",))).below(*way))
    assert edits_for(edited, [again]) == []


def value_at(tree: Any, way: tuple[str | int, ...]) -> Any:
    for key in way:
        tree = tree[key]
    return tree


def has_function(data: Any) -> bool:
    if is_function(data):
        return True
    children = data.values() if isinstance(data, dict) else data if isinstance(data, list) else ()
    return any(map(has_function, children))


def is_template(text: str) -> bool:
    root = read(text)
    return isinstance(root, MapNode) and isinstance(root.values.get("Resources"), MapNode)


SUB = """\
Resources:
  Role:
    Type: AWS::IAM::Role
    Properties:
      Doc: !Sub |
        {
          "Version": "2012-10-17",
          "Statement": [
            {"Effect": "Allow", "Resource": ${Everything}, "Action": "s3:*"}
          ]
        }
"""


def edited_doc(text: str, *changes: Any, way: tuple[str, ...] = ("Fn::Sub",)) -> str:
    place = at(find(text, ("Resources", "Role", "Properties", "Doc", *way)))
    return applied(text, edits_for(text, [make(place) for make in changes]))


def test_functions_become_placeholders_and_placeholders_stay() -> None:
    statement = {
        "Effect": "Deny",
        "Resource": [{"Fn::GetAtt": ["Bucket", "Arn"]}, {"Ref": "Topic"}, {"Fn::Sub": "${Bucket.Arn}/*"}],
        "Condition": {"StringLike": {"aws:userid": "${aws:userid}"}},
    }
    edited = edited_doc(SUB, lambda place: Append(place.below(), ("Statement",), statement))
    assert edited == SUB.replace(
        '"s3:*"}\n',
        '"s3:*"},\n            {"Effect": "Deny", "Resource": ["${Bucket.Arn}", "${Topic}", "${Bucket.Arn}/*"], '
        '"Condition": {"StringLike": {"aws:userid": "${!aws:userid}"}}}\n',
    )


def test_a_function_that_no_placeholder_stands_for_is_refused() -> None:
    with pytest.raises(Unwritable, match=r"^Fn::Select has no place in the text of Fn::Sub$"):
        edited_doc(SUB, lambda place: Put(place.below(), ("Id",), {"Fn::Select": [0, ["a"]]}))


def test_values_keys_and_entries_in_a_text() -> None:
    edited = edited_doc(
        SUB,
        lambda place: Replace(place.below("Statement", 0, "Action"), "s3:PutObject"),
        lambda place: Rename(place.below("Statement", 0, "Resource"), "NotResource"),
        lambda place: Remove(place.below("Version")),
    )
    assert edited == SUB.replace('"s3:*"', '"s3:PutObject"').replace('"Resource"', '"NotResource"').replace(
        '          "Version": "2012-10-17",\n', ""
    )


INLINE = """\
Resources:
  Set:
    Type: AWS::CloudFormation::StackSet
    Properties:
      TemplateBody: |
        Resources:
          Inner: # here
            Type: AWS::S3::Bucket

          Other:
            Type: AWS::S3::Bucket
      Name: x
"""


def test_a_node_with_its_place_in_a_block_scalar() -> None:
    line = INLINE.splitlines().index("            Type: AWS::S3::Bucket") + 1
    place = at(MapNode(line, 13, line, 34))
    edits = edits_for(INLINE, [Put(place, ("Properties", "Name"), {"Ref": "X"}), Put(place, ("DependsOn",), "Other")])
    below = "            Properties:\n              Name: !Ref X\n            DependsOn: Other\n"
    assert applied(INLINE, edits) == INLINE.replace("Bucket\n\n", "Bucket\n" + below + "\n")


def test_windows_line_ends_in_a_block_scalar() -> None:
    text = INLINE.replace("\n", "\r\n")
    place = at(find(text, ("Resources", "Set", "Properties", "TemplateBody")))
    edited = applied(text, edits_for(text, [Remove(place.below("Resources", "Other"))]))
    assert edited == text.replace("\r\n\r\n          Other:\r\n            Type: AWS::S3::Bucket\r\n", "\r\n")
    assert parse(edited.encode()).text == edited
