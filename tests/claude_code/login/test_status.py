"""What the CLI says of itself, and what becomes of it in `/health`."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio
import pytest

from gateway.context import RequestContext
from gateway.errors import BackendUnavailable
from gateway.pipeline.gateway import CoreGateway
from gateway.testing import build
from gateway.types import Target
from gateway_claude_code import stage
from gateway_claude_code.config import ClaudeCodeConfig
from gateway_claude_code.login import status as login
from gateway_claude_code.login.status import CliStatus, cli_status
from gateway_claude_code.plugin import ClaudeCodePlugin
from tests.claude_code.claude_code_support import FakeCli, a_request

MakeProgram = Callable[[str], Path]
Environ = dict[str, str]


@pytest.fixture
def program(tmp_path: Path) -> MakeProgram:
    """A shell script in the place of the CLI; `$*` are its arguments."""

    def make(script: str) -> Path:
        path = tmp_path / "claude"
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
        return path

    return make


def saying(version: str, status: str) -> str:
    return f"case \"$*\" in --version) echo '{version}';; *'auth status') echo '{status}';; esac"


# -- asking the CLI -----------------------------------------------------------------------

LOGGED_IN = '{"loggedIn": true, "authMethod": "claude.ai"}'
LOGGED_OUT = '{"loggedIn": false, "authMethod": "none"}'


@pytest.mark.parametrize(
    ("version", "status", "found"),
    [
        ("2.1.330 (Claude Code)", LOGGED_IN, ("2.1.330", True, "claude.ai")),
        ("2.1.330", LOGGED_OUT, ("2.1.330", False, "none")),
        ("", LOGGED_IN, (None, True, "claude.ai")),
        ("2.1.330", "", ("2.1.330", False, "unknown")),
        ("2.1.330", "{", ("2.1.330", False, "unknown")),
        ("2.1.330", "[true]", ("2.1.330", False, "unknown")),
        ("2.1.330", "{}", ("2.1.330", False, "unknown")),
    ],
)
async def test_status(
    program: MakeProgram,
    environ: Environ,
    version: str,
    status: str,
    found: tuple[str | None, bool, str],
) -> None:
    config = ClaudeCodeConfig(command=program(saying(version, status)))
    said = await cli_status(config, environ)
    assert (said.version, said.logged_in, said.method) == found


def half_files(environ: Environ) -> list[Path]:
    return list(Path(environ["HOME"]).glob(".claude.json.tmp.*"))


@pytest.mark.parametrize("end", ["kill -9 $$", "exec sleep 60"])
async def test_what_a_question_leaves_that_ends_half_way_is_removed(
    program: MakeProgram, environ: Environ, end: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The CLI writes its settings anew beside the old ones: `.claude.json.tmp.PID.…` (2.1.330)."""
    monkeypatch.setattr(login, "ANSWER_SECONDS", 0.5)
    config = ClaudeCodeConfig(command=program(f'touch "$HOME/.claude.json.tmp.$$.ab"; {end}'))
    assert not (await cli_status(config, environ)).logged_in
    assert half_files(environ) == []


async def test_the_settings_that_are_let_in_count_for_the_login(
    program: MakeProgram, environ: Environ
) -> None:
    folder = Path(environ["HOME"]) / ".claude"
    folder.mkdir()
    (folder / "settings.json").write_text('{"apiKeyHelper": "/key"}')
    script = """case "$*" in *apiKeyHelper*'auth status') echo '{"loggedIn": true}';; esac"""
    config = ClaudeCodeConfig(command=program(script), use_cli_settings_auth=True)
    assert (await cli_status(config, environ)).logged_in


SETTINGS_OF_THE_USER = """case "$*" in
    --version) echo 2.1.330;;
    *'--setting-sources  '*'auth status') echo '{"loggedIn": false, "authMethod": "none"}';;
    *'auth status') echo '{"loggedIn": true, "authMethod": "api_key_helper"}';;
esac"""
"""As 2.1.330 does where `settings.json` has an `apiKeyHelper`."""


async def test_a_login_in_settings_that_are_not_let_in_is_no_login(
    program: MakeProgram, environ: Environ
) -> None:
    status = await cli_status(ClaudeCodeConfig(command=program(SETTINGS_OF_THE_USER)), environ)
    assert (status.logged_in, status.in_settings) == (False, True)


@pytest.mark.parametrize(
    ("headers", "logged_in"),
    [
        ("X-Api-Key: abc", True),
        ("X-Team: a\nAuthorization: Bearer abc", True),
        ("X-Team: authorization", False),
        ("", False),
    ],
)
async def test_headers_of_the_users_own_may_be_the_login(
    program: MakeProgram, environ: Environ, headers: str, logged_in: bool
) -> None:
    config = ClaudeCodeConfig(command=program(saying("2.1.330", LOGGED_OUT)))
    said = await cli_status(config, {**environ, "ANTHROPIC_CUSTOM_HEADERS": headers})
    assert said.logged_in is logged_in
    assert "abc" not in repr(said)


async def test_a_cli_that_gives_no_answer_has_no_version(
    program: MakeProgram, environ: Environ, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(login, "ANSWER_SECONDS", 0.1)
    status = await cli_status(ClaudeCodeConfig(command=program("exec sleep 600")), environ)
    assert (status.version, status.logged_in) == (None, False)


async def test_a_cli_that_cant_be_started_is_unavailable(
    program: MakeProgram, environ: Environ
) -> None:
    path = program("")
    path.write_text("#!/no/such/interpreter\n")
    with pytest.raises(BackendUnavailable, match="can't be started"):
        await cli_status(ClaudeCodeConfig(command=path), environ)


# -- the plugin ---------------------------------------------------------------------------

MODELS = {"models": {"m": {"backend": "claude-code", "name": "claude-test"}}}


def status(**fields: Any) -> CliStatus:
    values = {"path": Path("/bin/claude"), "version": "2.1.330", "logged_in": True, "method": "x"}
    return CliStatus(**{**values, **fields})


def answering(
    monkeypatch: pytest.MonkeyPatch, answer: CliStatus | Exception
) -> list[tuple[ClaudeCodeConfig, dict[str, str]]]:
    """Have `cli_status` give this answer; what it was asked with is in the list."""
    asked = []

    async def cli_status(config: ClaudeCodeConfig, environ: dict[str, str]) -> CliStatus:
        asked.append((config, environ))
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr(stage, "cli_status", cli_status)
    return asked


async def health_when_served(
    tmp_path: Path, *, offline: bool = False
) -> tuple[ClaudeCodePlugin, dict[str, Any]]:
    served = ClaudeCodePlugin()
    gateway = gateway_with(tmp_path, served, offline=offline)
    with anyio.fail_after(10):
        async with served.gateway_lifespan(gateway):
            while served.gateway_health()["status"] == "starting":
                await anyio.lowlevel.checkpoint()
    return served, served.gateway_health()


def gateway_with(tmp_path: Path, served: ClaudeCodePlugin, *, offline: bool = False) -> CoreGateway:
    config = {"plugins": {"claude_code": {"check_cli": False}}}
    gateway = build(tmp_path, served, config=config, disabled=("claude_code", "openai"))
    gateway.offline = offline
    return gateway


def test_health_before_the_start_is_starting() -> None:
    assert ClaudeCodePlugin().gateway_health() == {"status": "starting"}


@pytest.mark.parametrize(
    ("found", "health"),
    [
        (
            status(),
            {
                "status": "ok",
                "cli_path": "/bin/claude",
                "cli_version": "2.1.330",
                "answers": True,
                "logged_in": True,
                "login": "x",
            },
        ),
        (
            status(logged_in=False),
            {
                "status": "not_logged_in",
                "cli_path": "/bin/claude",
                "cli_version": "2.1.330",
                "answers": True,
                "logged_in": False,
                "login": None,
            },
        ),
        (
            status(version=None, logged_in=False),
            {
                "status": "silent",
                "cli_path": "/bin/claude",
                "cli_version": None,
                "answers": False,
                "logged_in": False,
                "login": None,
            },
        ),
        (
            BackendUnavailable("there is no CLI"),
            {"status": "unavailable", "message": "there is no CLI", "cli_named": False},
        ),
    ],
    ids=["ok", "not logged in", "silent", "unavailable"],
)
async def test_health(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    found: CliStatus | Exception,
    health: dict[str, Any],
) -> None:
    answering(monkeypatch, found)
    _, said = await health_when_served(tmp_path)
    said.pop("cli_installed", None)  # tests/claude_code/installed has it
    assert said == health


async def test_a_missing_login_is_logged(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    answering(monkeypatch, status(logged_in=False))
    await health_when_served(tmp_path)
    (text,) = [text for text in caplog.messages if "is not logged in" in text]
    assert "dragoman login`" in text


async def test_offline_nothing_of_the_users_is_asked_with(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("ANTHROPIC_AUTH_TOKEN", "the user's")
    asked = answering(monkeypatch, status())
    await health_when_served(tmp_path, offline=True)
    ((_, environ),) = asked
    assert "ANTHROPIC_AUTH_TOKEN" not in environ
    assert environ["ANTHROPIC_API_KEY"] == "offline"
    assert environ["ANTHROPIC_BASE_URL"].startswith("http://127.0.0.1:")
    assert environ["HOME"] != os.environ.get("HOME")


async def test_a_stand_in_says_nothing_about_the_login(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    answering(monkeypatch, status())
    _, health = await health_when_served(tmp_path, offline=True)
    said = [health[key] for key in ("status", "logged_in", "login", "stand_in")]
    assert said == ["ok", None, None, True]


@pytest.mark.parametrize("named", [None, "/opt/claude"])
async def test_offline_the_same_cli_is_used(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, named: str | None
) -> None:
    monkeypatch.delenv("DRAGOMAN_CLAUDE_COMMAND", raising=False)
    if named:
        monkeypatch.setenv("DRAGOMAN_CLAUDE_COMMAND", named)
    asked = answering(monkeypatch, status())
    await health_when_served(tmp_path, offline=True)
    assert asked[0][1].get("DRAGOMAN_CLAUDE_COMMAND") == named


TARGET = Target(model="m", backend="claude-code", name="claude-test")


def test_a_model_of_another_backend_is_left_to_others() -> None:
    target = Target(model="m", backend="other", name="x")
    context = RequestContext(request_id="r-1")
    assert ClaudeCodePlugin().gateway_open_stream(a_request(), target, context) is None


def test_a_gateway_that_is_not_serving_is_unavailable() -> None:
    with pytest.raises(BackendUnavailable, match="not serving"):
        ClaudeCodePlugin().gateway_open_stream(
            a_request(), TARGET, RequestContext(request_id="r-1")
        )


async def test_a_gateway_that_serves_answers(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    fake_cli: Callable[[str], FakeCli],
    environ: Environ,
) -> None:
    cli = fake_cli("set_up(); hear(); begin(); text('Hi'); end()")
    monkeypatch.setenv("DRAGOMAN_CLAUDE_COMMAND", str(cli.path))
    monkeypatch.setenv("HOME", environ["HOME"])
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    answering(monkeypatch, status())
    served = ClaudeCodePlugin()
    async with served.gateway_lifespan(gateway_with(tmp_path, served)):
        stream = served.gateway_open_stream(a_request(), TARGET, RequestContext(request_id="r"))
        assert stream is not None
        assert len([event async for event in stream]) > 3
