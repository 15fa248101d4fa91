"""The conversations of the fake CLI's process, which can be cut back to any user line."""

import copy
import json
import os
from pathlib import Path

from tests.claude_code.doctor.fake_lines import Object


class Past:
    """What was said before each user line, by the line's `uuid`; `broken` as in `fake_claude`."""

    def __init__(self, broken: str) -> None:
        self._broken = broken
        self._before: dict[str, list[Object]] = {}
        self._trace = ""

    def note(self, line: Object, messages: list[Object]) -> None:
        """This user line comes after these messages."""
        self._before[line.get("uuid", "")] = copy.deepcopy(messages)

    def cut(self, request: Object, messages: list[Object], *, running: bool) -> Object:
        """The answer to a request to cut; the messages that stay are left."""
        target, newest = request["target_message_uuid"], [*self._before][-1]
        way = "rewind_parked" if running else "rewind"
        if request["last_seen_user_message_uuid"] != newest:
            return {"rewound": False, "reason": "unseen_later_turn"}
        if self._broken == f"{way}: refused" and (running or target != newest):
            return {"rewound": False, "reason": "stale_target"}
        if self._broken == way:
            self._trace = json.dumps(messages)
        if self._broken == "rewind: on disk":
            with Path(os.environ["HOME"], "cut.jsonl").open("a") as file:
                file.write(json.dumps(messages) + "\n")
        messages[:] = copy.deepcopy(self._before[target])
        return {"rewound": True}

    def with_trace(self, messages: list[Object]) -> list[Object]:
        """The messages, once with what was cut, if this is what is broken."""
        if not self._trace:
            return messages
        trace, self._trace = {"type": "text", "text": self._trace}, ""
        last = messages[-1]
        return [*messages[:-1], {**last, "content": [*last["content"], trace]}]
