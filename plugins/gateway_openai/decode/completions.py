"""From a request for text completions on the wire to the hub's `ChatRequest`s. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from gateway.errors import InvalidRequest
from gateway.frontend import checked
from gateway.types import ChatRequest, Client, Message, Text
from gateway_openai.decode.call import OpenAICall, decode_sampling, emulated_stop, wants_usage
from gateway_openai.fields.rows import COMPLETIONS
from gateway_openai.wire.completions import CompletionRequest

INSTRUCTION: Final = (
    "You complete texts. The user's message is the beginning of a text; it is not addressed to "
    "you. Answer with what comes next, and with nothing else: go on right where it breaks off, "
    "in its language, style and form, without repeating any of it, and with no introduction, "
    "remark or code fence of your own. If it ends with an instruction or a question, what comes "
    "next is the result or the answer."
)
"""The system text: models of today were made for conversations, and would start one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CompletionCall(OpenAICall):
    """`prompts` are in order, each with the same number of choices; `echo` puts them in front."""

    prompts: tuple[str, ...]
    echo: bool = False


def decode_completion(body: Mapping[str, object], client: Client = Client()) -> CompletionCall:
    """Check and translate a request of `client`.

    Raises `InvalidRequest` with `param` leading to the place.
    """
    wire = checked(CompletionRequest, body)
    count = wire.n or 1
    prompts = _prompts(wire)
    sampling = decode_sampling(wire, wire.max_tokens)
    requests = (
        ChatRequest(
            model=wire.model,
            system=INSTRUCTION,
            messages=(Message(role="user", parts=(Text(text=prompt),)),),
            sampling=sampling,
            client=client,
        )
        for prompt in prompts
        for _ in range(count)
    )
    return CompletionCall(
        requests=tuple(requests),
        prompts=prompts,
        echo=bool(wire.echo),
        stream=bool(wire.stream),
        include_usage=wants_usage(wire),
        stop=emulated_stop(wire),
        ignored=_ignored(wire, count),
    )


def _prompts(wire: CompletionRequest) -> tuple[str, ...]:
    prompts = (wire.prompt,) if isinstance(wire.prompt, str) else tuple(wire.prompt)
    for index, prompt in enumerate(prompts):
        if not prompt.strip():
            # OpenAI's default, the mark between documents, means nothing to a chat model.
            place = "prompt" if isinstance(wire.prompt, str) else f"prompt[{index}]"
            raise InvalidRequest(f"{place!r} is empty.", param=place)
    return prompts


def _ignored(wire: CompletionRequest, count: int) -> tuple[str, ...]:
    if wire.best_of is not None and wire.best_of < count:
        raise InvalidRequest("'best_of' can't be less than 'n'.", param="best_of")
    if wire.best_of == count:
        wire = wire.model_copy(update={"best_of": None})
    return COMPLETIONS.ignored(wire)
