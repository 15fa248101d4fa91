"""A tool that the gateway runs: what time it is. `plugins: {tools: {offer: {"claude-*": [clock]}}}`"""

from collections.abc import Callable
from datetime import datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from gateway import hookimpl
from gateway.tools import ToolFailed


def clock(zone: str = "UTC") -> str:
    """What time it is in a time zone, such as Europe/Rome."""
    try:
        return datetime.now(ZoneInfo(zone)).isoformat(timespec="seconds")
    except (ZoneInfoNotFoundError, ValueError):
        raise ToolFailed(f"there is no time zone {zone!r}") from None


@hookimpl
def gateway_register_tools(register: Callable[[Callable[..., object]], None]) -> None:
    register(clock)
