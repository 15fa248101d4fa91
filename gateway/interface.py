"""Types for the parameters of hooks, beside requests, events and errors."""

from gateway.config.settings import Config, LimitsConfig
from gateway.context import Gateway
from gateway.load.turns import Turns
from gateway.models.model_map import Found, ModelEntry, ModelMap
from gateway.yaml_file.trust import NeedsTrust, vetted

__all__ = [
    "Config",
    "Found",
    "Gateway",
    "LimitsConfig",
    "ModelEntry",
    "ModelMap",
    "NeedsTrust",
    "Turns",
    "vetted",
]
