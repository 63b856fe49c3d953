"""What the options of a command and the configuration file ask for, taken together."""

from __future__ import annotations

import os

from trailguard.commands.streams import say
from trailguard.errors import ConfigError
from trailguard.settings.parameters import Values, parameters_file

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Mapping
    from typing import Any

    from trailguard.settings.settings import Settings
    from trailguard.settings.sources import Path

# What an option sets in the place of the configuration.
_CHOSEN = (
    "profile", "region", "account_id", "partition", "fail_on", "fail_severity", "min_severity", "baseline", "exit_zero",
    "max_age",
)  # fmt: skip


def settings_of(args: Namespace, quiet: bool = False) -> Settings:
    """Combine the configuration file with the options: what is chosen replaces, what is added adds."""
    from trailguard.settings.settings import Asked, Settings, load

    settings = Settings() if args.no_config else load(os.curdir, args.config)
    for note in settings.notes if not quiet else ():
        say(f"note: {note}")
    wanted = {key: getattr(args, key, None) for key in _CHOSEN}
    changes: dict[str, Any] = {key: value for key, value in wanted.items() if value is not None}
    if wanted["profile"] is not None:
        changes["profile"] = ", ".join(wanted["profile"])
        changes["select"] = ()  # the profiles that are asked for are the ones to get
    for key in ("select", "foreign_suppressions"):
        if getattr(args, key, None):
            changes[key] = tuple(getattr(args, key))
    changes["ignore"] = (*settings.ignore, *getattr(args, "ignore", ()))
    patterns = _add_patterns(args, settings, changes)
    given = getattr(args, "rules_dir", None)
    if isinstance(given, list):
        changes["rule_dirs"] = (*settings.rule_dirs, *given)
    given = _given(args)
    asked = {name: value for values in given for name, value in values.values.items()}
    places = {key: changes[key] for key in ("region", "account_id", "partition") if key in changes}
    contexts = (  # what the command line says goes before what a context says
        context._replace(parameters={**context.parameters, **asked}, **places) for context in settings.contexts
    )
    return settings._replace(
        **changes,
        parameters={**settings.parameters, **asked},
        contexts=tuple(contexts),
        places=_places(settings, changes),
        asked=Asked(patterns, given, len(getattr(args, "ignore", ()))),
    )


def _given(args: Namespace) -> tuple[Values, ...]:
    """The values of parameters that the command line gives, the later before the earlier."""
    found = [parameters_file(path, streams=True) for path in getattr(args, "parameters", ())]
    named = dict(getattr(args, "parameter", ()))
    return (*found, *([Values(named)] if named else []))


def _places(settings: Settings, changes: Mapping[str, Any]) -> Mapping[Path, tuple[int, int]]:
    """Where settings are written that the command line leaves as they are."""
    heads = {("profile",) if "profile" in changes else (), ("rules", "select") if "select" in changes else ()} - {()}
    if not heads:
        return settings.places
    return {path: place for path, place in settings.places.items() if path[:1] not in heads and path[:2] not in heads}


def _add_patterns(args: Namespace, settings: Settings, changes: dict[str, Any]) -> dict[str, str]:
    """Add the patterns of the command line, which are seen from the working directory; give what each was there."""
    written: dict[str, str] = {}
    for key in ("include", "exclude"):
        given = getattr(args, key, ())
        if given:
            from trailguard.settings.globs import moved

            seen = tuple(moved(_checked(key, pattern), settings.root) for pattern in given)
            written.update(zip(seen, given, strict=True))
            changes[key] = seen if key == "include" else (*settings.exclude, *seen)
    return written


def _checked(key: str, pattern: str) -> str:
    from trailguard.settings.globs import fault

    wrong = fault(pattern)
    if wrong is not None:
        raise ConfigError("", 0, 0, f'--{key}: the pattern "{pattern}" {wrong}')
    return pattern
