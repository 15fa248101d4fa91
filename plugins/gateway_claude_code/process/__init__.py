"""Starting a CLI process, talking to it, and ending it."""
