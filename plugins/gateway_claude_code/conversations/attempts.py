"""The one place that says how often a request is asked.

**Of another process**, as one can die while it waits, or hang. As long as the upstream has not begun
to answer, the request is put to another one (`Attempt.next`):

- after a process that had the conversation already: to a spare, or a new one;
- after a spare, and after a turn that was forbidden its only request (`ForbiddenTooSoon`), which is
  then made without that rule: to a new one;
- after any other new process: to none, as the next would do no better.

So there are three attempts at most.

**Of the model**: once more without what the API has refused, if that can be left out
(`Learning.next_try`), and once more where a call was demanded and none came (`held_to_choice`). Each
of these is put to processes by the same rule.
"""

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

from gateway.errors import GatewayError, Overloaded, QuotaExhausted, RateLimited
from gateway.streams import AnswerBuilder
from gateway.types import StreamEvent
from gateway_claude_code.request.prepare import Prepared
from gateway_claude_code.request.tools.demanded_choice import DemandedAnswer, asked_again
from gateway_claude_code.response.failures import ForbiddenTooSoon, NotReady, ProcessGone

Ask: TypeAlias = Callable[[Prepared], AsyncGenerator[StreamEvent]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One attempt: the processes that it may take, and whether the CLI may ask as it likes."""

    live: bool = False
    spare: bool = True
    unlimited: bool = False

    def next(
        self, error: ProcessGone | NotReady, *, was_live: bool, was_spare: bool
    ) -> "Attempt | None":
        """The attempt after this one, which failed before an answer began; None for no other."""
        if was_live:
            return Attempt()
        too_soon = isinstance(error, ForbiddenTooSoon)
        if self.spare and (was_spare or too_soon):
            return Attempt(spare=False, unlimited=too_soon)
        return None


FIRST: Final = Attempt(live=True)


def leaves_sound(error: BaseException) -> bool:
    """Whether a process can have another conversation after a turn that ended so.

    After a client that left, and after the API's own troubles. Not after a request that the API
    refused: 2.1.330 then asks without some of its beta headers; nor after any doubt about the CLI.
    """
    if isinstance(error, GatewayError):
        return isinstance(error, Overloaded | RateLimited | QuotaExhausted)
    return not isinstance(error, Exception)


def held_to_choice(prepared: Prepared, ask: Ask) -> AsyncGenerator[StreamEvent]:
    """The answer; where a call is demanded that can't be forced, asked for twice at most."""
    return _until_followed(prepared, ask) if prepared.demanded else ask(prepared)


async def _until_followed(prepared: Prepared, ask: Ask) -> AsyncGenerator[StreamEvent]:
    demanded = DemandedAnswer(prepared.request.tool_choice)
    while not demanded.followed:
        attempt = AnswerBuilder()
        async with aclosing(ask(prepared)) as events:
            async for event in events:
                attempt.add(event)
                for passed_on in demanded.feed(event):
                    yield passed_on
        if not demanded.followed:
            demanded.try_again()
            again = asked_again(prepared.request, prepared.names, attempt.parts())
            prepared = replace(prepared, request=again)
