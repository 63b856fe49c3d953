"""Whatever the layout: the edited text holds the same tree with the change in it, and the same comments in order."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, Phase, assume, event, given, settings
from hypothesis import strategies as st

from tests.fixes.layouts import Layout, as_json
from trailguard.cloudformation.source.changes import Append, Change, Put, Remove, Rename, Replace, at
from trailguard.cloudformation.source.comments import comments
from trailguard.cloudformation.source.nodes import ListNode, MapNode, Node, TextNode, scalar_text
from trailguard.cloudformation.source.reading import parse
from trailguard.fixes.changing import edits_for
from trailguard.fixes.edits import Unwritable, applied

SETTINGS = settings(
    max_examples=60,
    report_multiple_bugs=False,
    phases=[Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink],
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)

names = st.sampled_from(["Type", "Properties", "A", "Bucket", "Fn", "on", "a b", "x:y", "é", "012", "s3:x"])
texts = st.one_of(
    st.sampled_from(
        ["", "x", "AWS::S3::Bucket", "yes", "on", "012345670123", "2012-10-17", "*", "a: b", "a #b", "#", "- x", "s3:*",
         "${A}", "it's", 'say "x"', "a\\b", "é", "日本", " x ", "x\n", "x\ny\n", "x\n\ny", "x\ny\n\n", "\n", "{x}", "[",
         "a, b", "1:30", "1e3", "0x1F", "~", "null", "=", "<<", "!x", "&a", "%x", "@x", "`", "x:", ":x", "\u2028",
         "\x85", "\x07", "\t", "😀", "true", "a b c", "word and word", "-", "?", "? x", "...", "---", "|", ">",
         "10.0.0.0/8"]
    ),
    st.text(st.characters(max_codepoint=0xFFFF, exclude_categories=["Cs"]), max_size=6),
)  # fmt: skip
scalars = st.one_of(texts, texts, st.booleans(), st.integers(0, 400), st.none())
functions = st.one_of(
    st.builds(lambda name: {"Ref": name}, st.sampled_from(["Bucket", "AWS::Region"])),
    st.builds(lambda name: {"Fn::GetAtt": [name, "Arn"]}, st.sampled_from(["Bucket", "Key"])),
    st.builds(lambda name: {"Fn::Sub": name}, st.sampled_from(["arn:${AWS::Partition}:s3:::x", "${A}", "x"])),
)
trees = st.recursive(
    st.one_of(scalars, scalars, functions),
    lambda below: st.one_of(
        st.dictionaries(names, below, max_size=4),
        st.lists(below, max_size=4),
        st.builds(lambda x: {"Fn::Base64": x}, below),
        st.builds(lambda *x: {"Fn::If": list(x)}, st.just("C"), below, below),
    ),
    max_leaves=12,
)
plain_documents = st.dictionaries(names, trees, min_size=1, max_size=4)
extended_documents = st.builds(  # whose second map has what the first one has, and more
    lambda base, more, rest: {"Base": base, "More": {**base, **more}, "Most": {**base, "Own": rest}, **rest},
    st.dictionaries(names, trees, min_size=1, max_size=3),
    st.dictionaries(st.sampled_from(["Own", "Other"]), trees, min_size=1),
    st.dictionaries(names, trees, max_size=2),
)
documents = st.one_of(plain_documents, plain_documents, extended_documents)


def meaning(node: Node, shared: dict[int, Any] | None = None) -> Any:
    """A node as data, in which what several places share is one object; texts as CloudFormation sees them."""
    shared = {} if shared is None else shared
    if id(node) in shared:
        return shared[id(node)]
    made: Any
    if isinstance(node, MapNode):
        made = shared[id(node)] = {}
        made.update((key, meaning(child, shared)) for key, child in node.values.items())
    elif isinstance(node, ListNode):
        made = shared[id(node)] = []
        made.extend(meaning(item, shared) for item in node.items)
    else:
        made = scalar_text(node)
    return made


def seen(data: Any) -> Any:
    """Data as CloudFormation sees them: every scalar a text, `Fn::GetAtt` with a dot."""
    if isinstance(data, dict):
        target = seen(data["Fn::GetAtt"]) if set(data) == {"Fn::GetAtt"} else None
        if isinstance(target, list) and all(isinstance(part, str) for part in target):
            return {"Fn::GetAtt": ".".join(target)}
        return {key: seen(value) for key, value in data.items()}
    if isinstance(data, list):
        return [seen(item) for item in data]
    if isinstance(data, bool):
        return "true" if data else "false"
    return data if data is None else str(data)


def places(node: Node, way: tuple[str | int, ...] = ()) -> list[tuple[tuple[str | int, ...], Node]]:
    """All nodes of a document with the ways to them."""
    found = [(way, node)]
    children = (
        node.values.items()
        if isinstance(node, MapNode)
        else enumerate(node.items)
        if isinstance(node, ListNode)
        else ()
    )
    for key, child in children:
        found += places(child, (*way, key))
    return found


def down(data: Any, way: tuple[str | int, ...]) -> Any:
    for key in way:
        data = data[key]
    return data


def is_function(data: Any) -> bool:
    return (
        isinstance(data, dict) and len(data) == 1 and (next(iter(data)) == "Ref" or next(iter(data)).startswith("Fn::"))
    )


@st.composite
def written(draw: Callable[..., Any]) -> str:
    """A document in some layout."""
    data = draw(documents)
    random = draw(st.randoms(use_true_random=False))
    if draw(st.integers(0, 3)) == 0:
        return as_json(random, data)
    return Layout(random).document(data)


def read(text: str) -> Node:
    return parse(text.encode("utf-8", "surrogatepass")).root


def check(text: str, change: Change, expected: Any, keeps_comments: bool = True, apart: bool = False) -> str:
    """The edited text holds what is expected, and every comment of before."""
    edits = edits_for(text, [change], apart=apart)
    edited = applied(text, edits)
    event(type(change).__name__)
    assert seen(meaning(read(edited))) == seen(expected), edited
    if keeps_comments:
        assert [comment.text for comment in comments(edited)] == [comment.text for comment in comments(text)]
    return edited


@SETTINGS
@given(written(), trees, st.data())
def test_put(text: str, value: Any, data: st.DataObject) -> None:
    assume("<<: " not in text)
    root = read(text)
    tree = meaning(root)
    maps = [(way, node) for way, node in places(root) if isinstance(node, MapNode) and not is_function(down(tree, way))]
    way, node = data.draw(st.sampled_from(maps))
    assume("Fn" not in way)
    new = data.draw(st.lists(st.sampled_from(["New", "Other", "yes"]), min_size=1, max_size=3))
    assume(new[0] not in down(tree, way))
    target = down(tree, way)
    for key in new[:-1]:
        target = target.setdefault(key, {})
    target[new[-1]] = value
    change = Put(at(node), tuple(new), value)
    edited = check(text, change, tree)
    lines, after = text.splitlines(), edited.splitlines()
    assert len([line for line in lines if line not in after]) <= 2
    again = Put(at(find(edited, way)), tuple(new), value)
    assert edits_for(edited, [again]) == []


@SETTINGS
@given(written(), trees, st.data())
def test_put_over(text: str, value: Any, data: st.DataObject) -> None:
    """A value that is there is replaced, wherever it is shared."""
    root = read(text)
    tree = meaning(root)
    ways = [(way, node) for way, node in places(root) if way and isinstance(way[-1], str)]
    assume(ways)
    way, _ = data.draw(st.sampled_from(ways))
    owner = down(tree, way[:-1])
    assume(not is_function(owner) and not has_aliases(root))
    edits = edits_for(text, [Put(at(find(text, way[:-1])), (str(way[-1]),), value)], apart=True)
    edited = applied(text, edits)
    owner[way[-1]] = value
    assert seen(meaning(read(edited))) == seen(tree), edited
    again = Put(at(find(edited, way[:-1])), (str(way[-1]),), value)
    assert edits_for(edited, [again]) == []


def deepcopy_unshared(data: Any) -> Any:
    if isinstance(data, dict):
        return {key: deepcopy_unshared(value) for key, value in data.items()}
    return [deepcopy_unshared(item) for item in data] if isinstance(data, list) else data


def has_aliases(root: Node) -> bool:
    nodes = [id(node) for _, node in places(root)]
    return len(nodes) != len(set(nodes))


def find(text: str, way: tuple[str | int, ...]) -> Node:
    node = read(text)
    for key in way:
        node = node.values[str(key)] if isinstance(node, MapNode) else node.items[int(key)]  # type: ignore[attr-defined]
    return node


@SETTINGS
@given(written(), trees, st.data())
def test_apart(text: str, value: Any, data: st.DataObject) -> None:
    """With `apart`, one place changes, whoever shares it."""
    root = read(text)
    tree = deepcopy_unshared(meaning(root))
    maps = [way for way, node in places(root) if isinstance(node, MapNode) and not is_function(down(tree, way))]
    way = data.draw(st.sampled_from(maps))
    assume(not is_defined_on(root, way))
    assume("<<: " not in text or way[:1] in (("More",), ("Most",)))
    target = down(tree, way)
    key = data.draw(st.sampled_from(["New", *sorted(target)]))
    target[key] = value
    try:
        check(text, Put(at(root), (*way, key), value), tree, keeps_comments=False, apart=True)
    except Unwritable as refusal:
        assert refusal.reason.endswith("is used elsewhere, and its anchor would go")  # noqa: PT017


@SETTINGS
@given(written(), trees, st.data())
def test_append(text: str, value: Any, data: st.DataObject) -> None:
    assume("<<: " not in text)
    root = read(text)
    tree = meaning(root)
    found = [
        (way, node) for way, node in places(root) if way and not is_function(down(tree, way[:-1]) if way else None)
    ]
    assume(found)
    way, node = data.draw(st.sampled_from(found))
    old = down(tree, way)
    assume(not (is_function(old) and next(iter(old)).startswith("Fn::If")))
    assume(seen(value) not in seen(old) if isinstance(old, list) else seen(value) != seen(old))
    assume(isinstance(old, list) or not is_shared(root, node))
    if isinstance(old, list):
        old.append(value)
    else:
        down(tree, way[:-1])[way[-1]] = [value] if old is None else [old, value]
    check(text, Append(at(node), (), value), tree, keeps_comments=isinstance(old, list))


@SETTINGS
@given(written(), st.lists(trees, min_size=4, max_size=4), st.data())
def test_several_changes_at_once(text: str, values: list[Any], data: st.DataObject) -> None:
    """Changes of different places do together what each of them does."""
    root = read(text)
    assume(not has_aliases(root))
    tree = meaning(root)
    nodes = places(root)
    changes: list[Change] = []
    gone: list[tuple[tuple[str | int, ...], str]] = []
    for number, value in enumerate(values):
        way, node = data.draw(st.sampled_from(nodes))
        old = find_data(meaning(root), way)
        if isinstance(node, MapNode) and not is_function(old):
            kept = [key for key in node.keys if not any(found[:2] == (way, key) for found in gone)]
            removable = [key for key in kept if not is_touched(changes, node.values[key])]
            if removable and bool(data.draw(st.sampled_from([[], ["gone"]]))) and (way or len(kept) > 1):
                gone.append((way, removable[0]))
                changes.append(Remove(at(node.keys[removable[0]])))
            else:
                changes.append(Put(at(node), (f"New{number % 2}", f"Below{number}"), value))
        elif isinstance(node, ListNode) and not any(is_within(way, taken) for taken in gone):
            changes.append(Append(at(node), (), value))
    changes = [change for change in changes if isinstance(change, Remove) or not is_gone(root, change, gone)]
    for change in changes:
        if not isinstance(change, Put | Append):
            continue
        target = find_data(tree, way_of(root, change))
        if isinstance(change, Put):
            target.setdefault(change.way[0], {})[change.way[1]] = change.value
        elif seen(change.value) not in seen(target):
            target.append(change.value)
    for way, key in gone:
        del find_data(tree, way)[key]
    edited = applied(text, edits_for(text, changes))
    event(f"{len(changes)} changes")
    assert seen(meaning(read(edited))) == seen(tree), edited


def find_data(data: Any, way: tuple[str | int, ...]) -> Any:
    for key in way:
        data = data[key]
    return data


def way_of(root: Node, change: Change) -> tuple[str | int, ...]:
    return next(way for way, node in places(root) if at(node) == change.at)


def is_within(way: tuple[str | int, ...], taken: tuple[tuple[str | int, ...], str]) -> bool:
    outer = (*taken[0], taken[1])
    return way[: len(outer)] == outer


def is_gone(root: Node, change: Change, gone: list[tuple[tuple[str | int, ...], str]]) -> bool:
    return any(is_within(way_of(root, change), taken) for taken in gone)


def is_touched(changes: list[Change], node: Node) -> bool:
    below = [at(found) for _, found in places(node)]
    return any(change.at in below for change in changes)


def is_defined_on(root: Node, way: tuple[str | int, ...]) -> bool:
    """Whether a way leads through a node that other places share, at the place where it is written."""
    found = places(root)
    for length in range(1, len(way) + 1):
        node = find_node(root, way[:length])
        users = [other for other, same in found if same is node]
        if len(users) > 1 and users[0] == way[:length]:
            return True
    return False


def is_shared(root: Node, node: Node) -> bool:
    return sum(other is node for _, other in places(root)) > 1


@SETTINGS
@given(written(), trees, st.data())
def test_replace(text: str, value: Any, data: st.DataObject) -> None:
    root = read(text)
    assume(not has_aliases(root))
    tree = meaning(root)
    found = [(way, node) for way, node in places(root) if way]
    assume(found)
    way, node = data.draw(st.sampled_from(found))
    assume(value is not None or not is_function(down(tree, way[:-1])))
    down(tree, way[:-1])[way[-1]] = value
    check(
        text,
        Replace(at(node), value),
        tree,
        keeps_comments=isinstance(node, TextNode) and not isinstance(value, dict | list),
    )


@SETTINGS
@given(written(), st.data())
def test_remove(text: str, data: st.DataObject) -> None:
    root = read(text)
    assume(not has_aliases(root))
    tree = meaning(root)
    found = [(way, node) for way, node in places(root) if way and not is_function(down(tree, way[:-1]))]
    assume(found)
    way, node = data.draw(st.sampled_from(found))
    assume(len(way) > 1 or len(tree) > 1)
    holder = find_node(root, way[:-1])
    key = holder.keys[str(way[-1])] if isinstance(holder, MapNode) else node
    del down(tree, way[:-1])[way[-1]]
    check(text, Remove(at(key)), tree, keeps_comments=False)


def find_node(node: Node, way: tuple[str | int, ...]) -> Node:
    for key in way:
        node = node.values[str(key)] if isinstance(node, MapNode) else node.items[int(key)]  # type: ignore[attr-defined]
    return node


@SETTINGS
@given(written(), st.data())
def test_rename(text: str, data: st.DataObject) -> None:
    assume("<<: " not in text)
    root = read(text)
    tree = meaning(root)
    maps = [(way, node) for way, node in places(root) if isinstance(node, MapNode) and node.keys]
    way, node = data.draw(st.sampled_from(maps))
    assert isinstance(node, MapNode)
    assume(not is_function(down(tree, way)))
    name = data.draw(st.sampled_from(sorted(node.keys)))
    old = down(tree, way)
    entries = {("yes" if key == name else key): value for key, value in old.items()}
    assume("yes" not in old)
    old.clear()
    old.update(entries)
    check(text, Rename(at(node.keys[name]), "yes"), tree)
