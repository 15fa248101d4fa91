"""Putting an alias into Dragoman's own YAML as text, so that comments and order stay."""

from pathlib import Path
from typing import Any, Final

import yaml

from gateway.config.settings import load, packaged_file
from gateway.errors import ConfigurationError, ModelNotFound
from gateway.models.model_map import ModelMap
from gateway.yaml_file.wording import yaml_name
from gateway_terminal.connect.client_files import write_text
from gateway_terminal.init_command import user_file

SECTION: Final = "aliases"


def add_alias(alias: str, model: str, config_file: Path | None = None) -> str:
    """Write it into the file, or into the user's own, and say so in a line. See `write_alias`.

    `config_file` is the one named, or else that of the running gateway.
    """
    path = config_file if config_file is not None else user_file()
    backup = write_alias(path, alias, model)
    kept = f"; the previous version is {backup}" if backup is not None else ""
    return f"{alias} is an alias of {model} in {path}{kept}. A running gateway applies it."


def write_alias(path: Path, alias: str, model: str) -> Path | None:
    """Have `alias` lead to `model` in the file, which is made if it is missing.

    Returns the copy of what was there before, or None if there was nothing or nothing changed.
    Raises `ConfigurationError`; the file is then as it was.
    """
    line = alias_line(alias, model)
    try:
        before = path.read_bytes().decode("utf-8") if path.exists() else ""
        _check_model(path if before.strip() else packaged_file(), model)
        after = with_alias(before, alias, model)
        return write_text(path, before, after)
    except (ValueError, yaml.YAMLError) as error:
        why = str(error) if type(error) is ValueError else "it can't be parsed"
        raise ConfigurationError(
            f"{path} was left unchanged: {why}; add by hand under {SECTION}: `{line}`"
        ) from None
    except OSError as error:
        raise ConfigurationError(f"{path}: {error.strerror}") from None


def alias_line(alias: str, model: str) -> str:
    """`alias: model` as YAML. Raises `ConfigurationError` for odd names."""
    names = [yaml_name(alias), yaml_name(model)]
    for name, written in zip((alias, model), names, strict=True):
        if written is None:
            raise ConfigurationError(f"{name[:64]!r} can't be used in an alias")
    return ": ".join(filter(None, names))


def with_alias(text: str, alias: str, model: str) -> str:
    """The text with one more line under `aliases:`, as YAML a mapping with one more key.

    Raises `ValueError` where that would take more than a line, or the alias leads elsewhere;
    `yaml.YAMLError` for text that is not YAML.
    """
    old = yaml.safe_load(text)
    if not isinstance(old, dict | None):
        raise ValueError("it is not a mapping")  # noqa: TRY004 - of the file, not of an argument
    aliases = (old or {}).get(SECTION) or {}
    if not isinstance(aliases, dict):
        raise ValueError(f"{SECTION} is not a mapping")  # noqa: TRY004
    if isinstance(models := (old or {}).get("models"), dict) and alias in models:
        raise ValueError(f"{alias!r} is already the name of a model there")
    if (leads_to := aliases.get(alias)) is not None:
        if leads_to == model:
            return text
        raise ValueError(f"the alias {alias!r} already points to {leads_to!r}")
    new = _inserted(text, alias_line(alias, model))
    wanted: dict[str, Any] = {**(old or {}), SECTION: {**aliases, alias: model}}
    if _read(new) != wanted:
        raise ValueError("it has an unexpected structure")
    return new


def _read(text: str) -> object:
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError:
        return None


def _inserted(text: str, line: str) -> str:
    end = "\r\n" if "\r\n" in text else "\n"
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    pairs = root.value if isinstance(root, yaml.MappingNode) else []
    found = next(((key, value) for key, value in pairs if key.value == SECTION), None)
    if found is None:
        if isinstance(root, yaml.MappingNode) and root.flow_style:
            raise ValueError("it is written in braces")
        head = f"{text.rstrip()}{end}{end}" if text.strip() else ""
        return f"{head}{SECTION}:{end}  {line}{end}"
    key, value = found
    if isinstance(value, yaml.MappingNode) and value.flow_style:
        at = value.start_mark.index + 1
        return f"{text[:at]}{line}{', ' if value.value else ''}{text[at:]}"
    if isinstance(value, yaml.MappingNode):
        first = value.value[0][0].start_mark
        at = first.index - first.column
        return f"{text[:at]}{' ' * first.column}{line}{end}{text[at:]}"
    at = text.find("\n", key.end_mark.index) + 1
    head = text[:at] if at else f"{text}{end}"
    return f"{head}{' ' * (key.start_mark.column + 2)}{line}{end}{text[at:] if at else ''}"


def _check_model(path: Path, model: str) -> None:
    values = load(path, packaged_file()).values
    try:
        ModelMap(values.models or {}, values.aliases).resolve(model)
    except ModelNotFound as error:
        raise ConfigurationError(error.message) from None
