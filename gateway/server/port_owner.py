"""Which program listens on a port, for the message of one that wanted it too.

psutil names the user's own (`process_facts`). Of another user's, or one in a container, only the
answer to `GET /health` says that it is a gateway.
"""

import re
from typing import Final

from gateway.client.health import dragoman_at
from gateway.machine.addresses import reached_at, url_of
from gateway.machine.process_facts import Listener, listener_on

_MAIN_MODULE: Final = re.compile(r"(^|/)dragoman$")
_AS_MODULE: Final = ("-m", "gateway")


def dragoman_running(host: str, port: int) -> str | None:
    """The beginning of a message about the gateway that has the port; None for another program."""
    owner, url = listener_on(port), url_of(reached_at(host), port)
    if not (owner and _is_dragoman(owner)) and dragoman_at(url) is None:
        return None
    process = "" if owner is None else f" (process {owner.pid})"
    return f"Dragoman is already running at {url}{process}"


def taken_by(port: int) -> str:
    """The program that has the port, for the middle of a sentence."""
    owner = listener_on(port)
    if owner is None:
        return "another program uses it"
    return f"{owner.name} (process {owner.pid}) uses it"


def _is_dragoman(owner: Listener) -> bool:
    """Whether it was started as `dragoman`, the program or a Python's script, or `-m gateway`."""
    words = (owner.name, *owner.command[:2])
    return any(_MAIN_MODULE.search(word) for word in words) or owner.command[1:3] == _AS_MODULE
