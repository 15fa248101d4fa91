"""One request of a caller's, and what came of it."""

from dataclasses import dataclass, field
from typing import Any, Final

import anyio

from gateway.types import ChatRequest, Part, Target
from gateway_claude_code.request.prepare import Prepared
from gateway_claude_code.upstream import MessagesRequest, Reply
from tests.prove_reuse.ledger import Entry
from tests.prove_reuse.marks import secrets_in

NO_OUTPUT: Final = "Your previous response had no visible output."
"""How the CLI asks on after a blank answer (2.1.330)."""


@dataclass(slots=True, kw_only=True, eq=False)
class Asked:
    """A request, with the model's `reply` to it, whatever it is asked.

    `leaves` is after how many seconds from the model's being asked the client leaves, None if it
    does not; with `at_once` it does not wait until the model is asked. `name` is for people.
    """

    name: str
    request: ChatRequest
    target: Target
    reply: Reply
    leaves: float | None = None
    at_once: bool = False
    prepared: list[Prepared] = field(default_factory=list)
    upstream: list[MessagesRequest] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)
    reached: anyio.Event = field(default_factory=anyio.Event)
    parts: tuple[Part, ...] | None = None
    ending: str | None = None
    error: str | None = None
    cost: float = 0.0
    usage: Any = None

    @property
    def own(self) -> frozenset[str]:
        """The secrets that it holds."""
        request = self.request
        answered = [self.reply] if len(self.upstream) > 1 else []
        return frozenset(
            secrets_in(
                [
                    request.system,
                    request.messages,
                    request.tools,
                    request.response_format,
                    request.sampling.stop,
                    answered,
                ]
            )
        )

    def is_further(self, request: MessagesRequest) -> bool:
        """Whether the CLI asks on by itself after an answer: the rest of one that was cut, for example."""
        if len(self.upstream) < 2 or len(self.prepared) > 1:
            return False
        said = request.body.get("messages")
        mine = set(secrets_in(self.reply)) - set(secrets_in(self.request.messages))
        return bool(mine & set(secrets_in(said))) or NO_OUTPUT in str(said)

    @property
    def keys(self) -> list[str]:
        """The secrets that the user gave last."""
        found: list[str] = []
        for message in reversed(self.request.messages):
            if message.role == "assistant":
                break
            found += secrets_in(message)
        return found

    @property
    def told(self) -> str:
        """In words."""
        roles = " ".join(
            f"{message.role[0]}({','.join(type(part).__name__ for part in message.parts)})"
            for message in self.request.messages
        )
        left = "" if self.leaves is None else f", leaves after {self.leaves:.3f} s"
        return (
            f"{self.name}: {self.target.name}, tools {[tool.name for tool in self.request.tools]}, "
            f"{self.request.sampling}, {self.request.tool_choice}, effort {self.request.effort}, "
            f"thinking {self.request.thinking}, {self.request.response_format.kind}: {roles}; "
            f"{len(self.upstream)} upstream requests{left}; ended {self.ending or self.error}"
        )
