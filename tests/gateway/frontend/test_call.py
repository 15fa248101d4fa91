"""A decoded call: what a plugin's decoding may not return."""

import pytest

from gateway.frontend import Call
from gateway.testing import request


def test_the_choices_are_the_requests() -> None:
    assert Call(requests=(request(), request())).choices == 2


def test_a_call_without_a_request_is_a_mistake() -> None:
    """Nothing would ever answer it."""
    with pytest.raises(ValueError, match="at least one request"):
        Call(requests=())


def test_an_empty_stop_sequence_is_a_mistake() -> None:
    """It would cut every answer at its beginning."""
    with pytest.raises(ValueError, match="must not be empty"):
        Call(requests=(request(),), stop=("\n", ""))
