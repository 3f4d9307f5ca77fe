"""Cut a text into words, numbers and signs."""

import re
from dataclasses import dataclass

_HIDDEN = re.compile(r"`[^`]*`|<[@#:][^>]*>|\b\w+://\S+|\S+@\S+\.\w+")
"""What is no English: code, mentions of Discord, addresses."""

_TOKEN = re.compile(r"\d+|[^\W\d_]+(?:['\u2019][^\W\d_]+)*['\u2019]?|[^\w\s]|_")


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
    readable = _HIDDEN.sub(lambda hidden: "\N{REPLACEMENT CHARACTER}" * len(hidden.group()), text)
    tokens: list[Token] = []
    for match in _TOKEN.finditer(readable):
        written = match.group()
        glued = bool(tokens) and tokens[-1].end == match.start()
        plain = written.lower().replace("\u2019", "'")
        plain = plain.removesuffix("'") or plain
        tokens.append(Token(plain, written, match.start(), match.end(), glued))
    return tokens
