"""How a text is said: what is written says what was meant, whatever is in it."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from trailguard.cloudformation.source.nodes import MapNode
from trailguard.cloudformation.source.reading import parse
from trailguard.trails.facts.phrases import Name, Phrase, joined, phrase_of, written

NAMES = st.sampled_from(["Bucket", "Bucket.Arn", "AWS::AccountId", "AWS::Partition", "KeyPrefix"]).map(Name)
TEXTS = st.text(st.sampled_from("a/:*-${}!. "), min_size=1, max_size=6)
PHRASES = st.lists(NAMES | TEXTS, max_size=5).map(lambda parts: joined(*parts))


@given(PHRASES)
def test_what_is_written_says_what_was_meant(phrase: Phrase) -> None:
    node = parse(json.dumps(written(phrase)).encode()).root
    assert phrase_of(node) == phrase


def test_one_name_needs_no_text_around_it() -> None:
    assert written((Name("Bucket"),)) == {"Ref": "Bucket"}
    assert written((Name("Bucket.Arn"),)) == {"Fn::GetAtt": ["Bucket", "Arn"]}
    assert written(("logs",)) == "logs"
    assert written((Name("Bucket.Arn"), "/*")) == {"Fn::Sub": "${Bucket.Arn}/*"}


def test_what_is_joined_or_substituted_with_names_of_its_own_is_understood() -> None:
    document = {
        "joined": {"Fn::Join": ["/", ["a", {"Ref": "B"}, {"Fn::GetAtt": "C.Arn"}]]},
        "named": {"Fn::Sub": ["${X}-${Y}-${!Z}", {"X": {"Ref": "B"}}]},
        "chosen": {"Fn::Select": [0, ["a"]]},
    }
    root = parse(json.dumps(document).encode()).root
    assert isinstance(root, MapNode)
    nodes = root.values
    assert phrase_of(nodes["joined"]) == ("a/", Name("B"), "/", Name("C.Arn"))
    assert phrase_of(nodes["named"]) == (Name("B"), "-", Name("Y"), "-${Z}")
    assert phrase_of(nodes["chosen"]) is None
