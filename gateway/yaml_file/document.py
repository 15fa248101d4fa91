"""Reading one YAML document: bounded, without duplicate keys, and with the line of each key."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import yaml

from gateway.errors import ConfigurationError
from gateway.yaml_file.wording import one_line

MAX_BYTES = 1024 * 1024
MAX_NODES = 100_000
"""Counted as often as anchors repeat them: a few lines can stand for billions."""
MAX_DEPTH = 100
MAX_NUMBER = 100
"""Characters: YAML has numbers like 1:59:59, and reading a long one takes hours."""

Location: TypeAlias = tuple[str, ...]
"""The keys (and indexes) that lead to a place in the document."""

_MERGE = "tag:yaml.org,2002:merge"
_NUMBERS = ("tag:yaml.org,2002:int", "tag:yaml.org,2002:float")


@dataclass(frozen=True, slots=True, kw_only=True)
class YamlDocument:
    """The data of a file, and the line (from 1) of each key."""

    data: Mapping[str, Any]
    lines: Mapping[Location, int]


def read_yaml_document(path: Path) -> YamlDocument:
    """Read a YAML mapping. Raises `ConfigurationError` with the file and, where known, the line."""
    text = _read_text(path)
    try:
        data, lines = _parse(text, path)
    except yaml.YAMLError as error:
        raise _not_yaml(path, error) from None
    except RecursionError:
        raise ConfigurationError(f"{path}: nested too deeply") from None
    except ValueError as error:
        raise ConfigurationError(f"{path}: {one_line(error)}") from None
    if not isinstance(data, dict):
        raise ConfigurationError(f"{path}: must be a mapping with keys like 'server' and 'models'")
    return YamlDocument(data=data, lines=lines)


def _read_text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
        text = content.decode("utf-8-sig")
    except FileNotFoundError:
        raise ConfigurationError(f"{path}: no such file") from None
    except OSError as error:
        raise ConfigurationError(f"{path} can't be read: {error.strerror or error}") from None
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{path} is not UTF-8 text: {error.reason}") from None
    if len(content) > MAX_BYTES:
        raise ConfigurationError(f"{path} is larger than {MAX_BYTES} bytes")
    return text


def _parse(text: str, path: Path) -> tuple[object, dict[Location, int]]:
    loader = yaml.SafeLoader(text)
    try:
        node = loader.get_single_node()
        if node is None:
            return {}, {}
        # Before any value is made of it: this is what finds recursion.
        lines = dict(_Walk(path).keys(node, ()))
        return loader.construct_document(node), lines
    finally:
        loader.dispose()


def _not_yaml(path: Path, error: yaml.YAMLError) -> ConfigurationError:
    mark = getattr(error, "problem_mark", None)
    where = f"{path}, line {mark.line + 1}" if mark is not None else f"{path}"
    what = getattr(error, "problem", None) or error
    return ConfigurationError(f"{where}: not valid YAML: {one_line(what)}")


@dataclass(slots=True)
class _Walk:
    """Goes through a document as it will be once all anchors are filled in."""

    path: Path
    visited: int = 0
    depth: int = 0

    def keys(self, node: yaml.Node, prefix: Location) -> Iterator[tuple[Location, int]]:
        self.visited += 1
        if self.visited > MAX_NODES or self.depth > MAX_DEPTH:
            raise self._error(node, "anchors and nesting make this document too large")
        if node.tag in _NUMBERS and len(node.value) > MAX_NUMBER:
            raise self._error(node, f"a number of more than {MAX_NUMBER} characters")
        self.depth += 1
        if isinstance(node, yaml.MappingNode):
            yield from self._mapping(node, prefix)
        elif isinstance(node, yaml.SequenceNode):
            for index, value in enumerate(node.value):
                yield from self.keys(value, (*prefix, str(index)))
        self.depth -= 1

    def _mapping(self, node: yaml.MappingNode, prefix: Location) -> Iterator[tuple[Location, int]]:
        seen: dict[str, int] = {}
        for key, value in node.value:
            if key.tag == _MERGE:
                yield from self._merged(value, prefix)
                continue
            if key.tag in _NUMBERS:
                dict(self.keys(key, prefix))
            name, line = str(key.value), key.start_mark.line + 1
            if name in seen:
                raise self._error(key, f"{name!r} is already on line {seen[name]}")
            seen[name] = line
            yield (*prefix, name), line
            yield from self.keys(value, (*prefix, name))

    def _merged(self, value: yaml.Node, prefix: Location) -> Iterator[tuple[Location, int]]:
        for mapping in value.value if isinstance(value, yaml.SequenceNode) else [value]:
            yield from self.keys(mapping, prefix)

    def _error(self, node: yaml.Node, what: str) -> ConfigurationError:
        return ConfigurationError(f"{self.path}, line {node.start_mark.line + 1}: {what}")
