"""`/docs` works without a network, and runs nothing but its own files."""

import hashlib
import re
from pathlib import Path

import httpx
import pytest

from gateway.http.api_pages import FILES, FOLDER, POLICY
from gateway.http.app import create_app
from gateway.testing import build


async def get(tmp_path: Path, path: str) -> httpx.Response:
    transport = httpx.ASGITransport(create_app(build(tmp_path)))
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as http:
        return await http.get(path)


async def test_the_page_names_no_address_but_its_own_files(tmp_path: Path) -> None:
    page = await get(tmp_path, "/docs")
    assert page.status_code == 200
    assert "//" not in page.text
    sources = re.findall(r'(?:src|href)="([^"]*)"', page.text)
    assert sources == ["data:,", *(f"docs/{name}" for name in FILES)]
    assert re.findall(r"<script(?! src=)|<style|style=| on\w+=", page.text) == []


async def test_its_policy_forbids_all_else(tmp_path: Path) -> None:
    for path in ("/docs", *(f"/docs/{name}" for name in FILES)):
        headers = (await get(tmp_path, path)).headers
        assert headers["content-security-policy"] == POLICY
        assert headers["x-content-type-options"] == "nosniff"
    assert "default-src 'none'" in POLICY
    assert not re.search(r"unsafe|https?:|\*", POLICY)


@pytest.mark.parametrize(("name", "media_type"), FILES.items())
async def test_its_files_are_served(name: str, media_type: str, tmp_path: Path) -> None:
    served = await get(tmp_path, f"/docs/{name}")
    assert served.status_code == 200
    assert served.headers["content-type"].startswith(media_type)
    assert served.content == (FOLDER / name).read_bytes()


@pytest.mark.parametrize(
    "path", ["/redoc", "/docs/", "/docs/README.md", "/docs/..%2Fapp.py", "/docs/oauth2-redirect"]
)
async def test_nothing_else_is(path: str, tmp_path: Path) -> None:
    assert (await get(tmp_path, path)).status_code == 404


async def test_the_pages_are_no_part_of_the_description(tmp_path: Path) -> None:
    document = (await get(tmp_path, "/openapi.json")).json()
    assert not [path for path in document["paths"] if path.startswith("/docs")]


def test_the_files_are_those_of_the_release() -> None:
    listed = dict(
        reversed(line.split("  "))
        for line in (FOLDER / "README.md").read_text(encoding="utf-8").splitlines()
        if re.fullmatch(r"[0-9a-f]{64}  \S+", line)
    )
    hashes = {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in FOLDER.iterdir()
        if path.name not in {"README.md", "start.js"}
    }
    assert hashes == listed
