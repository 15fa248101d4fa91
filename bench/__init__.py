"""How fast the gateway is, beside a process for each request and beside what the CLI itself needs."""
