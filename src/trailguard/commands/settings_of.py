"""What the options of a command and the configuration file ask for, taken together."""

from __future__ import annotations

import os

from trailguard.commands.streams import say

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from typing import Any

    from trailguard.settings.settings import Settings

# What an option sets in the place of the configuration.
_CHOSEN = (
    "profile", "region", "account_id", "partition", "fail_on", "fail_severity", "min_severity", "baseline", "exit_zero",
)  # fmt: skip


def settings_of(args: Namespace, quiet: bool = False) -> Settings:
    """Combine the configuration file with the options: what is chosen replaces, what is added adds."""
    from trailguard.settings.settings import Settings, load

    settings = Settings() if args.no_config else load(os.curdir, args.config)
    for note in settings.notes if not quiet else ():
        say(f"note: {note}")
    wanted = {key: getattr(args, key, None) for key in _CHOSEN}
    changes: dict[str, Any] = {key: value for key, value in wanted.items() if value is not None}
    if wanted["profile"] is not None:
        changes["select"] = ()  # the profile that is asked for is the one to get
    for key in ("select", "foreign_suppressions"):
        if getattr(args, key, None):
            changes[key] = tuple(getattr(args, key))
    changes["ignore"] = (*settings.ignore, *getattr(args, "ignore", ()))
    _add_patterns(args, settings, changes)
    given = getattr(args, "rules_dir", None)
    if isinstance(given, list):
        changes["rule_dirs"] = (*settings.rule_dirs, *given)
    asked: dict[str, str] = {}
    if getattr(args, "parameters", ()):
        from trailguard.settings.parameters import parameters_file

        for path in args.parameters:
            asked.update(parameters_file(path))
    asked.update(getattr(args, "parameter", ()))
    places = {key: changes[key] for key in ("region", "account_id", "partition") if key in changes}
    contexts = (  # what the command line says goes before what a context says
        context._replace(parameters={**context.parameters, **asked}, **places) for context in settings.contexts
    )
    return settings._replace(**changes, parameters={**settings.parameters, **asked}, contexts=tuple(contexts))


def _add_patterns(args: Namespace, settings: Settings, changes: dict[str, Any]) -> None:
    """The patterns of the command line, which are seen from the working directory."""
    for key in ("include", "exclude"):
        given = getattr(args, key, ())
        if given:
            from trailguard.settings.globs import moved

            seen = tuple(moved(pattern, settings.root) for pattern in given)
            changes[key] = seen if key == "include" else (*settings.exclude, *seen)
