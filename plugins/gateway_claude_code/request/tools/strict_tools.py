"""A tool's `strict: true`, which cannot be passed on.

CLI 2.1.330 sends `strict` for some of its own tools only. For a tool of an MCP server it ignores a
field of the listing, an annotation, and `_meta` (each was tried), and tools in
`CLAUDE_CODE_EXTRA_BODY` would replace all others.
"""

from collections.abc import Iterable

from gateway.types import Tool


def unmet_strict(tools: Iterable[Tool]) -> tuple[str, ...]:
    """The fields of the request to report as ignored: for a tool that asks for strictness."""
    # the API would have it: platform.claude.com/docs/en/agents-and-tools/tool-use/strict-tool-use
    return ("tools.function.strict",) if any(tool.strict for tool in tools) else ()
