"""For tests of plugins, without any CLI.

`serving` runs a gateway with the plugins that a test chooses; `ScriptedBackend` answers there
from a script made with `text_answer` and its like. `check_backend` and `check_frontend` check that
a plugin of that kind keeps the rules in `BACKEND_RULES` and `FRONTEND_RULES`.
"""

from gateway.testing.backend_rules import (
    BACKEND_RULES,
    BackendCase,
    check_backend,
    check_events,
)
from gateway.testing.backends import SCRIPTED, Script, ScriptedBackend, Step
from gateway.testing.events import TEST_MODEL, answer, part, request, text_answer
from gateway.testing.frontend_rules import (
    FRONTEND_RULES,
    FrontendCase,
    check_frontend,
)
from gateway.testing.gateways import Served, build, serving

__all__ = [
    "BACKEND_RULES",
    "FRONTEND_RULES",
    "SCRIPTED",
    "TEST_MODEL",
    "BackendCase",
    "FrontendCase",
    "Script",
    "ScriptedBackend",
    "Served",
    "Step",
    "answer",
    "build",
    "check_backend",
    "check_events",
    "check_frontend",
    "part",
    "request",
    "serving",
    "text_answer",
]
