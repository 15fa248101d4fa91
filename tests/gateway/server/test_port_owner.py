"""Who has a port, in the words of the message."""

import pytest

from gateway.machine.process_facts import Listener
from gateway.server import port_owner
from gateway.server.port_owner import dragoman_running, taken_by


@pytest.mark.parametrize(
    ("owner", "says"),
    [
        (None, "another program uses it"),
        (Listener(pid=4, name="nginx"), "nginx (process 4) uses it"),
    ],
)
def test_another_program(
    owner: Listener | None, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(port_owner, "listener_on", lambda _: owner)
    assert taken_by(80) == says


@pytest.mark.parametrize(
    ("owner", "version", "process"),
    [
        (None, None, None),
        (Listener(pid=4, name="nginx"), None, None),
        (Listener(pid=4, name="less", command=("less", "-N", "/x/dragoman")), None, None),
        (Listener(pid=4, name="python3", command=("python3", "/x/bin/dragoman", "serve")), None,
         " (process 4)"),
        (Listener(pid=4, name="dragoman"), None, " (process 4)"),
        (Listener(pid=4, name="python3", command=("python3", "-m", "gateway", "serve")), None,
         " (process 4)"),
        (Listener(pid=4, name="python3", command=("python3", "-m", "http.server")), None, None),
        (Listener(pid=4, name="x"), "1.2", " (process 4)"),
        (None, "1.2", ""),
    ],
)  # fmt: skip
def test_a_gateway(
    owner: Listener | None,
    version: str | None,
    process: str | None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(port_owner, "listener_on", lambda _: owner)
    monkeypatch.setattr(port_owner, "dragoman_at", lambda *_: version)
    says = (
        None if process is None else f"Dragoman is already running at http://127.0.0.1:80{process}"
    )
    assert dragoman_running("127.0.0.1", 80) == says


def test_a_gateway_that_its_process_gives_away_is_not_asked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def ask(*_: object) -> None:
        raise AssertionError("it was asked")

    monkeypatch.setattr(port_owner, "listener_on", lambda _: Listener(pid=4, name="dragoman"))
    monkeypatch.setattr(port_owner, "dragoman_at", ask)
    assert dragoman_running("127.0.0.1", 80) is not None
