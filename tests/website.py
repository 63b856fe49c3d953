"""Builds the documentation site from docs/, with README.md as its front page; a link that leads nowhere stops it.

    python -m tests.website [FOLDER]

writes it, by default to build/site. Needs the dependency group `docs`.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tests import ROOT

DOCS = ROOT / "docs"
CONFIG = DOCS / "zensical.toml"
_LINK = re.compile(r"(?<=\]\()(?!\w+:|#)([^)#\s]+)(#[^)\s]*)?(?=\))")
_FENCED = re.compile(r"^(```.*?^```$)", re.MULTILINE | re.DOTALL)


def build(folder: Path) -> None:
    """Build the site into a folder that may exist; raises CalledProcessError when there is anything to warn of."""
    with tempfile.TemporaryDirectory(prefix="trailguard-site-") as place:
        stage = Path(place)
        _stage(stage / "docs")
        shutil.copy(CONFIG, stage)
        command = [sys.executable, "-m", "zensical", "build", "--strict", "--clean"]
        subprocess.run(command, cwd=stage, check=True)
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(stage / "site", folder)


def _stage(docs: Path) -> None:
    """Write the pages as the site has them: links to what is not on it lead to the repository."""
    shutil.copytree(DOCS, docs, ignore=shutil.ignore_patterns(CONFIG.name))
    pages = {path.relative_to(DOCS).as_posix(): path for path in DOCS.rglob("*.md")}
    for name, path in {**pages, "index.md": ROOT / "README.md"}.items():
        (docs / name).write_text(relinked(path), encoding="utf-8")


def relinked(page: Path) -> str:
    """The text of a page with its links as the site has them; raises FileNotFoundError for one that leads nowhere."""
    (repository,) = re.findall(r'^repo_url = "(.*)"$', CONFIG.read_text(encoding="utf-8"), re.MULTILINE)

    def target(match: re.Match[str]) -> str:
        path = (page.parent / match[1]).resolve()
        if not path.exists():
            raise FileNotFoundError(f"{page}: {match[1]}")
        if path.is_relative_to(DOCS):
            here = page.parent if page.is_relative_to(DOCS) else DOCS
            return Path(os.path.relpath(path, here)).as_posix() + (match[2] or "")
        kind = "tree" if path.is_dir() else "blob"
        return f"{repository}/{kind}/main/{path.relative_to(ROOT).as_posix()}{match[2] or ''}"

    parts = _FENCED.split(page.read_text(encoding="utf-8"))
    return "".join(part if part.startswith("```") else _LINK.sub(target, part) for part in parts)


if __name__ == "__main__":
    build(Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "build" / "site"))
