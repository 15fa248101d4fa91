"""A rolling restart needs HAProxy, and says so."""

import pytest

from bench import rolling


def test_without_haproxy_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda *_, **__: None)
    monkeypatch.setattr("sys.argv", ["rolling"])
    with pytest.raises(SystemExit, match="apt install haproxy"):
        rolling.main()


def test_haproxy_asks_readyz_and_tries_nothing_again() -> None:
    text = rolling.CONFIGURATION.format(front=1, servers="")
    assert "retries 0" in text
    assert "uri /readyz" in text
    assert "redispatch" not in text


@pytest.mark.parametrize(
    ("status", "message"), [(503, {"content": "Hi"}), (200, None), (200, {"content": "Ho"})]
)
def test_any_other_answer_than_the_right_one_fails(
    status: int, message: dict[str, str] | None
) -> None:
    rolling._check(200, {"content": "Hi"}, "Hi")
    with pytest.raises(ValueError, match=f"HTTP {status}"):
        rolling._check(status, message, "Hi")
