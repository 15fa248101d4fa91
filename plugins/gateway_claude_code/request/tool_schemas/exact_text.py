"""Tools whose texts the CLI would change, put unchanged into the body of the request. Pure.

CLI 2.1.330 normalises every text of a tool, names and values in its schema included, to NFKC, and
removes characters of the categories Cf, Co and Cn: "m²" becomes "m2", an ellipsis three dots, and a
value of an enum would come back as one that the client does not know.
"""

import unicodedata
from collections.abc import Iterable, Mapping
from typing import Any, Final

import regex
from pydantic_core import PydanticSerializationError, to_json

from gateway.types import Tool
from gateway_claude_code.request.tools.tool_names import ToolNames

_TAKEN_OUT: Final = regex.compile(r"[\p{Cf}\p{Co}\p{Cn}]")

_LOST: Final = '"__proto__"'
"""A name that is lost on the way, at any depth (seen with 2.1.330)."""


def body_with_exact_tools(
    tools: Iterable[Tool],
    names: ToolNames,
    *,
    exchanged: bool = False,
    search: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Fields that override the body of the request; empty if all tools arrive unchanged anyway.

    They do not in a process whose tools were `exchanged`: 2.1.330 keeps those that were once sent,
    and sends what they were then. Nor beside the API's own `search`, which the CLI does not know.
    """
    tools = tuple(tools)
    if search is None and (not tools or not (exchanged or not all(map(_arrives, tools)))):
        return {}
    listed: list[dict[str, Any]] = [
        {
            "name": names.to_model(tool.name),
            "description": tool.description,
            "input_schema": dict(tool.schema),
        }
        for tool in tools
    ]
    listed.sort(key=lambda tool: _place(str(tool["name"])))
    # at the end, so that the cached prefix is the same without it
    if search is not None:
        listed.append(dict(search))
    # `CLAUDE_CODE_EXTRA_BODY` replaces whole top-level keys, so all tools are listed (2.1.330)
    return {"tools": listed}


def _place(name: str) -> tuple[str, str]:
    """The CLI's own order, so that the cached prefix is the same: JavaScript's `localeCompare`."""
    alike = name.translate({ord("_"): "\x01", ord("-"): "\x02"})
    return alike.lower(), alike.swapcase()


def _arrives(tool: Tool) -> bool:
    text = _text(tool)
    return _LOST not in text and _is_kept(text) and _is_kept(tool.description)


def _is_kept(text: str) -> bool:
    return text.isascii() or (
        unicodedata.is_normalized("NFKC", text) and _TAKEN_OUT.search(text) is None
    )


def _text(tool: Tool) -> str:
    try:
        return to_json(tool.schema, inf_nan_mode="constants").decode()
    except PydanticSerializationError:  # lone surrogates
        return "\ufffe"
