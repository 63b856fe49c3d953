"""`trailguard path NAME`: where a part of the package is, and that it is what it is called."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import urlparse

import jsonschema
import pytest

import trailguard
from trailguard.commands import cli
from trailguard.commands.parts import PARTS

SCHEMAS = sorted((Path(trailguard.__file__).parent / "schemas").glob("*.json"))


@pytest.mark.parametrize("name", PARTS)
def test_prints_where_a_part_is(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["path", name]) == 0
    out, err = capsys.readouterr()
    path = Path(out.removesuffix("\n"))
    assert (path.is_absolute(), err) == (True, "")
    if name.endswith("-schema"):
        schema = json.loads(path.read_text(encoding="utf-8"))
        assert name.removesuffix("-schema") in Path(urlparse(schema["$id"]).path).name
    else:
        assert [file.name for file in path.glob("*.py")]


@pytest.mark.parametrize("path", SCHEMAS, ids=lambda path: path.name)
def test_a_schema_is_one_and_has_a_name_of_its_own(path: Path) -> None:
    schema = json.loads(path.read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["$id"] == f"https://trailguard.dev/schemas/{path.name.removesuffix('.schema.json')}-1.json"


def test_a_part_that_does_not_exist(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["path", "config_schema"]) == 2
    assert 'argument NAME: "config_schema" is not known; did you mean "config-schema"?' in capsys.readouterr().err
