"""What a user's mistake raises, and how files and the nearest names are shown."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable


class UserError(Exception):
    """Something that the user has to change: the file, line and column of the mistake, and what is wrong there.

    `file` is "" when no file is at fault. `line` and `column` are 1-based, or 0 when no place is known.
    """

    def __init__(self, file: str, line: int, column: int, message: str) -> None:
        super().__init__(message)
        self.file = file
        self.line = line
        self.column = column
        self.message = message

    def __str__(self) -> str:
        place = display_name(self.file) if self.file else ""
        if place and self.line:
            return f"{place}:{self.line}:{self.column}: {self.message}"
        return f"{place}: {self.message}" if place else self.message


class ConfigError(UserError):
    """A configuration, a parameter file, a baseline or an option that cannot be used."""


class RuleError(UserError):
    """A rule, a profile or a framework that cannot be used."""


class AssemblyError(UserError):
    """A cloud assembly of the CDK that cannot be understood."""


def display_name(path: str) -> str:
    """A path as messages and reports show it: from the working directory for what lies in it, with slashes."""
    if os.path.isabs(path):
        here = os.getcwd()
        if path.startswith(here + os.sep):
            path = path[len(here) + 1 :]
    return os.path.normpath(path).replace(os.sep, "/")


def nearest(word: str, known: Iterable[str], likeness: float = 0.5) -> str | None:
    """The known name that is most like a word, in whatever case of letters; None when none is like it.

    `likeness` says how much it must have in common with the word: 1 for all of it.
    """
    from difflib import get_close_matches  # rarely needed

    names = {name.lower(): name for name in reversed(list(known))}
    close = get_close_matches(word.lower(), names, 1, likeness)
    return names[close[0]] if close else None


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """The end of a message about a word that is not known: the nearest name, else all that are known."""
    names = list(known)
    close = nearest(word, names)
    return f'; did you mean "{close}"?' if close is not None else f" (one of {', '.join(names)})"
