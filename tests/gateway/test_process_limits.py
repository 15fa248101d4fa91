"""What the operating system is asked for."""

import resource

import pytest

from gateway.process_limits import FILES_BESIDES, allow_open_files, no_core_dumps


@pytest.fixture
def limits(monkeypatch: pytest.MonkeyPatch) -> dict[int, tuple[int, int]]:
    """The system's limits, without changing those of this process."""
    infinity = resource.RLIM_INFINITY
    of = {resource.RLIMIT_CORE: (infinity, infinity), resource.RLIMIT_NOFILE: (1024, 4096)}
    monkeypatch.setattr(resource, "getrlimit", of.__getitem__)
    monkeypatch.setattr(resource, "setrlimit", of.__setitem__)
    return of


def test_no_core_dumps_neither_soft_nor_hard(limits: dict[int, tuple[int, int]]) -> None:
    no_core_dumps()
    assert limits[resource.RLIMIT_CORE] == (0, 0)


@pytest.mark.parametrize(
    ("connections", "given", "warned"),
    [(100, 1024, False), (2000, 2000 + FILES_BESIDES, False), (10_000, 4096, True)],
)
def test_room_for_the_connections(
    connections: int,
    given: int,
    warned: bool,
    limits: dict[int, tuple[int, int]],
    caplog: pytest.LogCaptureFixture,
) -> None:
    allow_open_files(connections)
    assert limits[resource.RLIMIT_NOFILE] == (given, 4096)
    assert ("limits.connections" in caplog.text) is warned


def test_a_system_without_limits_is_left_alone(limits: dict[int, tuple[int, int]]) -> None:
    unlimited = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
    limits[resource.RLIMIT_NOFILE] = unlimited
    allow_open_files(10_000)
    assert limits[resource.RLIMIT_NOFILE] == unlimited
