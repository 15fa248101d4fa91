"""Shapes of traffic: clients that talk with a model, whoever answers. Pure but for the asking.

The sizes are those of everyday use: a system prompt of a page or two, questions of a few lines,
answers of half a page, results of tools of a page.
"""

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from bench.cases import Body, body, user

Ask = Callable[[Body], Body]
"""From the body of a chat completion to the message of its answer."""

SYSTEM, LONG_SYSTEM, QUESTION, ANSWER, RESULT, ITEM = 1500, 10_000, 80, 500, 700, 150
"""In tokens of four characters. `ITEM` is what a one-shot has besides its system prompt."""
TURNS, TOOL_TURNS, ONE_SHOTS = 10, 20, 30
WORDS: Final = """the of to a in is that it for was on are with as be this have from or by one had not
but what all were when we there can an your which their said if do will each about how up out them
then many some so these would other into has more her two like him see time could no make than"""
NAMES: Final = ("search", "read_file", "write_file", "list_folder", "run_tests", "fetch_page")


def words(tokens: int, seed: str) -> str:
    """A text of so many tokens, always the same for a seed."""
    chosen = random.Random(seed).choices(WORDS.split(), k=2 * tokens)
    return " ".join(chosen)[: 4 * tokens].ljust(4 * tokens, ".")


def tools() -> list[Body]:
    """Six, with descriptions of a paragraph each."""
    parameters = {
        "type": "object",
        "properties": {
            "path": {"type": "string", "description": words(30, "path")},
            "pattern": {"type": "string", "description": words(30, "pattern")},
        },
        "required": ["path"],
    }
    return [
        {
            "type": "function",
            "function": {
                "name": name,
                "description": words(120, name),
                "parameters": parameters,
            },
        }
        for name in NAMES
    ]


@dataclass
class Talk:
    """One conversation. `sent` has the bodies of all requests, those of its forks included."""

    ask: Ask
    seed: str
    system: str
    tools: Sequence[Body] = ()
    messages: list[Body] = field(default_factory=list)
    sent: list[Body] = field(default_factory=list)

    def say(self, tokens: int = QUESTION) -> None:
        """A new question, and all rounds of calls until there is an answer."""
        self.messages.append(user(self._text(tokens)))
        self._answer()

    def again(self) -> None:
        """Regenerate the last answer."""
        self.messages.pop()
        self._answer()

    def edit(self, number: int) -> None:
        """Ask something else in the place of the question of this number, from 0 or from the end."""
        questions = [at for at, each in enumerate(self.messages) if each["role"] == "user"]
        del self.messages[questions[number] :]
        self.say()

    def fork(self) -> "Talk":
        """Another conversation that has the same past."""
        return Talk(self.ask, self.seed, self.system, self.tools, [*self.messages], self.sent)

    def _answer(self) -> None:
        while True:
            fields: dict[str, Any] = {"tools": list(self.tools)} if self.tools else {}
            system = {"role": "system", "content": self.system}
            asked = body([system, *self.messages], **fields)
            self.sent.append(asked)
            answer = self.ask(asked)
            self.messages.append(answer)
            calls = answer.get("tool_calls") or []
            if not calls:
                return
            for call in calls:
                content = self._text(RESULT)
                self.messages.append(
                    {"role": "tool", "tool_call_id": call["id"], "content": content}
                )

    def _text(self, tokens: int) -> str:
        """No two are equal, from the first character on, as titles of a pipeline's items are."""
        return words(tokens, f"{self.seed} {len(self.sent)}")


@dataclass(frozen=True, slots=True)
class Shape:
    """`play` has one client after the other talk."""

    name: str
    play: Callable[[Ask], "Played"]


@dataclass(frozen=True, slots=True)
class Played:
    """The bodies that a client has sent, and the numbers of those that are what the shape is of."""

    sent: Sequence[Body]
    own: Sequence[int]


def shapes() -> Iterator[Shape]:
    """All of them."""
    yield Shape(f"chat, {TURNS} turns", _chat)
    yield Shape(f"agent, {TOOL_TURNS} rounds of tools", _agent)
    yield Shape(f"{ONE_SHOTS} one-shots", _one_shots)
    yield Shape("regenerate", _regenerate)
    yield Shape("edit", _edit)
    yield Shape("fork", _fork)


def _chat(ask: Ask) -> Played:
    talk = _talk(ask, "chat")
    for _ in range(TURNS):
        talk.say()
    return Played(talk.sent, range(len(talk.sent)))


def _agent(ask: Ask) -> Played:
    talk = Talk(ask, "agent", words(SYSTEM, "agent"), tools())
    talk.say()
    return Played(talk.sent, range(len(talk.sent)))


def _one_shots(ask: Ask) -> Played:
    sent: list[Body] = []
    for number in range(ONE_SHOTS):
        talk = Talk(ask, f"item {number}", words(LONG_SYSTEM, "one-shots"), sent=sent)
        talk.say(ITEM)
    return Played(sent, range(len(sent)))


def _regenerate(ask: Ask) -> Played:
    """A chat in which every second answer is asked for twice."""
    talk, own = _talk(ask, "regenerate"), []
    for number in range(6):
        talk.say()
        if number % 2:
            own.append(len(talk.sent))
            talk.again()
    return Played(talk.sent, own)


def _edit(ask: Ask) -> Played:
    """A chat in which the last question is edited, then an earlier one, each with turns after it."""
    talk, own = _talk(ask, "edit"), []
    for question in (-1, -3):
        for _ in range(4):
            talk.say()
        own.append(len(talk.sent))
        talk.edit(question)
    talk.say()
    return Played(talk.sent, own)


def _fork(ask: Ask) -> Played:
    """A chat of which two go on in turn."""
    talk = _talk(ask, "fork")
    for _ in range(4):
        talk.say()
    other = talk.fork()
    first = len(talk.sent)
    for _ in range(3):
        talk.say()
        other.say()
    return Played(talk.sent, range(first, len(talk.sent)))


def _talk(ask: Ask, seed: str) -> Talk:
    return Talk(ask, seed, words(SYSTEM, seed))
