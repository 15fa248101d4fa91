"""Making a process ready for another conversation: the old one is cut, and its tools are exchanged."""

from gateway_claude_code import protocol
from gateway_claude_code.channel.lines import CliLines
from gateway_claude_code.channel.mcp_bridge import McpBridge
from gateway_claude_code.process.command import MCP_SERVER
from gateway_claude_code.response.failures import NotReady
from gateway_claude_code.reuse.held import Held


async def cut(lines: CliLines, held: Held, number: int) -> None:
    """Cut the conversation before this turn, whatever the process is at.

    Raises `NotReady` and what `CliLines.demand` raises, if the process does not say that it is done;
    then it must end.
    """
    if number == len(held) and held.whole:
        return
    target, last = held.uuid_at(number), held.last_uuid
    if target is None or last is None:
        raise NotReady("the conversation can't be cut there")
    done = await lines.demand(protocol.rewind(target, last))
    if done.get("rewound") is not True:
        raise NotReady(f"the Claude Code CLI did not rewind: {done.get('reason')}")
    held.cut(number)
    if lines.bridge is not None:
        lines.bridge.forget_calls()


async def exchange_tools(lines: CliLines, bridge: McpBridge | None) -> None:
    """Give other tools to a process whose conversation is empty. Raises what `demand` raises.

    Under the same name the CLI asks only a server that was gone for its tools; those that were
    sent earlier stay in the body by themselves (2.1.330), see `body_with_exact_tools`.
    """
    await lines.demand(protocol.set_servers([]))
    lines.offer(bridge)
    if bridge is None:
        return
    await lines.demand(protocol.set_servers([MCP_SERVER]))
    while not bridge.listed:
        await lines.ask({"subtype": "mcp_status"})
