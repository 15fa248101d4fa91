"""Routes: from an HTTP request to one call of the gateway, and back."""
