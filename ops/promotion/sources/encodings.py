"""Find out the encoding of text files, and read them."""

import codecs
import re
import unicodedata
from io import TextIOWrapper
from itertools import islice, pairwise
from typing import IO

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
_POSSIBLE = (
    *("cp1252", "cp1250", "cp1251", "cp1253", "cp1254", "cp1255", "cp1256", "cp1257", "iso8859-2", "iso8859-9"),
    *("koi8-r", "koi8-u", "cp866", "cp437", "cp850", "mac-roman", "cp932", "euc-jp", "gb18030", "big5", "cp949"),
)
"""Encodings that text files of the last thirty years have, beside those of Unicode."""

_LIKELY_MARKS = frozenset({"Mn", "Mc", "Pi", "Pf", "Ps", "Pe", "Pd", "Po", "Sc", "So", "Lm", "Zs", "Nd"})
"""Categories of what stands in words beside letters: accents, quotation marks, dashes, currencies."""

_MOST_WORDS = 5_000
_UTF8, _FALLBACK = "utf-8-sig", "cp1252"
_ESCAPED = re.compile("[\udc80-\udcff]")
_LINE_OF_OTHERS = re.compile(rb"(?<![^\r\n])[^\r\n]*[\x80-\xff][^\r\n]*[\r\n]*")


def encoding_of(sample: bytes) -> str:
    """Return the encoding of a file that begins so.

    A byte order mark decides, then zeros at every other byte. Else it is UTF-8 when more of its letters are well-formed
    UTF-8 than are not, else what the frequencies of the letters tell, and Windows' Western European when they tell
    nothing.
    """
    for mark, encoding in _MARKS:
        if sample.startswith(mark):
            return encoding
    if encoding := _with_zeros(sample[:_GUESSED_FROM]):
        return encoding
    text = codecs.getincrementaldecoder("utf-8")("surrogateescape").decode(sample)
    wrong = len(_ESCAPED.findall(text))
    right = sum(1 for character in text if character > "\x7f") - wrong
    return _UTF8 if right > wrong or not wrong else _guess(sample)


def named_encoding(name: str, sample: bytes) -> str:
    """Return an encoding that the operator names, with the order of bytes where the file does not begin with a mark."""
    orders = {"utf-16": "utf-16-le", "utf-32": "utf-32-le"}
    has_mark = any(sample.startswith(mark) for mark, encoding in _MARKS if encoding == name)
    return name if has_mark else orders.get(name, name)


def _with_zeros(sample: bytes) -> str:
    """Return UTF-16 without a mark where a third or more of every other byte is zero, and few others are."""
    half = len(sample) // 2
    first, second = sample[0::2].count(0), sample[1::2].count(0)
    if second > half / 3 and first < half / 20:
        return "utf-16-le"
    return "utf-16-be" if first > half / 3 and second < half / 20 else ""


def open_as_text(file: IO[bytes], encoding: str) -> TextIOWrapper:
    """Return the text of a file that is open; `escape_undecodable` makes readable what cannot be decoded."""
    errors = "replace" if encoding.startswith(("utf-16", "utf-32")) else "surrogateescape"
    return TextIOWrapper(file, encoding=encoding, errors=errors, newline="")


def escape_undecodable(text: str) -> tuple[str, int]:
    r"""Return a text with the bytes that could not be decoded as escapes such as \xe9, and their number."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return _ESCAPED.subn(lambda found: rf"\x{ord(found[0]) - 0xDC00:02x}", text)
    return text, 0


def _guess(sample: bytes) -> str:
    """Return the most likely encoding, guessed from the lines that have more than ASCII.

    The frequencies of letters tell little of a few words in a Western language: what makes likelier words of them wins.
    """
    from chardet import detect_all  # loaded for the few files that need it

    telling = b"".join(_LINE_OF_OTHERS.findall(sample))[:_GUESSED_FROM]
    likelihoods: dict[str, float] = {}
    for found in detect_all(telling, ignore_threshold=True, include_encodings=_POSSIBLE):
        encoding = codecs.lookup(found["encoding"] or _FALLBACK).name
        try:
            text = codecs.getincrementaldecoder(encoding)("strict").decode(telling)
        except UnicodeDecodeError:
            continue
        likelihoods[encoding] = found["confidence"] * _share_of_words(text) ** 2
    return max(likelihoods, key=lambda encoding: likelihoods[encoding], default=_FALLBACK)


def _share_of_words(text: str) -> float:
    """Return which share of the words with letters beyond ASCII look like words."""
    words = [word for word in islice(text.split(), _MOST_WORDS) if not word.isascii()]
    return (sum(map(_is_likely, words)) + 0.1) / (len(words) + 0.1)


def _is_likely(word: str) -> bool:
    """Return whether a word is of one script, of letters, and not of small letters with large ones behind them."""
    letters = [letter for letter in word if letter.isalpha()]
    others = [letter for letter in word if not letter.isascii() and not letter.isalpha()]
    if any(unicodedata.category(letter) not in _LIKELY_MARKS for letter in others):
        return False
    scripts = {"LATIN" if unicodedata.name(letter, "").startswith("LATIN") else "OTHER" for letter in letters}
    grows = any(before.islower() and after.isupper() for before, after in pairwise(letters))
    return len(scripts) < 2 and not grows
