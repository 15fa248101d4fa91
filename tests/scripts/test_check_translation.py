"""README.tr.md says what README.md says: see scripts/check_translation.py, which also helps."""

import re
from pathlib import Path

import pytest

from scripts.check_translation import ORIGINAL, ROOT, TRANSLATION, differences, fixed, prose
from scripts.site_pages import LINK, headings, slug

BEFORE = "# Title\nRun `make`.\n```sh\nmake\n```\n## Keys\n`--rpm` and [`--tpm`](docs/access.md)\n"


def test_the_translation_is_in_step() -> None:
    found = differences(
        ORIGINAL.read_text(encoding="utf-8"), TRANSLATION.read_text(encoding="utf-8")
    )
    assert "\n".join(found) == ""


@pytest.mark.parametrize("path", [ORIGINAL, TRANSLATION], ids=lambda path: path.name)
def test_links_within_the_repository_lead_somewhere(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    anchors = {slug(title) for _, title in headings(text)}
    for target in (found["target"] for found in LINK.finditer(prose(text))):
        file, _, anchor = target.partition("#")
        if re.match(r"[a-z]+:", target):
            continue
        assert (ROOT / file).exists() if file else anchor in anchors, target
        if file.endswith(".md") and anchor:
            there = (ROOT / file).read_text(encoding="utf-8")
            assert anchor in {slug(title) for _, title in headings(there)}, target


@pytest.mark.parametrize(
    ("after", "said"),
    [
        (
            "# Konu\n`make` yeter.\n```sh\nmake\n```\n## Anahtarlar\n[`--tpm`](docs/access.md), `--rpm`\n",
            [],
        ),
        (
            "# Konu\n`make` yeter.\n```sh\nmake run\n```\n## Anahtarlar\n`--rpm`, `--tmp`\n",
            [
                "'## Anahtarlar' lacks ](docs/access.md)",
                "'## Anahtarlar' lacks `--tpm`",
                "'## Anahtarlar' has `--tmp`, which '## Keys' lacks",
                "code block 1: 'make' in the original, 'make run' in the translation",
            ],
        ),
        (
            "# Konu\n`make` yeter.\n```sh\nmake\n```\n### Anahtarlar\n",
            ["headings: '## Keys' in the original, '### Anahtarlar' in the translation"],
        ),
    ],
    ids=["in step", "code that differs", "headings that differ"],
)
def test_what_differs_is_said(after: str, said: list[str]) -> None:
    assert list(differences(BEFORE, after)) == said


def test_each_links_to_the_other() -> None:
    links = "# Title\n[English](README.md)\n", "# Konu\n[Türkçe](README.tr.md)\n"
    assert list(differences(*links)) == []


def test_code_blocks_can_be_taken_over() -> None:
    assert fixed(BEFORE, "# Konu\n```sh\nold\n```\n") == "# Konu\n```sh\nmake\n```\n"
    with pytest.raises(ValueError, match="1 code blocks in the original, 0 in the translation"):
        fixed(BEFORE, "# Konu\n")
