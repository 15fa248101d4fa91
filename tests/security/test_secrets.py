"""What people send stands in no log and in no file: neither prompts nor keys nor results."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.security.served import Served, chat, head, served

MARK = "Xq7-marker-Zw3"
KEY = f"sk-{MARK}-0123456789"
TOOL = {"type": "function", "function": {"name": "f", "description": MARK}}
CALL = {
    "id": "c1",
    "type": "function",
    "function": {"name": "f", "arguments": f'{{"a": "{MARK}"}}'},
}

FAILING = '''
"""A plugin that fails in every way with what it was sent in its hands."""
import asyncio
import threading

from gateway import hookimpl

@hookimpl
def gateway_transform_request(request, ctx):
    text = repr(request)
    if "fail-transform" in text:
        raise ValueError(text)
    if "fail-group" in text:
        raise ExceptionGroup(text, [KeyError(text)])

@hookimpl
def gateway_wrap_stream(stream, request, ctx):
    if "fail-stream" in repr(request):
        return broken(stream, repr(request))

async def broken(stream, text):
    async for event in stream:
        yield event
        raise RuntimeError(text)

class Watcher:
    def __init__(self, text):
        self.text = text
    def on_event(self, event):
        raise ValueError(self.text)
    def on_end(self, outcome):
        raise ValueError(self.text)

@hookimpl
def gateway_observe(request, ctx):
    text = repr(request)
    if "fail-task" in text:
        asyncio.get_running_loop().create_task(fails(text))
    if "fail-thread" in text:
        threading.Thread(target=fail, args=[text]).start()
    if "fail-observer" in text:
        return Watcher(text)

def fail(text):
    raise ValueError(text)

async def fails(text):
    raise ValueError(text)
'''


@pytest.fixture(scope="module", params=["info", "debug"])
def gateway(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("served")
    (folder / "plugins").mkdir()
    (folder / "plugins" / "failing.py").write_text(FAILING, encoding="utf-8")
    environment = {"ANTHROPIC_API_KEY": KEY}
    options = ("--log-level", request.param)
    with served(
        folder, {"limits": {"body_bytes": 100_000}}, *options, environment=environment
    ) as it:
        yield it


REQUESTS = {
    "good": chat(MARK),
    "streamed": chat(MARK, stream=True),
    "results": chat(
        messages=[
            {"role": "system", "content": MARK},
            {"role": "assistant", "content": None, "tool_calls": [CALL]},
            {"role": "tool", "tool_call_id": "c1", "content": MARK},
        ],
        tools=[TOOL],
    ),
    "ignored": chat(MARK, user=MARK, metadata={MARK: MARK}),
    "wrong type": chat(MARK, temperature=MARK),
    "wrong image": chat(
        messages=[
            {
                "role": "user",
                "content": [{"type": "image_url", "image_url": {"url": f"file:///{MARK}"}}],
            }
        ]
    ),
    "wrong schema": chat(
        MARK,
        response_format={
            "type": "json_schema",
            "json_schema": {"name": "x", "schema": {"type": MARK}},
        },
    ),
    "too large": chat(MARK * 10_000),
    **{
        f"fail-{what}": chat(f"fail-{what} {MARK}", stream=stream)
        for what in ("transform", "group", "stream", "task", "thread", "observer")
        for stream in (False,)
    },
    "fail-stream streamed": chat(f"fail-stream {MARK}", stream=True),
}
BROKEN = {
    "no JSON": f'{{"model": "echo", "x": {MARK}'.encode(),
    "no UTF-8": f'{{"model": "{MARK}\xff'.encode("latin-1"),
}


def headers() -> list[str]:
    return [f"authorization: Bearer {KEY}", f"x-api-key: {KEY}", f"x-mark: {MARK}"]


def test_a_marker_is_nowhere_but_in_answers(gateway: Served) -> None:
    for name, body in {**REQUESTS, **BROKEN}.items():
        answer = gateway.ask(body, *headers())
        assert answer.status is not None, name
        assert KEY.encode() not in answer.raw
    gateway.exchange(b"POST / HTTP/1.1\r\nx-mark: " + MARK.encode() + b"\r\n \x00\r\n\r\n")
    gateway.exchange(head("GET", f"/{MARK}", headers()))
    log = gateway.log.read_text(encoding="utf-8")
    assert log.count("fail") > 5, "the failures are logged"
    assert MARK not in log
    assert [path for path in files_under(gateway.home) if MARK in path.read_text("latin-1")] == []


def files_under(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.is_file())


def test_no_one_writes_lines_of_their_own_into_the_log(gateway: Served) -> None:
    forged = "x\n2030-01-01 00:00:00,000 INFO gateway: all is well"
    for body in (
        chat(**{forged: 1}),
        chat(model=forged),
        chat(f"fail-transform {forged}"),
        chat(messages=[{"role": forged}]),
    ):
        gateway.ask(body)
    lines = gateway.log.read_text(encoding="utf-8").splitlines()
    assert not [line for line in lines if line.startswith("2030")]


def test_no_memory_is_dumped_into_a_file(gateway: Served) -> None:
    limits = Path(f"/proc/{gateway.pid}/limits").read_text(encoding="ascii").splitlines()
    [core] = [line.split()[4:6] for line in limits if line.startswith("Max core file size")]
    assert core == ["0", "0"]


def test_a_key_in_what_was_asked_does_not_come_back_in_an_error(gateway: Served) -> None:
    key = "sk-ant-" + "0123456789abcdef"
    answer = gateway.ask(chat(model=key))
    assert answer.status == 404
    assert key not in json.dumps(answer.error)
