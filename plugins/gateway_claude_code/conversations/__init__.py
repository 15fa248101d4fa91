"""One process answering one conversation, over one turn or many."""
