"""Stop sequences that a backend can't be given."""

import pytest

from gateway.errors import InvalidRequest
from gateway_openai.decode.chat import decode, parse
from tests.openai.openai_support import request_body


@pytest.mark.parametrize(("length", "fine"), [(1000, True), (1001, False)])
def test_a_stop_sequence_of_blanks_has_a_limit(length: int, *, fine: bool) -> None:
    body = {**request_body(), "stop": ["\n" * length]}
    if fine:
        assert decode(parse(body)).stop == ("\n" * length,)
        return
    with pytest.raises(InvalidRequest, match="more than 1000 characters") as caught:
        decode(parse(body))
    assert caught.value.param == "stop"
