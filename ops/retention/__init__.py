"""Erase what a server does not want to be kept any longer."""
