"""Readers of the kinds of files that messages come from."""
