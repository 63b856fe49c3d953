"""docs/hook.md works as it says: the local run, the package, the commands and the figures.

    python -m tests.hosts.test_hook_documents

writes the answer of the local run anew.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import pytest
import yaml

from tests import ROOT
from tests.hosts.hooking import event
from trailguard.commands.init_hook import template
from trailguard.commands.options import parser_of
from trailguard.hosts import hook, hook_payload
from trailguard.hosts.hook_answer import MESSAGE, MESSAGE_OF_CONTROL, MOST_ANNOTATIONS
from trailguard.hosts.hook_event import read
from trailguard.hosts.hook_settings import configured, left_out
from trailguard.settings.settings import Settings

PAGE = ROOT / "docs" / "hook.md"
PORT = "8765"
ANSWER = re.compile(r"(?<=^```json\n).*?(?=^```$)", re.MULTILINE | re.DOTALL)
MOST = 50_000_000  # bytes of a package that is uploaded: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


def environment(folder: Path) -> dict[str, str]:
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("AWS_", "TRAILGUARD_", "PYTEST"))}
    return {**kept, "PYTHONPATH": str(ROOT / "src"), "PATH": f"{folder / 'bin'}{os.pathsep}{kept['PATH']}"}


def followed(folder: Path) -> str:
    """What the commands of the local run print, at a port that is free."""
    shutil.copytree(ROOT / "docs" / "hook", folder / "docs" / "hook")
    (folder / "bin").mkdir()
    (folder / "bin" / "python").symlink_to(sys.executable)
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = str(found.getsockname()[1])
    asked = folder / "docs" / "hook" / "stack.json"
    asked.write_text(asked.read_text(encoding="utf-8").replace(PORT, port), encoding="utf-8")
    (commands,) = (block for block in blocks("sh") if "http.server" in block)
    script = commands.replace(PORT, port).replace(" &\n", f" >/dev/null 2>&1 &\n{_until(port)}\n")
    done = subprocess.run(
        ["sh", "-c", script], cwd=folder, env=environment(folder), capture_output=True, text=True, check=False
    )
    assert done.stdout, done.stderr
    return done.stdout


def _until(port: str) -> str:
    """Wait for the server, as a person does by typing the next line."""
    program = (
        "import socket, time\nfor _ in range(200):\n"
        f"    try: socket.create_connection(('127.0.0.1', {port})).close(); break\n"
        "    except OSError: time.sleep(0.05)"
    )
    return f'python -c "{program}"'


@pytest.mark.slow
def test_the_local_run_answers_as_shown(tmp_path: Path) -> None:
    (shown,) = ANSWER.findall(PAGE.read_text(encoding="utf-8"))
    assert followed(tmp_path) == shown


def test_the_event_has_the_form_of_recorded_ones() -> None:
    local = json.loads((ROOT / "docs" / "hook" / "stack.json").read_text(encoding="utf-8"))
    recorded = event("stack")
    assert local.keys() == recorded.keys()
    assert local["requestData"].keys() == recorded["requestData"].keys()
    assert PORT in local["requestData"]["payload"]


def test_every_parameter_is_explained() -> None:
    page = PAGE.read_text(encoding="utf-8")
    parameters = yaml.safe_load(re.sub(r"![A-Z]\w*", "", template().partition("\nConditions:")[0]))["Parameters"]
    explained = set(re.findall(r"`(\w+)`", "".join(re.findall(r"^\| (`[A-Z][a-z].*?) \|", page, re.MULTILINE))))
    assert set(parameters) - {"PackageBucket", "PackageKey"} <= explained
    assert {"PackageBucket", "PackageKey"} <= set(re.findall(r"`(\w+)`", page))


def test_the_examples_of_variables_are_accepted(tmp_path: Path) -> None:
    rows = re.findall(r"^\| `(TRAILGUARD_\w+)` \| `(.*?)`", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    settings = configured(str(tmp_path), dict(rows))
    assert settings != Settings()
    assert len(rows) == 6
    assert settings.waivers[0].file == "*/*/legacy-audit"


def test_what_the_page_counts_is_so() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert f"{MESSAGE:,} characters, {MESSAGE_OF_CONTROL:,} for" in page
    assert f"more than {MOST_ANNOTATIONS} annotations" in page
    assert f"more than {hook_payload.MOST // 1_000_000} MB, {hook_payload.PATIENCE:g} s" in page
    assert f"after {hook.PATIENCE:g} s at most" in page
    skipped = left_out(Settings(profile="all"), read(event("resource")))
    assert f"({', '.join(skipped)}, and rules of your own" in page


def test_the_commands_are_known() -> None:
    (deploying,) = (block for block in blocks("sh") if "trailguard init" in block)
    (command,) = re.findall(r"^trailguard init (.*)$", deploying, re.MULTILINE)
    assert parser_of("init").read(command.split()).hook
    overridden = set(re.findall(r"(\w+)=", deploying.partition("--parameter-overrides")[2]))
    assert overridden == {"PackageBucket", "PackageKey"}
    assert "CAPABILITY_IAM" in deploying


@pytest.mark.hosts
def test_the_package_works_as_lambda_unpacks_it(tmp_path: Path) -> None:
    """Built as the page says, for this machine's own platform, so that it can be run."""
    (tmp_path / ".trailguard.yaml").write_text("rules: {select: [TG101]}\n", encoding="utf-8")
    version = f"{sys.version_info[0]}.{sys.version_info[1]}"
    machine = {"aarch64": "arm64", "arm64": "arm64"}.get(os.uname().machine, "x86_64")
    bin_ = tmp_path / "bin"
    bin_.mkdir()
    for name in ("python3", f"python{version}"):
        (bin_ / name).write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
        (bin_ / name).chmod(0o755)
    (command,) = (block for block in blocks("sh") if "build.sh" in block)
    words = command.split()
    assert words[:2] == ["sh", "docs/hook/build.sh"]
    assert words[2:] == [".", "arm64", "3.13", ".trailguard.yaml"]
    script = [str(ROOT / "docs" / "hook" / "build.sh"), str(ROOT), machine, version, ".trailguard.yaml"]
    plain = {key: value for key, value in environment(tmp_path).items() if key != "PYTHONPATH"}
    done = subprocess.run(["sh", *script], cwd=tmp_path, env=plain, capture_output=True, text=True, check=False)
    package = tmp_path / "trailguard-hook.zip"
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"trailguard-hook.zip: {package.stat().st_size // 1000} kB\n"
    assert package.stat().st_size < MOST
    with zipfile.ZipFile(package) as packed:
        packed.extractall(tmp_path / "task")
    call = (
        "import sys; sys.path[:] = [sys.argv[1], *sys.path]; from trailguard.hosts.hook import main; sys.exit(main())"
    )
    ran = subprocess.run(
        [sys.executable, "-I", "-S", "-c", call, str(tmp_path / "task")],
        input=json.dumps(event("resource")),
        env=plain | {"LAMBDA_TASK_ROOT": str(tmp_path / "task")},
        capture_output=True,
        text=True,
        check=False,
    )
    told = json.loads(ran.stdout)
    assert (ran.returncode, told["hookStatus"]) == (0, "SUCCESS"), ran.stderr
    assert "may be deployed" in told["message"]
    assert "annotations" not in told  # its configuration asks for one rule only, which is kept


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as place:
        answer = followed(Path(place))
    PAGE.write_text(ANSWER.sub(lambda match: answer, PAGE.read_text(encoding="utf-8")), encoding="utf-8")
