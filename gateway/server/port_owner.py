"""Which program listens on a port, for the message of one that wanted it too.

psutil names the user's own (`process_facts`). Of another user's, or one in a container, only the
answer to `GET /health` says that it is a gateway.
"""

import http.client
import json
import re
from typing import Final

from gateway.machine.addresses import reached_at, url_of
from gateway.machine.process_facts import Listener, listener_on

ASK_SECONDS: Final = 0.5
_MAIN_MODULE: Final = re.compile(r"(^|/)dragoman$")
_AS_MODULE: Final = ("-m", "gateway")


def dragoman_running(host: str, port: int) -> str | None:
    """The beginning of a message about the gateway that has the port; None if it is none."""
    owner = listener_on(port)
    if not (owner and _is_dragoman(owner)) and dragoman_at(host, port) is None:
        return None
    process = "" if owner is None else f" (process {owner.pid})"
    return f"Dragoman is already running at {url_of(reached_at(host), port)}{process}"


def taken_by(port: int) -> str:
    """Who has the port, for the middle of a sentence; "another program" where nobody says."""
    owner = listener_on(port)
    if owner is None:
        return "another program uses it"
    return f"{owner.name} (process {owner.pid}) uses it"


def dragoman_at(host: str, port: int) -> str | None:
    """The version that a gateway there tells of itself; with keys it tells nobody."""
    connection = http.client.HTTPConnection(reached_at(host), port, timeout=ASK_SECONDS)
    try:
        connection.request("GET", "/health")
        health = json.loads(connection.getresponse().read(1_000_000))
    except (OSError, ValueError, http.client.HTTPException):
        return None
    finally:
        connection.close()
    if not isinstance(health, dict) or not {"version", "offline"} <= health.keys():
        return None
    return str(health["version"])[:40]


def _is_dragoman(owner: Listener) -> bool:
    """Whether it was started as `dragoman`, the program or a Python's script, or `-m gateway`."""
    words = (owner.name, *owner.command[:2])
    return any(_MAIN_MODULE.search(word) for word in words) or owner.command[1:3] == _AS_MODULE
