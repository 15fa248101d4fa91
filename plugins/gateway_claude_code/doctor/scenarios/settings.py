"""Scenario: the parameters of a request in the settings of a running process."""

from typing import Any, Final

from gateway.errors import BackendFailed
from gateway.types import Sampling, ToolChoice
from gateway_claude_code.doctor.scenarios.rig import (
    MODEL,
    Rig,
    asking,
    message,
    prepared,
    user_texts,
)
from gateway_claude_code.doctor.scenarios.talk import ask, set_up, settled
from gateway_claude_code.doctor.scenarios.turns import LOOK
from gateway_claude_code.facts.asked import read_models
from gateway_claude_code.facts.documented import documented
from gateway_claude_code.knowledge.questions import asked
from gateway_claude_code.process.cli_version import switches_models
from gateway_claude_code.upstream import MessagesRequest

LIMIT: Final = 777
ANOTHER_MODEL: Final = "claude-haiku-4-5"
"""A model that accepts a temperature and a forced tool choice, unlike the newest."""


async def parameters(rig: Rig) -> None:
    """A request with parameters, and the next one of the same process without them."""
    given = asking(
        message("user", "Hello"),
        tools=(LOOK,),
        tool_choice=ToolChoice(mode="required", names=("look",)),
        sampling=Sampling(max_output_tokens=LIMIT, temperature=0.25, stop=("END",)),
    )
    switch = switches_models(rig.cli.version)
    model = ANOTHER_MODEL
    wanted = prepared(given, model)
    # another model is a finding of its own, and no reason to refuse the rest
    rig.upstream.facts = lambda _: documented(model).facts
    async with rig.process(MODEL if switch else model) as (_, talk):
        await set_up(talk, wanted, switch=switch)
        await ask(talk, wanted)
        _note_given(rig, rig.requests[0])
        _note_model(rig, rig.requests[0], model, switch=switch)
        if not await settled(talk):
            return
        plain = prepared(asking(message("user", "Again"), tools=(LOOK,)), model)
        await talk.set_parameters(plain.settings(seeded=False, switch=switch))
        await ask(talk, plain)
    _note_taken_back(rig, rig.requests[-1])


def _note_given(rig: Rig, request: MessagesRequest) -> None:
    body = request.body
    rig.note(
        "output_limit",
        body.get("max_tokens") == LIMIT,
        f"{LIMIT} arrived as {body.get('max_tokens')}",
    )
    sampling = {key: body.get(key) for key in ("temperature", "stop_sequences")}
    rig.note(
        "sampling",
        sampling == {"temperature": 0.25, "stop_sequences": ["END"]},
        f"arrived: {_said(sampling)}",
    )
    choice = dict(request.tool_choice)
    rig.note(
        "tool_choice",
        choice == {"type": "tool", "name": "mcp__t__look"},
        f"arrived: {_said(choice)}",
    )


def _note_model(rig: Rig, request: MessagesRequest, model: str, *, switch: bool) -> None:
    texts = [text.strip() for text in user_texts(request)]
    how = "by settings, in a running process" if switch else "by the process's arguments"
    if model not in request.model:
        rig.differs("model", f"requested {model!r} {how}, but {request.model!r} arrived")
    elif texts != ["Hello"]:
        rig.differs("model", f"the change {how} left a trace in the conversation")
    else:
        rig.holds("model", f"{model!r} {how} is {request.model!r}")


def _note_taken_back(rig: Rig, request: MessagesRequest) -> None:
    left = {
        key: request.body[key]
        for key in ("temperature", "stop_sequences", "tool_choice")
        if request.body.get(key) not in (None, {"type": "auto"}, 1)
    }
    if request.body.get("max_tokens") == LIMIT:
        left["max_tokens"] = LIMIT
    rig.note(
        "taken_back",
        not left,
        f"the next request still had {_said(left)}" if left else "the next request had none",
    )


def _said(values: dict[str, Any]) -> str:
    return ", ".join(f"{key} {value}" for key, value in values.items())


async def models(rig: Rig) -> None:
    """The list of models, from a process without any set-up."""
    async with rig.process() as (process, _):
        try:
            found = read_models(await asked(process, {"subtype": "list_models"}))
        except BackendFailed as error:
            rig.differs("list_models", error.message)
            return
    named = next((model.model for model in found if model.value == MODEL), None)
    seen = f"it lists {len(found)}, and {MODEL!r} is {named or 'none of them'}"
    rig.note("list_models", named is not None, seen)
