"""`dragoman service`, with programs that only note what they are told to do."""

import http.server
import plistlib
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml
from click.testing import Result

from gateway_service import commands, system_commands, this_machine
from tests.service.service_support import System

Service = Callable[..., Result]
UNIT = ".config/systemd/user/dragoman.service"
PLIST = "Library/LaunchAgents/dragoman.gateway.plist"


@pytest.fixture
def mac(system: System, monkeypatch: pytest.MonkeyPatch) -> System:
    monkeypatch.setattr(this_machine.sys, "platform", "darwin")
    monkeypatch.setattr(system_commands, "PAUSE_SECONDS", 0)
    return system


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


@pytest.mark.parametrize("command", ["start", "stop", "logs"])
def test_what_is_not_installed(command: str, service: Service, system: System) -> None:
    result = service(command)
    assert (result.exit_code, system.calls) == (2, [])
    assert "not installed; `dragoman service install` installs it" in result.stderr


# -- the others ---------------------------------------------------------------------------


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
    assert "It is not installed" in result.stderr


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


# -- status -------------------------------------------------------------------------------


@pytest.fixture
def listening() -> Iterator[Callable[[bytes], int]]:
    """Starts a server that answers `/healthz` with this; gives the port."""
    servers = []

    def start(body: bytes) -> int:
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200 if self.path == "/healthz" else 404)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None: ...

        server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, args=(0.01,)).start()
        servers.append(server)
        return server.server_port

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def install_on(port: int, service: Service, home: Path) -> None:
    """Installed with a configuration that is not the working directory's."""
    path = home / "elsewhere.yaml"
    config = {"server": {"host": "0.0.0.0", "port": port}}
    path.write_text(yaml.safe_dump(config), encoding="utf-8")
    assert service("install", "--config", path).exit_code == 0


def test_status_of_what_is_well(
    service: Service, system: System, home: Path, listening: Callable[[bytes], int]
) -> None:
    port = listening(b'{"status": "ok"}')
    install_on(port, service, home)
    result = service("status")
    assert (result.exit_code, result.stdout.splitlines()) == (
        0,
        [
            f"installed  yes: {home / UNIT}",
            "enabled    yes",
            "running    yes",
            f"answers    yes: http://127.0.0.1:{port}/healthz says 'ok'",
        ],
    )


@pytest.mark.parametrize(("question", "row"), [("is-enabled", 1), ("is-active", 2)])
def test_status_of_what_is_not(
    question: str,
    row: int,
    service: Service,
    system: System,
    home: Path,
    listening: Callable[[bytes], int],
) -> None:
    install_on(listening(b'{"status": "ok"}'), service, home)
    system.says({question: ("no", 3)})
    result = service("status")
    answers = [line.split()[1].strip(":") for line in result.stdout.splitlines()]
    assert (result.exit_code, answers) == (1, ["yes" if n != row else "no" for n in range(4)])


@pytest.mark.parametrize("body", [b"<html>", b"[]", b'{"state": 1}'])
def test_status_where_something_else_answers(
    body: bytes, service: Service, system: System, home: Path, listening: Callable[[bytes], int]
) -> None:
    install_on(listening(body), service, home)
    result = service("status")
    assert result.exit_code == 1
    assert "answers    no" in result.stdout
    assert "something answers there, but it is not Dragoman" in result.stdout


def test_status_where_nothing_answers(
    service: Service, system: System, home: Path, listening: Callable[[bytes], int]
) -> None:
    install_on(1, service, home)
    result = service("status")
    assert result.exit_code == 1
    assert "answers    no: http://127.0.0.1:1/healthz: nobody listens there" in result.stdout


def test_status_of_what_is_not_installed(service: Service, system: System) -> None:
    result = service("status")
    assert (result.exit_code, system.calls) == (1, [])
    assert "installed  no" in result.stdout


@pytest.mark.parametrize(
    ("printed", "enabled"),
    [
        ("disabled services = {", True),
        ('"dragoman.gateway" => enabled', True),
        ('"dragoman.gateway" => disabled', False),
        ('"dragoman.gateway" => true', False),
    ],
)
def test_whether_launchd_starts_it(
    printed: str, enabled: bool, service: Service, mac: System, home: Path
) -> None:
    install_on(1, service, home)
    mac.says({"print-disabled": (printed, 0), "print ": ("state = running", 0)})
    answers = [line.split()[1].strip(":") for line in service("status").stdout.splitlines()]
    assert answers == ["yes", "yes" if enabled else "no", "yes", "no"]


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
    assert "the command 'dragoman' is not beside" in service("install").stderr


def test_what_is_not_done_in_time_has_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(system_commands, "LONGEST_SECONDS", 0.05)
    assert system_commands.run(("sleep", "5")) == system_commands.Answer(
        succeeded=False, output="not done after 0.05 s"
    )


def test_help_names_all_commands(service: Service) -> None:
    listed = service("--help").stdout
    assert all(f"\n  {name} " in listed for name in commands.service_command.commands)


@pytest.mark.parametrize("text", ["", "ExecStart", "[Service]\n"])
def test_status_with_a_file_that_was_broken(
    text: str, service: Service, system: System, home: Path
) -> None:
    service("install")
    (home / UNIT).write_text(text, encoding="utf-8")
    result = service("status")
    assert result.exit_code == 1
    assert (
        f"answers    no: {home / UNIT} can't be read; `dragoman service install`" in result.stdout
    )


@pytest.mark.parametrize("text", ["", "<plist>", "<?xml version='1.0'?><plist><dict/></plist>"])
def test_status_with_a_property_list_that_was_broken(
    text: str, service: Service, mac: System, home: Path
) -> None:
    service("install")
    (home / PLIST).write_text(text, encoding="utf-8")
    assert "can't be read; `dragoman service install`" in service("status").stdout


def test_status_with_a_configuration_that_was_broken(
    service: Service, system: System, home: Path
) -> None:
    install_on(1, service, home)
    (home / "elsewhere.yaml").write_text("modles: {}", encoding="utf-8")
    result = service("status")
    assert result.exit_code == 1
    assert "answers    no: " in result.stdout
    assert "unknown key 'modles'; did you mean 'models'?" in result.stdout
