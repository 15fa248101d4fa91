"""Which gateway the commands ask, and with which model and key."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Protocol

import pytest

from gateway.client import running_gateways
from gateway.client.published import published
from gateway.config.settings import packaged_file
from gateway.machine import command_name
from gateway.startup.build import build_gateway
from gateway_terminal.server_call import ServerCall
from gateway_terminal.target_gateway import place
from tests.terminal.terminal_support import Run

MINE = "server: {port: 4000}\nmodels: {mine: {backend: echo}}\n"


@pytest.fixture(autouse=True)
def on_path(monkeypatch: pytest.MonkeyPatch) -> None:
    """`dragoman` can be typed as that."""
    monkeypatch.setattr(command_name, "_program", lambda: None)


class Runs(Protocol):
    """Has a gateway run, as far as its file goes."""

    def __call__(self, url: str, text: str | None = None, *, keys: bool = False) -> Path: ...


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Runs]:
    monkeypatch.setattr(running_gateways, "folder", lambda *_: tmp_path / "running")
    with ExitStack() as stack:

        def start(url: str, text: str | None = None, *, keys: bool = False) -> Path:
            path = packaged_file() if text is None else tmp_path / f"{url[-4:]}.yaml"
            if text is not None:
                path.write_text(text)
            gateway = build_gateway(path)
            gateway.urls, gateway.requires_keys = (url,), keys
            stack.enter_context(published(gateway))
            return path

        yield start


@pytest.mark.parametrize("url", ["http://127.0.0.1:5001", "http://192.0.2.1:3456"])
def test_one_that_runs_is_asked_whatever_its_port(url: str, runs: Runs) -> None:
    runs(url)
    assert place(None).url == url


def test_without_one_the_configured_address_is(tmp_path: Path, runs: Runs) -> None:
    (tmp_path / "mine.yaml").write_text(MINE)
    assert place(tmp_path / "mine.yaml").url == "http://127.0.0.1:4000"
    assert place(None).url == "http://127.0.0.1:3456"


def test_a_url_comes_before_all(runs: Runs) -> None:
    runs("http://127.0.0.1:5001", keys=True)
    assert place(None, "http://other:1").url == "http://other:1"
    assert not place(None, "http://other:1").lacks_key
    assert place(None, "localhost:5001").lacks_key


def test_of_several_the_one_at_the_configured_address(
    runs: Runs, capsys: pytest.CaptureFixture[str]
) -> None:
    runs("http://127.0.0.1:3456")
    runs("http://127.0.0.1:5001")
    assert place(None).url == "http://127.0.0.1:3456"
    assert capsys.readouterr().err == ""


def test_else_the_one_with_this_configuration(
    runs: Runs, capsys: pytest.CaptureFixture[str]
) -> None:
    mine = runs("http://127.0.0.1:5001", MINE)
    runs("http://127.0.0.1:5002")
    assert place(mine).url == "http://127.0.0.1:5001"
    assert capsys.readouterr().err == ""


def test_of_several_others_the_newest_and_it_is_said_which(
    runs: Runs, capsys: pytest.CaptureFixture[str]
) -> None:
    runs("http://127.0.0.1:5001", MINE)
    runs("http://127.0.0.1:5002", MINE)
    assert place(None).url == "http://127.0.0.1:5002"
    assert capsys.readouterr().err == (
        "Using http://127.0.0.1:5002, the newest; choose another with --url: http://127.0.0.1:5001\n"
    )


def test_a_configuration_that_is_named_is_not_another_gateways(tmp_path: Path, runs: Runs) -> None:
    (tmp_path / "mine.yaml").write_text(MINE)
    runs("http://127.0.0.1:5001")
    assert place(tmp_path / "mine.yaml").url == "http://127.0.0.1:4000"
    assert place(None).url == "http://127.0.0.1:5001"


def test_the_model_is_one_that_the_gateway_has(runs: Runs) -> None:
    runs("http://127.0.0.1:5001", MINE)
    assert place(None).model == "mine"


def test_a_configuration_that_has_become_wrong_is_no_trouble(runs: Runs) -> None:
    runs("http://127.0.0.1:5001", MINE).write_text("modles: {}")
    assert (place(None).url, place(None).model) == ("http://127.0.0.1:5001", "claude-sonnet-4")


@pytest.mark.parametrize("words", ["chat Hello", "connect curl --check"])
def test_without_the_key_that_it_wants_nothing_is_asked(words: str, run: Run, runs: Runs) -> None:
    runs("http://127.0.0.1:1", keys=True)  # where nobody would answer
    result = run(*words.split())
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == (
        "dragoman: the gateway at http://127.0.0.1:1 requires a key: set DRAGOMAN_API_KEY "
        "(create a key with `dragoman keys new NAME`)\n"
    )


@pytest.mark.parametrize(
    ("health", "lacks"), [({"status": "ok"}, True), ({"status": "ok", "version": "1"}, False)]
)
def test_a_gateway_that_got_keys_later_wants_one_too(
    health: dict[str, str], lacks: bool, runs: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs("http://127.0.0.1:5001")
    monkeypatch.setattr(ServerCall, "health", lambda _: health)
    assert place(None).lacks_key is lacks
    assert not place(None, key="dgm-0123").lacks_key


def test_one_that_has_gone_meanwhile_wants_no_key(runs: Runs) -> None:
    runs("http://127.0.0.1:1")
    assert not place(None).lacks_key


def test_connect_says_that_a_key_is_wanted(run: Run, runs: Runs) -> None:
    runs("http://127.0.0.1:5001", keys=True)
    result = run("connect", "curl")
    assert "http://127.0.0.1:5001/v1" in result.stdout
    assert "requires a key: set DRAGOMAN_API_KEY" in result.stderr
    assert "requires a key" not in run("connect", "curl", "--key", "dgm-0123").stderr


@pytest.mark.parametrize("words", ["models", "plugins list"])
def test_a_list_of_another_configuration_than_the_gateways_says_so(
    words: str, run: Run, runs: Runs
) -> None:
    other = runs("http://127.0.0.1:5001", MINE)
    result = run(*words.split())
    assert result.stderr == (
        f"This is from {packaged_file()}; the gateway at http://127.0.0.1:5001 uses another file: "
        f"--config {other}\n"
    )
    assert run(*words.split(), "--config", str(other)).stderr == ""


def test_the_key_goes_to_an_own_gateway_and_to_a_named_address_only(
    runs: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Anybody on a shared machine may listen where a gateway would."""
    monkeypatch.setenv("DRAGOMAN_API_KEY", "dgm-mine")
    stranger = place(None)
    assert (stranger.known, stranger.key, stranger.key_to_send) == (False, "dgm-mine", None)
    assert place(None, url="http://127.0.0.1:7").key_to_send == "dgm-mine"
    assert place(None, key="dgm-given").key_to_send == "dgm-given"
    runs("http://127.0.0.1:3456")
    assert place(None).key_to_send == "dgm-mine"
