"""The gateway tries out a CLI that it has not seen, and serves accordingly."""

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from gateway.context import RequestContext
from gateway.errors import BackendUnavailable, GatewayError
from gateway.streams import AnswerBuilder
from gateway.testing import build
from gateway.types import ChatRequest, Message, Part, Role, Target, Text, ToolCall, ToolResult
from gateway_claude_code.compatibility.behaviours import BEHAVIOURS
from gateway_claude_code.compatibility.findings import Finding, Verdict
from gateway_claude_code.compatibility.known_findings import KnownFindings, findings_file
from gateway_claude_code.compatibility.verdict import CliVerdict
from gateway_claude_code.config import ClaudeCodeConfig
from gateway_claude_code.doctor import background_check
from gateway_claude_code.doctor.background_check import check_in_background
from gateway_claude_code.plugin import ClaudeCodePlugin
from gateway_claude_code.pool.admission import Slots
from gateway_claude_code.process.launch import program_at

MakeCli = Callable[..., Path]
TARGET = Target(model="m", backend="claude-code", name="sonnet")


def said(role: Role, *parts: Part | str) -> Message:
    return Message(
        role=role,
        parts=tuple(Text(text=part) if isinstance(part, str) else part for part in parts),
    )


async def until(condition: Callable[[], object]) -> None:
    with anyio.fail_after(20):
        while not condition():  # noqa: ASYNC110 - it is looked at from outside
            await anyio.sleep(0.01)


@dataclass
class Served:
    """A gateway that serves offline, as far as this backend is concerned."""

    plugin: ClaudeCodePlugin
    headers: dict[str, str] = field(default_factory=dict)

    def health(self) -> dict[str, Any]:
        return self.plugin.gateway_health()

    async def checked(self) -> dict[str, Any]:
        """The health, once the CLI was tried out."""
        await until(lambda: self.health().get("cli_check", {}).get("checked"))
        return self.health()

    async def ask(self, *messages: Message, **fields: Any) -> str:
        """The text of the answer; `headers` are then those of it."""
        context = RequestContext(request_id="r")
        request = ChatRequest(model="m", messages=messages, **fields)
        stream = self.plugin.gateway_open_stream(request, TARGET, context)
        assert stream is not None
        builder = AnswerBuilder()
        try:
            async for event in stream:
                builder.add(event)
        finally:
            await stream.aclose()
            self.headers = context.headers
        return "".join(part.text for part in builder.parts() if isinstance(part, Text))


@asynccontextmanager
async def serving(folder: Path, cli: Path, **config: Any) -> AsyncGenerator[Served]:
    plugin = ClaudeCodePlugin()
    section = {"command": str(cli), "max_spares": 0, **config}
    models = {"m": {"backend": "claude-code", "target": "sonnet"}}
    values = {"models": models, "plugins": {"claude_code": section}}
    gateway = build(folder, plugin, config=values, disabled=("claude_code",))
    gateway.offline = True
    failure: BaseException | None = None
    async with plugin.gateway_lifespan(gateway):
        try:
            yield Served(plugin)
        except BaseException as error:  # noqa: BLE001 - a task group would wrap it
            failure = error
    if failure is not None:
        raise failure


async def test_a_cli_that_keeps_all_serves(tmp_path: Path, fake_claude: MakeCli) -> None:
    async with serving(tmp_path, fake_claude()) as served:
        health = await served.checked()
        assert (health["status"], health["cli_check"]["differs"]) == ("ok", [])
        assert "You said: Hi" in await served.ask(said("user", "Hi"))


async def test_a_request_does_not_wait_for_the_look(tmp_path: Path, fake_claude: MakeCli) -> None:
    async with serving(tmp_path, fake_claude("file_mentions")) as served:
        assert "You said: Hi" in await served.ask(said("user", "Hi"))
        assert not served.health().get("cli_check", {}).get("checked")


@pytest.mark.parametrize("broken", ["file_mentions", "slash_commands", "built_in_tools"])
async def test_an_unsafe_one_is_refused(tmp_path: Path, fake_claude: MakeCli, broken: str) -> None:
    async with serving(tmp_path, fake_claude(broken)) as served:
        health = await served.checked()
        assert (health["status"], health["cli_check"]["differs"]) == ("unsafe_cli", [broken])
        with pytest.raises(BackendUnavailable, match="allow_unsafe_cli") as caught:
            await served.ask(said("user", "Hi"))
        assert BEHAVIOURS[broken].title in caught.value.message
        assert health["message"] == caught.value.message


async def test_also_to_a_conversation_that_has_a_process(
    tmp_path: Path, fake_claude: MakeCli
) -> None:
    async with serving(tmp_path, fake_claude("file_mentions")) as served:
        answer = await served.ask(said("user", "Hi"))
        await served.checked()
        with pytest.raises(BackendUnavailable, match="allow_unsafe_cli"):
            await served.ask(said("user", "Hi"), said("assistant", answer), said("user", "Hi"))


async def test_unless_it_is_allowed(tmp_path: Path, fake_claude: MakeCli) -> None:
    cli = fake_claude("built_in_tools")
    async with serving(tmp_path, cli, allow_unsafe_cli=True) as served:
        health = await served.checked()
        assert (health["status"], health["cli_check"]["differs"]) == ("ok", ["built_in_tools"])
        assert "You said: Hi" in await served.ask(said("user", "Hi"))


async def test_one_that_is_put_right_serves_again(tmp_path: Path, fake_claude: MakeCli) -> None:
    async with serving(tmp_path, fake_claude("file_mentions")) as served:
        await served.checked()
        fake_claude()
        assert "You said: Hi" in await served.ask(said("user", "Hi"))
        assert (await served.checked())["cli_check"]["differs"] == []


# -- what is remembered -------------------------------------------------------------------


def remembered(cli: Path, home: Path, differing: str = "") -> Path:
    """The CLI, which was checked before: all holds but for this."""
    findings = [
        behaviour.found(name, "differs" if name == differing else "holds", "remembered")
        for name, behaviour in BEHAVIOURS.items()
    ]
    KnownFindings(findings_file({"HOME": str(home)})).keep(program_at(cli), "9.9.9", findings)
    return cli


async def test_a_known_cli_is_not_tried_out_again(
    tmp_path: Path, fake_claude: MakeCli, home: Path
) -> None:
    cli = remembered(fake_claude(), home, "file_mentions")
    async with serving(tmp_path, cli) as served:
        await served.checked()
        with pytest.raises(BackendUnavailable, match="remembered"):
            await served.ask(said("user", "Hi"))


@pytest.mark.parametrize(("differing", "reused"), [("", 1), ("rewind", 0)])
async def test_a_process_that_cant_be_cut_back_serves_one_conversation(
    tmp_path: Path, fake_claude: MakeCli, home: Path, differing: str, reused: int
) -> None:
    cli = remembered(fake_claude(), home, differing)
    async with serving(tmp_path, cli, max_processes=1) as served:
        await served.checked()
        for text in ("Hi", "Hello"):
            assert f"You said: {text}" in await served.ask(said("user", text))
        assert served.health()["taken"]["reused"] == reused


async def test_what_is_found_is_remembered(
    tmp_path: Path, fake_claude: MakeCli, home: Path
) -> None:
    cli = fake_claude("native_history")
    async with serving(tmp_path, cli) as served:
        await served.checked()
    found = KnownFindings(findings_file({"HOME": str(home)})).recall(program_at(cli), "9.9.9")
    assert found is not None
    assert [finding.name for finding in found if finding.verdict == "differs"] == ["native_history"]


@pytest.mark.parametrize(
    ("first", "again"),
    [("unknown", True), ("differs", False), ("holds", False)],
)
async def test_a_doubtful_check_is_made_again(
    tmp_path: Path,
    fake_claude: MakeCli,
    monkeypatch: pytest.MonkeyPatch,
    first: Verdict,
    *,
    again: bool,
) -> None:
    checks: list[Verdict] = []

    async def look_at(*_: object) -> list[Finding]:
        checks.append(first if not checks else "holds")
        return [
            behaviour.found(name, checks[-1] if name == "rewind" else "holds", "seen")
            for name, behaviour in BEHAVIOURS.items()
        ]

    monkeypatch.setattr(background_check, "look_at", look_at)
    monkeypatch.setattr(background_check, "AGAIN_SECONDS", 0)
    async with serving(tmp_path, fake_claude()) as served:
        await served.checked()
        if again:
            await until(lambda: not served.health()["cli_check"]["unknown"])
        await anyio.wait_all_tasks_blocked()
    assert checks == ([first, "holds"] if again else [first])


async def test_it_can_be_turned_off(tmp_path: Path, fake_claude: MakeCli, home: Path) -> None:
    async with serving(tmp_path, fake_claude("file_mentions"), check_cli=False) as served:
        await until(lambda: served.health()["status"] != "starting")
        await served.ask(said("user", "Hi"))
        assert served.health()["cli_check"] == {"checked": False}
    assert not (home / ".local").exists()


# -- a CLI that takes no history ----------------------------------------------------------

CALL = ToolCall(id="c1", name="look", arguments="{}")
RESULT = ToolResult(call_id="c1", parts=(Text(text="sea"),))


@asynccontextmanager
async def serving_without_history(folder: Path, make: MakeCli) -> AsyncGenerator[Served]:
    async with serving(folder, make("native_history")) as served:
        assert (await served.checked())["status"] == "ok"
        yield served


async def test_it_gets_a_transcript_and_the_answer_says_so(
    tmp_path: Path, fake_claude: MakeCli
) -> None:
    async with serving_without_history(tmp_path, fake_claude) as served:
        answer = await served.ask(said("user", "a"), said("assistant", "b"), said("user", "c"))
        assert served.headers["x-dragoman-history"] == "transcript"
        assert "User: a\nAssistant: b\n" in answer
        assert answer.endswith("\nc")


async def test_a_conversation_that_goes_on_in_its_process_needs_none(
    tmp_path: Path, fake_claude: MakeCli
) -> None:
    async with serving_without_history(tmp_path, fake_claude) as served:
        first = await served.ask(said("user", "a"))
        assert "x-dragoman-history" not in served.headers
        answer = await served.ask(said("user", "a"), said("assistant", first), said("user", "b"))
        assert answer.endswith("You said: b")
        assert "x-dragoman-history" not in served.headers


async def test_what_goes_on_after_a_transcript_says_so_as_well(
    tmp_path: Path, fake_claude: MakeCli
) -> None:
    async with serving_without_history(tmp_path, fake_claude) as served:
        messages = [said("user", "a"), said("assistant", "b"), said("user", "c")]
        messages.append(said("assistant", await served.ask(*messages)))
        answer = await served.ask(*messages, said("user", "d"))
        assert answer.endswith("You said: d")
        assert served.headers["x-dragoman-history"] == "transcript"


async def test_calls_in_a_history_are_refused(tmp_path: Path, fake_claude: MakeCli) -> None:
    async with serving_without_history(tmp_path, fake_claude) as served:
        with pytest.raises(BackendUnavailable, match="tool calls"):
            await served.ask(said("user", "a"), said("assistant", CALL), said("user", RESULT))


# -- within the limit of processes --------------------------------------------------------


async def test_the_look_has_one_slot_at_a_time_and_waits_for_it(
    fake_claude: MakeCli, monkeypatch: pytest.MonkeyPatch, home: Path
) -> None:
    monkeypatch.setattr(background_check, "FULL_SECONDS", 0.01)
    verdict, most, tries = CliVerdict(), 0, 0

    class Counted(Slots):
        async def acquire(self, caller: str) -> None:
            nonlocal most, tries
            tries += 1
            await super().acquire(caller)
            most = max(most, self.used)

    slots = Counted(1, 0, 1, lambda: None)
    await slots.acquire("a request")
    program = program_at(fake_claude())
    verdict.notice(program)
    async with anyio.create_task_group() as tasks:
        environ = {"HOME": str(home), "PATH": "/usr/bin:/bin"}
        config = ClaudeCodeConfig(command=program.path)
        tasks.start_soon(check_in_background, verdict, config, environ, slots)
        await until(lambda: tries >= 3)
        assert not verdict.health["checked"]
        slots.release()
        await until(lambda: verdict.health["checked"])
        tasks.cancel_scope.cancel()
    assert (most, slots.used) == (1, 0)


async def test_a_cli_that_cant_be_run_is_left_to_the_requests(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def broken(*_: object) -> str:
        raise GatewayError("it can't be started")

    monkeypatch.setattr(background_check, "cli_version", broken)
    verdict = CliVerdict()
    verdict.notice(program_at(tmp_path / "claude"))
    async with anyio.create_task_group() as tasks:
        slots = Slots(1, 0, 1, lambda: None)
        tasks.start_soon(check_in_background, verdict, ClaudeCodeConfig(), {}, slots)
        await until(lambda: caplog.messages)
        tasks.cancel_scope.cancel()
    assert "it can't be started" in caplog.text
    assert verdict.health == {"checked": False}


async def test_one_that_says_nothing_is_not_tried_out(tmp_path: Path, home: Path) -> None:
    path = tmp_path / "claude"
    path.write_text("#!/bin/sh\n", encoding="utf-8")
    path.chmod(0o755)
    async with serving(tmp_path, path) as served:
        await until(lambda: served.health()["status"] == "silent")
        with pytest.raises(GatewayError):
            await served.ask(said("user", "Hi"))
        assert served.health()["cli_check"] == {"checked": False}
    assert not (home / ".local").exists()
