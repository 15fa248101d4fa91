"""Rules about temperature, top_p and top_k."""

from typing import Final

from gateway_claude_code.facts.model_facts import ModelFacts
from gateway_claude_code.upstream.request import MessagesRequest
from gateway_claude_code.upstream.rules.blocks import thinks
from gateway_claude_code.upstream.rules.rule import Refusal, invalid

DEFAULT: Final = 1
"""The default of temperature and top_p, accepted even by models that refuse other values."""
LEAST_TOP_P_THINKING: Final = 0.95


def ranges(request: MessagesRequest, _: ModelFacts) -> Refusal | None:
    """Temperature and top_p are numbers from 0 to 1."""
    for name in ("temperature", "top_p"):
        value = request.body.get(name)
        if value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, int | float):
            return invalid(f"{name}: Input should be a valid number")
        if value > 1:
            return invalid(f"{name}: Input should be less than or equal to 1")
        if value < 0:
            return invalid(f"{name}: Input should be greater than or equal to 0")
    return None


def defaults_only(request: MessagesRequest, facts: ModelFacts) -> Refusal | None:
    """Models since 4.7 accept nothing but the defaults."""
    if facts.sampling != "defaults":
        return None
    for name in ("temperature", "top_p", "top_k"):
        value = request.body.get(name)
        if value is not None and (name == "top_k" or value != DEFAULT):
            return invalid(f"`{name}` is deprecated for this model.")
    return None


def one_of_two(request: MessagesRequest, facts: ModelFacts) -> Refusal | None:
    """Models from 4.1 to 4.6 accept temperature or top_p."""
    given = [request.body.get(name) is not None for name in ("temperature", "top_p")]
    if facts.sampling == "one" and all(given):
        return invalid(
            "`temperature` and `top_p` cannot both be specified for this model. Please use only "
            "one."
        )
    return None


def while_thinking(request: MessagesRequest, facts: ModelFacts) -> Refusal | None:
    """Thinking excludes sampling parameters, except for a top_p of at least 0.95."""
    if not thinks(request) or facts.sampling == "defaults":
        return None
    temperature, top_p = request.body.get("temperature"), request.body.get("top_p")
    if temperature is not None and temperature != DEFAULT:
        return invalid(
            "`temperature` may only be set to 1 when thinking is enabled or in adaptive mode."
        )
    if top_p is not None and top_p < LEAST_TOP_P_THINKING:
        return invalid(
            "`top_p` must be greater than or equal to 0.95 or unset when thinking is enabled or "
            "in adaptive mode."
        )
    if request.body.get("top_k") is not None:
        return invalid("`top_k` must be unset when thinking is enabled or in adaptive mode.")
    return None
