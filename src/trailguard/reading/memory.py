"""What is known of the bytes of files, so that a program that stays need not find it out again after each change.

A scan looks at each file once and keeps nothing. A server keeps, for each file, what its bytes alone decide: when they
change, that is forgotten, and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from typing import Any, TypeVar

Answer = TypeVar("Answer")
Key = TypeVar("Key", bound=Hashable)

_LATEST = 4  # answers that are kept to a question which changes with what is asked about


class Memory:
    """Remembers nothing: what a scan has, which asks each question once."""

    def once(self, path: str, data: bytes, key: Hashable, build: Callable[[], Answer]) -> Answer:
        """What `build` gives, which hinges on the bytes of a file, on the key, and on nothing else."""
        return build()

    def latest(self, path: str, data: bytes, key: str, about: Hashable, build: Callable[[], Answer]) -> Answer:
        """The same for what hinges on something that changes, too: the answers for the last few are kept."""
        return build()

    def same(self, value: Key) -> Key:
        """The first of all values that are equal to one: telling that it is the same then takes no time."""
        return value

    def bytes_of(self, path: str, read: Callable[[], bytes | None]) -> bytes | None:
        """The bytes of the file at an absolute path, None when there is none to be had; `read` reads it."""
        return read()


class Kept(Memory):
    """Remembers what it is asked, for one configuration.

    `contents` are the bytes of files by absolute path: what is there is not read again.
    """

    def __init__(self) -> None:
        self._known: dict[str, tuple[bytes, dict[Hashable, Any]]] = {}
        self._same: dict[Hashable, Hashable] = {}
        self.contents: dict[str, bytes] = {}

    def once(self, path: str, data: bytes, key: Hashable, build: Callable[[], Answer]) -> Answer:
        """What `build` gives, or gave when the file held the same bytes."""
        answers = self._answers(path, data)
        if key not in answers:
            answers[key] = build()
        found: Answer = answers[key]
        return found

    def latest(self, path: str, data: bytes, key: str, about: Hashable, build: Callable[[], Answer]) -> Answer:
        """What `build` gives, or one of the last times gave."""
        answers: dict[Hashable, Answer] = self._answers(path, data).setdefault(key, {})
        if about not in answers:
            while len(answers) >= _LATEST:
                del answers[next(iter(answers))]
            answers[about] = build()
        return answers[about]

    def same(self, value: Key) -> Key:
        """The value that was given first, of those of late."""
        if len(self._same) > 64 * _LATEST:
            self._same.clear()
        found: Key = self._same.setdefault(value, value)  # type: ignore[assignment]
        return found

    def bytes_of(self, path: str, read: Callable[[], bytes | None]) -> bytes | None:
        """The bytes that are known to be there, else what is read."""
        return self.contents[path] if path in self.contents else read()

    def keep(self, paths: Iterable[str]) -> None:
        """Forget all files but some, by absolute path."""
        known = set(paths)
        self._known = {path: answers for path, answers in self._known.items() if path in known}

    def _answers(self, path: str, data: bytes) -> dict[Hashable, Any]:
        known = self._known.get(path)
        if known is None or known[0] != data:
            known = self._known[path] = (data, {})
        return known[1]
