"""How changes are written in each style: what is expected here was read line by line."""

from __future__ import annotations

from typing import Any

import pytest

from tests.fixes.changes import append, put, remove, rename, replace, written
from trailguard.cloudformation.source.changes import At, Put, at
from trailguard.cloudformation.source.reading import parse
from trailguard.fixes.changing import edits_for, shares
from trailguard.fixes.edits import Conflict, Unwritable, applied

CASES: list[tuple[str, str, list[Any], str]] = [
    (
        "null props",
        """\
R:
  A:
    Type: x
    Properties:   # none yet
    # own
  B: 1
""",
        [put(("R", "A"), ("Properties", "X", "Y"), 1)],
        """\
R:
  A:
    Type: x
    Properties:   # none yet
      X:
        "Y": 1
    # own
  B: 1
""",
    ),
    (
        "tilde",
        """\
R:
  A: ~ # none
""",
        [put(("R",), ("A", "X"), 1)],
        """\
R:
  A: # none
    X: 1
""",
    ),
    (
        "empty map",
        """\
R:
  A: {} # none
  B: &b {}
""",
        [put(("R",), ("A", "X"), 1), put(("R",), ("B", "X"), 1)],
        """\
R:
  A: # none
    X: 1
  B: &b
    X: 1
""",
    ),
    (
        "flow in block",
        """\
R: { A: x, B: [1, 2] }
S: {A: x}
""",
        [put(("R",), ("C",), {"D": [True, {"Ref": "x"}]}), put(("S",), ("C",), "a: b")],
        """\
R: { A: x, B: [1, 2], C: { D: [true, !Ref x] } }
S: {A: x, C: "a: b"}
""",
    ),
    (
        "multiline flow",
        """\
R: {
  A: x, # a
  B: y # b
}
""",
        [put(("R",), ("C",), "z")],
        """\
R: {
  A: x, # a
  B: y, # b
  C: z
}
""",
    ),
    (
        "trailing comma",
        """\
R: [
  A,
  B, # b
]
""",
        [append(("R",), (), "z")],
        """\
R: [
  A,
  B, # b
  z,
]
""",
    ),
    (
        "not indented list",
        """\
A:
- x
- y
# about B
B: z
""",
        [append(("A",), (), "z")],
        """\
A:
- x
- y
- z
# about B
B: z
""",
    ),
    (
        "list of maps compact",
        """\
A:
  -   x: 1
      y: 2
      # last
""",
        [append(("A",), (), {"x": 2, "y": [{"z": 1}]})],
        """\
A:
  -   x: 1
      y: 2
      # last
  -   x: 2
      "y":
        - z: 1
""",
    ),
    (
        "long functions",
        """\
A:
  Fn::Sub: x
B:
  Ref: y
""",
        [put((), ("C",), {"Fn::If": ["C", {"Ref": "D"}, {"Fn::GetAtt": ["A", "B"]}]})],
        """\
A:
  Fn::Sub: x
B:
  Ref: y
C:
  Fn::If:
    - C
    - Ref: D
    - Fn::GetAtt:
        - A
        - B
""",
    ),
    (
        "quoted",
        """\
A: 'x'
B: 'y'
""",
        [put((), ("C",), "z"), put((), ("D",), True), put((), ("E",), {"F": "g", "H": ["i"]})],
        """\
A: 'x'
B: 'y'
C: 'z'
D: true
E:
  F: 'g'
  H:
    - 'i'
""",
    ),
    (
        "quoted keys in a document with tags",
        """\
A:
  Doc: {"aws:a": [b], c: !Ref d}
  Other: {"aws:a": b}
""",
        [put(("A", "Other"), ("aws:e",), {"Ref": "z"}), append(("A", "Doc"), ("aws:a",), {"Ref": "z"})],
        """\
A:
  Doc: {"aws:a": [b, !Ref z], c: !Ref d}
  Other: {"aws:a": b, "aws:e": !Ref z}
""",
    ),
    (
        "quoted json in yaml",
        """\
A:
  Doc: {"a": "b", "c": ["d"]}
""",
        [put(("A", "Doc"), ("C",), {"Ref": "z"}), append(("A", "Doc"), ("c",), {"e": True})],
        """\
A:
  Doc: {"a": "b", "c": ["d", {"e": true}], "C": {"Ref": "z"}}
""",
    ),
    (
        "keep",
        """\
A:
  B: |+
    x


C: 1
""",
        [put(("A",), ("D",), 1)],
        """\
A:
  B: |+
    x


  D: 1
C: 1
""",
    ),
    (
        "keep end",
        """\
A:
  B: |+
    x

""",
        [put(("A",), ("D",), 1)],
        """\
A:
  B: |+
    x

  D: 1
""",
    ),
    (
        "folded",
        """\
A: one
  two
  three # c
B: 1
""",
        [replace(("A",), "x")],
        """\
A: x # c
B: 1
""",
    ),
    (
        "quoted multi",
        """\
A: 'one
  two' # c
B: 1
""",
        [replace(("A",), {"x": 1})],
        """\
A: # c
  x: 1
B: 1
""",
    ),
    (
        "block scalar to text",
        """\
A: | # why
  one
  two
B: !Sub |
  x
C: !Sub x
""",
        [replace(("A",), "x"), replace(("B",), {"Ref": "x"}), replace(("C",), "y\nz\n")],
        """\
A: x # why
B: !Ref x
C: |
  y
  z
""",
    ),
    (
        "map to text",
        """\
A: # why
  one: 1
  # in
  two: 2
# b
B: !If
  - C
  - a
  - b
""",
        [replace(("A",), "x"), replace(("B",), {"Ref": "x"})],
        """\
A: x # why
# b
B: !Ref x
""",
    ),
    (
        "explicit",
        """\
? A
: x
? B
: - y
""",
        [put((), ("C",), 1), append(("B",), (), 2), replace(("A",), {"z": 1})],
        """\
? A
:
  z: 1
? B
: - y
  - 2
C: 1
""",
    ),
    (
        "doc ends",
        """\
%YAML 1.1
---
A: 1
...
""",
        [put((), ("B",), 1)],
        """\
%YAML 1.1
---
A: 1
B: 1
...
""",
    ),
    (
        "root comments",
        """\
A: 1

# the end
""",
        [put((), ("B",), 1)],
        """\
A: 1

# the end
B: 1
""",
    ),
    (
        "rename",
        """\
A: 1
'B C': 2
"D" : 3
? E
: 4
""",
        [rename(("A",), "Renamed")],
        """\
Renamed: 1
'B C': 2
"D" : 3
? E
: 4
""",
    ),
    (
        "remove first",
        """\
A:
  # one
  a: 1 # x
  # two
  b: 2
""",
        [remove(("A", "a"))],
        """\
A:
  # two
  b: 2
""",
    ),
    (
        "remove last",
        """\
A:
  # one
  a: 1 # x
  # two
  b: 2

C: 1
""",
        [remove(("A", "b"))],
        """\
A:
  # one
  a: 1 # x

C: 1
""",
    ),
    (
        "remove only",
        """\
A: # why
  # one
  a: 1 # x
C: 1
""",
        [remove(("A", "a"))],
        """\
A: {} # why
C: 1
""",
    ),
    (
        "remove only item",
        """\
A: # why
  - 1
C: [1]
""",
        [remove(("A", 0)), remove(("C", 0))],
        """\
A: [] # why
C: []
""",
    ),
    (
        "remove from compact",
        """\
A:
  - a: 1
    # two
    b: 2
  - c: 1
""",
        [remove(("A", 0, "a"))],
        """\
A:
  - # two
    b: 2
  - c: 1
""",
    ),
    (
        "remove blank sep",
        """\
R:
  A:
    x: 1

  # b
  B:
    y: 1

  C:
    z: 1

O: 1
""",
        [remove(("R", "B"))],
        """\
R:
  A:
    x: 1

  C:
    z: 1

O: 1
""",
    ),
    (
        "wrap block",
        """\
S:
  Statement:
    Effect: Allow # a
    # b
    Doc: |
      x
       y
""",
        [append(("S",), ("Statement",), {"Effect": "Deny"})],
        """\
S:
  Statement:
    - Effect: Allow # a
      # b
      Doc: |
        x
         y
    - Effect: Deny
""",
    ),
    (
        "wrap flow",
        """\
S:
  Statement: {a: 1} # c
  D: !Ref x
  E: !Sub |
    x
""",
        [append(("S",), ("Statement",), {"b": 1}), append(("S",), ("D",), "y"), append(("S",), ("E",), "y")],
        """\
S:
  Statement: [{a: 1}, {b: 1}] # c
  D: [!Ref x, "y"]
  E:
    - !Sub |
      x
    - "y"
""",
    ),
    (
        "wrap prefers block",
        """\
S:
  - a
  - b
D: A # c
""",
        [append((), ("D",), "y")],
        """\
S:
  - a
  - b
D: # c
  - A
  - "y"
""",
    ),
    ("cr", "A:\r  b: 1\rC: 2\r", [put(("A",), ("d",), {"e": 1})], "A:\r  b: 1\r  d:\r    e: 1\rC: 2\r"),
    (
        "yes words",
        """\
A: yes
B: 1
""",
        [put((), ("C",), False), replace(("A",), False)],
        """\
A: no
B: 1
C: no
""",
    ),
    (
        "quoted bool",
        """\
A: 'true'
""",
        [put((), ("C",), False), replace(("A",), False)],
        """\
A: 'false'
C: 'false'
""",
    ),
    (
        "json tabs",
        '{\n\t"A": {\n\t\t"b": 1\n\t}\n}',
        [put(("A",), ("c",), [1]), put((), ("D",), {})],
        '{\n\t"A": {\n\t\t"b": 1,\n\t\t"c": [\n\t\t\t1\n\t\t]\n\t},\n\t"D": {}\n}',
    ),
    (
        "json colon",
        """\
{"A" : {"b" : 1}}""",
        [put(("A",), ("c",), {"d": 1})],
        """\
{"A" : {"b" : 1, "c" : {"d" : 1}}}""",
    ),
    (
        "blank resources",
        """\
Resources:
  A:
    Type: x

  B:
    Type: y

Outputs: {}
""",
        [put(("Resources",), ("C",), {"Type": "z"}), put(("Resources",), ("D",), {"Type": "z"})],
        """\
Resources:
  A:
    Type: x

  B:
    Type: y

  C:
    Type: z

  D:
    Type: z

Outputs: {}
""",
    ),
    (
        "deps none",
        """\
A:
  Type: x
""",
        [append(("A",), ("DependsOn",), "B")],
        """\
A:
  Type: x
  DependsOn:
    - B
""",
    ),
    (
        "tabs comment",
        "A:\n  b: 1\t# c\n",
        [replace(("A", "b"), {"x": 1}), put(("A",), ("d",), 2)],
        """\
A:
  b: # c
    x: 1
  d: 2
""",
    ),
]

APART: list[tuple[str, str, list[Any], str]] = [
    (
        "merge apart",
        """\
B: &b
  x: {y: 1}
A:
  <<: *b
  z: 1
""",
        [put(("A",), ("x", "n"), 2)],
        """\
B: &b
  x: {y: 1}
A:
  <<: *b
  z: 1
  x: {y: 1, "n": 2}
""",
    ),
    (
        "alias flow apart",
        """\
B: &b
  x: {y: 1}
A: {k: *b}
""",
        [put(("A",), ("k", "n"), 2)],
        """\
B: &b
  x: {y: 1}
A: {k: {x: {"y": 1}, "n": 2}}
""",
    ),
]


@pytest.mark.parametrize(("before", "changes", "after"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_written(before: str, changes: list[Any], after: str) -> None:
    assert written(before, *changes) == after


@pytest.mark.parametrize(("before", "changes", "after"), [case[1:] for case in APART], ids=[case[0] for case in APART])
def test_written_apart(before: str, changes: list[Any], after: str) -> None:
    assert written(before, *changes, apart=True) == after


SHARED = """\
Base: &base
  Settings: {Days: 1}
One: *base
Two:
  <<: *base
  Own: 1
Alone:
  Own: 1
"""


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (put((), ("One", "Days"), 2), True),
        (put(("Two",), ("Settings", "Days"), 2), True),
        (put(("Base",), ("Days",), 2), True),
        (put(("Two",), ("Own",), 2), False),
        (put(("Alone",), ("Own",), 2), False),
    ],
)
def test_what_several_places_share(change: Any, expected: bool) -> None:
    assert shares(SHARED, [change(SHARED)]) is expected


def test_at_the_anchor_all_who_share_it_change() -> None:
    edited = written(SHARED, put(("Two",), ("Settings", "Days"), 2), put((), ("One", "More"), True))
    assert edited == SHARED.replace("{Days: 1}", "{Days: 2}\n  More: true")


def test_apart_each_way_gets_its_own() -> None:
    edited = written(SHARED, put(("Two",), ("Settings", "Days"), 2), put((), ("One", "More"), True), apart=True)
    assert edited == SHARED.replace("One: *base", "One:\n  Settings: {Days: 1}\n  More: true").replace(
        "  Own: 1\nAlone", "  Own: 1\n  Settings: {Days: 2}\nAlone"
    )


TEXT = "A:\n  B: 1\n  L: [1]\n  F: !Ref x\nC: &c {d: 1}\nE: *c\n"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ([put(("A",), ("B",), 2), put(("A",), ("B",), 3)], "two changes give one value differently"),
        ([put(("A",), ("N", "x"), 2), put(("A",), ("N", "x"), 3)], "two changes give one value differently"),
        ([replace(("A",), "x"), put(("A",), ("B",), 3)], "one change replaces a value that another one changes"),
        ([replace(("A",), "x"), replace(("A", "B"), "y")], "one change replaces a value that another one changes"),
        ([remove(("A", "B")), replace(("A", "B"), "y")], "one change removes what another one changes"),
        ([rename(("A", "B"), "x"), rename(("A", "B"), "y")], "two changes give one key different names"),
        ([rename(("A", "B"), "L")], "there is a key with the name L already"),
        ([rename(("A", "B"), "N"), put(("A",), ("N", "x"), 2)], "there is a key with the name N already"),
    ],
)
def test_changes_that_exclude_each_other(changes: list[Any], reason: str) -> None:
    with pytest.raises(Conflict) as caught:
        written(TEXT, *changes)
    assert caught.value.reason == reason


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (put(("A",), ("B", "x"), 2), "there is a text where a map is expected"),
        (put(("A",), ("L", "x"), 2), "there is a list where a map with the key x is expected"),
        (put(("A",), ("F", "x"), 2), "Ref decides what stands there"),
        (remove(("C",)), "*c is used elsewhere, and its anchor would go"),
        (replace((), "x"), "the whole document would be replaced"),
        (lambda text: Put(At("", 9, 1, 9, 2, "map"), ("x",), 1), "the place is beyond the end of the document"),
        (lambda text: Put(At("", 1, 2, 1, 3, "map"), ("x",), 1), "no map begins on line 1, column 2"),
    ],
)
def test_what_cannot_be_written(change: Any, reason: str) -> None:
    with pytest.raises(Unwritable) as caught:
        written(TEXT, change)
    assert caught.value.reason == reason


def test_a_node_is_copied_in_the_style_of_its_new_place() -> None:
    text = "S:\n  a:\n    - b # c\n    - d: e\nT: {x: 1}\nU:\n  V: 1\n"
    root = parse(text.encode()).root
    values = root.values  # type: ignore[attr-defined]
    source = at(values["S"])
    edits = edits_for(text, [Put(at(values["U"]), ("W",), source), Put(at(values["T"]), ("W",), source)])
    expected = text.replace("{x: 1}", "{x: 1, W: {a: [b, {d: e}]}}")
    assert applied(text, edits) == expected + "  W:\n    a:\n      - b # c\n      - d: e\n"


def test_the_same_changes_again_change_nothing() -> None:
    changes = [
        put(("A",), ("N", "x"), {"Fn::GetAtt": ["A", "Arn"]}),
        append(("A",), ("L",), 2),
        replace(("A", "B"), True),
    ]
    edited = written(TEXT, *changes)
    assert edited != TEXT
    assert written(edited, *changes) == edited
