"""The gateway beside the others: each try asks all of them, so that noise hits all alike."""

import asyncio
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from bench import cases
from bench.cases import Body
from bench.contenders import Asked, Pipe, ask_http, ask_spawned
from bench.machine import PATIENCE, get
from gateway_claude_code.process.launch import Launch
from gateway_claude_code.upstream import Upstream

WARM_SECONDS: Final = 2
"""How long a process has run that counts as warm: the floor's, and the gateway's spare."""

PAUSE: Final = 0.3
"""Seconds between an answer and what goes on from it."""

Ask = Callable[[Body], Asked]
Samples = dict[tuple[str, str, str], list[float]]
"""Milliseconds by case, contender and measure."""


@dataclass
class Comparison:
    """Who is compared; `proxy` is None where it can't be had."""

    upstream: Upstream
    launch: Launch
    gateway: str
    proxy: str | None
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
            self._conversation("gateway", name, make, goes_on, lambda b: ask_http(self.gateway, b))

        def floor() -> None:
            pipe = Pipe(self.launch)
            try:
                time.sleep(WARM_SECONDS)
                self._conversation("floor", name, make, goes_on, pipe.ask)
            finally:
                pipe.close()

        def spawned() -> None:
            self._conversation("spawned", name, make, goes_on, self._spawn)

        def proxy() -> None:
            if self.proxy is not None and name in ("new", "200 messages"):
                url = self.proxy
                self._conversation("proxy", name, make, goes_on, lambda b: ask_http(url, b))

        order = [gateway, floor, spawned, proxy]
        for ask in order[number % 4 :] + order[: number % 4]:
            with self._noted(f"{name}, {ask.__name__}"):
                ask()
            self.until_quiet(warm=0)

    def _spawn(self, body: Body) -> Asked:
        return asyncio.run(ask_spawned(self.launch, body))

    def _conversation(
        self, who: str, name: str, make: Callable[[str], Body], goes_on: str, ask: Ask
    ) -> None:
        sign = cases.mark()
        body = make(sign)
        asked = ask(body)
        self._keep(who, name, sign, asked)
        if goes_on:
            time.sleep(PAUSE)
            sign = cases.mark()
            answer = asked.message or _answer_of(name)
            self._keep(who, goes_on, sign, ask(cases.further(body, answer, sign)))

    def many(self, clients: int, tries: int) -> None:
        """So many clients with new conversations at once."""
        asks: dict[str, Ask] = {"gateway": lambda b: ask_http(self.gateway, b)}
        asks["spawned"] = self._spawn
        if self.proxy is not None:
            url = self.proxy
            asks["proxy"] = lambda b: ask_http(url, b)
        for number in range(tries):
            print(f"  {clients} clients, try {number + 1} of {tries}", flush=True)
            names = list(asks)
            for who in names[number % len(names) :] + names[: number % len(names)]:
                self.until_quiet()
                self._at_once(who, asks[who], clients)

    def _at_once(self, who: str, ask: Ask, clients: int) -> None:
        name = f"{clients} clients"

        def one() -> None:
            with self._noted(f"{name}, {who}"):
                sign = cases.mark()
                self._keep(who, name, sign, ask(cases.new(sign)))

        threads = [threading.Thread(target=one) for _ in range(clients)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _keep(self, who: str, name: str, sign: str, asked: Asked) -> None:
        arrived = cases.arrival(self.upstream, sign)
        self.samples[name, who, "upstream"].append((arrived - asked.sent) * 1000)
        self.samples[name, who, "first token"].append((asked.first - asked.sent) * 1000)

    @contextmanager
    def _noted(self, what: str) -> Iterator[None]:
        try:
            yield
        except Exception as error:  # noqa: BLE001 - one lost try is told of and is no end
            self.failures.append(f"{what}: {error!r}")

    def until_quiet(self, warm: float = WARM_SECONDS) -> None:
        """Wait until the gateway has its spares again, and they are warm."""
        end, since, before = time.monotonic() + PATIENCE, time.monotonic(), None
        while time.monotonic() < end:
            now = get(f"{self.gateway}/health")["claude_code"].get("processes")
            if now != before or not now or now["busy"] or not now["spare"]:
                before, since = now, time.monotonic()
            elif time.monotonic() - since >= warm:
                return
            time.sleep(0.05)
        raise RuntimeError(f"the gateway has no spare: {before}")


def _answer_of(name: str) -> Body:
    """What the stand-in said to those that don't hand the answer on."""
    message: Body = {"role": "assistant", "content": cases.SAID}
    if name != "tools":
        return message
    call = {"name": "look", "arguments": '{"at": "the sea"}'}
    calls = [{"id": "toolu_1", "type": "function", "function": call}]
    return {"role": "assistant", "content": None, "tool_calls": calls}
