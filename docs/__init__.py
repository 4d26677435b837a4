"""The documentation, and what writes and checks parts of it."""
