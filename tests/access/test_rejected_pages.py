"""The names and origins that were refused, as `GET /health` and `dragoman status` show them."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from fastapi import FastAPI

from gateway.http.app import create_app
from gateway.startup.reload import Reloader
from gateway.testing import ScriptedBackend, build
from gateway_access.rejected_pages import KEPT, MAX_NAME, RejectedPages, yaml_line
from tests.access.access_support import KEY, BuildApp, ask, bearer, client, stored

PAGE = "app://obsidian.md"
NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


async def refused(app: FastAPI, headers: dict[str, str] | None = None) -> list[dict[str, Any]]:
    async with client(app) as http:
        part = (await http.get("/health", headers=headers)).json()["access"]["refused"]
    return [{name: value for name, value in each.items() if name != "last_at"} for each in part]


async def test_each_is_counted_and_comes_with_its_line_of_yaml(build_app: BuildApp) -> None:
    app = build_app(origins=["https://a.example"])
    for headers in ({"origin": PAGE}, {"host": "nas:3456"}, {"origin": PAGE}):
        assert (await ask(app, headers)).status_code in {403, 421}
    assert await refused(app) == [
        {
            "kind": "origin",
            "name": PAGE,
            "count": 2,
            "add": 'plugins: {access: {origins: ["https://a.example", "app://obsidian.md"]}}',
        },
        {
            "kind": "host",
            "name": "nas",
            "count": 1,
            "add": 'plugins: {access: {hosts: ["nas"]}}',
        },
    ]


@pytest.mark.parametrize("headers", [{"origin": "null"}, {"origin": "no origin"}, {"host": "a@b"}])
async def test_what_the_yaml_can_not_have_comes_without_a_line(
    build_app: BuildApp, headers: dict[str, str]
) -> None:
    app = build_app()
    await ask(app, headers)
    [one] = await refused(app)
    assert one["add"] is None


async def test_neither_a_preflight_nor_an_unnamed_page_is_counted(build_app: BuildApp) -> None:
    app = build_app()
    async with client(app) as http:
        asks = {"origin": PAGE, "access-control-request-method": "POST"}
        assert (await http.options("/v1/models", headers=asks)).status_code == 204
        unnamed = await http.get("/v1/models", headers={"sec-fetch-site": "cross-site"})
        assert unnamed.status_code == 403
    assert await refused(app) == []


async def test_callers_without_a_key_see_no_refusals(build_app: BuildApp) -> None:
    app = build_app(keys=[stored()])
    await ask(app, {"origin": PAGE, **bearer()})
    async with client(app) as http:
        assert (await http.get("/health")).json() == {"status": "ok"}
        assert (await http.get("/healthz", headers=bearer())).json() == {"status": "ok"}
    assert [one["name"] for one in await refused(app, bearer())] == [PAGE]
    assert KEY not in str(await refused(app, bearer()))


def test_only_the_latest_are_kept_and_no_name_is_long_or_odd() -> None:
    times = (NOON + timedelta(seconds=second) for second in range(1000))
    rejected = RejectedPages(lambda: next(times))
    for number in range(50):
        rejected.add("host", f"h{number}", listable=True)
        rejected.add("origin", "again", listable=True)
    rejected.add("origin", "a\x1b[2J\n\u202eb" + "c" * 5000, listable=False)
    report = rejected.report(lambda _: ())
    assert len(report) == KEPT
    assert report[0]["name"] == "a?[2J??b" + "c" * (MAX_NAME - 11) + "..."
    assert report[1] == {
        "kind": "origin",
        "name": "again",
        "count": 50,
        "last_at": "2026-03-02T12:01:39+00:00",
        "add": 'plugins: {access: {origins: ["again"]}}',
    }
    assert report[2]["name"] == "h49"


def test_the_line_is_yaml_whatever_the_names_are() -> None:
    listed = ("*", "no", "a: b # c", '"')
    for kind in ("host", "origin"):
        line = yaml_line(kind, listed, "1.5")  # type: ignore[arg-type]
        assert yaml.safe_load(line) == {"plugins": {"access": {f"{kind}s": [*listed, "1.5"]}}}
        assert "\n" not in line


# -- while the gateway runs -----------------------------------------------------------------


async def reloaded(tmp_path: Path, section: dict[str, Any], before: dict[str, Any]) -> FastAPI:
    """An application whose YAML had the section `before`, was asked, and has `section` now."""
    config = {"plugins": {"access": before}}
    gateway = build(tmp_path, ScriptedBackend(), config=config, disabled=("claude_code",))
    app = create_app(gateway)
    assert (await ask(app, {"origin": PAGE, **bearer()})).status_code == 403
    assert (await ask(app, {"host": "nas", **bearer()})).status_code == 421
    path = gateway.config.path
    assert path is not None
    text = yaml.safe_load(path.read_text(encoding="utf-8"))
    text["plugins"]["access"] = section
    path.write_text(yaml.safe_dump(text), encoding="utf-8")
    await Reloader(gateway, path).look()
    assert gateway.last_error is None
    return app


async def test_the_line_holds_as_soon_as_it_is_in_the_yaml(tmp_path: Path) -> None:
    app = await reloaded(tmp_path, {"hosts": ["nas"], "origins": [PAGE]}, before={})
    assert app.state.gateway.needs_restart == ()
    answer = await ask(app, {"origin": PAGE})
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == PAGE
    assert (await ask(app, {"host": "nas"})).status_code == 200
    assert await refused(app) == []


async def test_a_page_that_is_taken_off_the_list_is_refused_at_once(tmp_path: Path) -> None:
    listed = {"origins": ["https://a.example"]}
    app = await reloaded(tmp_path, {}, before=listed)
    assert (await ask(app, {"origin": "https://a.example"})).status_code == 403


@pytest.mark.parametrize(
    ("section", "before"),
    [
        ({"origins": ["*"]}, {}),
        ({"keys": [stored()], "origins": [PAGE]}, {}),
        ({"origins": [PAGE]}, {"keys": [stored()]}),
    ],
)
async def test_new_keys_and_an_open_door_need_a_restart(
    tmp_path: Path, section: dict[str, Any], before: dict[str, Any]
) -> None:
    app = await reloaded(tmp_path, section, before)
    assert app.state.gateway.needs_restart == ("plugins.access",)
    assert (await ask(app, {"origin": PAGE, **bearer()})).status_code == 403
