"""A process that dies as it is asked: the request gets another one."""

from collections.abc import Callable
from pathlib import Path

import anyio
import pytest

from tests.claude_code.claude_code_support import TARGET, FakeCli, answered, backend_for, is_gone
from tests.claude_code.pool.pool_support import until

pytestmark = pytest.mark.usefixtures("at_once")


FIRST_TIME = "first = not os.path.exists({marker!r}); open({marker!r}, 'w')\n"

ANSWER = "begin(); text('Hi'); end(); say(dict(type='result'))\n"


@pytest.mark.parametrize("fault", ["sys.exit(1)", "hold()"], ids=["dies", "hangs"])
async def test_a_spare_that_fails_as_it_is_asked_is_replaced(
    fake_cli: Callable[[str], FakeCli],
    environ: dict[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    fault: str,
) -> None:
    monkeypatch.setattr("gateway_claude_code.channel.patience.WARM_SECONDS", 0.3)
    play = f"hear()\nif first: {fault}\nsay(applied(hear())); hear()\n{ANSWER}hold()"
    cli = fake_cli(FIRST_TIME.format(marker=str(tmp_path / "marker")) + play)
    backend = backend_for(cli, environ, min_spares=1, max_spares=1)
    async with backend.running():
        backend.expect(TARGET.name, None)
        await until(cli.input_file.exists)
        assert await answered(backend, "one") == "Hi"
    assert backend.pool.slots.used == 0
    assert is_gone(cli.pid)


async def test_a_live_conversation_that_dies_as_it_goes_on_is_begun_anew(
    fake_cli: Callable[[str], FakeCli], environ: dict[str, str], tmp_path: Path
) -> None:
    play = f"""\
set_up()
if first:
    hear()
    {ANSWER.strip()}
    hear()
    say(applied(hear()))
    hear()
    sys.exit(1)
hear()
say(dict(type='result'))
hear(); hear()
begin(); text('Hi again'); end()
hold()
"""
    cli = fake_cli(FIRST_TIME.format(marker=str(tmp_path / "marker")) + play)
    backend = backend_for(cli, environ, max_live=2)
    async with backend.running():
        with anyio.fail_after(10):
            assert await answered(backend, "one") == "Hi"
            first = cli.pid
            assert backend.pool.counts["live"] == 1
            assert await answered(backend, "one", "Hi", "two") == "Hi again"
    assert cli.pid != first
    assert is_gone(cli.pid)
    assert backend.pool.slots.used == 0
