"""The models as `GET /v1/models` lists them: `openai.types.Model`."""

from collections.abc import Callable
from typing import Final, TypeAlias, TypedDict

from gateway.pipeline import Gateway

CREATED: Final = 1735689600
"""2025-01-01, for all of them: clients want a time, the model map has none."""


class ModelObject(TypedDict):
    """One model. `owned_by` is the name of the backend that answers for it."""

    id: str
    object: str
    created: int
    owned_by: str


class ModelList(TypedDict):
    """All models that have a name of their own, which patterns don't have."""

    object: str
    data: list[ModelObject]


MayUse: TypeAlias = Callable[[str, str], bool]
"""Whether a client may ask for a model, by the name in the list and that of its entry."""


def list_models(gateway: Gateway, may_use: MayUse | None = None) -> ModelList:
    """Entries, then aliases; those that the client may use."""
    aliases = [alias for alias in gateway.models.aliases if "*" not in alias]
    names = dict.fromkeys((*gateway.models.listed, *aliases))
    if may_use is not None:
        names = {name: None for name in names if may_use(name, gateway.resolve(name).model)}
    return {"object": "list", "data": [describe_model(gateway, name) for name in names]}


def describe_model(gateway: Gateway, name: str) -> ModelObject:
    """One model, under the name that was asked for. Raises `ModelNotFound`."""
    return {
        "id": name,
        "object": "model",
        "created": CREATED,
        "owned_by": gateway.resolve(name).backend,
    }
