"""Read text files whose encoding nobody has told us."""

import codecs
import re
from io import TextIOWrapper
from typing import IO

from charset_normalizer import from_bytes

SAMPLE = 1024 * 1024
"""Bytes from the beginning of a file that decide on its encoding."""

_GUESSED_FROM = 64 * 1024  # bytes; a guess from more takes seconds and is no better
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_UTF8, _FALLBACK = "utf-8-sig", "cp1252"
_ESCAPED = re.compile("[\udc80-\udcff]")
_LINE_OF_OTHERS = re.compile(rb"(?<![^\r\n])[^\r\n]*[\x80-\xff][^\r\n]*[\r\n]*")


def encoding_of(sample: bytes) -> str:
    """Return the encoding of a file that begins so.

    A byte order mark decides. Else it is UTF-8 when more of its letters are well-formed UTF-8 than are not, else what
    the frequencies of the letters tell, and Windows' Western European when they tell nothing.
    """
    for mark, encoding in _MARKS:
        if sample.startswith(mark):
            return encoding
    text = codecs.getincrementaldecoder("utf-8")("surrogateescape").decode(sample)
    wrong = len(_ESCAPED.findall(text))
    right = sum(1 for character in text if character > "\x7f") - wrong
    return _UTF8 if right > wrong or not wrong else _guess(sample)


def open_as_text(file: IO[bytes], encoding: str) -> TextIOWrapper:
    """Return the text of a file that is open; `mended` makes readable what cannot be decoded."""
    errors = "replace" if encoding.startswith(("utf-16", "utf-32")) else "surrogateescape"
    return TextIOWrapper(file, encoding=encoding, errors=errors, newline="")


def mended(text: str) -> tuple[str, int]:
    r"""Return a text with the bytes that could not be decoded as escapes such as \xe9, and their number."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return _ESCAPED.subn(lambda found: rf"\x{ord(found[0]) - 0xDC00:02x}", text)
    return text, 0


def _guess(sample: bytes) -> str:
    """Return the most likely encoding, told from the lines that have more than ASCII."""
    telling = b"".join(_LINE_OF_OTHERS.findall(sample))[:_GUESSED_FROM]
    found = from_bytes(telling, cp_isolation=["cp1252", "latin_1", "cp1250", "cp1251", "cp932", "gb18030"]).best()
    return _FALLBACK if found is None or found.encoding == "latin_1" else found.encoding
