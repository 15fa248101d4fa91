"""How this `dragoman` can be typed: by its name where PATH leads to it, else by its path."""

import os
import shlex
import shutil
import sys
from pathlib import Path
from typing import Final

from gateway.machine.installation import environment_of

NAME: Final = "dragoman"


def command_line(*words: str, anywhere: bool = False) -> str:
    """The command with these words after it, as in `.venv/bin/dragoman login`.

    It can be pasted into a shell in the current folder; with `anywhere`, in each folder, as a text
    needs it that is read by somebody else, or later.
    """
    return " ".join([command_name(anywhere=anywhere), *map(shlex.quote, words)])


def command_name(*, anywhere: bool = False) -> str:
    """The command alone; see `command_line`."""
    program = _program()
    if program is None:
        return NAME
    return typed(
        program,
        on_path=shutil.which(NAME),
        folder=None if anywhere else _current_folder(),
        home=os.environ.get("HOME"),
    )


def serve_command(*options: str) -> str:
    """How `serve` is typed with these options: `make run` in the folder of a checkout."""
    if in_checkout():
        return f'make run ARGS="{shlex.join(options)}"'
    return command_line("serve", *options)


def in_checkout() -> bool:
    """Whether the current folder is the checkout that runs."""
    prefix = Path(sys.prefix)
    return environment_of(prefix) == "checkout" and prefix.parent == _current_folder()


def typed(program: Path, *, on_path: str | None, folder: Path | None, home: str | None) -> str:
    """How `program`, an absolute path, is typed where PATH has `on_path` under its name.

    A path below `folder` is relative to it, and one below `home` begins with `~`.
    """
    if on_path is not None and Path(on_path).resolve() == program.resolve():
        return NAME
    if folder is not None and program.is_relative_to(folder):
        relative = program.relative_to(folder)
        # a name without a slash would be looked for on PATH
        plain = str(relative) if len(relative.parts) > 1 else f"./{relative}"
        return shlex.quote(plain)
    if home and Path(home) != Path(program.anchor) and program.is_relative_to(home):
        # the shell expands `~` only outside of quotes
        return f"~/{shlex.quote(str(program.relative_to(home)))}"
    return shlex.quote(str(program))


def _program() -> Path | None:
    """The script that runs, or the one beside this Python; None if there is neither."""
    script = Path(sys.argv[0] or NAME)
    beside = Path(sys.executable).with_name(NAME)
    for found in (script, beside):
        if found.stem == NAME and found.is_file():
            return Path(os.path.normpath(found.absolute()))
    return None


def _current_folder() -> Path | None:
    try:
        return Path.cwd()
    except OSError:  # it was removed
        return None
