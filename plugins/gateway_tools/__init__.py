"""Tools that the gateway runs itself, within an answer: plugins' functions, and MCP servers."""
