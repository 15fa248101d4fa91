"""The API's error message from the CLI's debug log, which is ahead of the `api_retry` line.

With `--debug-file` and the level "error" (code.claude.com/docs/en/cli-reference and env-vars) CLI
2.1.330 writes, for each refusal of the API, 5 to 8 ms before its `api_retry` line, and without
anything of a prompt:

    2026-11-27T08:52:00.116Z [ERROR] API error (attempt 1/2): 429 429 {"type":"error","error":{…}}
"""

import json
import re
from typing import Final

LOG_ARGUMENTS: Final = ("--debug-file", "/dev/fd/2")
"""Standard error. CLI 2.1.330 puts a link `latest` beside the log, which it can't do in this folder."""

_ENTRY: Final = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+Z \[[A-Z]+\] ")
_API_ERROR: Final = re.compile(r"API error \(attempt \d+/\d+\): (?:\d{3} )*(.*)", re.DOTALL)


def is_log_entry(line: str) -> bool:
    """Whether a line of standard error begins an entry of the debug log.

    Further lines of an entry have no mark, and may quote a request.
    """
    return _ENTRY.match(line) is not None


def api_sentence(line: str) -> str | None:
    """The API's message, or why the CLI could not reach it; None for any other line."""
    entry = _ENTRY.match(line)
    found = _API_ERROR.match(line[entry.end() :]) if entry is not None else None
    if found is None:
        return None
    try:
        sentence = json.loads(found[1])["error"]["message"]
    except (ValueError, RecursionError):
        cut_off = found[1].startswith(("{", "["))
        # without an answer of the API 2.1.330 has "undefined" in place of the status
        sentence = "" if cut_off else found[1].removeprefix("undefined ")
    except (LookupError, TypeError):
        sentence = found[1]
    return str(sentence).strip() or None
