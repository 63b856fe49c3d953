"""A server that plays AWS, with an account in it, and what sees every call before it."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.account.front import Answer, Call, Front, as_json


@pytest.fixture(scope="session")
def moto() -> Iterator[int]:
    """The port of a server of moto, in a process of its own."""
    with server() as port:
        yield port


@contextmanager
def server() -> Iterator[int]:
    """A server of moto, in a process of its own; gives its port."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    quiet = subprocess.DEVNULL
    clean = {key: value for key, value in os.environ.items() if not key.startswith("AWS_")}
    with subprocess.Popen(command, stdout=quiet, stderr=quiet, stdin=quiet, env=clean) as process:
        try:
            _wait(port)
            yield port
        finally:
            process.terminate()


def _wait(port: int) -> None:
    for _ in range(600):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.1)
    raise TimeoutError("moto's server did not start")


@pytest.fixture(scope="session")
def filled(moto: int) -> Iterator[Front]:
    """What stands before the server, and an account behind it."""
    from tests.account.aws import fill

    front = Front(moto)
    fill(front.url)
    front.replies.append(no_stores)
    yield front
    front.close()


def no_stores(call: Call) -> Answer | None:
    """There are no event data stores, which moto does not know."""
    return as_json({"EventDataStores": []}) if call.name == "cloudtrail:ListEventDataStores" else None


@pytest.fixture
def front(filled: Front, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Front:
    """The account, as whoever runs trailguard here sees it; its calls are counted from now on."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name, value in environment(filled.url, tmp_path).items():
        monkeypatch.setenv(name, value)
    filled.calls.clear()
    filled.most = 0
    return filled


def environment(url: str, folder: Path) -> dict[str, str]:
    """What points the AWS SDK at a server, and at nothing that is this machine's own."""
    return {
        "AWS_ENDPOINT_URL": url,
        "AWS_ACCESS_KEY_ID": "AKIAEXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "made-up",
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_CONFIG_FILE": str(folder / "no-config"),
        "AWS_SHARED_CREDENTIALS_FILE": str(folder / "no-credentials"),
        "AWS_EC2_METADATA_DISABLED": "true",
    }
