"""The API's sentence in the CLI's debug log, as written by 2.1.330."""

import pytest

from gateway_claude_code.process.failure_log import api_sentence, is_log_entry

TIME = "2026-11-27T08:52:00.116Z"
REFUSED = (
    '{"type":"error","error":{"type":"rate_limit_error","message":"Slow down."},'
    '"request_id":"req_82cf"}'
)


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        (f"{TIME} [ERROR] API error (attempt 1/2): 429 429 {REFUSED}", "Slow down."),
        (f"{TIME} [ERROR] API error (attempt 1/2): 529 {REFUSED}", "Slow down."),
        (
            f"{TIME} [ERROR] API error (attempt 1/2): undefined Connection error.",
            "Connection error.",
        ),
        (f"{TIME} [ERROR] API error (attempt 1/2): 502 502 <html>", "<html>"),
        (f'{TIME} [ERROR] API error (attempt 1/2): 400 {{"error": 1}}', '{"error": 1}'),
        (f"{TIME} [ERROR] API error (attempt 1/2): ", None),
        (f"{TIME} [ERROR] API error (attempt 1/2): 400 400 {REFUSED[:-20]}", None),
        pytest.param(
            f"{TIME} [ERROR] API error (attempt 1/2): 400 {'[' * 100_000}", None, id="deep"
        ),
        (f"{TIME} [ERROR] Error in API request: 429 {REFUSED}", None),
        (f"API error (attempt 1/2): 429 429 {REFUSED}", None),
        ("", None),
    ],
)
def test_sentences(line: str, sentence: str | None) -> None:
    assert api_sentence(line) == sentence


def test_entries_are_told_from_what_else_is_written() -> None:
    assert is_log_entry(f"{TIME} [ERROR] Failed to save config")
    assert not is_log_entry("node: out of memory")
