"""What changed files had to do with before the change.

An export that is gone, a template that nobody nests any more, a policy or an alarm on what others call by its name.

Their old texts are those of git: of the revision that pre-commit compares with, or the last commit. Without git, or
before the first commit, nothing is known of them.
Source: https://git-scm.com/docs/git-cat-file, https://pre-commit.com/#passing-arguments-to-hooks
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable, Iterator, Mapping, Sequence

from trailguard.cloudformation.scenarios.model import Model, Pins
from trailguard.cloudformation.scenarios.resolver import Scenario
from trailguard.cloudformation.scenarios.scenarios import Scenarios
from trailguard.cloudformation.scenarios.values import Pieces
from trailguard.cloudformation.source.nodes import Document, Node
from trailguard.cloudformation.source.reading import parse
from trailguard.cloudformation.stacks.exchanges import exports_of, imports_of
from trailguard.cloudformation.template.includes import locations
from trailguard.cloudformation.template.template import Template
from trailguard.cloudformation.world.exports import may_mean, shapes
from trailguard.cloudformation.world.names import Key, spoken_of
from trailguard.cloudformation.world.nesting import nested_of
from trailguard.inputs import git_environment
from trailguard.reading.discovery import MAX_BYTES
from trailguard.reading.ignored import repository
from trailguard.reading.loader import Loader
from trailguard.trails.facts.returns import RETURNS
from trailguard.trails.namesakes import NAMING


def touched_before(
    paths: Iterable[str], loader: Loader, loaded: Mapping[str, Template], pins: Sequence[Pins]
) -> set[str]:
    """The paths of the files that changed ones had to do with before, and may not any more.

    `pins` are what is fixed in the deployments that are judged: they have a say in names.
    """
    found: set[str] = set()
    for path, data in _old(list(paths)).items():
        try:
            document = parse(data)
            template = Template(document)
            found.update(_led_to(path, document, template, loader))
            gone = _exported(template) - (_exported(loaded[path]) if path in loaded else set())
            found.update(_importing(gone, loaded))
            unsaid = _said(template, pins) - (_said(loaded[path], pins) if path in loaded else set())
            found.update(_speaking(unsaid, loader, loaded, pins))
        except Exception:  # noqa: S112 - what was there before may be anything
            continue
    return found


def _old(paths: list[str]) -> dict[str, bytes]:
    """The old bytes of some files, by absolute path, as far as git has them."""
    by_top: dict[str, list[str]] = {}
    for path in map(os.path.realpath, paths):
        top = repository(os.path.dirname(path))
        if top is not None and "\n" not in path:
            by_top.setdefault(top, []).append(path)
    found: dict[str, bytes] = {}
    revision = os.environ.get("PRE_COMMIT_FROM_REF") or "HEAD"
    for top, inside in by_top.items():
        names = [f"{revision}:{os.path.relpath(path, os.path.realpath(top))}".replace(os.sep, "/") for path in inside]
        told = zip(inside, _blobs(names, top), strict=False)
        found.update({path: data for path, data in told if data is not None})
    return found


def _blobs(names: list[str], folder: str) -> Iterator[bytes | None]:
    """The contents of some objects of a repository, None for what is not there."""
    command = ["git", "cat-file", "--batch"]
    given = "".join(name + "\n" for name in names)
    try:
        done = subprocess.run(  # noqa: S603 - a fixed program, asked on its standard input
            command, cwd=folder, env=git_environment(), input=os.fsencode(given), capture_output=True, check=False
        )
    except OSError:
        return
    place = 0
    for _ in names:
        end = done.stdout.find(b"\n", place)
        if end < 0:
            return
        head = done.stdout[place:end].split(b" ")  # a hash, "blob" and the size; else what was asked for, and "missing"
        place = end + 1
        if head[-1] == b"missing":
            yield None
            continue
        size = int(head[-1])
        yield done.stdout[place : place + size] if head[-2] == b"blob" and size <= MAX_BYTES else None
        place += size + 1


def _led_to(path: str, document: Document, template: Template, loader: Loader) -> Iterator[str]:
    """The files that an old template made stacks of, or included."""
    for nested in nested_of(Scenario(Model(template, Pins(), RETURNS), {})):
        yield from loader.possible(path, nested)
    yield from (loader.beside(path, place.value) for place in locations(document.root))


def _exported(template: Template) -> set[Pieces]:
    return {shape for _, name, _ in exports_of(template.root.values) for shape in _shapes(template, name)}


def _importing(gone: set[Pieces], loaded: Mapping[str, Template]) -> Iterator[str]:
    """The templates that import what is gone."""
    for path, template in loaded.items() if gone else ():
        wanted = (shape for use in imports_of(template.root.values) for shape in _shapes(template, use.name))
        if any(may_mean(one, other) for one in wanted for other in gone):
            yield path


def _said(template: Template, pins: Sequence[Pins]) -> set[Key]:
    """What a template makes or has a say in, by its physical name."""
    spoken = (item for one in pins for item in spoken_of(Model(template, one, RETURNS), NAMING))
    return {key for key, role in spoken if role != "uses"}


def _speaking(unsaid: set[Key], loader: Loader, loaded: Mapping[str, Template], pins: Sequence[Pins]) -> Iterator[str]:
    """The templates that speak of what another one has no say in any more, those that now stand alone among them."""
    marked = [path for path, file in loader.files.items() if file.marked and path not in loaded]
    for path in [*loaded, *marked] if unsaid else ():
        template = loaded.get(path) or loader.template(path)
        if template is None:
            continue
        spoken = (key for one in pins for key, _ in spoken_of(Model(template, one, RETURNS), NAMING))
        if not unsaid.isdisjoint(spoken):
            yield path


def _shapes(template: Template, name: Node) -> tuple[Pieces, ...]:
    return shapes(Scenarios(Model(template, Pins(), RETURNS)), name)
