"""Cloud assemblies of the CDK: real ones, made by tests/reading/cdk/synthesize.sh, and broken ones."""

from __future__ import annotations

import filecmp
import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trailguard.errors import AssemblyError
from trailguard.findings import NOT_APPLICABLE, PASS, Report
from trailguard.reading.assemblies import read_assembly
from trailguard.scanning import scan
from trailguard.settings.settings import Settings

CDK = Path(__file__).parent / "cdk"
ASSEMBLIES = CDK / "assemblies"
NESTED = "AuditNestedStackAuditNestedStackResourceF69BD105"


def judged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, **settings: Any) -> Report:
    shutil.copytree(ASSEMBLIES / name, tmp_path / "cdk.out")
    monkeypatch.chdir(tmp_path)
    return scan(["cdk.out"], Settings(**settings))


def told(report: Report) -> list[tuple[str, str, str, str]]:
    return [
        (item.rule.id, item.verdict, item.place.file.removeprefix("cdk.out/"), item.construct)
        for item in report.results
        if item.verdict not in (PASS, NOT_APPLICABLE)
    ]


@pytest.mark.parametrize(
    ("name", "subjects", "passes"),
    [
        ("default-trail", 2, 15),
        ("nested-stack", 2, 15),
        ("nested-stack-bare", 2, 15),
        ("nested-bucket", 2, 15),
        ("cross-stack", 2, 15),
    ],
)
def test_what_the_cdk_makes_passes(
    name: str, subjects: int, passes: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    report = judged(tmp_path, monkeypatch, name)
    assert (report.errors, report.notices, told(report)) == ((), (), [])
    assert (report.summary()["subjects"], report.summary()["pass"]) == (subjects, passes)


def test_a_key_that_the_cdk_makes_does_not_let_cloudtrail_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    report = judged(tmp_path, monkeypatch, "organization-trail")
    assert told(report) == [("TG207", "fail", "Audit.template.json", "Audit/Trail/Resource")]
    assert report.summary()["pass"] == 16


def test_findings_name_the_construct(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert told(judged(tmp_path, monkeypatch, "broken")) == [
        ("TG103", "fail", "Audit.template.json", "Audit/Trail/Resource"),
        ("TG102", "fail", "Audit.template.json", "Audit/Trail/Resource"),
        ("TG101", "fail", "Audit.template.json", "Audit/Trail/Resource"),
    ]


def test_the_construct_is_known_without_metadata_in_the_template(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    report = judged(tmp_path, monkeypatch, "nested-stack-bare")
    nested = "AuditNestedStackAuditNestedStackResourceF69BD105 of cdk.out/Platform.template.json"
    assert {(item.construct, item.contexts) for item in report.results} == {
        ("Platform/Audit/Trail/Resource", (nested,)),
        ("Platform/LogBucket/Resource", ()),
    }


def test_a_nested_assembly_is_judged_for_its_own_account_and_region(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    report = judged(tmp_path, monkeypatch, "stages")
    assert told(report) == [
        ("TG101", "fail", "assembly-Test/TestAuditAEBFCB0B.template.json", "Test/Audit/Trail/Resource")
    ]
    assert report.subjects == 4  # a trail and a bucket in each


def test_a_bucket_of_another_stack_is_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    report = judged(tmp_path, monkeypatch, "cross-stack", select=("TG302", "TG104"))
    assert [(item.rule.id, item.verdict, item.place.file, item.subject_file) for item in report.results] == [
        ("TG104", "pass", "cdk.out/Audit.template.json", ""),
        ("TG302", "fail", "cdk.out/Logs.template.json", ""),
    ]


def test_a_file_of_an_assembly_may_be_scanned_by_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(ASSEMBLIES / "nested-stack-bare", tmp_path / "cdk.out")
    monkeypatch.chdir(tmp_path)
    report = scan(["cdk.out/Platform.template.json"], Settings())
    assert (report.subjects, report.summary()["pass"], report.errors) == (2, 15, ())


def manifest_of(**properties: Any) -> bytes:
    stack = {"type": "aws:cloudformation:stack", "properties": {"templateFile": "A.template.json"}, **properties}
    return json.dumps({"artifacts": {"A": stack, "Tree": "odd"}}).encode()


def twice() -> bytes:
    stack = {"type": "aws:cloudformation:stack", "properties": {"templateFile": "One.template.json"}}
    return json.dumps({"artifacts": {"A": stack, "B": stack}}).encode()


UNREADABLE = "the cloud assembly cannot be read: "
OUTSIDE = "the cloud assembly names a file outside of its folder: "
BROKEN: list[tuple[bytes, str]] = [
    (b'{"artifacts"', UNREADABLE + "Expecting ':' delimiter: line 1 column 13 (char 12)"),
    (b'{"artifacts": []}', UNREADABLE + '"artifacts" must be a map'),
    (b'[{"artifacts": 1}]', UNREADABLE + '"artifacts" must be a map'),
    (manifest_of(properties=[]), UNREADABLE + '"properties" must be a map'),
    (manifest_of(properties={}), UNREADABLE + "a file has no name"),
    (manifest_of(properties={"templateFile": "A", "stackName": ["x"]}), UNREADABLE + '"stackName" must be text'),
    (
        manifest_of(properties={"templateFile": "A", "parameters": {"P": ["x"]}}),
        UNREADABLE + 'parameter "P" must be text',
    ),
    (twice(), UNREADABLE + "A and B have one template file"),
    (manifest_of(properties={"templateFile": "../A"}), OUTSIDE + '"../A"'),
    (manifest_of(properties={"templateFile": "/etc/passwd"}), OUTSIDE + '"/etc/passwd"'),
    (b'{"artifacts": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", UNREADABLE),
]


@pytest.mark.parametrize(("manifest", "message"), BROKEN, ids=range(len(BROKEN)))
def test_a_broken_manifest_is_an_error(
    manifest: bytes, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = os.path.join(os.sep, "assembly")
    with pytest.raises(AssemblyError) as raised:
        read_assembly(folder, {os.path.join(folder, "manifest.json"): manifest}.get)
    assert raised.value.message.startswith(message)
    shutil.copytree(ASSEMBLIES / "broken", tmp_path / "cdk.out")
    (tmp_path / "cdk.out" / "manifest.json").write_bytes(manifest)
    monkeypatch.chdir(tmp_path)
    report = scan(["cdk.out"], Settings())
    assert [error.file for error in report.errors] == ["cdk.out/manifest.json"]
    assert len(told(report)) == 3  # the template is judged all the same


@pytest.mark.parametrize(
    ("artifact", "expected"),
    [
        ({"environment": "aws://111122223333/eu-west-1"}, ("111122223333", "eu-west-1")),
        ({"environment": "aws://unknown-account/unknown-region"}, (None, None)),
        ({"environment": "aws://111122223333/unknown-region"}, ("111122223333", None)),
        ({"environment": "nonsense"}, (None, None)),
        ({"environment": 7}, (None, None)),
        ({"environment": "aws://111122223333/Mars"}, ("111122223333", None)),
        ({}, (None, None)),
    ],
)
def test_environments(artifact: dict[str, Any], expected: tuple[str | None, str | None]) -> None:
    folder = os.path.join(os.sep, "assembly")
    manifest = manifest_of(**artifact)
    assembly = read_assembly(folder, {os.path.join(folder, "manifest.json"): manifest}.get)
    assert assembly is not None
    (stack,) = assembly.stacks.values()
    assert (stack.account_id, stack.region, stack.name) == (*expected, "A")


RECORDED: list[tuple[str, dict[str, tuple[str, str | None, str | None]]]] = [
    ("default-trail", {"Audit": ("Audit", None, None)}),
    ("organization-trail", {"Audit": ("Audit", "111122223333", "eu-west-1")}),
    ("nested-bucket", {"Platform": ("Platform", None, None)}),  # a nested stack is no artifact of the manifest
    ("cross-stack", {"Logs": ("Logs", None, None), "Audit": ("Audit", None, None)}),
    ("stages", {}),  # the stacks are in the assemblies of the stages
    ("stages/assembly-Prod", {"ProdAudit6B7AB28A": ("Prod-Audit", "111122223333", "eu-west-1")}),
    ("stages/assembly-Test", {"TestAuditAEBFCB0B": ("Test-Audit", "111122223333", "eu-central-1")}),
]


def bytes_of(path: str) -> bytes | None:
    return Path(path).read_bytes() if Path(path).is_file() else None


@pytest.mark.parametrize(("name", "expected"), RECORDED, ids=[name for name, _ in RECORDED])
def test_the_stacks_of_an_assembly(name: str, expected: dict[str, tuple[str, str | None, str | None]]) -> None:
    folder = ASSEMBLIES / name
    assembly = read_assembly(str(folder), bytes_of)
    assert assembly is not None
    stacks = {path: (stack.name, stack.account_id, stack.region) for path, stack in assembly.stacks.items()}
    assert stacks == {str(folder / f"{artifact}.template.json"): stack for artifact, stack in expected.items()}
    assert all(stack.parameters == {} for stack in assembly.stacks.values())


def test_a_nested_template_is_an_asset() -> None:
    folder = ASSEMBLIES / "nested-bucket"
    assembly = read_assembly(str(folder), bytes_of)
    assert assembly is not None
    assert {Path(path).name for path in assembly.assets.values()} == {
        "Platform.template.json",
        "PlatformLogsAF397DA1.nested.template.json",
    }


ODD: list[Any] = [None, True, -1, 1e400, "", ".", "..", "/", "x/../..", "\x00", "\ud800", [], [[]], {}, {"type": []}]


@st.composite
def spoilt(draw: st.DrawFn, value: Any) -> Any:
    """The same JSON with a value somewhere in it put in the place of another, or a part left out."""
    if not isinstance(value, (dict, list)) or not value or draw(st.integers(0, 5)) == 0:
        return draw(st.sampled_from(ODD))
    key = draw(st.sampled_from(sorted(value) if isinstance(value, dict) else range(len(value))))
    copy: Any = value.copy()
    if draw(st.integers(0, 9)) == 0:
        del copy[key]
    else:
        copy[key] = draw(spoilt(value[key]))
    return copy


@pytest.mark.slow
@given(st.data())
def test_a_spoilt_assembly_is_read_or_an_assembly_error(data: st.DataObject) -> None:
    folder = ASSEMBLIES / data.draw(st.sampled_from(["nested-bucket", "cross-stack", "stages/assembly-Prod"]))
    files = {str(path): json.loads(path.read_bytes()) for path in sorted(folder.glob("*.json"))}
    for path in data.draw(st.sets(st.sampled_from(sorted(files)), min_size=1)):
        files[path] = data.draw(spoilt(files[path]))
    try:
        assembly = read_assembly(str(folder), {path: json.dumps(value).encode() for path, value in files.items()}.get)
    except AssemblyError:
        return
    for path in (*assembly.stacks, *assembly.assets.values()) if assembly is not None else ():
        assert Path(path).is_relative_to(folder)
        assert ".." not in Path(path).parts


def test_other_files_called_manifest_are_none() -> None:
    assert read_assembly("/a", {"/a/manifest.json": b'{"name": "a web page"}'}.get) is None
    assert read_assembly("/a", {"/b": b""}.get) is None


def test_each_app_has_its_assembly() -> None:
    assert {path.name for path in ASSEMBLIES.iterdir()} == {path.stem for path in (CDK / "apps").iterdir()}


@pytest.mark.skipif("TRAILGUARD_CDK_MODULES" not in os.environ, reason="TRAILGUARD_CDK_MODULES names no node_modules")
@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")
def test_the_assemblies_are_what_the_apps_make(tmp_path: Path) -> None:
    for name in ("apps", "synthesize.js"):
        source = CDK / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, tmp_path / name)
    (tmp_path / "node_modules").symlink_to(os.environ["TRAILGUARD_CDK_MODULES"])
    subprocess.run(["node", "synthesize.js", str(tmp_path / "out")], cwd=tmp_path, check=True)
    recorded, made = (
        {str(path.relative_to(folder)): path for path in folder.rglob("*.template.json")}
        for folder in (ASSEMBLIES, tmp_path / "out")
    )
    assert recorded.keys() == made.keys()
    for name, path in recorded.items():
        assert filecmp.cmp(path, made[name], shallow=False), name
