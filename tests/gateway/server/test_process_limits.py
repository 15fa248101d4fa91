"""What the operating system is asked for."""

import resource

import pytest

from gateway.server.process_limits import (
    FILES_AT_START,
    FILES_BESIDES,
    allow_open_files,
    no_core_dumps,
)


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
    assert allow_open_files(connections) == min(connections, 4096 - FILES_AT_START - 1018)
    assert limits[resource.RLIMIT_NOFILE] == (given, 4096)
    assert ("limits.connections" in caplog.text) is warned


def test_a_system_without_limits_is_left_alone(limits: dict[int, tuple[int, int]]) -> None:
    unlimited = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
    limits[resource.RLIMIT_NOFILE] = unlimited
    allow_open_files(10_000)
    assert limits[resource.RLIMIT_NOFILE] == unlimited


@pytest.mark.parametrize(("files", "room"), [(64, 30), (32, 4), (16, 1)])
def test_some_files_are_kept_back_where_there_are_few(
    files: int, room: int, limits: dict[int, tuple[int, int]]
) -> None:
    limits[resource.RLIMIT_NOFILE] = (files, files)
    assert allow_open_files(2000) == room
