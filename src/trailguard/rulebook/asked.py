"""How a scan judges: what was asked of it, for whoever reads its report and did not see the command."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from trailguard.cloudformation.source.letters import KEPT, RESOLVED
from trailguard.errors import display_name
from trailguard.findings import Finding
from trailguard.rulebook.shelf import Rulebook
from trailguard.settings.settings import Context, Settings

HIDDEN = "(not shown)"


class Known(NamedTuple):
    """What is known of accounts: the snapshots, and the templates that were judged as deployed stacks, for people.

    Of each such template that is its file, the stack, and the stack's parameters.
    """

    snapshots: Sequence[str] = ()
    deployed: Sequence[tuple[str, str, Mapping[str, str]]] = ()


_NOTHING = Known()


def how(
    settings: Settings,
    rulebook: Rulebook,
    results: Iterable[Finding],
    public: Container[str],
    known: Known = _NOTHING,
) -> Iterator[tuple[str, str]]:
    """What the verdicts hinge on beside the templates, as pairs of a key and a text; what is as usual is left out.

    `public` are the parameters whose values may be shown: a file of parameters may hold passwords. `results` say which
    waivers and baseline were of use, `known` what is known of accounts.
    """
    yield "profile", settings.profile
    yield from _listed("configuration", [display_name(settings.source)] if settings.source else ())
    yield from _listed("rule folders", map(display_name, settings.rule_dirs))
    yield from _listed("selected rules", settings.select)
    yield from _listed("ignored rules", settings.ignore)
    if settings.min_severity != "info":
        yield "rules left out", f"those of a severity below {settings.min_severity}"
    yield from _listed("changed rules", (f"{rule.id}: {told}" for rule in rulebook.selected for told in rule.changed))
    yield from _listed("parameters", _pinned(settings.parameters, public))
    for key, value in (("Region", settings.region), ("account", settings.account_id)):
        yield from _listed(key, [value] if value else ())
    yield from _listed("partition", [settings.partition] if settings.partition else ())
    yield from _listed("contexts", (_context(item, public) for item in settings.contexts), "; ")
    yield from _listed("snapshots", known.snapshots, "; ")
    yield from _listed("as deployed as", (_deployed(*item, public) for item in known.deployed), "; ")
    yield from _listed("included paths", settings.include)
    yield from _listed("excluded paths", settings.exclude)
    yield from _listed("suppressions of", settings.foreign_suppressions)
    yield from _accepted(settings, results)


def _listed(key: str, texts: Iterable[str], between: str = ", ") -> Iterator[tuple[str, str]]:
    told = between.join(texts)
    if told:
        yield key, told


def _pinned(values: Mapping[str, str], public: Container[str]) -> Iterator[str]:
    for name, value in values.items():
        shown = "kept by the stack" if value == KEPT else value.removeprefix(RESOLVED) or "(empty)"
        yield f"{name} = {shown if name in public or value == KEPT else HIDDEN}"


def _context(context: Context, public: Container[str]) -> str:
    """A deployment with what is fixed in it."""
    fixed = list(_pinned(context.parameters, public))
    fixed += [place for place in (context.region, context.account_id, context.partition, context.stack) if place]
    told = f" with {', '.join(fixed)}" if fixed else ""
    return f"{context.name} ({', '.join(context.templates)}){told}"


def _deployed(file: str, stack: str, parameters: Mapping[str, str], public: Container[str]) -> str:
    """A deployed stack, and the template that was judged as it."""
    fixed = ", ".join(_pinned(parameters, public))
    return f"{stack} ({file})" + (f" with {fixed}" if fixed else "")


def _accepted(settings: Settings, results: Iterable[Finding]) -> Iterator[tuple[str, str]]:
    """The baseline and the waivers that findings were accepted by."""
    used: dict[str, None] = {}
    known = 0
    for item in results:
        if item.suppressed is not None and item.suppressed.kind == "waiver":
            used[f"{item.rule.id} until {item.suppressed.expires}: {item.suppressed.reason}"] = None
        known += item.suppressed is not None and item.suppressed.kind == "baseline"
    if settings.baseline:
        yield "baseline", f"{display_name(settings.baseline)}, {known} finding{'' if known == 1 else 's'} of it"
    yield from _listed("waivers", used, "; ")
