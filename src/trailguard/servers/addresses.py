"""Addresses of documents, and the files that they mean."""

from __future__ import annotations

import os
from urllib.parse import unquote, urlsplit

from pygls.uris import from_fs_path, to_fs_path


class Addresses:
    """Which address a client uses for which file.

    A client may spell one file in several ways, so a file keeps the address under which it was opened. What is not
    a file yet, such as `untitled:Untitled-1`, is taken for one of that name in the working directory.
    """

    def __init__(self) -> None:
        self._opened: dict[str, str] = {}  # by absolute path
        self._unwritten: set[str] = set()  # the paths of what is not a file

    def path(self, uri: str) -> str:
        """The absolute path of the file that an address means."""
        path = to_fs_path(uri)
        if path is None:
            parts = urlsplit(uri)
            path = os.path.abspath(f"{parts.scheme}:{unquote(parts.path)}".replace("/", "_"))
            self._unwritten.add(path)
            return path
        return _seen_from_here(os.path.abspath(path))

    def opened(self, uri: str) -> str:
        """Take note of the address of a document that is open; gives its absolute path."""
        path = self.path(uri)
        self._opened[path] = uri
        return path

    def closed(self, uri: str) -> str:
        """Forget an address; gives the path."""
        path = self.path(uri)
        self._opened.pop(path, None)
        return path

    def is_open(self, path: str) -> bool:
        """Tell whether the file at an absolute path is open."""
        return path in self._opened

    def is_unwritten(self, path: str) -> bool:
        """Tell whether a path stands for what is not a file yet, so that no folder holds it."""
        return path in self._unwritten

    def uri(self, name: str) -> str:
        """The address of a file, by its name in reports."""
        path = os.path.abspath(name)
        return self._opened.get(path) or from_fs_path(path) or path


def _seen_from_here(path: str) -> str:
    """A path below the working directory as that spells it, whatever links lead there."""
    here = os.getcwd()
    if path.startswith(os.path.join(here, "")):
        return path
    folder = path
    rest: list[str] = []
    while os.path.dirname(folder) != folder:
        folder, name = os.path.split(folder)
        rest.append(name)
        try:
            if os.path.samefile(folder, here):
                return os.path.join(here, *reversed(rest))
        except OSError:
            continue
    return path
