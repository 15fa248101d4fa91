"""Whether text may have colours: on a terminal, and unless `NO_COLOR` says no (no-color.org)."""

import os
from typing import IO, Any

import click


def wants_colour(stream: IO[Any]) -> bool:
    """Whether a stream is a terminal whose user wants colours."""
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return False
    try:
        return stream.isatty()
    except ValueError:  # closed
        return False


class Paint:
    """Gives texts their colours, or leaves them plain."""

    def __init__(self, *, colour: bool) -> None:
        self._colour = colour

    def good(self, text: str) -> str:
        """A state that is fine."""
        return self._styled(text, fg="green")

    def bad(self, text: str) -> str:
        """A state that needs action."""
        return self._styled(text, fg="red")

    def notable(self, text: str) -> str:
        """A state worth noticing."""
        return self._styled(text, fg="yellow")

    def strong(self, text: str) -> str:
        """Titles, and text to copy."""
        return self._styled(text, bold=True)

    def quiet(self, text: str) -> str:
        """Names of rows."""
        return self._styled(text, dim=True)

    def _styled(self, text: str, **style: Any) -> str:  # noqa: ANN401
        return click.style(text, **style) if self._colour else text
