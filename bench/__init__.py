"""Measured claims, each a command that prints its figures."""
