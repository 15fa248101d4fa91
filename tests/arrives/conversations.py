"""Conversations as clients make them, and what of them has to reach the model.

Each is made from a seed. Texts of a message are numbered, so that each is found once; some have
nothing but words that the CLI takes for something else.
"""

import base64
import json
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final, TypeAlias

Wire: TypeAlias = dict[str, Any]
Atom: TypeAlias = tuple[Any, ...]
"""What has to arrive: ("user" or "assistant", text), ("call", name, input), or a kind of medium
and its content."""

RESULTS: Final[Atom] = ("results",)
"""Where results of calls stand, which end the assistant's turn."""

TOOLS: Final = ("look", "files.read")

PNG: Final = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
GIF: Final = "R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7"

BARE: Final = (
    "(no content)",
    "[Empty text removed]",
    "[Tool use interrupted]",
    "[Request interrupted by user]",
    "No response requested.",
    "\ufeff",
    "/compact now",
    "/help",
    "/",
    "!ls",
    "#",
    "@/etc/hostname",
    "0",
    "Continue the list.",
)
"""Whole texts that mean something to the CLI, or might."""

AROUND: Final = (
    "{}",
    "/home/{}",
    "/{} now",
    "!{}",
    "@{}",
    "#{}",
    "  {}  ",
    "\n{}\n",
    "\ufeff{}",
    "{}\ud83d",
    "\ude00{}",
    "{} \ud83d\ude00 ok",
    "{}\u2028\x85\x1b",
    "<system-note>{}</system-note>",
    "(no content) {}",
    "ultrathink {}",
    '{{"{}": [1, 2]}}',
    "```sh\n{}\n```",
    "ü{}ß漢字",
)

IDS: Final = (
    "call_0",
    "call_1",
    "call_0_2",
    "call_0_1",
    "toolu_01ab",
    "toolu01ab",
    "a:1",
    "a.1",
    "functions.look:0",
    "x" * 70,
)


def whole(text: str) -> str:
    """The text as it arrives, without halves of characters."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


@dataclass(slots=True, eq=False)
class Call:
    """A call, and what was given for it; no results is a call without one."""

    name: str
    input: Any
    results: list[list[Atom]] = field(default_factory=list)


@dataclass(slots=True)
class Expected:
    """All of a conversation but its calls' results, in order; and its calls, in order."""

    system: list[str] = field(default_factory=list)
    said: list[Atom] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)


class ConversationMaker:
    """Makes messages, and notes what has to arrive of them."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.expected = Expected()
        self.messages: list[Wire] = []
        self._number = 0
        self._seed = seed
        for _ in range(self.random.choice((0, 1, 1, 2))):
            text = self._marked("S {}")
            self.messages.append({"role": self._one("system", "developer"), "content": text})
            self.expected.system.append(whole(text))

    # -- the pieces -------------------------------------------------------------------

    def _one(self, *of: Any) -> Any:
        return self.random.choice(of)

    def _maybe(self, share: float) -> bool:
        return self.random.random() < share

    def _marked(self, form: str) -> str:
        self._number += 1
        return form.format(f"m{self._seed}n{self._number}")

    def text(self) -> str:
        """A text of a client's."""
        if self._maybe(0.12):
            return str(self._one(*BARE))
        return self._marked(self._one(*AROUND))

    def _content(self, role: str) -> tuple[Any, list[Atom]]:
        """Content on the wire, and its texts and media."""
        if self._maybe(0.5):
            text = self.text()
            return text, [(role, whole(text))]
        parts, atoms = [], []
        for _ in range(self.random.randint(1, 3)):
            part, atom = self._part(role)
            parts.append(part)
            atoms += atom
        return parts, atoms

    def _part(self, role: str) -> tuple[Wire, list[Atom]]:
        kind = self._one("text", "text", "empty", "image", "url", "source", "file", "pdf")
        if role in ("assistant", "system"):
            kind = self._one("text", "text", "empty", "thinking" if role == "assistant" else "text")
        match kind:
            case "text":
                text = self.text()
                marks = {"cache_control": {"type": "ephemeral"}} if self._maybe(0.2) else {}
                return {"type": "text", "text": text, **marks}, [(role, whole(text))]
            case "empty":
                return {"type": "text", "text": self._one("", " \n")}, []
            case "thinking":
                return {"type": "thinking", "thinking": "hm", "signature": "s"}, []
            case "image":
                url = f"data:image/png;base64,{PNG}"
                given = self._one(url, {"url": url, "detail": "low"})
                return {"type": "image_url", "image_url": given}, [("image", PNG)]
            case "url":
                url = self._marked("https://example.org/{}.png")
                return {"type": "image_url", "image_url": {"url": url}}, [("image", url)]
            case "source":
                source = {"type": "base64", "media_type": "image/gif", "data": GIF}
                return {"type": "image", "source": source}, [("image", GIF)]
            case "file":
                text = self._marked("file {}")
                data = base64.b64encode(text.encode()).decode()
                url = f"data:text/plain;base64,{data}"
                return {"type": "file", "file": {"file_data": url}}, [("document", text)]
            case _:
                content = self._marked("%PDF-1.4\n% {}\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n")
                data = base64.b64encode(content.encode()).decode()
                source = {"type": "base64", "media_type": "application/pdf", "data": data}
                return {"type": "document", "source": source}, [("document", data)]

    # -- messages ---------------------------------------------------------------------

    def user(self) -> None:
        content, atoms = self._content("user")
        self.messages.append({"role": "user", "content": content})
        self.expected.said += atoms

    def system(self) -> None:
        content, atoms = self._content("system")
        self.messages.append({"role": self._one("system", "developer"), "content": content})
        if all(message["role"] in ("system", "developer") for message in self.messages):
            self.expected.system += [text for _, text in atoms if text.strip()]
        else:
            self.expected.said += atoms

    def assistant(self, *, calls: int = 0) -> list[str]:
        """An answer; the ids of its calls."""
        content, atoms = self._content("assistant")
        if calls and self._maybe(0.5):
            content, atoms = self._one(None, ""), []
        form = self._one("tool_calls", "tool_use") if calls else "tool_calls"
        made = [self._call() for _ in range(calls)]
        message: Wire = {"role": "assistant", "content": content}
        if form == "tool_use":
            parts = [{"type": "text", "text": content}] if isinstance(content, str) else content
            uses = [
                {"type": "tool_use", "id": key, "name": call.name, "input": json.loads(arguments)}
                if isinstance(call.input, dict) and "arguments" not in call.input and arguments
                else {"type": "tool_use", "id": key, "name": call.name, "input": arguments}
                for key, call, arguments in made
            ]
            message["content"] = [*(parts or []), *uses]
        elif made:
            message["tool_calls"] = [
                {
                    "id": key,
                    "type": "function",
                    "function": {"name": call.name, "arguments": arguments},
                }
                for key, call, arguments in made
            ]
        self.messages.append(message)
        self.expected.said += atoms
        for _, call, _ in made:
            self.expected.calls.append(call)
            self.expected.said.append(("call", call.name, call.input))
        return [key for key, _, _ in made]

    def _call(self) -> tuple[str, Call, str]:
        match self._one("object", "object", "empty", "broken", "list", "half"):
            case "object":
                value: Any = {"path": self._marked("/{}"), "n": self.random.randint(0, 9)}
                arguments = json.dumps(value)
            case "empty":
                value, arguments = {}, self._one("", "{}")
            case "half":
                text = self._marked("{}\ud83d")
                value, arguments = {"t": whole(text)}, json.dumps({"t": text})
            case "broken":
                arguments = self._marked('{{"a": {}')
                value = {"arguments": arguments}
            case _:
                arguments = self._marked('["{}"]')
                value = {"arguments": arguments}
        return self._one(*IDS), Call(self._one(*TOOLS), value), arguments

    def results(self, ids: list[str], *, whole_set: bool = False) -> None:
        """Results of the last answer's calls: late, twice, out of order, none, with words between."""
        calls = self.expected.calls[-len(ids) :]
        given = list(zip(ids, calls, strict=True))
        # those with one id are told apart by their order alone
        if len(set(ids)) == len(ids):
            self.random.shuffle(given)
            if not whole_set and self._maybe(0.2):
                given.pop()
            if given and self._maybe(0.15):
                given.append(self._one(*given))
        as_parts = self._maybe(0.3)
        parts: list[Wire] = []
        failed: list[Call] = []
        if not given:  # else an assistant's next message would be of the same turn
            text = self._marked("never mind {}")
            self.messages.append({"role": "user", "content": text})
            self.expected.said.append(("user", text))
        self.expected.said.append(RESULTS)
        for key, call in given:
            content, atoms = self._content("result")
            call.results.append(atoms)
            if as_parts:
                part = {"type": "tool_result", "tool_use_id": key, "content": content}
                if self._maybe(0.2) and given.count((key, call)) == 1:
                    part["is_error"] = True
                    failed.append(call)
                parts.append(part)
                continue
            self.messages.append({"role": "tool", "tool_call_id": key, "content": content})
            if self._maybe(0.1):
                self._one(self.user, self.system)()
        for call in (call for call in calls if call in failed):
            # the result of a failed call holds text only: its media come after all results
            [atoms] = call.results
            self.expected.said += [atom for atom in atoms if atom[0] != "result"]
            call.results = [[atom for atom in atoms if atom[0] == "result"]]
        if parts:
            if self._maybe(0.5):
                text = self.text()
                parts.append({"type": "text", "text": text})
                self.expected.said.append(("user", whole(text)))
            self.messages.append({"role": "user", "content": parts})

    # -- whole sequences --------------------------------------------------------------

    def sequence(self) -> None:
        """A few messages as they follow each other in some client; the last is not the assistant's."""
        match self._one("chat", "tools", "tools", "loop", "notes", "odd"):
            case "chat":
                self.user()
                self.assistant()
                self.user()
            case "tools":
                self.user()
                self.results(self.assistant(calls=self.random.randint(1, 3)))
            case "loop":
                self.user()
                for _ in range(self.random.randint(2, 4)):
                    self.results(self.assistant(calls=1))
            case "notes":
                self.user()
                self._one(self.system, self.assistant)()
                self.system()
            case _:
                for _ in range(self.random.randint(2, 5)):
                    self._one(self.user, self.user, self.assistant, self.system)()
                self.user()

    def answered(self, message: Wire) -> list[str]:
        """An answer of the gateway's comes back as a client sends it; the ids of its calls."""
        text = message.get("content") or ""
        echoed: Wire = {"role": "assistant", "content": text or None}
        if text:
            self.expected.said.append(("assistant", text))
        calls = message.get("tool_calls") or []
        for call in calls:
            function = call["function"]
            made = Call(function["name"], json.loads(function["arguments"] or "{}"))
            self.expected.calls.append(made)
            self.expected.said.append(("call", made.name, made.input))
        if calls:
            echoed["tool_calls"] = calls
        self.messages.append(echoed)
        return [call["id"] for call in calls]
