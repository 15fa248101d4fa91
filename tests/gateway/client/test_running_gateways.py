"""How commands find the gateways that run, and whom they do not believe."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gateway import __version__
from gateway.client import running_gateways
from gateway.client.published import published
from gateway.client.running_gateways import same_place, with_another_configuration
from gateway.pipeline.gateway import CoreGateway

GatewayWith = Callable[..., CoreGateway]


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    place = tmp_path / "state" / "running"
    monkeypatch.setattr(running_gateways, "folder", lambda *_: place)
    return place


@pytest.fixture
def gateway(gateway_with: GatewayWith) -> CoreGateway:
    return served(gateway_with(), "http://127.0.0.1:4000")


def served(gateway: CoreGateway, *urls: str) -> CoreGateway:
    gateway.urls = urls
    return gateway


def test_a_gateway_is_found_while_it_serves(gateway: CoreGateway, place: Path) -> None:
    gateway.requires_keys = True
    with published(gateway):
        [found] = running_gateways.running_gateways()
        assert found.url == "http://127.0.0.1:4000"
        assert found.pid == os.getpid()
        assert (found.wants_key, found.version) == (True, __version__)
        assert found.serves(gateway.config.path)
    assert running_gateways.running_gateways() == ()
    assert list(place.iterdir()) == []


def test_only_its_user_can_read_it(gateway: CoreGateway, place: Path) -> None:
    with published(gateway):
        [path] = place.iterdir()
        assert path.stat().st_mode & 0o777 == 0o600
        assert place.stat().st_mode & 0o777 == 0o700


def test_the_newest_comes_first(gateway: CoreGateway, gateway_with: GatewayWith) -> None:
    with published(gateway), published(served(gateway_with(), "http://127.0.0.1:4001")):
        assert [each.url for each in running_gateways.running_gateways()] == [
            "http://127.0.0.1:4001",
            "http://127.0.0.1:4000",
        ]


HOLD = """
import sys
from pathlib import Path
from gateway.client import published, running_gateways
from gateway.startup.build import build_gateway
from gateway.config.settings import packaged_file
running_gateways.folder = lambda *_: Path(sys.argv[1])
gateway = build_gateway(packaged_file())
gateway.urls = ("http://127.0.0.1:4002",)
with published.published(gateway):
    print("here", flush=True)
    sys.stdin.read()
"""


def test_one_that_was_killed_is_not_found_and_its_file_goes(place: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(place)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "here\n"
        [found] = running_gateways.running_gateways()
        assert found.pid == process.pid
        process.kill()
        process.wait()
    assert list(place.glob("*.json")) != []
    assert running_gateways.running_gateways() == ()
    assert list(place.iterdir()) == []


def test_a_process_id_that_is_in_use_again_proves_nothing(
    gateway: CoreGateway, place: Path
) -> None:
    with published(gateway):
        [path] = place.iterdir()
        left_over = path.with_name(f"{os.getpid()}-0.json")
        left_over.write_bytes(path.read_bytes())
        left_over.chmod(0o600)
        assert len(running_gateways.running_gateways()) == 1
        assert not left_over.exists()


def others_may_write(path: Path) -> None:
    path.chmod(0o622)


def others_may_write_in_the_folder(path: Path) -> None:
    path.parent.chmod(0o777)


def unknown_format(path: Path) -> None:
    change(path, format=2)


def half_written(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:20])


def without_an_address(path: Path) -> None:
    change(path, urls=[])


def of_another_container(path: Path) -> None:
    change(path, network="net:[1]")


def a_link(path: Path) -> None:
    path.rename(path.with_suffix(".elsewhere"))
    path.symlink_to(path.with_suffix(".elsewhere"))


def change(path: Path, **values: Any) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))


@pytest.mark.parametrize(
    "spoil",
    [
        others_may_write,
        others_may_write_in_the_folder,
        unknown_format,
        half_written,
        without_an_address,
        of_another_container,
        a_link,
    ],
)
def test_what_is_not_believed(
    spoil: Callable[[Path], None], gateway: CoreGateway, place: Path
) -> None:
    with published(gateway):
        [path] = place.iterdir()
        spoil(path)
        assert running_gateways.running_gateways() == ()
        place.chmod(0o700)


@pytest.mark.parametrize("owner", ["file", "folder"])
def test_another_users_file_is_not_believed(
    owner: str, gateway: CoreGateway, monkeypatch: pytest.MonkeyPatch, place: Path
) -> None:
    with published(gateway):
        inode = {"file": next(place.iterdir()), "folder": place}[owner].stat().st_ino
        own = running_gateways._is_own
        monkeypatch.setattr(
            running_gateways, "_is_own", lambda found: found.st_ino != inode and own(found)
        )
        assert running_gateways.running_gateways() == ()


def test_an_owner_is_told_by_the_user_id(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place.mkdir(parents=True, mode=0o700)
    assert running_gateways._is_private(place)
    monkeypatch.setattr(os, "geteuid", lambda: place.stat().st_uid + 1)
    assert not running_gateways._is_private(place)


def test_a_home_that_cannot_be_written_stops_nothing(
    gateway: CoreGateway, place: Path, caplog: pytest.LogCaptureFixture
) -> None:
    place.parent.write_text("a file where the folder would be")
    with published(gateway):
        pass
    [message] = caplog.messages
    assert message.startswith("other commands won't find this gateway automatically: ")


def test_without_a_home_nothing_is_written(
    gateway: CoreGateway, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(running_gateways, "folder", lambda *_: None)
    with published(gateway):
        assert running_gateways.running_gateways() == ()
    assert caplog.messages == []


def test_a_file_that_is_gone_is_no_trouble_at_the_end(gateway: CoreGateway, place: Path) -> None:
    with published(gateway):
        next(place.iterdir()).unlink()


@pytest.mark.parametrize(
    ("urls", "asked", "same"),
    [
        (("http://127.0.0.1:1",), "http://127.0.0.1:1", True),
        (("http://127.0.0.1:1",), "http://localhost:1", True),
        (("http://127.0.0.1:1", "http://[::1]:1"), "http://[::1]:1", True),
        (("http://127.0.0.1:1",), "http://127.0.0.1:2", False),
        (("http://10.0.0.1:1",), "http://10.0.0.1:1", True),
        (("http://10.0.0.1:1",), "http://127.0.0.1:1", False),
        (("http://127.0.0.1:1",), "http://example.org:1", False),
    ],
)
def test_whether_an_address_is_its(
    urls: tuple[str, ...], asked: str, *, same: bool, gateway: CoreGateway
) -> None:
    with published(served(gateway, *urls)):
        [found] = running_gateways.running_gateways()
    assert same_place(found, asked) is same


def test_another_configuration_is_noticed_unless_one_gateway_has_this_one(
    gateway: CoreGateway, tmp_path: Path
) -> None:
    used = gateway.config.path
    assert with_another_configuration(used) is None  # as nothing runs
    with published(gateway):
        assert with_another_configuration(used) is None
        other = with_another_configuration(tmp_path / "other.yaml")
        assert other is not None
        assert other.serves(used)


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"HOME": "/h"}, "/h/.local/state/dragoman/running"),
        ({"HOME": "/h", "XDG_STATE_HOME": "/s"}, "/s/dragoman/running"),
        ({"HOME": "/h", "XDG_STATE_HOME": "s"}, "/h/.local/state/dragoman/running"),
        ({"HOME": "here"}, None),
        ({}, None),
    ],
)
def test_where_the_files_are(
    environ: dict[str, str], expected: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    found = running_gateways.folder(environ)
    assert found == (Path(expected) if expected else None)
