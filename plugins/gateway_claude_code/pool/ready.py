"""Processes that are made ready before anybody asks: an empty one for each set-up in use."""

from collections.abc import Callable
from typing import TypeAlias

from gateway.errors import GatewayError
from gateway_claude_code.conversations.conversation import Conversation
from gateway_claude_code.conversations.warming import Recipe, warm
from gateway_claude_code.pool.live import LiveConversations
from gateway_claude_code.pool.processes import Processes
from gateway_claude_code.pool.set_ups import SetUps
from gateway_claude_code.pool.spares import Spares
from gateway_claude_code.request.canonical import Digest
from gateway_claude_code.reuse.choice import RECENT, Waiting, cuttable, is_brief
from gateway_claude_code.reuse.set_up import SetUp

Keep: TypeAlias = Callable[[Conversation, Digest | None], None]


class ReadyProcesses:
    """Empties short conversations, and sets spares up where there are none; both in the background."""

    def __init__(
        self,
        set_ups: SetUps,
        live: LiveConversations[Conversation],
        spares: Spares,
        processes: Processes,
        keep: Keep,
    ) -> None:
        self._set_ups = set_ups
        self._live = live
        self._spares = spares
        self._processes = processes
        self._keep = keep
        self._being_warmed: set[SetUp] = set()

    def cut_short_ones(self) -> None:
        """Have an empty process where that takes no more than cutting a short conversation."""
        for set_up, _ in self._set_ups.in_use():
            waiting = self._waiting(set_up)
            settled = [one for one in waiting if one.process.settled]
            if self._lacks_empty(set_up, waiting) and (short := cuttable(settled)):
                self._live.forget_key(short[0].process)
                short[0].process.begin_to_clear()  # now, as a request may take it before the task
                self._processes.care(self._empty, short[0].process)

    def set_up_spares(self) -> None:
        """Have one also where it takes a spare."""
        for set_up, recipe in self._set_ups.in_use():
            if len(self._live) >= self._live.most:
                return
            waiting = self._waiting(set_up)
            brief = sum(is_brief(one.process) for one in waiting)
            few = brief + self._processes.rounds.away(set_up) <= RECENT  # else one is soon cut
            if few and self._lacks_empty(set_up, waiting):
                spare = self._spares.take_ready(set_up.launch)
                if spare is not None:
                    self._being_warmed.add(set_up)
                    self._processes.care(self._warm, spare, set_up, recipe)

    def _lacks_empty(self, set_up: SetUp, waiting: list[Waiting[Conversation]]) -> bool:
        any_empty = any(one.process.empty for one in waiting)
        return not any_empty and set_up not in self._being_warmed

    def _waiting(self, set_up: SetUp) -> list[Waiting[Conversation]]:
        idle = self._live.idle()
        return [Waiting(one, seconds) for one, seconds in idle if one.held.set_up == set_up]

    async def _empty(self, conversation: Conversation) -> None:
        await conversation.clear()
        if not await conversation.reusable() and self._live.remove(conversation):
            self._processes.retire(conversation)

    async def _warm(self, spare: Conversation, set_up: SetUp, recipe: Recipe) -> None:
        is_ready = False
        spare.held.serve(set_up)
        try:
            await warm(spare, recipe)
            is_ready = await spare.recover()
        except GatewayError:
            return
        finally:
            self._being_warmed.discard(set_up)
            if is_ready:
                self._keep(spare, None)
            else:
                self._processes.retire(spare)
