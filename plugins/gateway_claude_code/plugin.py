"""The Claude Code backend as a plugin."""
