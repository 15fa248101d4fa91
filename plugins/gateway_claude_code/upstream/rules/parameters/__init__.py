"""Rules about everything else in the body of a request."""
