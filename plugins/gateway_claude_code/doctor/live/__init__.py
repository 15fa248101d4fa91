"""`dragoman doctor --live`: are the facts about the models right? Asked of the real API."""
