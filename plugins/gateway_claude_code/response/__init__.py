"""From the CLI's lines to the answer: events, JSON, errors."""
