"""Reading a backend's part of `GET /health`: what fits the type stays as it is, the rest goes."""

import pytest

from gateway.backend_status import BackendStatus, read_status

WHOLE = BackendStatus(
    status="plan_used_up",
    cli_path="/bin/claude",
    cli_version=None,
    answers=True,
    logged_in=None,
    processes={"busy": 2, "waiting": 0},
    taken={"cold": 1},
    quota={
        "status": "allowed",
        "resets_at": 1_800_000_000,
        "windows": {"five_hour": {"utilization": 0.5, "resets_at": None}},
    },
    account={"state": "plan_used_up", "message": "No.", "since": 1.5, "models": None},
    cli_check={"checked": True, "differs": [], "unknown": ["tools"]},
    cli_installed={"by": "npm", "age_days": 3, "age": None, "stale": False, "update": "npm i"},
    ready=True,
)


def test_a_whole_status_stays_as_it_is() -> None:
    assert read_status(WHOLE) == WHOLE


@pytest.mark.parametrize(
    ("part", "status"),
    [
        ({}, {}),
        ({"refused": []}, {}),
        ({"status": 3, "message": "m"}, {"message": "m"}),
        ({"logged_in": "yes"}, {}),
        ({"ready": 1}, {}),
        ({"processes": {"busy": 1, "odd": "x", "flag": True}}, {"processes": {"busy": 1}}),
        ({"processes": 3}, {}),
        ({"taken": {"live": 2.5, "cold": float("inf")}}, {"taken": {}}),
        (
            {"quota": {"windows": {"a": {"utilization": 1, "resets_at": "soon"}, "b": None}}},
            {"quota": {"windows": {"a": {"utilization": 1}}}},
        ),
        ({"account": "refused"}, {}),
        ({"cli_check": {"differs": ["a", 3]}}, {"cli_check": {"differs": ["a"]}}),
        ({"cli_check": {"differs": "a"}}, {"cli_check": {}}),
    ],
)
def test_what_does_not_fit_is_left_out(part: object, status: object) -> None:
    assert read_status(part) == status


def test_a_whole_number_with_a_point_is_a_count() -> None:
    status = read_status({"processes": {"busy": 3.0}, "cli_installed": {"age_days": 2.0}})
    assert status == {"processes": {"busy": 3}, "cli_installed": {"age_days": 2}}
    assert type((status or {})["processes"]["busy"]) is int


@pytest.mark.parametrize("part", [None, "ok", 3, []])
def test_what_is_not_an_object_is_no_status(part: object) -> None:
    assert read_status(part) is None
