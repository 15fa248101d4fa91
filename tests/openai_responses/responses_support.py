"""What the tests of the Responses frontend share, besides fixtures."""

import json
from typing import Any

Body = dict[str, Any]


def request_body(**fields: object) -> Body:
    """A request for `test-model`, with one text as input unless `fields` has its own."""
    return {"model": "test-model", "input": "Hi", **fields}


def sse_events(stream: str) -> list[tuple[str, Body]]:
    """The name and the data of each event of a stream."""
    events = []
    for block in stream.split("\n\n"):
        if block and not block.startswith(":"):
            name, data = block.split("\n", 1)
            events.append((name.removeprefix("event: "), json.loads(data.removeprefix("data: "))))
    return events
