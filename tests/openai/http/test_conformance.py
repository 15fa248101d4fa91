"""The frontend keeps the rules that `gateway.testing` has for all of them."""

import json

from gateway.testing import FrontendCase, check_frontend
from tests.openai.openai_support import request_body


async def test_the_openai_frontend_keeps_the_rules() -> None:
    await check_frontend(
        FrontendCase(
            path="/v1/chat/completions",
            body=request_body(),
            stream_body=request_body(stream=True),
            malformed={"model": "test-model"},
            is_error=lambda body: set(body["error"]) == {"message", "type", "param", "code"},
            is_stream_error=lambda text: (
                "error" in json.loads(text.strip().split("\n\n")[-1].removeprefix("data: "))
            ),
            installed=("openai",),
            quick_keepalive={"plugins": {"openai": {"keepalive_seconds": 0.02}}},
        )
    )
