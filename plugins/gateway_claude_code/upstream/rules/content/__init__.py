"""Rules about messages and their content."""
