"""`dragoman doctor --live`: checks the facts about the models against the real API."""
