"""The documentation site builds without a warning, every link in it leads somewhere, reports link to its rules."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from tests import ROOT, website
from trailguard.rulebook.shelf import load
from trailguard.settings.settings import Settings

BASE = "https://docs.example.com/trailguard"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("zensical", reason="the dependency group docs is not installed")
    folder = tmp_path_factory.mktemp("site") / "built"
    website.build(folder)
    return folder


@pytest.mark.hosts
def test_every_link_leads_somewhere(site: Path) -> None:
    pages = list(site.rglob("*.html"))
    assert len(pages) > len(list((ROOT / "docs").rglob("*.md")))
    for page in pages:
        text = page.read_text(encoding="utf-8")
        for address in re.findall(r'(?:href|src)="?([^"\s>]+)', text):
            parts = urlsplit(address)
            if parts.scheme or parts.netloc or not parts.path or page.name == "404.html":
                continue
            target = (page.parent / unquote(parts.path)).resolve()
            assert target.is_relative_to(site.resolve()), (page, address)
            assert target.is_file() or (target / "index.html").is_file(), (page, address)


@pytest.mark.hosts
def test_reports_link_to_the_pages_of_rules(site: Path) -> None:
    for rule in load(Settings(profile="all", docs_url=BASE)).selected:
        address = rule.info.references[0]
        page = site / address.removeprefix(f"{BASE}/") / "index.html"
        assert rule.id in page.read_text(encoding="utf-8")


@pytest.mark.hosts
def test_nothing_is_loaded_from_elsewhere(site: Path) -> None:
    for page in site.rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        loaded = re.findall(r'<(?:script|img)[^>]*\ssrc="?([^"\s>]+)', text)
        loaded += re.findall(r'<link[^>]*rel="?stylesheet"?[^>]*href="?([^"\s>]+)', text)
        assert [address for address in loaded if urlsplit(address).netloc] == []


def test_a_link_that_leads_nowhere_stops_it(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("[gone](gone.md)", encoding="utf-8")
    with pytest.raises(FileNotFoundError, match=r"gone\.md"):
        website.relinked(page)


def test_every_page_is_in_the_navigation() -> None:
    known = set(re.findall(r'"([\w/-]+\.md)"', website.CONFIG.read_text(encoding="utf-8")))
    pages = {path.relative_to(website.DOCS).as_posix() for path in website.DOCS.rglob("*.md")}
    assert {page for page in pages if not re.fullmatch(r"rules/TG\d+\.md", page)} | {"index.md"} == known
