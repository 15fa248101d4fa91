"""The configuration: what the YAML may say, and the sections that plugins claim in it.

`load` finds and reads a file; `Config.validate_sections` runs once plugins have claimed their
sections. All errors are `ConfigurationError`s that name the file, the line, and the nearest
valid key.
"""

from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Final, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from gateway.errors import ConfigurationError
from gateway.machine.addresses import is_loopback
from gateway.machine.command_name import command_line
from gateway.models.model_map import ModelEntry
from gateway.yaml_file.document import Location, read_yaml_document
from gateway.yaml_file.trust import NeedsTrust, is_vetted, keys_in_need
from gateway.yaml_file.valid_keys import keys_at
from gateway.yaml_file.wording import nearest, one_line

Section = TypeVar("Section", bound=BaseModel)


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def _stays_here(host: object) -> bool:
    return host == "localhost" or is_loopback(str(host))


class ServerConfig(_Strict):
    """Where the gateway listens, and for how many seconds it waits for running answers at its end.

    `leave_seconds` is how long requests are still taken after the signal to stop, while `/readyz`
    is 503 already, so that a balancer sends none; by default 0 on loopback and 5 elsewhere.
    `insecure` lets others in although no plugin asks for keys. `reload` takes up changes of the
    YAML while it runs.
    """

    host: Annotated[str, NeedsTrust("gives other machines access", harmless=_stays_here)] = (
        "localhost"
    )
    port: int = Field(default=3456, ge=0, le=65535)
    insecure: Annotated[bool, NeedsTrust("gives everyone access without a key")] = False
    leave_seconds: float | None = Field(default=None, ge=0)
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
    json_values: int = Field(default=250_000, gt=0)
    messages: int = Field(default=2000, gt=0)
    parts: int = Field(default=10_000, gt=0)
    images: int = Field(default=500, gt=0)
    tools: int = Field(default=1000, gt=0)
    choices: int = Field(default=128, gt=0)

    # the schema of an answer; OpenAI's own (its guide to structured outputs, "Supported schemas")
    schema_properties: int = Field(default=5000, gt=0)
    schema_enum_values: int = Field(default=1000, gt=0)
    schema_characters: int = Field(default=120_000, gt=0)

    # answers
    calls: int = Field(default=256, gt=0)
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
    those and no others; `replaced` are the default names that are then left out. One that is not `trusted` was merely found in the current folder, and may
    not set every key (see `gateway.yaml_file.trust`).
    """

    def __init__(
        self,
        values: FileConfig,
        path: Path | None,
        lines: Mapping[Location, int],
        *,
        trusted: bool = True,
    ) -> None:
        self.values = values
        self.path = path
        self.trusted = trusted
        self.names_models = values.models is not None and not _is_packaged(path)
        self.replaced: frozenset[str] = frozenset()
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
                what = f"unknown section {name!r}"
                if not self.trusted and name in self.code_beside():
                    raise self.untrusted(("plugins", name), "configures code beside this file")
                raise self.error(("plugins", name), what, name, claimed)
        for name, model in claimed.items():
            value = self.values.plugins.get(name)
            section = value if isinstance(value, dict) else {}
            try:
                _forbidding(model).model_validate(section)
                self._sections[name] = model.model_validate(section)
            except ValidationError as error:
                raise self.explain(error, ("plugins", name), model) from None

    def check_trust(self) -> None:
        """Refuse what a file that was merely found may not set. Comes after `validate_sections`."""
        if self.trusted:
            return
        for location, effect in keys_in_need(self.values):
            raise self.untrusted(location, effect)
        for name in sorted(self.disabled_plugins):
            raise self.untrusted(("plugins", name), "switches a plugin off")
        for name, section in self._sections.items():
            by_code = self.overrides.get(name, {})
            if not is_vetted(type(section)) and self._is_set(name, by_code):
                raise self.untrusted(("plugins", name), "may do anything that its plugin can")
            for location, effect in keys_in_need(section, ("plugins", name)):
                if location[2] not in by_code:
                    raise self.untrusted(location, effect)

    def _is_set(self, name: str, by_code: Mapping[str, object]) -> bool:
        """Whether the file itself says something about a plugin."""
        value = self.values.plugins.get(name)
        return bool(value.keys() - by_code.keys() if isinstance(value, dict) else value)

    def untrusted(self, location: Location, effect: str) -> ConfigurationError:
        """The error about a key that this file may not set; `effect` is what the key does."""
        return ConfigurationError(
            f"{self._place(location)}: {'.'.join(location)!r} {effect}, so it is not accepted from "
            "a "
            f"file that was only found in the current folder; if you trust this file: "
            f"{command_line('serve', '--config', str(self.path))}"
        )

    def code_beside(self) -> Mapping[str, Path]:
        """The plugins that are single files, `plugins/*.py` beside the file, by name."""
        folder = self.path.parent / "plugins" if self.path is not None else None
        if folder is None or not folder.is_dir():
            return {}
        return {
            path.stem: path for path in sorted(folder.glob("*.py")) if not path.stem.startswith("_")
        }

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
        message = f"{self._place(location)}: {what}" + (f" in {place!r}" if place else "")
        return ConfigurationError(message + (nearest(key, valid) if key is not None else ""))

    def _place(self, location: Location) -> str:
        line = self._line(location)
        return f"{self.path or 'configuration'}" + ("" if line is None else f", line {line}")

    def _line(self, location: Location) -> int | None:
        while location and location not in self._lines:
            location = location[:-1]
        return self._lines.get(location)


def find_file(explicit: Path | None, packaged: Path) -> Path:
    """The file to read: the one named, else the user's, the packaged.

    Never the current folder's: that is for `serve`, by `gateway.config.chosen_file`.
    """
    if explicit is not None:
        return explicit
    users = user_file()
    return users if users is not None and users.is_file() else packaged


def user_file() -> Path | None:
    """The user's own configuration, whether there is one or not; None without a home."""
    try:
        path = Path("~/.config/dragoman/models.yaml").expanduser()
    except RuntimeError:  # a user without a home
        return None
    return path if path.is_absolute() else None  # with HOME=. any folder would be the user's


def packaged_file() -> Path:
    """The `models.yaml` that came with the distribution, or the checkout's own."""
    core = Path(__file__).resolve().parents[1]
    beside = core / "models.yaml"
    return beside if beside.is_file() else core.parent / "models.yaml"


def _is_packaged(path: Path | None) -> bool:
    return path is not None and path.resolve() == packaged_file()


def load(path: Path, defaults: Path | None = None, *, trusted: bool = True) -> Config:
    """Read `path`; where it names no models, those of `defaults` hold.

    Default aliases that lead to a model which the file does not offer are left out.
    """
    config = _read(path, trusted=trusted)
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
    if values.models is not None:
        offered = {*values.models, *config.values.aliases}
        config.replaced = frozenset({*(base.models or {}), *base.aliases} - offered)
    return config


def _read(path: Path, *, trusted: bool = True) -> Config:
    document = read_yaml_document(path)
    present = {str(key): value for key, value in document.data.items() if value is not None}
    try:
        values = FileConfig.model_validate(present)
    except ValidationError as error:
        nothing = Config(FileConfig(), path, document.lines)
        raise nothing.explain(error, (), FileConfig) from None
    return Config(values, path, document.lines, trusted=trusted)


def _forbidding(model: type[BaseModel]) -> type[BaseModel]:
    if model.model_config.get("extra") == "forbid":
        return model
    return type(model.__name__, (model,), {"model_config": ConfigDict(extra="forbid")})
