"""Scenarios: a prompt must not read files, run commands, or be seen by others."""

import json
from collections.abc import Sequence
from typing import Final

import anyio

from gateway.errors import BackendFailed
from gateway.machine.process_facts import visible_texts
from gateway.types import ChatRequest
from gateway_claude_code.conversations.conversation import Conversation
from gateway_claude_code.doctor.scenarios.rig import (
    Rig,
    asking,
    marker,
    message,
    prepared,
    user_texts,
)
from gateway_claude_code.doctor.scenarios.talk import ask, set_up, settled
from gateway_claude_code.doctor.scenarios.turns import LOOK
from gateway_claude_code.process.cli_version import switches_models
from gateway_claude_code.request.tools.tool_names import PREFIX
from gateway_claude_code.response.failures import ProcessGone
from gateway_claude_code.upstream import (
    Answer,
    MessagesRequest,
    ToolUseBlock,
    in_order,
    text_answer,
)

MENTIONS: Final = ("@{}", "look at @{} please", '@"{}"', "@{}#L1-2")
"""The forms of a path that the CLI takes for a file to attach."""

COMMANDS: Final = ("/help", "/compact now", "/nonexistent-command x")


async def file_mentions(rig: Rig) -> None:
    """A file is named in the prompt; its content must not reach the model."""
    secret, file = marker(), rig.folder / "secret.txt"
    await anyio.Path(file).write_text(secret, encoding="utf-8")
    texts = [form.format(file) for form in MENTIONS]
    earlier = (message("user", *texts), message("assistant", texts[0]))
    for messages in ((message("user", *texts),), (*earlier, message("user", texts[0]))):
        await rig.answer(asking(*messages, system=texts[0]))
        if any(secret in json.dumps(request.body) for request in rig.requests):
            seen = "the content of a file that a prompt named with @ reached the model"
            rig.differs("file_mentions", seen)
            return
        rig.holds("file_mentions", f"{len(texts)} forms stayed plain text")


async def slash_commands(rig: Rig) -> None:
    """Commands as the last text of a turn, in a live process and in a history."""
    first, second, third = COMMANDS
    async with rig.process() as (_, talk):
        alone = asking(message("user", first))
        await set_up(talk, prepared(alone))
        await _send(rig, talk, alone, (first,))
        if await settled(talk):
            await _send(rig, talk, asking(message("user", "a", second)), (second,))
    async with rig.process() as (_, talk):
        told = asking(message("user", second), message("assistant", "ok"), message("user", third))
        await set_up(talk, prepared(told), switch=switches_models(rig.cli.version))
        await _send(rig, talk, told, (second, third))


async def _send(
    rig: Rig, talk: Conversation, request: ChatRequest, commands: Sequence[str]
) -> None:
    rig.requests.clear()
    try:
        await ask(talk, prepared(request))
    except ProcessGone:
        raise
    except BackendFailed as error:
        if rig.requests:
            raise
        rig.differs("slash_commands", f"{commands[-1]!r} did not reach the model: {error}")
        return
    texts = [text.strip() for text in user_texts(rig.requests[-1])]
    lost = [command for command in commands if command not in texts]
    if lost:
        rig.differs("slash_commands", f"{lost[0]!r} did not reach the model unchanged")
    else:
        rig.holds("slash_commands", f"{len(COMMANDS)} commands arrived as text")


async def built_in_tools(rig: Rig) -> None:
    """The model calls Bash, which it was not offered."""
    made = rig.folder / "made-by-bash"
    call = ToolUseBlock("Bash", {"command": f"touch '{made}'", "description": "Makes a file"})
    try:
        await rig.answer(
            # the API refuses calls in a conversation without tools
            asking(message("user", "Run it."), tools=(LOOK,)),
            script=in_order(Answer(blocks=(call,)), text_answer("No.")),
        )
        rig.holds("built_in_tools", "none is offered, and a call to Bash runs nothing")
    finally:
        names = [str(tool.get("name")) for request in rig.requests for tool in request.tools]
        offered = [name for name in names if not name.startswith(PREFIX)]
        if made.exists():
            rig.differs("built_in_tools", "the model ran a command with Bash")
        elif offered:
            rig.differs("built_in_tools", f"the model was offered {', '.join(offered):.100}")


async def traces(rig: Rig) -> None:
    """A word of the prompt, searched for during and after the answer."""
    word = marker()
    listings: list[str] = []

    def script(_: MessagesRequest) -> Answer:
        listings.append("\n".join(visible_texts()))
        return text_answer("Done.")

    request = asking(message("user", word), message("assistant", word), message("user", word))
    await rig.answer(request, script=script)
    if "stream-json" in listings[0]:  # else the list can't be read here
        shown = any(word in listing for listing in listings)
        seen = "a prompt's text is in it" if shown else "no text of a prompt is in it"
        rig.note("not_in_argv", not shown, seen)
    holding = sorted(await rig.files_with(word))
    rig.note(
        "not_on_disk",
        not holding,
        f"a prompt's text is in {', '.join(holding)}" if holding else "no file contains its text",
    )
