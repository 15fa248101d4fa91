"""Faults that the real CLI can't be made to show, and that no process outlives them."""

import contextlib
import logging
from collections.abc import Callable
from dataclasses import replace
from typing import Any

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
    ResponseFormat,
    ResponseStart,
    Sampling,
    Tool,
)
from tests.claude_code.claude_code_support import (
    TARGET,
    FakeCli,
    a_request,
    backend_for,
    events_of,
    is_gone,
    until_failure,
)

MakeCli = Callable[[str], FakeCli]
Environ = dict[str, str]

ANSWER = "set_up(); hear(); begin(); text('Hi'); end()"
DRAFT_2020 = "https://json-schema.org/draft/2020-12/schema"


def texts(events: list[Any]) -> list[str]:
    return [event.text for event in events if isinstance(event, PartDelta)]


# -- an answer ----------------------------------------------------------------------------


async def test_an_answer(fake_cli: MakeCli, environ: Environ) -> None:
    events = await events_of(backend_for(fake_cli(ANSWER), environ), a_request())
    assert events[0] == ResponseStart(model="claude-test")
    assert texts(events) == ["Hi"]
    assert events[-1] == ResponseEnd(stop_reason="end")


@pytest.mark.parametrize(
    ("total", "costs"),
    [("0.25", [0.25]), ("None", []), ("'free'", []), ("-1", []), ("float('inf')", [])],
)
async def test_what_the_cli_says_of_the_cost(
    fake_cli: MakeCli, environ: Environ, total: str, costs: list[float]
) -> None:
    cli = fake_cli(f"{ANSWER}; say(dict(type='result', total_cost_usd={total})); hear()")
    backend = backend_for(cli, environ, max_live=1)
    found: list[float] = []
    said = anyio.Event()

    def note(usd: float) -> None:
        found.append(usd)
        said.set()

    ctx = RequestContext(request_id="r-1", report_cost=note)
    async with backend.running():
        async for _ in backend.answer(a_request(), TARGET, ctx):
            pass
        with anyio.move_on_after(5 if costs else 0.3):
            await said.wait()
    assert found == costs


async def test_after_an_answer_the_process_is_gone(fake_cli: MakeCli, environ: Environ) -> None:
    cli = fake_cli(f"{ANSWER}; hold()")
    await events_of(backend_for(cli, environ), a_request())
    assert is_gone(cli.pid)


async def test_what_the_cli_is_told(fake_cli: MakeCli, environ: Environ) -> None:
    cli = fake_cli("set_up(); hear(); begin(); text('{\"a\": 1}'); end()")
    schema = {"$schema": DRAFT_2020, "type": "object", "required": ["a"], "x-mine": 1}
    request = a_request(
        "Hi",
        system="Be brief.",
        tools=(Tool(name="look"),),
        response_format=ResponseFormat(kind="json_schema", schema=schema),
    )
    await events_of(backend_for(cli, environ), request)
    begin, settings, question = cli.heard
    assert begin["request"] == {
        "subtype": "initialize",
        "systemPrompt": ["Be brief."],
        "sdkMcpServers": ["t"],
        "jsonSchema": {"type": "object", "required": ["a"]},
    }
    assert settings["request"]["subtype"] == "apply_flag_settings"
    assert question["message"]["content"] == [
        {"type": "text", "text": "Hi", "cache_control": {"type": "ephemeral"}}
    ]


async def test_without_tools_there_is_no_tools_server(fake_cli: MakeCli, environ: Environ) -> None:
    cli = fake_cli(ANSWER)
    await events_of(backend_for(cli, environ), a_request())
    assert "sdkMcpServers" not in cli.heard[0]["request"]


async def test_history_is_added_in_order_and_only_the_last_turn_asks(
    fake_cli: MakeCli, environ: Environ
) -> None:
    cli = fake_cli(
        "set_up(); hear(); say(dict(type='system'), dict(type='result')); hear(); hear();"
        "begin(); text('Hi'); end()"
    )
    await events_of(backend_for(cli, environ), a_request("one", "two", "three"))
    assert [
        (line["message"]["content"][0]["text"], line.get("shouldQuery"))
        for line in cli.heard
        if "message" in line
    ] == [("one", False), ("two", None), ("three", None)]


async def test_the_tools_server_answers_while_the_cli_is_set_up(
    fake_cli: MakeCli, environ: Environ
) -> None:
    cli = fake_cli(
        "first = hear(); second = hear();"
        "say(dict(type='control_request', request_id='x', request=dict(message=dict(id=1,"
        " method='ping')))); hear(); say(applied(first), applied(second)); hear();"
        "begin(); text('Hi'); end()"
    )
    await events_of(backend_for(cli, environ), a_request(tools=(Tool(name="look"),)))
    assert cli.heard[2]["response"]["request_id"] == "x"


async def test_a_call_gets_no_answer_from_the_tools_server(
    fake_cli: MakeCli, environ: Environ
) -> None:
    cli = fake_cli(
        "set_up(); hear(); begin(); say(dict(type='control_request', request_id='x', request="
        "dict(message=dict(id=1, method='tools/call', params=dict(name='look'))))); end('tool_use')"
    )
    events = await events_of(backend_for(cli, environ), a_request(tools=(Tool(name="look"),)))
    assert events[-1] == ResponseEnd(stop_reason="end")
    assert all(line["type"] != "control_response" for line in cli.heard)


async def test_a_model_without_sampling_is_asked_without_it(
    fake_cli: MakeCli, environ: Environ
) -> None:
    cli = fake_cli(ANSWER)
    context = RequestContext(request_id="r-1")
    request = a_request(sampling=Sampling(temperature=0.5, top_k=3))
    target = replace(TARGET, sampling=False)
    backend = backend_for(cli, environ)
    async with backend.running():
        _ = [event async for event in backend.answer(request, target, context)]
    env = cli.heard[1]["request"]["settings"]["env"]
    assert env["CLAUDE_CODE_EXTRA_BODY"] == "{}"
    assert context.ignored == ["temperature", "top_k"]


async def test_a_model_with_sampling_is_asked_with_it(fake_cli: MakeCli, environ: Environ) -> None:
    cli = fake_cli(ANSWER)
    target = replace(TARGET, sampling=True)
    await events_of(backend_for(cli, environ), a_request(sampling=Sampling(top_k=3)), target)
    env = cli.heard[1]["request"]["settings"]["env"]
    assert env["CLAUDE_CODE_EXTRA_BODY"] == '{"top_k": 3}'


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
    fake_cli: MakeCli, environ: Environ, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "gateway_claude_code")
    cli = fake_cli(
        "set_up(); hear(); sys.stderr.write('one\\ntwo\\n'); sys.stderr.flush(); begin(); hold()"
    )
    backend = backend_for(cli, environ)
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
        ("print('Hello!', flush=True); hold()", "not of its protocol"),
        (BEFORE + "print('garbage', flush=True); hold()", "not of its protocol"),
        (DURING + "print('[1, 2]', flush=True); hold()", "not of its protocol"),
        (DURING + 'sys.stdout.write(\'{"type": "res\'); sys.exit(0)', "not of its protocol"),
        (DURING + "begin(); hold()", "broke off and began again"),
        (DURING + "say(dict(type='stream_event')); hold()", "malformed event"),
        (
            BEFORE + "say(dict(type='result', is_error=False, result='Hi')); hold()",
            "ended its turn without an answer",
        ),
        (
            "say(dict(type='control_response', response=dict(subtype='error', error='no')));hold()",
            "refused a control request: no",
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
