"""Which error comes out of task groups."""

import anyio
import pytest

from gateway.errors import BackendUnavailable, ConfigurationError
from gateway.task_groups import raising_plainly

OURS = BackendUnavailable("the CLI is not there")


@pytest.mark.parametrize(
    "group",
    [
        ExceptionGroup("", [OURS]),
        ExceptionGroup("", [ExceptionGroup("", [OURS])]),
        ExceptionGroup("", [OSError("no room"), ExceptionGroup("", [ValueError(), OURS])]),
        BaseExceptionGroup("", [KeyboardInterrupt(), OURS]),
    ],
)
def test_the_gateways_own_error_comes_first(group: BaseException) -> None:
    with pytest.raises(BackendUnavailable) as raised, raising_plainly():
        raise group
    assert raised.value is OURS


@pytest.mark.parametrize("error", [ConfigurationError("no"), KeyboardInterrupt(), OSError("full")])
def test_one_error_alone_comes_as_it_is(error: BaseException) -> None:
    with pytest.raises(type(error)) as raised, raising_plainly():
        raise BaseExceptionGroup("", [BaseExceptionGroup("", [error])])
    assert raised.value is error


def test_several_of_no_meaning_stay_together() -> None:
    with pytest.raises(ExceptionGroup), raising_plainly():
        raise ExceptionGroup("", [OSError(), ValueError()])


async def test_what_the_cancelled_tasks_raise_does_not_hide_it() -> None:
    """A task that is cancelled fails in its own cleaning up: so on a busy machine."""

    async def fails_when_cancelled() -> None:
        try:
            await anyio.sleep_forever()
        finally:
            raise TimeoutError

    async def fails() -> None:
        async with anyio.create_task_group() as outer:
            outer.start_soon(fails_when_cancelled)
            await anyio.lowlevel.checkpoint()
            async with anyio.create_task_group():
                raise OURS

    with pytest.raises(BackendUnavailable), raising_plainly():
        await fails()
