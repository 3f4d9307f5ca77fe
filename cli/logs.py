"""Where log lines go: all of them to a file, what the operator must see to the error stream as well."""

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import chain, count
from logging.handlers import RotatingFileHandler
from pathlib import Path

from errors import SessionError

logger = logging.getLogger(__name__)

_FILE = "backscroll.log"
_LARGEST = 10 * 2**20  # bytes of one file
_KEPT = 5  # older files
_ERRORS = "backslashreplace"  # of half a surrogate pair, which no file takes
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
_WARNS_OF_VOICE = "discord.client"  # which we do not use
_TALKATIVE = ("httpx", "httpcore", "sentence_transformers", "transformers", "filelock", "alembic", "discord.gateway")


class _OneLine(logging.Formatter):
    """Leaves tracebacks to the file: a person reads the error stream."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the message after its level."""
        return f"{record.levelname.lower()}: {_escaped(record.getMessage())}"


class _OfFile(logging.Formatter):
    """Writes a message as one line, so that none that quotes somebody passes for another; its traceback follows."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802  # logging's name for it
        """Return the line."""
        record.message = _escaped(record.message)
        return super().formatMessage(record)


def _escaped(text: str) -> str:
    r"""Return a text whose control characters, by which it could command a terminal, are escapes such as \x1b."""
    return _CONTROL.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


class _ToFile(RotatingFileHandler):
    """Says nothing on the error stream about a full disk, where it would bury the lines that matter."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802  # logging's name for it
        """Give the line up."""


def new_log(folder: Path, stem: str) -> str:
    """Return the name of a new log in a folder, where two that begin in the same second are told apart.

    A folder that cannot be written is left to `write_logs`, which says so.
    """
    names = chain([f"{stem}.log"], (f"{stem}_{number}.log" for number in count(2)))
    with suppress(OSError):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for name in names:
            with suppress(FileExistsError):
                (folder / name).touch(exist_ok=False)
                return name
    return f"{stem}.log"


@contextmanager
def write_logs(folder: Path, *, name: str = _FILE) -> Iterator[None]:
    """Log into a file of a folder for as long as the context lasts; raise SessionError when it cannot be written.

    An error that ends the context goes into the file, with all that led to it, and on to the caller.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        to_file = _ToFile(folder / name, maxBytes=_LARGEST, backupCount=_KEPT, encoding="utf-8", errors=_ERRORS)
    except OSError as error:
        raise SessionError(f"Logs cannot be written to {folder} ({error.strerror}): mend its permissions.") from error
    to_file.setFormatter(_OfFile("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    to_person = logging.StreamHandler()
    to_person.setLevel(logging.WARNING)
    to_person.setFormatter(_OneLine())
    root = logging.getLogger()
    root.setLevel(logging.INFO)
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.getLogger(_WARNS_OF_VOICE).setLevel(logging.ERROR)
    with _attached(root, to_file):
        try:
            with _attached(root, to_person):
                yield
        except Exception:
            logger.exception("the program ends with an error")
            raise


@contextmanager
def _attached(logger: logging.Logger, handler: logging.Handler) -> Iterator[None]:
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        with suppress(OSError):  # a full disk
            handler.close()
