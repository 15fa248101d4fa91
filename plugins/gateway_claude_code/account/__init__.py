"""The account behind the CLI's login: its plan, its credit, and its refusals."""
