"""Which stage serves. The change with a real CLI is in tests/e2e/account/test_login_appears.py."""

import os
from collections.abc import Callable
from contextlib import aclosing, suppress
from datetime import datetime
from pathlib import Path

import anyio
import pytest

from gateway.context import RequestContext
from gateway.errors import BackendUnavailable, GatewayError, NotAuthenticated, QuotaExhausted
from gateway.pipeline.gateway import CoreGateway
from gateway.streams import EventSource
from gateway.testing import build
from gateway.types import Target
from gateway_claude_code import stage, stages
from gateway_claude_code.config import ClaudeCodeConfig
from gateway_claude_code.login import watch as login_watch
from gateway_claude_code.login.status import CliStatus, Login
from gateway_claude_code.stages import Stages
from tests.claude_code.claude_code_support import FakeCli, a_request

TARGET = Target(model="m", backend="claude-code", name="claude-test")
NO_CLI = BackendUnavailable("there is no CLI")
ANSWERING = "set_up(); hear(); begin(); text('Hi'); end()"


class Cli:
    """The CLI's answers about itself, which a test can change."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.login: Login | Exception = Login(logged_in=False, method="none")
        self.asked = 0

    def log_in(self) -> None:
        self.login = Login(logged_in=True, method="claude.ai")

    async def login_now(self, *_: object) -> Login:
        self.asked += 1
        if isinstance(self.login, Exception):
            raise self.login
        return self.login

    async def status(self, *_: object) -> CliStatus:
        login = await self.login_now()
        return CliStatus(
            path=self.path, version="1.0.0", logged_in=login.logged_in, method=login.method
        )


@pytest.fixture
def cli(
    fake_cli: Callable[[str], FakeCli], environ: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> Cli:
    """A CLI that answers every request, and has no login yet."""
    path = fake_cli(ANSWERING).path
    found = Cli(path)
    monkeypatch.setenv("DRAGOMAN_CLAUDE_COMMAND", str(path))
    monkeypatch.setenv("HOME", environ["HOME"])
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    for module in (stage, stages):
        monkeypatch.setattr(module, "cli_status", found.status)
    monkeypatch.setattr(login_watch, "cli_login", found.login_now)
    monkeypatch.setattr(login_watch, "FIRST_PAUSE", 0.01)
    return found


Start = Callable[..., tuple[CoreGateway, Stages]]


@pytest.fixture
def start(cli: Cli, tmp_path: Path) -> Start:
    """Stages that are not running yet, and their gateway."""

    def make(*, offline: bool = True, until_login: bool = True) -> tuple[CoreGateway, Stages]:
        gateway = build(tmp_path)
        gateway.offline, gateway.until_login = offline, until_login
        config = ClaudeCodeConfig(check_cli=False, max_spares=0, max_live=0)
        return gateway, Stages(gateway, config, None)

    return make


async def gone_over(gateway: CoreGateway) -> None:
    with anyio.fail_after(10):
        while gateway.offline:  # noqa: ASYNC110 - nobody says when
            await anyio.sleep(0.005)


def opened(of: Stages) -> tuple[EventSource, RequestContext]:
    ctx = RequestContext(request_id="r-1")
    return of.answer(a_request(), TARGET, ctx), ctx


async def headers_of(of: Stages) -> dict[str, str]:
    stream, ctx = opened(of)
    async with aclosing(stream):  # type: ignore[type-var]
        assert [event async for event in stream]
    return ctx.headers


async def test_it_goes_over_when_there_is_a_login(
    start: Start, cli: Cli, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    gateway, all_stages = start()
    async with all_stages.running():
        assert (await headers_of(all_stages))["x-dragoman-offline"] == "true"
        assert all_stages.report()["waiting_for_login"] is True
        cli.log_in()
        await gone_over(gateway)
        assert "x-dragoman-offline" not in await headers_of(all_stages)
        assert "waiting_for_login" not in all_stages.report()
    said = "logged in (claude.ai): the model answers from now on"
    assert caplog.messages.count(said) == 1
    assert gateway.until_login is False


async def test_a_request_notices_a_login_by_itself(
    start: Start, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(login_watch, "FIRST_PAUSE", 3600)
    gateway, all_stages = start()
    async with all_stages.running():
        cli.log_in()
        assert "x-dragoman-offline" not in await headers_of(all_stages)
        assert not gateway.offline


async def test_a_login_at_the_start_needs_no_stand_in(start: Start, cli: Cli) -> None:
    cli.log_in()
    gateway, all_stages = start()
    async with all_stages.running():
        assert not gateway.offline
        assert "x-dragoman-offline" not in await headers_of(all_stages)


async def test_offline_it_never_asks(start: Start, cli: Cli) -> None:
    cli.log_in()
    gateway, all_stages = start(until_login=False)
    async with all_stages.running():
        assert (await headers_of(all_stages))["x-dragoman-offline"] == "true"
        assert "waiting_for_login" not in all_stages.report()
    assert gateway.offline


async def test_without_a_cli_it_waits_for_one(
    start: Start, cli: Cli, caplog: pytest.LogCaptureFixture
) -> None:
    cli.login = NO_CLI
    gateway, all_stages = start()
    async with all_stages.running():
        with anyio.fail_after(10):
            while (report := all_stages.report())["status"] == "starting":  # noqa: ASYNC110
                await anyio.sleep(0.005)
        said = {key: report[key] for key in ("status", "message", "waiting_for_login")}
        assert said == {
            "status": "unavailable",
            "message": "there is no CLI",
            "waiting_for_login": True,
        }
        cli.log_in()
        await gone_over(gateway)
    assert caplog.messages.count("there is no CLI") == 1
    assert not any("stand-in" in message for message in caplog.messages)


@pytest.mark.parametrize(("until_login", "said"), [(True, "none yet"), (False, "not needed")])
async def test_the_log_of_a_stand_in_says_whether_a_login_is_waited_for(
    start: Start, until_login: bool, said: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    _, all_stages = start(until_login=until_login)
    async with all_stages.running():
        await reported(all_stages, "not_logged_in")
    assert [message for message in caplog.messages if message.endswith(f"login: {said}")]


@pytest.mark.parametrize("change", [False, True], ids=["waiting", "gone over"])
async def test_it_ends_though_an_answer_of_the_stand_in_is_open(
    start: Start, cli: Cli, change: bool
) -> None:
    gateway, all_stages = start()
    with anyio.fail_after(10):
        async with all_stages.running():
            stream, _ = opened(all_stages)
            await anext(stream)
            if change:
                cli.log_in()
                await gone_over(gateway)
        with suppress(RuntimeError):  # its pool is gone
            await stream.aclose()


async def test_what_is_not_running_answers_nothing(start: Start) -> None:
    _, all_stages = start()
    assert all_stages.report() == {"status": "starting"}
    with pytest.raises(BackendUnavailable, match="not serving yet"):
        opened(all_stages)
    async with all_stages.running():
        pass
    stream, _ = opened(all_stages)
    with pytest.raises(BackendUnavailable, match="is not serving"):
        await anext(stream)


async def test_the_real_stage_takes_up_a_login_too(
    start: Start, cli: Cli, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    _, all_stages = start(offline=False, until_login=False)
    async with all_stages.running():
        await reported(all_stages, "not_logged_in")
        cli.log_in()
        await reported(all_stages, "ok")
        assert all_stages.report()["logged_in"] is True
    assert "logged in (claude.ai)" in caplog.messages


NOT_LOGGED_IN = """set_up(); hear()
say({"type": "assistant", "message": {"model": "<synthetic>"}, "error": "authentication_failed"})
say({"type": "result", "is_error": True, "result": "Not logged in"})"""


async def test_a_logout_shows_in_the_report(
    start: Start, cli: Cli, fake_cli: Callable[[str], FakeCli]
) -> None:
    cli.log_in()
    _, all_stages = start(offline=False, until_login=False)
    async with all_stages.running():
        await reported(all_stages, "ok")
        cli.login = Login(logged_in=False, method="none")
        fake_cli(NOT_LOGGED_IN)
        with pytest.raises(NotAuthenticated):
            await headers_of(all_stages)
        await reported(all_stages, "not_logged_in")
        cli.log_in()
        await reported(all_stages, "ok")


async def test_while_the_api_refuses_a_login_the_cli_is_asked_seldom(
    start: Start, cli: Cli, fake_cli: Callable[[str], FakeCli]
) -> None:
    cli.log_in()
    _, all_stages = start(offline=False, until_login=False)
    async with all_stages.running():
        await reported(all_stages, "ok")
        fake_cli(NOT_LOGGED_IN.replace("Not logged in", "OAuth token revoked"))
        before = cli.asked
        for _ in range(3):
            with pytest.raises(NotAuthenticated, match="was refused"):
                await headers_of(all_stages)
        assert cli.asked == before + 1


REFUSED = NOT_LOGGED_IN.replace("Not logged in", "OAuth token has expired. Get a new one.")


@pytest.fixture
def credentials(environ: dict[str, str]) -> Path:
    """Where the CLI has its login, with something in it that is never read."""
    path = Path(environ["HOME"]) / ".claude" / ".credentials.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0)
    return path


async def test_a_refused_login_is_reported_until_an_answer_comes(
    start: Start, cli: Cli, fake_cli: Callable[[str], FakeCli], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    cli.log_in()
    _, all_stages = start(offline=False, until_login=False)
    async with all_stages.running():
        await reported(all_stages, "ok")
        fake_cli(REFUSED)
        await fail(all_stages, times=2)
        report = all_stages.report()
        assert report["status"] == "login_refused"
        assert report["login_refused"]["message"] == "OAuth token has expired. Get a new one."
        assert datetime.fromisoformat(report["login_refused"]["at"]).tzinfo is not None
        fake_cli(ANSWERING)
        await headers_of(all_stages)
        assert all_stages.report()["status"] == "ok"
        assert "login_refused" not in all_stages.report()
    refusals = [text for text in caplog.messages if text.startswith("the login was refused")]
    assert len(refusals) == 1
    assert refusals[0].startswith("the login was refused (OAuth token has expired): run `")
    assert caplog.messages.count("the login is accepted again") == 1


async def test_a_refused_login_is_forgotten_when_there_is_another(
    start: Start, cli: Cli, fake_cli: Callable[[str], FakeCli], credentials: Path
) -> None:
    cli.log_in()
    _, all_stages = start(offline=False, until_login=False)
    async with all_stages.running():
        await reported(all_stages, "ok")
        fake_cli(REFUSED)
        await fail(all_stages)
        assert all_stages.report()["status"] == "login_refused"
        os.utime(credentials, (1, 1))
        assert all_stages.report()["status"] == "ok"


async def test_a_missing_login_is_not_a_refused_one(
    start: Start, cli: Cli, fake_cli: Callable[[str], FakeCli]
) -> None:
    cli.log_in()
    _, all_stages = start(offline=False, until_login=False)
    async with all_stages.running():
        await reported(all_stages, "ok")
        fake_cli(NOT_LOGGED_IN)
        await fail(all_stages)
        assert "login_refused" not in all_stages.report()


async def test_a_cli_that_is_gone_is_logged_once(
    start: Start, cli: Cli, fake_cli: Callable[[str], FakeCli], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    cli.log_in()
    _, all_stages = start(offline=False, until_login=False)
    async with all_stages.running():
        await reported(all_stages, "ok")
        cli.path.unlink()
        await fail(all_stages, BackendUnavailable, times=2)
        assert f"the CLI is missing: {cli.path}; requests get a 503" in caplog.messages
        fake_cli(ANSWERING)
        await headers_of(all_stages)
    about = [text for text in caplog.messages if text.startswith("the CLI is ") and "," not in text]
    assert [text.partition(":")[0] for text in about] == [
        "the CLI is missing",
        "the CLI is available again",
    ]


USED_UP = """import time
set_up(); hear()
limit = {"status": "rejected", "rateLimitType": "five_hour", "resetsAt": int(time.time()) + 3600}
say({"type": "rate_limit_event", "rate_limit_info": limit})
say({"type": "assistant", "message": {"model": "<synthetic>"}, "error": "rate_limit"})
say({"type": "result", "is_error": True, "result": "no more", "api_error_status": 429})"""


async def test_a_plan_that_is_used_up_is_logged_once(
    start: Start, cli: Cli, fake_cli: Callable[[str], FakeCli], caplog: pytest.LogCaptureFixture
) -> None:
    cli.log_in()
    _, all_stages = start(offline=False, until_login=False)
    async with all_stages.running():
        await reported(all_stages, "ok")
        fake_cli(USED_UP)
        await fail(all_stages, QuotaExhausted, times=3)
        assert all_stages.report()["status"] == "plan_used_up"
    said = [text for text in caplog.messages if text.startswith("the plan is used up until ")]
    assert len(said) == 1
    assert said[0].endswith("; requests get a 429")
    assert f" {datetime.now().astimezone():%Z};" in said[0]


async def fail(of: Stages, kind: type[GatewayError] = NotAuthenticated, *, times: int = 1) -> None:
    for _ in range(times):
        with pytest.raises(kind):
            await headers_of(of)


async def reported(of: Stages, status: str) -> None:
    with anyio.fail_after(10):
        while of.report()["status"] != status:  # noqa: ASYNC110 - nobody says when
            await anyio.sleep(0.005)
