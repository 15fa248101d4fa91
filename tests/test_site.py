"""The site: its pages, where they take their parts from, and where links lead. No builder needed."""

import re
from pathlib import Path

import pytest

from scripts import site_pages
from scripts.site_pages import DOCS, ROOT, UnknownSourceError, headings, page, section, slug

PAGES = sorted(path.name for path in DOCS.glob("*.md"))
NAV = re.findall(
    r"^  - .+: (\S+\.md)$",
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


def test_a_part_stands_under_the_page_s_heading() -> None:
    built_page = list(site_pages.expanded('## Here\n<!-- from: README.md "Clients" -->'))
    assert ("README.md", "### Python", False) in built_page


def test_a_part_that_is_not_there_stops_the_build() -> None:
    with pytest.raises(UnknownSourceError, match=r"README\.md: there is no heading 'Nowhere'"):
        page('<!-- from: README.md "Nowhere" -->')


def test_what_looks_like_a_heading_in_code_is_none() -> None:
    text = "# Title\n```sh\n# a comment\n```\n## Part\ntext"
    assert headings(text) == [(1, "Title"), (2, "Part")]
    assert section(text, "Part") == (2, "text")


KNOWN = {
    ("README.md", "keys"): "operations.md#keys",
    ("README.md", "clients"): "clients.md#tested",
    ("SECURITY.md", ""): "security.md",
    ("SECURITY.md", "threats"): "security.md#threats",
}


@pytest.mark.parametrize(
    ("target", "file", "leads_to"),
    [
        ("https://example.com/#x", "README.md", "https://example.com/#x"),
        ("#keys", "README.md", "operations.md#keys"),
        ("#clients", "README.md", "clients.md#tested"),
        ("#below", "", "#below"),
        ("docs/architecture.md", "README.md", "architecture.md"),
        ("../README.md#keys", "", "operations.md#keys"),
        ("../README.md", "", "index.md"),
        ("docs/grafana/dragoman.json", "README.md", "grafana/dragoman.json"),
        ("SECURITY.md", "README.md", "security.md"),
        ("SECURITY.md#threats", "README.md", "security.md#threats"),
        ("README.md#keys", "SECURITY.md", "operations.md#keys"),
        ("README.md#development", "SECURITY.md", None),
        ("gateway/hookspecs.py", "README.md", None),
        ("../examples/plugins", "", None),
        ("plugins.md#testing", "", "plugins.md#testing"),
        ("missing.md", "", "missing.md"),
    ],
)
def test_where_a_link_leads(target: str, file: str, leads_to: str | None) -> None:
    assert site_pages.link(target, file, KNOWN) == leads_to


def test_the_pictures_are_there() -> None:
    assert all(Path(source).is_file() for source in site_pages.PICTURES.values())
