"""What a hook is asked to apply: the configuration in its package, and environment variables for each key of it.

`TRAILGUARD_PROFILE`, `TRAILGUARD_FAIL_ON`, `TRAILGUARD_RULES`, `TRAILGUARD_WAIVERS` and so on hold what would stand
behind the key in `.trailguard.yaml`, and go before it. `TRAILGUARD_CONFIG` names another file.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

from trailguard.errors import ConfigError
from trailguard.hosts.hook_event import Event, HookError
from trailguard.rulebook.shelf import load as load_rules
from trailguard.settings.settings import KEYS, Settings, load, load_text

PREFIX = "TRAILGUARD_"
CONFIG = f"{PREFIX}CONFIG"
# A deployment says these itself, and a baseline is of files.
_NOT_TAKEN = ("parameters", "region", "account_id", "partition", "contexts", "baseline")
# The settings that stand below the key "rules".
_RULES = {"select": "select", "ignore": "ignore", "severity": "severities", "options": "options"}
# Facts about how a template is written: a resource by itself comes with everything filled in.
_WRITING = ("arns.", "attributes.", "exports.", "naming.", "ordering.")


def package() -> str:
    """The folder of the package, where Lambda has put what was in the zip file."""
    return os.path.abspath(os.environ.get("LAMBDA_TASK_ROOT") or os.curdir)


def configured(folder: str, environment: Mapping[str, str]) -> Settings:
    """What the package and the environment ask for. Raises HookError for an environment variable that is wrong.

    What else is wrong raises ConfigError.
    """
    named = environment.get(CONFIG)
    settings = load(folder, os.path.join(folder, named) if named else None)
    for key in KEYS:
        variable = PREFIX + key.upper()
        written = environment.get(variable, "").strip()
        if written:
            settings = _with(settings, key, variable, written, folder)
    return settings


def for_deployment(settings: Settings, event: Event, values: Mapping[str, str]) -> Settings:
    """The settings for one deployment, whose account, Region and parameters are fixed by what it is.

    Patterns of files are seen from where snapshots have their accounts: a waiver for `*/*/STACK` is for stacks of that
    name in every account and Region.
    """
    known = {**values, "AWS::StackName": event.stack} if event.stack else dict(values)
    return settings._replace(
        parameters=known,
        region=event.region,
        account_id=event.account,
        partition=event.partition,
        contexts=(),
        baseline="",
        root="",
        ignore=(*settings.ignore, *left_out(settings, event)),
    )


def own_files(settings: Settings) -> set[str]:
    """What notices call the files of the configuration, which is for many deployments."""
    return {settings.source, *(item.source for item in settings.waivers)}


def left_out(settings: Settings, event: Event) -> tuple[str, ...]:
    """The rules, by id, that cannot be asked about a resource by itself: they are about how a template is written."""
    if event.target != "RESOURCE":
        return ()
    return tuple(
        rule.id
        for rule in load_rules(settings).selected
        if any(item.fact.startswith(_WRITING) for item in (*rule.when, *rule.require))
    )


def _with(settings: Settings, key: str, variable: str, written: str, folder: str) -> Settings:
    """The settings with one key as an environment variable says."""
    if key in _NOT_TAKEN:
        raise HookError(f"{variable}: a hook takes no {key}")
    lines = "\n ".join(written.splitlines())
    try:
        given = load_text(os.path.join(folder, variable), f"{key}:\n {lines}\n".encode())
    except ConfigError as error:
        raise HookError(f"{variable}: {error.message}") from None
    if key != "rules":
        return settings._replace(**{key: getattr(given, key)})
    named = [field for name, field in _RULES.items() if (key, name) in given.places]
    return settings._replace(**{field: getattr(given, field) for field in named})
