"""The snapshot that a hook knows beside the template: a folder in its package, or an archive in a bucket.

An archive (`s3://BUCKET/KEY`, a zip or a tar file) is fetched when it has changed, and unpacked below the folder for
temporary files, which is all that Lambda lets a function write to.
"""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import tarfile
import tempfile
import zipfile
from collections.abc import Iterator
from functools import partial
from typing import IO

from trailguard.hosts.hook_event import HookError
from trailguard.hosts.hook_parameters import client, reason_of

VARIABLE = "TRAILGUARD_WORLD"
MOST_PACKED = 64_000_000  # bytes
MOST = 256_000_000  # bytes; /tmp of a function has 512 MB unless it asks for more
MOST_FILES = 50_000
_CHUNK = 1 << 16


def is_remote(named: str) -> bool:
    """Tell whether a snapshot has to be fetched."""
    return named.startswith("s3://")


def is_snapshot(folder: str) -> bool:
    """Tell a snapshot, which says how stacks were deployed, from templates that are just known."""
    return os.path.isfile(os.path.join(folder, "snapshot.json"))


def world(named: str, folder: str, region: str | None) -> list[str]:
    """The folders that are known beside the template: none where `named` is empty. Raises HookError."""
    if not named:
        return []
    if is_remote(named):
        return [_fetched(named, region)]
    path = os.path.join(folder, named)
    if not os.path.isdir(path):
        raise HookError(f"{VARIABLE} names {named}, which is not a folder of the package")
    return [path]


def _fetched(address: str, region: str | None) -> str:
    """The folder with what is in an archive of a bucket."""
    bucket, _, key = address.removeprefix("s3://").partition("/")
    if not bucket or not key:
        raise HookError(f"{VARIABLE} must be s3://BUCKET/KEY or a folder of the package")
    try:
        storage = client("s3", region)
        mark = storage.head_object(Bucket=bucket, Key=key)["ETag"]
        name = hashlib.sha256(f"{address}\n{mark}".encode()).hexdigest()[:20]
        place = os.path.join(tempfile.gettempdir(), "trailguard-world", name)
        if os.path.isdir(place):
            return place
        answer = storage.get_object(Bucket=bucket, Key=key, IfMatch=mark)
        data = answer["Body"].read(MOST_PACKED + 1)
    except Exception as error:  # botocore has no base of all its errors but this one
        raise HookError(f"the snapshot {address} cannot be read: {reason_of(error)}") from None
    if len(data) > MOST_PACKED:
        raise HookError(f"the snapshot {address} has more than {MOST_PACKED:,} bytes")
    unpack(data, place, address)
    _forget(os.path.dirname(place), name)
    return place


def _forget(folder: str, name: str) -> None:
    """Remove what was unpacked before: there is not room for many."""
    for other in os.listdir(folder):
        if other != name:
            shutil.rmtree(os.path.join(folder, other), ignore_errors=True)


def unpack(data: bytes, place: str, address: str) -> None:
    """Unpack an archive into a folder, which is there whole or not at all; raises HookError."""
    os.makedirs(os.path.dirname(place), mode=0o700, exist_ok=True)
    partly = tempfile.mkdtemp(dir=os.path.dirname(place))
    try:
        _write_all(_members(data), partly)
        os.rename(partly, place)
    except HookError as error:
        raise HookError(f"the snapshot {address} {error}") from None
    except (OSError, EOFError, ValueError, RuntimeError, tarfile.TarError, zipfile.BadZipFile) as error:
        if not os.path.isdir(place):  # another call has been faster
            raise HookError(f"the snapshot {address} cannot be unpacked: {type(error).__name__}") from None
    finally:
        shutil.rmtree(partly, ignore_errors=True)


def _members(data: bytes) -> Iterator[tuple[str, IO[bytes]]]:
    """The files in an archive; links and devices are passed over."""
    if zipfile.is_zipfile(io.BytesIO(data)):
        with zipfile.ZipFile(io.BytesIO(data)) as packed:
            for item in packed.infolist():
                if not item.is_dir():
                    with packed.open(item) as stream:
                        yield item.filename, stream
        return
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        for member in archive:
            stream_of = archive.extractfile(member) if member.isreg() else None
            if stream_of is not None:
                yield member.name, stream_of


def _write_all(members: Iterator[tuple[str, IO[bytes]]], folder: str) -> None:
    left = MOST
    for number, (name, stream) in enumerate(members):
        path = os.path.normpath(os.path.join(folder, name))
        if os.path.isabs(name) or not path.startswith(folder + os.sep):
            raise HookError("has a file outside of its folder")
        if number >= MOST_FILES:
            raise HookError(f"has more than {MOST_FILES:,} files")
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as target:
            for chunk in iter(partial(stream.read, _CHUNK), b""):
                left -= len(chunk)
                if left < 0:
                    raise HookError(f"has more than {MOST:,} bytes when it is unpacked")
                target.write(chunk)
