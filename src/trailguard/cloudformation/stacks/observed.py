"""What is known of stacks and resources because somebody looked: what exists, and which stack made it.

What was observed is there already: nothing has to wait for it, and no deployment of the templates makes it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple, TypeAlias

from trailguard.cloudformation.template.template import Template

# What AWS made up for a resource, by its logical ID: by what it is called among the return values of its type
# (`BucketName`, `KeyId`), or by the return value that it is as a whole (`Ref`).
Generated: TypeAlias = "Mapping[str, Mapping[str, str]]"
_NOTHING: Generated = {}
_NO_NAMES: Mapping[str, str] = {}
_NO_TWINS: Mapping[str, Twin] = {}


class Twin(NamedTuple):
    """A resource as something else says it is: what exists beside its template, or the other way round.

    `template` holds it as `resource`; `stacks` are those that the template is made of, if it is made of some. `title`
    is what it is called for people.
    """

    template: Template
    stacks: object  # as a model of the template takes them, None for none
    place: tuple[str | None, str | None]  # account and Region
    resource: str
    title: str


class Observed(NamedTuple):
    """That the resources of a template exist. `date` is the day on which they were seen.

    `titles` are what each is called for people, by its logical ID: its ARN. `generated` is what AWS made up for them.
    `failures` tells of some what AWS said that goes wrong with them, by a word for what. `twins` are what stacks made
    of them. `unread` tells for some resource types why there may be more of them than were seen in the `place`.
    `organization` is the ID of the one that it belongs to, "" where that is not known.
    """

    date: str
    titles: Mapping[str, str] = _NO_NAMES
    generated: Generated = _NOTHING
    failures: Mapping[str, Mapping[str, str]] = _NOTHING
    twins: Mapping[str, Twin] = _NO_TWINS
    unread: Mapping[str, str] = _NO_NAMES
    place: str = ""
    organization: str = ""

    def told(self, name: str) -> str:
        """A resource for people."""
        return f"{self.titles.get(name, name)} (as of {self.date})"


class Looks:
    """What was observed of some stacks, taken together."""

    def __init__(self, seen: Iterable[Observed | None]) -> None:
        self._seen = [one for one in seen if one is not None]

    @property
    def organization(self) -> str:
        """The organization to which all that was observed belongs; "" where that is not known."""
        known = {one.organization for one in self._seen if one.organization}
        return known.pop() if len(known) == 1 else ""

    def unlisted(self, kind: str) -> str:
        """Why there may be more resources of a type than were observed; "" where there are none."""
        return next((one.unread[kind] for one in self._seen if kind in one.unread), "")

    def unseen(self, kind: str) -> str:
        """Why something of a type is not among what was observed; "" where nobody looked."""
        places = ", ".join(dict.fromkeys(f"{one.place} (as of {one.date})" for one in self._seen if one.place))
        return self.unlisted(kind) or (f"no snapshot shows it in {places}" if places else "")


class Deployed(NamedTuple):
    """The stack that was made of a template when somebody looked.

    `name` is what people call it, `generated` what AWS made up for its resources, by logical ID. `nested` are the
    stacks that its resources make, by logical ID. `date` is the day on which it was seen. `parameters` are the values
    that it has, `kept` the resources of it that stay when its template does not hold them any more. `twins` are the
    resources as they exist. `template` is its own, which stands in `file`.
    """

    name: str
    date: str = ""
    generated: Generated = _NOTHING
    parameters: Mapping[str, str] = _NO_NAMES
    kept: frozenset[str] = frozenset()
    nested: Mapping[str, Deployed] = {}
    twins: Mapping[str, Twin] = _NO_TWINS
    template: Template | None = None
    file: str = ""
