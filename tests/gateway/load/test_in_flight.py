"""How many calls a backend answers at the same time."""

from collections.abc import Callable

import pytest

from gateway.context import AnswerGroup, RequestContext
from gateway.errors import GatewayBusy, Overloaded
from gateway.pipeline.gateway import CoreGateway
from gateway.streams import collect
from gateway.testing import SCRIPTED, ScriptedBackend
from tests.gateway.core_support import plugin, request_for

GatewayWith = Callable[..., CoreGateway]
TWO = {"limits": {"calls": 2}}


def context(group: AnswerGroup | None = None) -> RequestContext:
    return RequestContext(request_id="req_1", group=group or AnswerGroup())


async def test_one_too_many_is_refused_until_another_has_ended(gateway_with: GatewayWith) -> None:
    gateway = gateway_with(ScriptedBackend(), config=TWO)
    first = await gateway.open(request_for(), context())
    second = await gateway.open(request_for(), context())
    with pytest.raises(GatewayBusy, match=r"limits\.calls") as refused:
        await gateway.open(request_for(), context())
    assert (refused.value.status, refused.value.retry_after) == (503, 1)
    await collect(first)
    await collect(await gateway.open(request_for(), context()))
    await second.aclose()
    assert not any(gateway.in_flight._answers.values())


async def test_the_answers_to_one_call_are_one(gateway_with: GatewayWith) -> None:
    gateway = gateway_with(ScriptedBackend(), config=TWO)
    group = AnswerGroup()
    streams = [await gateway.open(request_for(), context(group)) for _ in range(5)]
    await gateway.open(request_for(), context())
    for stream in streams[:4]:
        await stream.aclose()
    with pytest.raises(GatewayBusy):
        await gateway.open(request_for(), context())
    await streams[4].aclose()
    await gateway.open(request_for(), context())


async def test_an_answer_that_could_not_begin_takes_no_place(gateway_with: GatewayWith) -> None:
    def gateway_wrap_stream() -> object:
        raise Overloaded("no")

    gateway = gateway_with(ScriptedBackend(), plugin(gateway_wrap_stream), config=TWO)
    for _ in range(3):
        with pytest.raises(Overloaded, match="no"):
            await gateway.open(request_for(), context())


async def test_a_backend_that_limits_itself_is_left_alone(gateway_with: GatewayWith) -> None:
    gateway = gateway_with(ScriptedBackend(), config=TWO)
    gateway.in_flight.self_limiting.add(SCRIPTED)
    for _ in range(3):
        await gateway.open(request_for(), context())
