"""A gateway's health in which everything has a value."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)

URL = "http://127.0.0.1:3456"

HEALTH: Mapping[str, Any] = {
    "status": "ok",
    "version": "1.2.3",
    "offline": False,
    "config": {
        "loaded_at": "2026-03-02T11:30:00+00:00",
        "last_error": None,
        "needs_restart": [],
    },
    "terminal": {
        "started_at": "2026-03-02T09:00:00+00:00",
        "answered": 7,
        "failed": 0,
        "last_errors": [],
    },
    "claude_code": {
        "status": "ok",
        "cli_path": "/bin/claude",
        "cli_version": "2.1.330",
        "answers": True,
        "logged_in": True,
        "login": "claude.ai",
        "processes": {"busy": 1, "spare": 2},
        "cli_check": {"checked": True, "differs": [], "unknown": []},
        "quota": {
            "status": "allowed",
            "limit": "five_hour",
            "resets_at": 1772460000,
            "windows": {
                "five_hour": {"utilization": 0.25, "resets_at": NOW.timestamp() + 5400},
                "seven_day_opus": {"utilization": 1.0, "resets_at": NOW.timestamp() + 90000},
            },
        },
    },
}
