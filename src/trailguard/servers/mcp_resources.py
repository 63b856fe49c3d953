"""What assistants can read without asking a tool: the rules, the frameworks behind them, and the list of the facts."""

from __future__ import annotations

from typing import Any

from trailguard.errors import UserError
from trailguard.rulebook import shelf
from trailguard.rulebook.described import fact_data, framework_data, rule_data
from trailguard.rulebook.frameworks import load_frameworks
from trailguard.rulebook.rule import unknown
from trailguard.servers.mcp_root import Root
from trailguard.servers.mcp_tools import explained, settings_for
from trailguard.settings.settings import Settings
from trailguard.trails.catalog import known_facts

SCHEME = "trailguard://"
KINDS = {"rules": "Rules", "frameworks": "Frameworks", "facts": "Facts"}


def _settings() -> Settings:
    """The configuration, with all rules whatever its profile is: what can be asked about is all of them."""
    return settings_for({})._replace(profile="all", select=(), ignore=(), min_severity="info")


def listed() -> dict[str, Any]:
    """The resources: address, name, title. What is not ours has no title, which is somebody's text."""
    settings = _settings()
    rulebook = shelf.load(settings)
    found = [(f"{SCHEME}{kind}", kind, title) for kind, title in KINDS.items()]
    for rule in rulebook.selected:
        title = rule.title if shelf.ships(rule) else rule.id
        found.append((f"{SCHEME}rules/{rule.id}", f"{rule.id} {rule.name}", title))
    ours = load_frameworks(Settings(), rulebook)
    known = load_frameworks(settings, rulebook)
    found += [(f"{SCHEME}frameworks/{name}", name, ours[name].title if name in ours else name) for name in known]
    return {"resources": [{"uri": uri, "name": name, "title": title} for uri, name, title in found]}


def resource(uri: str, root: Root) -> dict[str, Any]:
    """What stands at an address; raises UserError with the nearest one."""
    kind, _, name = uri.removeprefix(SCHEME).partition("/")
    if not uri.startswith(SCHEME) or kind not in KINDS or (kind == "facts" and name):
        raise UserError("", 0, 0, unknown("resource", uri[:200], [f"{SCHEME}{each}" for each in KINDS]))
    if kind == "facts":
        return {**fact_data(known_facts()), "quoted": []}
    settings = _settings()
    rulebook = shelf.load(settings)
    if kind == "rules" and name:
        return explained(shelf.find(rulebook, name), root)
    quoted = [f"/{kind}"] if settings.rule_dirs else []
    if kind == "rules":
        rules = [rule_data(rule) for rule in rulebook.selected]
        return {"schema": "trailguard-rules/1", "profile": "all", "rules": rules, "quoted": quoted}
    frameworks = load_frameworks(settings, rulebook)
    if name and name not in frameworks:
        raise UserError("", 0, 0, unknown("framework", name[:200], frameworks))
    kept = [frameworks[name]] if name else list(frameworks.values())
    return {"frameworks": [framework_data(item, rulebook.selected) for item in kept], "quoted": quoted}
