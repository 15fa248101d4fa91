"""The API's sentence from the CLI's debug log, which is ahead of the line that announces a retry.

With `--debug-file` and the level "error" (both documented) CLI 2.1.330 writes, for each refusal of the
API, 5 to 8 ms before its `api_retry` line, and nothing of a prompt:

    2026-11-27T08:52:00.116Z [ERROR] API error (attempt 1/2): 429 429 {"type":"error","error":{…}}
"""

import json
import re
from typing import Final

LOG_ARGUMENTS: Final = ("--debug-file", "/dev/fd/2")
"""Standard error, by a name in whose folder the CLI can't put its link `latest` to the log."""

_ENTRY: Final = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+Z \[[A-Z]+\] ")
_API_ERROR: Final = re.compile(r"API error \(attempt \d+/\d+\): (?:\d{3} )*(.*)", re.DOTALL)


def is_log_entry(line: str) -> bool:
    """Whether a line of standard error begins an entry of the debug log.

    An entry may go on over further lines, which look like anything and may quote a request.
    """
    return _ENTRY.match(line) is not None


def api_sentence(line: str) -> str | None:
    """What the API said, or what kept the CLI from asking it; None for any other line."""
    entry = _ENTRY.match(line)
    found = _API_ERROR.match(line[entry.end() :]) if entry is not None else None
    if found is None:
        return None
    try:
        sentence = json.loads(found[1])["error"]["message"]
    except (ValueError, RecursionError):
        cut_off = found[1].startswith(("{", "["))
        sentence = "" if cut_off else found[1].removeprefix("undefined ")
    except (LookupError, TypeError):
        sentence = found[1]
    return str(sentence).strip() or None
