"""Files of what exists, cut by their lines: the same as when they are parsed as a whole."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tests.snapshots import dumped
from trailguard.cloudformation.source.nodes import MapNode, plain
from trailguard.cloudformation.source.reading import parse
from trailguard.findings import FileError
from trailguard.reading.existing import PartFile
from trailguard.reading.snapshots import Part

ODD = (
    "  A:\n  B:", "a\n  Thing1:\n    Type: X", "Resources:\nX: y", "x: y # no", "'", '"', "- a", "012", "true",
    " " * 90 + "x",
)  # fmt: skip
TEXTS = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=30) | st.sampled_from(ODD)


def nested(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Lists and maps."""
    return st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3)


VALUES = st.recursive(TEXTS | st.booleans(), nested)
NAMES = st.from_regex(r"[A-Za-z][A-Za-z0-9]{0,8}", fullmatch=True)
ARNS = st.sampled_from(["arn:aws:s3:::a", "arn:aws:kms:r:a:key/1"])
METADATA = st.fixed_dictionaries({"trailguard": st.fixed_dictionaries({"arn": ARNS})})
PARTS = {
    "Type": st.sampled_from(["AWS::S3::Bucket", "AWS::KMS::Key"]),
    "Metadata": METADATA,
    "Properties": st.dictionaries(NAMES, VALUES, max_size=3),
}
RESOURCES = st.dictionaries(NAMES, st.fixed_dictionaries(PARTS), max_size=4)


@given(RESOURCES)
def test_each_thing_is_what_stands_there_at_its_line(resources: dict[str, Any]) -> None:
    text = dumped({"AWSTemplateFormatVersion": "2010-09-09", "Resources": resources})
    errors: list[FileError] = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "existing-1.yaml")
        path.write_text(text, encoding="utf-8", newline="")
        file = PartFile(str(path), Part("1", "r", None, "2026-11-20", (str(path),)), errors)
        whole = parse(text.encode()).root
        section = whole.values["Resources"] if isinstance(whole, MapNode) else whole
        assert isinstance(section, MapNode)
        assert [thing.id for thing in file.things] == list(section.values)
        for thing in file.things:
            known = file.nodes(thing)
            assert known is not None
            body, key = section.values[thing.id], section.keys[thing.id]
            assert plain(known[1]) == plain(body)
            assert (known[0].line, known[0].column) == (key.line, key.column)
            assert (known[1].line, known[1].end_line) == (body.line, body.end_line)
            assert thing.type == resources[thing.id]["Type"]
            assert thing.arn == resources[thing.id]["Metadata"]["trailguard"]["arn"]
    assert errors == []
