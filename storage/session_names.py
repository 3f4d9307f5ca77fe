"""Check, choose and split the names of session files, and keep the numbers that are taken in `file_numbers.pkl`."""

import logging
import pickle
import re
import reprlib
import secrets
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

from pathvalidate import ErrorReason, ValidationError, validate_filename

from errors import SessionError, first_line
from storage.files import translate_os_errors, write_atomically

logger = logging.getLogger(__name__)

Numbers = dict[tuple[str, str], int]
"""The largest number taken, by (session folder name, file stem without its number)."""

CURRENT_SESSION_FILE = "current_session.json"
NUMBERS_FILE = "file_numbers.pkl"
NOT_ADDED = "_not_added"
PROMOTIONS = "promotions"
"""The folder with what long-term memory would not take."""

_PROTOCOL = 4  # of pickles, whose parts `_NumbersReader` knows
_LONGEST_NAME = 64  # characters
_LONGEST_NAME_BYTES = 200  # a file name has 255 on most systems; date, number and `_not_added.csv` need the rest
_JOINERS = "\u200c\u200d"  # invisible, but Persian words and many emoji are spelt with them
# What else lies in the storage folder, in lower case; a name with a leading dot is refused anyway.
_RESERVED_NAMES = frozenset({"logs", "models", "postgres", PROMOTIONS, CURRENT_SESSION_FILE})

_AFTER_NAME = re.compile(r"(?P<date>(?:_\d{4}-\d\d-\d\d)?)(?:_(?P<number>\d+))?", re.ASCII)

_FIRST_WORDS = ("amber", "brave", "bright", "calm", "clear", "copper", "early", "gentle", "golden", "hidden", "quiet")
_SECOND_WORDS = ("beacon", "brook", "cedar", "comet", "falcon", "harbour", "heron", "island", "maple", "otter", "river")


def valid_file_name(name: str) -> str:
    """Return a session name in the form that it has on disk: composed (NFC), without blanks around it.

    Raises SessionError for a name that some system cannot store, or that we would mistake for something else.
    """
    composed = unicodedata.normalize("NFC", name).strip()
    problem = _badly_formed(composed) or _taken_by_us(composed) or _not_portable(composed)
    if problem:
        raise SessionError(f"The session name {reprlib.repr(composed)} {problem}.")
    return composed


def random_session_name() -> str:
    """Return a name such as quiet-harbour-42."""
    return f"{secrets.choice(_FIRST_WORDS)}-{secrets.choice(_SECOND_WORDS)}-{10 + secrets.randbelow(90)}"


def split_stem(name: str, stem: str) -> tuple[str, int | None] | None:
    """Split `{name}[_{date}][_{number}]` before its number; None for a stem that is not of this session name.

    The name has to be known: `demo_7` is number 7 of `demo`, and also the whole of a session named so.
    """
    found = _AFTER_NAME.fullmatch(stem, len(name)) if stem.startswith(name) else None
    if found is None:
        return None
    return name + found["date"], None if found["number"] is None else int(found["number"])


def update_file_num_pkl(folder: Path) -> Numbers:
    """Rebuild `file_numbers.pkl` from the names of the files in a session folder; return the numbers in it.

    Raises SessionError when the folder cannot be read or written.
    """
    numbers = _numbers_of(folder, _stems_in(folder))
    _write_numbers(folder, numbers)
    return numbers


def read_file_num_pkl(folder: Path) -> Numbers:
    """Return the numbers taken in a session folder; rebuild a pickle that is missing, damaged or hostile.

    A number that only the pickle knows stays taken: its files are gone, its messages may be in long-term memory.
    Raises SessionError when the folder cannot be read, or cannot be written and the pickle has to be rebuilt.
    """
    try:
        recorded = _unpickle_numbers(folder / NUMBERS_FILE)
    except FileNotFoundError:
        return update_file_num_pkl(folder)
    except (OSError, ValueError) as error:
        logger.warning("%s is rebuilt from the names of the files: %s", folder / NUMBERS_FILE, error)
        return update_file_num_pkl(folder)
    return _larger(recorded, _numbers_of(folder, _stems_in(folder)))


def record_number(folder: Path, stem: str) -> None:
    """Record in `file_numbers.pkl` that the number of a stem, if it has one, is taken.

    Raises SessionError when the folder cannot be read or written.
    """
    _write_numbers(folder, _larger(read_file_num_pkl(folder), _numbers_of(folder, [stem])))


def _badly_formed(name: str) -> str | None:
    """Return what is wrong with the form of a name and what to do about it; None when nothing is."""
    if not name:
        return "is empty: give it at least one letter or digit"
    if len(name) > _LONGEST_NAME:
        return f"is longer than {_LONGEST_NAME} characters: shorten it"
    if any(unicodedata.category(char) in {"Cc", "Cf", "Cs", "Zl", "Zp"} and char not in _JOINERS for char in name):
        return "contains a control or invisible character: type it again without that"
    if name.startswith(".") or name.endswith(".") or ".." in name:
        return "starts or ends with a dot, or contains two in a row: leave those dots out"
    return None


def _taken_by_us(name: str) -> str | None:
    """Return which file of ours a name could be mistaken for and what to do about it; None when there is none."""
    if name.casefold().endswith(NOT_ADDED):
        return f"ends in {NOT_ADDED}, as the files of messages that were not added do: choose another ending"
    if name.casefold() in _RESERVED_NAMES:
        return "is the name of something else in the storage folder: choose another name"
    return None


def _not_portable(name: str) -> str | None:
    """Return why some system does not allow a name and what to do about it; None when all do."""
    try:
        validate_filename(name, platform="universal", max_len=_LONGEST_NAME_BYTES)
    except ValidationError as error:
        if error.reason == ErrorReason.INVALID_CHARACTER:
            return r'contains one of \ / : * ? " < > |, which not every system allows in a file name: leave it out'
        if error.reason == ErrorReason.RESERVED_NAME:
            return "is a name that Windows keeps for itself: choose another name"
        return f"takes more than {_LONGEST_NAME_BYTES} bytes on disk: shorten it"
    return None


def _stems_in(folder: Path) -> list[str]:
    """Return the session stems of the CSV files in a folder."""
    with translate_os_errors(folder):
        return [path.stem.removesuffix(NOT_ADDED) for path in folder.iterdir() if path.suffix == ".csv"]


def _numbers_of(folder: Path, stems: list[str]) -> Numbers:
    """Return the largest number among the stems that belong to a session folder."""
    numbers: Numbers = {}
    for stem in stems:
        base, number = split_stem(folder.name, stem) or (stem, None)
        if number is not None:
            numbers[folder.name, base] = max(number, numbers.get((folder.name, base), 0))
    return numbers


def _larger(numbers: Numbers, others: Numbers) -> Numbers:
    """Return the union of numbers, of two for the same stem the larger."""
    return {key: max(numbers.get(key, 0), others.get(key, 0)) for key in numbers | others}


def _write_numbers(folder: Path, numbers: Numbers) -> None:
    write_atomically(folder / NUMBERS_FILE, pickle.dumps(numbers, _PROTOCOL))


class _NumbersReader:
    """Read a pickle that `_write_numbers` has written, and nothing else.

    Python's own reader calls functions that a pickle names, and a deeply nested pickle ends the process.
    """

    def __init__(self) -> None:
        self._stack: list[object] = []
        self._memo: dict[int, object] = {}

    def read(self, content: bytes) -> Numbers:
        """Return the numbers in a pickle; raise almost anything when it is damaged, or holds something else."""
        import pickletools  # a start needs it once, and most programs never

        for opcode, argument, _ in pickletools.genops(content):
            if opcode.name == "STOP":
                return self._numbers()
            step = self._STEPS.get(opcode.name)
            if step is None:
                raise ValueError(f"it has {opcode.name}, which numbers do without")
            step(self, argument)
        raise ValueError("it has no end")

    def _push(self, value: object) -> None:
        self._stack.append(value)

    def _pass_over(self, _: object) -> None:
        """Skip what only describes how the rest is packed."""

    def _memoize(self, _: object) -> None:
        self._memo[len(self._memo)] = self._stack[-1]

    def _recall(self, place: object) -> None:
        self._stack.append(self._memo[place] if isinstance(place, int) else None)

    def _mark(self, _: object) -> None:
        self._stack.append(self)

    def _pair(self, _: object) -> None:
        second, first = self._stack.pop(), self._stack.pop()
        if not isinstance(first, str) or not isinstance(second, str):
            raise TypeError("it has a key that is no pair of texts")
        self._stack.append((first, second))

    def _numbers(self) -> Numbers:
        numbers = self._stack[-1]
        if not isinstance(numbers, dict):
            raise TypeError("it holds something else than the numbers of sessions")
        return numbers

    def _set_one(self, _: object) -> None:
        value, key = self._stack.pop(), self._stack.pop()
        self._set([key, value])

    def _set_all(self, _: object) -> None:
        start = len(self._stack) - 1 - self._stack[::-1].index(self)
        items = self._stack[start + 1 :]
        del self._stack[start:]
        self._set(items)

    def _set(self, items: list[object]) -> None:
        numbers = self._numbers()
        for key, value in zip(items[::2], items[1::2], strict=True):
            if not isinstance(key, tuple) or type(value) is not int or value < 0:
                raise ValueError("it holds something else than the numbers of sessions")
            numbers[key] = value

    _STEPS: ClassVar[dict[str, Callable[["_NumbersReader", Any], None]]] = {
        **dict.fromkeys(("SHORT_BINUNICODE", "BINUNICODE"), _push),
        **dict.fromkeys(("BININT", "BININT1", "BININT2", "LONG1"), _push),
        **dict.fromkeys(("PROTO", "FRAME"), _pass_over),
        **dict.fromkeys(("BINGET", "LONG_BINGET"), _recall),
        "EMPTY_DICT": lambda self, _: self._push({}),
        "MEMOIZE": _memoize,
        "MARK": _mark,
        "TUPLE2": _pair,
        "SETITEM": _set_one,
        "SETITEMS": _set_all,
    }


def _unpickle_numbers(path: Path) -> Numbers:
    """Read a pickle of numbers; raise ValueError when it holds anything else, OSError when it cannot be read."""
    content = path.read_bytes()
    try:
        return _NumbersReader().read(content)
    except Exception as error:  # damaged bytes make a reader of pickles raise almost anything
        raise ValueError(f"it cannot be read ({first_line(error)})") from error
