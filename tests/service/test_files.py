"""What stands in the files that make a service, read as the systems read them."""

import plistlib
from pathlib import Path

import pytest

from gateway.errors import ConfigurationError
from gateway_service import launch_agent, systemd_unit
from gateway_service.definition import Definition, configuration_in, kept

ODD = ("/opt/my tools/dragoman", "serve", "--config", '/home/u/%h $HOME "q" \\n ü/m.yaml')


def definition(
    *command: str, environment: dict[str, str] | None = None, stop_seconds: int = 50
) -> Definition:
    return Definition(
        command=command or ("/usr/bin/dragoman", "serve"),
        environment=environment if environment is not None else {"PATH": "/usr/bin:/bin"},
        home=Path("/home/u"),
        stop_seconds=stop_seconds,
    )


def settings(text: str) -> dict[tuple[str, str], list[str]]:
    """A unit's settings, by section and name; several of one name are kept in order."""
    found: dict[tuple[str, str], list[str]] = {}
    section = ""
    for line in text.splitlines():
        if line.startswith("["):
            section = line.strip("[]")
        elif line and not line.startswith("#"):
            name, value = line.split("=", 1)
            found.setdefault((section, name), []).append(value)
    return found


# -- systemd ------------------------------------------------------------------------------


def test_the_unit_tells_systemd_of_itself_and_is_started_again() -> None:
    unit = settings(systemd_unit.unit_text(definition()))
    assert unit["Service", "Type"] == ["notify"]
    assert unit["Service", "NotifyAccess"] == ["main"]
    assert unit["Service", "WatchdogSec"] == ["60"]
    assert unit["Service", "Restart"] == ["on-failure"]
    assert unit["Service", "RestartPreventExitStatus"] == ["2"]
    assert unit["Install", "WantedBy"] == ["default.target"]


def test_only_the_gateway_is_signalled_and_it_gets_the_time_that_it_needs() -> None:
    unit = settings(systemd_unit.unit_text(definition(stop_seconds=27)))
    assert unit["Service", "KillMode"] == ["mixed"]
    assert unit["Service", "TimeoutStopSec"] == ["27"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("NoNewPrivileges", "yes"),
        ("ProtectSystem", "strict"),
        ("ProtectHome", "read-only"),
        ("PrivateTmp", "yes"),
        ("PrivateDevices", "yes"),
        # without it, user units can't have the others
        ("PrivateUsers", "yes"),
        ("CapabilityBoundingSet", ""),
        ("RestrictNamespaces", "yes"),
        ("SystemCallArchitectures", "native"),
        # the CLI's JavaScript engine could not start
        ("MemoryDenyWriteExecute", "no"),
        ("UMask", "0077"),
    ],
)
def test_the_unit_is_hardened(name: str, value: str) -> None:
    assert settings(systemd_unit.unit_text(definition()))["Service", name] == [value]


def test_the_home_is_writable_but_not_what_runs_at_login() -> None:
    unit = settings(systemd_unit.unit_text(definition()))
    assert unit["Service", "ReadWritePaths"] == ["%h"]
    [read_only] = unit["Service", "ReadOnlyPaths"]
    assert {"-%h/.config", "-%h/.bashrc", "-%h/.profile", "-%h/.zshrc"} <= set(read_only.split())
    assert unit["Service", "InaccessiblePaths"] == ["-%h/.ssh"]


def test_another_folder_of_the_cli_is_writable_too() -> None:
    text = systemd_unit.unit_text(definition(environment={"CLAUDE_CONFIG_DIR": "/data/my cli"}))
    unit = settings(text)
    assert unit["Service", "ReadWritePaths"] == ['%h "-/data/my cli"']
    assert unit["Service", "Environment"] == ['"CLAUDE_CONFIG_DIR=/data/my cli"']


def test_what_systemd_would_expand_is_escaped() -> None:
    [line] = settings(systemd_unit.unit_text(definition(*ODD)))["Service", "ExecStart"]
    assert line == (
        '"/opt/my tools/dragoman" "serve" "--config" "/home/u/%%h $$HOME \\"q\\" \\\\n ü/m.yaml"'
    )


def test_secrets_are_given_in_a_file_that_need_not_be_there() -> None:
    unit = settings(systemd_unit.unit_text(definition()))
    assert unit["Service", "EnvironmentFile"] == ["-%h/.config/dragoman/environment"]


# -- launchd ------------------------------------------------------------------------------


def test_the_property_list() -> None:
    text = launch_agent.plist_text(definition(*ODD, stop_seconds=27))
    assert plistlib.loads(text.encode("utf-8")) == {
        "Label": "dragoman.gateway",
        "ProgramArguments": list(ODD),
        "EnvironmentVariables": {"PATH": "/usr/bin:/bin"},
        "WorkingDirectory": "/",
        "RunAtLoad": True,
        "KeepAlive": {"SuccessfulExit": False},
        "ThrottleInterval": 10,
        "ExitTimeOut": 27,
        "StandardOutPath": "/home/u/Library/Logs/dragoman/dragoman.log",
        "StandardErrorPath": "/home/u/Library/Logs/dragoman/dragoman.log",
        "Umask": 0o077,
        "ProcessType": "Interactive",
    }


# -- all of them --------------------------------------------------------------------------


def test_the_command_is_read_back_as_it_was() -> None:
    assert systemd_unit.command_in(systemd_unit.unit_text(definition(*ODD))) == ODD
    assert launch_agent.command_in(launch_agent.plist_text(definition(*ODD))) == ODD


def test_the_configuration_is_found_in_a_command() -> None:
    assert configuration_in(ODD) == Path(ODD[-1])
    assert configuration_in(("/usr/bin/dragoman", "serve")) is None


@pytest.mark.parametrize("path", ["/a\nExecStartPre=/bin/evil", "/a\x00b", "/a\x1b[0m"])
def test_a_path_can_not_add_lines(path: str) -> None:
    with pytest.raises(ConfigurationError, match="that are not allowed in a service file"):
        definition(path, "serve")


def test_of_the_environment_paths_alone_are_kept() -> None:
    environ = {
        "PATH": "/usr/bin:relative::/bin:/usr/bin:.",
        "HOME": "/home/u",
        "ANTHROPIC_API_KEY": "secret",
        "DRAGOMAN_CLAUDE_COMMAND": "/opt/claude",
        "CLAUDE_CONFIG_DIR": "",
    }
    assert kept(environ) == {"PATH": "/usr/bin:/bin", "DRAGOMAN_CLAUDE_COMMAND": "/opt/claude"}
