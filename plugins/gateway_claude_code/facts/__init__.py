"""Facts about models: documented, asked of the CLI, learnt from refusals, or set in the YAML."""
