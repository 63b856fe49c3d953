"""What the tools do: arguments in, plain data out, and what is to be written. Nothing here writes."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from trailguard import scanning
from trailguard.cloudformation.source.nodes import SourceError
from trailguard.errors import UserError
from trailguard.findings import CONDITIONAL, FAIL, Finding, Report
from trailguard.fixes.delivering import diff, edited, narrowed
from trailguard.fixes.edits import decoded
from trailguard.fixes.repairing import Repaired, repaired
from trailguard.fixes.reporting import look_at, with_offers
from trailguard.init_template import SWITCHES, template
from trailguard.judging import factsheet
from trailguard.judging.offers import key_of
from trailguard.reading.discovery import MAX_BYTES, Content, Unreadable, read
from trailguard.reporters import json_report
from trailguard.reporters.common import by_cause
from trailguard.rulebook import shelf
from trailguard.rulebook.described import asked_of, example_name, rule_data
from trailguard.rulebook.rule import Rule
from trailguard.servers import mcp_quoting as quoting
from trailguard.servers.mcp_root import Root
from trailguard.settings.settings import Settings, load

_UNNAMED = "<text>"  # what a text is called that goes by no name


class Change(NamedTuple):
    """A file to write: its name in answers, its path, and what it held and will hold. `old` is None for a new file."""

    name: str
    path: str
    old: bytes | None
    new: bytes


class Answer(NamedTuple):
    """What a tool gives, and the files that it would write."""

    data: dict[str, Any]
    changes: tuple[Change, ...] = ()


class _What(NamedTuple):
    """What is asked about: paths from the root, or the name and the bytes of a text."""

    paths: tuple[str, ...]
    given: tuple[str, bytes] | None


def settings_for(arguments: Mapping[str, Any]) -> Settings:
    """The configuration of the root, which is the working directory, and what the arguments say; raises UserError."""
    settings = load(".", within=True)
    changes: dict[str, Any] = {}
    if arguments.get("profile"):
        changes = {"profile": ", ".join(arguments["profile"]), "select": ()}
    if arguments.get("select"):
        changes["select"] = tuple(arguments["select"])
    changes["ignore"] = (*settings.ignore, *arguments.get("ignore", ()))
    places = {key: arguments[key] for key in ("region", "account_id", "partition") if key in arguments}
    values = arguments.get("parameters", {})
    contexts = tuple(
        context._replace(parameters={**context.parameters, **values}, **places) for context in settings.contexts
    )
    parameters = {**settings.parameters, **values}
    return settings._replace(**changes, **places, parameters=parameters, contexts=contexts)


def _what(arguments: Mapping[str, Any], root: Root) -> _What:
    """What the arguments ask about; raises UserError for what is out of bounds."""
    if "text" not in arguments:
        return _What((root.there(arguments.get("path", ".")),), None)
    data = arguments["text"].encode()
    if len(data) > MAX_BYTES:
        raise UserError("", 0, 0, f"the text has {len(data):,} bytes; CloudFormation takes templates of up to 1 MB")
    return _What((), (root.meant(arguments["path"]) if "path" in arguments else _UNNAMED, data))


def _world(arguments: Mapping[str, Any], root: Root) -> list[str]:
    """The folders that are to be known, too; raises UserError."""
    if arguments.get("world") and "text" in arguments:
        raise UserError("", 0, 0, '"world" goes with a path: a text is judged by itself')
    return [root.there(path) for path in arguments.get("world", ())]


def scan(arguments: Mapping[str, Any], root: Root) -> Answer:
    """Judge; see `mcp_schemas`. Raises UserError."""
    what, world, settings = _what(arguments, root), _world(arguments, root), settings_for(arguments)
    name, data = what.given or ("", None)
    paths = what.paths if data is None else ("-",)
    report = scanning.scan(paths, settings, stdin=data, stdin_filename=name, world=world)
    is_all = arguments["results"] == "all"
    shown = [one for one in report.results if is_all or one.is_open]
    shown = shown[arguments["offset"] :][: arguments["limit"]]
    part = report._replace(results=tuple(shown))
    if arguments["fixes"]:
        part = with_offers(part, look_at(what.paths, settings, what.given, world, on=report.date))
    return Answer(_told(report, part, is_all, settings))


def _told(report: Report, part: Report, is_all: bool, settings: Settings) -> dict[str, Any]:
    """The JSON report with a part of the results, and with the rules and files that have to do with them."""
    named = {one.rule.id for one in part.results}
    rules = tuple(rule for rule in report.rules if is_all or rule.id in named)
    skipped = report.ignored if is_all else ()
    part = part._replace(rules=rules, ignored=skipped, results=tuple(map(_seen, part.results)))
    data = json_report.data(part)
    whole = {"causes": len(by_cause(report)), "summary": report.summary()}
    left_out = {
        "results": len(report.results) - len(part.results),
        "rules": len(report.rules) - len(rules),
        "skipped": len(report.ignored) - len(skipped),
    }
    quoted = (*quoting.SCAN, *(quoting.RULES if settings.rule_dirs else ()))
    return {**data, **whole, "left_out": left_out, "quoted": list(quoted)}


def _seen(finding: Finding) -> Finding:
    """A finding without a fix that would bring characters with it that are not seen, and that must stay as they are."""
    if finding.fix is None or all(quoting.is_plain(edit.text) for edit in finding.fix.edits):
        return finding
    return finding._replace(fix=None)


def explain(arguments: Mapping[str, Any], root: Root) -> Answer:
    """Explain a rule; see `mcp_schemas`. Raises RuleError with the nearest name."""
    return Answer(explained(shelf.find(shelf.load(settings_for({})), arguments["rule"]), root))


def explained(rule: Rule, root: Root) -> dict[str, Any]:
    """A rule with what it asks in words and its examples."""
    ships = shelf.ships(rule)
    return {
        "rule": rule_data(rule),
        "asks": asked_of(rule),
        "good": _example(rule, "pass", None if ships else root),
        "bad": _example(rule, "fail", None if ships else root),
        "ships": ships,
        "quoted": [] if ships else list(quoting.EXPLAIN),
    }


def _example(rule: Rule, kind: str, within: Root | None) -> dict[str, str] | None:
    """An example of a rule, which for a rule of the user's own must not be a link to somewhere else."""
    path = rule.plainest(kind)
    if path is None or (within is not None and not within.holds(path)):
        return None
    content = read(path, True, ())
    text = content.data.decode("utf-8", "replace") if isinstance(content, Content) else ""
    return {"name": example_name(rule, path), "text": text}


def facts(arguments: Mapping[str, Any], root: Root) -> Answer:
    """The facts of a template; see `mcp_schemas`. Raises UserError."""
    what = _what(arguments, root)
    name, data = what.given or (what.paths[0], b"")
    if what.given is None:
        content = read(name, True, ())
        if not isinstance(content, Content):
            raise UserError(name, 0, 0, content.message if isinstance(content, Unreadable) else "is not a file")
        data = content.data
    try:
        found = factsheet.facts(name, settings_for(arguments), data)
    except SourceError as error:
        raise UserError(name, error.line, error.column, error.message) from None
    wanted = arguments.get("resources")
    subjects: Any = found["subjects"]
    kept = [item for item in subjects if not wanted or item["resource"] in wanted]
    return Answer({**found, "subjects": kept, "quoted": list(quoting.FACTS)})


def fix(arguments: Mapping[str, Any], root: Root) -> Answer:
    """Fix; see `mcp_schemas`. Raises UserError."""
    if arguments["write"] and "text" in arguments:
        raise UserError("", 0, 0, '"write" goes with a path: the fixed text is in the answer')
    what, world, settings = _what(arguments, root), _world(arguments, root), settings_for(arguments)
    look = look_at(what.paths, settings, what.given, world, on=time.strftime("%Y-%m-%d"))
    before = look.outcome()
    asked = (settings, arguments.get("rules", ()), arguments.get("resources", ()))
    wanted = [key_of(one) for one in narrowed(before.report, *asked).results if one.is_open]
    result = repaired(look, before, wanted, arguments["unsafe"])
    rest = narrowed(result.outcome.report, *asked)
    names = sorted(result.edits)
    changes = [
        Change(name, before.files[name].path, before.files[name].data, edited(before, name, result.edits[name]))
        for name in names
    ]
    data = {
        "files": [_file(change, diff(before, change.name, result.edits[change.name])) for change in changes],
        "fixed": _fixed(result),
        "left": [_left(one, result) for one in rest.results if one.is_open],
        "errors": json_report.data(rest)["errors"],
        "quoted": list(quoting.FIX),
    }
    return Answer(data, tuple(changes) if arguments["write"] else ())


def _file(change: Change, changed: bytes) -> dict[str, Any]:
    text = decoded(change.new)
    return {
        "file": change.name,
        "text": text if quoting.is_plain(text) else None,
        "diff": changed.decode("utf-8", "replace"),
        "written": False,
        "error": None,
    }


def _fixed(result: Repaired) -> list[dict[str, Any]]:
    """What is repaired, and how."""
    done = [(plan.key, plan.title, plan.unsafe or None) for plan in result.plans]
    done += [(key, "passes with the other fixes", None) for key in sorted(result.also)]
    return [
        {"rule": key.rule, "file": key.file, "resource": key.resource, "title": title, "unsafe": unsafe}
        for key, title, unsafe in done
    ]


def _left(one: Finding, result: Repaired) -> dict[str, Any]:
    """A finding that is left, and why. What is unknown is left with the reason for that."""
    is_fault = one.verdict in (FAIL, CONDITIONAL)
    why = result.left.get(key_of(one), "it is left as it is") if is_fault else one.reason or ""
    return {
        "rule": one.rule.id,
        "file": one.place.file,
        "resource": one.resource,
        "line": one.place.span.line,
        "verdict": one.verdict,
        "message": one.message,
        "why": why.replace("--unsafe", "unsafe"),  # the argument, which is an option there
    }


def init(arguments: Mapping[str, Any], root: Root) -> Answer:
    """A template to start with; see `mcp_schemas`. Raises UserError."""
    text = template([name for name in SWITCHES if arguments[name]], arguments["format"])
    file = root.meant(arguments["path"]) if "path" in arguments else None
    if arguments["write"] and file is None:
        raise UserError("", 0, 0, '"write" needs a path')
    data = {"template": text, "file": file, "written": False, "error": None, "quoted": ["/file", "/error"]}
    changes = (Change(file, file, None, text.encode()),) if file is not None and arguments["write"] else ()
    return Answer(data, changes)


TOOLS: Mapping[str, Callable[[Mapping[str, Any], Root], Answer]] = {
    "scan": scan,
    "explain": explain,
    "facts": facts,
    "fix": fix,
    "init": init,
}
