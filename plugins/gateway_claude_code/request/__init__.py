"""From a request to the CLI's history, settings and tools. Pure."""
