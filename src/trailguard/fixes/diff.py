"""Edits as a unified diff that `git apply` takes.

Source: https://git-scm.com/docs/git-apply and https://git-scm.com/docs/diff-format
"""

from __future__ import annotations

import difflib
import re

_ODD = re.compile(r'[\x00-\x1f"\\\x7f]')
_NAMED = {"\t": "\\t", "\n": "\\n", "\r": "\\r", '"': '\\"', "\\": "\\\\"}
_NO_END = "\\ No newline at end of file\n"


def unified(name: str, old: bytes, new: bytes) -> bytes:
    """The difference between two versions of a file, with its name from the working directory; empty for none.

    Lines end where git sees their ends, at a line feed alone, and keep all of their bytes.
    """
    lines = difflib.unified_diff(_lines(old), _lines(new), _quoted(f"a/{name}"), _quoted(f"b/{name}"), lineterm="\n")
    told = [line if line.endswith("\n") else f"{line}\n{_NO_END}" for line in lines]
    if not told:
        return b""
    told[:2] = [line if " " not in line[4:] else line.replace("\n", "\t\n") for line in told[:2]]
    head = f"diff --git {_quoted(f'a/{name}')} {_quoted(f'b/{name}')}\n"
    return "".join((head, *told)).encode("utf-8", "surrogateescape")


def _lines(data: bytes) -> list[str]:
    text = data.decode("utf-8", "surrogateescape")
    return [f"{line}\n" for line in text.split("\n")[:-1]] + ([text.rpartition("\n")[2]] if text[-1:] != "\n" else [])


def _quoted(name: str) -> str:
    """A file name as git writes it: in quotes where it holds what would end it or mean something else."""
    if not _ODD.search(name):
        return name
    spelt = _ODD.sub(lambda found: _NAMED.get(found[0], f"\\{ord(found[0]):03o}"), name)
    return f'"{spelt}"'
