"""The plan of one answer: all that a request means to a process, decided before one is taken. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gateway_claude_code.conversations.continuation import (
    AnswerSoFar,
    Continuation,
    ConversationState,
    continuation,
    key_after,
)
from gateway_claude_code.conversations.conversation import Conversation
from gateway_claude_code.conversations.warming import Recipe
from gateway_claude_code.process.launch import Launch
from gateway_claude_code.protocol import Block
from gateway_claude_code.request.canonical import Digest, prefix_digests
from gateway_claude_code.request.history import Turn, earlier, turns
from gateway_claude_code.request.prepare import Prepared
from gateway_claude_code.request.terms import Terms
from gateway_claude_code.request.transcript import transcribed
from gateway_claude_code.response.events import EventReader
from gateway_claude_code.response.json_answer import json_answer
from gateway_claude_code.reuse.held import Held
from gateway_claude_code.reuse.set_up import SetUp, Wanted


@dataclass(frozen=True, slots=True, kw_only=True)
class Rest:
    """The part of a plan that is left for a process in some state, in the order of sending.

    With `from_start` the process is set up, else its parameters are changed; both to `settings`.
    It keeps the first `kept` turns, and is cut after these; None for the whole that it has answered.
    `history` are turns that are not to be answered. Then comes either `turn` or `results`, those of
    the calls that wait. `terms` are those of the request as it then goes out; `may_mark` is whether
    its turn may have a mark for the prompt cache.
    """

    from_start: bool
    kept: int | None
    settings: Mapping[str, Any]
    terms: Terms
    history: Sequence[Turn] = ()
    turn: Turn | None = None
    results: Sequence[Sequence[Block]] = ()
    may_mark: bool = False


@dataclass(frozen=True, slots=True)
class After:
    """A process that holds what its client has: the `key` of what goes on, and all its turns."""

    key: Digest
    prefixes: tuple[Digest, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnPlan:
    """A prepared request, and the conversation that it may go on with (`onward`).

    `prefixes` has the digests of the conversation up to each turn, or nothing if there can be none.
    `usual_model` is the model that processes are started with, if they are of a CLI that
    `switches_models`; such a CLI also takes texts as they are written.
    """

    prepared: Prepared
    onward: Continuation | None
    prefixes: tuple[Digest, ...] = ()
    usual_model: str | None = None

    @classmethod
    def of(cls, prepared: Prepared, usual_model: str | None) -> "TurnPlan":
        """The plan of a request; it reads the whole conversation."""
        return cls(
            prepared=prepared,
            onward=continuation(prepared),
            prefixes=prefix_digests(prepared.request.messages),
            usual_model=usual_model,
        )

    @property
    def key_before(self) -> Digest | None:
        """The key of a process that holds all but the end of the request, if there can be one."""
        return self.onward.key if self.onward is not None else None

    def after(self, reader: EventReader, answer: AnswerSoFar) -> "After | None":
        """The process once it has answered; None if it does not hold just what the client has."""
        key = key_after(self.prepared, reader, answer.end, answer.message)
        if key is None:
            return None
        return After(key, prefix_digests(self.prepared.request.messages, answer.message))

    def wanted(self, launch: Launch) -> Wanted | None:
        """The conversation, for a process that was used before; None where that must not be."""
        prepared = self.prepared
        if not self._is_current or prepared.agent is not None:
            return None
        return Wanted(
            set_up=SetUp(launch, prepared.request.client.caller, prepared.digests.set_up),
            opening=prepared.digests.opening,
            prefixes=self.prefixes,
            may_exchange_tools=prepared.may_exchange_tools,
        )

    def recipe(self) -> Recipe:
        """To get a process ready for conversations like this one."""
        prepared = self.prepared
        return Recipe(
            system=prepared.request.system,
            tools=prepared.tools,
            names=prepared.names,
            settings=self._settings(seeded=True, exchanged=False),
            json_schema=prepared.json_schema,
            opening=prepared.digests.opening,
            offer=prepared.digests.offer,
        )

    def kept_by(self, conversation: Conversation) -> int | None:
        """How many turns of the request stay in a process; None for one that was told nothing."""
        if not conversation.state.set_up:
            return None
        if conversation.held.opening != self.prepared.digests.opening:
            return 0
        return conversation.held.reach(self.prefixes)

    def has_turns(self, rest: Rest, held: Held) -> bool:
        """Whether the turns that a process holds are those of the request, up to its `rest`."""
        if rest.kept is not None:
            return rest.kept + len(rest.history) + 1 == len(self.prefixes)
        kept = len(held)
        return len(self.prefixes) == kept + 1 and held.ends_with(self.prefixes[kept - 1])

    @property
    def model(self) -> str:
        """The model to start a process with."""
        return self.usual_model or self.prepared.model

    @property
    def one_request(self) -> bool:
        """Whether to start a process that asks its upstream once in its life.

        A current CLI is told so in its turn (`further_requests`), and its answers come whole.
        """
        return self.prepared.one_request and not self._is_current

    @property
    def has_history(self) -> bool:
        """Whether the assistant has said anything before."""
        return any(message.role == "assistant" for message in self.prepared.request.messages)

    @property
    def _is_current(self) -> bool:
        return self.usual_model is not None

    def reader(self, *, unlimited: bool = False) -> EventReader:
        """A reader of the answer. With `unlimited` the CLI may ask its upstream as it likes."""
        return reader_of(self.prepared, unlimited=unlimited)

    def rest(self, state: ConversationState, kept: int | None = None) -> Rest:
        """All that is left to send to a process in this state, which keeps some turns (`Rest`)."""
        if kept is None and state.answered and self.onward is not None:
            return self._onward(self.onward, state)
        kept, prepared = kept or 0, self.prepared
        messages = prepared.request.messages
        history = turns(transcribed(messages) if state.transcribed else messages, prepared.names)
        return Rest(
            from_start=not state.set_up,
            kept=kept,
            # the thinking of a tool loop is never kept: its calls are given anew, or wait
            settings=self._settings(seeded=True, exchanged=state.exchanged),
            terms=prepared.seeded_terms,
            history=earlier(history, as_written=self._is_current)[kept:],
            turn=history[-1],
            may_mark=prepared.facts.cache_marks,
        )

    def _onward(self, onward: Continuation, state: ConversationState) -> Rest:
        # a turn without thinking is one that has lost it, whoever has the conversation
        seeded = onward.turn is None and not state.thought
        return Rest(
            from_start=False,
            kept=None,
            settings=self._settings(seeded=seeded, exchanged=state.exchanged),
            terms=self.prepared.seeded_terms if seeded else self.prepared.terms,
            turn=onward.turn,
            results=onward.results,
        )

    def _settings(self, *, seeded: bool, exchanged: bool) -> Mapping[str, Any]:
        return self.prepared.settings(seeded=seeded, switch=self._is_current, exchanged=exchanged)


def reader_of(prepared: Prepared, *, unlimited: bool = False) -> EventReader:
    """The reader of the answer to a request; for `unlimited` see `EventReader`."""
    native = prepared.terms.schema_way == "native"
    return EventReader(
        prepared.names,
        json_answer(prepared.request.response_format, prepared.schema, native=native),
        prepared.agent,
        asks_again=not prepared.plain,
        unlimited=unlimited,
    )
