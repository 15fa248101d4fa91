"""Reading and validating the YAML configuration.

`load` finds and reads a file; `Config.validate_sections` runs once plugins have claimed their
sections. All errors are `ConfigurationError`s that name the file, the line, and the nearest
valid key.
"""

import difflib
from collections.abc import Hashable, Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar, cast

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from gateway.errors import ConfigurationError
from gateway.models import ModelEntry

Section = TypeVar("Section", bound=BaseModel)
Location = tuple[int | str, ...]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ServerConfig(_Strict):
    """Where the gateway listens."""

    host: str = "127.0.0.1"
    port: int = Field(default=3456, ge=0, le=65535)


class LimitsConfig(_Strict):
    """Bounds of one request: seconds, and bytes of its body."""

    idle_seconds: float = Field(default=300, gt=0)
    request_seconds: float = Field(default=3600, gt=0)
    body_bytes: int = Field(default=32 * 1024 * 1024, gt=0)


class FileConfig(_Strict):
    """The YAML as it is written. Everything is optional."""

    server: ServerConfig = ServerConfig()
    limits: LimitsConfig = LimitsConfig()
    models: dict[str, ModelEntry] | None = None
    aliases: dict[str, str] = Field(default_factory=dict)
    plugins: dict[str, dict[str, Any] | bool | None] = Field(default_factory=dict)


class Config:
    """A validated configuration; `path` is where it came from."""

    def __init__(
        self, values: FileConfig, path: Path | None, lines: Mapping[Location, int]
    ) -> None:
        self.values = values
        self.path = path
        self._lines = lines
        self._packaged = path == packaged_file()
        self._sections: dict[str, BaseModel] = {}

    @property
    def disabled_plugins(self) -> frozenset[str]:
        """Plugins whose section is `false`."""
        return frozenset(name for name, value in self.values.plugins.items() if value is False)

    @property
    def names_models(self) -> bool:
        """Whether the user's own file has `models:`, and so offers those and no others."""
        return ("models",) in self._lines and not self._packaged

    def validate_sections(self, claimed: Mapping[str, type[BaseModel]]) -> None:
        """Validate each plugin's section; refuse sections that no plugin claims."""
        for name, value in self.values.plugins.items():
            if name not in claimed and value is not False:
                raise self._error(
                    ("plugins", name), f"no plugin takes a section {name!r}", name, claimed
                )
        for name, model in claimed.items():
            value = self.values.plugins.get(name)
            try:
                section = _forbidding(model).model_validate(
                    value if isinstance(value, dict) else {}
                )
            except ValidationError as error:
                raise self._explain(error, ("plugins", name), model) from None
            self._sections[name] = section

    def section(self, name: str, model: type[Section]) -> Section:
        """The validated section that was claimed as `name` with `model`."""
        section = self._sections[name]
        if not isinstance(section, model):
            raise TypeError(f"section {name!r} was claimed with another model")
        return section

    def _explain(
        self, error: ValidationError, prefix: Location, model: type[BaseModel]
    ) -> ConfigurationError:
        problem = error.errors(include_url=False)[0]
        location = (*prefix, *problem["loc"])
        if problem["type"] == "extra_forbidden":
            key = str(location[-1])
            return self._error(
                location, f"unknown key {key!r}", key, _keys_at(model, problem["loc"][:-1])
            )
        return self._error(location, problem["msg"])

    def _error(
        self, location: Location, what: str, key: str | None = None, valid: Iterable[str] = ()
    ) -> ConfigurationError:
        place = ".".join(map(str, location[:-1] if key else location))
        message = f"{self.path or 'configuration'}"
        if (line := self._line(location)) is not None:
            message += f", line {line}"
        message += f": {what}" + (f" in {place!r}" if place else "")
        if key is not None:
            names = sorted(valid)
            near = difflib.get_close_matches(key, names, n=1, cutoff=0.5)
            message += (
                f"; did you mean {near[0]!r}?"
                if near
                else f"; there are: {', '.join(names) or '-'}"
            )
        return ConfigurationError(message)

    def _line(self, location: Location) -> int | None:
        while location:
            if location in self._lines:
                return self._lines[location]
            location = location[:-1]
        return None


def find_file(explicit: Path | None, packaged: Path) -> Path:
    """The file to read: the one named, else the working directory's, the user's, the packaged."""
    if explicit is not None:
        return explicit
    for path in (Path("models.yaml"), Path("~/.config/dragoman/models.yaml").expanduser()):
        if path.is_file():
            return path
    return packaged


def packaged_file() -> Path:
    """The `models.yaml` that came with the distribution, or the checkout's own."""
    here = Path(__file__).resolve().parent
    beside = here / "models.yaml"
    return beside if beside.is_file() else here.parent / "models.yaml"


def load(path: Path, defaults: Path | None = None) -> Config:
    """Read `path`; where it names no models, those of `defaults` hold.

    Default aliases that lead to a model which the file does not offer are left out.
    """
    config = _read(path)
    if defaults is None or defaults == path:
        return config
    base = _read(defaults).values
    values = config.values
    aliases = dict(base.aliases)
    if values.models is not None:
        aliases = {k: v for k, v in aliases.items() if v in values.models or "*" in v}
    merged = values.model_copy(
        update={
            "models": base.models if values.models is None else values.models,
            "aliases": {**aliases, **values.aliases},
        }
    )
    config.values = merged
    return config


def _read(path: Path) -> Config:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path} can't be read: {error}") from None
    try:
        loader = yaml.SafeLoader(text)
        try:
            node = loader.get_single_node()
            lines = dict(_lines(node)) if node else {}
            data = loader.construct_document(node) if node else None
        finally:
            loader.dispose()
    except yaml.YAMLError as error:
        raise ConfigurationError(f"{path} is not valid YAML: {error}") from None
    if data is None:
        data = {}
    config = Config(FileConfig(), path, lines)
    if not isinstance(data, dict):
        raise ConfigurationError(f"{path}: must be a mapping with keys like 'server' and 'models'")
    present = {key: value for key, value in data.items() if value is not None}
    try:
        config.values = FileConfig.model_validate(present)
    except ValidationError as error:
        raise config._explain(error, (), FileConfig) from None  # noqa: SLF001
    return config


def _lines(node: yaml.Node, prefix: Location = ()) -> Iterable[tuple[Location, int]]:
    """The line (from 1) of each key of the document."""
    if not isinstance(node, yaml.MappingNode):
        return
    for key, value in node.value:
        if isinstance(key, yaml.ScalarNode):
            location = (*prefix, cast(str, key.value))
            yield location, key.start_mark.line + 1
            yield from _lines(value, location)


def _forbidding(model: type[BaseModel]) -> type[BaseModel]:
    if model.model_config.get("extra") == "forbid":
        return model
    return type(model.__name__, (model,), {"model_config": ConfigDict(extra="forbid")})


def _keys_at(model: type[BaseModel], location: Iterable[Hashable]) -> Iterable[str]:
    """The keys that are valid at a place inside a model."""
    current: Any = model
    for step in location:
        if isinstance(current, type) and issubclass(current, BaseModel):
            field = current.model_fields.get(str(step))
            current = field.annotation if field else None
        elif current is not None:
            arguments = [a for a in getattr(current, "__args__", ()) if a is not type(None)]
            current = arguments[-1] if arguments else None
        if not isinstance(current, type):
            current = _model_inside(current)
    if isinstance(current, type) and issubclass(current, BaseModel):
        return current.model_fields
    return ()


def _model_inside(annotation: Any) -> Any:  # noqa: ANN401
    """From `dict[str, Entry] | None` to the dict, and from `Entry | None` to the model."""
    arguments = [a for a in getattr(annotation, "__args__", ()) if a is not type(None)]
    return arguments[0] if len(arguments) == 1 else annotation
