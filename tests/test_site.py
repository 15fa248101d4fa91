"""The site: its pages, the files that become pages, and where links lead. No builder needed."""

import re
from pathlib import Path

import pytest

from scripts import site_pages
from scripts.site_pages import DOCS, ROOT, UnknownSourceError, headings, page, slug

PAGES = sorted(path.name for path in DOCS.glob("*.md"))
NAV = re.findall(
    r"^ +- .+: (\S+\.md)$",
    (ROOT / "mkdocs.yml").read_text(encoding="utf-8").split("nav:\n")[-1],
    re.MULTILINE,
)


def built(name: str) -> str:
    return page((DOCS / name).read_text(encoding="utf-8"))


def test_every_page_is_in_the_navigation_once() -> None:
    assert sorted(NAV) == PAGES


@pytest.mark.parametrize("name", PAGES)
def test_links_lead_to_pages_and_headings_that_are_there(name: str) -> None:
    anchors = {
        (other, anchor)
        for other in PAGES
        for anchor in ["", *(slug(title) for _, title in headings(built(other)))]
    }
    lines = [line for line, code in site_pages.with_fences(built(name)) if not code]
    targets = [found["target"] for line in lines for found in site_pages.LINK.finditer(line)]
    lost = []
    for target in targets:
        path, _, anchor = target.partition("#")
        if (
            "://" in target
            or path in site_pages.PICTURES
            or (path and (DOCS / path).suffix != ".md")
        ):
            continue
        if (path or name, anchor) not in anchors:
            lost.append(target)
    assert not lost


@pytest.mark.parametrize("name", PAGES)
def test_a_page_has_one_title_and_its_headings_are_told_apart(name: str) -> None:
    titles = headings(built(name))
    assert [level for level, _ in titles].count(1) == 1
    if name != "changelog.md":  # each version has the same ones
        assert len({slug(title) for _, title in titles}) == len(titles)


def test_a_file_is_put_under_the_page_s_heading() -> None:
    built_page = list(site_pages.expanded("## Here\n<!-- from: SECURITY.md -->"))
    assert ("SECURITY.md", "### Threats", False) in built_page
    assert ("SECURITY.md", "# Security", False) not in built_page


def test_a_file_that_is_missing_stops_the_build() -> None:
    with pytest.raises(UnknownSourceError, match=r"NOTHING\.md"):
        page("<!-- from: NOTHING.md -->")


def test_a_comment_in_code_is_not_a_heading() -> None:
    text = "# Title\n```sh\n# a comment\n```\n## Part\ntext"
    assert headings(text) == [(1, "Title"), (2, "Part")]


KNOWN = {"SECURITY.md": "security.md", "CHANGELOG.md": "changelog.md"}


@pytest.mark.parametrize(
    ("target", "file", "leads_to"),
    [
        ("https://example.com/#x", "SECURITY.md", "https://example.com/#x"),
        ("#below", "", "#below"),
        ("#threats", "SECURITY.md", "#threats"),
        ("docs/architecture.md", "SECURITY.md", "architecture.md"),
        ("docs/terms.md#who-may-use-it", "SECURITY.md", "terms.md#who-may-use-it"),
        ("../README.md", "", "index.md"),
        ("docs/grafana/dragoman.json", "CHANGELOG.md", "grafana/dragoman.json"),
        ("../SECURITY.md", "", "security.md"),
        ("SECURITY.md#threats", "CHANGELOG.md", "security.md#threats"),
        ("gateway/hooks/specs.py", "CHANGELOG.md", None),
        ("../examples/plugins", "", None),
        ("plugins.md#testing", "", "plugins.md#testing"),
        ("missing.md", "", "missing.md"),
    ],
)
def test_where_a_link_leads(target: str, file: str, leads_to: str | None) -> None:
    assert site_pages.link(target, file, KNOWN) == leads_to


def test_the_pictures_are_there() -> None:
    assert all(Path(source).is_file() for source in site_pages.PICTURES.values())
