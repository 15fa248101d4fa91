"""The rules of the Messages API; `table.RULES` has them all."""

from gateway_claude_code.upstream.rules.rule import Refusal, Rule
from gateway_claude_code.upstream.rules.table import RULES, Broken, first_broken

__all__ = ["RULES", "Broken", "Refusal", "Rule", "first_broken"]
