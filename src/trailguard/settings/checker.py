"""Checks the values of a configuration; every error says where it is and names the nearest word."""

from __future__ import annotations

import os
import re

from trailguard.errors import ConfigError, did_you_mean
from trailguard.settings.globs import fault
from trailguard.settings.reach import Reach

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, TypeVar

    from trailguard.settings.sources import Path, Source

    Word = TypeVar("Word", bound=str)


class Checker:
    """Checks values of the configuration; every error says where it is."""

    def __init__(self, source: Source, reach: Reach | None = None) -> None:
        self.source = source
        self.reach = reach or Reach(source.path)

    def error(self, path: Path, message: str) -> ConfigError:
        """The error about a value."""
        line, column = self.source.place(path)
        return ConfigError(self.source.name, line, column, message)

    def table(self, value: object, path: Path, known: tuple[str, ...] = ()) -> dict[str, Any]:
        """Expect a map, with none but the known keys if there are any."""
        if value is None:
            return {}
        if not isinstance(value, dict):
            raise self.error(path, f"{self.title(path)} must be a map of {'settings' if known else 'names to values'}")
        for key in value:
            if known and key not in known:
                inside = f" in {self.title(path)}" if path else ""
                line, column = self.source.key_place((*path, key))
                text = f'unknown key "{key}"{inside}{did_you_mean(str(key), known)}'
                raise ConfigError(self.source.name, line, column, text)
        return value

    def items(self, value: object, path: Path) -> list[object]:
        """Expect a list."""
        if not isinstance(value, list):
            raise self.error(path, f"{self.title(path)} must be a list")
        return value

    def text(self, value: object, path: Path) -> str:
        """Expect text that is not blank."""
        if not isinstance(value, str) or not value.strip():
            raise self.error(path, f"{self.title(path)} must be text that is not empty")
        return value

    def file(self, value: object, path: Path) -> str:
        """Expect the path of a file or folder that the configuration may name, and give it whole."""
        name = self.text(value, path)
        try:
            return self.reach.path_of(name)
        except ValueError as error:
            raise self.error(path, f"{self.title(path)}: {name} {error}") from None

    def folders(self, value: object, path: Path) -> tuple[str, ...]:
        """Expect a list of folders that are there."""
        found = []
        for number, item in enumerate(self.items(value, path)):
            where = (*path, number)
            folder = self.file(item, where)
            if not os.path.isdir(folder):
                raise self.error(where, f"{self.title(where)}: {item}: there is no such folder")
            link = self.reach.links_out(folder)
            if link is not None:
                message = f"{os.path.relpath(link, folder)} is a link that leads out of the repository"
                raise self.error(where, f"{self.title(where)}: in {item}, {message}")
            found.append(folder)
        return tuple(found)

    def globs(self, value: object, path: Path) -> tuple[str, ...]:
        """Expect a list of patterns of file names."""
        return tuple(self.glob(item, (*path, number)) for number, item in enumerate(self.items(value, path)))

    def glob(self, value: object, path: Path) -> str:
        """Expect a pattern of file names."""
        text = self.text(value, path)
        wrong = fault(text)
        if wrong is not None:
            raise self.error(path, f'{self.title(path)}: the pattern "{text}" {wrong}')
        return text

    def texts(self, value: object, path: Path) -> tuple[str, ...]:
        """Expect a list of such texts."""
        return tuple(self.text(item, (*path, number)) for number, item in enumerate(self.items(value, path)))

    def choice(self, value: object, path: Path, known: tuple[Word, ...]) -> Word:
        """Expect one of some words."""
        for word in known:
            if word == value:
                return word
        text = f'{self.title(path)} cannot be "{self.source.written(path)}"{did_you_mean(str(value), known)}'
        raise self.error(path, text)

    def written(self, value: object, path: Path) -> str:
        """Expect a plain value, and take it as it is written: an account id keeps its zeros, a Boolean its spelling."""
        if isinstance(value, list):
            return ",".join(self.written(item, (*path, number)) for number, item in enumerate(value))
        if value is None or isinstance(value, dict):
            raise self.error(path, f"{self.title(path)} must be a value: text, a number, true or false")
        return self.source.written(path)

    def matching(self, value: object, path: Path, pattern: str, what: str) -> str:
        """Expect a plain value that matches a pattern; `what` says what that is."""
        text = "" if isinstance(value, list) else self.written(value, path)
        if not re.fullmatch(pattern, text):
            raise self.error(path, f"{self.title(path)} must be {what}")
        return text

    def values(self, value: object, path: Path) -> Mapping[str, str]:
        """Parameter values by name."""
        return {name: self.written(item, (*path, name)) for name, item in self.table(value, path).items()}

    def date(self, value: object, path: Path) -> str:
        """Expect a date."""
        text = self.text(value, path)
        if not is_date(text):
            raise self.error(path, f'{path[-1]} must be a date such as 2027-01-31, not "{text}"')
        return text

    @staticmethod
    def title(path: Path) -> str:
        """Name a place in the configuration: `waivers[0].rule`."""
        text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
        return text.lstrip(".") or "the configuration"


def is_date(text: str) -> bool:
    """Tell whether a text is a date of the calendar, year-month-day."""
    match = re.fullmatch(r"(\d{4})-(\d\d)-(\d\d)", text, re.ASCII)
    if not match:
        return False
    from datetime import date

    try:
        date(int(match[1]), int(match[2]), int(match[3]))
    except ValueError:
        return False
    return True
