"""What a key may use."""
