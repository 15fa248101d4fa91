"""Taking up changes of the YAML while the gateway runs.

A new configuration is read and validated as at the start, and only then replaces the old one, at
once. One that is rejected changes nothing.
"""

import logging
from collections.abc import AsyncGenerator, Iterator
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from pathlib import Path
from typing import Final

import anyio
from watchfiles import awatch

from gateway.config.settings import Config, FileConfig, load, packaged_file
from gateway.errors import ConfigurationError
from gateway.markers import hookimpl
from gateway.pipeline.gateway import CoreGateway
from gateway.startup.validation import USER_FILE, check_disabled, validated

log = logging.getLogger("gateway.reload")

QUIET_MS: Final = 50
"""A change is read after this long without another: most files are written in pieces."""
LOOK_MS: Final = 5_000
"""How often to check without a notification: some file systems send none."""
RELOADABLE: Final = frozenset({"models", "aliases", "limits", "plugins"})


class Reloader:
    """Keeps one gateway's configuration as its file says.

    `instead` is a file that takes the place of `path` as soon as it is there: the user's own, for
    a gateway that was started without one.
    """

    def __init__(self, gateway: CoreGateway, path: Path, instead: Path | None = None) -> None:
        self._gateway = gateway
        self._path = path
        self._instead = instead
        self._seen: bytes | None = None
        self._disabled = gateway.config.disabled_plugins

    @property
    def path(self) -> Path:
        """The file that holds now."""
        return self._path

    async def look(self) -> None:
        """Apply the file if its content has changed since the last check."""
        if self._instead is not None and await anyio.to_thread.run_sync(self._instead.is_file):
            log.info("%s was created; using it as the configuration from now on", self._instead)
            self._path, self._instead = self._instead, None
        content = await anyio.to_thread.run_sync(_content, self._path)
        if content == self._seen:
            return
        try:
            if not content.strip():
                raise ConfigurationError(f"{self._path} is missing or empty, perhaps half written")
            config = await anyio.to_thread.run_sync(self._load)
            self._take_up(config)
        except ConfigurationError as error:
            self._gateway.last_error = str(error).replace(str(self._path), self._path.name)
            log.error("keeping the previous configuration: %s", error)  # noqa: TRY400 - for the user
        self._seen = content

    def _load(self) -> Config:
        """A file that was not trusted at the start is not trusted later either."""
        return load(self._path, packaged_file(), trusted=self._gateway.config.trusted)

    def _take_up(self, new: Config) -> None:
        gateway, old = self._gateway, self._gateway.config
        check_disabled(new, gateway.plugins)
        new.override(old.overrides)
        models = validated(new, gateway.plugins)
        fixed = {key: getattr(old.values, key) for key in set(FileConfig.model_fields) - RELOADABLE}
        later = list(_changed_keys(old, new, fixed))
        toggled = new.disabled_plugins ^ self._disabled
        sections = {
            name
            for name, section in old.sections.items()
            if name not in toggled and section != new.sections.get(name)
        }
        changes = [] if models.same_as(gateway.models) else ["models and aliases"]
        changes += ["limits"] if old.values.limits != new.values.limits else []
        new.keep(fixed, {name: old.sections[name] for name in toggled if name in old.sections})
        gateway.reconfigure(new, models)
        taken = self._tell_plugins(sections) if changes or sections else set()
        new.keep({}, {name: old.sections[name] for name in sections - taken})
        later += [f"plugins.{name}" for name in sorted((sections - taken) | toggled)]
        changes += [f"plugins.{name}" for name in sorted(sections & taken)]
        self._say(changes, tuple(later))

    def _tell_plugins(self, sections: set[str]) -> set[str]:
        return self._gateway.plugins.hooks.reconfigured(self._gateway) & sections

    def _say(self, changes: list[str], later: tuple[str, ...]) -> None:
        gateway = self._gateway
        news = changes or later != gateway.needs_restart or gateway.last_error
        gateway.last_error, gateway.needs_restart = None, later
        if news:
            log.info(
                "configuration reloaded; applied: %s; needs a restart: %s",
                ", ".join(changes) or "nothing",
                ", ".join(later) or "nothing",
            )


def _changed_keys(old: Config, new: Config, fixed: dict[str, object]) -> Iterator[str]:
    for section in sorted(fixed):
        before, after = getattr(old.values, section), getattr(new.values, section)
        for key in type(before).model_fields:
            if getattr(before, key) != getattr(after, key):
                yield f"{section}.{key}"


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


def folders_of(path: Path) -> list[Path]:
    """The folders in which a change may make `path` another file: those of all its links too."""
    folders: list[Path] = []
    current = path.absolute()
    for _ in range(40):
        for step in (current, *current.parents):
            if step.is_symlink():
                break
        folders.append(current.parent)
        if not step.is_symlink():
            break
        folders.append(step.parent)
        current = step.parent / step.readlink() / current.relative_to(step)
    return list(dict.fromkeys(folder for folder in folders if folder.is_dir()))


class ConfigWatch:
    """A plugin of the core: watches the configuration file while the gateway serves."""

    @hookimpl
    def gateway_lifespan(self, gateway: CoreGateway) -> AbstractAsyncContextManager[None] | None:
        """Watches the file, if the configuration is one."""
        if gateway.config.path is None:
            return None
        path = gateway.config.path
        is_packaged = path.resolve() == packaged_file()
        return watching(gateway, path.absolute(), _missing_users_file() if is_packaged else None)


def _missing_users_file() -> Path | None:
    """The user's own configuration, if it is still to be made."""
    try:
        path = Path(USER_FILE).expanduser()
    except RuntimeError:  # a user without a home
        return None
    return None if path.exists() else path


@asynccontextmanager
async def watching(
    gateway: CoreGateway, path: Path, instead: Path | None = None
) -> AsyncGenerator[None]:
    """While this is open, changes of the file are taken up. Its thread ends with it."""
    logging.getLogger("watchfiles").setLevel(logging.WARNING)
    stop = anyio.Event()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(_watch, Reloader(gateway, path, instead), stop)
        try:
            yield
        finally:
            stop.set()


async def _watch(reloader: Reloader, stop: anyio.Event) -> None:
    while not stop.is_set():
        folders = folders_of(reloader.path)
        changes = awatch(
            *folders,
            watch_filter=None,
            debounce=QUIET_MS * 8,
            step=QUIET_MS,
            stop_event=stop,
            rust_timeout=LOOK_MS,
            yield_on_timeout=True,
            recursive=False,
        )
        try:
            await reloader.look()
            async with aclosing(changes):
                async for _ in changes:
                    await reloader.look()
                    if folders_of(reloader.path) != folders:
                        break
        except Exception:
            log.exception("the configuration can't be watched; changes to it need a restart")
            return
