"""The clients' configurations as the README gives them, with the address of a test's gateway."""

import re
from pathlib import Path
from typing import Any

README = Path(__file__).parents[3] / "README.md"
README_URL = "http://127.0.0.1:3456"


def snippet(client: str, url: str) -> str:
    """The fenced block after `<!-- client: NAME -->`."""
    marked = rf"<!-- client: {re.escape(client)} -->\s*```\w+\n(.*?)^```"
    found = re.findall(marked, README.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    assert len(found) == 1, f"README.md has {len(found)} snippets for {client!r}"
    assert README_URL in found[0]
    return str(found[0]).replace(README_URL, url)


def configured(client: str, url: str, **replaced: str) -> dict[str, Any]:
    """The names that the snippet defines once it was run. `replaced` changes words in it."""
    code = snippet(client, url)
    for old, new in replaced.items():
        assert old in code
        code = code.replace(old, new)
    names: dict[str, Any] = {}
    exec(compile(code, f"README.md: {client}", "exec"), names)
    return names
