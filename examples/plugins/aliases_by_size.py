"""Resolves `small`, `medium` and `large` to the models whose names say so."""

from gateway import hookimpl
from gateway.interface import ModelMap

SIZES = {"small": "haiku", "medium": "sonnet", "large": "opus"}


@hookimpl
def gateway_resolve_model(name: str, models: ModelMap) -> str | None:
    """The first listed model that has the word in its name; None for all other names."""
    if name not in SIZES:
        return None
    return next((model for model in models.listed if SIZES[name] in model), None)
