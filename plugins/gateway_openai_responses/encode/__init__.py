"""From the hub's answers to responses, whole and as events. Pure."""
