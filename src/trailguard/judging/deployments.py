"""The deployments in which a template is judged, and one finding for all those in which it is the same.

A context of the configuration names templates and the parameter values, account and Region of one deployment of them.
A nested stack's context is the parent that makes it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from trailguard.cloudformation.scenarios.model import Pins
from trailguard.findings import Finding
from trailguard.judging.subjects import digest
from trailguard.settings.globs import globs
from trailguard.settings.settings import Context, Settings


class Deployment(NamedTuple):
    """One deployment: its name for people ("" for the only one), and what is fixed in it."""

    name: str
    pins: Pins


def usual(settings: Settings) -> Deployment:
    """The deployment that the command line and the configuration describe for all templates."""
    return Deployment("", Pins(settings.parameters, settings.region, settings.account_id, settings.partition))


def deployments(file: str, settings: Settings) -> list[Deployment]:
    """The contexts of the configuration in which a file is judged; without any, the usual deployment."""
    found = [deployment(context, settings) for context in settings.contexts if is_in(file, context, settings.root)]
    return found or [usual(settings)]


def pins_of(settings: Settings) -> list[Pins]:
    """What is fixed in the deployments that are judged, each once."""
    found = [usual(settings).pins]
    for context in settings.contexts:
        pins = deployment(context, settings).pins
        if pins not in found:
            found.append(pins)
    return found


def deployment(context: Context, settings: Settings) -> Deployment:
    """What is fixed in a context: its own values before those for all templates."""
    plain = usual(settings).pins
    pins = Pins(
        {**plain.parameters, **context.parameters},
        context.region or plain.region,
        context.account_id or plain.account_id,
        context.partition or plain.partition,
    )
    return Deployment(context.name, pins)


def is_in(file: str, context: Context, root: str) -> bool:
    """Tell whether a context names a file; its patterns are seen from the configuration's folder."""
    return globs(context.templates, root).fits(file)


def merged(findings: Iterable[Finding]) -> list[Finding]:
    """One finding for all contexts in which it is the same.

    Where the contexts differ, the fingerprints do too: accepting a finding in one of them accepts no other.
    """
    given = list(findings)
    if not any(finding.contexts for finding in given):
        return given
    groups: dict[object, list[Finding]] = {}
    for finding in given:
        witness = tuple(finding.witness.items())
        same = (finding.rule.id, finding.subject_file, finding.resource, finding.place)
        key = (same, finding.verdict, finding.message, finding.reason, witness, finding.related)
        groups.setdefault(key, []).append(finding)
    told = [_one(group) for group in groups.values()]
    counts: dict[str, int] = {}
    for finding in told:
        counts[finding.fingerprint] = counts.get(finding.fingerprint, 0) + 1
    return [finding if counts[finding.fingerprint] < 2 else _apart(finding) for finding in told]


def _one(group: Sequence[Finding]) -> Finding:
    contexts = dict.fromkeys(name for finding in group for name in finding.contexts)
    stacks = dict.fromkeys(name for finding in group for name in finding.deployed)
    return group[0]._replace(contexts=tuple(contexts), deployed=tuple(stacks))


def _apart(finding: Finding) -> Finding:
    return finding._replace(fingerprint=digest(finding.fingerprint, *finding.contexts))
