"""What stands in the folder of a snapshot: templates of what exists, stacks, their world, and the record of it all."""

from __future__ import annotations

import json
from collections import defaultdict
from typing import Any

from trailguard import __version__
from trailguard.account.existing import ELSEWHERE, GLOBAL
from trailguard.account.kinds import KINDS
from trailguard.account.store import SCHEMA
from trailguard.account.templates import as_yaml, templates

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from trailguard.account.existing import Existing
    from trailguard.account.named import Named
    from trailguard.account.part import Reading
    from trailguard.account.question import Question
    from trailguard.account.survey import Survey

    Place = tuple[str, str]

_MISSING = ("kind", "arn", "account", "region", "by")
_WITH_ANOTHER = ("AWS::S3::BucketPolicy", "AWS::SNS::TopicPolicy")  # read with each thing that is there
_NOT_ASKED = "it was not asked for (--only)"


def texts(
    question: Question, found: Survey, readings: list[Reading], named: Named
) -> tuple[dict[str, str], dict[str, Any]]:
    """The files of a snapshot by their paths, and its record."""
    everything = [*readings, *named.readings]
    partition = next(iter(found.askers.values())).partition
    makers = _makers(everything)
    things: dict[Place, dict[str, Existing]] = defaultdict(dict)
    for reading in everything:
        for each in reading.resources:
            things[each.account, each.region].setdefault(each.logical_id, each)
    written: dict[str, str] = {}
    contexts: list[dict[str, Any]] = []
    for place in sorted(things):
        parts = templates(things[place].values(), makers)
        written |= {f"{'/'.join(place)}/existing-{number}.yaml": text for number, text in enumerate(parts, 1)}
        contexts.append(_context(place, partition, f"{'/'.join(place)}/existing-*.yaml"))
    for reading in readings:
        for stack in reading.stacks:
            path = f"{reading.account}/{reading.region}/stacks/{stack['name']}.json"
            written[path] = json.dumps(stack["template"], indent=1, ensure_ascii=False) + "\n"
            context = _context((reading.account, reading.region), partition, path, stack["name"])
            contexts.append(context | {"parameters": stack["parameters"]})
    exports = sorted(
        (export for reading in readings for export in reading.exports),
        key=lambda export: (export["account"], export["region"], export["name"]),
    )
    contexts.sort(key=lambda context: str(context["name"]))
    written["world.yaml"] = as_yaml({"contexts": contexts, "exports": exports})
    return written, _record(question, found, everything, named, written)


def _makers(readings: Iterable[Reading]) -> dict[tuple[str, ...], dict[str, str]]:
    """The stacks that made things, by account, Region, type and physical ID; none where several could be meant."""
    found: dict[tuple[str, ...], list[dict[str, str]]] = defaultdict(list)
    for reading in readings:
        for stack in reading.stacks:
            for kind, physical, logical_id in stack["resources"]:
                region = GLOBAL if kind.startswith("AWS::IAM::") else reading.region
                maker = {"stack": f"{reading.account}/{reading.region}/{stack['name']}", "logical_id": logical_id}
                found[reading.account, region, kind, physical].append(maker)
    return {key: makers[0] for key, makers in found.items() if len(makers) == 1}


def _context(place: Place, partition: str, path: str, stack: str = "") -> dict[str, Any]:
    account, region = place
    context: dict[str, Any] = {"name": "/".join([*place, stack] if stack else place), "templates": [path]}
    if account != ELSEWHERE:
        context["account_id"] = account
    if region != GLOBAL:
        context["region"] = region
    if partition != "aws":
        context["partition"] = partition
    return context


def _record(
    question: Question,
    found: Survey,
    readings: list[Reading],
    named: Named,
    written: Iterable[str],
) -> dict[str, Any]:
    """When all of it was read, by whom, and what is not in it."""
    refused = [refusal for reading in readings for refusal in reading.refused]
    refused += [refusal._asdict() for refusal in found.refused]
    taken: dict[Place, str] = {}
    for reading in readings:
        place = (reading.account, reading.region)
        taken[place] = min(taken.get(place, reading.taken), reading.taken)
    return {
        "schema": SCHEMA,
        "taken": min(taken.values()),
        "by": found.by,
        "tool": {"name": "trailguard", "version": __version__},
        "asked": _asked(question),
        "organization": found.organization,
        "accounts": _accounts(found),
        "refused": _sorted(refused),
        "unread": _sorted([*(each for reading in readings for each in reading.unread), *_left_out(question, found)]),
        "missing": _sorted({key: getattr(each, key) for key in _MISSING} for each in named.missing),
        "trails": _sorted(each for reading in readings for each in reading.trails),
        "parts": {
            "/".join(place): {"taken": taken[place], "files": sorted(path for path in written if _is_in(path, place))}
            for place in sorted(taken)
        },
    }


def _left_out(question: Question, found: Survey) -> Iterator[dict[str, str]]:
    """What was not asked for, by account, Region and type."""
    for account, regions in found.regions.items():
        for name, kind in KINDS.items():
            if name in question.kinds and not question.paths:
                continue
            reason = "only what templates name was asked for (--for)" if name in question.kinds else _NOT_ASKED
            for region in (GLOBAL,) if kind.is_global else regions:
                for each in kind.types:
                    if name in question.kinds and each in _WITH_ANOTHER:
                        continue
                    yield {"account": account, "region": region, "type": each, "reason": reason}


def _is_in(path: str, place: Place) -> bool:
    return path.startswith("/".join(place) + "/")


def _asked(question: Question) -> dict[str, Any]:
    return {
        "regions": "all" if question.all_regions else list(question.regions),
        "organization": question.organization,
        "role": question.way.role_arn or None,
        "only": None if question.kinds == tuple(KINDS) else list(question.kinds),
        "for": list(question.paths) or None,
    }


def _accounts(found: Survey) -> dict[str, Any]:
    """Every account that was to be read, and whether it let somebody in."""
    told: dict[str, Any] = {}
    for account in sorted({*found.askers, *found.names}):
        told[account] = {"name": found.names[account]} if account in found.names else {}
        told[account] |= {"entered": account in found.askers, "regions": found.regions.get(account, [])}
    return told


def _sorted(items: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Items in an order of their own, each once."""
    return [json.loads(text) for text in sorted({json.dumps(item, ensure_ascii=False) for item in items})]
