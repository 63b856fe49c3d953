"""What is read from the bytes of a template is what parsing it gives; everything else has to be parsed."""

from __future__ import annotations

import pytest

from trailguard.reading.mentions import Place, exported, handed_on, imported, nested


def shown(text: str) -> list[str] | None:
    """The names that some outputs export, placeholders in brackets."""
    names = exported(text.encode())
    if names is None:
        return None
    return [
        "".join(piece if isinstance(piece, str) else f"<{piece.name}>" for piece in shape) for shape in names.shapes
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Export:\n  Name: audit-logs\n", ["audit-logs"]),
        ("Export:\r\n  Name: audit-logs\r\nValue: x", ["audit-logs"]),
        ("Export: # for all\n  # of us\n  Name: 'audit logs'", ["audit logs"]),
        ("Export: {Name: 'audit'}", ["audit"]),
        ('"Export" : { "Name" : { "Fn::Sub" : "${AWS::StackName}-logs" } }', ["<AWS::StackName>-logs"]),
        ("Export:\n  Name: !Sub ${A}-logs\n  \nOther: x", ["<A>-logs"]),
        ("Export:\n  Name:\n    Fn::Sub: ${A}-logs", ["<A>-logs"]),
        ("Export: {Name: !Join [':', [!Ref A, VPC]]}", ["<A>:VPC"]),
        ("Export: {Name: !Join ['', [{Ref: A}, 'x', \"y\"]]}", ["<A>xy"]),
        ("Description: Export of goods\nExport:\n  Name: a", ["a"]),
        ("Export:\n  Name: two\n    lines\n", None),
        ("Export:\n  Name: two\n    - lines\n", None),
        ("Export: {\n  Name: one\n  more}", None),
        ("- Export:\n    Name: one\n- two", ["one"]),
        ("Export:\n  Name: >-\n    folded\n", None),
        ("Export:\n  Name: *alias\n", None),
        ("Export:\n  Name: &anchor a\n", None),
        ("Export:\n  Name: !Ref A\n", ["<A>"]),
        ("Export: {Name: {'Ref': 'A'}}", ["<A>"]),
        ("Export: {Name: !Ref A}", ["<A>"]),
        ("Export:\n  Name: !Ref A.B\n", None),
        ("Export:\n  Name: 'it''s'\n", None),
        ('Export:\n  Name: "\\x61"\n', None),
        ("Export: {Name: plain}\n", None),
        ("Export:\n  <<: *x\n", None),
        ("? Export\n: {Name: 'a'}\n", None),
        ("A: &e Export\n*e : {Name: 'a'}\n", None),
        ("Fn::ForEach::X: []\nExport:\n  Name: a\n", None),
        ("Export: {Name: !Join ['-', [!Select [0, x]]]}", None),
        ("Export: {Name: !Sub ['${A}', {A: x}]}", None),
    ],
)
def test_names_of_exports(text: str, expected: list[str] | None) -> None:
    assert shown(text) == expected


@pytest.mark.parametrize(
    ("text", "is_open"),
    [
        ("Parameters:\n  A:\n    Type: String\nExport: {Name: !Sub '${A}-x1'}", False),
        (
            "Parameters:\n  A:\n    Description: Type\n    Type: 'AWS::EC2::VPC::Id'\nExport: {Name: !Sub '${A}-x1'}",
            False,
        ),
        ('"A": {"Type": "Number"}, "Export": {"Name": {"Fn::Sub": "${A}-x1"}}', False),
        ("Export: {Name: !Sub '${AWS::Region}-x1'}", False),
        ("A:\n  Type: AWS::S3::Bucket\nExport: {Name: !Sub '${A}-x1'}", True),
        ("BA:\n  Type: String\nExport: {Name: !Sub '${A}-x1'}", True),
        ("A:\n  Type: String\nExport: {Name: !Sub '${A}'}", False),
        ("A:\n  Type: String\nExport: {Name: !Sub '${A}${A}'}", True),
        ("A:\n  Type: String\nExport: {Name: !Sub '${A.B}-x1'}", True),
    ],
)
def test_what_fills_a_name_is_a_parameter_only_where_that_is_sure(text: str, is_open: bool) -> None:
    names = exported(text.encode())
    assert names is not None
    assert (names.is_filled, names.is_open) == (True, is_open)


@pytest.mark.parametrize(
    "text",
    [
        "!ImportValue a-b\n",
        "Fn::ImportValue: a-b\n",
        "Fn::ImportValue:\n  !Sub a-b\n",
        '"Fn::ImportValue": "a-b"',
        "!ImportValue\n 'a-b'",
    ],
)
def test_names_of_imports(text: str) -> None:
    names = imported(text.encode())
    assert names is not None
    assert names.shapes == (("a-b",),)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("TemplateURL: sub/my trail.yaml\n", [Place("sub/my trail.yaml")]),
        ("TemplateURL: file://a.yaml\n", [Place("a.yaml")]),
        ("TemplateURL: https://x/y/a.yaml?v=1\n", [Place("", "a.yaml", "https://x/y/a.yaml", True)]),
        ("TemplateURL: !Sub 'https://${AWS::Region}/a.yaml'", [Place("", "a.yaml", "/a.yaml", True)]),
        ("TemplateURL: !Sub 'https://x/${A}-b.yaml'", [Place("", "-b.yaml", "-b.yaml", False)]),
        ("TemplateURL: !Sub\n - https://${A}/b.yaml\n - A: x\n", [Place("", "b.yaml", "/b.yaml", False)]),
        ("TemplateURL: !Join ['/', ['https:', !Ref 'AWS::Region', b.yaml]]", [Place("", "b.yaml", "/b.yaml", True)]),
        ("aws:asset:path: nested.json\n", [Place("nested.json")]),
        ("ParameterKey: TemplateURL\n", []),
        ("Location: a.yaml\n", []),
        ("Type: AWS::Serverless::Application\nLocation: a.yaml\n", [Place("a.yaml")]),
        ("Type: AWS::Serverless::Application\nLocation:\n  ApplicationId: x\n", []),
        ("TemplateURL: !Sub 'https://x/${A}'", None),
        ("TemplateURL: !If [A, a.yaml, b.yaml]", None),
        ("TemplateURL: !Ref A\n", None),
    ],
)
def test_places_of_nested_templates(text: str, expected: list[Place] | None) -> None:
    assert nested(text.encode()) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Bucket: !Ref A\nOther: !ImportValue b\n", []),
        ("Bucket: {Ref: A}\n", []),
        ("MyBucket:\n  x: !ImportValue b\n", []),
        ("Roles:\n- !Ref A\nOther:\n- !ImportValue b\n", []),
        ("  Roles:\n    - !Ref A\n  Other: !ImportValue b\n", []),
        ('{\n  "Roles": [\n    {"Ref": "A"}\n  ],\n  "X": {"Fn::ImportValue": "b"}\n}', []),
        ('{\n  "Bucket": "A",\n  "X": {"Fn::ImportValue": "b"}\n}', []),
        ("Bucket: !ImportValue a\nOther: x", ["a"]),
        ("Bucket: {'Fn::ImportValue': 'a'}\nOther: !ImportValue b\n", ["a"]),
        ("Bucket:\n  Fn::ImportValue: a\nOther: x", ["a"]),
        ("Bucket: [\n !ImportValue 'a']\n", ["a"]),
        ("Bucket: !Sub\n  - ${A}\n  - A: !ImportValue a\n", ["a"]),
        ("Roles:\n- !Ref A\n\n# more\n- !ImportValue a\nOther: !ImportValue b\n", ["a"]),
        ("- Roles:\n  - !ImportValue a\n- Other: !ImportValue b\n", ["a"]),
        ('{"Bucket": {"Fn::ImportValue": "a"}, "Other": {"Fn::ImportValue": "b"}}', ["a"]),
        ('{"Bucket": "A", "Other": {"Fn::ImportValue": "b"}}', ["b"]),
        ("Bucket: *alias\n", None),
        ("Bucket:\n  <<: *alias\n", None),
        ("Bucket: !ImportValue\n  Fn::Select: [0, A]\n", None),
        ("Bucket: 'two\nlines'\n", None),
        ("{Bucket: [\n x, !ImportValue b", None),
    ],
)
def test_names_of_imports_in_some_properties(text: str, expected: list[str] | None) -> None:
    names = handed_on(text.encode(), ("Bucket", "Roles"))
    assert (None if names is None else [shape[0] for shape in names.shapes]) == expected
