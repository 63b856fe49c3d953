"""The folder that an assistant may look into, and what is refused: whatever leads out of it, by whatever way."""

from __future__ import annotations

import os
import stat

from trailguard.errors import UserError


class Root:
    """A folder; nothing outside of it is read or written for an assistant.

    Raises UserError when there is no such folder.
    """

    def __init__(self, folder: str) -> None:
        self.folder = os.path.realpath(folder)
        if not os.path.isdir(self.folder):
            raise UserError(folder, 0, 0, "is not a folder")

    def there(self, name: str) -> str:
        """The path from the root to a file or folder that is there; raises UserError.

        Links are followed, so that what was looked at is what is read.
        """
        real = self._inside(name)
        try:
            mode = os.stat(real).st_mode
        except OSError as error:
            raise UserError(name, 0, 0, f"cannot be read: {(error.strerror or str(error)).lower()}") from None
        if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
            raise UserError(name, 0, 0, "is neither a regular file nor a folder")
        path = os.path.relpath(real, self.folder)
        return path if path != "-" else os.path.join(os.curdir, path)  # by itself it means standard input

    def meant(self, name: str) -> str:
        """The path from the root to a file that may not be there yet; raises UserError."""
        real = self._inside(name)
        if os.path.lexists(real) and not os.path.isfile(real):
            raise UserError(name, 0, 0, "is not a regular file")
        return os.path.relpath(real, self.folder)

    def holds(self, path: str) -> bool:
        """Tell whether a path leads to something in the folder, links followed."""
        real = os.path.realpath(os.path.join(self.folder, path))
        return real == self.folder or real.startswith(os.path.join(self.folder, ""))

    def _inside(self, name: str) -> str:
        """The real path of a name, which is seen from the root."""
        if not name or "\0" in name:
            raise UserError("", 0, 0, "a path has at least one character, and no NUL")
        try:
            is_inside = self.holds(name)
        except (OSError, ValueError):  # too long, or not to be spelled in the file system's encoding
            raise UserError("", 0, 0, "the path is not one of a file") from None
        if not is_inside:
            raise UserError(name, 0, 0, "leads out of the folder that this server may look into")
        return os.path.realpath(os.path.join(self.folder, name))
