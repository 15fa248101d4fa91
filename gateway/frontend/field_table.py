"""A table of the fields of a request: one documented behaviour for each.

It decides which fields are reported as ignored (`x-dragoman-ignored`) or refused, and the table
for the documentation is made from it.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from gateway.errors import UnsupportedParameter
from gateway.frontend.wire_models import WireModel

Behaviour: TypeAlias = Literal["honoured", "emulated", "ignored", "refused"]

MOST_NAMED: Final = 500
"""More than the header that names them has room for (`response.headers.MAX_IGNORED`)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestField:
    """One field. `defaults` are values that ask for nothing and are not reported; nor is null.

    A name with dots is a field within a field, its list indexes left out, or a part of content of
    the type at its end. Fields of an answer that clients send back as part of the conversation are
    `echoed`: a request is never refused for them. Those without meaning are not `reported` either.
    `endpoints` are those that have the field; empty are all.
    """

    name: str
    behaviour: Behaviour
    how: str = ""
    defaults: tuple[object, ...] = ()
    endpoints: tuple[str, ...] = ()
    echoed: bool = False
    reported: bool = True


class FieldTable:
    """The fields of one endpoint, in the order in which they are documented.

    `opaque` are the wire models of objects that are refused or skipped as a whole; one with a
    `type` is reported by it.
    """

    def __init__(
        self,
        endpoint: str,
        rows: tuple[RequestField, ...],
        opaque: tuple[type[WireModel], ...] = (),
    ) -> None:
        self._opaque = opaque
        self.fields = tuple(f for f in rows if not f.endpoints or endpoint in f.endpoints)
        self.by_name = {field.name: field for field in self.fields}

    def ignored(self, request: WireModel) -> tuple[str, ...]:
        """Which fields of a request have no effect, unknown ones among them; each once.

        Of very many, the first `MOST_NAMED`. Raises `UnsupportedParameter` for a field that is refused.
        """
        names: dict[str, None] = {}
        for name in self._ignored(request, ""):
            if len(names) < MOST_NAMED:
                names[name] = None
        return tuple(names)

    def _ignored(self, model: WireModel, prefix: str) -> Iterator[str]:
        for key, value in model.__dict__.items():
            if value is None:
                continue
            name = prefix + key
            if (field := self.by_name.get(name)) and field.behaviour in ("ignored", "refused"):
                yield from _reported(field, value)
            if isinstance(value, list | WireModel):
                for inner in self._models(value):
                    yield from self._ignored(inner, f"{name}.")
                yield from self._skipped(value, name)
        for key, value in (model.__pydantic_extra__ or {}).items():
            if value is not None:
                name = prefix + key
                unknown = RequestField(name=name, behaviour="ignored")
                yield from _reported(self.by_name.get(name, unknown), value)

    def _models(self, value: object) -> Iterator[WireModel]:
        """The objects within a value, without those that are opaque."""
        for item in value if isinstance(value, list) else (value,):
            if isinstance(item, WireModel) and not isinstance(item, self._opaque):
                yield item

    def _skipped(self, value: object, name: str) -> Iterator[str]:
        for item in value if isinstance(value, list) else ():
            if isinstance(item, self._opaque) and "type" in type(item).model_fields:
                field = self.by_name.get(f"{name}.{getattr(item, 'type', '')}")
                if field is not None and field.echoed:
                    yield field.name

    def refusable(self, names: Iterable[str]) -> tuple[str, ...]:
        """Those of the names that a request may be refused for, if nothing is to be ignored."""
        return tuple(n for n in names if (field := self.by_name.get(n)) is None or not field.echoed)

    def markdown(self) -> str:
        """The table for the documentation."""
        rows = [f"| `{field.name}` | {field.behaviour} | {field.how} |" for field in self.fields]
        rows.append("| any other field, including nested ones | ignored | |")
        return "\n".join(["| field | behaviour | how |", "|---|---|---|", *rows]) + "\n"


def _reported(field: RequestField, value: object) -> Iterator[str]:
    if value in field.defaults or not field.reported:
        return
    if field.behaviour == "refused":
        raise UnsupportedParameter(
            f"{field.name!r} is not supported with this value: {field.how}.",
            param=field.name,
        )
    yield field.name
