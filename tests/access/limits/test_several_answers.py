"""A key's limits, where one call asks for several answers."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass, field

import anyio
import anyio.lowlevel
import pytest

from gateway import hookimpl
from gateway.context import AnswerGroup, RequestContext
from gateway.testing import text_answer
from gateway.types import ChatRequest, StreamEvent, Target
from gateway_access.limits.places import Places
from tests.access.access_support import KEY, OTHER, BuildApp, ask, bearer, stored


@dataclass
class Held:
    """A backend that answers, in order, as it is let: `go` has an event for each answer."""

    begun: list[str] = field(default_factory=list)
    go: list[anyio.Event] = field(default_factory=list)
    running: int = 0
    most: int = 0

    @hookimpl
    def gateway_open_stream(
        self, request: ChatRequest, target: Target, ctx: RequestContext
    ) -> AsyncGenerator[StreamEvent]:
        return self._answer(str(request.messages[0].parts[0]))

    async def _answer(self, asked: str) -> AsyncGenerator[StreamEvent]:
        self.begun.append("plain" if "plain" in asked else "call")
        self.running += 1
        self.most = max(self.most, self.running)
        try:
            event = anyio.Event()
            self.go.append(event)
            await event.wait()
            for each in text_answer("Hello"):
                yield each
        finally:
            self.running -= 1

    async def next_begun(self, number: int) -> None:
        """Wait until so many answers have begun."""
        with anyio.fail_after(30):
            while len(self.begun) < number:
                await anyio.lowlevel.checkpoint()


def message(text: str) -> dict[str, object]:
    return {"messages": [{"role": "user", "content": text}]}


@pytest.mark.parametrize("stream", [False, True])
async def test_a_key_runs_so_many_answers_at_the_same_time(
    build_app: BuildApp, stream: bool
) -> None:
    backend = Held()
    app = build_app(backend, keys=[stored(concurrent=3)])
    statuses: list[int] = []

    async def call() -> None:
        answer = await ask(app, bearer(), n=8, stream=stream)
        statuses.append(answer.status_code)
        assert stream or len(answer.json()["choices"]) == 8

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(call)
        for number in range(8):
            await backend.next_begun(min(8, number + 3))
            await anyio.wait_all_tasks_blocked()
            assert len(backend.begun) == min(8, number + 3)
            backend.go[number].set()
    assert (statuses, backend.most, backend.running) == ([200], 3, 0)


async def test_another_request_of_the_key_has_its_turn_between_a_calls_answers(
    build_app: BuildApp,
) -> None:
    backend = Held()
    app = build_app(backend, keys=[stored(concurrent=2)])

    async def call(text: str, n: int) -> None:
        assert (await ask(app, bearer(), n=n, **message(text))).status_code == 200

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(call, "many", 6)
        await backend.next_begun(2)
        tasks.start_soon(call, "plain", 1)
        await anyio.wait_all_tasks_blocked()
        # two calls are on their way, and a third is refused as ever
        assert (await ask(app, bearer())).status_code == 429
        for number in range(7):
            await backend.next_begun(number + 1)
            backend.go[number].set()
            await anyio.wait_all_tasks_blocked()
    assert backend.begun.index("plain") == 3
    assert backend.most == 2


async def test_who_leaves_while_waiting_leaves_no_place_taken(build_app: BuildApp) -> None:
    backend = Held()
    app = build_app(backend, keys=[stored(concurrent=1)])
    with anyio.CancelScope() as scope:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(lambda: ask(app, bearer(), n=4))
            await backend.next_begun(1)
            await anyio.wait_all_tasks_blocked()
            scope.cancel()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(lambda: ask(app, bearer()))
        await backend.next_begun(2)
        backend.go[1].set()
    assert backend.running == 0


async def test_a_place_that_is_given_to_one_who_has_left_goes_on_to_the_next() -> None:
    places = Places(1)
    await places.acquire(RequestContext(request_id="a"))
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(places.acquire, RequestContext(request_id="b"))
        await anyio.wait_all_tasks_blocked()
        tasks.cancel_scope.cancel()
        places.release()  # to b, which does not know yet that it was cancelled
    with anyio.fail_after(5):
        await places.acquire(RequestContext(request_id="c"))


async def test_calls_take_turns_for_places() -> None:
    places, served = Places(1), list[str]()
    large, small = AnswerGroup(), AnswerGroup()
    await places.acquire(RequestContext(request_id="first"))

    async def wait(name: str, group: AnswerGroup) -> None:
        await places.acquire(RequestContext(request_id=name, group=group))
        served.append(name)

    async with anyio.create_task_group() as tasks:
        for name, group in [("l1", large), ("l2", large), ("l3", large), ("s1", small)]:
            tasks.start_soon(wait, name, group)
            await anyio.wait_all_tasks_blocked()
        for _ in range(4):
            places.release()
            await anyio.wait_all_tasks_blocked()
    assert served == ["l1", "s1", "l2", "l3"]


async def test_more_answers_than_the_requests_of_a_minute_are_a_wrong_request(
    build_app: BuildApp,
) -> None:
    app = build_app(keys=[stored(requests_per_minute=4), stored("other", OTHER)])
    refused = await ask(app, bearer(), n=5)
    assert refused.status_code == 400
    assert refused.json()["error"]["param"] == "n"
    assert "4 requests per minute" in refused.json()["error"]["message"]
    assert (await ask(app, bearer(OTHER), n=5)).status_code == 200


async def test_more_answers_than_are_left_of_the_minute_are_refused_for_now(
    build_app: BuildApp,
) -> None:
    app = build_app(keys=[stored(requests_per_minute=600)])
    assert (await ask(app, bearer(KEY), n=128)).status_code == 200
    for _ in range(3):
        await ask(app, bearer(KEY), n=128)
    refused = await ask(app, bearer(KEY), n=128)
    assert refused.status_code == 429
    assert refused.json()["error"]["code"] == "rate_limit_exceeded"
    assert int(refused.headers["retry-after"]) > 0
    assert int(refused.headers["x-ratelimit-remaining-requests"]) < 128
