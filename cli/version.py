"""Tell which version of the program this is."""

import tomllib
from functools import cache
from pathlib import Path

_PROJECT = Path(__file__).parents[1] / "pyproject.toml"
UNKNOWN = "unknown"


@cache
def version() -> str:
    """Return the version, as pyproject.toml beside the packages says."""
    try:
        project = tomllib.loads(_PROJECT.read_text(encoding="utf-8"))["project"]
    except (OSError, ValueError, KeyError):
        return UNKNOWN
    return str(project.get("version", UNKNOWN))
