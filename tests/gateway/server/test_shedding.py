"""More requests than the loop can answer: new ones are refused, and quickly."""

import pytest

from gateway.load.saturation import BUSY_SHARE, FEW, LATE_SECONDS, LOOKS, MANY, Saturation
from gateway.server.shedding import is_whole_request

LATE, OWN = LATE_SECONDS * 2, 0.9
POST = b"POST /v1/chat/completions HTTP/1.1\r\nhost: a\r\n"


def saturation(*looks: tuple[float, float]) -> Saturation:
    made = Saturation()
    for late, busy in looks:
        made.note(late, busy)
    return made


@pytest.mark.parametrize(
    ("looks", "active", "refused"),
    [
        ([], MANY, False),
        ([(LATE, OWN)] * LOOKS, FEW, True),
        ([(LATE, OWN)] * LOOKS, FEW - 1, False),
        ([(LATE, OWN)] * (LOOKS - 1), FEW, False),
        ([(10, OWN), (0, OWN), (LATE, OWN)], FEW, False),  # single stalls, however long
        ([(LATE_SECONDS, OWN)] * LOOKS, FEW, False),
        ([(LATE, BUSY_SHARE)] * LOOKS, MANY, False),  # other programs have the processors
        ([*[(LATE, OWN)] * LOOKS, (0, OWN)], FEW, False),
        ([(0, OWN)], MANY, True),
        ([(0, OWN)], MANY - 1, False),
        ([(0, OWN), (0, 0)], MANY, False),
    ],
)
def test_only_more_work_of_its_own_than_can_be_done_is_too_much(
    looks: list[tuple[float, float]], active: int, refused: bool
) -> None:
    assert saturation(*looks).refuses(active) is refused


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
