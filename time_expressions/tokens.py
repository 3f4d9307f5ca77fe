"""Cut a text into words, numbers and signs."""

import re
from dataclasses import dataclass

from time_expressions.folding import folded

_HIDDEN = re.compile(r"`[^`]*`|<[@#:][^<>]*>|\b\w+://\S+")
"""What is no English: code, mentions of Discord, addresses of pages."""

_RUN = re.compile(r"\S+")
_LAST_PART = re.compile(r"\.\w+")

_TOKEN = re.compile(r"\d+|[^\W\d_]+(?:['\u2019][^\W\d_]+)*['\u2019]?|->|\.\.\.+|\.\.|[^\w\s]|_")

_SIGNS = {
    **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe58\ufe63\uff0d", "-"),
    **dict.fromkeys(["..", "->", "\N{RIGHTWARDS ARROW}", "\N{FULLWIDTH TILDE}", "\N{WAVE DASH}"], "~"),
    "\N{FULLWIDTH COLON}": ":",
    "\N{FULLWIDTH SOLIDUS}": "/",
    "\N{FULLWIDTH COMMA}": ",",
    "&": "and",
}
"""Signs that are read as another: all dashes as a hyphen, dots and arrows between two times as a tilde."""

QUOTES = frozenset('"\N{LEFT DOUBLE QUOTATION MARK}\N{RIGHT DOUBLE QUOTATION MARK}\N{DOUBLE LOW-9 QUOTATION MARK}«»')

_HIDES = "\N{REPLACEMENT CHARACTER}"


@dataclass(frozen=True, slots=True)
class Token:
    """A word, a number or a sign, in lower case, with where it stands; `glued` when no space is before it."""

    text: str
    written: str
    start: int
    end: int
    glued: bool

    @property
    def is_number(self) -> bool:
        """Whether these are digits."""
        return self.text.isdecimal()

    @property
    def is_word(self) -> bool:
        """Whether these are letters."""
        return self.text[0].isalpha()


def tokens_of(text: str) -> list[Token]:
    """Return the tokens of a text; code, mentions and addresses leave a sign that belongs to no phrase."""
    readable = _RUN.sub(_without_address, _HIDDEN.sub(lambda hidden: _HIDES * len(hidden[0]), text))
    tokens: list[Token] = []
    for match in _TOKEN.finditer(readable):
        written = match.group()
        glued = bool(tokens) and tokens[-1].end == match.start()
        plain = (folded(written) if written[0].isalpha() else "") or written.lower()
        plain = _SIGNS.get(plain) or plain.removesuffix("'") or plain
        tokens.append(Token(plain, written, match.start(), match.end(), glued))
    return tokens


def _without_address(run: re.Match[str]) -> str:
    """Return what stands between two blanks without the address of a mailbox that it begins with."""
    text = run[0]
    at = text.find("@", 1)
    ends = [found.end() for found in _LAST_PART.finditer(text, at + 2)] if at > 0 else []
    return _HIDES * ends[-1] + text[ends[-1] :] if ends else text
