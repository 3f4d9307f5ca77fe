"""Read single cells: ids, times, files and vectors, as we write them and as others do."""

import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import PurePath
from typing import TypeVar

import numpy as np
import orjson
from pydantic import TypeAdapter, ValidationError

from memory.capture.message_csv import id_of, items_reader
from memory.message import Attachment, Field, Item, Kind, sanitize
from ops.promotion.derived_ids import derived_id
from ops.promotion.records import Vector

T = TypeVar("T")

_EXACT_IN_FLOATS = 2**53
_WHOLE = re.compile(r"-?\d{1,19}", re.ASCII)
_POINT_ZERO = re.compile(r"(-?\d{1,19})\.0+", re.ASCII)
_SCIENTIFIC = re.compile(r"-?\d(?:[.,]\d+)?[eE]\+?\d+", re.ASCII)
_BEFORE_ADDRESS = re.compile(r"(?<![\s,])[\s,]+(?=https?://)")
_BEFORE_PATH = re.compile(r",(?=\S)")
FORMULA_ERROR = re.compile(r"#[A-Z/0]+[!?]?", re.ASCII)
"""What a spreadsheet leaves of a formula that failed, such as #REF!."""

_FILES = TypeAdapter(tuple[Attachment, ...])

_MISSING = frozenset(
    {"", "null", "(null)", "<null>", "[null]", "none", "<none>", "nan", "nat", "na", "n/a", "#n/a", "<na>", "nil"}
    | {"undefined", "unknown", "\\n", "-", "--", "\N{EN DASH}", "\N{EM DASH}", "?"}
)
"""How programs and people write that an optional value is missing, in small letters."""

_MISSING_NAMES = frozenset(
    {"", "null", "NULL", "None", "nan", "NaN", "NaT", "<NA>", "\\N", "N/A", "n/a", "undefined", "-", "--"}
)
"""How programs write that a name is missing; a person may be called Nan or none."""


def is_missing(text: str) -> bool:
    """Return whether a cell of an optional column, such as an id or a time, says that there is no value."""
    return text.strip().casefold() in _MISSING


_NO_ID = frozenset({"0", "-1"})
_NO_TIME = re.compile(r"0{4}-00-00(?:[ T]00:00:00(?:\.0+)?)?", re.ASCII)  # as MySQL writes it


def is_no_reference(text: str) -> bool:
    """Return whether an id, of a message or place that another one belongs to, says that there is none."""
    return text.strip() in _NO_ID or is_missing(text)


def is_no_time(text: str) -> bool:
    """Return whether an optional time says that there is none."""
    return is_missing(text) or bool(_NO_TIME.fullmatch(text.strip()))


def is_missing_name(text: str) -> bool:
    """Return whether a name is written as programs write a missing value."""
    return text.strip() in _MISSING_NAMES


def optional_of_others(
    convert: Callable[[str], T], *, lacks: Callable[[str], bool] = is_missing
) -> Callable[[str], T | None]:
    """Return a converter that gives None for whatever other programs write for a missing value."""
    return lambda text: None if lacks(text) else convert(text)


def own_id(text: str) -> int:
    """Return an id of ours; raise ValueError for what is none."""
    if not _WHOLE.fullmatch(text):
        raise ValueError(_no_id(text))
    return id_of(text)


def id_of_others(text: str, *, kind: str) -> int:
    """Return a number as it stands, one made from any other id; raise ValueError where a spreadsheet spoilt it."""
    text = text.strip()
    if FORMULA_ERROR.fullmatch(text) or _SCIENTIFIC.fullmatch(text):
        raise ValueError(_no_id(text))
    if _WHOLE.fullmatch(text):
        return own_id(text)
    if found := _POINT_ZERO.fullmatch(text):
        number = int(found[1])
        if abs(number) > _EXACT_IN_FLOATS:
            raise ValueError(_no_id(text))
        return number
    return derived_id(kind, text)


def is_spoilt(text: str) -> bool:
    """Return whether an id was written as a number by a program that cannot hold all its digits."""
    text = text.strip()
    found = _POINT_ZERO.fullmatch(text)
    return bool(_SCIENTIFIC.fullmatch(text)) or (found is not None and abs(int(found[1])) > _EXACT_IN_FLOATS)


def becomes_a_number(text: str) -> bool:
    """Return whether `id_of_others` makes a number of an id that is none."""
    kinds = (_WHOLE, _POINT_ZERO, _SCIENTIFIC, FORMULA_ERROR)
    return not is_missing(text) and not any(kind.fullmatch(text.strip()) for kind in kinds)


def kind_of_others(text: str) -> Kind:
    """Return the kind of a message, which others mostly do not know; raise ValueError for a word that is none."""
    return Kind.MESSAGE if is_missing(text) else Kind(text)


def files(text: str) -> tuple[Attachment, ...]:
    """Return files from JSON; raise ValueError for what is none."""
    if text in {"", "[]"}:
        return ()
    try:
        return _storable(_FILES.validate_json(text))
    except ValidationError as error:
        raise ValueError(f"not a list of files ({error.errors()[0]['msg']})") from error


def items(field: Field) -> Callable[[str], tuple[Item, ...]]:
    """Return a converter of cells of a tuple as this program writes them; it raises ValueError for what is none."""
    return files if field.element is Attachment else items_reader(field)


def items_of_others(field: Field) -> Callable[[str], tuple[Item, ...]]:
    """Return a converter of cells of a tuple; what is no file, and not in our own form, is left out."""
    if field.element is Attachment:
        return files_of_others
    read = items_reader(field)

    def read_ours(text: str) -> tuple[Item, ...]:
        try:
            return read(text)
        except ValueError:
            return ()

    return read_ours


def files_of_others(text: str) -> tuple[Attachment, ...]:
    """Return files from JSON of ours, or from addresses with commas or blanks between them."""
    text = text.strip()
    if is_missing(text):
        return ()
    if text.startswith("[{") or text == "[]":
        return files(text)
    named = ((PurePath(address.partition("?")[0]).name, address) for address in _addresses(text))
    return _storable(Attachment(name=name or address, url=address) for name, address in named)


def vector(text: str, model: str) -> Vector:
    """Return a vector as pgvector writes it; raise ValueError for one that nothing can be found by."""
    values = orjson.loads(text)
    if not isinstance(values, list) or not values or not model:
        raise ValueError("no list of numbers, or no name of a model")
    try:
        with np.errstate(over="ignore"):
            numbers = np.array(values, dtype=np.float32)
    except TypeError as error:
        raise ValueError("not only numbers") from error
    if numbers.ndim != 1 or not np.isfinite(numbers).all():
        raise ValueError("not only finite numbers")
    return numbers, model


def _no_id(text: str) -> str:
    if _SCIENTIFIC.fullmatch(text) or _POINT_ZERO.fullmatch(text):
        return f"a spreadsheet has rounded the id to {text}: its last digits are lost"
    if FORMULA_ERROR.fullmatch(text):
        return f"{text} is what a spreadsheet leaves of a formula, not an id"
    return f"{text!r} is not an id"


def _addresses(text: str) -> list[str]:
    """Split what may hold several addresses, or the paths of downloaded files, which may hold blanks."""
    separator = _BEFORE_ADDRESS if "://" in text else _BEFORE_PATH
    return [part for address in separator.split(text) if (part := address.strip(" ,\t\r\n"))]


def _storable(files: Iterable[Attachment]) -> tuple[Attachment, ...]:
    return tuple(
        replace(
            file,
            name=sanitize(file.name),
            url=sanitize(file.url),
            content_type=None if file.content_type is None else sanitize(file.content_type),
            description=None if file.description is None else sanitize(file.description),
        )
        for file in files
    )
