"""The real CLI, as the end-to-end tests find it."""

from tests.e2e.conftest import cli_command

__all__ = ["cli_command"]
