"""The parser behind every command, and the kinds of values that options take."""

from __future__ import annotations

import argparse
import os
import re

from trailguard.errors import did_you_mean, nearest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any, NoReturn


_LIKENESS = 0.7  # how much an option that is not known must have in common with one that is


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
            description=description[:1].upper() + description[1:] + ".",
            epilog="examples:\n" + examples,
            formatter_class=Layout,
            allow_abbrev=False,
        )

    def error(self, message: str) -> NoReturn:
        """Say what is wrong and end with status 2."""
        self.exit(2, f"error: {message}\n(see `{self.prog} --help`)\n")

    def read(self, argv: Sequence[str]) -> argparse.Namespace:
        """Parse; arguments and options may be mixed. What stands behind "--" is an argument, whatever it looks like."""
        end = argv.index("--") if "--" in argv else len(argv)
        places = [action for action in self._actions if not action.option_strings]
        needed = [action for action in places if end < len(argv) and action.nargs is None]
        for action in needed:  # it may stand behind
            action.nargs = "?"
        arguments, rest = self.parse_known_intermixed_args(argv[:end])
        if rest:
            options = [name[2:] for action in self._actions for name in action.option_strings if name[:2] == "--"]
            word = rest[0].partition("=")[0]
            close = nearest(word.lstrip("-"), options, _LIKENESS) if word.startswith("-") else None
            known = f"; did you mean --{close}?" if close else ""
            self.error(f"unknown {'option' if word.startswith('-') else 'argument'} {word}{known}")
        self._fill(arguments, places, argv[end + 1 :])
        missing = next((action for action in needed if getattr(arguments, action.dest) is None), None)
        if missing is not None:
            self.error(f"{missing.metavar or missing.dest} is missing")
        return arguments

    def _fill(self, arguments: argparse.Namespace, places: Sequence[argparse.Action], words: Sequence[str]) -> None:
        """Take words for the arguments that are not given yet, or that there may be several of."""
        for word in words:
            for action in places:
                given = getattr(arguments, action.dest, None)
                if given is None or isinstance(given, list):
                    break
            else:
                self.error(f"unknown argument {word}")
            try:
                value = self._get_value(action, word)
            except argparse.ArgumentError as error:
                self.error(str(error))
            setattr(arguments, action.dest, [*given, value] if isinstance(given, list) else value)


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


def days(value: str) -> int:
    """Read a number of days."""
    if not value.isdecimal() or len(value) > 5:
        raise argparse.ArgumentTypeError(f'"{value}" is not a number of days')
    return int(value)


def choice(parser: Any, name: str, known: tuple[str, ...], text: str, default: str | None) -> None:
    """Add an option that takes one of some words."""
    parser.add_argument(name, type=one_of(known), metavar="|".join(known), default=default, help=text)


def repeated(parser: Any, name: str, metavar: str, text: str) -> None:
    """Add an option that takes several words, in one or in several."""
    parser.add_argument(name, type=listed, action="extend", default=[], metavar=metavar, help=text)
