"""Images, files and texts over the real CLI: what reaches the upstream, and what is refused."""

import base64
import json
import socket
from typing import Any

import httpx
import pytest

from gateway_claude_code.upstream import Answer, TextBlock, ToolUseBlock, offline_script
from tests.cells import on_demand
from tests.e2e.bodies import (
    HI,
    asked_again,
    blocks,
    chat,
    function,
    last_request,
    post,
    user_blocks,
)
from tests.e2e.conftest import StartGateway
from tests.e2e.gateways import RunningGateway

pytestmark = pytest.mark.e2e

# one pixel each
PICTURES = {
    "image/png": "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJ"
    "RU5ErkJggg==",
    "image/gif": "R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7",
    "image/webp": "UklGRiIAAABXRUJQVlA4IBYAAAAwAQCdASoBAAEADsD+JaQAA3AAAAAA",
    "image/jpeg": "/9j/4AAQSkZJRgABAQEASABIAAD/2wBDAP//////////////////////////////////////////////////"
    "////////////////////////////////////wgALCAABAAEBAREA/8QAFBABAAAAAAAAAAAAAAAAAAAAAP/aAAgBAQABPxA=",
}
PNG = PICTURES["image/png"]
PDF = base64.b64encode(b"%PDF-1.4\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n").decode()


def picture(url: str) -> dict[str, Any]:
    return {"type": "image_url", "image_url": {"url": url}}


def text(words: str) -> dict[str, Any]:
    return {"type": "text", "text": words}


def file(data: str, name: str | None = None) -> dict[str, Any]:
    named = {"filename": name} if name else {}
    return {"type": "file", "file": {"file_data": data, **named}}


def user(*parts: dict[str, Any]) -> dict[str, Any]:
    return {"role": "user", "content": list(parts)}


def image_block(media_type: str) -> dict[str, Any]:
    source = {"type": "base64", "media_type": media_type, "data": PICTURES[media_type]}
    return {"type": "image", "source": source}


def images(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [block for block in found if block["type"] == "image"]


# -- images -------------------------------------------------------------------------------


@pytest.mark.parametrize("media_type", PICTURES)
def test_an_image_in_base64(gateway: RunningGateway, media_type: str) -> None:
    url = f"data:{media_type};base64,{PICTURES[media_type]}"
    chat(gateway, messages=[user(text("What is this?"), picture(url))])
    assert images(user_blocks(last_request(gateway))) == [image_block(media_type)]


def test_a_type_that_is_not_what_the_bytes_say_is_put_right(gateway: RunningGateway) -> None:
    chat(gateway, messages=[user(picture(f"data:image/jpeg;base64,{PNG}"), text("?"))])
    assert images(user_blocks(last_request(gateway))) == [image_block("image/png")]


def test_an_image_by_url_is_fetched_by_nobody_here(gateway: RunningGateway) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"https://127.0.0.1:{server.getsockname()[1]}/a.png"
        chat(gateway, messages=[user(picture(url), text("What is this?"))])
        (image,) = images(user_blocks(last_request(gateway)))
        assert image == {"type": "image", "source": {"type": "url", "url": url}}
        server.settimeout(0.2)
        with pytest.raises(TimeoutError):
            server.accept()


def test_several_images_keep_their_places(gateway: RunningGateway) -> None:
    png, gif, webp = (
        picture(f"data:{kind};base64,{PICTURES[kind]}")
        for kind in ("image/png", "image/gif", "image/webp")
    )
    messages = [
        user(text("one"), png, text("two"), gif),
        {"role": "assistant", "content": "Seen."},
        user(webp, text("three"), png),
    ]
    chat(gateway, messages=messages)
    first, _, last = last_request(gateway).turns
    words = {"one", "two", "three"}
    shown = [
        [block for block in blocks(turn) if block.get("text", "one") in words]
        for turn in (first, last)
    ]
    assert shown == [
        [text("one"), image_block("image/png"), text("two"), image_block("image/gif")],
        [image_block("image/webp"), text("three"), image_block("image/png")],
    ]


# -- files --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("part", "source", "title"),
    [
        (
            file(f"data:application/pdf;base64,{PDF}", "a.pdf"),
            {"type": "base64", "media_type": "application/pdf", "data": PDF},
            "a.pdf",
        ),
        on_demand(
            file(PDF), {"type": "base64", "media_type": "application/pdf", "data": PDF}, None
        ),
        (
            file(
                f"data:text/plain;base64,{base64.b64encode('Grüße ☃'.encode()).decode()}", "a.txt"
            ),
            {"type": "text", "media_type": "text/plain", "data": "Grüße ☃"},
            "a.txt",
        ),
        (
            file("data:text/csv,a%2Cb%0A1%2C2", "a.csv"),
            {"type": "text", "media_type": "text/plain", "data": "a,b\n1,2"},
            "a.csv",
        ),
    ],
    ids=["pdf", "pdf without data:", "text", "csv"],
)
def test_a_file_is_a_document(
    gateway: RunningGateway, part: dict[str, Any], source: dict[str, Any], title: str | None
) -> None:
    chat(gateway, messages=[user(text("Read this."), part)])
    (document,) = (
        block for block in user_blocks(last_request(gateway)) if block["type"] == "document"
    )
    assert (document["source"], document.get("title")) == (source, title)


# -- what is refused ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("part", "param"),
    [
        (picture("data:image/png;base64,not base64!"), "image_url.url"),
        (picture("data:image/png;base64,"), "image_url.url"),
        (picture("data:image/bmp;base64,Qk0="), "image_url.url"),
        (picture("data:text/html;base64,PGI+"), "image_url.url"),
        (picture("file:///etc/hostname"), "image_url.url"),
        (picture("/etc/hostname"), "image_url.url"),
        (file("data:application/pdf;base64,****"), "file.file_data"),
        (file("data:application/zip;base64,UEs="), "file.file_data"),
        ({"type": "file", "file": {"file_id": "file-1"}}, "file.file_id"),
        ({"type": "input_audio", "input_audio": {"data": "UklGRg==", "format": "wav"}}, "type"),
        ({"type": "video_url", "video_url": {"url": "https://example.test/a"}}, "type"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_what_can_not_be_shown_is_refused_by_its_place(
    gateway: RunningGateway, part: dict[str, Any], param: str
) -> None:
    earlier = [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]
    reply = post(gateway, messages=[*earlier, user(text("Look."), part)])
    assert (reply.status, reply.error["param"]) == (400, f"messages[2].content[1].{param}")
    assert reply.error["type"] == "invalid_request_error"
    assert gateway.upstream.requests == []


def test_a_body_over_the_limit(start_gateway: StartGateway) -> None:
    gateway = start_gateway(config={"limits": {"body_bytes": 20_000}})
    reply = post(gateway, messages=[{"role": "user", "content": "x" * 20_000}])
    assert (reply.status, reply.error["code"]) == (413, "request_too_large")
    assert "20000 bytes (limits.body_bytes)" in reply.error["message"]
    # the same in chunks, of which the length is not announced
    chunked = httpx.post(
        f"{gateway.url}/v1/chat/completions",
        content=iter([b'{"model": "', b"x" * 20_000, b'"}']),
        headers={"content-type": "application/json"},
    )
    assert (chunked.status_code, chunked.json()["error"]["code"]) == (413, "request_too_large")
    assert gateway.upstream.requests == []
    chat(gateway, messages=[{"role": "user", "content": "x" * 15_000}])


# -- texts --------------------------------------------------------------------------------

HARMLESS = "@/etc/hostname"
COMMAND = "/compact"
ODD = (
    "nul \x00 bell \x07 esc \x1b[0m del \x7f cr \r lf \n tab \t bom \ufeff ls \u2028 "
    "rtl \u202eabc\u202c é e\u0301 \U0001f9d1\u200d\U0001f680"
)
LONG = "".join(f"{number:07} żółw\n" for number in range(27_000))  # 16 bytes each


def everywhere(words: str) -> list[dict[str, Any]]:
    """A conversation that says `words` in every place that a text can have."""
    call = {"id": "call1", "type": "function", "function": {"name": "read", "arguments": "{}"}}
    return [
        {"role": "system", "content": words},
        {"role": "user", "content": words},
        {"role": "assistant", "content": words},
        user(text("first"), text(words)),
        {"role": "assistant", "content": words, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "call1", "content": words},
        {"role": "assistant", "content": [text(words)]},
        user(text(words), text("middle"), text(words)),
    ]


@pytest.mark.parametrize("words", [HARMLESS, COMMAND, on_demand("/init x"), on_demand(f"!ls {HARMLESS}"), on_demand("#remember"), ODD],
                         ids=["mention", "command", "init", "bash", "memory", "odd"])  # fmt: skip
def test_a_text_is_a_text_in_every_place(gateway: RunningGateway, words: str) -> None:
    chat(gateway, messages=everywhere(words), tools=[function("read")])
    (request,) = gateway.upstream.requests
    # a line end before the very last slash keeps the CLI from taking it for a command
    marked = f"\n{words}" if words.startswith("/") else words
    assert request.system_text == words
    user_1, assistant_1, user_2, assistant_2, results, assistant_3, user_3 = map(
        blocks, request.turns
    )
    assert user_1 == [text(words)]
    assert user_2 == [text("first"), text(words)]
    assert user_3 == [text(words), text("middle"), text(marked)]
    assert assistant_1 == assistant_3 == [text(words)]
    assert assistant_2[0] == text(words)
    (result,) = results
    assert result["tool_use_id"] == "call1"
    assert blocks(result) == [text(words)]


def test_a_very_long_text_is_unchanged(gateway: RunningGateway) -> None:
    assert len(LONG.encode()) > 400_000
    messages = [
        {"role": "system", "content": LONG},
        {"role": "user", "content": LONG},
        {"role": "assistant", "content": LONG},
        {"role": "user", "content": LONG},
    ]
    chat(gateway, stream=True, messages=messages)
    request = last_request(gateway)
    assert request.system_text == LONG
    # the API takes no white space at the end of the assistant's last words
    turns = [block["text"] for turn in request.turns for block in blocks(turn)]
    assert [words.rstrip() for words in turns] == [LONG.rstrip()] * 3
    assert (turns[0], turns[2]) == (LONG, LONG)


@pytest.mark.parametrize("stream", [on_demand(False), True])
def test_texts_come_back_unchanged(gateway: RunningGateway, stream: bool) -> None:
    gateway.upstream.script = lambda _: Answer(
        blocks=(
            TextBlock(pieces=tuple(ODD)),
            ToolUseBlock("mcp__t__read", {"words": ODD}),
        )
    )
    choice = chat(gateway, stream=stream, tools=[function("read")]).choice
    assert choice.content == ODD
    assert json.loads(choice.tool_calls[0]["arguments"]) == {"words": ODD}

    gateway.upstream.script = offline_script
    call_id = choice.tool_calls[0]["id"]
    messages = [*HI, *asked_again(choice, {call_id: ODD})]
    chat(gateway, stream=stream, messages=messages, tools=[function("read")])
    _, called, results = map(blocks, last_request(gateway).turns)
    assert called[0] == text(ODD)
    assert called[1]["input"] == {"words": ODD}
    assert blocks(results[0]) == [text(ODD)]
