"""Dragoman's core: a neutral hub between wire formats and the things that answer.

The core knows no wire format and no backend; both are plugins (see `gateway.hooks.specs`).
"""

from gateway.markers import hookimpl

__version__ = "0.1.0"

__all__ = ["__version__", "hookimpl"]
