"""From a request to what the CLI is told. Pure."""
