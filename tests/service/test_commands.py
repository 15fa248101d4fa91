"""`dragoman service`, with programs that only note what they are told to do."""

from pathlib import Path

import pytest

from gateway_service import commands, system_commands, this_machine
from tests.service.service_support import UNIT, Service, System


@pytest.mark.parametrize("command", ["start", "stop", "logs"])
def test_what_is_not_installed(command: str, service: Service, system: System) -> None:
    result = service(command)
    assert (result.exit_code, system.calls) == (2, [])
    assert "not installed; install it with `dragoman service install`" in result.stderr


def test_uninstall_stops_it_and_removes_the_file(
    service: Service, system: System, home: Path
) -> None:
    service("install")
    assert system.calls
    assert service("uninstall").exit_code == 0
    assert system.calls == [
        "systemctl --user disable --now dragoman.service",
        "systemctl --user daemon-reload",
    ]
    assert not (home / UNIT).exists()


def test_to_uninstall_twice_is_no_mistake(service: Service, system: System) -> None:
    result = service("uninstall")
    assert (result.exit_code, system.calls) == (0, [])
    assert "Not installed" in result.stderr


def test_start_and_stop(service: Service, system: System) -> None:
    service("install")
    assert system.calls
    assert (service("stop").exit_code, service("start").exit_code) == (0, 0)
    assert system.calls == [
        "systemctl --user stop dragoman.service",
        "systemctl --user start dragoman.service",
    ]


def test_stop_on_macos_is_no_signal(service: Service, mac: System, home: Path) -> None:
    service("install")
    assert mac.calls
    service("stop")
    assert mac.calls == ["launchctl bootout gui/501/dragoman.gateway"]


@pytest.mark.parametrize(
    ("options", "called"),
    [
        ((), "journalctl --user --unit dragoman.service --lines 200"),
        (("-f",), "journalctl --user --unit dragoman.service --lines 200 --follow"),
    ],
)
def test_logs(options: tuple[str, ...], called: str, service: Service, system: System) -> None:
    service("install")
    assert system.calls
    system.says({"journalctl": ("", 0), "--lines": ("", 4)})
    assert service("logs", *options).exit_code == 4, "the exit code is the program's"
    assert system.calls == [called]


def test_logs_on_macos(service: Service, mac: System, home: Path) -> None:
    service("install")
    assert mac.calls
    service("logs", "-f")
    assert mac.calls == [f"tail -n 200 -F {home}/Library/Logs/dragoman/dragoman.log"]


def test_logs_without_the_program(
    service: Service, system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    service("install")
    system.remove("journalctl")
    monkeypatch.setenv("PATH", system.path.split(":")[0])
    assert "the log needs journalctl" in service("logs").stderr


# -- the command dragoman -----------------------------------------------------------------


def test_the_program_is_the_one_that_runs(
    system: System, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the link that it was called by, which an update leaves in its place."""
    real = home / "v1" / "dragoman"
    real.parent.mkdir()
    real.write_text("#!/bin/sh\n", encoding="utf-8")
    real.chmod(0o755)
    link = home / "dragoman"
    link.symlink_to(real)
    monkeypatch.setattr(this_machine.sys, "argv", [str(link)])
    assert this_machine.program() == link


def test_a_python_without_the_command_says_so(
    system: System, home: Path, monkeypatch: pytest.MonkeyPatch, service: Service
) -> None:
    monkeypatch.setattr(this_machine.sys, "executable", str(home / "python"))
    assert "the command 'dragoman' was not found next to" in service("install").stderr


def test_what_is_not_done_in_time_has_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(system_commands, "LONGEST_SECONDS", 0.05)
    assert system_commands.run(("sleep", "5")) == system_commands.Answer(
        succeeded=False, output="timed out after 0.05 s"
    )


def test_help_names_all_commands(service: Service) -> None:
    listed = service("--help").stdout
    assert all(f"\n  {name} " in listed for name in commands.service_command.commands)
