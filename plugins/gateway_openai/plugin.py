"""The OpenAI frontend as a plugin."""
