"""Starts that wait for nothing."""

import pytest


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Spares are started as soon as they are missing, and all at a time."""
    monkeypatch.setattr("gateway_claude_code.pool.refill.REFILL_SECONDS", 0)
    monkeypatch.setattr("gateway_claude_code.pool.pool.starts_at_a_time", lambda: 100)
