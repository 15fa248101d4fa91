"""Callers and their conversations: a tree for each, in which anything may happen next."""

import base64
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from random import Random
from typing import Any, Final

from gateway.types import (
    ChatRequest,
    Client,
    Document,
    Image,
    Message,
    Part,
    ResponseFormat,
    Sampling,
    Target,
    Text,
    Thinking,
    Tool,
    ToolCall,
    ToolChoice,
    ToolResult,
)
from tests.prove_reuse.callers.asked import Asked
from tests.prove_reuse.callers.replies import Replies
from tests.prove_reuse.marks import Secrets

OTHER_MODELS: Final = ("haiku", "opus", "claude-sonnet-4-5")
REMEMBERED: Final = 4
"""Conversations of a caller that may go on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Habits:
    """A sequence has one of the `lengths`, in steps.

    `strays` is how often a conversation has another model than usual, or another system prompt; each
    of these takes a process of its own. `several` is how often a step is a few requests at once, which
    takes as many. `troubles` is how often the model's API fails, as a factor; most failures end a process.
    """

    lengths: tuple[int, ...] = (1, 1, 2, 3, 4, 5)
    strays: float = 0.06
    several: float = 0.04
    troubles: float = 1


@dataclass(slots=True, kw_only=True)
class Talk:
    """A conversation: what is fixed in it, and what was said."""

    system: str
    model: str
    tools: tuple[Tool, ...] = ()
    form: ResponseFormat = ResponseFormat()
    messages: tuple[Message, ...] = ()


class Caller:
    """Makes requests, as each answer allows. A sequence is a few of them in a row."""

    def __init__(self, number: int, seed: str, habits: Habits) -> None:
        self._habits = habits
        self.random = Random(f"{seed}/{number}")
        self._number = number
        self._secrets = Secrets(number)
        self.replies = Replies(self.random, self._secrets)
        self._systems = [f"You are S. {self._secrets.new()}" for _ in range(2)]
        self._tools = [self._tool_set(kind) for kind in range(3)]
        self._form = ResponseFormat(kind="json_schema", name="word", schema=self._schema())
        self._talks: list[Talk] = []

    # -- what is chosen once ----------------------------------------------------------

    def _schema(self) -> dict[str, Any]:
        word = {"type": "string", "description": self._secrets.new()}
        return {
            "type": "object",
            "properties": {"word": word},
            "required": ["word"],
            "additionalProperties": False,
        }

    def _tool_set(self, kind: int) -> tuple[Tool, ...]:
        names = (f"look_{self._secrets.new()}", "read", *(("write",) if kind else ()))
        return tuple(self._tool(name, kind) for name in names)

    def _tool(self, name: str, kind: int) -> Tool:
        path = {"type": "string", "description": self._secrets.new()}
        extra = {"n": {"type": "integer"}} if kind == 2 else {}
        schema = {"type": "object", "properties": {"path": path, **extra}}
        return Tool(name=name, description=f"Looks. {self._secrets.new()}", schema=schema)

    # -- a sequence -------------------------------------------------------------------

    def sequence(self) -> Iterator[list[Asked]]:
        """Requests, one after another or a few at once; each is over before the next is made."""
        talk = self._new_talk()
        if self._talks and self._maybe(0.35):
            talk = self.random.choice(self._talks)
        for _ in range(self.random.choice(self._habits.lengths)):
            if self._maybe(self._habits.several):
                yield [self._first(self._new_talk()) for _ in range(self.random.randint(2, 4))]
                continue
            before = talk
            name, talk = self._next(talk)
            asked = self._asked(name, talk)
            yield [asked]
            if asked.parts and asked.ending in ("end", "stop_sequence", "tool_calls", "max_tokens"):
                answer = Message(role="assistant", parts=asked.parts)
                talk = replace(talk, messages=(*talk.messages, answer))
            elif self._maybe(0.5):
                talk = before
        self._talks = [*self._talks, talk][-REMEMBERED:]

    def _first(self, talk: Talk) -> Asked:
        return self._asked("one of several", self._said(talk, self._user()))

    def _new_talk(self) -> Talk:
        strays = self._habits.strays
        model = self.random.choice(OTHER_MODELS) if self._maybe(strays) else "sonnet"
        system = self._systems[self._maybe(strays)]
        talk = Talk(system=system, model=model)
        if self._maybe(0.4):
            talk.tools = self.random.choice(self._tools)
        elif self._maybe(0.04):
            talk.form = self._form
        elif self._maybe(0.03):
            talk.form = ResponseFormat(kind="json_object")
        return talk

    def _next(self, talk: Talk) -> tuple[str, Talk]:
        """What to do next, and the conversation with it, the user's words last."""
        if not talk.messages:
            return "new", self._said(talk, self._user())
        if talk.messages[-1].role == "user":
            steps = [self._again, self._edit, self._more]
        elif any(isinstance(part, ToolCall) for part in talk.messages[-1].parts):
            steps = [self._results] * 5 + [self._abandon, self._edit, self._regenerate]
        else:
            steps = [self._go_on] * 4 + [self._regenerate, self._edit, self._fork, self._anew]
        if self._maybe(0.05):
            steps = [self._change]
        return self.random.choice(steps)(talk)

    def _go_on(self, talk: Talk) -> tuple[str, Talk]:
        return "continue", self._said(talk, self._user())

    def _again(self, talk: Talk) -> tuple[str, Talk]:
        return "again", talk

    def _more(self, talk: Talk) -> tuple[str, Talk]:
        return "more", self._said(talk, self._user())

    def _anew(self, talk: Talk) -> tuple[str, Talk]:
        return "one-shot", self._said(replace(talk, messages=()), self._user())

    def _regenerate(self, talk: Talk) -> tuple[str, Talk]:
        return "regenerate", replace(talk, messages=talk.messages[:-1])

    def _edit(self, talk: Talk) -> tuple[str, Talk]:
        places = [i for i, message in enumerate(talk.messages) if message.role == "user"]
        kept = talk.messages[: self.random.choice(places)]
        if kept and any(isinstance(part, ToolCall) for part in kept[-1].parts):
            return "edit results", self._said(replace(talk, messages=kept), self._given(kept[-1]))
        return "edit", self._said(replace(talk, messages=kept), self._user())

    def _fork(self, talk: Talk) -> tuple[str, Talk]:
        self._talks = [*self._talks, talk][-REMEMBERED:]
        return self._edit(talk)

    def _change(self, talk: Talk) -> tuple[str, Talk]:
        """Other tools, or another model, in the middle of it."""
        changed = self._new_talk()
        return "change", self._said(replace(changed, messages=talk.messages), self._user())

    def _results(self, talk: Talk) -> tuple[str, Talk]:
        return "results", self._said(talk, self._given(talk.messages[-1]))

    def _abandon(self, talk: Talk) -> tuple[str, Talk]:
        return "abandon", self._said(talk, self._user())

    @staticmethod
    def _said(talk: Talk, message: Message) -> Talk:
        return replace(talk, messages=(*talk.messages, message))

    # -- words ------------------------------------------------------------------------

    def _maybe(self, share: float) -> bool:
        return self.random.random() < share

    def _user(self) -> Message:
        parts: list[Part] = [Text(text=self._words())]
        if self._maybe(0.15):
            parts.append(self.random.choice((self._picture, self._pdf, self._file, self._link))())
            self.random.shuffle(parts)
        if self._maybe(0.1):
            parts.append(Text(text=self._words()))
        return Message(role="user", parts=tuple(parts))

    def _words(self) -> str:
        form = self.random.choice(("Say {}", "Say {}", "/{} now", "@{}", "  {}\n", "# {}\n\nü"))
        return form.format(self._secrets.new())

    def _picture(self) -> Image:
        return Image(media_type="image/png", data=base64.b64encode(self._png()).decode())

    def _png(self) -> bytes:
        """One dot, and a comment."""
        comment = b"Comment\0" + self._secrets.new().encode()
        chunks = (
            (b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)),
            (b"tEXt", comment),
            (b"IDAT", zlib.compress(b"\0\0")),
            (b"IEND", b""),
        )
        return b"\x89PNG\r\n\x1a\n" + b"".join(
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
            for kind, data in chunks
        )

    def _pdf(self) -> Document:
        text = f"%PDF-1.4\n% {self._secrets.new()}\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n"
        data = base64.b64encode(text.encode()).decode()
        return Document(media_type="application/pdf", data=data)

    def _file(self) -> Document:
        title = self._secrets.new() if self._maybe(0.5) else None
        return Document(media_type="text/plain", data=f"file {self._secrets.new()}", title=title)

    def _link(self) -> Image:
        return Image(url=f"https://example.org/{self._secrets.new()}.png")

    def _given(self, answer: Message) -> Message:
        """Results of its calls: all of them, mostly."""
        calls = [part for part in answer.parts if isinstance(part, ToolCall)]
        parts: list[Part] = [self._result(call) for call in calls]
        if len(parts) > 1 and self._maybe(0.1):
            parts.pop()
        if self._maybe(0.1):
            parts.append(Text(text=self._words()))
        return Message(role="user", parts=tuple(parts))

    def _result(self, call: ToolCall) -> ToolResult:
        inner: tuple[Text | Image | Document, ...] = (Text(text=f"found {self._secrets.new()}"),)
        if self._maybe(0.07):
            inner = (*inner, self._picture())
        return ToolResult(call_id=call.id, parts=inner, is_error=self._maybe(0.07))

    # -- a request --------------------------------------------------------------------

    def _asked(self, name: str, talk: Talk) -> Asked:
        request = ChatRequest(
            model=talk.model,
            messages=talk.messages,
            system=talk.system,
            tools=talk.tools,
            response_format=talk.form,
            client=Client(key=f"key{self._number}"),
            **self._parameters(talk),
        )
        target = Target(model=talk.model, backend="claude-code", name=talk.model)
        kind, reply = self.replies.reply(request, self._habits.troubles)
        leaves, at_once = None, False
        if self._maybe(0.1):
            leaves, at_once = self.random.random() * 0.08, self._maybe(0.2)
            kind = "left"
            if self._maybe(0.7):
                kind, reply = "silence, left", self.replies.silence(request)
        return Asked(
            name=f"{name} ({kind})", request=request, target=target, reply=reply, leaves=leaves,
            at_once=at_once,
        )  # fmt: skip

    def _parameters(self, talk: Talk) -> dict[str, Any]:
        fields: dict[str, Any] = {}
        if self._maybe(0.3):
            fields["sampling"] = Sampling(
                max_output_tokens=self.random.choice((None, 50, 300, 3000)),
                temperature=self.random.choice((None, None, 0.2, 0.7)),
                top_p=self.random.choice((None, None, None, 0.5)),
                top_k=self.random.choice((None, None, None, 7)),
                stop=self.random.choice(((), (), (f"END{self._secrets.new()}",))),
            )
        if self._maybe(0.1):
            fields["effort"] = self.random.choice(("none", "low", "medium", "high"))
        if self._maybe(0.08):
            fields["thinking"] = False
        if talk.tools and self._maybe(0.25):
            one = (self.random.choice(talk.tools).name,)
            fields["tool_choice"] = self.random.choice(
                (
                    ToolChoice(mode="none"),
                    ToolChoice(mode="required"),
                    ToolChoice(mode="required", names=one),
                    ToolChoice(parallel=False),
                )
            )
        return fields


def visible(parts: tuple[Part, ...]) -> tuple[Part, ...]:
    """An answer as clients send it back."""
    return tuple(part for part in parts if not isinstance(part, Thinking))
