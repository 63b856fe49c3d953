"""Which files may speak of the same thing by its physical name, as far as their bytes tell.

A file is loaded for its names only when it may hold one that a file which is looked at speaks of. Words are compared
first, which is cheap; then what stands at the properties that hold names; what is put together there has to be parsed.
"""

from __future__ import annotations

import os
import re
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence, Set
from typing import NamedTuple, TypeAlias

from trailguard.cloudformation.scenarios.model import Model, Pins
from trailguard.cloudformation.world.names import Key, Role, spoken_of
from trailguard.reading import mentions
from trailguard.reading.collected import INCLUDES, MAKERS
from trailguard.reading.discovery import may_hold
from trailguard.reading.loader import Loader
from trailguard.trails.facts.returns import RETURNS
from trailguard.trails.namesakes import CALLED, LEADS_TO, MADE_IN, NAMING, PROPERTIES, USED_BY

_KINDS = frozenset(PROPERTIES)
_TRAIL = b"AWS::CloudTrail::"

_NAME = re.compile(rb"[!-~](?:[ -~]*[!-~])?")  # a metric's may be any text, and one letter is enough for a role
_REF = re.compile(rb"""(?:!Ref\s+|\bRef["']?\s*:\s*)["']?(\w+)""")
# A call that gives what is written elsewhere, or what nobody knows before the deployment.
_CALL = re.compile(
    rb"""(?:!Ref|!GetAtt|!ImportValue|["']?(?:Ref|Fn::GetAtt|Fn::ImportValue)["']?\s*:)\s*"""
    rb"""(?:"[^"]*"|'[^']*'|\[[^\[\]]*\]|-[ \t]+\S+\s+-[ \t]+\S+|[^\s,\]}]+)"""
)
_IF = re.compile(rb"""(?:!If|["']?Fn::If["']?\s*:)\s*(?:\[\s*["']?\w+["']?\s*,|-[ \t]+\S+)""")
_WORD = rb"[\w./$*][^\s,}\]]*"
_QUOTED = re.compile(rb"""\s*(?:"(?:[^"\\]|\\.)*"|'(?:[^']|'')*')(?=\s*[,}\]])""", re.DOTALL)
_SCALAR = re.compile(rb"""[ \t]*(?:"[^"]*"|'[^']*'|""" + _WORD + rb"(?: +" + _WORD + rb""")*)(?=\s|[,}\]]|\Z)""")
_IS_MAP = re.compile(rb"""[\w:]["']?\s*:\s""")
_BETWEEN = re.compile(rb"[\[\]{},\n]|(?<=\s)-\s")
_AROUND = b" \t\r\n\"'-"
# What takes a text apart or puts it together.
_BUILT = re.compile(rb"Sub\b|Join\b|FindInMap|Select\b|Split\b")
# What makes one word of several: texts that are joined by nothing, a placeholder beside a letter or another one.
_GLUE = re.compile(rb"""Join["']?[\s:\[-]*(?:""|''|["']?[A-Za-z0-9])|[A-Za-z0-9]\$\{|\}[A-Za-z0-9$]""")
_NEVER = re.compile(rb"AWS::Stack(?:Name|Id)\b|\{\{resolve:")  # with these, no name is known before the deployment
# A text in which `Fn::Sub` inserts something, and that with the letters around it.
_SUBSTITUTED = re.compile(
    rb"""\s*(?:!Sub\s+|(?:\{\s*)?["']?Fn::Sub["']?\s*:\s*)["']?((?:[\w./:@+*-]|\$\{[\w:.]+\})+)["']?\s*\}?\s*"""
)
_INSERTED = re.compile(rb"[A-Za-z0-9]*\$\{[^{}]*\}[A-Za-z0-9]*")
_NO_NAMES = frozenset((b"true", b"false", b"String", b"log-group", b"*"))
_DEFAULT = re.compile(rb"""\bDefault["']?\s*:[ \t]*("[^"\n]*"|'[^'\n]*'|[^\s"',}]+(?: +[^\s"',}#]+)*)""")
_GIVEN = re.compile(rb"""(\w+)["']?\s*:[ \t]+["']?([\w./:@=+#$*-]+)["']?[ \t]*(?=[,}\n]|\Z)""")
_SPACES = bytes(byte if bytes((byte,)).isalnum() else 32 for byte in range(256))

_Name: TypeAlias = "tuple[str, bytes]"  # of what, and its text
_Words: TypeAlias = "frozenset[bytes]"
_Spoken: TypeAlias = "dict[_Name, set[Role]]"


class _Written(NamedTuple):
    """The names of a kind that a file may hold; there may be more, put together: some words that they have then.

    When they are `glued`, a word may be made of several.
    """

    names: _Spoken
    more: frozenset[_Words]
    glued: bool


class Speakers:
    """The files that may speak of things by name.

    `paths` are all templates, `pins` what is fixed in the deployments that are judged. `parsed` are those that had to
    be parsed for their names.
    """

    def __init__(self, loader: Loader, paths: Iterable[str], pins: Sequence[Pins]) -> None:
        self._loader = loader
        self._paths = sorted(paths)
        self._pins = pins
        given = (text for one in pins for text in (*one.parameters.values(), one.account_id, one.region))
        self._given = " ".join(filter(None, given)).encode()
        self._is_named = any("AWS::StackName" in one.parameters for one in pins)
        self._written: dict[tuple[str, str], _Written] = {}  # by path and kind
        self._handed: dict[str, list[_Name]] = {}
        self._spoken: dict[str, _Spoken] = {}
        self._whole: dict[str, bytes] = {}  # of those that include others
        self._single: set[str] = set()  # those that include nothing
        self._parts: set[str] = set()  # what is included: it speaks through those that include it
        self.parsed: set[str] = set()
        self._met: dict[str, set[str]] = {}  # those that were found by a name, and of what kinds of things it was one
        self._asked: set[str] = set()  # the others that were asked about
        self._known: dict[_Name, dict[str, set[Role]]] = {}  # the names that are looked for, and who says what of them

    def sharing(self, paths: Iterable[str]) -> set[str]:
        """The files that may speak of something of which one of some files speaks too, those among them.

        Nothing when these speak of no more than when it was last asked.
        """
        size = len(self._known)
        files = sorted(paths)
        used = {kind for kind, mark in USED_BY.items() if any(mark in self._data(path) for path in files)}
        for path in files:
            self._asked.update([path] if path not in self._met else [])
            kinds = self._kinds(path, used)
            for name, roles in self._names(path, self._data(path), {kind: [None] for kind in kinds}).items():
                self._known.setdefault(name, {})[path] = roles
        return self._found() if len(self._known) > size else set()

    def _kinds(self, path: str, used: Set[str]) -> Set[str]:
        """What a file that is looked at may have a say in; `used` is what any of those names that are looked at."""
        if path in self._met:
            return self._met[path]
        data = self._data(path)
        is_trail = _TRAIL in data
        return _KINDS - {kind for kind in USED_BY if (USED_BY[kind] not in data if is_trail else kind not in used)}

    def _found(self) -> set[str]:
        words = {name: _words(name[1]) for name in self._known}
        by_word: dict[bytes, list[_Name]] = {}
        for name, parts in words.items():
            by_word.setdefault(max(parts, key=len, default=b""), []).append(name)
        found: set[str] = set()
        about = self._loader.memory.same(frozenset(words))
        for path in list(self._loader.files):  # what includes others is among these
            self._data(path)
        for path in self._paths:
            if path in self._parts and not self._loader.is_named(path):
                continue
            data = self._data(path)
            near = {
                name for name in self._near(path, data, about, words, by_word) if self._known[name].keys() != {path}
            }
            wanted: dict[str, list[_Words | None]] = {name[0]: [] for name in near}
            for name in near:
                wanted[name[0]].append(words[name])
            spoken = self._names(path, data, wanted)
            for name in near & spoken.keys():
                met = {other for other, roles in self._known[name].items() if _meet(spoken[name], roles)} - {path}
                if met:
                    found |= {path, *met}
                    kinds = self._met.setdefault(path, set()) if path not in self._asked else set()
                    kinds.update((name[0], LEADS_TO.get(name[0], name[0])))
        return found

    def _near(
        self,
        path: str,
        data: bytes,
        about: Hashable,
        words: Mapping[_Name, _Words],
        by_word: Mapping[bytes, Sequence[_Name]],
    ) -> set[_Name]:
        """The names whose words stand in a file, or may be put together there; `about` is all that they hinge on."""
        memory = self._loader.memory
        return memory.latest(path, data, "near", about, lambda: self._looked_up(path, data, words, by_word))

    def _looked_up(
        self, path: str, data: bytes, words: Mapping[_Name, _Words], by_word: Mapping[bytes, Sequence[_Name]]
    ) -> set[_Name]:
        own = set((data + b" " + self._given).translate(_SPACES).split())
        near = {name for word in own & by_word.keys() for name in by_word[word] if words[name] <= own}
        kinds = {name[0] for name in words} if _GLUE.search(data) is not None else set()
        glued = {kind for kind in kinds if self._written_in(path, data, kind).glued}
        return near | {name for name in words if name[0] in glued}

    def _data(self, path: str) -> bytes:
        """What a file holds, and what it includes: a name may stand in any of it."""
        if path not in self._whole:
            file = self._loader.files.get(path)
            data = file.data if file is not None else self._loader.peek(path)
            if path in self._single or not any(mark in data for mark in INCLUDES):
                self._single.add(path)
                return data
            parts = self._loader.included(path)
            self._parts.update(os.path.abspath(part.path) for part in parts)
            self._whole[path] = b"\n".join((data, *(part.data for part in parts)))
        return self._whole[path]

    def _names(self, path: str, data: bytes, wanted: Mapping[str, Sequence[_Words | None]]) -> _Spoken:
        """What a file may speak of, by name, of the `wanted` kinds.

        Of each that is all that is written, and what is put together with the words of one of some names, None for any.
        """
        found: _Spoken = {}
        is_open = False
        for kind, names in wanted.items():
            written, more, _ = self._written_in(path, data, kind)
            found.update(written)
            is_open = is_open or any(words is None or own <= words for own in more for words in names)
        if not is_open:
            return found
        if path not in self._spoken:
            self.parsed.add(path)
            spoken = self._spoken[path] = {}
            for key, role in self._parsed(path):
                for text in _parts(_text(key)):
                    spoken.setdefault((key[0], text), set()).add(role)
        parsed = ((name, roles) for name, roles in self._spoken[path].items() if name[0] in wanted)
        return found | {name: roles | found.get(name, set()) for name, roles in parsed}

    def _written_in(self, path: str, data: bytes, kind: str) -> _Written:
        if (path, kind) not in self._written:
            memory = self._loader.memory
            self._written[path, kind] = memory.once(path, data, ("written", kind), lambda: self._read(path, data, kind))
        return self._written[path, kind]

    def _read(self, path: str, data: bytes, kind: str) -> _Written:
        """What stands at the properties that hold names of a kind."""
        found: _Spoken = {}
        more: set[_Words] = set()
        glued = False
        for name, types in PROPERTIES[kind].items():
            roles = {
                role for role, type_ in types.items() if name.encode() in data and may_hold(data, (type_.encode(),))
            }
            values = _values(data, name, roles) if roles else []
            if values is None:
                more.add(frozenset())
                continue
            for whole, own in values:
                value = _alone(whole)
                for text in self._texts(data, value):
                    found.setdefault((kind, text), set()).update(own)
                if self._is_open(data, value):
                    more.add(_sure_words(value))
                    glued = glued or _GLUE.search(value) is not None
        if path not in self._handed:
            self._handed[path] = list(_handed(data))
        for handed in self._handed[path]:
            if handed[0] == kind:
                found.setdefault(handed, set()).add("uses")
        return _Written(found, frozenset(more), glued)

    def _is_open(self, data: bytes, value: bytes) -> bool:
        """Tell whether a value may be a name that is put together, or chosen among some."""
        if _BUILT.search(value) is not None:
            return self._is_named or _NEVER.search(value) is None
        return b"AllowedValues" in data and _REF.search(value) is not None

    def _texts(self, data: bytes, value: bytes) -> Iterator[bytes]:
        """The texts in a value that may be names: it is one, or lists some, or chooses between some."""
        scalar = _SCALAR.match(value)
        left = scalar[0] if scalar is not None else _IF.sub(b" ", _CALL.sub(b" ", value))
        if _BUILT.search(value) is not None or _IS_MAP.search(left) is not None:
            return
        is_quoted = left.strip()[:1] in (b'"', b"'") and scalar is not None
        for text in (left,) if is_quoted else _BETWEEN.split(left):
            yield from _parts(text.strip(_AROUND))
        for name in _REF.findall(value):
            yield from self._held(data, name)

    def _held(self, data: bytes, name: bytes) -> Iterator[bytes]:
        """What a parameter may be: what is given for it, and the default that stands behind its name."""
        shown = name.decode("utf-8", "replace")
        for pins in self._pins:
            if shown in pins.parameters:
                yield from _parts(pins.parameters[shown].encode())
        for value in mentions.values(data, shown) or ():
            default = _DEFAULT.search(value)
            if default is not None:
                yield from _parts(default[1].strip(_AROUND))

    def _parsed(self, path: str) -> Iterator[tuple[Key, Role]]:
        """What a template speaks of, by name."""
        for template, pins in self._loader.variants(path, self._pins):
            yield from spoken_of(Model(template, pins, RETURNS), NAMING)


def _alone(value: bytes) -> bytes:
    """A value without what stands behind it on a line: a text in quotes ends with them."""
    quoted = _QUOTED.match(value)
    return value if quoted is None else quoted[0]


def _words(text: bytes) -> _Words:
    return frozenset(text.translate(_SPACES).split())


def _sure_words(value: bytes) -> _Words:
    """The words that a name surely has when it is put together like this: those at which nothing is inserted."""
    text = _SUBSTITUTED.fullmatch(value)
    if text is None:
        return frozenset()
    literal = _INSERTED.sub(b" ", text[1])  # what is inserted may go on with the word beside it
    may_be_arn = text[1].startswith(b"arn:") or (text[1].startswith(b"${") and (b":" in literal or b"/" in literal))
    return frozenset() if may_be_arn else _words(literal)


def _values(data: bytes, name: str, roles: set[Role]) -> list[tuple[bytes, set[Role]]] | None:
    """What stands at a property, and which of some roles that has; None when it cannot be told."""
    if name not in MADE_IN:
        values = mentions.values(data, name)
        return None if values is None else [(value, roles) for value in values]
    parted = mentions.parted(data, name, MADE_IN[name])
    if parted is None:
        return None
    made: set[Role] = {"makes"}
    pairs = ((parted[0], roles & made), (parted[1], roles - made))
    return [(value, own) for values, own in pairs if own for value in values]


def _meet(one: set[Role], other: set[Role]) -> bool:
    """Tell whether two that speak of the same thing belong together.

    One makes it and the other only speaks of it, or one has a say in what the other makes or uses.
    """
    pairs = ((one, other), (other, one))
    return any(
        ("makes" in left and "makes" not in right) or ("says" in left and right != {"says"}) for left, right in pairs
    )


def _handed(data: bytes) -> Iterator[_Name]:
    """The names that a template hands to those that it makes stacks of, by what the parameter is called."""
    if may_hold(data, MAKERS):
        given = (pair for value in mentions.values(data, "Parameters") or () for pair in _GIVEN.findall(value))
        for parameter, text in given:
            kinds = [kind for kind, called in CALLED.items() if any(word in parameter.lower() for word in called)]
            yield from ((kind, part) for kind in kinds for part in _parts(text))


def _parts(text: bytes) -> Iterator[bytes]:
    """A text that may be a name, and the parts of it that may be one if it is an ARN."""
    if not _may_be_name(text):
        return
    yield text
    for part in text.split(b":")[5:] if text.startswith(b"arn:") else ():
        yield from filter(_may_be_name, (part, part.rpartition(b"/")[2]))


def _may_be_name(text: bytes) -> bool:
    is_one = _NAME.fullmatch(text) is not None and not text.endswith(b"/") and not text.startswith(b"AWS::")
    return is_one and text not in _NO_NAMES


def _text(key: Key) -> bytes:
    """A name as it is looked for in a text; of a metric's two the last one."""
    shown = "".join(piece if isinstance(piece, str) else "${" + piece.name + "}" for piece in key[1])
    return shown.rpartition("\n")[2].encode()
