"""The backend keeps the rules that `gateway.testing` has for all of them."""

from collections.abc import Callable

from gateway.context import RequestContext
from gateway.streams import EventSource
from gateway.testing import BackendCase, check_backend
from tests.claude_code.claude_code_support import TARGET, FakeCli, a_request, backend_for, is_gone

ANSWERS = 'set_up(); hear(); begin(); text("Hello"); end(); say(event("message_stop")); hold()'


async def test_the_claude_backend_keeps_the_rules(
    fake_cli: Callable[[str], FakeCli], environ: dict[str, str]
) -> None:
    cli = fake_cli(ANSWERS)
    backend = backend_for(cli, environ)

    def opened() -> EventSource:
        return backend.answer(a_request(), TARGET, RequestContext(request_id="r-1"))

    async with backend.running():
        await check_backend(
            BackendCase(open=opened, released=lambda: not cli.pid_file.exists() or is_gone(cli.pid))
        )
