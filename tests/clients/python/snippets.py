"""The clients' configurations as the pages give them, with the address of a test's gateway."""

from typing import Any

from tests.pages import USUAL_URL, snippet

__all__ = ["addressed", "configured"]


def addressed(client: str, url: str) -> str:
    """The client's snippet, for the gateway at `url`."""
    code = snippet(client)
    assert USUAL_URL in code
    return code.replace(USUAL_URL, url)


def configured(client: str, url: str, **replaced: str) -> dict[str, Any]:
    """The names that the snippet defines once it was run. `replaced` changes words in it."""
    code = addressed(client, url)
    for old, new in replaced.items():
        assert old in code
        code = code.replace(old, new)
    names: dict[str, Any] = {}
    exec(compile(code, f"snippet: {client}", "exec"), names)
    return names
