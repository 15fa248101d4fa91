"""The gateway beside the others: each try asks all of them, so that noise hits all alike."""

import asyncio
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final, TypeVar

from bench import cases
from bench.cases import Body
from bench.clients import at_once
from bench.contenders import Asked, ask_http, ask_spawned
from bench.machine import PATIENCE, Served, get
from bench.pipe import Pipe
from gateway_claude_code.process.launch import Launch
from gateway_claude_code.upstream import Upstream

T = TypeVar("T")

WARM_SECONDS: Final = 2
"""How long a process has run that counts as warm: the floor's, and the gateway's spare."""

PAUSE: Final = 0.3
"""Seconds between an answer and what goes on from it."""

Ask = Callable[[Body], Asked]
Samples = dict[tuple[str, str, str], list[float]]
"""Milliseconds by case, contender and measure."""


def rotated(contenders: list[T], number: int) -> list[T]:
    """Another one begins each time."""
    first = number % len(contenders)
    return contenders[first:] + contenders[:first]


@dataclass
class Comparison:
    """Who is compared; `proxy` is None where it can't be had."""

    upstream: Upstream
    launch: Launch
    gateway: Served
    proxy: Served | None
    samples: Samples = field(default_factory=lambda: defaultdict(list))
    failures: list[str] = field(default_factory=list)

    def run(self, tries: int) -> None:
        """The cases of one client, `tries` times."""
        for number in range(tries):
            print(f"  try {number + 1} of {tries}", flush=True)
            for name, make, goes_on in (
                ("new", cases.new, "continued"),
                ("tools", cases.tool, "tool results"),
                ("200 messages", cases.history, ""),
                ("image", cases.image, ""),
            ):
                self._one_client(number, name, make, goes_on)

    def _one_client(
        self, number: int, name: str, make: Callable[[str], Body], goes_on: str
    ) -> None:
        def gateway() -> None:
            self.until_quiet()
            self._conversation("gateway", name, make, goes_on, self.ask_gateway)

        def floor() -> None:
            pipe = Pipe(self.launch)
            try:
                time.sleep(WARM_SECONDS)
                self._conversation("floor", name, make, goes_on, pipe.ask)
            finally:
                pipe.close()

        def spawned() -> None:
            self._conversation("spawned", name, make, goes_on, self.spawn)

        def proxy() -> None:
            if self.proxy is not None and name in ("new", "200 messages"):
                self._conversation("proxy", name, make, goes_on, self.ask_proxy)

        for ask in rotated([gateway, floor, spawned, proxy], number):
            with self.noted(f"{name}, {ask.__name__}"):
                ask()
            self.until_quiet(warm=0)

    def ask_gateway(self, body: Body) -> Asked:
        return ask_http(self.gateway.url, body)

    def ask_proxy(self, body: Body) -> Asked:
        if self.proxy is None:
            raise RuntimeError("the proxy is missing")
        return ask_http(self.proxy.url, body)

    def spawn(self, body: Body) -> Asked:
        """Ask a process of the request's own."""
        return asyncio.run(ask_spawned(self.launch, body))

    def servers(self) -> dict[str, Ask]:
        """The contenders that any number of clients can ask at once."""
        asks: dict[str, Ask] = {"gateway": self.ask_gateway, "spawned": self.spawn}
        if self.proxy is not None:
            asks["proxy"] = self.ask_proxy
        return asks

    def _conversation(
        self, who: str, name: str, make: Callable[[str], Body], goes_on: str, ask: Ask
    ) -> None:
        sign = cases.mark()
        body = make(sign)
        asked = ask(body)
        self.keep(who, name, sign, asked)
        if goes_on:
            time.sleep(PAUSE)
            sign = cases.mark()
            answer = asked.message or answer_of(name)
            self.keep(who, goes_on, sign, ask(cases.further(body, answer, sign)))

    def many(
        self, name: str, clients: int, tries: int, make: Callable[[str], Body] = cases.new
    ) -> None:
        """So many clients with new conversations at once."""
        asks = self.servers()
        for number in range(tries):
            print(f"  {name}, try {number + 1} of {tries}", flush=True)
            for who in rotated(list(asks), number):
                self.until_quiet()
                self._at_once(who, name, asks[who], clients, make)

    def _at_once(
        self, who: str, name: str, ask: Ask, clients: int, make: Callable[[str], Body]
    ) -> None:
        def one() -> None:
            with self.noted(f"{name}, {who}"):
                sign = cases.mark()
                self.keep(who, name, sign, ask(make(sign)))

        at_once(one, clients, clients)

    def keep(self, who: str, name: str, sign: str, asked: Asked) -> None:
        """Note the times of an answer."""
        arrived = cases.arrival(self.upstream, sign, asked.sent)
        self.samples[name, who, "upstream"].append((arrived - asked.sent) * 1000)
        self.samples[name, who, "first token"].append((asked.first - asked.sent) * 1000)

    @contextmanager
    def noted(self, what: str) -> Iterator[None]:
        """Go on if this fails, but tell of it."""
        try:
            yield
        except Exception as error:  # noqa: BLE001 - one lost try is told of and is no end
            self.failures.append(f"{what}: {error!r}")

    def until_quiet(self, warm: float = WARM_SECONDS) -> None:
        """Wait until the gateway has its spares again, and they are warm."""
        end, since, before = time.monotonic() + PATIENCE, time.monotonic(), None
        while time.monotonic() < end:
            now = get(f"{self.gateway.url}/health")["claude_code"].get("processes")
            if now != before or not now or now["busy"] or not now["spare"]:
                before, since = now, time.monotonic()
            elif time.monotonic() - since >= warm:
                return
            time.sleep(0.05)
        raise RuntimeError(f"the gateway has no spare: {before}")


def answer_of(name: str) -> Body:
    """What the stand-in said to those that don't hand the answer on."""
    message: Body = {"role": "assistant", "content": cases.SAID}
    if name != "tools":
        return message
    call = {"name": "look", "arguments": '{"at": "the sea"}'}
    calls = [{"id": "toolu_1", "type": "function", "function": call}]
    return {"role": "assistant", "content": None, "tool_calls": calls}
