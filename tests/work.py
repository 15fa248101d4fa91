"""How much work a function does, in lines of Python that it runs: the same on a busy machine."""

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any, Final

LINEAR: Final = 2.5
"""The most that twice the input may cost, as a multiple; quadratic work would be 4."""


def lines(function: Callable[[], object]) -> int:
    """The lines of Python that the call runs, its callees' included."""
    count = 0

    def trace(frame: FrameType, event: str, argument: Any) -> Any:
        nonlocal count
        count += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        function()
    finally:
        sys.settrace(before)
    return count


def is_linear(work: Callable[[int], Callable[[], object]], size: int) -> bool:
    """Whether twice the input costs about twice the lines. `work(size)` makes the call of a size."""
    small, large = lines(work(size)), lines(work(2 * size))
    assert small > size / 100, f"{small} lines for {size}: nothing was counted"
    return large <= LINEAR * small
