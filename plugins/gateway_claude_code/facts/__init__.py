"""Facts about models: documented, from the CLI, learnt from refusals, or set in the YAML."""
