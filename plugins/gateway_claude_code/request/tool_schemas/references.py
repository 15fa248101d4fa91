"""The references of a schema, each led to a target within it after any move. Pure.

The API refuses one that leads nowhere: "Invalid $ref in schema: '#/$defs/Category' does not exist.
Ensure all $ref targets are defined in the schema's definitions or $defs." (microsoft/vscode#286415)
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final, TypeAlias

from gateway.json_schema import InvalidSchema, Schema, parts_of, resolve
from gateway_claude_code.request.tool_schemas.repair import repaired

Inner: TypeAlias = Mapping[str, Any] | bool

DEFINITIONS: Final = ("$defs", "definitions")


class References:
    """Leads the references in `root` to their targets, which are in `earlier` where they moved.

    `earlier` is the schema before a change, with all possible targets. With `moved` the top of the
    schema has changed, and only definitions are where they were. A target that is no longer
    anywhere else is put among the definitions.
    """

    def __init__(self, root: Schema, earlier: Mapping[str, Any], *, moved: bool) -> None:
        self._root = root
        self._earlier = earlier
        self._moved = moved
        self._homes: dict[str, str] = {}
        self._numbers: dict[str, int] = {}
        self._named = set(_names_in(root))

    def mend(self) -> None:
        """Change the references in place. One without a target is noted in the description."""
        left: list[Mapping[str, Any]] = [self._root]
        seen: set[int] = set()
        while left:
            for part in parts_of(left.pop()):
                if "$ref" in part and isinstance(part, dict) and id(part) not in seen:
                    seen.add(id(part))
                    left += self._mend(part)

    def _mend(self, part: Schema) -> Iterator[Schema]:
        reference = part["$ref"]
        if self._leads_somewhere(reference):
            return
        if (target := self._target(reference)) is not None:
            if reference not in self._homes:
                yield from self._rehoused(reference, target)
            part["$ref"] = self._homes[reference]
        elif (named := self._namesake(reference)) is not None:
            part["$ref"] = named
        else:
            del part["$ref"]
            note = f"($ref: {reference})"
            part["description"] = "\n".join(filter(None, (part.get("description"), note)))

    def _leads_somewhere(self, reference: str) -> bool:
        if self._moved and not reference.startswith(tuple(f"#/{name}/" for name in DEFINITIONS)):
            return False
        try:
            resolve(self._root, reference)
        except InvalidSchema:
            return reference in self._named
        return True

    def _target(self, reference: str) -> Inner | None:
        try:
            target: Inner = resolve(self._earlier, reference)
        except InvalidSchema:
            return None
        return target

    def _rehoused(self, reference: str, target: Inner) -> Iterator[Schema]:
        """Put a target among the definitions; yields what may hold further references."""
        definitions = self._root.setdefault("$defs", {})
        name = reference.rpartition("/")[2].strip("#") or "arguments"
        name = stem = name if name.isidentifier() else f"part_{len(self._homes) + 1}"
        while name in definitions:
            # the count goes on, as thousands may have the same name at different places
            number = self._numbers[stem] = self._numbers.get(stem, 1) + 1
            name = f"{stem}_{number}"
        self._homes[reference] = f"#/$defs/{name}"
        if isinstance(target, Mapping):
            rest = {key: value for key, value in target.items() if key not in DEFINITIONS}
            home = repaired(rest)
            definitions[name] = home
            self._named.update(_names_in(home))
            yield home
        else:
            definitions[name] = target

    def _namesake(self, reference: str) -> str | None:
        """The definition of that name: `Item`, or `#/components/schemas/Item` as in OpenAPI."""
        # spec.openapis.org/oas/v3.0.3, "Reference Object": generators keep it, without the document
        name = reference.rpartition("/")[2].removeprefix("#")
        for keyword in DEFINITIONS:
            if name and name in self._root.get(keyword, ()):
                return f"#/{keyword}/{name}"
        return None


def _names_in(schema: Mapping[str, Any]) -> Iterator[str]:
    """The names that references may use for parts: `$anchor`, `$dynamicAnchor` or `$id`."""
    for part in parts_of(schema):
        if isinstance(name := part.get("$id"), str):
            yield name
        for keyword in ("$anchor", "$dynamicAnchor"):
            if isinstance(name := part.get(keyword), str):
                yield f"#{name}"
