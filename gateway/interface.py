"""What plugins type their parameters with, beside requests, events and errors."""

from gateway.config import Config
from gateway.context import Gateway
from gateway.models import Found, ModelEntry, ModelMap
from gateway.trust import NeedsTrust

__all__ = ["Config", "Found", "Gateway", "ModelEntry", "ModelMap", "NeedsTrust"]
