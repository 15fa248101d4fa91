"""What is known of the account behind the CLI's login: its plan, its credit, and its refusals."""
