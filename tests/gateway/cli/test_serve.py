"""`dragoman serve`: where it listens, and what it refuses."""

import errno
import socket
from typing import Any

import pytest
import uvicorn

from gateway import hookimpl
from gateway.cli import main as cli
from gateway.errors import ConfigurationError
from gateway.machine import command_name
from gateway.machine.addresses import reached_at
from gateway.pipeline.gateway import CoreGateway
from gateway.server import listen
from tests.gateway.cli.cli_support import MODELS, Listener, Write, run
from tests.gateway.core_support import entry_point, install


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What would be served, instead of serving it."""
    seen: dict[str, Any] = {}

    def take(host: str, port: int, *, loopback_only: bool) -> list[Listener]:
        seen.update(host=host, port=port, loopback_only=loopback_only)
        if loopback_only and not listen.is_loopback(reached_at(host)):
            raise ConfigurationError("not there")
        seen.update(listeners=[Listener((host, port))])
        return list(seen["listeners"])

    class Server:
        def __init__(
            self,
            config: uvicorn.Config,
            traffic: object,
            drain_seconds: float,
            leave_seconds: float,
        ) -> None:
            seen.update(config=config, traffic=traffic, drain_seconds=drain_seconds)

        def run(self, sockets: list[object]) -> None:
            seen["sockets"] = sockets
            if error := seen.get("error"):
                raise error

    monkeypatch.setattr(cli, "listen", take)
    monkeypatch.setattr(cli, "Server", Server)
    return seen


@pytest.mark.parametrize(
    ("options", "host", "port"),
    [
        ((), "0.0.0.0", 4000),
        (("--host", "::1"), "::1", 4000),
        (("--port", "0"), "0.0.0.0", 0),
    ],
)
def test_serve_listens_where_it_is_told(
    options: tuple[str, ...], host: str, port: int, write: Write, served: dict[str, Any]
) -> None:
    path = write(MODELS + "server: {host: 0.0.0.0, port: 4000, insecure: true}")
    assert run("serve", "--config", path, *options).exit_code == 0
    assert (served["host"], served["port"]) == (host, port)
    assert served["sockets"] == served["listeners"]


@pytest.mark.parametrize(
    ("host", "url"), [("127.0.0.1", "http://127.0.0.1:4000"), ("::1", "http://[::1]:4000")]
)
def test_serve_says_where(
    host: str, url: str, write: Write, served: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    run("serve", "--config", write(MODELS), "--host", host, "--port", 4000)
    assert f"serving at {url}" in caplog.messages


def test_serve_stops_in_good_order(write: Write, served: dict[str, Any]) -> None:
    run("serve", "--config", write(MODELS + "server: {drain_seconds: 7}"))
    assert served["drain_seconds"] == 7
    assert served["traffic"] is served["config"].app.state.gateway.traffic


def test_being_interrupted_is_no_error(write: Write, served: dict[str, Any]) -> None:
    served["error"] = KeyboardInterrupt()
    assert run("serve", "--config", write(MODELS)).exit_code == 0


def test_serve_offline(write: Write, served: dict[str, Any]) -> None:
    run("serve", "--offline", "--config", write(MODELS))
    assert served["config"].app.state.gateway.offline


def test_serve_without_a_plugin(write: Write, served: dict[str, Any]) -> None:
    run("serve", "--no-reload", "--disable", "health", "--config", write(MODELS))
    assert served["config"].app.state.gateway.plugins.names == ()


def test_serve_without_a_plugin_that_cannot_be_imported(
    write: Write, served: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    install(monkeypatch, entry_point("broken", "another", ImportError("no")))
    assert run("serve", "--config", write(MODELS), "--disable", "broken").exit_code == 0


@pytest.mark.parametrize("text", ["sever: {}", "a: [\n1", "- 1", "aliases: {a: b}"])
def test_a_wrong_configuration_is_one_line_and_exit_code_2(
    text: str, write: Write, served: dict[str, Any]
) -> None:
    path = write(text)
    result = run("serve", "--config", path)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith(f"dragoman: {path}")
    assert result.stderr.count("\n") == 1
    assert served == {}


def test_a_taken_port_is_one_line_and_exit_code_2(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listen, "taken_by", lambda port: f"nginx at {port} uses it")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = run("serve", "--config", write(MODELS), "--port", port)
    assert result.exit_code == 2
    assert result.stderr == (
        f"dragoman: can't listen on 127.0.0.1, port {port}: nginx at {port} uses it; "
        "choose another with --port or server.port\n"
    )


@pytest.mark.parametrize(
    ("port", "command"),
    [(38500, 'make run ARGS="--port 4000"'), (4000, 'make run ARGS="--port 4001"')],
)
def test_a_port_that_another_gateway_has_names_it_and_the_way_to_a_second_one(
    port: int, command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def taken(*_: object, **__: object) -> None:
        raise OSError(errno.EADDRINUSE, "Address already in use")

    monkeypatch.setattr(socket, "create_server", taken)
    monkeypatch.setattr(listen, "dragoman_running", lambda host, port: f"{host}:{port} runs")
    monkeypatch.setattr(command_name, "in_checkout", lambda: True)
    with pytest.raises(ConfigurationError) as refused:
        listen.listen("127.0.0.1", port)
    assert str(refused.value) == f"127.0.0.1:{port} runs. For a second one: {command}"


class AsksForKeys:
    """A plugin as one that asks for keys."""

    @hookimpl
    def gateway_asgi_wrapper(self, gateway: CoreGateway) -> None:
        gateway.requires_keys = True


@pytest.mark.parametrize(
    ("server", "plugins", "loopback_only", "warned"),
    [
        ("{}", (), True, False),
        ("{insecure: false}", (), True, False),
        ("{insecure: true}", (), False, True),
        ("{}", (AsksForKeys(),), False, False),
        ("{insecure: true}", (AsksForKeys(),), False, False),
    ],
)
def test_others_are_let_in_with_keys_or_if_that_is_said_aloud(
    server: str,
    plugins: tuple[object, ...],
    loopback_only: bool,
    warned: bool,
    write: Write,
    served: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    install(monkeypatch, *(entry_point("keys", "another", each) for each in plugins))
    run("serve", "--config", write(MODELS + f"server: {server}"), "--host", "192.0.2.1")
    assert served["loopback_only"] == loopback_only
    warnings = [r.getMessage() for r in caplog.records if r.levelname == "WARNING"]
    assert [text.split(" requires")[0] for text in warnings] == (
        ["INSECURE: http://192.0.2.1:3456"] if warned else []
    )


def test_a_plugin_sees_the_host_of_the_command_line(write: Write, served: dict[str, Any]) -> None:
    run("serve", "--config", write(MODELS + "server: {host: 127.0.0.2}"), "--host", "::1")
    assert served["config"].app.state.gateway.host == "::1"


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "0"])
def test_an_address_that_others_reach_is_refused_without_keys(host: str, write: Write) -> None:
    result = run("serve", "--config", write(MODELS), "--host", host, "--port", 0)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith(f"dragoman: {host}")
    assert "is reachable from other machines" in result.stderr
    assert "dragoman keys new NAME" in result.stderr
    assert result.stderr.count("\n") == 1
