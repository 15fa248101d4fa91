"""Rules about the effort: `output_config.effort` of the request, and of messages."""

from gateway_claude_code.facts.model_facts import EFFORT_LEVELS, ModelFacts
from gateway_claude_code.upstream.request import JsonObject, MessagesRequest
from gateway_claude_code.upstream.rules.blocks import field_of, thinking_type
from gateway_claude_code.upstream.rules.rule import Refusal, invalid


def accepted(request: MessagesRequest, facts: ModelFacts) -> Refusal | None:
    """Each model accepts some of the five levels, or none."""
    for effort in _efforts(request):
        if not facts.efforts:
            return invalid("This model does not support the effort parameter.")
        if effort not in EFFORT_LEVELS:
            levels = ", ".join(f"'{level}'" for level in EFFORT_LEVELS)
            return invalid(f"output_config.effort: Input should be one of {levels}")
        if effort not in facts.efforts:
            levels = ", ".join(sorted(facts.efforts))
            return invalid(
                f"This model does not support effort level '{effort}'. Supported levels: {levels}."
            )
    return None


def without_thinking(request: MessagesRequest, facts: ModelFacts) -> Refusal | None:
    """Without thinking some models accept an effort only up to a level."""
    most = facts.effort_without_thinking
    if thinking_type(request) not in ("disabled", "between_tools") or most is None:
        return None
    above = EFFORT_LEVELS[EFFORT_LEVELS.index(most) + 1 :]
    for effort in _efforts(request):
        if effort in above:
            return invalid(
                f"output_config.effort '{effort}' is not supported when thinking is disabled on "
                f"this model. Use effort '{most}' or below, or enable thinking."
            )
    return None


def differs(request: MessagesRequest, _: ModelFacts) -> Refusal | None:
    """With "between_tools" a message's effort is that of the request."""
    if thinking_type(request) != "between_tools":
        return None
    if len(set(_efforts(request))) > 1:
        return invalid(
            "output_config.effort: must match the effort of `messages` when thinking is "
            '"between_tools"'
        )
    return None


def _efforts(request: MessagesRequest) -> list[str]:
    """The effort of the request, and those of its messages."""
    places: list[JsonObject] = [request.body, *request.messages]
    found = [field_of(place.get("output_config"), "effort") for place in places]
    return [str(effort) for effort in found if effort is not None]
