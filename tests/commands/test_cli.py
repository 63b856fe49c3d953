from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

import trailguard
import trailguard.commands.rules_markdown  # before a test puts another rulebook in its place
import trailguard.scanning as real
from tests.reporters.samples import RULES, finding, sample
from trailguard import judging, rulebook
from trailguard.commands import cli
from trailguard.errors import RuleError
from trailguard.findings import CONDITIONAL, FAIL, PASS, UNKNOWN, FileError, Report, Severity, Suppression, Verdict
from trailguard.rulebook.rule import Rule
from trailguard.settings.settings import Asked, Settings

if TYPE_CHECKING:
    from collections.abc import Sequence

GOOD = sample()._replace(results=(finding(verdict=PASS),), errors=(), notices=(), files=1, templates=1, subjects=1)
NONE = GOOD._replace(results=(), files=3, templates=0, subjects=0)


class Case(NamedTuple):
    rule: str
    file: str
    expected: str
    actual: str
    ok: bool
    explanation: str


class Outcome(NamedTuple):
    cases: tuple[Case, ...]
    errors: tuple[FileError, ...]


class Engine(ModuleType):
    """Stands for trailguard.scanning and ruletests: answers as the test says, and remembers what it was asked."""

    def __init__(self) -> None:
        super().__init__("trailguard.scanning")
        self.Look, self.Outcome, self.Tick = real.Look, real.Outcome, real.Tick  # what looks for fixes
        self.report: Report | BaseException = GOOD
        self.outcome = Outcome((Case("TG101", "pass/a.yaml", "pass", "pass", True, ""),), ())
        self.calls: list[dict[str, Any]] = []

    def scan(self, paths: Sequence[str], settings: Settings, **more: Any) -> Report:
        self.calls.append({"paths": list(paths), "settings": settings, **more})
        if isinstance(self.report, BaseException):
            raise self.report
        return self.report._replace(threshold=settings.threshold)

    def facts(self, path: str, settings: Settings, stdin: bytes | None = None) -> dict[str, object]:
        self.calls.append({"path": path, "settings": settings})
        return {"file": path, "hostile": "\x1b\x9b\u202e\udcff"}

    def test_rules(self, folder: str | None, settings: Settings) -> Outcome:
        return self.outcome

    @property
    def settings(self) -> Settings:
        found: Settings = self.calls[-1]["settings"]
        return found


class Shell(NamedTuple):
    engine: Engine
    capture: pytest.CaptureFixture[str]
    folder: Path

    def __call__(self, *argv: str) -> tuple[int, str, str]:
        self.capture.readouterr()
        status = cli.main(argv)
        out, err = self.capture.readouterr()
        return status, out, err


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Shell:
    engine = Engine()
    for package, name in ((trailguard, "scanning"), (judging, "ruletests"), (judging, "factsheet")):
        monkeypatch.setitem(sys.modules, f"{package.__name__}.{name}", engine)
        monkeypatch.setattr(package, name, engine, raising=False)
    for name in ("COLUMNS", "NO_COLOR", "FORCE_COLOR", "CLICOLOR_FORCE", "GITHUB_WORKSPACE", "TRAILGUARD_DEBUG"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / ".git").mkdir()
    monkeypatch.chdir(tmp_path)
    return Shell(engine, capsys, tmp_path)


def test_help_and_version(run: Shell) -> None:
    status, out, err = run("--help")
    assert (status, err) == (0, "")
    assert out.startswith("usage: trailguard COMMAND")
    assert run("-V") == (0, f"trailguard {trailguard.__version__}\n", "")
    status, out, err = run()
    assert (status, out) == (2, "")
    assert "commands:" in err


@pytest.mark.parametrize("command", ["scan", "rules", "explain", "facts", "test", "init"])
def test_every_command_has_help_with_examples(run: Shell, command: str) -> None:
    status, out, err = run(command, "--help")
    assert (status, err) == (0, "")
    assert f"usage: trailguard {command}" in out
    assert f"examples:\n  trailguard {command}" in out


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (("scna",), 'there is no command "scna"; did you mean "scan"?'),
        (
            ("zzz",),
            'there is no command "zzz" (one of scan, fix, rules, explain, baseline, snapshot, graph, facts, test, init',
        ),
        (("x.yaml",), 'there is no command "x.yaml"; did you mean "trailguard scan x.yaml"?'),
        (("--fromat", "json"), 'there is no command "--fromat"'),
        (("scan", "--fromat", "json"), "unknown option --fromat; did you mean"),
        (("scan", "--zzz"), "unknown option --zzz\n"),
        (("scan", "--format", "jsn"), '"jsn" is not known; did you mean "json"?'),
        (("scan", "--form", "json"), "unknown option --form; did you mean"),
        (("scan", "--fail-on", "warn"), '"warn" is not known (one of fail, conditional, unknown)'),
        (("scan", "--min-severity", "hihg"), '"hihg" is not known; did you mean "high"?'),
        (("scan", "--parameter", "x"), '"x" must be written KEY=VALUE'),
        (("scan", "--account-id", "12"), '"12" is not 12 digits'),
        (("scan", "--region", "ireland"), '"ireland" is not a Region such as eu-west-1'),
        (("scan", "--jobs", "0"), '"0" is not a number of processes'),
        (("scan", "--jobs", "many"), '"many" is not a number of processes'),
        (
            ("scan", "--output", "sarfi:out"),
            'format "sarfi" is not known; did you mean "sarif"?; a file is ./sarfi:out',
        ),
        (("scan", "--output", "sarif:"), '"sarif:" names no file'),
        (("scan", "-q", "-v"), "not allowed with argument"),
        (("scan", "--config", "a", "--no-config"), "not allowed with argument"),
        (("scan", "-", "-"), '"-" can be given once'),
        (("explain",), "the following arguments are required: ID|NAME"),
        (("facts", "a", "b"), "unknown argument b"),
        (("scan", "--config", "none.yaml"), "error: none.yaml: cannot be read: No such file"),
        (("scan", "--parameters", "none.json"), "error: none.json: cannot be read: No such file"),
    ],
)
def test_usage_errors(run: Shell, argv: tuple[str, ...], message: str) -> None:
    (run.folder / "x.yaml").touch()
    status, out, err = run(*argv)
    assert (status, out) == (2, "")
    assert message in err
    assert err.startswith("error: ")
    assert run.engine.calls == []


def test_options_reach_the_engine(run: Shell) -> None:
    (run.folder / ".trailguard.yaml").write_text(
        "profile: soc2\nrules: {select: [TG109], ignore: [TG108]}\nparameters: {A: a, B: b, C: c}\nregion: eu-west-1\n"
        "exclude: [old]\ninclude: ['*.x']\nfail_on: unknown\nrule_dirs: [mine]\n"
    )
    (run.folder / "one.json").write_text('{"B": "one", "C": "one"}')
    (run.folder / "two.json").write_text('["C=two"]')
    argv = [
        "scan",
        "a.yaml",
        "--select",
        "TG101,TG102",
        "--select",
        "TG103",
        "--ignore",
        "TG102",
        "b",
        "--rules-dir",
        "r",
    ]
    argv += ["--parameters", "one.json", "--parameter", "D=x=y", "--parameters", "two.json", "--exclude", "tmp"]
    argv += ["--include", "*.yaml,*.json", "--account-id", "123456789012", "--partition", "aws-cn", "--jobs", "3"]
    (run.folder / "mine").mkdir()
    assert run(*argv)[0] == 0
    call = run.engine.calls[0]
    assert call["paths"] == ["a.yaml", "b"]
    assert (call["jobs"], call["stdin"], call["stdin_filename"]) == (3, None, "<stdin>")
    asked = call["settings"].asked
    assert asked.patterns == {name: name for name in ("*.yaml", "*.json", "tmp")}
    assert [values.source for values in asked.values] == ["one.json", "two.json", ""]
    assert asked.ignored == 1
    assert call["settings"]._replace(places={}, asked=Asked()) == Settings(
        profile="soc2",
        select=("TG101", "TG102", "TG103"),
        ignore=("TG108", "TG102"),
        rule_dirs=(str(run.folder / "mine"), "r"),
        parameters={"A": "a", "B": "one", "C": "two", "D": "x=y"},
        region="eu-west-1",
        account_id="123456789012",
        partition="aws-cn",
        include=("*.yaml", "*.json"),
        exclude=("old", "tmp"),
        fail_on="unknown",
        source=".trailguard.yaml",
        root=str(run.folder),
    )
    run("scan", "--profile", "hipaa", "--profile", "soc2")
    assert run.engine.settings.profiles == ("hipaa", "soc2")
    run("scan", "--profile", "hipaa")
    assert (run.engine.settings.profile, run.engine.settings.select) == ("hipaa", ())
    run("scan", "--no-config")
    assert run.engine.settings == Settings()
    assert run.engine.calls[-1]["paths"] == ["."]
    (run.folder / "ci.yaml").write_text("profile: ci")
    run("scan", "--config", "ci.yaml", "--min-severity", "high", "--fail-on", "fail")
    assert run.engine.settings.profile == "ci"


def test_two_configurations_are_told(run: Shell) -> None:
    (run.folder / ".trailguard.yaml").touch()
    (run.folder / ".trailguard.yml").touch()
    assert run("scan")[2].startswith("note: .trailguard.yml is not used")


def test_a_wrong_configuration(run: Shell) -> None:
    (run.folder / ".trailguard.yaml").write_text("\nfail_no: fail")
    assert run("scan") == (
        2,
        "",
        'error: .trailguard.yaml:2:1: unknown key "fail_no"; did you mean "fail_on"?\n',
    )


def test_standard_input(run: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    class Stdin:
        class buffer:  # noqa: N801
            read = staticmethod(lambda most: b"Resources: {}"[:most])

    monkeypatch.setattr(sys, "stdin", Stdin)
    assert run("scan", "-", "--stdin-filename", "a.yaml")[0] == 0
    assert run.engine.calls[0]["stdin"] == b"Resources: {}"
    assert run.engine.calls[0]["stdin_filename"] == "a.yaml"


@pytest.mark.parametrize(
    ("verdict", "severity", "options", "status"),
    [
        (FAIL, "info", (), 1),
        (CONDITIONAL, "critical", (), 0),
        (UNKNOWN, "critical", (), 0),
        (PASS, "critical", ("--fail-on", "unknown"), 0),
        (CONDITIONAL, "info", ("--fail-on", "conditional"), 1),
        (UNKNOWN, "info", ("--fail-on", "conditional"), 0),
        (UNKNOWN, "info", ("--fail-on", "unknown"), 1),
        (FAIL, "info", ("--fail-on", "unknown"), 1),
        (FAIL, "medium", ("--fail-severity", "high"), 0),
        (FAIL, "high", ("--fail-severity", "high"), 1),
        (FAIL, "critical", ("--fail-severity", "high"), 1),
        (FAIL, "critical", ("--exit-zero",), 0),
        (CONDITIONAL, "high", ("--fail-on", "unknown", "--fail-severity", "critical"), 0),
    ],
)
def test_exit_status(run: Shell, verdict: Verdict, severity: Severity, options: tuple[str, ...], status: int) -> None:
    run.engine.report = GOOD._replace(results=(finding(RULES[0]._replace(severity=severity), verdict),))
    assert run("scan", *options)[0] == status
    run.engine.report = run.engine.report._replace(errors=(FileError("x", 1, 1, "broken"),))
    assert run("scan", *options)[0] == 2
    suppressed = finding(RULES[0]._replace(severity=severity), verdict, suppressed=Suppression("comment", "why"))
    run.engine.report = GOOD._replace(results=(suppressed,))
    assert run("scan", *options)[0] == 0


def test_nothing_to_judge(run: Shell) -> None:
    run.engine.report = NONE
    status, out, err = run("scan", "a", "-q")
    assert (status, out, err) == (0, "", "no CloudFormation template in a\n")
    assert run("scan", "--require-templates")[0] == 2
    run.engine.report = NONE._replace(templates=1)
    assert run("scan", "--require-templates", "-q") == (0, "", "no trail to judge in .\n")


@pytest.mark.parametrize("form", ["text", "json", "sarif", "github"])
def test_formats(run: Shell, form: str) -> None:
    run.engine.report = sample()
    status, out, err = run("scan", "--format", form)
    assert (status, err) == (2, "")
    assert {"text": "FAIL", "json": '"trailguard-report/1"', "sarif": '"2.1.0"', "github": "::error file="}[form] in out
    if form in ("json", "sarif"):
        json.loads(out)
    assert run("scan", "--format", form) == (status, out, err)


def test_output_files(run: Shell) -> None:
    run.engine.report = sample()
    status, out, err = run("scan", "--output", "sarif:o.sarif", "--output", "json:o:x.json", "--output", "github:g.txt")
    assert (status, err) == (2, "")
    assert out.startswith("ERROR")
    assert json.loads((run.folder / "o.sarif").read_text())["version"] == "2.1.0"
    assert json.loads((run.folder / "o:x.json").read_text())["profile"] == "default"
    assert run("scan", "--format", "json", "--output", "report")[1] == ""
    assert json.loads((run.folder / "report").read_text())["profile"] == "default"
    assert run("scan", "--output", "by-name.sarif")[1] == ""
    assert json.loads((run.folder / "by-name.sarif").read_text())["version"] == "2.1.0"
    assert run("scan", "--output", "plain.txt", "--color", "always")[1] == ""
    assert "\x1b[" in (run.folder / "plain.txt").read_text()
    assert run("scan", "--output", "p.txt", "--output", "json:-")[1].startswith("{")
    assert "\x1b[" not in (run.folder / "p.txt").read_text()


def test_output_on_another_drive_is_a_file(run: Shell) -> None:
    from trailguard.commands.options import parse

    assert parse("scan", ["--output", r"C:\out.json"]).output == [(None, r"C:\out.json")]
    assert parse("scan", ["--output", r"json:C:\out.json"]).output == [("json", r"C:\out.json")]
    assert parse("scan", ["--output", "./sarfi:x"]).output == [(None, "./sarfi:x")]


def test_a_file_that_cannot_be_written(run: Shell) -> None:
    status, out, err = run("scan", "--output", "json:none/o.json")
    assert status == 2
    assert "1 pass" in out
    assert err == "error: none/o.json: cannot be written: no such file or directory\n"


def test_colour(run: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "\x1b" not in run("scan")[1]
    assert "\x1b[1" in run("scan", "--color", "always")[1] or "\x1b[32" in run("scan", "--color", "always")[1]
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert "\x1b" in run("scan")[1]
    assert "\x1b" not in run("scan", "--color", "never")[1]


def test_an_internal_error_is_told_in_one_line(run: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    run.engine.report = TypeError("bad \x1b[31m")
    status, out, err = run("scan")
    assert (status, out) == (2, "")
    assert err == (
        "error: internal error: TypeError: bad \\x1b[31m (set TRAILGUARD_DEBUG=1 to see where; please report it)\n"
    )
    monkeypatch.setenv("TRAILGUARD_DEBUG", "1")
    with pytest.raises(TypeError):
        run("scan")


def test_a_rule_that_is_wrong(run: Shell) -> None:
    run.engine.report = RuleError("r/rule.yaml", 3, 1, "unknown fact")
    assert run("scan") == (2, "", "error: r/rule.yaml:3:1: unknown fact\n")
    run.engine.report = RuleError("", 0, 0, "unknown fact")
    assert run("scan") == (2, "", "error: unknown fact\n")


def test_an_interruption_is_quiet(run: Shell) -> None:
    run.engine.report = KeyboardInterrupt()
    assert run("scan") == (130, "", "")


def test_facts(run: Shell) -> None:
    status, out, err = run("facts", "x.yaml", "--parameter", "A=b")
    assert (status, err) == (0, "")
    assert "\x9b" not in out
    assert json.loads(out) == {"file": "x.yaml", "hostile": "\x1b\x9b\u202e\\udcff"}
    assert run.engine.settings.parameters == {"A": "b"}


def test_the_list_of_facts(run: Shell) -> None:
    status, out, err = run("facts", "--list")
    assert (status, err) == (0, "")
    assert "\n  policy.log_write_allowed  boolean\n" in out
    assert json.loads(run("facts", "--list", "--format", "json")[1])["schema"] == "trailguard-fact-list/1"
    assert run("facts", "--list", "--format", "markdown")[1].startswith("# Facts\n")
    assert run("facts", "--list", "a.yaml") == (2, "", "error: --list takes no template\n")
    assert run("facts") == (2, "", "error: name a template, or list all facts with --list\n")
    told = "error: --format is for --list; the facts of a template are JSON\n"
    assert run("facts", "a.yaml", "--format", "json") == (2, "", told)


def test_rule_tests(run: Shell) -> None:
    assert run("test") == (0, "1 rule, 1 examples, 0 wrong, 0 errors\n", "")
    run.engine.outcome = run.engine.outcome._replace(
        cases=(Case("TG101", "fail/b.yaml", "fail", "unknown", False, "line 3: it depends on an import"),)
    )
    status, out, err = run("test", "rules")
    assert (status, err) == (1, "")
    assert out == (
        "WRONG  TG101  fail/b.yaml\n  expected fail, got unknown\n  line 3: it depends on an import\n\n"
        "1 rule, 1 examples, 1 wrong, 0 errors\n"
    )
    assert json.loads(run("test", "--format", "json")[1])["cases"][0]["ok"] is False
    run.engine.outcome = Outcome(run.engine.outcome.cases, (FileError("r/rule.yaml", 2, 1, "no id"),))
    assert run("test")[0] == 2
    run.engine.outcome = Outcome((), ())
    assert run("test")[0] == 2


class Book(ModuleType):
    """Stands for trailguard.rulebook.shelf."""

    def __init__(self, folder: str) -> None:
        super().__init__("trailguard.rulebook.shelf")
        self.selected = tuple(
            Rule(
                r.id,
                r.name,
                r.title,
                r.severity,
                "trail",
                (),
                (),
                r.why,
                r.remedy,
                {},
                r.controls,
                r.references,
                folder,
                {},
            )
            for r in RULES
        )
        self.rules = {rule.id: rule for rule in self.selected}
        self.profiles = {"default": tuple(self.rules)}

    def load(self, settings: Settings) -> Book:
        return self

    def find(self, book: Book, name: str) -> Rule:
        return next(rule for rule in self.selected if name in (rule.id, rule.name))


@pytest.fixture
def book(run: Shell, monkeypatch: pytest.MonkeyPatch) -> Book:
    made = Book(str(run.folder / "rule"))
    monkeypatch.setitem(sys.modules, "trailguard.rulebook.shelf", made)
    monkeypatch.setattr(rulebook, "shelf", made, raising=False)
    return made


def test_rules(run: Shell, book: Book, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run("rules") == (
        0,
        (
            "TG101  high      multi-region         Trail covers every Region\n"
            "TG103  medium    log-file-validation  Log files can be proven unchanged\n"
            "TG108  low       kms-encryption       Logs are encrypted with a key of your own\n"
            "TG203  critical  log-write-allowed    CloudTrail may write its logs\n"
            "\n"
            "4 rules in profile default; `trailguard explain ID` tells more\n"
        ),
        "",
    )
    assert [rule["id"] for rule in json.loads(run("rules", "--format", "json")[1])["rules"]] == [r.id for r in RULES]
    lines = run("rules", "--format", "markdown")[1].splitlines()
    assert lines[2] == (
        "| TG101 | multi-region | high | Trail covers every Region | cis-aws-5.0 3.1; aws-fsbp CloudTrail.1 |"
    )
    monkeypatch.setenv("COLUMNS", "40")
    assert max(map(len, run("rules")[1].splitlines())) <= 40


def test_rules_of_several_profiles(run: Shell) -> None:
    status, text, said = run("rules", "--profile", "cis-aws-5.0", "--profile", "default", "--profile", "cis-aws-5.0")
    assert (status, said) == (0, "")
    first, second = text.split("`trailguard explain ID` tells more\n", 2)[:2]
    assert first.startswith("CIS AWS Foundations Benchmark 5.0.0: CloudTrail and the bucket of its logs\n")
    assert "TG308" in first
    assert "TG308" not in second
    assert second.rstrip().endswith("rules in profile default;")
    told = json.loads(run("rules", "--profile", "soc2,default", "--profile", "hipaa", "--format", "json")[1])
    assert told["profile"] == "soc2, default, hipaa"
    assert [item["name"] for item in told["frameworks"]] == ["soc2", "hipaa"]
    assert told["framework"] == told["frameworks"][0]
    assert {"TG102", "TG308"} <= {rule["id"] for rule in told["rules"]}
    text = run("rules", "--profile", "soc2", "--profile", "hipaa", "--format", "markdown")[1]
    assert [line for line in text.splitlines() if line.startswith("# ")] == [
        "# SOC 2 Trust Services Criteria",
        "# HIPAA Security Rule",
    ]


@pytest.mark.parametrize(
    "given", [("--profile", ""), ("--profile", "default,"), ("--profile", "default", "--profile", "x")]
)
def test_a_profile_that_is_none(run: Shell, given: tuple[str, ...]) -> None:
    status, text, said = run("rules", *given)
    assert (status, text) == (2, "")
    assert said.startswith("error: there is no profile ")


def test_explain(run: Shell, book: Book) -> None:
    for kind, name, text in [
        ("pass", "long.yaml", "A:   22\n"),
        ("pass", "short.yaml", "A: 1\n"),
        ("fail", "plain.yaml", "B:\x1b\n"),
        ("fail", "c.yaml", "B\n"),
    ]:
        (run.folder / "rule" / kind).mkdir(parents=True, exist_ok=True)
        (run.folder / "rule" / kind / name).write_text(text)
    assert run("explain", "multi-region") == (
        0,
        (
            "TG101 multi-region  high  trail\n"
            "Trail covers every Region\n"
            "\n"
            "Why\n"
            "  Somebody who steals a key works in the Region that nobody watches.\n"
            "\n"
            "Remedy\n"
            "  Set IsMultiRegionTrail to true.\n"
            "\n"
            "What is asked\n"
            "\n"
            "Controls\n"
            "  cis-aws-5.0 3.1\n"
            "  aws-fsbp CloudTrail.1\n"
            "\n"
            "See\n"
            "  https://docs.aws.amazon.com/awscloudtrail/latest/userguide/"
            "receive-cloudtrail-log-files-from-multiple-regions.html\n"
            "\n"
            "Good  rule/pass/short.yaml\n"
            "  A: 1\n"
            "\n"
            "Bad  rule/fail/plain.yaml\n"
            "  B:\\x1b\n"
        ),
        "",
    )


# What only a process of its own can show. The engine is replaced there, too.


def spawn(what: str, *argv: str, cwd: Path, **more: Any) -> subprocess.Popen[bytes]:
    program = f"""
import sys, trailguard, types
from trailguard.findings import *
rule, place = RuleInfo("TG101", "n", "t", "high", "w", "r", {{}}, ()), Place("a\\u00fc\\udcff.yaml", Span(1, 1, 1, 2))
many = tuple(Finding(rule, "fail", place, "trail", "T", "m" * 200, {{}}, None, (), "f") for _ in range(2000))
report = Report("1", "default", (), many, (), (), {{}}, 1, 1, 1)
import trailguard.scanning as engine
def scan(*args, **more):
    {what}
    return report
engine.scan = scan
from trailguard.commands.cli import main
sys.exit(main(sys.argv[1:]))
"""
    source = os.path.dirname(os.path.dirname(trailguard.__file__))
    environ = {**os.environ, "PYTHONPATH": source, **more}
    return subprocess.Popen(
        [sys.executable, "-c", program, *argv], cwd=cwd, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )


@pytest.mark.parametrize("form", ["text", "json", "github"])
def test_a_closed_pipe_ends_quietly(tmp_path: Path, form: str) -> None:
    process = spawn("pass", "scan", "--format", form, cwd=tmp_path)
    assert process.stdout is not None
    process.stdout.read(1)
    process.stdout.close()
    assert process.stderr is not None
    assert process.stderr.read() == b""
    process.stderr.close()
    assert process.wait() == 1


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "utf-8"])
@pytest.mark.parametrize("form", ["text", "json", "sarif", "github"])
def test_no_encoding_stops_the_report(tmp_path: Path, encoding: str, form: str) -> None:
    process = spawn("pass", "scan", "--format", form, cwd=tmp_path, PYTHONIOENCODING=encoding)
    out, err = process.communicate()
    assert (process.returncode, err) == (1, b"")
    assert len(out.decode("utf-8" if form != "text" else encoding)) > 100_000


@pytest.mark.skipif(os.name == "nt", reason="signals")
def test_ctrl_c(tmp_path: Path) -> None:
    import signal

    process = spawn("print('ready', flush=True); import time; time.sleep(30)", "scan", cwd=tmp_path)
    assert process.stdout is not None
    process.stdout.readline()
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=20)
    assert (process.returncode, out, err) == (130, b"", b"")


def test_little_is_imported(tmp_path: Path) -> None:
    heavy = "dataclasses pathlib logging jsonschema yaml tomllib json difflib inspect urllib.parse unicodedata"
    program = (
        "import sys, types, trailguard; before = set(sys.modules)\n"
        "from trailguard.findings import Report\n"
        "trailguard.scanning = sys.modules['trailguard.scanning'] = types.ModuleType('scanning')\n"
        "trailguard.scanning.scan = lambda *a, **k: Report('1', 'default', (), (), (), (), {}, 1, 1, 1)\n"
        "from trailguard.commands.cli import main; main(['scan', '-q'])\n"
        f"print([name for name in {heavy.split()} if name in set(sys.modules) - before])"
    )
    environ = {**os.environ, "PYTHONPATH": os.path.dirname(os.path.dirname(trailguard.__file__))}
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, env=environ, capture_output=True, text=True, check=False
    )
    assert done.stdout == "[]\n", done.stderr
