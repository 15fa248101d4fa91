"""Errors out of task groups, as their callers know them."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from gateway.errors import ConfigurationError, GatewayError

__all__ = [
    "raising_plainly",
]

log = logging.getLogger("gateway")

_TELLING = (GatewayError, ConfigurationError, KeyboardInterrupt, SystemExit)
"""Errors that callers catch; the first of these kinds that is found is raised."""


@contextmanager
def raising_plainly() -> Iterator[None]:
    """Raise one error out of a task group as it is, not in the group that anyio puts it in.

    A task that fails cancels the others, and on a busy machine some of those fail as well. Of
    several errors, the gateway's own is raised, as it has words for the user; several others stay
    together, for the log. (`except*` does not help: if it leaves an error unhandled, an error that is
    raised in it is wrapped again.)
    """
    try:
        yield
    except BaseExceptionGroup as group:
        errors = list(_leaves(group))
        telling = (each for kind in _TELLING for each in errors if isinstance(each, kind))
        error = next(telling, errors[0] if len(errors) == 1 else group)
        if error is not group and len(errors) > 1:
            log.debug("an error was raised alone", exc_info=group)
        raise error from error.__cause__


def _leaves(group: BaseExceptionGroup[BaseException]) -> Iterator[BaseException]:
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            yield from _leaves(error)
        else:
            yield error
