"""The real CLI against the embedded upstream: no account, no network beyond loopback."""

import importlib.util
import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

import pytest

from gateway_claude_code.upstream import Script, Upstream, offline_script, running_upstream
from tests.e2e.gateways import A_PROCESS_A_REQUEST, RunningGateway, running_gateway

StartUpstream = Callable[[Script], Upstream]
StartGateway = Callable[..., RunningGateway]


@pytest.fixture(scope="session")
def cli_command() -> str:
    """The path of the CLI: `DRAGOMAN_CLAUDE_COMMAND`, `claude` on PATH, or the one in the wheel.

    A run without any is a failure, never a skip: these tests are what the rest is trusted for.
    """
    found = (
        os.environ.get("DRAGOMAN_CLAUDE_COMMAND") or shutil.which("claude") or _command_in_wheel()
    )
    if found is None:
        pytest.fail("no claude command: set DRAGOMAN_CLAUDE_COMMAND or install the extra `cli`")
    return found


def _command_in_wheel() -> str | None:
    spec = importlib.util.find_spec("claude_agent_sdk")
    for place in (spec.submodule_search_locations or ()) if spec is not None else ():
        command = Path(place) / "_bundled" / "claude"
        if command.is_file():
            return str(command)
    return None


@pytest.fixture
def start_upstream() -> Iterator[StartUpstream]:
    """Starts an upstream in a thread of its own; it records, and lives as long as the test."""
    with ExitStack() as stack:
        yield lambda script: stack.enter_context(running_upstream(script))


@pytest.fixture
def upstream(start_upstream: StartUpstream) -> Upstream:
    """An upstream with the offline script. Assign `upstream.script` to have another one."""
    return start_upstream(offline_script)


@pytest.fixture
def cli_environment(tmp_path: Path, upstream: Upstream) -> dict[str, str]:
    """All of the CLI's environment, made from nothing: an empty home and the upstream's URL."""
    home = tmp_path / "home"
    home.mkdir()
    return {
        "HOME": str(home),
        "PATH": os.defpath,
        "ANTHROPIC_API_KEY": "made-up",
        "ANTHROPIC_BASE_URL": upstream.url,
    }


@pytest.fixture
def start_gateway(
    tmp_path: Path, start_upstream: StartUpstream, cli_command: str
) -> Iterator[StartGateway]:
    """Starts a gateway of its own for one test: `start_gateway(config={…}, environment={…})`.

    It has a process for each request, and none that waits, unless `config` has `plugins`.
    """
    with ExitStack() as stack:

        def start(
            config: dict[str, object] | None = None,
            environment: dict[str, str] | None = None,
            script: Script = offline_script,
            options: Sequence[str] = (),
        ) -> RunningGateway:
            base = {"DRAGOMAN_CLAUDE_COMMAND": cli_command}
            return stack.enter_context(
                running_gateway(
                    tmp_path / "gateway",
                    start_upstream(script),
                    {**A_PROCESS_A_REQUEST, **(config or {})},
                    {**base, **(environment or {})},
                    options,
                )
            )

        yield start


def _shared(
    tmp_path_factory: pytest.TempPathFactory, cli_command: str, config: Mapping[str, object]
) -> Iterator[RunningGateway]:
    with running_upstream(offline_script) as upstream:
        environment = {"DRAGOMAN_CLAUDE_COMMAND": cli_command}
        folder = tmp_path_factory.mktemp("gateway")
        with running_gateway(folder, upstream, config, environment) as gateway:
            yield gateway


def _made_new(gateway: RunningGateway) -> RunningGateway:
    gateway.upstream.script = offline_script
    gateway.upstream.requests.clear()
    return gateway


@pytest.fixture(scope="session")
def _shared_gateway(
    tmp_path_factory: pytest.TempPathFactory, cli_command: str
) -> Iterator[RunningGateway]:
    for gateway in _shared(tmp_path_factory, cli_command, A_PROCESS_A_REQUEST):
        # a CLI that nobody has run yet takes long to say its version and its login
        assert gateway.wait_until_idle(30) == []
        yield gateway


@pytest.fixture
def gateway(_shared_gateway: RunningGateway) -> RunningGateway:
    """A gateway with the default models and a process for each request, shared by the tests.

    Its upstream has recorded nothing yet, and answers with the offline script: assign
    `gateway.upstream.script` to have another.
    """
    assert _shared_gateway.wait_until_idle() == []
    return _made_new(_shared_gateway)


@pytest.fixture(scope="session")
def _gateway_as_usual(
    tmp_path_factory: pytest.TempPathFactory, cli_command: str
) -> Iterator[RunningGateway]:
    few = {"plugins": {"claude_code": {"max_live": 4, "max_spares": 1}}}
    yield from _shared(tmp_path_factory, cli_command, {**few, "server": {"drain_seconds": 10}})


@pytest.fixture
def gateway_as_usual(_gateway_as_usual: RunningGateway) -> RunningGateway:
    """The same with processes that are used again and again, as by default, but fewer of them."""
    _gateway_as_usual.wait_until_at_rest()
    return _made_new(_gateway_as_usual)
