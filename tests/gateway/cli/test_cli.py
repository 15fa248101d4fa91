"""The command line."""

import errno
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import pytest
import uvicorn
from click.testing import CliRunner, Result

from gateway import __version__, hookimpl
from gateway.cli import main as cli
from gateway.errors import ConfigurationError
from gateway.machine import command_name
from gateway.machine.addresses import reached_at, url_of
from gateway.pipeline.gateway import CoreGateway
from gateway.server import listen
from tests.gateway.core_support import entry_point, install, plugin

Write = Callable[..., Path]
MODELS = "models: {m: {backend: b}}\n"


def run(*arguments: object) -> Result:
    # A group of its own: plugins add their commands to it.
    group = cli.Commands("dragoman", commands={"serve": cli.serve})
    group.params = cli.cli.params
    return CliRunner().invoke(group, [str(argument) for argument in arguments])


class Listener:
    """Stands for a socket that listens."""

    def __init__(self, address: tuple[str, int]) -> None:
        self.host, port = address
        self.port = port or 5555
        self.closed = False

    def getsockname(self) -> tuple[str, int]:
        return self.host, self.port

    def close(self) -> None:
        self.closed = True


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


def test_help_names_the_commands() -> None:
    result = run("--help")
    assert result.exit_code == 0
    assert "serve" in result.output


def test_version() -> None:
    assert run("--version").output == f"dragoman, version {__version__}\n"


def test_main_runs_the_command_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["dragoman", "--version"])
    with pytest.raises(SystemExit, match="0"):
        cli.main()


# -- serve --------------------------------------------------------------------------------


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
    assert "can be reached by others" in result.stderr
    assert "dragoman keys new NAME" in result.stderr
    assert result.stderr.count("\n") == 1


# -- listening ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("address", "is_it"),
    [
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("::ffff:127.0.0.1", True),
        ("0.0.0.0", False),
        ("::", False),
        ("::ffff:0.0.0.0", False),
        ("10.0.0.1", False),
        ("fe80::1", False),
        ("localhost", False),
        ("", False),
    ],
)
def test_what_only_this_machine_can_reach(address: str, is_it: bool) -> None:
    assert listen.is_loopback(address) is is_it


def test_a_name_with_one_address_that_others_reach_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = [(2, 1, 6, "", (address, 0)) for address in ("127.0.0.1", "192.0.2.1")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    with pytest.raises(ConfigurationError, match=r"^name \(192.0.2.1\) can be reached"):
        listen.listen("name", 0, loopback_only=True)


def test_any_free_port() -> None:
    [listener] = listen.listen("127.0.0.1", 0)
    with listener:
        assert listener.getsockname()[1] > 0


@pytest.fixture
def two_addresses(monkeypatch: pytest.MonkeyPatch) -> list[Listener]:
    """A name with two addresses, one of them given twice, and what listens there."""
    listeners: list[Listener] = []

    def create_server(address: tuple[str, int], **_: object) -> Listener:
        if address[0] == "taken":
            raise OSError(99, "Cannot assign requested address")
        listeners.append(Listener(address))
        return listeners[-1]

    def getaddrinfo(host: str, port: int, **_: object) -> list[Any]:
        names = ["one", "one", "taken" if host == "half" else "two"]
        return [(2, 1, 6, "", (name, port)) for name in names]

    monkeypatch.setattr(socket, "create_server", create_server)
    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return listeners


def test_every_address_of_a_name_gets_the_same_port(two_addresses: list[Listener]) -> None:
    listen.listen("name", 0)
    assert [(one.host, one.port) for one in two_addresses] == [("one", 5555), ("two", 5555)]


def test_an_address_that_cannot_be_had_leaves_nothing_open(two_addresses: list[Listener]) -> None:
    with pytest.raises(
        ConfigurationError, match=r"half \(taken\), port 0: Cannot assign requested address"
    ):
        listen.listen("half", 0)
    assert [one.closed for one in two_addresses] == [True]


# -- localhost ----------------------------------------------------------------------------


class Stack:
    """The loopback addresses of a machine: which are there, and which ports others have."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.missing: dict[str, int] = {}
        self.taken: set[tuple[str, int]] = set()
        self.listeners: list[Listener] = []
        self.free = iter(range(5001, 6000))
        monkeypatch.setattr(socket, "create_server", self.create_server)
        monkeypatch.setattr(socket, "getaddrinfo", self.getaddrinfo)
        monkeypatch.setattr(listen, "taken_by", lambda port: f"nginx at {port} uses it")
        monkeypatch.setattr(listen, "dragoman_running", lambda host, port: None)

    def create_server(self, address: tuple[str, int], **_: object) -> Listener:
        host, port = address[0], address[1] or next(self.free)
        if host in self.missing:
            raise OSError(self.missing[host], "Cannot assign requested address")
        if (host, port) in self.taken:
            raise OSError(errno.EADDRINUSE, "Address already in use")
        self.listeners.append(Listener((host, port)))
        return self.listeners[-1]

    def getaddrinfo(self, *_: object, **__: object) -> list[Any]:
        """A hosts file that leads the name elsewhere."""
        return [(2, 1, 6, "", ("192.0.2.1", 0))]

    @property
    def open(self) -> list[tuple[str, int]]:
        return [(one.host, one.port) for one in self.listeners if not one.closed]


@pytest.fixture
def stack(monkeypatch: pytest.MonkeyPatch) -> Stack:
    return Stack(monkeypatch)


@pytest.mark.parametrize("name", ["localhost", "LocalHost", "localhost."])
def test_localhost_is_loopback_of_both_families_whatever_the_hosts_file_says(
    name: str, stack: Stack
) -> None:
    listen.listen(name, 4000, loopback_only=True)
    assert stack.open == [("127.0.0.1", 4000), ("::1", 4000)]


def test_an_address_of_loopback_is_that_address_alone(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", lambda host, *_, **__: [(2, 1, 6, "", (host, 0))])
    listen.listen("127.0.0.1", 4000, loopback_only=True)
    assert stack.open == [("127.0.0.1", 4000)]


@pytest.mark.parametrize("error", [errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT, errno.EPROTONOSUPPORT])
def test_without_ipv6_localhost_is_127_0_0_1(
    error: int, stack: Stack, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    stack.missing["::1"] = error
    listen.listen("localhost", 4000)
    assert stack.open == [("127.0.0.1", 4000)]
    assert "no IPv6 here, so not listening on ::1" in caplog.text


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_a_port_that_is_taken_on_one_of_them_is_refused(address: str, stack: Stack) -> None:
    stack.taken.add((address, 4000))
    with pytest.raises(ConfigurationError) as refused:
        listen.listen("localhost", 4000)
    assert str(refused.value) == (
        f"can't listen on {address}, port 4000: nginx at 4000 uses it; "
        "choose another with --port or server.port"
    )
    assert stack.open == []


def test_any_free_port_is_one_that_is_free_on_both(stack: Stack) -> None:
    stack.taken |= {("::1", 5001), ("::1", 5002)}
    listen.listen("localhost", 0)
    assert stack.open == [("127.0.0.1", 5003), ("::1", 5003)]


def test_it_gives_up_where_no_port_is_free_on_both(stack: Stack) -> None:
    stack.taken |= {("::1", port) for port in range(5000, 6000)}
    with pytest.raises(ConfigurationError, match="::1, port 0: nginx"):
        listen.listen("localhost", 0)
    assert stack.open == []


def test_clients_reach_it_by_either_address() -> None:
    listeners = listen.listen("localhost", 0, loopback_only=True)
    port = listeners[0].getsockname()[1]
    try:
        for listener in listeners:
            host = listener.getsockname()[0]
            socket.create_connection((host, port), timeout=5).close()
    finally:
        for listener in listeners:
            listener.close()


def test_localhost_is_shown_as_an_address() -> None:
    assert url_of(reached_at("localhost"), 3456) == "http://127.0.0.1:3456"


# -- plugins' commands --------------------------------------------------------------------


def adding(name: str) -> object:
    def gateway_register_commands(cli: click.Group) -> None:
        cli.add_command(click.Command(name, callback=lambda: click.echo("the plugin's")))

    return plugin(gateway_register_commands)


def test_plugins_add_commands(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, entry_point("a", "another", adding("greet")))
    assert run("greet").output == "the plugin's\n"
    assert "greet" in run("--help").output


def test_plugins_do_not_replace_the_cores_commands(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, entry_point("a", "another", adding("serve")))
    group = cli.Commands("dragoman", commands={"serve": cli.serve})
    context = click.Context(group)
    assert group.list_commands(context) == ["serve"]
    assert group.get_command(context, "serve") is cli.serve


@pytest.mark.parametrize("arguments", [("--help",), ("greet",)])
def test_a_plugin_that_cannot_be_imported_is_one_line_and_exit_code_2(
    arguments: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    install(monkeypatch, entry_point("bad", "another", ImportError("no")))
    result = run(*arguments)
    assert result.exit_code == 2
    assert result.stderr.splitlines() == [
        "dragoman: plugin 'bad' (another 1.2, bad.plugin) can't be imported: ImportError('no')"
    ]


def test_an_unknown_command_is_looked_for_once_among_the_plugins() -> None:
    result = run("nonsense")
    assert result.exit_code == 2
    assert "No such command 'nonsense'" in result.stderr
