"""Suppressions written for checkov and cfn-lint, which a team can accept here (`--foreign-suppressions`).

checkov: `# checkov:skip=CKV_AWS_67:reason` within a resource, or its Metadata `checkov: {skip: [{id, comment}]}`.
cfn-lint: Metadata `cfn-lint: {config: {ignore_checks: [ETG101]}}` of a resource or of the template; an entry stands for
every id that starts with it. Both may name our rules by the ids that they have inside these linters.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence

from trailguard.acceptance.rulings import Ruling, child, items, of_resource, text
from trailguard.cloudformation.source.nodes import Node, file_of
from trailguard.cloudformation.template.template import Resource, Template
from trailguard.findings import Finding, Suppression
from trailguard.rulebook.rule import Rule

_SKIP = re.compile(r"checkov:skip=([\w,\s-]+)(?::(.*))?$")
_NUMBERED = re.compile(r"([A-Za-z]+)-?(\d+)")


def checkov_id(rule: str) -> str:
    """The id of a rule inside checkov, which needs the form CKV_NAME_NUMBER for its skip comments."""
    match = _NUMBERED.fullmatch(rule)
    return f"CKV_{match[1].upper()}_{match[2]}" if match else f"CKV_{re.sub(r'[^A-Za-z0-9_]', '_', rule)}"


def cfn_lint_ids(rule: str) -> tuple[str, str]:
    """The ids of a rule inside cfn-lint: for what makes a scan fail, and for what does not."""
    return f"E{rule}", f"W{rule}"


def rulings(file: str, template: Template, lines: str, linters: Sequence[str], rules: Iterable[Rule]) -> list[Ruling]:
    """What the suppressions for the named linters cover in a template; `lines` is the text of its file."""
    known = list(rules)
    found: list[Ruling] = []
    if "checkov" in linters and "checkov" in lines:
        found += _checkov(file, template, lines, known)
    if "cfn-lint" in linters and "ignore_checks" in lines:
        found += _cfn_lint(file, template, known)
    return found


def _checkov(file: str, template: Template, lines: str, rules: list[Rule]) -> Iterator[Ruling]:
    ids: dict[str, list[str]] = {}
    for rule in rules:
        for name in (checkov_id(rule.id), *rule.equivalents):
            ids.setdefault(name, []).append(rule.id)
    for resource in template.resources.values():
        for item in items(child(child(resource.attribute("Metadata"), "checkov"), "skip")):
            name = text(child(item, "id")) or ""
            why = f"checkov {name}: {text(child(item, 'comment')) or 'no comment'}"
            for rule_id in ids.get(name, ()):
                yield Ruling(rule_id, of_resource(file, resource), Suppression("metadata", why), file, item.line)
    if "checkov:skip" not in lines:
        return
    from trailguard.cloudformation.source.comments import comments

    for comment in comments(lines):
        match = _SKIP.search(comment.text)
        owner = _at(template, comment.line) if match is not None else None
        if match is not None and owner is not None:
            for name in (part.strip() for part in match[1].split(",")):
                why = f"checkov:skip={name}: {(match[2] or '').strip() or 'no reason'}"
                for rule_id in ids.get(name, ()):
                    yield Ruling(rule_id, of_resource(file, owner), Suppression("comment", why), file, comment.line)


def _at(template: Template, line: int) -> Resource | None:
    """The resource on whose lines a comment of the template's own file stands."""
    for resource in template.resources.values():
        if not file_of(resource.key) and resource.key.line <= line <= resource.body.end_line:
            return resource
    return None


def _cfn_lint(file: str, template: Template, rules: list[Rule]) -> Iterator[Ruling]:
    def everything(finding: Finding) -> bool:
        return file in (finding.home, finding.place.file)

    scopes: list[tuple[Node | None, Callable[[Finding], bool]]] = [(template.root.values.get("Metadata"), everything)]
    scopes += [(item.attribute("Metadata"), of_resource(file, item)) for item in template.resources.values()]
    for metadata, covers in scopes:
        for item in items(child(child(child(metadata, "cfn-lint"), "config"), "ignore_checks")):
            prefix = text(item)
            if prefix is not None and len(prefix) > 1:
                for rule in rules:
                    if any(name.startswith(prefix) for name in cfn_lint_ids(rule.id)):
                        yield Ruling(rule.id, covers, Suppression("metadata", f"cfn-lint {prefix}"), file, item.line)
