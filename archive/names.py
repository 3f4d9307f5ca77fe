"""Name backups so that no two share a name."""

import re
import unicodedata
from collections.abc import Iterable
from datetime import date

from errors import OperatorError, SessionError
from util_async import valid_file_name

_FOLDER = re.compile(r"(.+)_(\d{4}-\d\d-\d\d)_(\d+)", re.ASCII)


def valid_name(name: str) -> str:
    """Return the name of a series of backups in the form that it has on disk.

    Raises OperatorError when some system could not store a folder of that name.
    """
    try:
        return valid_file_name(name)
    except SessionError as error:
        raise OperatorError(str(error).replace("session name", "backup name", 1)) from error


def next_folder(name: str, today: date, taken: Iterable[str]) -> str:
    """Return `{name}_{date}_{number}` with the number after the largest that is taken.

    Names that differ only in the case of their letters count as one, as some systems see them so.
    """
    stem = f"{name}_{today:%Y-%m-%d}"
    numbers = [int(found[3]) for other in taken if (found := _split(other)) and _same(f"{found[1]}_{found[2]}", stem)]
    return f"{stem}_{max(numbers, default=0) + 1}"


def series_of(folder: str) -> str | None:
    """Return the name that a backup was given, without date and number; None for a folder that is named otherwise."""
    found = _split(folder)
    return found[1] if found else None


def _split(folder: str) -> re.Match[str] | None:
    return _FOLDER.fullmatch(folder)


def _same(one: str, other: str) -> bool:
    """Tell whether a file system could take two names for one."""
    return _plain(one) == _plain(other)


def _plain(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()
