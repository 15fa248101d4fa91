"""`dragoman service install`, for real and as a dry run."""

import plistlib
from pathlib import Path

import pytest

from gateway_service import this_machine
from tests.service.service_support import PLIST, UNIT, Service, System

# -- install ------------------------------------------------------------------------------


def test_install_writes_the_unit_and_starts_it(
    service: Service, system: System, home: Path
) -> None:
    result = service("install")
    assert result.exit_code == 0, result.output
    assert system.calls == [
        "systemctl --user daemon-reload",
        "systemctl --user enable dragoman.service",
        "systemctl --user restart dragoman.service",
    ]
    unit = (home / UNIT).read_text(encoding="utf-8")
    assert '/dragoman" "serve"\n' in unit
    assert f'Environment="PATH={system.path}"' in unit
    assert list((home / UNIT).parent.iterdir()) == [home / UNIT]
    assert "http://127.0.0.1:3456/v1" in result.stderr


def test_install_serves_the_users_configuration(
    service: Service, system: System, home: Path
) -> None:
    """By its whole path: a service has no folder of its own."""
    (home / ".config/dragoman").mkdir(parents=True)
    text = "server: {port: 4000, drain_seconds: 7}\nmodels: {m: {backend: echo}}\n"
    (home / ".config/dragoman/models.yaml").write_text(text, encoding="utf-8")
    (home / "models.yaml").write_text("server: {port: 1}", encoding="utf-8")  # not the service's
    result = service("install")
    assert f"{home}/.config/dragoman/models.yaml at http://127.0.0.1:4000/v1" in result.stderr
    unit = (home / UNIT).read_text(encoding="utf-8")
    assert f'"--config" "{home}/.config/dragoman/models.yaml"' in unit
    assert "TimeoutStopSec=27" in unit


def test_install_on_macos(service: Service, mac: System, home: Path) -> None:
    assert service("install").exit_code == 0
    assert mac.calls == [
        "launchctl bootout gui/501/dragoman.gateway",
        "launchctl enable gui/501/dragoman.gateway",
        f"launchctl bootstrap gui/501 {home}/{PLIST}",
    ]
    assert plistlib.loads((home / PLIST).read_bytes())["Label"] == "dragoman.gateway"
    assert (home / "Library/Logs/dragoman").is_dir()


def test_launchd_may_need_time_to_let_the_one_before_go(
    service: Service, mac: System, home: Path
) -> None:
    once = home / "tried"
    mac.says(
        {
            "bootout": ("not there", 3),
            "bootstrap": (f"'; [ -e {once} ] && exit 0; touch {once}; echo '", 5),
        }
    )
    assert service("install").exit_code == 0
    assert [call.split()[1] for call in mac.calls] == [
        "bootout",
        "enable",
        "bootstrap",
        "bootstrap",
    ]


def test_no_secret_is_written_and_it_is_said_how_to_give_them(
    service: Service, system: System, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in (
        "ANTHROPIC_API_KEY",
        "CLAUDE_CODE_OAUTH_TOKEN",
        "HTTPS_PROXY",
        "AWS_SECRET_ACCESS_KEY",
        "MY_OWN",
    ):
        monkeypatch.setenv(name, "hunter2")
    result = service("install")
    assert "hunter2" not in (home / UNIT).read_text(encoding="utf-8") + result.output
    assert (
        "may be secrets: ANTHROPIC_API_KEY, AWS_SECRET_ACCESS_KEY, CLAUDE_CODE_OAUTH_TOKEN, "
        "HTTPS_PROXY. " in result.stderr
    )
    assert "chmod 600 ~/.config/dragoman/environment" in result.stderr


def test_without_such_variables_nothing_is_said_of_them(service: Service, system: System) -> None:
    assert "secrets" not in service("install").stderr


@pytest.mark.parametrize("command", ["install", "uninstall", "start", "stop"])
def test_root_is_asked_whether_that_is_meant(
    command: str, service: Service, system: System, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(this_machine.os, "getuid", lambda: 0)
    result = service(command)
    assert (result.exit_code, system.calls) == (2, [])
    assert "run it without sudo, or with --as-root" in result.stderr
    assert not (home / UNIT).exists()


def test_root_may_insist(
    service: Service, system: System, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(this_machine.os, "getuid", lambda: 0)
    assert service("install", "--as-root").exit_code == 0
    assert (home / UNIT).exists()


def test_without_a_sandbox_what_needs_no_namespace_is_kept(
    service: Service, system: System, home: Path
) -> None:
    service("install", "--no-sandbox")
    unit = (home / UNIT).read_text(encoding="utf-8")
    assert all(f"{name}=" not in unit for name in ("PrivateUsers", "PrivateTmp", "ProtectSystem"))
    assert "CapabilityBoundingSet=" not in unit, "it needs a namespace as well (218/CAPABILITIES)"
    assert all(f"{name}=" in unit for name in ("NoNewPrivileges", "SystemCallFilter", "UMask"))


# -- --dry-run ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("platform", "file", "begins", "command"),
    [
        ("linux", UNIT, "# Written by", "systemctl --user enable dragoman.service"),
        ("macos", PLIST, "<?xml", "launchctl enable gui/501/dragoman.gateway"),
    ],
)
def test_a_dry_run_prints_file_and_commands_and_does_nothing(
    platform: str,
    file: str,
    begins: str,
    command: str,
    service: Service,
    system: System,
    home: Path,
) -> None:
    result = service("install", "--dry-run", "--platform", platform)
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert lines[0] == f"# {home}/{file}"
    assert lines[1].startswith(begins)
    assert command in lines
    assert (list(home.iterdir()), system.calls) == ([], [])


def test_a_dry_run_needs_no_rights(
    service: Service, system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(this_machine.os, "getuid", lambda: 0)
    assert service("install", "--dry-run").exit_code == 0


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (
            "uninstall",
            "systemctl --user disable --now dragoman.service\nrm {unit}\nsystemctl --user daemon-reload\n",
        ),
        ("start", "systemctl --user start dragoman.service\n"),
        ("stop", "systemctl --user stop dragoman.service\n"),
    ],
)
def test_a_dry_run_of_the_others(
    command: str, said: str, service: Service, system: System, home: Path
) -> None:
    result = service(command, "--dry-run")
    assert (result.stdout, system.calls) == (said.format(unit=home / UNIT), [])


# -- what can't be done -------------------------------------------------------------------


def test_another_platform_is_only_for_a_look(service: Service, system: System) -> None:
    result = service("install", "--platform", "macos")
    assert (result.exit_code, system.calls) == (2, [])
    assert "this is linux; --platform macos requires --dry-run" in result.stderr


def test_a_wrong_configuration_is_not_installed(
    service: Service, system: System, home: Path
) -> None:
    (home / "models.yaml").write_text("modles: {}", encoding="utf-8")
    result = service("install", "--config", str(home / "models.yaml"))
    assert (result.exit_code, system.calls) == (2, [])
    assert "line 1: unknown key 'modles'; did you mean 'models'?" in result.stderr


def test_a_service_that_does_not_start_says_why(service: Service, system: System) -> None:
    system.says({"restart": ("Job failed.", 1)})
    result = service("install")
    assert result.exit_code == 2
    assert "`systemctl --user restart dragoman.service` failed: Job failed." in result.stderr
    assert "`dragoman service logs`" in result.stderr


def test_a_system_without_systemd(
    service: Service, system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    system.remove("systemctl")
    monkeypatch.setenv("PATH", system.path.split(":")[0])
    result = service("install")
    assert result.exit_code == 2
    assert "systemctl is missing" in result.stderr


def test_a_system_that_is_not_known(
    service: Service, system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(this_machine.sys, "platform", "plan9")
    assert "services are not supported on plan9" in service("status").stderr


def test_a_folder_that_can_not_be_written_to(service: Service, system: System, home: Path) -> None:
    (home / ".config").write_text("a file", encoding="utf-8")
    result = service("install")
    assert (result.exit_code, system.calls) == (2, [])
    assert "dragoman.service can't be written: " in result.stderr
