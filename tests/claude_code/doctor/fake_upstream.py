"""What the fake CLI asks the upstream, and its answer as it comes."""

import http.client
import json
import os
import queue
import threading
from collections.abc import Callable, Iterator

from tests.claude_code.doctor.fake_lines import Object


def post(body: Object) -> http.client.HTTPResponse:
    """The beginning of the answer to a request."""
    place = os.environ["ANTHROPIC_BASE_URL"].removeprefix("http://")
    connection = http.client.HTTPConnection(place)
    headers = {
        "content-type": "application/json",
        "connection": "close",
        "anthropic-beta": "context-management-2025-06-27",
    }
    connection.request("POST", "/v1/messages", json.dumps(body), headers)
    return connection.getresponse()


def lines_of(response: http.client.HTTPResponse, meanwhile: Callable[[], None]) -> Iterator[bytes]:
    """Its lines as they come; `meanwhile` is called from time to time while none does."""
    lines: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()

    def read() -> None:
        for line in response:
            lines.put(line)
        lines.put(None)

    threading.Thread(target=read, daemon=True).start()
    while True:
        try:
            line = lines.get(timeout=0.01)
        except queue.Empty:
            meanwhile()
        else:
            if line is None:
                return
            yield line
