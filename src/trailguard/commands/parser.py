"""The parser behind every command, and the kinds of values that options take."""

from __future__ import annotations

import argparse
import os
import re

from trailguard.errors import did_you_mean

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any, NoReturn


class Layout(argparse.RawDescriptionHelpFormatter):
    """Help as wide as the terminal, found without shutil, whose import takes longer than parsing."""

    def __init__(self, prog: str) -> None:
        columns = os.environ.get("COLUMNS", "")
        try:
            width = int(columns) if columns.isdecimal() else os.get_terminal_size().columns
        except (OSError, ValueError):
            width = 80
        super().__init__(prog, width=max(width - 2, 20))


class Parser(argparse.ArgumentParser):
    """A parser whose errors are one line, name the nearest option, and point to the help."""

    def __init__(self, command: str, description: str, usage: str, examples: str) -> None:
        super().__init__(
            prog=f"trailguard {command}",
            usage=f"trailguard {command} {usage}",  # making it up takes argparse longer than parsing
            description=description.capitalize() + ".",
            epilog="examples:\n" + examples,
            formatter_class=Layout,
            allow_abbrev=False,
        )

    def error(self, message: str) -> NoReturn:
        """Say what is wrong and end with status 2."""
        self.exit(2, f"error: {message}\n(see `{self.prog} --help`)\n")

    def read(self, argv: Sequence[str]) -> argparse.Namespace:
        """Parse; arguments and options may be mixed."""
        arguments, rest = self.parse_known_intermixed_args(argv)
        if rest:
            options = [name for action in self._actions for name in action.option_strings if name.startswith("--")]
            word = rest[0].partition("=")[0]
            hint = did_you_mean(word, options) if word.startswith("-") else ""
            known = hint if "did you mean" in hint else ""
            self.error(f"unknown {'option' if word.startswith('-') else 'argument'} {word}{known}")
        return arguments


AUTO = 0  # processes: as many as save time


def one_of(known: tuple[str, ...]) -> Callable[[str], str]:
    """A type of options that must be one of some words; another one is answered with the nearest."""

    def check(value: str) -> str:
        if value not in known:
            raise argparse.ArgumentTypeError(f'"{value}" is not known{did_you_mean(value, known)}')
        return value

    return check


def matching(pattern: str, what: str) -> Callable[[str], str]:
    """A type of options that must match a pattern; `what` says what that is."""

    def check(value: str) -> str:
        if not re.fullmatch(pattern, value):
            raise argparse.ArgumentTypeError(f'"{value}" is not {what}')
        return value

    return check


def listed(value: str) -> list[str]:
    """Split `a,b` into a list."""
    return [part for part in (piece.strip() for piece in value.split(",")) if part]


def pair(value: str) -> tuple[str, str]:
    """Split KEY=VALUE."""
    key, equals, text = value.partition("=")
    if not equals or not key:
        raise argparse.ArgumentTypeError(f'"{value}" must be written KEY=VALUE')
    return key, text


def processes(value: str) -> int:
    """Read a number of processes, 1 or more, or `auto`."""
    if value == "auto":
        return AUTO
    if not value.isdecimal() or not 1 <= len(value) <= 4 or int(value) < 1:
        raise argparse.ArgumentTypeError(f'"{value}" is not a number of processes, 1 or more, or auto')
    return int(value)


def choice(parser: Any, name: str, known: tuple[str, ...], text: str, default: str | None) -> None:
    """Add an option that takes one of some words."""
    parser.add_argument(name, type=one_of(known), metavar="|".join(known), default=default, help=text)


def repeated(parser: Any, name: str, metavar: str, text: str) -> None:
    """Add an option that takes several words, in one or in several."""
    parser.add_argument(name, type=listed, action="extend", default=[], metavar=metavar, help=text)
