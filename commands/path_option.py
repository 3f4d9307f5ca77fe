"""Understand a path on the command line, which a shell may have left as it was written."""

from pathlib import Path

from errors import SettingsError
from util_async import expand_path


def path_named(text: str, option: str) -> Path:
    """Return the path that an option or argument names; raise SettingsError for the home of nobody."""
    try:
        return expand_path(text)
    except ValueError as error:
        raise SettingsError(f"{option}: {error}.") from error
