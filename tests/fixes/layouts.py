"""Writes data as YAML or JSON in a layout that nobody would choose: every style that the languages have, by turns."""

from __future__ import annotations

import json
import re
from random import Random
from typing import Any

from trailguard.cloudformation.source.tags import SHORT_FORMS

TAGS = {name: tag for tag, name in SHORT_FORMS.items()}
SAFE = re.compile(r"[A-Za-z][A-Za-z0-9/]*(?:::?[A-Za-z0-9]+)*")
PROPERTIES = re.compile(r"(?:[&!]\S+ ?)*")
WORDS = {"y", "n", "yes", "no", "true", "false", "on", "off", "null"}


class Layout:
    """A writer with habits, and moods."""

    def __init__(self, random: Random, anchors: bool = True) -> None:
        self.random = random
        self.step = random.choice([1, 2, 2, 3, 4])
        self.offset = random.choice([0, 2, 2, 1, 4])
        self.flow = random.choice([0.0, 0.1, 0.4])
        self.comments = random.choice([0.0, 0.2, 0.5])
        self.quotes = random.choice(["", "'", '"'])
        self.short = random.choice([0.0, 0.5, 1.0])
        self.blank = random.choice([0.0, 0.0, 0.3, 1.0])
        self.anchors = random.choice([0.0, 0.3]) if anchors else 0.0
        self.named: list[tuple[str, Any]] = []
        self.count = 0
        self.written = 0

    def chance(self, probability: float) -> bool:
        return self.random.random() < probability

    def comment(self) -> str:
        self.count += 1
        return f"# {self.random.choice(['note', 'a: b', '- x', '{', 'it' + chr(39) + 's'])} {self.count}"

    def trailing(self) -> str:
        return self.random.choice([" ", "  ", "\t"]) + self.comment() if self.chance(self.comments) else ""

    # Whole documents

    def document(self, data: Any) -> str:
        lines: list[str] = []
        if self.chance(0.2):
            lines += ["%YAML 1.1", "---"] if self.chance(0.3) else ["---"]
        if self.chance(self.comments):
            lines += [self.comment(), ""]
        lines += self.block(data, 0)
        if self.chance(self.comments):
            lines += ["", self.comment()]
        if self.chance(0.1):
            lines += ["..."]
        eol = self.random.choice(["\n", "\n", "\r\n", "\r"])
        return eol.join(lines) + (eol if self.chance(0.8) else "")

    # Block style

    def block(self, data: dict[str, Any], column: int) -> list[str]:
        lines: list[str] = []
        blanks = " " * column
        for name, known in self.named:
            if not isinstance(known, dict) or not 0 < len(known) < len(data) or self.chance(0.3):
                continue
            if all(key in data and same(data[key], value) for key, value in known.items()):
                data = {key: value for key, value in data.items() if key not in known}
                lines.append(f"{blanks}<<: *{name}")
                break
        for number, (key, value) in enumerate(data.items()):
            if number and self.chance(self.blank):
                lines.append(self.random.choice(["", "", blanks]))
            lines += [blanks + self.comment() for _ in range(2) if self.chance(self.comments / 2)]
            head = self.text(key, False)
            explicit = self.chance(0.05)
            first, below = self.value(value, column, explicit)
            if explicit:
                lines.append(f"{blanks}? {head}")
                head = ""
            lines.append(f"{blanks}{head}:" + (f" {first}" if first else ""))
            if not re.search(r"(?:^|\s)#", first) and (not below or PROPERTIES.fullmatch(first)):
                lines[-1] += self.trailing() if first and not below else self.trailing().replace("\t", " ")
            lines += below
        if self.chance(self.comments / 4):
            lines.append(blanks + self.comment())
        return lines

    def listed(self, data: list[Any], column: int) -> list[str]:
        lines: list[str] = []
        blanks = " " * column
        for number, item in enumerate(data):
            if number and self.chance(self.blank / 2):
                lines.append("")
            lines += [blanks + self.comment() for _ in range(2) if self.chance(self.comments / 3)]
            gap = self.random.choice([1, 1, 1, 3])
            if isinstance(item, dict) and item and len(item) > 1 and self.chance(0.7):
                inner = self.block(item, column + 1 + gap)
                if not inner[0].strip().startswith(("#", "?")) and self.chance(0.9):
                    lines.append(blanks + "-" + " " * gap + inner[0].lstrip())
                    lines += inner[1:]
                else:
                    lines += [blanks + "-" + self.trailing().replace("\t", " "), *inner]
                continue
            first, below = self.value(item, column, True)
            lines.append(blanks + "-" + (" " * gap + first if first else ""))
            if not below and not re.search(r"(?:^|\s)#", first):
                lines[-1] += self.trailing().replace("\t", " ")
            lines += below
        return lines

    def value(self, data: Any, column: int, deep: bool = False) -> tuple[str, list[str]]:
        """What stands behind the key or dash in this column, and the lines below."""
        for name, known in self.named:
            if same(known, data) and self.chance(0.5):
                return f"*{name} ", []
        anchor = ""
        if self.chance(self.anchors):
            self.written += 1
            anchor = f"&n{self.written} "
        first, below = self.unnamed(data, column, deep)
        if anchor:
            self.named.append((anchor[1:-1], data))
        return (anchor + first).rstrip() if below or not first else anchor + first, below

    def unnamed(self, data: Any, column: int, deep: bool) -> tuple[str, list[str]]:
        if isinstance(data, dict | list) and not data:
            return ("{}" if isinstance(data, dict) else "[]"), []
        if isinstance(data, dict) and len(data) == 1 and next(iter(data)) in TAGS and self.chance(self.short):
            ((name, argument),) = data.items()
            known = len(self.named)
            first, below = self.unnamed(argument, column, True)
            if not first.startswith("!"):
                return f"{TAGS[name]} {first}".rstrip(), below
            del self.named[known:]
        if isinstance(data, dict | list) and self.chance(self.flow):
            return self.flowing(data, column + 1)
        if isinstance(data, dict):
            return "", self.block(data, column + self.step)
        if isinstance(data, list):
            return "", self.listed(data, column + max(self.offset, 2 if deep else 0))
        if isinstance(data, str) and "\n" in data:
            return self.long(data, column)
        if isinstance(data, str) and " " in data and all(map(SAFE.fullmatch, data.split(" "))) and self.chance(0.5):
            head, _, rest = data.partition(" ")
            quote = self.random.choice(["", "'", '"'])
            if rest.strip() == rest and "  " not in data:
                return quote + head, [" " * (column + 1) + rest + quote]
        return self.text(data, False), []

    def long(self, data: str, column: int) -> tuple[str, list[str]]:
        body = data.rstrip("\n")
        tail = len(data) - len(body)
        if not body or body.startswith((" ", "\n")) or not body.replace("\n", "").isprintable():
            return json.dumps(data), []
        head = "|" + ("-" if not tail else "" if tail == 1 else "+")
        blanks = " " * (column + self.step)
        return head, [blanks + line if line else "" for line in body.split("\n")] + [""] * (tail - 1)

    # Flow style

    def flowing(self, data: Any, column: int) -> tuple[str, list[str]]:
        spread = self.chance(0.4)
        text = self.flow_text(data, spread, " " * column)
        first, *below = text.split("\n")
        return first, below

    def flow_text(self, data: Any, spread: bool, blanks: str) -> str:
        if isinstance(data, dict) and len(data) == 1 and next(iter(data)) in TAGS and self.chance(self.short):
            ((name, argument),) = data.items()
            written = self.flow_text(argument, False, blanks)
            if not written.startswith("!"):
                return f"{TAGS[name]} {written}"
        if not isinstance(data, dict | list) or not data:
            return "{}" if data == {} else "[]" if data == [] else self.text(data, True)
        inner = blanks + "  "
        if isinstance(data, dict):
            entries = [f"{self.text(key, True)}: {self.flow_text(value, spread, inner)}" for key, value in data.items()]
        else:
            entries = [self.flow_text(item, spread, inner) for item in data]
        opening, closing = ("{", "}") if isinstance(data, dict) else ("[", "]")
        if spread:
            last = self.random.choice(["", "", ","])
            lines = [entry + ("," if number < len(entries) - 1 else last) for number, entry in enumerate(entries)]
            lines = [line + (self.trailing() if self.chance(0.3) else "") for line in lines]
            return "\n".join([opening, *(inner + line for line in lines), blanks + closing])
        pad = self.random.choice(["", " "])
        return f"{opening}{pad}{', '.join(entries)}{pad}{closing}"

    # Scalars

    def text(self, data: Any, in_flow: bool) -> str:
        if data is None:
            return self.random.choice(["null", "~"]) if in_flow else self.random.choice(["null", "~", ""])
        if isinstance(data, bool):
            word = self.random.choice(["true", "True", "yes"] if data else ["false", "False", "no"])
            return self.random.choice([word, word, f'"{str(data).lower()}"'])
        if isinstance(data, int):
            return str(data)
        if SAFE.fullmatch(data) and data.lower() not in WORDS and self.chance(0.5 if self.quotes else 0.9):
            return f"{data}"
        if self.quotes == "'" and data.isprintable() and self.chance(0.8):
            return "'{}'".format(data.replace("'", "''"))
        return str(json.dumps(data, ensure_ascii=not data.isprintable()))


def same(one: Any, other: Any) -> bool:
    """Whether data are the same, for which True is not 1."""
    return json.dumps(one) == json.dumps(other)


def as_json(random: Random, data: Any) -> str:
    """Data as JSON in some layout."""
    indent = random.choice([None, 2, 4, "\t", 1])
    separators = (
        random.choice([(",", ":"), (", ", ": ")])
        if indent is None
        else random.choice([(",", ": "), (",", ":"), (",", " : ")])
    )
    text = json.dumps(data, indent=indent, separators=separators, ensure_ascii=random.choice([True, False]))
    return text.replace("\n", random.choice(["\n", "\r\n"])) + random.choice(["", "\n"])
