"""Redaction takes time in proportion to the text, whatever the text is: it runs on every log line.

A pattern that backtracks takes seconds for the texts below, and one that does not a few
milliseconds. Seconds of the processor are counted, which other programs do not lengthen.
"""

import time
from collections.abc import Iterator

import pytest

from gateway.secrets.patterns import redact
from tests.gateway.secrets.secret_examples import EXAMPLES

CHARACTERS = 100_000
SECONDS = 0.7

NAMES = ("pwd", "token", "api_key")
AFTER_NAMES = (':"a1b2c3d4e5f6",', "=", ':"', "=a.", '\\"', "=a1b2c3d4 ", "=bearer ")


def hostile(beginning: str) -> Iterator[str]:
    """Many beginnings of a secret, and one that goes on for long without becoming one."""
    for between in ("", "-", "."):
        unit = beginning + between
        yield unit * (CHARACTERS // len(unit))
    for filling in ("a", "0", "-"):
        yield beginning + filling * CHARACTERS


def seconds(text: str) -> float:
    started = time.process_time()
    redact(text)
    return time.process_time() - started


@pytest.mark.parametrize("rule", EXAMPLES)
def test_the_beginnings_of_a_secret(rule: str) -> None:
    before, secret, _, _ = EXAMPLES[rule]
    for beginning in (before + secret[:6], before + secret[:-1]):
        for text in hostile(beginning):
            assert seconds(text) < SECONDS, text[:60]


@pytest.mark.parametrize("name", NAMES)
def test_names_of_secrets(name: str) -> None:
    for after in AFTER_NAMES:
        for text in hostile(name + after):
            assert seconds(text) < SECONDS, text[:60]
