"""What a hook is asked to apply: the same settings as everywhere, from its package and from environment variables."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.hosts.hooking import event
from trailguard.errors import ConfigError
from trailguard.hosts.hook_event import HookError, read
from trailguard.hosts.hook_settings import configured, for_deployment, left_out, package
from trailguard.settings.settings import KEYS, Settings

WAIVER = "{rule: TG101, file: '**/MyStack', reason: one Region for now, expires: 2030-01-01}"


def test_without_anything_it_is_as_usual(tmp_path: Path) -> None:
    assert configured(str(tmp_path), {}) == Settings()


def test_the_package_holds_a_configuration(tmp_path: Path) -> None:
    (tmp_path / ".trailguard.yaml").write_text(f"profile: cis-aws-5.0\nfail_on: unknown\nwaivers: [{WAIVER}]\n")
    settings = configured(str(tmp_path), {})
    assert (settings.profile, settings.fail_on, settings.root) == ("cis-aws-5.0", "unknown", str(tmp_path))
    assert [item.reason for item in settings.waivers] == ["one Region for now"]


def test_it_may_be_another_file(tmp_path: Path) -> None:
    (tmp_path / "gate.yaml").write_text("profile: all\n")
    assert configured(str(tmp_path), {"TRAILGUARD_CONFIG": "gate.yaml"}).profile == "all"
    with pytest.raises(ConfigError, match="cannot be read"):
        configured(str(tmp_path), {"TRAILGUARD_CONFIG": "none.yaml"})


def test_an_environment_variable_goes_before_it(tmp_path: Path) -> None:
    (tmp_path / ".trailguard.yaml").write_text(
        "profile: cis-aws-5.0\nfail_on: unknown\nrules: {ignore: [TG101], severity: {TG102: low}}\nrule_dirs: [own]\n"
    )
    (tmp_path / "own").mkdir()
    settings = configured(
        str(tmp_path),
        {
            "TRAILGUARD_PROFILE": "[default, hipaa]",
            "TRAILGUARD_FAIL_ON": "fail",
            "TRAILGUARD_RULES": "{ignore: [TG310]}",
            "TRAILGUARD_WAIVERS": f"- {WAIVER}\n- {WAIVER.replace('TG101', 'TG102')}",
            "TRAILGUARD_MIN_SEVERITY": " ",
            "TRAILGUARD_DEBUG": "1",
            "PROFILE": "all",
        },
    )
    assert (settings.profile, settings.fail_on, settings.ignore) == ("default, hipaa", "fail", ("TG310",))
    assert settings.severities == {"TG102": "low"}
    assert settings.rule_dirs == (str(tmp_path / "own"),)
    assert [item.rule for item in settings.waivers] == ["TG101", "TG102"]


def test_files_are_seen_from_the_package(tmp_path: Path) -> None:
    (tmp_path / "rules").mkdir()
    settings = configured(str(tmp_path), {"TRAILGUARD_RULE_DIRS": "[rules]"})
    assert settings.rule_dirs == (str(tmp_path / "rules"),)


@pytest.mark.parametrize(
    ("variable", "value", "why"),
    [
        ("FAIL_ON", "never", 'TRAILGUARD_FAIL_ON: fail_on cannot be "never" (one of fail'),
        ("RULES", "{ignored: [TG101]}", 'TRAILGUARD_RULES: unknown key "ignored" in rules; did you mean "ignore"?'),
        ("WAIVERS", "[{rule: TG101}]", 'TRAILGUARD_WAIVERS: a waiver needs "file"'),
        ("PROFILE", "{", "TRAILGUARD_PROFILE: "),
        ("REGION", "eu-west-1", "TRAILGUARD_REGION: a hook takes no region"),
        ("PARAMETERS", "{A: b}", "TRAILGUARD_PARAMETERS: a hook takes no parameters"),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, variable: str, value: str, why: str) -> None:
    with pytest.raises(HookError) as wrong:
        configured(str(tmp_path), {f"TRAILGUARD_{variable}": value})
    assert str(wrong.value).startswith(why)


def test_every_key_can_be_a_variable(tmp_path: Path) -> None:
    """A variable without sense is refused by the check of its own key, so that none is passed over."""
    for key in KEYS:
        with pytest.raises(HookError, match=f"^TRAILGUARD_{key.upper()}: "):
            configured(str(tmp_path), {f"TRAILGUARD_{key.upper()}": "[[]]"})


def test_a_deployment_says_what_is_fixed(tmp_path: Path) -> None:
    (tmp_path / ".trailguard.yaml").write_text(
        "baseline: gone.json\nregion: eu-west-1\naccount_id: '111111111111'\nparameters: {Env: test, Old: x}\n"
        "contexts: [{name: prod, templates: '**', parameters: {Env: prod}}]\n"
    )
    settings = for_deployment(configured(str(tmp_path), {}), read(event("stack")), {"Env": "actual"})
    assert (settings.region, settings.account_id, settings.partition) == ("us-west-2", "123456789012", "aws")
    assert settings.parameters == {"Env": "actual", "AWS::StackName": "MyStack"}
    assert (settings.contexts, settings.baseline) == ((), "")


def test_a_resource_is_not_asked_how_its_template_is_written() -> None:
    everything = Settings(profile="all")
    assert left_out(everything, read(event("resource"))) == ("TG104", "TG210", "TG307", "TG309", "TG310")
    assert left_out(everything, read(event("stack"))) == ()
    assert for_deployment(Settings(ignore=("TG101",)), read(event("resource")), {}).ignore == ("TG101", "TG104")


def test_the_package_is_where_lambda_puts_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("LAMBDA_TASK_ROOT", raising=False)
    assert package() == str(tmp_path)
    monkeypatch.setenv("LAMBDA_TASK_ROOT", "/var/task")
    assert package() == "/var/task"
