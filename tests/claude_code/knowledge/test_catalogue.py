"""Asking the installed CLI for its models."""

from collections.abc import Callable, Sequence
from pathlib import Path

import anyio
import anyio.lowlevel
import pytest

from gateway.errors import BackendUnavailable
from gateway_claude_code.facts.asked import AskedModel
from gateway_claude_code.facts.known import KnownModels
from gateway_claude_code.knowledge.catalogue import ModelCatalogue
from gateway_claude_code.knowledge.remembered_models import RememberedModels
from gateway_claude_code.process.launch import Program

PROGRAM = Program(Path("/bin/claude"), (1, 2))
UPDATED = Program(Path("/bin/claude"), (3, 4))
SONNET = AskedModel(value="sonnet", model="claude-sonnet-9")


class Asked:
    """A CLI that counts how often it is asked."""

    def __init__(self, *models: AskedModel, error: Exception | None = None) -> None:
        self.times = 0
        self._models = models
        self._error = error

    async def __call__(self) -> Sequence[AskedModel]:
        self.times += 1
        if self._error is not None:
            raise self._error
        return self._models


async def looked_up(
    cli: Asked, file: Path | None, notice: Callable[[ModelCatalogue], None]
) -> KnownModels:
    known = KnownModels()
    catalogue = ModelCatalogue(known, RememberedModels(file), cli)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(catalogue.tend)
        await anyio.lowlevel.checkpoint()
        notice(catalogue)
        await catalogue.ready()
        tasks.cancel_scope.cancel()
    return known


async def test_a_cli_is_asked_when_it_is_noticed() -> None:
    known = await looked_up(Asked(SONNET), None, lambda it: it.notice(PROGRAM, "api_key"))
    assert known.full_name("sonnet") == "claude-sonnet-9"


async def test_one_cli_and_login_is_asked_once(tmp_path: Path) -> None:
    cli = Asked(SONNET)
    for login in ("api_key", "api_key", "oauth_token"):
        known = await looked_up(
            cli, tmp_path / "f.json", lambda it, login=login: it.notice(PROGRAM, login)
        )
        assert known.full_name("sonnet") == "claude-sonnet-9"
    assert cli.times == 2


async def test_an_updated_cli_is_asked_again_with_the_login_it_had(tmp_path: Path) -> None:
    cli, file = Asked(SONNET), tmp_path / "f.json"

    def update(catalogue: ModelCatalogue) -> None:
        catalogue.notice(PROGRAM, "api_key")
        catalogue.notice(UPDATED)

    await looked_up(cli, file, update)
    assert RememberedModels(file).recall(UPDATED, "api_key") == [SONNET]


async def test_the_same_cli_noticed_again_is_no_news() -> None:
    cli = Asked(SONNET)

    def twice(catalogue: ModelCatalogue) -> None:
        catalogue.notice(PROGRAM, "api_key")
        catalogue.notice(PROGRAM)

    await looked_up(cli, None, twice)
    assert cli.times == 1


async def test_a_cli_that_does_not_say_leaves_the_documentation(
    caplog: pytest.LogCaptureFixture,
) -> None:
    cli = Asked(error=BackendUnavailable("no list"))
    known = await looked_up(cli, None, lambda it: it.notice(PROGRAM, "api_key"))
    assert known.full_name("sonnet") == "claude-sonnet-5-5"
    assert "no list" in caplog.text


async def test_a_cli_without_a_login_yet_is_not_asked() -> None:
    cli = Asked(SONNET)

    def early(catalogue: ModelCatalogue) -> None:
        catalogue.notice(PROGRAM)
        catalogue.notice(PROGRAM, "api_key")

    known = await looked_up(cli, None, early)
    assert (cli.times, known.full_name("sonnet")) == (1, "claude-sonnet-9")


async def test_nobody_waits_where_nobody_can_be_asked() -> None:
    with anyio.fail_after(1):
        await looked_up(Asked(SONNET), None, ModelCatalogue.nobody_to_ask)


async def test_without_anyone_tending_nobody_waits() -> None:
    catalogue = ModelCatalogue(KnownModels(), RememberedModels(None), Asked())
    catalogue.notice(PROGRAM, "api_key")
    with anyio.fail_after(1):
        await catalogue.ready()


async def test_a_wait_that_began_before_the_cli_was_found_ends_with_its_answer() -> None:
    known = KnownModels()
    catalogue = ModelCatalogue(known, RememberedModels(None), Asked(SONNET))
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(catalogue.tend)
        await anyio.lowlevel.checkpoint()
        with anyio.fail_after(1):
            async with anyio.create_task_group() as waiting:
                waiting.start_soon(catalogue.ready)
                await anyio.lowlevel.checkpoint()
                catalogue.notice(PROGRAM, "api_key")
        assert known.full_name("sonnet") == "claude-sonnet-9"
        tasks.cancel_scope.cancel()


async def test_a_cli_that_did_not_say_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway_claude_code.knowledge.catalogue.AGAIN_SECONDS", 0.01)
    again = anyio.Event()
    errors = [BackendUnavailable("no list")]

    async def cli() -> Sequence[AskedModel]:
        if errors:
            raise errors.pop()
        again.set()
        return [SONNET]

    catalogue = ModelCatalogue(KnownModels(), RememberedModels(None), cli)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(catalogue.tend)
        await anyio.lowlevel.checkpoint()
        catalogue.notice(PROGRAM, "api_key")
        with anyio.fail_after(5):
            await again.wait()
        tasks.cancel_scope.cancel()
