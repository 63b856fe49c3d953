"""What the reader makes of a text, node by node, and what it says of a text that it cannot read."""

from __future__ import annotations

import json

import pytest

from trailguard.cloudformation.source import yamlsource
from trailguard.cloudformation.source.nodes import ListNode, MapNode, Node, SourceError, TextNode, literal
from trailguard.cloudformation.source.pureyaml import PureParser
from trailguard.cloudformation.source.reading import parse


def data_of(node: Node) -> object:
    """The data that a node stands for, without places."""
    if isinstance(node, TextNode):
        return node.value
    if isinstance(node, ListNode):
        return [data_of(item) for item in node.items]
    assert isinstance(node, MapNode)
    return {key: data_of(value) for key, value in node.values.items()}


def read(text: str) -> object:
    """The data of a YAML or JSON text."""
    return data_of(parse(text.encode()).root)


def at(text: str, *path: str | int) -> Node:
    """The node at a path of keys and indices."""
    node = parse(text.encode()).root
    for step in path:
        if isinstance(step, int):
            assert isinstance(node, ListNode)
            node = node.items[step]
        else:
            assert isinstance(node, MapNode)
            node = node.values[step]
    return node


def span(node: Node) -> tuple[int, int, int, int]:
    """Where a node is."""
    return node.line, node.column, node.end_line, node.end_column


def error_of(data: bytes | str) -> tuple[int, int, str]:
    """Where and what is wrong with a text."""
    with pytest.raises(SourceError) as caught:
        parse(data.encode() if isinstance(data, str) else data)
    return caught.value.line, caught.value.column, caught.value.message


SPANS = {
    "plain": ("a: some text  # comment\n", ["a"], (1, 4, 1, 13)),
    "plain over two lines": ("a: some\n  text\n\nb: 1", ["a"], (1, 4, 2, 7)),
    "single quotes": ("a: 'it''s' ", ["a"], (1, 4, 1, 11)),
    "double quotes over two lines": ('a: "b\n  c"\n', ["a"], (1, 4, 2, 5)),
    "astral characters count once": ('"\U0001f600\U0001f600": é x', ["\U0001f600\U0001f600"], (1, 7, 1, 10)),
    "empty value": ("a:   \nb: 1", ["a"], (1, 3, 1, 3)),
    "empty value at the end": ("a: 1\nb:", ["b"], (2, 3, 2, 3)),
    "empty value in a flow map": ("{a: , b: 1}", ["a"], (1, 4, 1, 4)),
    "missing value": ("{a   , b: 1}", ["a"], (1, 3, 1, 3)),
    "missing value of an explicit key": ("? a\n\n", ["a"], (1, 4, 1, 4)),
    "empty item": ("-\n- 1", [0], (1, 2, 1, 2)),
    "literal block": ("a: |\n  x\n  y\n\n\nb: 1\n", ["a"], (1, 4, 3, 4)),
    "literal block that keeps blank lines": ("a: |+\n  x\n\n\nb: 1\n", ["a"], (1, 4, 2, 4)),
    "folded block with trailing blanks": ("a: >-\n  x  \n # c\nb: 1\n", ["a"], (1, 4, 2, 6)),
    "block at the end of the text": ("a: |\n  x", ["a"], (1, 4, 2, 4)),
    "block without text": ("a: |2-  # c\n\nb: 1", ["a"], (1, 4, 1, 7)),
    "block in CRLF": ("a: |\r\n  x\r\n\r\nb: 1\r\n", ["a"], (1, 4, 2, 4)),
    "flow list": ("a: [1, [2], {}] # c", ["a"], (1, 4, 1, 16)),
    "flow list over two lines": ("a: [1,\n 2\n]\nb: 1", ["a"], (1, 4, 3, 2)),
    "single pair in a flow list": ("[a: b  , c]", [0], (1, 2, 1, 6)),
    "explicit single pair": ("[? a : b , c]", [0], (1, 2, 1, 9)),
    "block map ends with its last child": ("a:\n  b: 1\n\n# c\nc: 2", ["a"], (2, 3, 2, 7)),
    "block map ends with an empty value": ("a:\n  b:\n\nc: 2", ["a"], (2, 3, 2, 5)),
    "block map ends with an alias": ("x: &x 1\na:\n  b: *x\nc: 2", ["a"], (3, 3, 3, 8)),
    "block list": ("a:\n  - 1\n  - b: 2\n\nc: 2", ["a"], (2, 3, 3, 9)),
    "block list without indentation": ("a:\n- 1\n- 2\n? c\n", ["a"], (2, 1, 3, 4)),
    "the whole document": ("# c\na: 1\nb: [2]\n\n", [], (2, 1, 3, 7)),
    "short tag": ("a: !Sub x\n", ["a"], (1, 4, 1, 10)),
    "argument of a short tag": ("a: !Sub   x\n", ["a", "Fn::Sub"], (1, 11, 1, 12)),
    "argument on the next line": ("a: !Sub # c\n  # d\n  x\n", ["a", "Fn::Sub"], (3, 3, 3, 4)),
    "quoted argument": ("a: !Sub 'x # y'\n", ["a", "Fn::Sub"], (1, 9, 1, 16)),
    "missing argument": ("a: !Ref\nb: 1", ["a", "Ref"], (1, 8, 1, 8)),
    "block argument": ("a: !Sub |\n  x\n\nb: 1", ["a", "Fn::Sub"], (1, 9, 2, 4)),
    "short tag on a block argument": ("a: !Sub |\n  x\n\nb: 1", ["a"], (1, 4, 2, 4)),
    "flow list argument": ("a: !Join ['', [x]]\n", ["a", "Fn::Join"], (1, 10, 1, 19)),
    "block list argument": ("a: !Join\n  - ''\n  - [x]\nb: 1", ["a", "Fn::Join"], (2, 3, 3, 8)),
    "block list argument without indentation": ("a: !Join\n- ''\n- [x]\nb: 1", ["a", "Fn::Join"], (2, 1, 3, 6)),
    "block map argument": ("a: !Transform\n  Name: x\n  Y: z\n", ["a", "Fn::Transform"], (2, 3, 3, 7)),
    "anchor before the tag": ("a: &x !Sub y", ["a"], (1, 7, 1, 13)),
    "anchor after the tag": ("a: !Sub &x y", ["a", "Fn::Sub"], (1, 12, 1, 13)),
    "anchored scalar": ("a: &x y", ["a"], (1, 7, 1, 8)),
    "anchored map whose key is anchored": ("a: &x\n  &k b: 1", ["a"], (2, 3, 2, 10)),
    "standard tag": ("a: !!str yes", ["a"], (1, 10, 1, 13)),
    "CR line ends": ("a: 1\rb: 2\r", ["b"], (2, 4, 2, 5)),
    "CRLF line ends": ("a: 1\r\n\r\nb: 2\r\n", ["b"], (3, 4, 3, 5)),
    "byte order mark": ("\ufeffa: 1", ["a"], (1, 4, 1, 5)),
    "NEL, LS and PS end no line": ("a: 'x\x85y\u2028z\u2029'\nb: !Ref c", ["b", "Ref"], (2, 9, 2, 10)),
    "JSON": ('{\n\t"a": [1, true]\n}', ["a", 1], (2, 11, 2, 15)),
    "JSON that YAML refuses": ('{\n\t"\\ud83d\\ude00": [1, true]\n}', ["\U0001f600", 1], (2, 22, 2, 26)),
    "JSON map that YAML refuses": ('{\r\n"a": {"b": "\x7f",\r\n}\r\n}', ["a"], (2, 6, 3, 2)),
}


@pytest.fixture(params=["libyaml", "pure"])
def parser(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Both parsers of PyYAML, one after the other."""
    if request.param == "pure":
        monkeypatch.setattr(yamlsource, "new_parser", PureParser)
    return str(request.param)


@pytest.mark.usefixtures("parser")
@pytest.mark.parametrize(("text", "path", "expected"), SPANS.values(), ids=SPANS.keys())
def test_spans(text: str, path: list[str | int], expected: tuple[int, int, int, int]) -> None:
    assert span(at(text, *path)) == expected


def test_keys_have_places_too() -> None:
    root = parse(b'a:\n  "b c": 1\n  ? d\n  : 2\ne: !GetAtt x.Arn\n').root
    assert isinstance(root, MapNode)
    inner, attribute = root.values["a"], root.values["e"]
    assert isinstance(inner, MapNode)
    assert isinstance(attribute, MapNode)
    assert {name: span(key) for name, key in inner.keys.items()} == {"b c": (2, 3, 2, 8), "d": (3, 5, 3, 6)}
    assert span(attribute.keys["Fn::GetAtt"]) == (5, 4, 5, 11)


DATA = {
    "short form of Ref": ("!Ref A", {"Ref": "A"}),
    "short form of Condition": ("!Condition A", {"Condition": "A"}),
    "short form of a scalar": ("!GetAtt A.Arn", {"Fn::GetAtt": "A.Arn"}),
    "short form without argument": ("a: !GetAZs\nb: !GetAZs ''", {"a": {"Fn::GetAZs": ""}, "b": {"Fn::GetAZs": ""}}),
    "short forms nested": (
        "!Join ['', [!If [A, !Ref B, x], !Sub '${C}']]",
        {"Fn::Join": ["", [{"Fn::If": ["A", {"Ref": "B"}, "x"]}, {"Fn::Sub": "${C}"}]]},
    ),
    "short form of a map": ("!Transform {Name: x}", {"Fn::Transform": {"Name": "x"}}),
    "short form before a long form": ("!Base64\n  Fn::Sub: x", {"Fn::Base64": {"Fn::Sub": "x"}}),
    "short form in a verbatim tag": ("!<!Ref> A", {"Ref": "A"}),
    "preprocessor's tag": ("a: !Rain::Module x", {"a": {"!Rain::Module": "x"}}),
    "standard tags": (
        "[!!str yes, !!int 1, !!map {a: !!seq [!!null '']}, ! yes, ! [x]]",
        ["yes", "1", {"a": [""]}, "yes", ["x"]],
    ),
    "numbers and dates stay text": (
        "[012345670123, 2012-10-17, 12:30:45, 1_000, 0x1F, 1e3, .inf]",
        ["012345670123", "2012-10-17", "12:30:45", "1_000", "0x1F", "1e3", ".inf"],
    ),
    "alias": ("a: &x {b: 1}\nc: [*x, *x]", {"a": {"b": "1"}, "c": [{"b": "1"}, {"b": "1"}]}),
    "alias of a short tag": (
        "a: &x !Ref B\nc: !If [D, *x, *x]",
        {"a": {"Ref": "B"}, "c": {"Fn::If": ["D", {"Ref": "B"}, {"Ref": "B"}]}},
    ),
    "alias as a key": ("a: &x b\n*x : 1", {"a": "b", "b": "1"}),
    "anchor taken twice": ("a: &x 1\nb: *x\nc: &x 2\nd: *x", {"a": "1", "b": "1", "c": "2", "d": "2"}),
    "anchor taken again inside": ("a: &x [&x 1, *x]\nb: *x", {"a": ["1", "1"], "b": "1"}),
    "merge": ("a: &x {b: 1, c: 2}\nd: {<<: *x, c: 3}", {"a": {"b": "1", "c": "2"}, "d": {"c": "3", "b": "1"}}),
    "merge of a list": (
        "- &x {a: 1, b: 1}\n- &y {b: 2, c: 2}\n- <<: [*x, *y]",
        [{"a": "1", "b": "1"}, {"b": "2", "c": "2"}, {"a": "1", "b": "1", "c": "2"}],
    ),
    "merge of a merge": (
        "- &x {a: 1}\n- &y {<<: *x, b: 2}\n- {<<: *y}",
        [{"a": "1"}, {"b": "2", "a": "1"}, {"b": "2", "a": "1"}],
    ),
    "quoted << is a key": ('{"<<": {"a": 1}}', {"<<": {"a": "1"}}),
    "UTF-8 escapes": (r'"\x41\u00e9\U0001F600\/"', "A\xe9\U0001f600/"),
    "NEL, LS and PS are text": ('["a\x85b", \'\u2028\', \u2029, "\\N"]', ["a\x85b", "\u2028", "\u2029", "\x85"]),
    "JSON surrogate pairs": (r'{"\ud83d\ude00": "\uD83D\uDE00"}', {"\U0001f600": "\U0001f600"}),
    "JSON half a pair": (r'{"a": "\ud83d!"}', {"a": "\ufffd!"}),
    "JSON tabs": ('\t{\t"a"\t:\t"b\tc\\ud83d\\ude00"\t}\t', {"a": "b\tc\U0001f600"}),
    "JSON trailing commas": ('{"a": [1, 2, ], "b": "\x7f", }', {"a": ["1", "2"], "b": "\x7f"}),
    "JSON colon on the next line": ('{"a"\n: 1}', {"a": "1"}),
    "JSON long key": ('{"' + "k" * 2000 + '": -1.5e+3}', {"k" * 2000: "-1.5e+3"}),
    "JSON empty containers": ('["\\ud83d\\ude00", {}, [], [[]], ""]', ["\U0001f600", {}, [], [[]], ""]),
    "JSON null": ('{"a": null}', {"a": "null"}),
}


@pytest.mark.usefixtures("parser")
@pytest.mark.parametrize(("text", "expected"), DATA.values(), ids=DATA.keys())
def test_data(text: str, expected: object) -> None:
    assert read(text) == expected


def test_yaml_and_json_say_the_same() -> None:
    yaml = """
Resources:
  Trail:
    Type: AWS::CloudTrail::Trail
    Condition: Wanted
    Properties:
      S3BucketName: !Ref Bucket
      KMSKeyId: !GetAtt Key.Arn
      IsLogging: true
      TrailName: !Join [-, [!Sub "${AWS::StackName}", trail]]
"""
    data = {
        "Resources": {
            "Trail": {
                "Type": "AWS::CloudTrail::Trail",
                "Condition": "Wanted",
                "Properties": {
                    "S3BucketName": {"Ref": "Bucket"},
                    "KMSKeyId": {"Fn::GetAtt": "Key.Arn"},
                    "IsLogging": True,
                    "TrailName": {"Fn::Join": ["-", [{"Fn::Sub": "${AWS::StackName}"}, "trail"]]},
                },
            }
        }
    }
    assert read(yaml) == read(json.dumps(data)) == read(json.dumps(data, indent="\t"))


def test_aliases_share_nodes() -> None:
    root = parse(b"a: &x {b: 1}\nc: *x\nd: {<<: *x}\n").root
    assert isinstance(root, MapNode)
    anchored, merged = root.values["a"], root.values["d"]
    assert root.values["c"] is anchored
    assert isinstance(anchored, MapNode)
    assert isinstance(merged, MapNode)
    assert merged.values["b"] is anchored.values["b"]
    assert merged.keys["b"] is anchored.keys["b"]


def test_text_keeps_line_ends_and_loses_the_byte_order_mark() -> None:
    assert parse("\ufeffa: 1\r\nb: 2\r".encode()).text == "a: 1\r\nb: 2\r"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_encodings(encoding: str) -> None:
    mark = "\ufeff" if encoding in ("utf-16-le", "utf-16-be") else ""
    document = parse((mark + "a: é\U0001f600\n").encode(encoding))
    assert document.text == "a: é\U0001f600\n"
    assert span(document.root) == (1, 1, 1, 6)


PROBLEMS = {
    "near a known tag": ("a:\n  - !sub x", [(2, 5, 'unknown tag !sub; did you mean "!Sub"?')]),
    "misspelt": ("a: !FindInMaps [x]", [(1, 4, 'unknown tag !FindInMaps; did you mean "!FindInMap"?')]),
    "near none": ("a: !Zzz x", [(1, 4, "unknown tag !Zzz")]),
    "on a map": ("a: !Zzz\n  b: 1", [(1, 4, "unknown tag !Zzz")]),
    "said once": ("a: !Zzz x\nb: !Zzz y\nc: !Yyy z", [(1, 4, "unknown tag !Zzz"), (3, 4, "unknown tag !Yyy")]),
    "binary": ("a: !!binary aGk=", [(1, 4, "the tag !!binary cannot be used here")]),
    "Python object": (
        "a: !!python/object:os.system {}",
        [(1, 4, "the tag !!python/object:os.system cannot be used here")],
    ),
    "list tag on a map": ("a: !!seq {}", [(1, 4, "the tag !!seq cannot be used here")]),
    "text tag on a list": ("a: &x !!str []", [(1, 7, "the tag !!str cannot be used here")]),
    "preprocessor's": ("a: !Rain::Embed x", []),
}


@pytest.mark.usefixtures("parser")
@pytest.mark.parametrize(("text", "expected"), PROBLEMS.values(), ids=PROBLEMS.keys())
def test_problems_leave_the_rest(text: str, expected: list[tuple[int, int, str]]) -> None:
    document = parse(text.encode())
    assert [(problem.line, problem.column, problem.message) for problem in document.problems] == expected


def test_unknown_tags_are_opaque_maps() -> None:
    assert read("a: !Zzz\n  b: [1]") == {"a": {"!Zzz": {"b": ["1"]}}}


def test_many_unknown_tags_make_few_problems() -> None:
    text = "".join(f"- !Unknown{number} x\n" for number in range(1000))
    assert len(parse(text.encode()).problems) == 50


NOT_ALLOWED = 'a ":" is not allowed here: quote a text that holds ": ", or check the indentation'
CHAINED = "a short tag cannot follow another: write one of them in full, as a key"
DEEP = "nested more than 100 levels deep"

ERRORS: dict[str, tuple[str | bytes, tuple[int, int, str]]] = {
    "nothing": ("", (1, 1, "the document is empty")),
    "only comments": ("# a\n\n# b\n", (1, 1, "the document is empty")),
    "only a marker": ("---\n", (1, 1, "the document is empty")),
    "two documents": ("a: 1\n---\nb: 2\n", (2, 1, "more than one YAML document")),
    "not UTF-8": (b"a: 1\nb: caf\xe9\n", (2, 7, "not valid UTF-8: byte 0xe9")),
    "not UTF-8 after a byte order mark": (b"\xef\xbb\xbfa: \xff", (1, 4, "not valid UTF-8: byte 0xff")),
    "half a character in UTF-16": (b"\xff\xfea\x00:", (1, 2, "not valid UTF-16: truncated data")),
    "UTF-16 without a mark": (
        "a: 1".encode("utf-16-le"),
        (1, 2, "the character U+0000 is not allowed; is it UTF-16 without a byte order mark?"),
    ),
    "control character": ("a: 1\nb: x\x08y", (2, 5, "the character U+0008 is not allowed")),
    "duplicate key": ("a:\n  b: 1\n  c: 2\n  b: 3\n", (4, 3, 'duplicate key "b": it is first set on line 2')),
    "duplicate key in quotes": ("{a: 1, 'a': 2}", (1, 8, 'duplicate key "a": it is first set on line 1')),
    "duplicate key with a line break": (
        '"a\\n": 1\n"a\\n": 2',
        (2, 1, 'duplicate key "a\\n": it is first set on line 1'),
    ),
    "duplicate key by alias": ("a: &x b\nb: 1\n*x : 2", (3, 1, 'duplicate key "b": it is first set on line 2')),
    "two merges": ("a: &x {}\nb:\n  <<: *x\n  <<: *x", (4, 3, 'duplicate key "<<": it is first set on line 3')),
    "merge of a text": ("a:\n  <<: x", (2, 3, "<< merges only a map or a list of maps")),
    "list as a key": ("a:\n  ? [b]\n  : c", (2, 5, "a key must be a text, not a list")),
    "map as a key": ("a:\n  ? {b: c}\n", (2, 5, "a key must be a text, not a map")),
    "placeholder": ("a: {{ b }}", (1, 4, 'a key must be a text, not a map: quote "{{" when it is a placeholder')),
    "tag before a key": ("- !Base64 Fn::Sub: x", (1, 3, "a tag cannot stand before a key: begin a line after it")),
    "too deep": ("[" * 101 + "]" * 101, (1, 101, DEEP)),
    "too deep in tags": ("!Not [" * 51, (1, 301, DEEP)),
    "too deep by an alias": (
        "a: &a " + "[" * 60 + "]" * 60 + "\nb: " + "[" * 60 + "*a",
        (2, 64, f"{DEEP} by the alias *a"),
    ),
    "alias to nothing": (
        "a: *nope",
        (1, 4, 'no anchor comes before the alias *nope: quote a text that begins with "*"'),
    ),
    "alias to itself": ("a: &x\n  - *x", (2, 5, "the alias *x stands inside the node that it names")),
    "star": ("Principal: *\n", (1, 12, 'an unquoted "*" begins an alias in YAML: write "*" in quotes')),
    "ampersand": ("a: &\n", (1, 4, 'an unquoted "&" begins an anchor in YAML: quote the text')),
    "tab": ("a:\n\tb: 1\n", (2, 1, "a tab cannot indent YAML: use spaces")),
    "tab in a block": ("a: |\n\tb\n", (2, 1, "a tab cannot indent YAML: use spaces")),
    "quote not closed": ('a: 1\nb: "c\nd: 2\n', (2, 4, "this quote is never closed")),
    "bracket not closed": ("a: [1,\n  2\n", (1, 4, 'this "[" is never closed')),
    "bracket not closed before anything": ("a: 1\nb: {c: [\n", (2, 8, 'this "[" is never closed')),
    "brace not closed": ("a: {b: 1\n", (1, 4, 'this "{" is never closed')),
    "comma missing": ("a: [\n  'b'\n  'c'\n]", (3, 3, 'expected "," or "]" in the list that starts on line 1')),
    "bracket in a text": (
        "{a: !Sub x${b}}",
        (1, 12, 'expected "," or "}": quote a text that holds brackets when it stands in a "[...]" or "{...}"'),
    ),
    "colon in a text": ("a: b: c", (1, 5, NOT_ALLOWED)),
    "indented too far": ("a: 1\n  b: 2", (2, 4, NOT_ALLOWED)),
    "indented too little": (
        "a:\n    b: 1\n  c: 2",
        (3, 3, 'expected a key, not "c:" in the map that starts on line 1: check the indentation'),
    ),
    "key among items": (
        "- a\nb: 1",
        (2, 1, 'expected a "-" item, not "b:" in the list that starts on line 1: check the indentation'),
    ),
    "item among keys": (
        "a: 1\n- b",
        (2, 1, 'expected a key, not "-" in the map that starts on line 1: check the indentation'),
    ),
    "item after a colon": (
        "a: - b",
        (1, 4, 'a "-" item is not allowed here: begin a line with it, and check the indentation'),
    ),
    "text after a quote": ("a: 'it's'", (1, 8, "text after the closing ': quote the whole value")),
    "no colon": ("a: 1\nb c\nd: 1", (2, 1, 'expected ":" after this key')),
    "after the end": ("  a: 1\nb: 2", (2, 1, "the document has ended before this: check the indentation")),
    "at sign": ("a: @b", (1, 4, 'a text cannot begin with "@": quote it')),
    "percent": ("a: %b", (1, 4, 'a text cannot begin with "%": quote it')),
    "directive": ("%FOO\na: 1", (1, 1, 'a "%" at the start of a line begins a directive in YAML: quote the text')),
    "Jinja": ("a: 1\n{% if b %}\n", (2, 1, "this is a text template, not YAML: render it first")),
    "escape": ('a: "\\d"', (1, 5, "unknown escape \\d: use single quotes, or write \\\\ for a backslash")),
    "escape that cannot be shown": (
        'a: "\\\x85"',
        (1, 5, "unknown escape \\\\x85: use single quotes, or write \\\\ for a backslash"),
    ),
    "escape without digits": ('a: "\\xg"', (1, 7, "this escape lacks hexadecimal digits")),
    "half a surrogate pair": ('a: "\\ud800"', (1, 7, "this escape names no character")),
    "escape in a tag": ("a: !%ED%A0%80 x", (1, 4, "an escape here names no character")),
    "tag without a blank": (
        'a: !Sub"x"',
        (1, 4, 'not a tag: a tag ends with a blank; quote a text that begins with "!"'),
    ),
    "two short tags": ("a: !Base64 !Sub x", (1, 12, CHAINED)),
    "two short tags in a list": ("- [!Base64 !Sub x]", (1, 12, CHAINED)),
    "two short tags in a document": ("!Base64 !Sub x", (1, 9, CHAINED)),
    "tag with a handle": ("a: !b!c x", (1, 4, 'unknown tag: quote a text that begins with "!"')),
    "block header": ("a: |b\n", (1, 5, "the text of a block starts on the line after its | or >")),
    "JSON duplicate key": ('{"a": 1,\n "a": 2}', (2, 2, 'duplicate key "a": it is first set on line 1')),
    "JSON duplicate key that YAML does not reach": (
        '{"a": "\x7f",\n "a": 2}',
        (2, 2, 'duplicate key "a": it is first set on line 1'),
    ),
    "JSON comma missing": ('{\n"a": 1\n"b": 2}', (3, 1, 'expected "," or "}" in the map that starts on line 1')),
    "JSON comma missing in a list": (
        '{"a": [\n"b" "c"]}',
        (2, 5, 'expected "," or "]" in the list that starts on line 1'),
    ),
    "JSON wrong bracket": ('{"a": [1}', (1, 9, 'expected "]" at the end of the list that starts on line 1')),
    "JSON two commas": ('{"a": [1,, 2]}', (1, 10, "expected a value")),
    "JSON not closed": ('{"a": {"b": 1\n', (1, 7, 'this "{" is never closed')),
    "JSON not closed after a comma": ('{"a": 1,\n', (1, 1, 'this "{" is never closed')),
    "JSON ends before a value": ('{"a":\t"\\ud83d\\ude00", "b": ', (1, 28, "the text ends before its value")),
    "JSON string not closed": ('{"a": "b,\n"c": 1}', (1, 7, "this string is not closed before the end of the line")),
    "JSON key without quotes": ('{"a": "\x7f", b: 1}', (1, 12, "expected a key in double quotes")),
    "JSON colon missing": ('["\x7f", {"a" 1}]', (1, 12, 'expected ":" after the key "a"')),
    "JSON word": ('{"a": "\x7f", "b": yes}', (1, 17, '"yes" is not a JSON value: quote it if it is a text')),
    "JSON escape": ('{"a": "b\\q"}', (1, 9, "this escape does not exist in JSON: write \\\\ for a backslash")),
    "JSON control character": ('{"a": "b\x00"}', (1, 9, "the control character U+0000 must be escaped in a string")),
    "JSON too deep": ('["\x7f", ' + "[" * 100, (1, 106, DEEP)),
    "JSON and more": ('{"a": "\x7f"} "b"', (1, 12, "there is text after the end of the document")),
    "like JSON but YAML": ("{a: 1, b: 2 {", (1, 13, 'expected "," or "}"')),
}


@pytest.mark.parametrize(("data", "expected"), ERRORS.values(), ids=ERRORS.keys())
def test_errors(data: str | bytes, expected: tuple[int, int, str]) -> None:
    assert error_of(data) == expected


@pytest.mark.usefixtures("parser")
@pytest.mark.parametrize("name", [
    "quote not closed", "bracket not closed", "comma missing", "colon in a text", "indented too far", "star", "tab",
    "key among items", "item among keys", "Jinja", "two documents", "control character", "JSON string not closed",
])  # fmt: skip
def test_both_parsers_say_the_same(name: str) -> None:
    assert error_of(ERRORS[name][0]) == ERRORS[name][1]


def test_an_error_says_where_it_is() -> None:
    with pytest.raises(SourceError, match=r"^line 2, column 3: duplicate key"):
        parse(b"a: {b:\n1, b: 2}".replace(b"1, b", b"1,b"))


def test_long_names_are_cut_in_messages() -> None:
    key = "k" * 900
    assert error_of(f"{key}: 1\n{key}: 2")[2] == f'duplicate key "{"k" * 57}...": it is first set on line 1'


HOSTILE = {
    "lists": "[" * 200_000,
    "maps": "{" * 200_000,
    "items": "- " * 200_000,
    "explicit keys": "? " * 200_000,
    "anchored lists": "&a [" * 100_000,
    "JSON lists": "\t" + "[" * 200_000,
    "JSON maps": '\t{"a":' * 100_000,
    "nine levels of nine aliases": "a0: &a0 [1, 1, 1]\n"
    + "".join(f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 9)}]\n" for level in range(1, 10)),
    "a chain of aliases": "a0: &a0 []\n" + "".join(f"a{n}: &a{n} [*a{n - 1}]\n" for n in range(1, 5000)),
    "a chain of merges": "a0: &a0 {}\n" + "".join(f"a{n}: &a{n} {{<<: *a{n - 1}, k{n}: 1}}\n" for n in range(1, 5000)),
    "many merges": f"a: &a {{{', '.join(f'k{n}: 1' for n in range(5000))}}}\nb:\n" + "- <<: *a\n" * 5000,
    "indentation": "".join(" " * n + "a:\n" for n in range(1000)),
    "unclosed escapes": '\t["' + '\\"' * 100_000,
    "every stand-in": "".join(map(chr, range(0xE000, 0xF900))) + "\x85: [",
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_text_is_refused(text: str) -> None:
    error_of(text)


LITERALS: dict[str, tuple[str, str | bool | None]] = {
    **{word: (word, True) for word in ("y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON")},
    **{word: (word, False) for word in ("n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF")},
    **{word or "empty": (word, None) for word in ("", "~", "null", "Null", "NULL")},
    **{
        word: (word, word)
        for word in ("yES", "nULL", "tRUE", "1", "0123", "2012-10-17", "12:30:45", "1_000", "=", "--")
    },
    "quoted": ('"yes"', "yes"),
    "single quotes": ("''", ""),
    "block": ("|-\n    no", "no"),
    "text tag": ("!!str no", "no"),
    "non-specific tag": ("! no", "no"),
    "Boolean tag": ("!!bool 'no'", False),
    "null tag": ("!!null ''", None),
}


@pytest.mark.parametrize(("text", "expected"), LITERALS.values(), ids=LITERALS.keys())
def test_literals(text: str, expected: str | bool | None) -> None:
    scalar = at(f"a: {text}\n", "a")
    assert isinstance(scalar, TextNode)
    assert literal(scalar) == expected
    assert type(literal(scalar)) is type(expected)


@pytest.mark.parametrize("prefix", ['"x"', '"\\ud83d\\ude00"'], ids=["by YAML", "by JSON"])
def test_json_literals(prefix: str) -> None:
    root = parse(f'[{prefix}, true, false, null, 1, "true", "null", ""]'.encode()).root
    assert isinstance(root, ListNode)
    words = [literal(item) for item in root.items[1:] if isinstance(item, TextNode)]
    assert words == [True, False, None, "1", "true", "null", ""]


def test_the_argument_of_a_short_tag_is_text() -> None:
    argument = at("a: !Ref yes", "a", "Ref")
    assert isinstance(argument, TextNode)
    assert literal(argument) == "yes"
