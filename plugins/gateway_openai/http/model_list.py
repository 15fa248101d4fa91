"""The models as `GET /v1/models` lists them: `openai.types.Model`."""

from collections.abc import Callable, Sequence
from typing import Any, Final, TypeAlias, TypedDict

from gateway.errors import NotAllowed
from gateway.interface import Gateway
from gateway_openai.http.model_fields import SCHEMA, ModelObject, described

CREATED: Final = 1735689600
"""2025-01-01, for all of them: clients want a time, the model map has none."""


class ModelList(TypedDict):
    """All models that have a name of their own, which patterns don't have, and are not hidden."""

    object: str
    data: list[ModelObject]


LIST_SCHEMA: Final[dict[str, Any]] = {
    "title": "ModelList",
    "type": "object",
    "required": ["object", "data"],
    "additionalProperties": False,
    "properties": {"object": {"const": "list"}, "data": {"type": "array", "items": SCHEMA}},
}
"""`ModelList` for the OpenAPI document."""

MayUse: TypeAlias = Callable[[str, Sequence[str]], bool]
"""Whether a client may ask for a model, by its name and those of the entries that it can lead to."""


def list_models(gateway: Gateway, may_use: MayUse | None = None) -> ModelList:
    """Entries, then aliases; those that the client may use."""
    aliases = [alias for alias in gateway.models.aliases if "*" not in alias]
    names = dict.fromkeys((*gateway.models.listed, *aliases))
    if may_use is not None:
        names = {name: None for name in names if may_use(name, gateway.find(name).reach)}
    return {"object": "list", "data": [describe_model(gateway, name) for name in names]}


def describe_model(gateway: Gateway, name: str, may_use: MayUse | None = None) -> ModelObject:
    """One model, under the name that was asked for. Raises `ModelNotFound` and `NotAllowed`."""
    found = gateway.find(name)
    if may_use is not None and not may_use(name, found.reach):
        raise NotAllowed(f"This key may not use the model {name[:100]!r}.", param="model")
    model: ModelObject = {
        "id": name,
        "object": "model",
        "created": CREATED,
        "owned_by": found.target.backend,
    }
    if found.description:
        model["description"] = found.description
    return {**model, **described(gateway.describe(name))}
