"""What several modules read of an answer."""

from typing import Any

from gateway.types import (
    PartDelta,
)


def texts(events: list[Any]) -> list[str]:
    return [event.text for event in events if isinstance(event, PartDelta)]
