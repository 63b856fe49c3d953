"""What holds for every text: nothing but SourceError, spans that lead back to what was read, no loss on the way."""

from __future__ import annotations

import json
import re
from typing import TypeAlias

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from trailguard.cloudformation.source import yamlsource
from trailguard.cloudformation.source.nodes import Document, ListNode, MapNode, Node, SourceError, TextNode
from trailguard.cloudformation.source.pureyaml import PureParser
from trailguard.cloudformation.source.reading import parse

Data: TypeAlias = "str | list[Data] | dict[str, Data]"

SHORT_TAGS = {"Ref": "!Ref", "Condition": "!Condition", "Fn::Sub": "!Sub", "Fn::Join": "!Join", "Fn::If": "!If"}

# Fragments of YAML and JSON, to be strung together into what is nearly a document.
FRAGMENTS = st.sampled_from(
    [
        *(
            "a",
            "b: ",
            "- ",
            "? ",
            ": ",
            "\n",
            "\n  ",
            "\n    ",
            "\r\n",
            "\r",
            " ",
            "\t",
            "{",
            "}",
            "[",
            "]",
            ",",
            "'",
            '"',
        ),
        *(
            "#",
            " #",
            "|",
            ">-",
            "|2\n",
            "&a ",
            "*a",
            "&b",
            "*b ",
            "<<: *a\n",
            "!Ref ",
            "!Sub",
            "!Foo x",
            "!!str ",
            "! ",
        ),
        *(
            "!!map ",
            "!<!Ref> ",
            "!a!b ",
            "---\n",
            "...\n",
            "%TAG ! tag:x\n",
            "\x85",
            "\u2028",
            "\ufeff",
            "\x00",
            "\x7f",
        ),
        *(
            "é",
            "\U0001f600",
            r"\ud83d\ude00",
            r"\ud83d",
            "\\",
            "@",
            "%",
            "null",
            "true",
            "a: 1\n",
            "  b: 2\n",
            "~",
            "=",
        ),
        *('{"a": ', '"b": [1, ', "<<"),
    ]
)
NEARLY_YAML = st.lists(FRAGMENTS, max_size=30).map("".join)

WORDS = st.sampled_from(
    [
        "yes",
        "null",
        "1",
        "0123",
        "2012-10-17",
        "*",
        "<<",
        "a: b",
        "- a",
        "#",
        "a #b",
        "${AWS::Region}",
        "a\nb",
        "",
        " ",
        "'",
    ]
)


def trees(without: str) -> st.SearchStrategy[Data]:
    """Trees of texts that lack some characters."""
    texts = WORDS | st.text(st.characters(codec="utf-8", exclude_characters=without), max_size=8)
    return st.recursive(
        texts, lambda nodes: st.lists(nodes, max_size=4) | st.dictionaries(texts, nodes, max_size=4), max_leaves=20
    )


def data_of(node: Node) -> Data:
    if isinstance(node, TextNode):
        return node.value
    if isinstance(node, ListNode):
        return [data_of(item) for item in node.items]
    assert isinstance(node, MapNode)
    return {key: data_of(value) for key, value in node.values.items()}


def index_of(text: str, line: int, column: int) -> int:
    """The index of a place; it must be one that an editor can show."""
    lines = re.split(r"(?<=\n)|(?<=\r)(?!\n)", text)
    assert 1 <= line <= len(lines)
    assert 1 <= column <= len(lines[line - 1].rstrip("\r\n")) + 1
    return sum(map(len, lines[: line - 1])) + column - 1


def written(document: Document, node: Node) -> str:
    """The text of a node's span."""
    start = index_of(document.text, node.line, node.column)
    end = index_of(document.text, node.end_line, node.end_column)
    assert start <= end
    return document.text[start:end]


def nodes_of(node: Node) -> list[Node]:
    """A node and all that it holds."""
    found = [node]
    for inner in found:
        if isinstance(inner, ListNode):
            found += inner.items
        elif isinstance(inner, MapNode):
            found += [*inner.keys.values(), *inner.values.values()]
    return found


def check_spans(document: Document) -> None:
    """Every node's span holds the text that the node was made of."""
    for node in nodes_of(document.root):
        text = written(document, node)
        if isinstance(node, TextNode):
            assert node.value.encode() is not None
            check_scalar(node, text)
        elif text.startswith(("{", "[")) and text[-1] == {"{": "}", "[": "]"}[text[0]]:
            continue
        elif isinstance(node, MapNode) or text.startswith("-"):
            assert text == text.strip(" \t\r\n")


def check_scalar(node: TextNode, text: str) -> None:
    if not text:
        assert node.value == ""
    elif text[0] in "'\"":
        assert text[-1] == text[0]
    elif node.plain and not re.search(r"[\r\n]", text):
        assert text == node.value


def check_read(data: bytes) -> None:
    """Data is read, with right spans, or refused, with a message and a place."""
    try:
        read: Document | SourceError = parse(data)
    except SourceError as error:
        read = error
    if isinstance(read, Document):
        check_spans(read)
        return
    assert type(read) is SourceError
    assert read.message.isprintable()
    assert read.line >= 1
    assert read.column >= 1


@given(st.binary(max_size=60))
@example(b"\xff\xfe")
@example(b"\xfe\xff\xd8\x00")
@example(b"\xef\xbb\xbf\xef\xbb\xbfa")
def test_bytes_are_read_or_refused(data: bytes) -> None:
    check_read(data)


@given(NEARLY_YAML)
@settings(max_examples=500)
def test_texts_are_read_or_refused(text: str) -> None:
    check_read(text.encode())


@given(NEARLY_YAML.filter(lambda text: "\ufeff" not in text))
def test_texts_are_read_or_refused_without_libyaml(text: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(yamlsource, "new_parser", PureParser)
        check_read(text.encode())


class Dumper(yaml.SafeDumper):
    """Writes a node twice rather than an alias."""

    def ignore_aliases(self, _: object) -> bool:
        return True


# The dumper of YAML 1.1 folds at NEL, LS and PS, where we end no line.
@pytest.mark.slow
@given(
    trees(without="\0\x85\u2028\u2029").filter(bool),
    st.sampled_from([None, True, False]),
    st.sampled_from([None, "'", '"', "|", ">"]),
    st.booleans(),
)
@settings(max_examples=200)
def test_what_is_dumped_as_yaml_is_read_again(tree: Data, flow: bool | None, style: str | None, unicode: bool) -> None:
    text = yaml.dump(tree, Dumper=Dumper, default_flow_style=flow, default_style=style, allow_unicode=unicode)
    document = parse(text.encode())
    assert data_of(document.root) == tree
    check_spans(document)


@given(trees(without=""), st.sampled_from([None, 1, "\t"]), st.booleans())
@settings(max_examples=200)
def test_what_is_dumped_as_json_is_read_again(tree: Data, indent: int | str | None, ascii_only: bool) -> None:
    document = parse(json.dumps([tree], indent=indent, ensure_ascii=ascii_only).encode())
    assert data_of(document.root) == [tree]
    check_spans(document)
    for node in nodes_of(document.root):
        assert json.loads(written(document, node)) == data_of(node)


def with_short_tags(tree: Data) -> str:
    """A tree as YAML in flow style, with short tags for the functions that have one."""
    if isinstance(tree, str):
        return json.dumps(tree, ensure_ascii=False)
    if isinstance(tree, list):
        return "[" + ", ".join(map(with_short_tags, tree)) + "]"
    if len(tree) == 1:
        ((key, value),) = tree.items()
        if key in SHORT_TAGS and not (isinstance(value, dict) and SHORT_TAGS.keys() & value):  # tags do not chain
            return f"{SHORT_TAGS[key]} {with_short_tags(value)}"
    return "{" + ", ".join(f"{with_short_tags(key)}: {with_short_tags(value)}" for key, value in tree.items()) + "}"


PLAIN_WORDS = st.sampled_from(["a", "yes", "${AWS::Region}", "é\U0001f600", "x y"])
FUNCTIONS: st.SearchStrategy[Data] = st.recursive(
    PLAIN_WORDS,
    lambda nodes: (
        st.lists(nodes, max_size=3)
        | st.dictionaries(PLAIN_WORDS, nodes, max_size=3)
        | st.builds(lambda name, argument: {name: argument}, st.sampled_from(sorted(SHORT_TAGS)), nodes)
    ),
    max_leaves=12,
)


@given(FUNCTIONS)
def test_short_tags_say_what_the_long_forms_say(tree: Data) -> None:
    document = parse(with_short_tags(tree).encode())
    assert data_of(document.root) == tree
    for node in nodes_of(document.root):
        if isinstance(node, MapNode) and written(document, node).startswith("!"):
            ((name, key),) = node.keys.items()
            argument = node.values[name]
            assert written(document, key) == SHORT_TAGS[name]
            assert written(document, node) == f"{SHORT_TAGS[name]} {written(document, argument)}"
            assert parse(written(document, argument).encode())


@given(FUNCTIONS, st.sampled_from(["\n", "\r\n", "\r"]), st.booleans())
def test_line_ends_and_marks_move_nothing(tree: Data, line_end: str, mark: bool) -> None:
    text = json.dumps(tree, indent=1, ensure_ascii=False)
    plain = parse(text.encode())
    other = parse((text.replace("\n", line_end)).encode("utf-8-sig" if mark else "utf-8"))
    assert [place(node) for node in nodes_of(plain.root)] == [place(node) for node in nodes_of(other.root)]


def place(node: Node) -> tuple[int, int, int, int]:
    return node.line, node.column, node.end_line, node.end_column
