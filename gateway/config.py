"""The configuration: what the YAML may say, and the sections that plugins claim in it.

`load` finds and reads a file; `Config.validate_sections` runs once plugins have claimed their
sections. All errors are `ConfigurationError`s that name the file, the line, and the nearest
valid key.
"""

from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any, Final, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from gateway.config_keys import keys_at
from gateway.document import Location, read_document
from gateway.errors import ConfigurationError
from gateway.models import ModelEntry
from gateway.wording import nearest, one_line

Section = TypeVar("Section", bound=BaseModel)


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ServerConfig(_Strict):
    """Where the gateway listens, and for how many seconds it waits for running answers at its end.

    `insecure` lets others in although no plugin asks for keys. `reload` takes up changes of the
    YAML while it runs.
    """

    host: str = "localhost"
    port: int = Field(default=3456, ge=0, le=65535)
    insecure: bool = False
    drain_seconds: float = Field(default=30, ge=0)
    reload: bool = True


PARSER_DEPTH: Final = 200
"""JSON nested deeper than this is refused by the parser itself (seen with pydantic-core 2.50)."""


class LimitsConfig(_Strict):
    """Bounds of one connection, one request and one answer.

    What a client is told when it meets one of them names the key here.
    """

    # connections
    connections: int = Field(default=2000, gt=0)
    header_seconds: float = Field(default=15, gt=0)
    header_bytes: int = Field(default=64 * 1024, gt=0)
    header_count: int = Field(default=200, gt=0)
    url_bytes: int = Field(default=8 * 1024, gt=0)
    keep_alive_seconds: int = Field(default=5, gt=0)
    send_seconds: float = Field(default=60, gt=0)

    # requests
    body_seconds: float = Field(default=60, gt=0)
    body_bytes: int = Field(default=32 * 1024 * 1024, gt=0)
    json_depth: int = Field(default=PARSER_DEPTH, gt=0, le=PARSER_DEPTH)
    messages: int = Field(default=10_000, gt=0)
    parts: int = Field(default=50_000, gt=0)
    images: int = Field(default=500, gt=0)
    tools: int = Field(default=1000, gt=0)
    choices: int = Field(default=128, gt=0)

    # answers
    idle_seconds: float = Field(default=300, gt=0)
    request_seconds: float = Field(default=3600, gt=0)
    answer_bytes: int = Field(default=64 * 1024 * 1024, gt=0)


class FileConfig(_Strict):
    """The YAML as it is written. Everything is optional."""

    server: ServerConfig = ServerConfig()
    limits: LimitsConfig = LimitsConfig()
    models: dict[str, ModelEntry] | None = None
    aliases: dict[str, str] = Field(default_factory=dict)
    plugins: dict[str, Any] = Field(default_factory=dict)


class Config:
    """A validated configuration; `path` is where it came from.

    `names_models` says whether it is the user's own file and has `models:`, and so offers
    those and no others.
    """

    def __init__(
        self, values: FileConfig, path: Path | None, lines: Mapping[Location, int]
    ) -> None:
        self.values = values
        self.path = path
        self.names_models = values.models is not None and not _is_packaged(path)
        self._lines = lines
        self._sections: dict[str, BaseModel] = {}
        self.overrides: dict[str, dict[str, object]] = {}

    @property
    def disabled_plugins(self) -> frozenset[str]:
        """Plugins whose section is `false`."""
        return frozenset(name for name, value in self.values.plugins.items() if value is False)

    def enabled(self, name: str) -> bool:
        """Whether a plugin that is off unless asked for is asked for: its section is a mapping or true."""
        value = self.values.plugins.get(name, False)
        return isinstance(value, dict) or value is True

    def validate_sections(
        self, claimed: Mapping[str, type[BaseModel]], disabled: Collection[str] = ()
    ) -> None:
        """Validate each plugin's section; refuse those that no plugin claims, unless disabled."""
        for name, value in self.values.plugins.items():
            if not isinstance(value, dict | bool | None):
                raise self.error(("plugins", name), "must be a mapping, true or false")
            if name not in claimed and name not in disabled:
                what = f"no plugin takes a section {name!r}"
                raise self.error(("plugins", name), what, name, claimed)
        for name, model in claimed.items():
            value = self.values.plugins.get(name)
            section = value if isinstance(value, dict) else {}
            try:
                _forbidding(model).model_validate(section)
                self._sections[name] = model.model_validate(section)
            except ValidationError as error:
                raise self.explain(error, ("plugins", name), model) from None

    def section(self, name: str, model: type[Section]) -> Section:
        """The validated section that was claimed as `name` with `model`."""
        section = self._sections[name]
        if not isinstance(section, model):
            raise TypeError(f"section {name!r} was claimed with another model")
        return section

    @property
    def sections(self) -> Mapping[str, BaseModel]:
        """All validated sections, by name."""
        return self._sections

    def keep(self, values: Mapping[str, object], sections: Mapping[str, BaseModel]) -> None:
        """Put back what can't change while the gateway runs: parts of the file, and sections."""
        self.values = self.values.model_copy(update=dict(values))
        self._sections.update(sections)

    def override(self, overrides: Mapping[str, Mapping[str, object]]) -> None:
        """Replace keys of plugin sections. Comes before `validate_sections`."""
        for name, section in overrides.items():
            self.overrides[name] = dict(section)
            present = self.values.plugins.get(name)
            before = present if isinstance(present, dict) else {}
            self.values.plugins[name] = {**before, **section}

    def source(self, location: Location) -> str:
        """Where an entry of the file is from, for people: the file and the line."""
        if (line := self._lines.get(location)) is None or self.path is None:
            return "packaged"
        return f"{self.path.name}:{line}"

    def explain(
        self, error: ValidationError, prefix: Location, model: type[BaseModel]
    ) -> ConfigurationError:
        """One of pydantic's errors, with its place in the file.

        The first, but an unknown key before all: it may be what another error lacks, misspelt.
        """
        problems = error.errors(include_url=False)
        problem = min(problems, key=lambda each: each["type"] != "extra_forbidden")
        within = tuple(str(step) for step in problem["loc"] if step != "[key]")
        location = (*prefix, *within)
        if problem["type"] == "extra_forbidden":
            key = location[-1]
            return self.error(location, f"unknown key {key!r}", key, keys_at(model, within[:-1]))
        return self.error(location, one_line(problem["msg"]).removeprefix("Value error, "))

    def error(
        self, location: Location, what: str, key: str | None = None, valid: Iterable[str] = ()
    ) -> ConfigurationError:
        """An error at a place in the file; with `key`, about that key among the `valid` ones."""
        place = ".".join(location if key is None else location[:-1])
        message = f"{self.path or 'configuration'}"
        if (line := self._line(location)) is not None:
            message += f", line {line}"
        message += f": {what}" + (f" in {place!r}" if place else "")
        return ConfigurationError(message + (nearest(key, valid) if key is not None else ""))

    def _line(self, location: Location) -> int | None:
        while location and location not in self._lines:
            location = location[:-1]
        return self._lines.get(location)


def find_file(explicit: Path | None, packaged: Path) -> Path:
    """The file to read: the one named, else the working directory's, the user's, the packaged."""
    if explicit is not None:
        return explicit
    for path in (Path("models.yaml"), _user_file()):
        if path is not None and path.is_file():
            return path
    return packaged


def _user_file() -> Path | None:
    try:
        return Path("~/.config/dragoman/models.yaml").expanduser()
    except RuntimeError:  # a user without a home
        return None


def packaged_file() -> Path:
    """The `models.yaml` that came with the distribution, or the checkout's own."""
    here = Path(__file__).resolve().parent
    beside = here / "models.yaml"
    return beside if beside.is_file() else here.parent / "models.yaml"


def _is_packaged(path: Path | None) -> bool:
    return path is not None and path.resolve() == packaged_file()


def load(path: Path, defaults: Path | None = None) -> Config:
    """Read `path`; where it names no models, those of `defaults` hold.

    Default aliases that lead to a model which the file does not offer are left out.
    """
    config = _read(path)
    if defaults is None or defaults.resolve() == path.resolve():
        return config
    base = _read(defaults).values
    values = config.values
    models = base.models if values.models is None else values.models
    aliases = {
        alias: name
        for alias, name in base.aliases.items()
        if values.models is None or name in values.models or "*" in name
    }
    config.values = values.model_copy(
        update={"models": models, "aliases": {**aliases, **values.aliases}}
    )
    return config


def _read(path: Path) -> Config:
    document = read_document(path)
    present = {str(key): value for key, value in document.data.items() if value is not None}
    try:
        values = FileConfig.model_validate(present)
    except ValidationError as error:
        nothing = Config(FileConfig(), path, document.lines)
        raise nothing.explain(error, (), FileConfig) from None
    return Config(values, path, document.lines)


def _forbidding(model: type[BaseModel]) -> type[BaseModel]:
    if model.model_config.get("extra") == "forbid":
        return model
    return type(model.__name__, (model,), {"model_config": ConfigDict(extra="forbid")})
