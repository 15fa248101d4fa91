"""The pluggy markers: `hookspec` for the core's contracts, `hookimpl` for plugins."""

from typing import Final

import pluggy

__all__ = [
    "PROJECT",
    "hookimpl",
    "hookspec",
]

PROJECT: Final = "gateway"

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)
