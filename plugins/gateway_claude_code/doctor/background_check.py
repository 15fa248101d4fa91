"""The gateway's own check of each CLI that it will run, in the background."""

import logging
import os
from collections.abc import AsyncGenerator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Final

import anyio

from gateway.errors import GatewayBusy, GatewayError
from gateway.machine.command_name import command_line
from gateway_claude_code.compatibility.behaviours import are_decisive
from gateway_claude_code.compatibility.findings import Finding, differing
from gateway_claude_code.compatibility.known_findings import KnownFindings, findings_file
from gateway_claude_code.compatibility.verdict import CliVerdict
from gateway_claude_code.config import ClaudeCodeConfig
from gateway_claude_code.doctor.scenarios.rig import Cli
from gateway_claude_code.doctor.scenarios.table import SAFE_TO_SERVE, look_at
from gateway_claude_code.login.status import cli_version
from gateway_claude_code.pool.admission import Slots
from gateway_claude_code.process.launch import Program

log = logging.getLogger("gateway_claude_code")

CALLER: Final = "(the gateway's check of the CLI)"
FULL_SECONDS: Final = 5
"""The pause while the queue for processes is full."""
AGAIN_SECONDS: Final = 900
"""The pause after a check in which something was not seen, as on a busy machine."""


async def check_in_background(
    verdict: CliVerdict, config: ClaudeCodeConfig, environ: Mapping[str, str], slots: Slots
) -> None:
    """Check every program that has no verdict yet, one at a time, and again after a doubtful check.

    Its processes take slots like those of requests, so that the limit of processes holds; they
    queue as one more caller. Between two scenarios the slot is free for others.
    """
    program = await verdict.next_unknown()
    while True:
        findings: list[Finding] = []
        try:
            findings = await _findings(program, config, environ, slots)
        except (GatewayError, OSError) as error:
            log.warning("the CLI %s can't be tested: %s", program.path, error)
        verdict.learn(program, findings)
        _log(program, findings)
        is_doubtful = findings and not are_decisive(findings)
        program = await _next(verdict, program if is_doubtful else None)


async def _next(verdict: CliVerdict, doubtful: Program | None) -> Program:
    """The next program to check; the doubtful one again, if no other comes for a while."""
    if doubtful is None:
        return await verdict.next_unknown()
    with anyio.move_on_after(AGAIN_SECONDS):
        return await verdict.next_unknown()
    return doubtful


async def _findings(
    program: Program, config: ClaudeCodeConfig, environ: Mapping[str, str], slots: Slots
) -> list[Finding]:
    """The remembered findings about this CLI, or else new ones."""
    version = await cli_version(program.path, config, environ)
    if version is None:
        return []
    known = KnownFindings(findings_file(os.environ))
    if (remembered := known.recall(program, version)) is not None:
        return remembered
    turn = anyio.CapacityLimiter(1)

    @asynccontextmanager
    async def slot() -> AsyncGenerator[None]:
        async with turn, AsyncExitStack() as stack:
            await _enter(stack, slots)
            yield

    cli = Cli(path=program.path, version=version, seconds=config.start_seconds)
    findings = await look_at(cli, SAFE_TO_SERVE, slot)
    known.keep(program, version, findings)
    return findings


async def _enter(stack: AsyncExitStack, slots: Slots) -> None:
    while True:
        try:
            await stack.enter_async_context(slots.aside(CALLER))
            return
        except GatewayBusy:
            await anyio.sleep(FULL_SECONDS)


def _log(program: Program, findings: list[Finding]) -> None:
    if found := differing(findings):
        log.warning(
            "the CLI %s does not behave as required: %s; `%s` shows details",
            program.path,
            "; ".join(f"{finding.name} ({finding.seen})" for finding in found),
            command_line("doctor"),
        )
    unknown = [finding.name for finding in findings if finding.verdict == "unknown"]
    if unknown:
        log.info(
            "the CLI %s could not be checked for these behaviours: %s",
            program.path,
            ", ".join(unknown),
        )
