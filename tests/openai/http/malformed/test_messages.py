"""Malformed messages and content parts: each is refused with its place."""

import base64
from typing import Any

import pytest
from fastapi import FastAPI

from tests.openai.http.malformed.malformed_support import CALL, CHAT, encoded, refused
from tests.openai.openai_support import request_body

USER = {"role": "user", "content": "Hi"}
PNG = base64.b64encode(b"\x89PNG\r\n\x1a\nrest").decode()
CONTENT = "messages[0].content"
PART = "messages[0].content[0]"


def calling(*calls: object) -> dict[str, object]:
    return {"role": "assistant", "content": None, "tool_calls": list(calls)}


def image(url: object) -> dict[str, object]:
    return {"type": "image_url", "image_url": {"url": url}}


def file(**fields: object) -> dict[str, object]:
    return {"type": "file", "file": fields}


MESSAGES: list[tuple[list[Any], str]] = [
    *(([value], "messages[0]") for value in ("Hi", 5, True, None, [], [USER])),
    *(
        ([{"role": role, "content": "x"}], "messages[0].role")
        for role in ("", "User", "USER", "human", "model", "bot", "tool ", "\0", 5, None, True, [])
    ),
    ([{}], "messages[0].role"),
    ([{"content": "Hi"}], "messages[0].role"),
    ([{"role": {"a": 1}, "content": "Hi"}], "messages[0].role"),
    ([USER, {"content": "Hi"}], "messages[1].role"),
    *(
        ([{"role": role, "content": value}], CONTENT)
        for role in ("system", "developer", "user", "assistant")
        for value in (5, True, {}, {"type": "text", "text": "Hi"})
    ),
    *(
        ([{"role": role, "content": "x", "name": value}, USER], "messages[0].name")
        for role in ("system", "developer", "user", "assistant")
        for value in (5, [], {})
    ),
    *(
        ([{"role": "assistant", "content": "x", name: 5}], f"messages[0].{name}")
        for name in ("refusal", "tool_calls", "function_call", "audio")
    ),
    # calls
    *(
        ([{"role": "assistant", "tool_calls": value}], "messages[0].tool_calls")
        for value in ("x", {}, True)
    ),
    ([calling(5)], "messages[0].tool_calls[0]"),
    ([calling({})], "messages[0].tool_calls[0].id"),
    ([calling({**CALL, "id": None})], "messages[0].tool_calls[0].id"),
    ([calling({**CALL, "id": 5})], "messages[0].tool_calls[0].id"),
    ([calling({**CALL, "type": "custom"})], "messages[0].tool_calls[0].type"),
    ([calling({**CALL, "type": 5})], "messages[0].tool_calls[0].type"),
    ([calling({**CALL, "function": None})], "messages[0].tool_calls[0].function"),
    ([calling({**CALL, "function": "f"})], "messages[0].tool_calls[0].function"),
    ([calling({**CALL, "function": {}})], "messages[0].tool_calls[0].function.name"),
    ([calling({**CALL, "function": {"name": 5}})], "messages[0].tool_calls[0].function.name"),
    (
        [calling({**CALL, "function": {"name": "f", "arguments": {}}})],
        "messages[0].tool_calls[0].function.arguments",
    ),
    (
        [{"role": "assistant", "function_call": {"arguments": "{}"}}],
        "messages[0].function_call.name",
    ),
    (
        [{"role": "assistant", "function_call": {"name": "f", "arguments": 5}}],
        "messages[0].function_call.arguments",
    ),
    # results
    ([{"role": "tool", "content": "x"}], "messages[0].tool_call_id"),
    ([{"role": "tool", "content": "x", "tool_call_id": 5}], "messages[0].tool_call_id"),
    ([{"role": "tool", "content": "x", "tool_call_id": None}], "messages[0].tool_call_id"),
    ([{"role": "tool", "content": "x", "tool_call_id": "c1"}], "messages[0].tool_call_id"),
    (
        [calling(CALL), {"role": "tool", "content": "x", "tool_call_id": "c2"}],
        "messages[1].tool_call_id",
    ),
    (
        [{"role": "tool", "content": "x", "tool_call_id": "c1"}, calling(CALL)],
        "messages[0].tool_call_id",
    ),
    (
        [calling(CALL), {"role": "tool", "content": 5, "tool_call_id": "c1"}],
        "messages[1].content",
    ),
    (
        [calling(CALL), {"role": "tool", "content": "x", "tool_call_id": "c1", "name": 5}],
        "messages[1].name",
    ),
    ([{"role": "function", "content": "x"}], "messages[0].name"),
    ([{"role": "function", "content": "x", "name": 5}], "messages[0].name"),
    ([{"role": "function", "content": "x", "name": "f"}], "messages[0].name"),
]

PARTS: list[tuple[Any, str]] = [
    *((value, PART) for value in ("Hi", 5, True, None, [])),
    ({}, f"{PART}.type"),
    ({"text": "Hi"}, f"{PART}.type"),
    ({"type": 5}, f"{PART}.type"),
    ({"type": None}, f"{PART}.type"),
    *(
        ({"type": kind, kind: {}}, f"{PART}.type")
        for kind in ("", "Text", "input_audio", "input_text", "video_url", "thinking")
    ),
    ({"type": "input_audio", "input_audio": {"data": "AA==", "format": "wav"}}, f"{PART}.type"),
    ({"type": "thinking", "thinking": "hm"}, f"{PART}.type"),
    ({"type": "refusal", "refusal": "No."}, f"{PART}.type"),
    ({"type": "text"}, f"{PART}.text"),
    *(({"type": "text", "text": value}, f"{PART}.text") for value in (5, None, True, [], {})),
    # pictures
    ({"type": "image_url"}, f"{PART}.image_url"),
    *(
        ({"type": "image_url", "image_url": value}, f"{PART}.image_url")
        for value in (5, None, [], "", "x", "ftp://x/y", "javascript:alert(1)", "data:")
    ),
    ({"type": "image_url", "image_url": {}}, f"{PART}.image_url.url"),
    (
        {"type": "image_url", "image_url": {"url": "https://x/y", "detail": 5}},
        f"{PART}.image_url.detail",
    ),
    *(
        (image(url), f"{PART}.image_url.url")
        for url in (
            5,
            None,
            "",
            " ",
            "x",
            "/etc/passwd",
            "file:///etc/passwd",
            "ftp://example.com/a.png",
            "blob:https://x/y",
            "//example.com/a.png",
            "data:",
            "data:image/png",
            "data:image/png;base64",
            "data:image/png;base64,",
            "data:image/png;base64,!!!!",
            "data:image/png;base64,abc",
            "data:image/png;base64,ab=c",
            "data:image/png;base64,äöü",
            "data:image/svg+xml;base64,PHN2Zy8+",
            "data:image/bmp;base64,Qk0=",
            "data:image/heic;base64,AAAA",
            "data:text/plain;base64,SGk=",
            "data:application/pdf;base64,JVBERi0=",
            "data:;base64,AAAA",
            "data:,",
        )
    ),
    # files
    ({"type": "file"}, f"{PART}.file"),
    *(({"type": "file", "file": value}, f"{PART}.file") for value in (5, None, [], "x")),
    (file(), f"{PART}.file.file_data"),
    (file(filename="a.pdf"), f"{PART}.file.file_data"),
    (file(file_data=""), f"{PART}.file.file_data"),
    (file(file_data=5), f"{PART}.file.file_data"),
    (file(file_data="AAAA", filename=5), f"{PART}.file.filename"),
    (file(file_id="file-1"), f"{PART}.file.file_id"),
    (file(file_id="file-1", file_data="SGk="), f"{PART}.file.file_id"),
    (file(file_id=5), f"{PART}.file.file_id"),
    *(
        (file(file_data=data), f"{PART}.file.file_data")
        for data in (
            "not base64",
            "data:application/pdf;base64,",
            "data:application/pdf;base64,****",
            "data:application/zip;base64,UEsDBA==",
            "data:application/msword;base64,0M8R4A==",
            "data:audio/wav;base64,UklGRg==",
            "data:text/plain;base64,/w==",
            "data:text/plain;charset=klingon;base64,SGk=",
            "/w==",
        )
    ),
]


@pytest.mark.parametrize(("messages", "param"), MESSAGES)
async def test_wrong_messages(app: FastAPI, messages: list[Any], param: str) -> None:
    response = await refused(app, CHAT, encoded(request_body(messages=messages)))
    assert (response.status_code, response.json()["error"]["param"]) == (400, param)


@pytest.mark.parametrize(("part", "param"), PARTS)
async def test_wrong_content_parts(app: FastAPI, part: object, param: str) -> None:
    body = request_body(messages=[{"role": "user", "content": [part]}])
    response = await refused(app, CHAT, encoded(body))
    assert (response.status_code, response.json()["error"]["param"]) == (400, param)


@pytest.mark.parametrize("role", ["system", "developer", "assistant"])
@pytest.mark.parametrize("part", [image(f"data:image/png;base64,{PNG}"), file(file_data="SGk=")])
async def test_pictures_and_files_where_there_is_text_only(
    app: FastAPI, role: str, part: object
) -> None:
    body = request_body(messages=[{"role": role, "content": [part]}, USER])
    response = await refused(app, CHAT, encoded(body))
    assert (response.status_code, response.json()["error"]["param"]) == (400, f"{PART}.type")
