"""Trails that may be where nobody sees them are subjects: nothing vanishes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import pytest

from trailguard.findings import Report
from trailguard.scanning import scan
from trailguard.settings.settings import Settings

Scanner: TypeAlias = Callable[..., Report]


@pytest.fixture
def scanned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Scanner:
    """Write files, and scan them."""
    monkeypatch.chdir(tmp_path)

    def scan_them(files: dict[str, str], paths: tuple[str, ...] = (".",), **chosen: object) -> Report:
        for name, text in files.items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(text, encoding="utf-8")
        return scan(paths, Settings(**chosen))  # type: ignore[arg-type]

    return scan_them


def stack(url: str, parameters: str = "{}", name: str = "Audit") -> str:
    return (
        f"\n  {name}:\n    Type: AWS::CloudFormation::Stack\n    Properties:\n      TemplateURL: {url}\n"
        f"      Parameters: {parameters}"
    )


SET = "\n  Set:\n    Type: AWS::CloudFormation::StackSet\n    Properties:\n      TemplateBody: BODY"
URL = "https://s3.amazonaws.com/some/{}.yaml"
UNSEEN: list[tuple[dict[str, str], list[tuple[str, int]]]] = [
    ({"a.yaml": stack("gone.yaml", name="Vpc")}, [("Vpc", 5)]),
    ({"a.yaml": stack("gone.yaml", name="Vpc") + stack("away.yaml", name="Dns")}, [("Vpc", 5)]),
    ({"a.yaml": stack(URL.format("vpc"), name="Vpc")}, []),
    (
        {"a.yaml": stack(URL.format("vpc"), name="Vpc") + stack(URL.format("x"), name="TrailStack")},
        [("TrailStack", 10)],
    ),
    ({"a.yaml": stack(URL.format("cloudtrail"), name="Vpc")}, [("Vpc", 5)]),
    ({"a.yaml": stack(URL.format("vpc"), "{TrailName: audit}", name="Vpc")}, [("Vpc", 5)]),
    ({"a.yaml": stack("b.yaml", name="Vpc"), "b.yaml": stack("gone.yaml", name="Inner")}, [("Inner", 5)]),
    (
        {"a.yaml": "\n  Fn::Transform: {Name: 'AWS::Include', Parameters: {Location: 's3://b/k'}}"},
        [("Fn::Transform", 2)],
    ),
    ({"a.yaml": "\n  Fn::Transform: {Name: Made}"}, [("Fn::Transform", 2)]),
    ({"a.yaml": "\n  Q: {Type: 'Our::Trail::Any::MODULE'}\n  R: {Type: 'Our::Queue::Any::MODULE'}"}, [("Q", 2)]),
    (
        {"a.yaml": "\n  AuditTrail: {Fn::Transform: {Name: Made}}\n  Q: {Fn::Transform: {Name: Made}}"},
        [("AuditTrail", 2)],
    ),
    ({"a.yaml": SET.replace("BODY", "{Fn::Transform: {Name: Made}}")}, [("Set", 5)]),
]


@pytest.mark.parametrize(("files", "expected"), UNSEEN, ids=range(len(UNSEEN)))
def test_what_may_make_a_trail_is_a_subject(
    files: dict[str, str], expected: list[tuple[str, int]], scanned: Scanner
) -> None:
    templates = {name: f"Resources:{text}\n" for name, text in files.items()}
    report = scanned(templates, select=("TG101",))
    assert [(item.resource, item.place.span.line, item.verdict) for item in report.results] == [
        (*place, "unknown") for place in expected
    ]
    named = scanned(templates, tuple(sorted(templates)), select=("TG101",))
    assert named.results == report.results


def test_what_includes_sections_may_make_a_trail(scanned: Scanner) -> None:
    call = "Transform: {Name: 'AWS::Include', Parameters: {Location: !Sub 's3://${B}/k'}}"
    (found,) = scanned({"a.yaml": f"{call}\nResources: {{Q: {{Type: 'A::B::C'}}}}"}, select=("TG101",)).results
    assert (found.resource, found.place.span.line, found.verdict) == ("Transform", 1, "unknown")


TYPE = "AWS::CloudTrail::Trail"
TRAIL = f"{{Type: '{TYPE}', Properties: {{S3BucketName: b, IsLogging: true}}}}"
QUEUE = "Resources: {Q: {Type: 'AWS::SQS::Queue'}}"
STRAYS: list[tuple[str, list[tuple[int, int]]]] = [
    (f"Resources:\nTrail: {TRAIL}", [(2, 1)]),
    (f"AWSTemplateFormatVersion: 2010-09-09\n{QUEUE}\nTrail: {TRAIL}", [(3, 1)]),
    (f"Resources:\n  Q:\n    Type: AWS::SQS::Queue\n    Trail: {TRAIL}", [(4, 5)]),
    (f"Resources:\n  Q:\n    Type: AWS::SQS::Queue\n    Properties:\n      Trail: {TRAIL}", [(5, 7)]),
    (f"{QUEUE}\nOutputs:\n  Trail: {TRAIL}\n  Two: [{TRAIL}]", [(3, 3), (4, 3)]),
    (f"Resources: {{T: {TRAIL}}}\nConditions:\n  Trail: {TRAIL}", [(3, 3)]),
    (f"Resources: [{{Trail: {TRAIL}}}]", [(1, 12), (1, 14)]),
    (f"{QUEUE}\nMetadata: {{Trail: {TRAIL}}}", []),
    (f"Resources: {{Q: {{Type: 'AWS::SQS::Queue', Metadata: {{Trail: {TRAIL}}}}}}}", []),
    (f"Resources: {{T: {TRAIL}}}\nDescription: 'makes an {TYPE}'", []),
    (f"Resources: {{Q: {{Type: 'A::B::C', Properties: {{Types: ['{TYPE}'], One: {{Type: '{TYPE}'}}}}}}}}", []),
]


@pytest.mark.parametrize(("text", "places"), STRAYS, ids=range(len(STRAYS)))
def test_a_trail_outside_of_resources_is_an_error(text: str, places: list[tuple[int, int]], scanned: Scanner) -> None:
    report = scanned({"a.yaml": text}, select=("TG101",))
    assert [(error.line, error.column) for error in report.errors] == places
    assert all(TYPE in error.message or "must be a map" in error.message for error in report.errors)


def test_resources_without_a_section_are_judged_unless_something_includes_them(scanned: Scanner) -> None:
    part = {"part.yaml": f"Trail: {TRAIL}\nDescription: x"}
    alone = scanned(part, select=("TG101",))
    assert [(item.resource, item.verdict, item.place.span.line) for item in alone.results] == [("Trail", "fail", 1)]
    assert "no section Resources" in alone.notices[0].message
    call = "{Name: 'AWS::Include', Parameters: {Location: part.yaml}}"
    report = scanned({**part, "a.yaml": f"Resources: {{Fn::Transform: {call}}}"}, select=("TG101",))
    assert [(item.place.file, item.home) for item in report.results] == [("part.yaml", "part.yaml")]
    assert report.subjects == 1
    assert report.notices == ()


WRAPPED: list[tuple[str, list[tuple[str, str]]]] = [
    (TRAIL, [("Trail", "fail")]),
    (f"resources: {{T: {TRAIL}}}", [("T", "fail")]),
    (f"RESOURCES: {{T: {TRAIL}}}", [("T", "fail")]),
    (f"TemplateBody: {{Resources: {{T: {TRAIL}}}}}\nStagesAvailable: [Original]", [("T", "fail")]),
    (f"spec: {{Resources: {{T: {TRAIL}}}}}", []),  # of some other program
    (f"- Resources: {{T: {TRAIL}}}", []),
    (f"resources: {{limits: 1}}\nnote: {TYPE}", []),
]


@pytest.mark.parametrize(("text", "expected"), WRAPPED, ids=range(len(WRAPPED)))
def test_what_is_no_template_but_holds_a_trail(text: str, expected: list[tuple[str, str]], scanned: Scanner) -> None:
    report = scanned({"a.yaml": text}, select=("TG101",))
    assert [(item.resource, item.verdict) for item in report.results] == expected
    assert [item.message.partition(":")[0] for item in report.notices] == ["it has no section Resources"] * len(
        expected
    )
    assert report.errors == ()


@pytest.mark.parametrize("quote", ["|\n  {}", "// a comment\n{}", "{}", "StagesAvailable: []\nTemplateBody: {}"])
def test_a_template_as_text_is_an_error(quote: str, scanned: Scanner) -> None:
    template = json.dumps({"Resources": {"T": {"Type": TYPE}}}, separators=(",", ":"))
    text = quote.format(template if "|" in quote or "//" in quote else json.dumps(template))
    (error,) = scanned({"a.yaml": text}).errors
    assert "a template as one text" in error.message
    assert scanned({"a.yaml": f"'the type {TYPE} has no Resources'"}).errors == ()


def test_one_resource_in_a_file_is_judged_unless_something_includes_it(scanned: Scanner) -> None:
    report = scanned({"part.yaml": TRAIL, "a.yaml": "Resources: {T: !Rain::Include part.yaml}"}, select=("TG101",))
    assert [(item.resource, item.verdict) for item in report.results] == [("Trail", "fail")]
    call = "{Name: 'AWS::Include', Parameters: {Location: part.yaml}}"
    report = scanned({"a.yaml": f"Resources: {{T: {{Fn::Transform: {call}}}}}"}, select=("TG101",))
    assert [(item.resource, item.verdict) for item in report.results] == [("T", "fail")]
    assert report.notices == ()


WITH = f"{{T: {{Type: '{TYPE}', Properties: {{IsMultiRegionTrail: VALUE}}}}}}"
BODIES: list[tuple[str, list[tuple[str, str, int]]]] = [
    (f"{{Fn::ToJsonString: {{Resources: {{T: {TRAIL}}}}}}}", [("T", "fail", 5)]),
    (f"{{Resources: {{T: {TRAIL}}}}}", [("T", "fail", 5)]),
    (f"{{Fn::ToJsonString: {{Resources: {WITH.replace('VALUE', '!Ref Multi')}}}}}", [("T", "conditional", 5)]),
    (f"!Join [' ', ['Resources:', !Sub \"{WITH.replace('VALUE', '${Multi}')}\"]]", [("T", "conditional", 5)]),
    (f"!Join [' ', ['Resources:', \"{WITH[: -len('VALUE}}}')]}\", !Ref Multi, '}}}}}}']]", [("T", "conditional", 5)]),
    ('!Join ["\\n", ["Resources:", !GetAtt Q.Arn]]', [("Set", "unknown", 5)]),
    ("!GetAtt Q.Arn", [("Set", "unknown", 5)]),
    ("{Fn::ToJsonString: !Ref Multi}", [("Set", "unknown", 5)]),
]


@pytest.mark.parametrize(("body", "expected"), BODIES, ids=range(len(BODIES)))
def test_the_template_of_a_stack_set_is_judged(
    body: str, expected: list[tuple[str, str, int]], scanned: Scanner
) -> None:
    text = SET.replace("BODY", body)
    parameters = "Parameters: {Multi: {Type: String, Default: 'true', AllowedValues: ['true', 'false']}}"
    report = scanned({"a.yaml": f"Resources:{text}\n{parameters}\n"}, select=("TG101",))
    assert [(item.resource, item.verdict, item.place.span.line) for item in report.results] == expected
    assert report.errors == ()


HEAD = "service: audit\nprovider: {name: aws}\n"
OTHER = f"Resources: {{Other: {TRAIL}}}\n"
FRAMEWORK: list[tuple[dict[str, str], list[tuple[str, str, str]]]] = [
    ({"serverless.yml": f"resources: {{Resources: {{T: {TRAIL}}}}}"}, [("T", "fail", "serverless.yml")]),
    ({"serverless.yml": f"resources: [{{Resources: {{T: {TRAIL}}}}}]"}, [("T", "fail", "serverless.yml")]),
    ({"serverless.yml": f"resources:\n  - Resources: {{T: {TRAIL}}}\n  - Resources: {{Other: {TRAIL}}}"},
     [("T", "fail", "serverless.yml"), ("Other", "fail", "serverless.yml")]),
    ({"serverless.yml": "resources: ['${file(other.yml)}']", "other.yml": OTHER}, [("Other", "fail", "other.yml")]),
    ({"serverless.yml": "resources: ${file(./deep/other.yml)}", "deep/other.yml": OTHER},
     [("Other", "fail", "deep/other.yml")]),
    ({"serverless.yml": "resources: {Resources: '${file(other.yml):Resources}'}", "other.yml": OTHER},
     [("Other", "fail", "other.yml")]),
    ({"serverless.yml": "resources: {Resources: {T: '${file(part.yml)}'}}", "part.yml": TRAIL},
     [("T", "fail", "serverless.yml")]),
    ({"serverless.yml": "resources: ['${file(gone.yml)}']"}, [("${file(gone.yml)}", "unknown", "serverless.yml")]),
    ({"serverless.yml": "resources: {Resources: '${file(gone.yml):Resources}'}"},
     [("${file(gone.yml):Resources}", "unknown", "serverless.yml")]),
    ({"serverless.yml": f"resources: {{Resources: {{T: {TRAIL}, U: '${{file(gone.yml)}}'}}}}"},
     [("T", "fail", "serverless.yml"), ("U", "unknown", "serverless.yml")]),
    ({"serverless.yml": f"resources:\n  Resources: {{T: {TRAIL}}}\n  extensions:\n    T:"
                        " {Properties: {IsMultiRegionTrail: true}}"}, [("T", "pass", "serverless.yml")]),
    ({"serverless.yml": "resources:\n  extensions: {T: {Properties: {IsMultiRegionTrail: true}}}\n"
                        f"  Resources: {{T: {TRAIL}}}"}, [("T", "pass", "serverless.yml")]),
    ({"serverless.yml": "resources:\n  - extensions: {T: {Properties: {IsMultiRegionTrail: true}}}\n"
                        f"  - Resources: {{T: {TRAIL}}}"}, [("T", "pass", "serverless.yml")]),
    ({"serverless.yml": f"resources: {{Resources: {{T: {TRAIL}}}, Outputs: '${{file(gone.yml)}}'}}"},
     [("T", "fail", "serverless.yml")]),
    ({"serverless.yml": "resources: {Resources: {Q: {Type: 'AWS::SQS::Queue'}}}"}, []),
    ({"serverless.yml": "functions: {hello: {handler: x}}"}, []),
]  # fmt: skip


@pytest.mark.parametrize(("files", "expected"), FRAMEWORK, ids=range(len(FRAMEWORK)))
def test_templates_of_the_serverless_framework(
    files: dict[str, str], expected: list[tuple[str, str, str]], scanned: Scanner
) -> None:
    written = {name: (HEAD if name == "serverless.yml" else "") + text for name, text in files.items()}
    report = scanned(written, select=("TG101",))
    assert [(item.resource, item.verdict, item.place.file) for item in report.results] == expected
    assert report.errors == ()


DIALECTS: list[tuple[str, list[tuple[str, str]], int]] = [
    ("Organization: !Include ./o.yml\nResources: {T: {Type: 'TYPE', Properties: {IsMultiRegionTrail: !ReadFile x}}}",
     [("T", "unknown")], 0),
    ("AWSTemplateFormatVersion: 2010-09-09-OC\nResources: {T: {Type: 'TYPE', Properties: {S3BucketName: !MD5 x}}}",
     [("T", "fail")], 0),
    ("DefaultOrganizationBinding: !Include b.yml\nResources: {T: {Type: 'TYPE'}}", [("T", "fail")], 0),
    ("AWSTemplateFormatVersion: 2010-09-09-OC\nResources: {T: {Type: 'TYPE', Properties: {A: !Sbu x}}}",
     [("T", "fail")], 1),
    ("AWSTemplateFormatVersion: 2010-09-09-OC\nResources: !Include x.yml", [("!Include", "unknown")], 0),
    ("Resources: {T: {Type: 'TYPE', Properties: {IsMultiRegionTrail: !ReadFile x}}}", [("T", "unknown")], 1),
    ("Resources: {T: {Type: 'TYPE', Properties: {IsMultiRegionTrail: !Rain::Env x}}}", [("T", "unknown")], 0),
    ("Resources: {T: {Type: 'TYPE', Properties: {IsMultiRegionTrail: '{{ multi }}'}}}", [("T", "unknown")], 0),
    ("Resources: {T: {Type: 'AWS::CloudTrail::{{ kind }}'}, B: {Type: 'AWS::S3::{{ k }}'}}", [("T", "unknown")], 0),
    ("Resources:\n  T:\n    Type: TYPE\n{% if x %}\n    Properties: {}\n{% endif %}", [], 1),
    ("Transform: AWS::Serverless-2016-10-31\nResources: {T: {Type: 'TYPE'}}", [("T", "fail")], 0),
    ("Resources: {Fn::Include: x.json}", [("Fn::Include", "unknown")], 0),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected", "errors"), DIALECTS, ids=range(len(DIALECTS)))
def test_dialects(text: str, expected: list[tuple[str, str]], errors: int, scanned: Scanner) -> None:
    report = scanned({"a.yaml": text.replace("TYPE", TYPE)}, select=("TG101",))
    assert [(item.resource, item.verdict) for item in report.results] == expected
    assert len(report.errors) == errors
    assert all(error.line for error in report.errors)


CHILD = f"""Parameters: {{Multi: {{Type: String, AllowedValues: ['true', 'false']}}}}
Resources: {{T: {{Type: '{TYPE}', Properties: {{S3BucketName: b, IsMultiRegionTrail: !Ref Multi}}}}}}
Outputs: {{Out: {{Value: !Ref T, Export: {{Name: trail}}}}}}
"""
NEVER = "Conditions: {Never: !Equals [a, b], Ever: !Equals [!Ref 'AWS::Region', eu-west-1]}\n"
NESTED = "https://s3.amazonaws.com/b/v3/trail.yaml"
BY_ITSELF: tuple[str, tuple[str, ...]] = ("conditional", ())
WITHIN = ("pass", ("Audit of a.yaml",))
PARENTS: list[tuple[str, list[tuple[str, tuple[str, ...]]]]] = [
    (stack("trail.yaml", "{Multi: 'true'}"), [WITHIN]),
    (stack(NESTED, "{Multi: 'true'}"), [WITHIN, BY_ITSELF]),
    (stack("!Sub 'https://${AWS::Region}/trail.yaml'", "{Multi: 'true'}"), [WITHIN, BY_ITSELF]),
    (stack("trail.yaml", "{Multi: 'true'}\n    Condition: Never"), [BY_ITSELF]),
    (stack("trail.yaml", "{Multi: 'true'}\n    Condition: Ever"), [WITHIN]),
    (stack("trail.yaml", "{Multi: maybe}"), [BY_ITSELF]),
    (stack("trail.yaml", "{Multi: maybe}") + stack("trail.yaml", "{Multi: 'true'}", "Other"),
     [("pass", ("Other of a.yaml",))]),
    (stack(NESTED, "{Multi: maybe}"), [BY_ITSELF]),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), PARENTS, ids=range(len(PARENTS)))
def test_a_guess_takes_no_judgement_away(
    text: str, expected: list[tuple[str, tuple[str, ...]]], scanned: Scanner
) -> None:
    files = {"a.yaml": f"{NEVER}Resources:{text}\n", "trail.yaml": CHILD}
    report = scanned(files, select=("TG101",))
    assert [(item.verdict, item.contexts) for item in report.results] == expected
    assert scanned(files, ("trail.yaml", "a.yaml"), select=("TG101",)).results == report.results
    guessed = [notice for notice in report.notices if "because of its name alone" in notice.message]
    assert [(notice.file, notice.line) for notice in guessed] == ([("a.yaml", 6)] if len(expected) > 1 else [])


def test_who_imports_from_a_guess_is_not_in_doubt(scanned: Scanner) -> None:
    taker = f"Resources: {{U: {{Type: '{TYPE}', Properties: {{S3BucketName: !ImportValue trail}}}}}}"
    parent = f"Resources:{stack(NESTED, '{Multi: true}')}\n"
    report = scanned({"a.yaml": parent, "trail.yaml": CHILD, "u.yaml": taker}, select=("TG201",))
    (found,) = [item for item in report.results if item.place.file == "u.yaml"]
    assert "several scanned templates" not in str(found.reason)


def test_what_is_nested_too_deeply_is_judged_by_itself(scanned: Scanner) -> None:
    files = {f"s{number}.yaml": f"Resources:{stack(f's{number + 1}.yaml')}\n" for number in range(25)}
    report = scanned({**files, "s25.yaml": f"Resources: {{T: {TRAIL}}}"}, select=("TG101",))
    (found,) = report.results
    assert (found.verdict, found.contexts) == ("fail", ("/".join(["Audit"] * 5) + " of s20.yaml",))
    assert any("too many nested stacks" in notice.message for notice in report.notices)


@pytest.mark.parametrize("place", ["parents.nested_of", "relatives.shapes", "loader.Template", "relatives.Parents"])
def test_a_bug_in_how_files_refer_to_each_other_ends_no_scan(
    place: str, scanned: Scanner, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("boom")

    monkeypatch.delenv("TRAILGUARD_DEBUG", raising=False)
    monkeypatch.setattr(f"trailguard.reading.{place}", broken)
    taker = f"Resources: {{U: {{Type: '{TYPE}', Properties: {{S3BucketName: !ImportValue trail}}}}}}"
    files = {
        "a.yaml": f"Resources:{stack('trail.yaml')}{stack('!Ref X', name='AuditTrail')}\n",
        "trail.yaml": CHILD,
        "u.yaml": taker,
        "z.yaml": f"Resources: {{T: {TRAIL}}}",
    }
    report = scanned(files, select=("TG101",))
    judged = {item.place.file for item in report.results}
    assert {"z.yaml", "u.yaml", "trail.yaml"} <= judged
    assert report.errors
    assert all("ZeroDivisionError: boom" in error.message for error in report.errors)
