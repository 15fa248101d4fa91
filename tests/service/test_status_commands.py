"""`dragoman service status`, with gateways that are well, ill or not there."""

import http.server
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

from tests.service.service_support import PLIST, UNIT, Service, System


@pytest.fixture
def listening() -> Iterator[Callable[[bytes], int]]:
    """Starts a server that answers `/healthz` with this; gives the port."""
    servers = []

    def start(body: bytes) -> int:
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200 if self.path == "/healthz" else 404)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None: ...

        server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, args=(0.01,)).start()
        servers.append(server)
        return server.server_port

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def install_on(port: int, service: Service, home: Path) -> None:
    """Installed with a configuration that is not the working directory's."""
    path = home / "elsewhere.yaml"
    config = {"server": {"host": "0.0.0.0", "port": port}}
    path.write_text(yaml.safe_dump(config), encoding="utf-8")
    assert service("install", "--config", path).exit_code == 0


def test_status_of_what_is_well(
    service: Service, system: System, home: Path, listening: Callable[[bytes], int]
) -> None:
    port = listening(b'{"status": "ok"}')
    install_on(port, service, home)
    result = service("status")
    assert (result.exit_code, result.stdout.splitlines()) == (
        0,
        [
            f"installed  yes: {home / UNIT}",
            "enabled    yes",
            "running    yes",
            f"answers    yes: http://127.0.0.1:{port}/healthz says 'ok'",
        ],
    )


@pytest.mark.parametrize(("question", "row"), [("is-enabled", 1), ("is-active", 2)])
def test_status_of_what_is_not(
    question: str,
    row: int,
    service: Service,
    system: System,
    home: Path,
    listening: Callable[[bytes], int],
) -> None:
    install_on(listening(b'{"status": "ok"}'), service, home)
    system.says({question: ("no", 3)})
    result = service("status")
    answers = [line.split()[1].strip(":") for line in result.stdout.splitlines()]
    assert (result.exit_code, answers) == (1, ["yes" if n != row else "no" for n in range(4)])


@pytest.mark.parametrize("body", [b"<html>", b"[]", b'{"state": 1}'])
def test_status_where_something_else_answers(
    body: bytes, service: Service, system: System, home: Path, listening: Callable[[bytes], int]
) -> None:
    install_on(listening(body), service, home)
    result = service("status")
    assert result.exit_code == 1
    assert "answers    no" in result.stdout
    assert "something answers there, but it is not Dragoman" in result.stdout


def test_status_where_nothing_answers(
    service: Service, system: System, home: Path, listening: Callable[[bytes], int]
) -> None:
    install_on(1, service, home)
    result = service("status")
    assert result.exit_code == 1
    assert "answers    no: http://127.0.0.1:1/healthz: nothing listens there" in result.stdout


def test_status_of_what_is_not_installed(service: Service, system: System) -> None:
    result = service("status")
    assert (result.exit_code, system.calls) == (1, [])
    assert "installed  no" in result.stdout


@pytest.mark.parametrize(
    ("printed", "enabled"),
    [
        ("disabled services = {", True),
        ('"dragoman.gateway" => enabled', True),
        ('"dragoman.gateway" => disabled', False),
        ('"dragoman.gateway" => true', False),
    ],
)
def test_whether_launchd_starts_it(
    printed: str, enabled: bool, service: Service, mac: System, home: Path
) -> None:
    install_on(1, service, home)
    mac.says({"print-disabled": (printed, 0), "print ": ("state = running", 0)})
    answers = [line.split()[1].strip(":") for line in service("status").stdout.splitlines()]
    assert answers == ["yes", "yes" if enabled else "no", "yes", "no"]


@pytest.mark.parametrize("text", ["", "ExecStart", "[Service]\n"])
def test_status_with_a_file_that_was_broken(
    text: str, service: Service, system: System, home: Path
) -> None:
    service("install")
    (home / UNIT).write_text(text, encoding="utf-8")
    result = service("status")
    assert result.exit_code == 1
    assert (
        f"answers    no: {home / UNIT} can't be read; rewrite it with `dragoman service install`"
        in result.stdout
    )


@pytest.mark.parametrize("text", ["", "<plist>", "<?xml version='1.0'?><plist><dict/></plist>"])
def test_status_with_a_property_list_that_was_broken(
    text: str, service: Service, mac: System, home: Path
) -> None:
    service("install")
    (home / PLIST).write_text(text, encoding="utf-8")
    assert "can't be read; rewrite it with `dragoman service install`" in service("status").stdout


def test_status_with_a_configuration_that_was_broken(
    service: Service, system: System, home: Path
) -> None:
    install_on(1, service, home)
    (home / "elsewhere.yaml").write_text("modles: {}", encoding="utf-8")
    result = service("status")
    assert result.exit_code == 1
    assert "answers    no: " in result.stdout
    assert "unknown key 'modles'; did you mean 'models'?" in result.stdout
