"""What is new or worse since a git revision: the templates as they were then are judged, too, and compared.

The old files are read from git's objects, whatever its configuration and attributes say, and written to a folder of
their own, so that everything that has a say in a verdict is as it was: templates, parameter files, the configuration.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import IO, NamedTuple, cast

from trailguard.acceptance.baseline import recorded
from trailguard.acceptance.known import covering
from trailguard.errors import UserError
from trailguard.findings import Report
from trailguard.inputs import git_environment

_LINK, _SUBMODULE = "120000", "160000"
_MOST = 8 * 1024 * 1024  # bytes of a file that a scan may read
_LEFT_OUT = (".gitignore",)  # what git holds is not ignored, whatever these say


class Blob(NamedTuple):
    """A file of a revision: its kind as git spells it, the name of its object, and its path from the root."""

    mode: str
    object: str
    path: str


@contextmanager
def checked_out(revision: str, folder: str) -> Iterator[str]:
    """A folder that is as `folder` was in a git revision, with all of its repository around it.

    It is gone afterwards. Raises UserError when there is no such revision, or no repository.
    """
    if revision.startswith("-"):
        raise UserError("", 0, 0, f'"{revision}" is not a git revision')
    root = os.path.realpath(_said(["rev-parse", "--show-toplevel"], folder))
    commit = _said(["rev-parse", "--verify", "--end-of-options", f"{revision}^{{commit}}"], folder)
    with tempfile.TemporaryDirectory(prefix="trailguard-") as place:
        os.mkdir(os.path.join(place, ".git"))  # where looking for a configuration ends
        _write(_blobs(commit, root), root, place)
        here = os.path.join(place, os.path.relpath(os.path.realpath(folder), root))
        os.makedirs(here, exist_ok=True)
        yield os.path.normpath(here)


def _blobs(commit: str, root: str) -> list[Blob]:
    """The files of a revision that may be read by a scan."""
    found = []
    for entry in _git(["ls-tree", "-r", "-z", "--long", "--full-tree", commit], root).split(b"\0"):
        head, tab, path = entry.partition(b"\t")
        mode, _, name, size = (head.decode("ascii").split() if tab else ["", "", "", ""])[:4]
        parts = os.fsdecode(path).split("/")
        if size == "BAD":  # a partial clone, which fetches what it lacks; a scan uses no network
            why = f"git has no {os.fsdecode(path)} of that revision here; fetch all of it first: git fetch --refetch"
            raise UserError("", 0, 0, why)
        if tab and mode != _SUBMODULE and int(size) <= _MOST and parts[-1] not in _LEFT_OUT and ".." not in parts:
            found.append(Blob(mode, name, os.path.join(*parts)))
    return found


def _write(blobs: Sequence[Blob], root: str, place: str) -> None:
    """Write the files of a revision below a folder, one after the other."""
    with tempfile.TemporaryFile() as asked:
        asked.write("".join(f"{blob.object}\n" for blob in blobs).encode("ascii"))
        asked.seek(0)
        command = ["git", "cat-file", "--batch"]
        with subprocess.Popen(  # noqa: S603
            command, cwd=root, env=git_environment(), stdin=asked, stdout=subprocess.PIPE
        ) as process:
            answer = cast("IO[bytes]", process.stdout)
            for blob in blobs:
                size = int(answer.readline().split()[2])
                _write_one(blob, answer.read(size), os.path.join(place, blob.path))
                answer.read(1)  # the end of the line


def _write_one(blob: Blob, data: bytes, target: str) -> None:
    os.makedirs(os.path.dirname(target), exist_ok=True)
    if blob.mode == _LINK:
        os.symlink(os.fsdecode(data), target)
        return
    with open(target, "wb") as stream:
        stream.write(data)


def described(folder: str) -> str:
    """The commit that a folder is at, with "-dirty" where files differ from it. Raises UserError when there is none."""
    return _said(["describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"], folder)


def _said(arguments: Sequence[str], folder: str) -> str:
    return os.fsdecode(_git(arguments, folder)).rstrip("\n")


def _git(arguments: Sequence[str], folder: str, given: bytes = b"") -> bytes:
    try:
        done = subprocess.run(  # noqa: S603
            ["git", *arguments],  # noqa: S607
            cwd=folder, env=git_environment(), capture_output=True, check=False, input=given,
        )  # fmt: skip
    except OSError as error:
        raise UserError("", 0, 0, f"git cannot be run: {error.strerror or error}") from None
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()
        raise UserError("", 0, 0, f"git {arguments[0]}: {said[0] if said else 'failed'}")
    return done.stdout


def narrowed(report: Report, before: Report, revision: str) -> tuple[Report, str]:
    """The report with what is new or worse alone, and how much was left out ("" for nothing).

    It tells no frameworks: whether a control is met cannot be told from a part of the results.
    """
    results = report.results
    covered, _ = covering(results, recorded(before.results), lambda file: not os.path.lexists(file))
    kept = tuple(item for index, item in enumerate(results) if item.is_open and index not in covered)
    narrow = report._replace(results=kept, frameworks=(), since=revision)
    left_out = report.summary()["fail"] - narrow.summary()["fail"]
    if not left_out:
        return narrow, ""
    what = "1 failure that was" if left_out == 1 else f"{left_out} failures that were"
    return narrow, f"note: {what} there in {revision} already {'is' if left_out == 1 else 'are'} left out"
