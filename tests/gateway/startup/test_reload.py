"""The YAML changes while the gateway runs."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from gateway.config.settings import packaged_file
from gateway.pipeline.gateway import CoreGateway
from gateway.startup import reload
from gateway.startup.build import build_gateway
from gateway.startup.reload import Reloader, folders_of

Write = Callable[..., Path]
ONE = "models: {one: {backend: b}}\n"
TWO = "models: {one: {backend: b}, two: {backend: b}}\n"


async def reloaded(write: Write, before: str, after: str) -> CoreGateway:
    path = write(before)
    gateway = build_gateway(path)
    reloader = Reloader(gateway, path)
    await reloader.look()
    write(after)
    await reloader.look()
    return gateway


async def test_new_models_hold(write: Write, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    gateway = await reloaded(write, ONE, TWO)
    assert list(gateway.models.listed) == ["one", "two"]
    assert caplog.messages == [
        "configuration reloaded; applied: models and aliases; needs a restart: nothing"
    ]


async def test_new_limits_hold(write: Write) -> None:
    gateway = await reloaded(write, ONE, ONE + "limits: {body_bytes: 7}")
    assert gateway.config.values.limits.body_bytes == 7


async def test_the_address_needs_a_restart(write: Write, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    gateway = await reloaded(write, ONE, ONE + "server: {port: 7}\nplugins: {health: false}")
    assert gateway.needs_restart == ("server.port", "plugins.health")
    assert gateway.config.values.server.port == 3456
    assert caplog.messages[-1].endswith("needs a restart: server.port, plugins.health")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("models:\n  m: {bakend: x}", "line 2: "),
        ("a: [1", "line 1: not valid YAML"),
        ("", "is missing or empty"),
        ("aliases:\n  a: nowhere", "line 2: the alias 'a' points to 'nowhere'"),
    ],
)
async def test_a_broken_file_changes_nothing(
    text: str, said: str, write: Write, caplog: pytest.LogCaptureFixture
) -> None:
    gateway = await reloaded(write, ONE, text)
    assert list(gateway.models.listed) == ["one"]
    assert said in caplog.text
    assert said in (gateway.last_error or "")


async def test_what_was_said_before_is_not_said_again(
    write: Write, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    await reloaded(write, ONE, "# a comment\n" + ONE)
    assert caplog.messages == []


def test_the_folders_of_all_links_are_watched(tmp_path: Path) -> None:
    """As Kubernetes mounts a ConfigMap: `..data` is exchanged, not the file."""
    (tmp_path / "..1").mkdir()
    (tmp_path / "..1" / "models.yaml").write_text("")
    (tmp_path / "..data").symlink_to("..1")
    (tmp_path / "models.yaml").symlink_to("..data/models.yaml")
    folders = {folder.resolve() for folder in folders_of(tmp_path / "models.yaml")}
    assert folders == {tmp_path.resolve(), (tmp_path / "..1").resolve()}


# -- a real server ------------------------------------------------------------------------

ECHO = "models: {m: {backend: echo}, number-NUMBER: {backend: echo}}\n"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[tuple[str, Path, Path]]:
    """The address, the configuration and the log of a `dragoman serve`."""
    path, log = tmp_path / "models.yaml", tmp_path / "log"
    path.write_text(ECHO.replace("NUMBER", "start"))
    command = [str(Path(sys.executable).parent / "dragoman"), "serve", "--port", "0"]
    environment = {"PATH": os.defpath, "HOME": str(tmp_path)}
    environment |= {name: os.environ[name] for name in os.environ if name.startswith("COV")}
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*command, "--config", str(path), "--disable", "claude_code"],
            env=environment,
            stdout=output,
            stderr=output,
        )
        try:
            until(lambda: "serving at" in log.read_text() or process.poll() is not None)
            found = re.search(r"serving at (\S+)", log.read_text())
            assert found, log.read_text()
            httpx.get(f"{found[1]}/healthz", timeout=10)
            yield found[1], path, log
        finally:
            process.terminate()
            assert process.wait(10) in {0, -15}


def until(holds: Callable[[], Any], seconds: float = 10) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.02)


def replace_with(path: Path, text: str) -> None:
    other = path.with_suffix(".new")
    other.write_text(text)
    other.replace(path)


def names(url: str) -> list[str]:
    return [model["id"] for model in httpx.get(f"{url}/v1/models").json()["data"]]


def test_requests_go_on_while_the_yaml_changes(server: tuple[str, Path, Path]) -> None:
    url, path, log = server
    body = {"model": "m", "messages": [{"role": "user", "content": "Hi"}]}
    with ThreadPoolExecutor(8) as pool, httpx.Client(timeout=20) as client:

        def ask(_: int) -> int:
            return client.post(f"{url}/v1/chat/completions", json=body).status_code

        asked = [pool.submit(ask, number) for number in range(500)]
        for number in range(20):
            write = replace_with if number % 2 else Path.write_text
            broken = number % 4 > 1
            write(path, "models: {m: 3}\n" if broken else ECHO.replace("NUMBER", str(number)))
            if broken:
                until(lambda: httpx.get(f"{url}/health").json()["config"]["last_error"])
            else:
                until(lambda number=number: f"number-{number}" in names(url))  # type: ignore[misc]
        assert {one.result() for one in asked} == {200}
    text = log.read_text()
    assert f"{path}, line 1: Input should be" in text
    assert "number-17" in names(url)
    assert "Traceback" not in text


# -- the user's own file, which is made while the gateway runs ------------------------------


async def test_the_users_file_takes_the_place_of_the_packaged_one(
    write: Write, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    path = write(ONE, "packaged.yaml")
    gateway = build_gateway(path)
    reloader = Reloader(gateway, path, instead=path.with_name("mine.yaml"))
    await reloader.look()
    assert (reloader.path, gateway.config.path) == (path, path)
    mine = write(TWO, "mine.yaml")
    await reloader.look()
    assert (reloader.path, gateway.config.path) == (mine, mine)
    assert list(gateway.models.listed) == ["one", "two"]
    assert f"{mine} was created; using it as the configuration from now on" in caplog.messages
    write(ONE, "mine.yaml")
    await reloader.look()
    assert list(gateway.models.listed) == ["one"]


@pytest.mark.parametrize(
    ("packaged", "there", "waits"),
    [(True, False, True), (True, True, False), (False, False, False)],
)
def test_only_a_gateway_without_a_file_of_its_own_waits_for_one(
    packaged: bool,
    there: bool,
    waits: bool,
    write: Write,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    mine = tmp_path / ".config/dragoman/models.yaml"
    mine.parent.mkdir(parents=True)
    if there:
        mine.touch()
    seen: list[object] = []
    monkeypatch.setattr(reload, "watching", lambda *arguments: seen.extend(arguments))
    gateway = build_gateway(packaged_file() if packaged else write(ONE))
    reload.ConfigWatch().gateway_lifespan(gateway)
    assert seen == [gateway, gateway.config.path, mine if waits else None]
