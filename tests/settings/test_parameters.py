"""Parameter files, in each shape that the AWS tools take, and what is said of those that cannot be read."""

from __future__ import annotations

from pathlib import Path

import pytest

from trailguard.cloudformation.source.letters import KEPT
from trailguard.commands import cli
from trailguard.errors import ConfigError
from trailguard.settings.parameters import parameters_file
from trailguard.settings.settings import load


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / ".git").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


WANTED = {"Name": "audit", "Flag": "true", "Account": "012345678901", "List": "a,b"}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (
            "create-stack.json",
            (
                '[{"ParameterKey": "Name", "ParameterValue": "audit"},'
                '{"ParameterKey": "Flag", "ParameterValue": "true"},'
                '{"ParameterKey": "Account", "ParameterValue": "012345678901"},'
                '{"ParameterKey": "List", "ParameterValue": "a,b"},'
                '{"ParameterKey": "Kept", "UsePreviousValue": true}]'
            ),
        ),
        (
            "codepipeline.json",
            (
                '{"Parameters": {"Name": "audit", "Flag": true, "Account": "012345678901", "List": ["a", "b"]},'
                '"Tags": {"a": "b"}, "StackPolicy": {"Statement": []}}'
            ),
        ),
        ("plain.json", '{"Name": "audit", "Flag": "true", "Account": "012345678901", "List": "a,b"}'),
        ("deploy.json", '["Name=audit", "Flag=true", "Account=012345678901", "List=a,b"]'),
        ("plain.yaml", "Name: audit\nFlag: true\nAccount: 012345678901\nList: [a, b]\n"),
        ("nested.yml", "Parameters:\n  Name: audit\n  Flag: true\n  Account: 012345678901\n  List: 'a,b'\n"),
        (
            "list.yaml",
            "- Name=audit\n- Flag=true\n- ParameterKey: Account\n  ParameterValue: 012345678901\n- List=a,b\n",
        ),
        (
            "deployment.yaml",
            (
                "template-file-path: ./trail.yaml\nparameters:\n  Name: audit\n  Flag: true\n  Account: 012345678901\n"
                "  List: [a, b]\ntags:\n  owner: audit\n"
            ),
        ),
        (
            "deployment.json",
            (
                '{"template-file-path": "trail.yaml", "parameters": {"Name": "audit", "Flag": "true",'
                '"Account": "012345678901", "List": "a,b"}}'
            ),
        ),
        ("bare.yaml", "parameters: {Name: audit, Flag: true, Account: 012345678901, List: [a, b]}\n"),
        (
            "prod.env",
            "# production\nName=audit\n\nexport Flag=true\r\n  Account=012345678901  \nList='a,b'\n",
        ),
        ("prod", '\ufeffName="audit"\nFlag=true\nAccount=012345678901\nList=a,b'),
        ("values.toml", 'Name = "audit"\nFlag = true\nAccount = "012345678901"\nList = ["a", "b"]\n'),
        (
            "samconfig.toml",
            (
                'version = 0.1\n[default.deploy.parameters]\nstack_name = "s"\n'
                'parameter_overrides = "Name=audit Flag=\\"true\\" Account=012345678901 List=\'a,b\'"\n'
            ),
        ),
        (
            "samconfig.yaml",
            (
                "version: 0.1\ndefault:\n  global:\n    parameters:\n      parameter_overrides:\n"
                "        - Name=audit\n        - Flag=true Account=012345678901\n"
                "        - ParameterKey=List,ParameterValue=a,b\n"
            ),
        ),
        (
            "sam.toml",
            (
                "[default.deploy.parameters.parameter_overrides]\nName = 'audit'\nFlag = true\n"
                "Account = '012345678901'\nList = ['a', 'b']\n"
            ),
        ),
    ],
)
def test_parameter_files(folder: Path, name: str, text: str) -> None:
    write(folder / name, text)
    values = dict(parameters_file(name).values)
    assert values.pop("Kept", KEPT) == KEPT
    assert values == WANTED


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("7", 1, "parameters must be a map, or a list"),
        ("- a", 1, "a parameter must be written Key=Value"),
        ("- a=b\n- =c", 2, "a parameter must be written Key=Value"),
        ("- {ParameterKey: a}", 1, 'parameter "a" needs "ParameterValue"'),
        ("- {ParameterKye: a}", 1, 'unknown key "ParameterKye" in [0]; did you mean "ParameterKey"?'),
        ("- {ParameterValue: a}", 1, 'a parameter needs "ParameterKey"'),
        ("a: {b: c}", 1, "a must be a value"),
    ],
)
def test_wrong_parameter_files(folder: Path, text: str, line: int, message: str) -> None:
    write(folder / "p.yaml", text)
    with pytest.raises(ConfigError) as told:
        parameters_file("p.yaml")
    assert told.value.message.startswith(message)
    assert (told.value.file, told.value.line) == ("p.yaml", line)


SAM = """\
version = 0.1

[default.global.parameters]
stack_name = "audit"
parameter_overrides = "Prefix=everywhere Name=global"

[default.deploy.parameters]
parameter_overrides = ["Prefix=", 'Text="two words"', 'Path=a\\ b']

[prod.deploy.parameters]
parameter_overrides = [
  "Prefix=prod",
]

[empty.deploy.parameters]
stack_name = "audit"

[broken.deploy.parameters]
parameter_overrides = "Prefix=a two"
"""


def test_environments_of_a_samconfig(folder: Path) -> None:
    write(folder / "samconfig.toml", SAM)
    assert parameters_file("samconfig.toml").values == {"Prefix": "", "Text": "two words", "Path": "a b"}
    assert parameters_file("samconfig.toml:default") == parameters_file("samconfig.toml")
    assert parameters_file("samconfig.toml:prod").values == {"Prefix": "prod"}
    assert parameters_file(str(folder / "samconfig.toml:prod")).values == {"Prefix": "prod"}
    write(folder / "sam.toml", SAM)
    assert parameters_file("sam.toml:prod").values == {"Prefix": "prod"}


@pytest.mark.parametrize(
    ("environment", "line", "message"),
    [
        (":prd", 1, 'there is no environment "prd"; did you mean "prod"?'),
        (":version", 1, 'there is no environment "version" (one of default, prod, empty, broken)'),
        (
            ":empty",
            15,
            (
                'environment "empty" has no parameter_overrides in deploy or global.parameters; name one that has: '
                "FILE:default, FILE:prod, FILE:broken"
            ),
        ),
        (":broken", 19, "broken.deploy.parameters.parameter_overrides must be written Key=Value"),
    ],
)
def test_wrong_environments(folder: Path, environment: str, line: int, message: str) -> None:
    write(folder / "samconfig.toml", SAM)
    with pytest.raises(ConfigError) as told:
        parameters_file(f"samconfig.toml{environment}")
    assert told.value.message.startswith(message)
    assert (told.value.file, told.value.line) == ("samconfig.toml", line)


@pytest.mark.parametrize(
    ("name", "text", "line", "message"),
    [
        ("p.env", "A = 1\n", 1, "parameters must be a map, or a list of ParameterKey"),
        ("p.env", "A=1\n\nB 2\n", 3, "a line must be written KEY=VALUE"),
        ("p.env", "A=1\nB=2\nA=3\n", 3, '"A" is set twice'),
        ("p.env", "A=1 B=2\n", 1, "the value of A must stand in quotes, or alone in its line"),
        ("p.env", "A=1 # one\n", 1, "the value of A must stand in quotes, or alone in its line"),
        ("p.env", 'A=1\nB="x\n', 2, "the value of B must stand in quotes"),
        ("p.env", "A=1\nB='x' 'y'\n", 2, "the value of B must stand in quotes"),
        (
            "d.yaml",
            "template-file-path: t\nparamters: {A: 1}\n",
            2,
            'unknown key "paramters"; did you mean "parameters"?',
        ),
        ("d.yaml", "template-file-path: t\nparameters:\n  A: {b: c}\n", 3, "parameters.A must be a value"),
        ("d.yaml", "template-file-path: t\nparameters: [A]\n", 2, "parameters must be a map"),
        ("samconfig.toml", "version = 0.1\n", 1, 'there is no environment "default"'),
        ("samconfig.toml", "[default.deploy.parameters]\nparameter_overrides = 7", 2, "default.deploy.parameters.para"),
        (
            "samconfig.yaml",
            "default: {deploy: {parameters: {parameter_overrides: [7]}}}",
            1,
            "default.deploy.parameters.",
        ),
        ("samconfig.yaml", "default:\n  deploy:\n    parameters:\n      parameter_overrides:\n", 4, "default.deploy."),
        ("samconfig.toml", "[default.deploy", 1, "Expected ']'"),
    ],
)
def test_what_is_wrong_has_file_and_line(folder: Path, name: str, text: str, line: int, message: str) -> None:
    write(folder / name, text)
    with pytest.raises(ConfigError) as told:
        parameters_file(name)
    assert told.value.message.startswith(message)
    assert (told.value.file, told.value.line) == (name, line)


def test_a_file_without_environments_has_none_to_name(folder: Path) -> None:
    write(folder / "p.json", '{"A": "1"}')
    with pytest.raises(ConfigError, match='there is no environment "prod"'):
        parameters_file("p.json:prod")
    with pytest.raises(ConfigError, match="cannot be read: No such file"):
        parameters_file("none.toml:prod")
    write(folder / "odd:name", "A=1")
    assert parameters_file("odd:name").values == {"A": "1"}


def test_context_and_option_name_an_environment(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(folder / "deploy" / "samconfig.toml", SAM)
    write(folder / ".trailguard.yaml", "contexts: [{templates: t.yaml, parameters: 'deploy/samconfig.toml:prod'}]")
    (context,) = load(".").contexts
    assert (context.name, context.parameters) == ("deploy/samconfig.toml:prod", {"Prefix": "prod"})
    assert cli.main(["scan", "--no-config", "--parameters", "deploy/samconfig.toml:broken"]) == 2
    assert capsys.readouterr().err.startswith("error: deploy/samconfig.toml:19:23: broken.deploy.parameters")
