"""What a cloud assembly of the CDK (`cdk.out`) says of the templates in it: account, Region, stack name, constructs.

Source: https://docs.aws.amazon.com/cdk/api/v2/docs/aws-cdk-lib.cloud_assembly_schema-readme.html
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple, TypeAlias

from trailguard.errors import AssemblyError, display_name
from trailguard.findings import FileError
from trailguard.settings.settings import REGION

MANIFEST = "manifest.json"
TEMPLATE = ".template.json"
_ENVIRONMENT = re.compile(r"aws://([^/]*)/(.+)")
_ACCOUNT = re.compile(r"\d{12}")

# Gives the bytes of a file of the assembly by its path; None when it is not there or must not be read.
Read: TypeAlias = "Callable[[str], bytes | None]"


class StackArtifact(NamedTuple):
    """A stack of an assembly: its template, and what is known of its deployment.

    `constructs` gives the path of the construct for each logical ID, also of the stack's nested stacks.
    """

    template: str
    name: str
    account_id: str | None
    region: str | None
    parameters: Mapping[str, str]
    constructs: Mapping[str, str]


class Assembly(NamedTuple):
    """The stacks of an assembly by the path of their template, and its file assets: paths by hash."""

    stacks: Mapping[str, StackArtifact]
    assets: Mapping[str, str]


class Assemblies:
    """The cloud assemblies in some folders, read when they are asked for and once; `errors` gets what is wrong."""

    def __init__(self, read: Read, errors: dict[str, FileError]) -> None:
        self._read = read
        self._errors = errors
        self._known: dict[str, Assembly | None] = {}  # by folder

    def of(self, path: str) -> Assembly | None:
        """The cloud assembly that a template is part of."""
        folder = os.path.dirname(path)
        if not path.endswith(TEMPLATE):
            return None
        if folder not in self._known:
            self._known[folder] = None
            try:
                self._known[folder] = read_assembly(folder, self._read)
            except AssemblyError as error:
                self._errors[error.file] = FileError(display_name(error.file), 0, 0, error.message)
        return self._known[folder]

    def artifact(self, path: str) -> StackArtifact | None:
        """What a cloud assembly says of a template."""
        assembly = self.of(path)
        return assembly.stacks.get(path) if assembly is not None else None

    def constructs(self, path: str) -> Iterator[tuple[str, str]]:
        """The constructs that the resources of a template, and of those beside it, were made from, by logical ID."""
        assembly = self._known.get(os.path.dirname(path))
        for stack in assembly.stacks.values() if assembly is not None else ():
            yield from stack.constructs.items()


def read_assembly(folder: str, read: Read) -> Assembly | None:
    """The assembly in a folder; None when the folder holds none. Raises AssemblyError when it cannot be understood."""
    path = os.path.join(folder, MANIFEST)
    data = read(path)
    if data is None or b'"artifacts"' not in data:
        return None
    artifacts = _table(_json(path, data), path, "artifacts")
    stacks: dict[str, StackArtifact] = {}
    assets: dict[str, str] = {}
    for name, artifact in artifacts.items():
        kind = artifact.get("type") if isinstance(artifact, dict) else None
        if kind == "aws:cloudformation:stack":
            stack = _stack(folder, path, name, artifact, read)
            if stack.template in stacks:
                both = f"{stacks[stack.template].name} and {stack.name}"
                raise AssemblyError(path, 0, 0, f"the cloud assembly cannot be read: {both} have one template file")
            stacks[stack.template] = stack
        elif kind == "cdk:asset-manifest":
            file = _table(artifact, path, "properties").get("file")
            assets.update(_assets(folder, _inside(folder, path, file), read))
    return Assembly(stacks, assets)


def _stack(folder: str, path: str, name: str, artifact: dict[str, Any], read: Read) -> StackArtifact:
    properties = _table(artifact, path, "properties")
    environment = _ENVIRONMENT.fullmatch(str(artifact.get("environment", "")))
    account, region = environment.groups() if environment is not None else ("", "unknown-region")
    parameters = _table(properties, path, "parameters")
    metadata = artifact.get("metadata")
    further = artifact.get("additionalMetadataFile")
    if further is not None:
        file = _inside(folder, path, further)
        data = read(file)
        metadata = _json(file, data) if data is not None else metadata
    return StackArtifact(
        template=_inside(folder, path, properties.get("templateFile")),
        name=_stack_name(path, properties.get("stackName", name)),
        account_id=account if _ACCOUNT.fullmatch(account) else None,
        region=region if re.fullmatch(REGION, region) else None,
        parameters={key: _argument(path, key, value) for key, value in parameters.items()},
        constructs=_constructs(metadata if isinstance(metadata, dict) else {}),
    )


def _stack_name(path: str, name: Any) -> str:
    if not isinstance(name, str) or not name:
        raise AssemblyError(path, 0, 0, 'the cloud assembly cannot be read: "stackName" must be text')
    return name


def _argument(path: str, name: str, value: Any) -> str:
    """The value of a parameter, as CloudFormation gets it."""
    if isinstance(value, (dict, list)) or value is None:
        raise AssemblyError(path, 0, 0, f'the cloud assembly cannot be read: parameter "{name}" must be text')
    return str(value).lower() if isinstance(value, bool) else str(value)


def _constructs(metadata: Mapping[str, Any]) -> dict[str, str]:
    """The construct of each logical ID; those that several constructs have are left out."""
    found: dict[str, list[str]] = {}
    for construct, entries in metadata.items():
        for entry in entries if isinstance(entries, list) else ():
            if isinstance(entry, dict) and entry.get("type") == "aws:cdk:logicalId":
                found.setdefault(str(entry.get("data")), []).append(str(construct).lstrip("/"))
    return {name: constructs[0] for name, constructs in found.items() if len(constructs) == 1}


def _assets(folder: str, path: str, read: Read) -> dict[str, str]:
    """The files that the assembly uploads, by the hash that they are called in their URL."""
    data = read(path)
    if data is None:
        return {}
    found: dict[str, str] = {}
    for name, asset in _table(_json(path, data), path, "files").items():
        place = asset.get("source", {}) if isinstance(asset, dict) else {}
        file = place.get("path") if isinstance(place, dict) and place.get("packaging") == "file" else None
        if isinstance(file, str):
            found[name] = _inside(folder, path, file)
    return found


def _json(path: str, data: bytes) -> Any:
    try:
        return json.loads(data)
    except (ValueError, RecursionError) as error:
        raise AssemblyError(path, 0, 0, f"the cloud assembly cannot be read: {error}") from None


def _table(value: Any, path: str, key: str) -> dict[str, Any]:
    found = value.get(key, {}) if isinstance(value, dict) else None
    if not isinstance(found, dict):
        raise AssemblyError(path, 0, 0, f'the cloud assembly cannot be read: "{key}" must be a map')
    return found


def _inside(folder: str, path: str, name: Any) -> str:
    """The path of a file of the assembly, which must not lie outside of its folder."""
    if not isinstance(name, str) or not name:
        raise AssemblyError(path, 0, 0, "the cloud assembly cannot be read: a file has no name")
    found = os.path.normpath(os.path.join(folder, name))
    if not found.startswith(os.path.join(folder, "")):
        raise AssemblyError(path, 0, 0, f'the cloud assembly names a file outside of its folder: "{name}"')
    return found
