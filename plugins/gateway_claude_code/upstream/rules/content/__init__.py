"""Rules about messages and what is in them."""
