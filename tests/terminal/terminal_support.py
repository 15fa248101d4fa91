"""The type of the fixture `run`, for the tests' signatures."""

from collections.abc import Callable

from click.testing import Result

Run = Callable[..., Result]
"""Runs `dragoman` with these words; `stdin` is what is piped in."""
