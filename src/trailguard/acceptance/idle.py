"""What the settings name and nothing has: patterns that fit no file, values of parameters that no template takes.

Each is a notice, as it may be misspelt. Where only some files are named, as pre-commit does, what the configuration
says of others is not idle: then only what the command line says is looked at.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import NamedTuple

from trailguard.acceptance.beneath import Beneath, covers
from trailguard.errors import nearest
from trailguard.findings import Notice
from trailguard.settings.globs import globs
from trailguard.settings.parameters import Values
from trailguard.settings.settings import Settings
from trailguard.settings.sources import KEY


class Seen(NamedTuple):
    """What a scan looked at.

    `folders` are those that it walked through, `files` all files that it looked at, `parameters` the names of the
    parameters of each template that was judged, None where they may be any; by the names of the files in reports.
    `skipped` are the names of folders that are left out anyway, and need not be there.
    """

    folders: tuple[str, ...]
    files: tuple[str, ...]
    parameters: Mapping[str, Collection[str] | None]
    skipped: frozenset[str] = frozenset()


def idle_notices(settings: Settings, seen: Seen) -> list[Notice]:
    """What there is to notice about what the settings name, besides waivers."""
    notices = list(_parameters(settings, seen))
    if seen.folders and (settings.include or settings.exclude or settings.contexts):
        beneath = Beneath(settings.root)
        for key, patterns in (("include", settings.include), ("exclude", settings.exclude)):
            for number, pattern in enumerate(patterns):
                notices.extend(_pattern(settings, seen, beneath, (key, number), pattern))
        for context in settings.contexts:
            for number, pattern in enumerate(context.templates):
                path = ("contexts", context.number, "templates", number)
                notices.extend(_pattern(settings, seen, beneath, path, pattern))
    return notices


def _pattern(
    settings: Settings, seen: Seen, beneath: Beneath, path: tuple[object, ...], pattern: str
) -> Iterator[Notice]:
    """That a pattern fits no file or folder."""
    known = globs((pattern,), settings.root)
    if path[0] != "exclude" and any(map(known.fits, seen.files)):
        return
    names = pattern.split("/")
    if any(name in seen.skipped or name.startswith(".") for name in names) or not beneath.is_idle(pattern):
        return
    written = settings.asked.patterns.get(pattern)
    if written is not None:
        message = f'--{path[0]} "{written}" fits no file or folder{beneath.hint(pattern)}'
        yield Notice(seen.folders[0], 0, message)
        return
    what = f"contexts[{path[1]}].templates" if path[0] == "contexts" else path[0]
    file, line, _ = settings.place(*path)
    yield Notice(file or seen.folders[0], line, f'{what}: "{pattern}" fits no file or folder{beneath.hint(pattern)}')


def _parameters(settings: Settings, seen: Seen) -> Iterator[Notice]:
    """That no judged template takes a parameter for which a value is given."""
    if not seen.parameters or None in seen.parameters.values():
        return
    names = {name: file for file, held in sorted(seen.parameters.items(), reverse=True) for name in held or ()}
    asked = {name for values in settings.asked.values for name in values.values}
    for values in settings.asked.values:
        yield from _misfits(values, values.values, names, seen, "" if values.source else "--parameter: ")
    if not covers(seen.folders, "**", settings.root):
        return
    own = {name: settings.place("parameters", name, KEY) for name in settings.parameters if name not in asked}
    source = next((file for file, _, _ in own.values()), "")
    written = Values({}, source, {name: line for name, (_, line, _) in own.items()})
    yield from _misfits(written, own, names, seen, "parameters: ")
    for context in settings.contexts:
        what = f"contexts[{context.number}]: " if context.given.source == settings.source else ""
        yield from _misfits(context.given, context.given.values, names, seen, what)


def _misfits(values: Values, given: Iterable[str], names: Mapping[str, str], seen: Seen, what: str) -> Iterator[Notice]:
    """One notice about all values of a source that no judged template takes."""
    wrong = [name for name in given if name not in names and name != "AWS::StackName"]
    if not wrong:
        return
    near = {name: nearest(name, names, 0.7) for name in wrong}
    if len(wrong) == 1:
        hint = f'; did you mean "{near[wrong[0]]}"?' if near[wrong[0]] else ""
        text = f'no template that was judged has a parameter "{wrong[0]}"{hint}'
    else:
        told = (f'"{name}"' + (f' (did you mean "{near[name]}"?)' if near[name] else "") for name in wrong)
        text = f"no template that was judged has the parameters {', '.join(told)}"
    file = next((names[other] for other in near.values() if other is not None), next(iter(seen.parameters)))
    yield Notice(values.source or file, values.lines.get(wrong[0], 0) if values.source else 0, what + text)
