"""More requests than the loop can answer: a share of them is refused, and quickly."""

import pytest

from gateway.shed_share import FEW, LATE_SECONDS, LEAST, LOOKS, Shedding
from gateway.shedding import is_whole_request

LATE = LATE_SECONDS * 2
POST = b"POST /v1/chat/completions HTTP/1.1\r\nhost: a\r\n"


def shedding(*late: float, chance: float = 0.5) -> Shedding:
    made = Shedding(chance=lambda: chance)
    for seconds in late:
        made.note(seconds)
    return made


@pytest.mark.parametrize(
    ("late", "all_in"),
    [
        ([], True),
        ([LATE] * (LOOKS - 1), True),
        ([10.0, 0, LATE], True),  # a single stall, however long
        ([LATE] * LOOKS, False),
        ([LATE_SECONDS] * LOOKS, True),
    ],
)
def test_only_a_loop_that_stays_late_sheds(late: list[float], all_in: bool) -> None:
    assert (shedding(*late).admitted_share == 1) is all_in


def test_the_share_falls_to_its_least_and_comes_back() -> None:
    made = shedding(*[LATE] * 100)
    assert made.admitted_share == LEAST
    for _ in range(100):
        made.note(0)
    assert made.admitted_share == 1


@pytest.mark.parametrize(
    ("chance", "active", "refused"),
    [(0.99, FEW, True), (0.99, FEW - 1, False), (0.0, FEW, False)],
)
def test_a_share_of_the_requests_is_refused_where_many_are_in_progress(
    chance: float, active: int, refused: bool
) -> None:
    late = shedding(*[LATE] * LOOKS, chance=chance)
    assert late.refuses(active) is refused
    assert late.report() == ({"refused": 1} if refused else {})
    assert not shedding(chance=chance).refuses(active)


@pytest.mark.parametrize(
    ("data", "whole"),
    [
        (POST + b"content-length: 2\r\n\r\n{}", True),
        (POST + b"Content-Length: 2\r\nConnection: keep-alive\r\n\r\n{}", True),
        (POST + b"content-length: 3\r\n\r\n{}", False),
        (POST + b"content-length: 2\r\n\r\n{}" + POST, False),
        (POST + b"content-length: 2\r\ncontent-length: 2\r\n\r\n{}", False),
        (POST + b"content-length: -2\r\n\r\n{}", False),
        (POST + b"content-length: 2\r\ntransfer-encoding: chunked\r\n\r\n{}", False),
        (POST + b"content-length: 2\r\norigin: https://a\r\n\r\n{}", False),
        (POST + b"content-length: 2\r\nconnection: close\r\n\r\n{}", False),
        (POST + b"content-length: 2\r\nexpect: 100-continue\r\n\r\n{}", False),
        (POST + b"\r\n{}", False),
        (POST + b"content-length: 2\r\n", False),
    ],
)
def test_a_quick_answer_is_for_whole_and_plain_requests_only(data: bytes, whole: bool) -> None:
    assert is_whole_request(data) is whole
