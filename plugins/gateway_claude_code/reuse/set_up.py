"""The requests that a process may serve in its life, and the one that it is wanted for. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from gateway_claude_code.process.launch import Launch
from gateway_claude_code.request.canonical import Digest


@dataclass(frozen=True, slots=True)
class SetUp:
    """All that is fixed for a process: how it was started, for whom, and what it was told first.

    `digest` is of the model, the system prompt and the schema of the CLI's own tool (`set_up_digest`).
    Processes serve one caller only.
    """

    launch: Launch
    caller: str
    digest: Digest


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A conversation that a process is wanted for.

    `opening` is the digest of what changes in an empty conversation only, such as the tools, and
    `prefixes` are those of the conversation up to each turn, the one to be asked included.
    `may_exchange_tools`: whether a process that has other tools will do.
    """

    set_up: SetUp
    opening: Digest
    prefixes: Sequence[Digest]
    may_exchange_tools: bool = True
