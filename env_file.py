"""Read a `.env` file whole, or say which line of it is wrong without repeating its value."""

import io
import re
from pathlib import Path

from errors import SettingsError, first_line

_LARGEST = 64 * 1024  # bytes
_LONGEST_LINE = 5_000  # characters; what parses a line takes a time that grows with the square of it
_WIDE_BOMS = (b"\xff\xfe", b"\xfe\xff")
_ASSIGNMENT = re.compile(r"\s{0,20}(?:export\s{1,9})?[A-Za-z_]{1,64}\s{0,9}=")


def read_env_file(path: Path) -> dict[str, str]:
    """Return the values by their names as written; a file that is not there has none.

    Raises SettingsError, with one sentence that names the line, when the file is no text in UTF-8 or is damaged.
    """
    text = _text_of(path)
    if text is None:
        return {}
    from dotenv import dotenv_values  # most deployments in containers have no file

    _check_lines(path, text)
    return {name: value for name, value in dotenv_values(stream=io.StringIO(text)).items() if value is not None}


def _text_of(path: Path) -> str | None:
    """Return what a file holds; None when there is none."""
    try:
        with path.open("rb") as file:
            content = file.read(_LARGEST + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        reason = (error.strerror or first_line(error)).lower()
        raise _unreadable(path, reason, "make it a file that this account may read") from error
    if len(content) > _LARGEST:
        raise _unreadable(path, f"it is larger than {_LARGEST // 1024} kB", "keep nothing but settings in it")
    if content.startswith(_WIDE_BOMS) or content.count(0) * 3 > len(content):
        raise _unreadable(path, "it is UTF-16, as PowerShell writes it", "save it as UTF-8")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise _unreadable(path, f"a letter in line {line} is not UTF-8", "save it as UTF-8") from None


def _check_lines(path: Path, text: str) -> None:
    """Refuse a line that python-dotenv would pass over, or would take more for than it is."""
    from dotenv.parser import parse_stream

    for number, line in enumerate(text.splitlines(), 1):
        if len(line) > _LONGEST_LINE:
            raise _unreadable(path, f"line {number} has more than {_LONGEST_LINE:,} characters", "shorten it")
    for binding in parse_stream(io.StringIO(text)):
        written = binding.original.string
        blank = written[: len(written) - len(written.lstrip())]
        number = binding.original.line + blank.count("\n")
        lines = written.strip().splitlines()
        if binding.error and written.partition("=")[2].lstrip().startswith(("'", '"')):
            why = f"the quote in line {number} is not closed, or more follows it"
            raise _unreadable(path, why, "let it close where the value ends, or leave it out")
        if binding.error or (binding.key is not None and binding.value is None):
            raise _unreadable(path, f"line {number} is not of the form NAME=value", "correct it, or begin it with #")
        if any(_ASSIGNMENT.match(line) for line in lines[1:]):
            raise _unreadable(path, f"the quote in line {number} goes on over further settings", "close it there")


def _unreadable(path: Path, why: str, mend: str) -> SettingsError:
    return SettingsError(f"{path.name} cannot be read ({why}): {mend}.")
