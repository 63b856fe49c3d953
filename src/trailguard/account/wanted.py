"""What templates name, so that a snapshot for them reads no more than that.

A text in a template names what it is the name or the ARN of. What is only known at the deployment (a parameter, a
Region) may be anything there; a name that has no letter of its own names nothing. The stack that was made from a
template says the rest: its parameters, and the physical IDs of its resources.
"""

from __future__ import annotations

import hashlib
import re
from typing import Any, NamedTuple

from trailguard.errors import UserError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

_HOLE = "\0"  # in a text: something that is known at the deployment
_PLACEHOLDER = re.compile(r"\$\{[^{}]*\}")
_LEAST = 3  # letters of its own that a text with holes must have
_BUCKET_ARN = re.compile(r"arn:[^:]*:s3:::([^/]+)")


class Wanted(NamedTuple):
    """What some templates name: texts, patterns of texts, and patterns of what they import; their resources by ID.

    `buckets` are the names that their trails have for buckets.
    """

    texts: frozenset[str]
    patterns: tuple[re.Pattern[str], ...]
    imports: tuple[re.Pattern[str], ...]
    resources: frozenset[tuple[str, str]]
    buckets: frozenset[str]

    def names(self, *ids: str) -> bool:
        """Tell whether the templates name something by one of its names and ARNs."""
        return any(each in self.texts or any(pattern.fullmatch(each) for pattern in self.patterns) for each in ids)

    def takes(self, export: str) -> bool:
        """Tell whether the templates import something."""
        return any(pattern.fullmatch(export) for pattern in self.imports)

    def makes(self, resources: Iterable[tuple[str, str]]) -> bool:
        """Tell whether a stack with some resources, by logical ID and type, may have been made from the templates."""
        return not self.resources.isdisjoint(resources)

    def digest(self) -> str:
        """The same for templates that name the same."""
        patterns = [sorted(each.pattern for each in one) for one in (self.patterns, self.imports)]
        told = [sorted(self.texts), *patterns, sorted(self.resources), sorted(self.buckets)]
        return hashlib.sha256(repr(told).encode()).hexdigest()

    def also(self, texts: Iterable[str]) -> Wanted:
        """The same, with some more texts."""
        return self._replace(texts=self.texts.union(*map(_parts, texts)))


def wanted(paths: Sequence[str]) -> tuple[Wanted, list[str]]:
    """What the templates below some paths name, and what is wrong with files that were not read.

    Raises UserError for a file that was named and is no template, and when there is no template at all.
    """
    texts: set[str] = set()
    imports: set[str] = set()
    resources: set[tuple[str, str]] = set()
    buckets: set[str] = set()
    faults: list[str] = []
    count = 0
    for body in _templates(paths, faults):
        count += 1
        texts.update(_texts(body, body.get("Parameters") or {}))
        imports.update(_imports(body, body.get("Parameters") or {}))
        buckets.update(_buckets(body))
        resources |= {
            (name, str(resource.get("Type")))
            for name, resource in (body.get("Resources") or {}).items()
            if isinstance(resource, dict)
        }
    if not count:
        raise UserError("", 0, 0, f"no CloudFormation template in {', '.join(paths)}")
    whole = frozenset(part for text in texts for part in _parts(text))
    patterns = [_pattern(text) for text in sorted(whole) if _HOLE in text and _says_enough(text)]
    found = Wanted(
        frozenset(text for text in whole if _HOLE not in text),
        tuple(patterns),
        tuple(_pattern(text) for text in sorted(imports) if _says_enough(text)),
        frozenset(resources),
        frozenset(text for text in buckets if _HOLE not in text),
    )
    return found, faults


def _templates(paths: Sequence[str], faults: list[str]) -> Iterator[dict[str, Any]]:
    from trailguard.cloudformation.source.nodes import SourceError, plain
    from trailguard.cloudformation.source.reading import parse
    from trailguard.errors import display_name
    from trailguard.inputs import contents
    from trailguard.reading.discovery import SnapshotFolder, Unreadable, discover

    for file in discover(paths):
        if isinstance(file, Unreadable):
            faults.append(f"{display_name(file.path)}: {file.message}")
            continue
        if isinstance(file, SnapshotFolder):  # what exists names nothing that is to be looked for
            continue
        data = contents(file.path)
        if not file.explicit and b"Resources" not in data:
            continue
        try:
            body = plain(parse(data).root)
        except SourceError as error:
            fault = UserError(file.path, error.line, error.column, error.message)
            if file.explicit:
                raise fault from None
            faults.append(str(fault))
            continue
        if isinstance(body, dict) and isinstance(body.get("Resources"), dict):
            yield body
        elif file.explicit:
            raise UserError(file.path, 0, 0, "is not a CloudFormation template")


def _texts(value: Any, parameters: dict[str, Any]) -> Iterator[str]:
    """All texts in a value, holes where a deployment fills something in."""
    whole = _text(value, parameters)
    if whole is not None and whole != _HOLE:
        yield whole
    elif isinstance(value, dict):
        for key, item in value.items():
            if key == "Ref" and isinstance(item, str):
                yield from _values(parameters.get(item))
            elif key not in ("Fn::ImportValue", "Description"):
                yield from _texts(item, parameters)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item, parameters)


def _imports(value: Any, parameters: dict[str, Any]) -> Iterator[str]:
    """All names that are imported in a value."""
    if isinstance(value, list):
        for item in value:
            yield from _imports(item, parameters)
    if not isinstance(value, dict):
        return
    for key, item in value.items():
        if key == "Fn::ImportValue":
            whole = _text(item, parameters)
            if whole is not None:
                yield whole
        yield from _imports(item, parameters)


def _text(value: Any, parameters: dict[str, Any]) -> str | None:
    """A value as one text with holes; None for what is no text."""
    if isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, dict) or len(value) != 1:
        return None
    ((function, argument),) = value.items()
    if function == "Ref":
        return _HOLE
    if function == "Fn::Sub":
        text = argument[0] if isinstance(argument, list) and argument else argument
        return _PLACEHOLDER.sub(_HOLE, text) if isinstance(text, str) else None
    if function == "Fn::Join" and isinstance(argument, list) and len(argument) == 2 and isinstance(argument[1], list):
        parts = [_text(item, parameters) for item in argument[1]]
        return str(argument[0]).join(_HOLE if part is None else part for part in parts)
    return None


def _buckets(body: dict[str, Any]) -> Iterator[str]:
    """What trails say of their buckets, as far as the template does."""
    for resource in body["Resources"].values():
        if isinstance(resource, dict) and resource.get("Type") == "AWS::CloudTrail::Trail":
            yield from _texts((resource.get("Properties") or {}).get("S3BucketName"), body.get("Parameters") or {})


def _values(parameter: Any) -> Iterator[str]:
    """What a parameter can be, as far as the template says."""
    if isinstance(parameter, dict):
        for value in (parameter.get("Default"), *(parameter.get("AllowedValues") or ())):
            if isinstance(value, str | int) and not isinstance(value, bool):
                yield str(value)


def _parts(text: str) -> set[str]:
    """A text, and the bucket in it if it is the ARN of something in one."""
    found = _BUCKET_ARN.match(text)
    return {text, found[1]} if found else {text}


def _says_enough(text: str) -> bool:
    """Tell whether a text has something of its own, beside what every ARN has."""
    own = re.sub(r"^arn:[^:]*(:[^:]*){3}:(key|alias|role|trail|log-group)?[/:]?", "", text)
    return len(re.findall(r"[A-Za-z0-9]", own)) >= _LEAST


def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(".*".join(map(re.escape, text.split(_HOLE))), re.DOTALL)
