"""The scheduled task for Windows, as XML.

The elements and their order are those of the Task Scheduler's schema, version 1.2.
"""

import re
from pathlib import Path
from typing import Final
from xml.etree import ElementTree as ET

from gateway.errors import ConfigurationError
from gateway_service.definition import DESCRIPTION, Definition

TASK: Final = "Dragoman"
NAMESPACE: Final = "http://schemas.microsoft.com/windows/2004/02/mit/task"
FOLDER: Final = "AppData/Local/dragoman"
"""In the user's home."""

_SETTINGS: Final = (
    ("MultipleInstancesPolicy", "IgnoreNew"),
    ("DisallowStartIfOnBatteries", "false"),
    ("StopIfGoingOnBatteries", "false"),
    ("StartWhenAvailable", "true"),
    ("ExecutionTimeLimit", "PT0S"),  # none
)


def log_file(home: Path) -> Path:
    """Where the task writes what the gateway prints."""
    return home / FOLDER / "dragoman.log"


def task_text(definition: Definition, user: str) -> str:
    """The whole task: at the login of `user`, with the user's own rights, and again if it fails."""
    root = ET.Element("Task", {"version": "1.2", "xmlns": NAMESPACE})
    _add(root, "RegistrationInfo", ("Description", DESCRIPTION))
    trigger = ET.SubElement(ET.SubElement(root, "Triggers"), "LogonTrigger")
    _fill(trigger, ("Enabled", "true"), ("UserId", user))
    principal = ET.SubElement(ET.SubElement(root, "Principals"), "Principal", {"id": "Author"})
    _fill(
        principal,
        ("UserId", user),
        ("LogonType", "InteractiveToken"),
        ("RunLevel", "LeastPrivilege"),
    )
    settings = _add(root, "Settings", *_SETTINGS)
    _add(settings, "RestartOnFailure", ("Interval", "PT1M"), ("Count", "5"))
    actions = ET.SubElement(root, "Actions", {"Context": "Author"})
    _add(
        actions,
        "Exec",
        ("Command", "cmd.exe"),
        ("Arguments", _arguments(definition)),
        ("WorkingDirectory", str(definition.home / FOLDER)),
    )
    ET.indent(root)
    return f'<?xml version="1.0" encoding="UTF-16"?>\n{ET.tostring(root, encoding="unicode")}\n'


def command_in(text: str) -> tuple[str, ...]:
    """The command of a task."""
    root = ET.fromstring(text.split("?>", 1)[1])  # noqa: S314 - our own file
    arguments = root.findtext(f".//{{{NAMESPACE}}}Arguments") or ""
    return tuple(re.findall(r'"([^"]*)"', arguments.removeprefix('/d /c "').split(" >> ")[0]))


def _arguments(definition: Definition) -> str:
    """A task has no place for its output, so that cmd.exe has to see to it."""
    words = [*definition.command, str(log_file(definition.home))]
    if any(mark in word for word in words for mark in '"%'):
        raise ConfigurationError("a path with \" or % can't stand in a scheduled task's command")
    *command, log = (f'"{word}"' for word in words)
    return f'/d /c "{" ".join(command)} >> {log} 2>&1"'


def _add(parent: ET.Element, name: str, *texts: tuple[str, str]) -> ET.Element:
    element = ET.SubElement(parent, name)
    _fill(element, *texts)
    return element


def _fill(element: ET.Element, *texts: tuple[str, str]) -> None:
    for name, text in texts:
        ET.SubElement(element, name).text = text
