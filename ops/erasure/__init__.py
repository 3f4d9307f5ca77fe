"""Forget a person: in tables, in files, and in whatever is restored later."""
