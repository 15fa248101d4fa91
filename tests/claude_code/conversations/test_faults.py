"""Faults that the real CLI can't be made to show, and that no process outlives them."""

import contextlib
import logging

import anyio
import pytest

from gateway.context import RequestContext
from gateway.errors import (
    BackendFailed,
    BackendUnavailable,
    GatewayError,
    TimedOut,
    UpstreamRateLimited,
)
from gateway.types import (
    PartDelta,
    PartEnd,
    ResponseEnd,
)
from tests.claude_code.claude_code_support import (
    ANSWER,
    TARGET,
    Environ,
    MakeCli,
    a_request,
    backend_for,
    events_of,
    is_gone,
    until_failure,
)
from tests.claude_code.conversations.conversations_support import texts

# -- noise that does no harm --------------------------------------------------------------


@pytest.mark.parametrize(
    "noise",
    [
        "print('\\n \\n\\t', flush=True)",
        "say(dict(type='something_new'))",
        "say(dict(type='assistant', message=dict(model='claude-test')))",
        "sys.stderr.write('warning\\n' * 5000); sys.stderr.flush()",
        "sys.stderr.buffer.write(b'\\xff\\xfe\\n'); sys.stderr.flush()",
    ],
    ids=["blank lines", "a new type", "an assistant line", "much stderr", "stderr of bytes"],
)
async def test_noise_does_no_harm(fake_cli: MakeCli, environ: Environ, noise: str) -> None:
    cli = fake_cli(f"set_up(); hear(); {noise}; begin(); {noise}; text('Hi'); end()")
    assert texts(await events_of(backend_for(cli, environ), a_request())) == ["Hi"]


async def test_many_blank_lines_do_no_harm(fake_cli: MakeCli, environ: Environ) -> None:
    cli = fake_cli("set_up(); hear(); print('\\n' * 3000); begin(); text('Hi'); end()")
    assert texts(await events_of(backend_for(cli, environ), a_request())) == ["Hi"]


async def test_a_huge_line_is_read_whole(fake_cli: MakeCli, environ: Environ) -> None:
    cli = fake_cli("set_up(); hear(); begin(); text('x' * 5_000_000); end()")
    (text,) = texts(await events_of(backend_for(cli, environ), a_request()))
    assert len(text) == 5_000_000


async def test_the_clis_last_words_are_in_the_log(
    fake_cli: MakeCli,
    environ: Environ,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("gateway_claude_code.conversations.held_start.HELD_SECONDS", 0.1)
    caplog.set_level(logging.DEBUG, "gateway_claude_code")
    cli = fake_cli(
        "set_up(); hear(); sys.stderr.write('one\\ntwo\\n'); sys.stderr.flush(); begin(); hold()"
    )
    backend = backend_for(cli, environ, close_seconds=0.5)
    async with backend.running():
        answer = backend.answer(a_request(), TARGET, RequestContext(request_id="r-1"))
        await anext(answer)
        await answer.aclose()
    assert "the CLI said: one\ntwo" in caplog.messages


RETRY = (
    "say(dict(type='system', subtype='api_retry', attempt=1, max_retries=1, retry_delay_ms=20735, "
    "error_status=429, error='rate_limit')); hold()"
)

LOGGED = (
    "sys.stderr.write('2026-11-27T08:52:00.116Z [ERROR] API error (attempt 1/2): 429 429 '"
    " + json.dumps({'error': {'message': 'Slow down.'}}) + '\\n'); sys.stderr.flush(); "
)


@pytest.mark.parametrize(("logged", "said"), [(LOGGED, "Slow down."), ("", "status 429")])
async def test_a_retry_is_not_waited_for_and_says_what_the_api_said(
    fake_cli: MakeCli,
    environ: Environ,
    caplog: pytest.LogCaptureFixture,
    logged: str,
    said: str,
) -> None:
    caplog.set_level(logging.DEBUG, "gateway_claude_code")
    cli = fake_cli(f"set_up(); hear(); {logged}{RETRY}")
    _, error = await until_failure(backend_for(cli, environ), a_request(), UpstreamRateLimited)
    assert said in error.message
    assert error.retry_after == 21
    assert "Slow down" not in caplog.text


# -- faults -------------------------------------------------------------------------------

BEFORE = "set_up(); hear(); "

DURING = "set_up(); hear(); begin(); text('H'); "


@pytest.mark.parametrize(
    ("play", "message"),
    [
        ("sys.exit(3)", "exited with code 3 before it answered"),
        ("set_up(); sys.exit(0)", "exited with code 0 before it answered"),
        (BEFORE + "sys.exit(1)", "exited with code 1 before it answered"),
        (DURING + "sys.exit(1)", "exited with code 1 in the middle of its answer"),
        (
            DURING + "os.kill(os.getpid(), signal.SIGSEGV)",
            "was killed by signal 11 in the middle of its answer",
        ),
        ("print('Hello!', flush=True); hold()", "an invalid line"),
        (BEFORE + "print('garbage', flush=True); hold()", "an invalid line"),
        (DURING + "print('[1, 2]', flush=True); hold()", "an invalid line"),
        (DURING + 'sys.stdout.write(\'{"type": "res\'); sys.exit(0)', "an invalid line"),
        (DURING + "begin(); hold()", "was interrupted and restarted"),
        (DURING + "say(dict(type='stream_event')); hold()", "invalid event"),
        (
            BEFORE + "say(dict(type='result', is_error=False, result='Hi')); hold()",
            "ended its turn without an answer",
        ),
        (
            "say(dict(type='control_response', response=dict(subtype='error', error='no')));hold()",
            "rejected a control request: no",
        ),
    ],
)
async def test_a_fault_is_the_backends_failure_and_leaves_no_process(
    fake_cli: MakeCli, environ: Environ, play: str, message: str
) -> None:
    cli = fake_cli(play)
    backend = backend_for(cli, environ, close_seconds=0.5)
    _, error = await until_failure(backend, a_request(), BackendFailed)
    assert message in error.message
    assert is_gone(cli.pid)


async def test_what_came_before_a_fault_is_passed_on(fake_cli: MakeCli, environ: Environ) -> None:
    cli = fake_cli(DURING + "sys.exit(1)")
    seen, _ = await until_failure(backend_for(cli, environ), a_request(), BackendFailed)
    assert texts(seen) == ["H"]


NOT_OF_THE_PROTOCOL = [
    (BEFORE + "say({}); hold()", "a line without a type"),
    ("say(dict(type='control_response', response=None)); hold()", "a response of nothing"),
    ("say(dict(type='control_request', request=None)); hold()", "a request of nothing"),
]


@pytest.mark.parametrize(
    "play",
    [play for play, _ in NOT_OF_THE_PROTOCOL],
    ids=[name for _, name in NOT_OF_THE_PROTOCOL],
)
async def test_a_line_of_the_wrong_form_is_the_backends_failure(
    fake_cli: MakeCli, environ: Environ, play: str
) -> None:
    backend = backend_for(fake_cli(play), environ, close_seconds=0.5)
    await until_failure(backend, a_request(), BackendFailed)


async def test_an_error_of_the_upstream_is_raised_as_what_it_is(
    fake_cli: MakeCli, environ: Environ
) -> None:
    cli = fake_cli(
        BEFORE
        + "say(dict(type='assistant', error='rate_limit', message=dict(model='<synthetic>')),"
        "dict(type='result', is_error=True, api_error_status=429, result='API Error: slow')); hold()"
    )
    _, error = await until_failure(backend_for(cli, environ), a_request(), GatewayError)
    assert type(error) is UpstreamRateLimited
    assert is_gone(cli.pid)


async def test_a_refusal_without_the_apis_stop_reason_ends_the_answer(
    fake_cli: MakeCli, environ: Environ
) -> None:
    refused = "dict(type='result', is_error=True, stop_reason='refusal')"
    cli = fake_cli(DURING + f"say({refused}); hold()")
    events = await events_of(backend_for(cli, environ), a_request())
    assert events[-2:] == [PartEnd(index=0), ResponseEnd(stop_reason="refusal")]


async def test_a_line_over_the_limit_is_the_backends_failure(
    fake_cli: MakeCli, environ: Environ, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway_claude_code.process.output_lines.LONGEST_LINE", 1000)
    cli = fake_cli(BEFORE + "text('x' * 5000); hold()")
    _, error = await until_failure(backend_for(cli, environ), a_request(), BackendFailed)
    assert "too long" in error.message
    assert is_gone(cli.pid)


async def test_a_cli_that_cant_be_executed_is_unavailable(
    fake_cli: MakeCli, environ: Environ
) -> None:
    cli = fake_cli("")
    cli.path.write_text("#!/no/such/interpreter\n")
    _, error = await until_failure(backend_for(cli, environ), a_request(), BackendUnavailable)
    assert "can't be started" in error.message


# -- a CLI that hangs ---------------------------------------------------------------------


async def test_a_cli_that_does_not_start_is_given_up(fake_cli: MakeCli, environ: Environ) -> None:
    cli = fake_cli("hold()")
    backend = backend_for(cli, environ, start_seconds=0.3, close_seconds=0.1)
    _, error = await until_failure(backend, a_request(), TimedOut)
    assert "did not get ready within 0.3 s" in error.message
    assert is_gone(cli.pid)


async def test_a_cli_that_reads_nothing_is_given_up_too(
    fake_cli: MakeCli, environ: Environ
) -> None:
    cli = fake_cli("hold()")
    backend = backend_for(cli, environ, start_seconds=0.3, close_seconds=0.1)
    with anyio.fail_after(3):
        await until_failure(backend, a_request(system="x" * 1_000_000), TimedOut)


STUBBORN = "signal.signal(signal.SIGTERM, signal.SIG_IGN); "


async def test_a_cli_that_ignores_end_of_input_is_terminated(
    fake_cli: MakeCli, environ: Environ, caplog: pytest.LogCaptureFixture
) -> None:
    cli = fake_cli("print('garbage', flush=True); hold()")
    await until_failure(backend_for(cli, environ, close_seconds=0.1), a_request(), BackendFailed)
    assert is_gone(cli.pid)
    assert not [text for text in caplog.messages if "is killed" in text]


@pytest.mark.parametrize("play", ["print('garbage', flush=True); hold()", f"{ANSWER}; hold()"])
async def test_a_cli_that_ignores_sigterm_is_killed(
    fake_cli: MakeCli, environ: Environ, caplog: pytest.LogCaptureFixture, play: str
) -> None:
    cli = fake_cli(STUBBORN + play)
    with contextlib.suppress(BackendFailed):
        await events_of(backend_for(cli, environ, close_seconds=0.1), a_request())
    assert f"the CLI process {cli.pid} did not end on SIGTERM and is killed" in caplog.messages
    assert is_gone(cli.pid)


async def test_what_the_cli_started_is_ended_with_it(fake_cli: MakeCli, environ: Environ) -> None:
    cli = fake_cli(
        "import subprocess; set_up(); hear(); child = subprocess.Popen([sys.executable, '-c',"
        "'import signal, time; signal.signal(15, signal.SIG_IGN); print(1, flush=True);"
        " time.sleep(600)'], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,"
        " stderr=subprocess.DEVNULL); child.stdout.readline();"
        "begin(); text(str(child.pid)); end()"
    )
    (child,) = texts(await events_of(backend_for(cli, environ), a_request()))
    assert is_gone(cli.pid)
    with anyio.fail_after(5):
        while not is_gone(int(child)):
            await anyio.lowlevel.checkpoint()


# -- an answer that nobody wants any more -------------------------------------------------


async def test_closing_an_answer_ends_the_process(fake_cli: MakeCli, environ: Environ) -> None:
    cli = fake_cli(DURING + "hold()")
    backend = backend_for(cli, environ)
    async with backend.running():
        answer = backend.answer(a_request(), TARGET, RequestContext(request_id="r-1"))
        await anext(answer)
        await answer.aclose()
    assert is_gone(cli.pid)


async def test_cancelling_an_answer_ends_the_process(fake_cli: MakeCli, environ: Environ) -> None:
    cli = fake_cli(DURING + "hold()")
    backend = backend_for(cli, environ)
    async with backend.running():
        answer = backend.answer(a_request(), TARGET, RequestContext(request_id="r-1"))
        with anyio.CancelScope() as scope:
            async for event in answer:
                if isinstance(event, PartDelta):
                    scope.cancel()
        await answer.aclose()
    assert scope.cancelled_caught
    assert is_gone(cli.pid)
