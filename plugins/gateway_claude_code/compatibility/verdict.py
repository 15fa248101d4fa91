"""The verdict on each CLI: whether it may serve, by the findings about it. No I/O.

A CLI that was not checked yet serves meanwhile: the check takes seconds, and a request can't wait.
"""

from collections.abc import Sequence
from typing import Any, Final

import anyio

from gateway.errors import BackendUnavailable
from gateway.machine.command_name import command_line
from gateway_claude_code.compatibility.behaviours import HISTORY, REUSE, SAFETY
from gateway_claude_code.compatibility.findings import Finding, differing
from gateway_claude_code.process.launch import Program

ALLOW_KEY: Final = "plugins.claude_code.allow_unsafe_cli"


class CliVerdict:
    """Knows the findings about each program. With `allow_unsafe` all may serve."""

    def __init__(self, *, allow_unsafe: bool = False) -> None:
        self._allow_unsafe = allow_unsafe
        self._findings: dict[Program, Sequence[Finding]] = {}
        self._current: Program | None = None
        self._news = anyio.Event()

    def notice(self, program: Program) -> None:
        """Note that this program is the one to be run from now on."""
        if program != self._current:
            self._current = program
            self._news.set()

    def admit(self, program: Program) -> None:
        """Note that this program is to be run. Raises `BackendUnavailable` if it must not be."""
        self.notice(program)
        if (why := self.refusal) is not None:
            raise BackendUnavailable(why, should_retry=False)

    @property
    def refusal(self) -> str | None:
        """Why the program that is to be run does not serve, and what to do; None if it does."""
        if self._allow_unsafe or self._current is None:
            return None
        unsafe = [found for found in self._differing(self._current) if found.name in SAFETY]
        if not unsafe:
            return None
        named = "; ".join(f"{found.title}: {found.seen}" for found in unsafe)
        return (
            f"The Claude Code CLI {self._current.path} is not safe to use ({named}). "
            f"`{command_line('doctor', anywhere=True)}` shows details; {ALLOW_KEY}: true uses it anyway."
        )

    def takes_history(self, program: Program) -> bool:
        """Whether the earlier turns of a conversation can be given to it as turns."""
        return all(found.name != HISTORY for found in self._differing(program))

    def rewinds(self, program: Program) -> bool:
        """Whether its processes can be given another conversation."""
        return all(found.name not in REUSE for found in self._differing(program))

    def learn(self, program: Program, findings: Sequence[Finding]) -> None:
        """Take the findings about a program; none, if it could not be checked."""
        self._findings[program] = findings

    async def next_unknown(self) -> Program:
        """Wait until a program is to be run of which nothing is known."""
        while self._current is None or self._current in self._findings:
            self._news = anyio.Event()
            await self._news.wait()
        return self._current

    @property
    def health(self) -> dict[str, Any]:
        """For `/health`: what is known of the program that is to be run."""
        findings = self._findings.get(self._current, ()) if self._current is not None else ()
        if not findings:
            return {"checked": False}
        return {
            "checked": True,
            "differs": [found.name for found in findings if found.verdict == "differs"],
            "unknown": [found.name for found in findings if found.verdict == "unknown"],
        }

    def _differing(self, program: Program) -> list[Finding]:
        return differing(self._findings.get(program, ()))
