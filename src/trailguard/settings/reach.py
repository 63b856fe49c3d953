"""How far a configuration reaches.

Whoever sends a change to a repository controls the configuration in it. So one that was found there names files of that
repository only: not by an absolute path, not from somebody's home, not through a symbolic link. One that the user named
with `--config` may name any.
"""

from __future__ import annotations

import os

from trailguard.errors import ConfigError, display_name

_WHY = "a configuration not named with --config"


class Reach:
    """The folder that a configuration stands in, and the folder that it may not leave; "" when it may."""

    def __init__(self, path: str, inside: str = "") -> None:
        self._path = path
        self._folder = os.path.dirname(os.path.abspath(path))
        self._top = os.path.join(os.path.realpath(inside), "") if inside else ""

    def check(self) -> None:
        """Refuse a configuration that is a link to somewhere else; raises ConfigError."""
        if self._top and not self._holds(self._path):
            raise ConfigError(
                display_name(self._path), 0, 0, f"{_WHY} must not be a link that leads out of the repository"
            )

    def path_of(self, name: str) -> str:
        """The absolute path that a name means; raises ValueError with what is wrong with it."""
        if not self._top:
            return os.path.join(self._folder, os.path.expanduser(name))
        if os.path.isabs(name) or name.startswith("~"):
            raise ValueError(
                f"must be a path from the configuration's folder, as {_WHY} names files of its repository only"
            )
        path = os.path.join(self._folder, name)
        if not self._holds(path):
            raise ValueError(f"leads out of the repository, where {_WHY} may read nothing")
        return path

    def links_out(self, folder: str) -> str | None:
        """A file in a folder, or one level below, that is a link out of the repository; None when there is none."""
        if not self._top:
            return None
        for inner, folders, files in os.walk(folder):
            for name in (*files, *folders):
                path = os.path.join(inner, name)
                if os.path.islink(path) and not self._holds(path):
                    return path
            if inner != folder:
                folders.clear()
        return None

    def _holds(self, path: str) -> bool:
        return os.path.join(os.path.realpath(path), "").startswith(self._top)
