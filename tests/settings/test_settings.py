from __future__ import annotations

import json
import os
from pathlib import Path

import jsonschema
import pytest

import trailguard
from trailguard.errors import ConfigError, did_you_mean
from trailguard.settings.checker import is_date
from trailguard.settings.settings import Settings, Waiver, load

SCHEMA = json.loads((Path(trailguard.__file__).parent / "schemas" / "config.schema.json").read_text(encoding="utf-8"))

FULL = """\
profile: cis-aws-5.0
rules:
  select: [TG101, log-file-validation]
  ignore: [TG108]
  severity: {TG101: critical}
  options: {TG305: {days: 90, buckets: [a, 1.5, true]}}
rule_dirs: [policies]
parameters: {Region: eu-west-1, Flag: yes, Account: 012345678901, Zones: [a, b], Days: 7, Hex: 0x10}
region: eu-west-1
account_id: 012345678901
partition: aws
include: ["*.yml"]
exclude: [node_modules]
fail_on: conditional
fail_severity: high
min_severity: medium
docs_url: https://docs.example.com/trailguard
waivers:
  - rule: TG101
    file: legacy/**
    resource: Trail
    reason: replaced in spring
    expires: 2027-03-31
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / ".git").mkdir()
    (tmp_path / "policies").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def test_every_key(folder: Path) -> None:
    write(folder / ".trailguard.yaml", FULL)
    settings = load(".")
    assert settings.place("rules", "options", "TG305", "buckets") == (".trailguard.yaml", 6, 40)
    assert settings.place("rules", "ignore", 0) == (".trailguard.yaml", 4, 12)
    assert settings.place("baseline") == ("", 0, 0)
    assert settings._replace(places={}) == Settings(
        profile="cis-aws-5.0",
        select=("TG101", "log-file-validation"),
        ignore=("TG108",),
        severities={"TG101": "critical"},
        options={"TG305": {"days": 90, "buckets": ["a", 1.5, True]}},
        rule_dirs=(str(folder / "policies"),),
        parameters={
            "Region": "eu-west-1",
            "Flag": "yes",
            "Account": "012345678901",
            "Zones": "a,b",
            "Days": "7",
            "Hex": "0x10",
        },
        region="eu-west-1",
        account_id="012345678901",
        partition="aws",
        include=("*.yml",),
        exclude=("node_modules",),
        fail_on="conditional",
        fail_severity="high",
        min_severity="medium",
        docs_url="https://docs.example.com/trailguard",
        waivers=(Waiver("TG101", "legacy/**", "Trail", "replaced in spring", "2027-03-31", ".trailguard.yaml", 19, 5),),
        source=".trailguard.yaml",
        root=str(folder),
    )


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (".trailguard.yaml", "profile: [soc2, default, soc2]\n"),
        (".trailguard.yaml", "profile: soc2, default\n"),
        ("pyproject.toml", "[tool.trailguard]\nprofile = ['soc2', 'default']\n"),
    ],
)
def test_several_profiles(folder: Path, name: str, text: str) -> None:
    write(folder / name, text)
    assert load(".").profiles == ("soc2", "default")


def test_pyproject(folder: Path) -> None:
    write(
        folder / "pyproject.toml",
        '[project]\nname = "x"\n[tool.trailguard]\nprofile = "all"\nparameters = {Flag = true, Days = 7}\n'
        '[[tool.trailguard.waivers]]\nrule = "TG101"\nfile = "*"\nreason = "r"\nexpires = 2027-03-31\n',
    )
    settings = load(".")
    assert settings.profile == "all"
    assert settings.parameters == {"Flag": "true", "Days": "7"}
    assert settings.waivers == (Waiver("TG101", "*", "", "r", "2027-03-31", "pyproject.toml", 6, 1),)


@pytest.mark.parametrize("text", ["", "# nothing\n", "---\n", "{}", "rules:\nparameters:\n"])
def test_nothing_set(folder: Path, text: str) -> None:
    write(folder / ".trailguard.yml", text)
    assert load(".")._replace(places={}) == Settings(source=".trailguard.yml", root=str(folder))


def test_nearest_wins_up_to_the_repository(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(folder / ".trailguard.yaml", "profile: outer")
    write(folder / "repo/.git", "gitdir: elsewhere")
    deep = write(folder / "repo/a/b/x", "").parent
    monkeypatch.chdir(deep)
    assert load(".") == Settings()
    write(folder / "repo/.trailguard.yaml", "profile: repo")
    assert load(".").profile == "repo"
    assert load(".").source == "../../.trailguard.yaml"
    write(folder / "repo/a/pyproject.toml", "[project]\nname = 'trailguard-user'\n")
    assert load(".").profile == "repo"
    write(folder / "repo/a/pyproject.toml", "[tool.trailguard]\nprofile = 'a'\n")
    assert load(".").profile == "a"


def test_outside_of_a_repository_only_this_folder_counts(tmp_path: Path) -> None:
    write(tmp_path / ".trailguard.yaml", "profile: planted")
    (tmp_path / "a").mkdir()
    assert load(str(tmp_path / "a")) == Settings()
    assert load(str(tmp_path)).profile == "planted"


def test_two_in_one_folder_are_told(folder: Path) -> None:
    write(folder / ".trailguard.yaml", "profile: one")
    write(folder / ".trailguard.yml", "profile: two")
    write(folder / "pyproject.toml", "[tool.trailguard]\nprofile = 'three'\n")
    settings = load(".")
    assert settings.profile == "one"
    assert settings.notes == (
        ".trailguard.yml is not used, because .trailguard.yaml stands beside it",
        "pyproject.toml is not used, because .trailguard.yaml stands beside it",
    )


def test_explicit(folder: Path) -> None:
    write(folder / ".trailguard.yaml", "profile: near")
    write(folder / "c/ci.yaml", "profile: ci\nrule_dirs: [r]")
    (folder / "c/r").mkdir()
    assert load(".", "c/ci.yaml").profile == "ci"
    assert load(".", "c/ci.yaml").rule_dirs == (str(folder / "c" / "r"),)
    write(folder / "c/ci.toml", "profile = 'toml'")
    assert load(".", "c/ci.toml").profile == "toml"
    write(folder / "c/pyproject.toml", "[project]\nname = 'x'")
    with pytest.raises(ConfigError, match=r"there is no \[tool.trailguard\] table"):
        load(".", "c/pyproject.toml")
    with pytest.raises(ConfigError, match="cannot be read: No such file"):
        load(".", "c/none.yaml")


WRONG = [
    ("profle: x", 1, 1, 'unknown key "profle"; did you mean "profile"?'),
    ("a: 1\n", 1, 1, 'unknown key "a" (one of profile, rules,'),
    ("profile: {a: b}", 1, 10, "profile must be text that is not empty"),
    ("profile: []", 1, 10, "profile names no profile"),
    ("profile: [soc2, '']", 1, 17, "profile[1] must be text that is not empty"),
    ("profile: ''", 1, 10, "profile must be text that is not empty"),
    ("profile: 7", 1, 10, "profile must be text that is not empty"),
    ("- profile", 1, 1, "the configuration must be a map of settings"),
    ("just text", 1, 1, "the configuration must be a map of settings"),
    ("fail_on: error", 1, 10, 'fail_on cannot be "error" (one of fail, conditional, unknown)'),
    ("fail_on: Fail", 1, 10, 'fail_on cannot be "Fail"; did you mean "fail"?'),
    ("fail_on: on", 1, 10, 'fail_on cannot be "on" (one of'),
    ("min_severity: hihg", 1, 15, 'min_severity cannot be "hihg"; did you mean "high"?'),
    ("rules:\n  selct: [TG101]", 2, 3, 'unknown key "selct" in rules; did you mean "select"?'),
    ("rules:\n  select: TG101", 2, 11, "rules.select must be a list"),
    ("rules:\n  select: [TG101, [x]]", 2, 19, "rules.select[1] must be text"),
    ("rules:\n  severity: {TG101: hgih}", 2, 21, 'rules.severity.TG101 cannot be "hgih"; did you mean "high"?'),
    ("rules:\n  severity: [TG101]", 2, 13, "rules.severity must be a map of names to values"),
    ("rules:\n  options: {TG305: 7}", 2, 20, "rules.options.TG305 must be a map of names to values"),
    ("rule_dirs: x", 1, 12, "rule_dirs must be a list"),
    ("parameters: [a]", 1, 13, "parameters must be a map"),
    ("parameters: {A: {b: c}}", 1, 17, "parameters.A must be a value"),
    ("parameters:\n  A:\n", 2, 3, "parameters.A must be a value"),
    ("region: Ireland", 1, 9, "region must be a Region such as eu-west-1"),
    ("account_id: 1234", 1, 13, "account_id must be 12 digits"),
    ("partition: china", 1, 12, "partition must be a partition"),
    ("docs_url: docs.example.com", 1, 11, "docs_url must be an address that begins with https:// or http://"),
    ("docs_url: 'https://a b'", 1, 11, "docs_url must be an address"),
    ("waivers: {}", 1, 10, "waivers must be a list"),
    ("waivers: [TG101]", 1, 11, "waivers[0] must be a map of settings"),
    ("waivers:\n  - rule: TG101\n    file: x\n    reason: r", 2, 5, 'a waiver needs "expires"'),
    ("waivers:\n  - {rule: TG101, file: x, expires: 2027-01-01}", 2, 5, 'a waiver needs "reason"'),
    ("waivers:\n  - {rule: a, file: b, reason: c, expires: 2027-02-30}", 2, 44, "expires must be a date such as"),
    (
        "waivers:\n  - {rule: a, file: b, reason: c, expires: soon}",
        2,
        44,
        'expires must be a date such as 2027-01-31, not "soon"',
    ),
    ("waivers:\n  - {rle: a}", 2, 6, 'unknown key "rle" in waivers[0]; did you mean "rule"?'),
]


@pytest.mark.parametrize(("text", "line", "column", "message"), WRONG)
def test_what_is_wrong_is_told_with_its_place(folder: Path, text: str, line: int, column: int, message: str) -> None:
    write(folder / ".trailguard.yaml", text)
    with pytest.raises(ConfigError) as told:
        load(".")
    assert told.value.message.startswith(message)
    assert told.value.file == ".trailguard.yaml"
    assert told.value.line == line
    if not text.endswith("A:\n"):  # where an empty value stands is the YAML reader's business
        assert told.value.column == column


@pytest.mark.parametrize(
    ("text", "line", "column", "message"),
    [
        ("[tool.trailguard]\n\nprofle = 'x'", 3, 1, 'unknown key "profle"; did you mean "profile"?'),
        ("[tool.trailguard]\nfail_on = 'always'", 2, 11, 'fail_on cannot be "always"'),
        ("[tool.trailguard.rules]\nselect = ['TG101', 3]", 2, 10, "rules.select[1] must be text"),
        ("[tool.trailguard]\nrules.severity.TG101 = 'hgih'", 2, 24, "rules.severity.TG101 cannot be"),
        ("[tool.trailguard]\n[[tool.trailguard.waivers]]\nrule = 'x'", 2, 1, 'a waiver needs "file"'),
        ("[tool]\ntrailguard = 3", 2, 14, "the configuration must be a map"),
        ("[tool.trailguard\n", 1, 17, "Expected ']' at the end of a table declaration"),
        ("[tool.trailguard]\nx = ", 2, 5, "Invalid value"),
    ],
)
def test_toml(folder: Path, text: str, line: int, column: int, message: str) -> None:
    write(folder / "pyproject.toml", text)
    with pytest.raises(ConfigError) as told:
        load(".")
    assert told.value.message.startswith(message)
    assert (told.value.file, told.value.line, told.value.column) == ("pyproject.toml", line, column)


def test_a_file_that_is_no_yaml(folder: Path) -> None:
    write(folder / ".trailguard.yaml", "profile: [")
    with pytest.raises(ConfigError) as told:
        load(".")
    assert told.value.line == 1
    (folder / ".trailguard.yaml").unlink()
    (folder / ".trailguard.yaml").mkdir()
    with pytest.raises(ConfigError, match="cannot be read"):
        load(".")


@pytest.mark.parametrize("text", [FULL, "{}", "profile: x", "rules:", *(case[0] for case in WRONG)])
def test_the_published_schema_says_the_same(folder: Path, text: str) -> None:
    import yaml

    write(folder / ".trailguard.yaml", text)
    try:
        load(".")
        good = True
    except ConfigError:
        good = False
    # A schema sees constructed values; dates and accounts are taken as they are written.
    data = yaml.load(
        text.replace("012345678901", "'012345678901'"), yaml.BaseLoader if "expires" in text else yaml.SafeLoader
    )
    if isinstance(data, dict):
        data = {key: None if value == "" else value for key, value in data.items()}
    if "2027-02-30" in text:
        pytest.skip("formats are not checked by default")
    assert jsonschema.Draft202012Validator(SCHEMA).is_valid(data) is good


def test_nearest() -> None:
    assert did_you_mean("SCANN", ["scan", "rules"]) == '; did you mean "scan"?'
    assert did_you_mean("zzz", ["scan", "rules"]) == " (one of scan, rules)"


@pytest.mark.parametrize(
    ("text", "good"),
    [("2028-02-29", True), ("2027-02-29", False), ("0000-01-01", False), ("2027-1-1", False), ("²027-01-01", False)],
)
def test_dates(text: str, good: bool) -> None:
    assert is_date(text) is good


def test_settings_travel_to_other_processes() -> None:
    import pickle

    assert pickle.loads(pickle.dumps(Settings())) == Settings()
    assert os.path.isfile(Path(trailguard.__file__).parent / "schemas" / "report.schema.json")


SECRET = "hunter2"


@pytest.mark.parametrize(
    ("text", "column", "message"),
    [
        ("baseline: /etc/x.json", 11, "baseline: /etc/x.json must be a path from the configuration's folder"),
        ("baseline: ~/x.json", 11, "baseline: ~/x.json must be a path from the configuration's folder"),
        ("baseline: ../../x.json", 11, "baseline: ../../x.json leads out of the repository"),
        ("baseline: out/x.json", 11, "baseline: out/x.json leads out of the repository"),
        ("rule_dirs: [../../rules]", 13, "rule_dirs[0]: ../../rules leads out of the repository"),
        ("rule_dirs: [gone]", 13, "rule_dirs[0]: gone: there is no such folder"),
        (
            "rule_dirs: [linked]",
            13,
            "rule_dirs[0]: in linked, TG1-x/rule.yaml is a link that leads out of the repository",
        ),
        ("contexts: [{templates: a, parameters: ../../p.json}]", 39, "contexts[0].parameters: ../../p.json leads out"),
        ("contexts: [{templates: a, parameters: ~/p.json}]", 39, "contexts[0].parameters: ~/p.json must be a path"),
        ("contexts: [{templates: a, parameters: out/p.json}]", 39, "contexts[0].parameters: out/p.json leads out"),
        (
            "contexts: [{templates: a, parameters: pipe}]",
            39,
            "contexts[0].parameters names pipe: cannot be read: it is n",
        ),
        (
            "contexts: [{templates: a, parameters: huge}]",
            39,
            "contexts[0].parameters names huge: cannot be read: it has more",
        ),
        ("contexts: [{templates: '', parameters: p}]", 24, "contexts[0].templates must be text that is not empty"),
        ("exclude: ['!']", 11, 'exclude[0]: the pattern "!" fits nothing'),
        ("include: ['#x']", 11, 'include[0]: the pattern "#x" fits nothing'),
    ],
)
def test_a_configuration_that_was_found_reaches_into_its_repository_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, column: int, message: str
) -> None:
    write(tmp_path / "p.json", f'["{SECRET}"]')
    write(tmp_path / "x.json", f'["{SECRET}"]')
    write(tmp_path / "rules/TG1-x/rule.yaml", SECRET)
    folder = tmp_path / "repo" / "in"
    folder.mkdir(parents=True)
    (tmp_path / "repo" / ".git").mkdir()
    (folder / "out").symlink_to(tmp_path)
    (folder / "linked" / "TG1-x").mkdir(parents=True)
    (folder / "linked" / "TG1-x" / "rule.yaml").symlink_to(tmp_path / "rules/TG1-x/rule.yaml")
    os.mkfifo(folder / "pipe")
    with (folder / "huge").open("wb") as stream:
        stream.truncate(2**34)
    write(folder / ".trailguard.yaml", text)
    monkeypatch.chdir(folder)
    with pytest.raises(ConfigError) as told:
        load(".")
    assert (told.value.file, told.value.line, told.value.column) == (".trailguard.yaml", 1, column)
    assert told.value.message.startswith(message)
    assert SECRET not in str(told.value)


def test_a_configuration_reaches_all_of_its_repository_and_a_named_one_everything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    write(tmp_path / "p.json", '{"A": "b"}')
    write(tmp_path / "repo/p.json", '{"A": "c"}')
    (tmp_path / "repo" / ".git").mkdir()
    (tmp_path / "rules").mkdir()
    found = write(tmp_path / "repo/in/.trailguard.yaml", "contexts: [{templates: a, parameters: ../p.json}]")
    assert load(str(found.parent)).contexts[0].parameters == {"A": "c"}
    text = f"contexts: [{{templates: a, parameters: ~/p.json}}]\nrule_dirs: [{tmp_path}/rules]\nbaseline: ../../b"
    write(found, text)
    named = load(".", str(found))
    assert (named.contexts[0].parameters, named.rule_dirs) == ({"A": "b"}, (str(tmp_path / "rules"),))


@pytest.mark.parametrize("name", [".trailguard.yaml", ".trailguard.yml", "pyproject.toml"])
@pytest.mark.parametrize("target", ["/dev/zero", "outside", "pipe", "huge"])
def test_a_configuration_is_a_file_of_its_repository(tmp_path: Path, name: str, target: str) -> None:
    write(tmp_path / "outside", f"[tool.trailguard]\nprofile = {SECRET}")
    folder = tmp_path / "repo"
    (folder / ".git").mkdir(parents=True)
    os.mkfifo(folder / "pipe")
    with (folder / "huge").open("wb") as stream:
        stream.truncate(2**34)
    (folder / name).symlink_to(tmp_path / "outside" if target == "outside" else target)
    with pytest.raises(ConfigError) as told:
        load(str(folder))
    assert told.value.file.endswith(name)
    assert SECRET not in str(told.value)
