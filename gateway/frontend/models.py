"""The models that a client may ask for, as any list of them needs it."""

from dataclasses import dataclass

from starlette.requests import Request

from gateway.errors import NotAllowed
from gateway.frontend.request.context import may_use
from gateway.interface import Found, Gateway
from gateway.types import ModelDescription


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedModel:
    """A model under the name that clients ask for it by. `description` is None if unknown."""

    name: str
    found: Found
    description: ModelDescription | None


def listed_models(gateway: Gateway, request: Request) -> list[ListedModel]:
    """Entries, then aliases, without patterns and hidden ones; those that the client may use."""
    aliases = [alias for alias in gateway.models.aliases if "*" not in alias]
    names = dict.fromkeys((*gateway.models.listed, *aliases))
    allowed = may_use(request)
    every = [(name, gateway.find(name)) for name in names]
    return [
        _listed(gateway, name, found)
        for name, found in every
        if allowed is None or allowed(name, found.reach)
    ]


def model_named(gateway: Gateway, name: str, request: Request) -> ListedModel:
    """One model, under any name that a request may have. Raises `ModelNotFound` and `NotAllowed`."""
    found = gateway.find(name)
    allowed = may_use(request)
    if allowed is not None and not allowed(name, found.reach):
        raise NotAllowed(f"This key may not use the model {name[:100]!r}.", param="model")
    return _listed(gateway, name, found)


def _listed(gateway: Gateway, name: str, found: Found) -> ListedModel:
    return ListedModel(name=name, found=found, description=gateway.describe(name))
